//! A details page of arbitrary bytes. The parsed page is consistent.

use kbmirror::catalog::{PAGE_CAP, parse_details_page};

/// Returns `true` if the page is accepted.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    match parse_details_page(&text) {
        Ok(page) => {
            assert!(text.len() as u64 <= PAGE_CAP);
            assert!(!page.title.is_empty());
            assert!(page.supersedes.iter().all(|title| !title.is_empty()));
            true
        }
        Err(fault) => {
            assert!(fault.found.chars().count() <= 121, "the excerpt of a page is truncated");
            false
        }
    }
}
