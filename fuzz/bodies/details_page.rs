//! A details page of any bytes: what is read of it holds together.

use kbmirror::catalog::{PAGE_CAP, parse_details_page};

/// Returns `true` if the page is taken.
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
            assert!(fault.found.chars().count() <= 121, "what is shown of a page is cut");
            false
        }
    }
}
