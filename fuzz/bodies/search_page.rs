//! A search page of any bytes: what is read of it holds together.

use std::collections::BTreeSet;

use kbmirror::catalog::{PAGE_CAP, PageKind, page_kind, parse_search_page};

/// Returns `true` if the page is taken.
pub(crate) fn check(bytes: &[u8]) -> bool {
    // As the client does with bytes that are not UTF-8.
    let text = String::from_utf8_lossy(bytes);
    let parsed = parse_search_page(&text);
    match &parsed {
        Ok(page) => {
            assert!(text.len() as u64 <= PAGE_CAP);
            assert_eq!(page.rows.len(), (page.last - page.first + 1) as usize);
            assert!(page.last <= page.total && page.page <= page.pages);
            let ids: BTreeSet<_> = page.rows.iter().map(|row| row.update_id).collect();
            assert_eq!(ids.len(), page.rows.len(), "a row for each update");
            assert!(page.rows.iter().all(|row| !row.title.is_empty()));
        }
        Err(fault) => assert!(fault.found.chars().count() <= 121, "what is shown of a page is cut"),
    }
    if page_kind(&text, Some("/Search.aspx")) == PageKind::NothingFound {
        assert!(parsed.is_err(), "nothing was found, and there are rows");
    }
    parsed.is_ok()
}
