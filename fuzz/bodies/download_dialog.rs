//! A download dialog of arbitrary bytes. The parsed dialog is consistent.

use kbmirror::catalog::{PAGE_CAP, parse_download_dialog};

/// Returns `true` if the dialog is accepted.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    match parse_download_dialog(&text) {
        Ok(dialog) => {
            assert!(text.len() as u64 <= PAGE_CAP);
            assert!(!dialog.updates.is_empty());
            for update in &dialog.updates {
                assert!(!update.title.is_empty() && !update.files.is_empty());
                assert!(update.files.iter().all(|file| !file.url.is_empty()));
            }
            true
        }
        Err(fault) => {
            assert!(fault.found.chars().count() <= 121, "the excerpt of a page is truncated");
            false
        }
    }
}
