//! A search page of arbitrary bytes. The parsed page is consistent.

use std::collections::BTreeSet;

use kbmirror::catalog::{PAGE_CAP, PageKind, page_kind, parse_search_page};

/// Returns `true` if the page is accepted.
pub(crate) fn check(bytes: &[u8]) -> bool {
    // The client also replaces bytes that are not UTF-8.
    let text = String::from_utf8_lossy(bytes);
    let parsed = parse_search_page(&text);
    match &parsed {
        Ok(page) => {
            assert!(text.len() as u64 <= PAGE_CAP);
            assert_eq!(page.rows.len(), (page.last - page.first + 1) as usize);
            assert!(page.last <= page.total && page.page <= page.pages);
            let ids: BTreeSet<_> = page.rows.iter().map(|row| row.update_id).collect();
            assert_eq!(ids.len(), page.rows.len(), "each update has one row");
            assert!(page.rows.iter().all(|row| !row.title.is_empty()));
        }
        Err(fault) => assert!(fault.found.chars().count() <= 121, "the excerpt of a page is truncated"),
    }
    if page_kind(&text, Some("/Search.aspx")) == PageKind::NothingFound {
        assert!(parsed.is_err(), "a page for \"nothing found\" has rows");
    }
    parsed.is_ok()
}
