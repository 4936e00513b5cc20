//! A search page of any bytes: no panic, no unit slower than the time limit, and what is read holds together.
#![no_main]

use std::collections::BTreeSet;

use kbmirror::catalog::{PAGE_CAP, PageKind, page_kind, parse_search_page};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // As the client does with what is no UTF-8.
    let text = String::from_utf8_lossy(bytes);
    match parse_search_page(&text) {
        Ok(page) => {
            assert!(text.len() as u64 <= PAGE_CAP);
            assert_eq!(page.rows.len() as u32, page.last - page.first + 1);
            assert!(page.last <= page.total && page.page <= page.pages);
            let ids: BTreeSet<_> = page.rows.iter().map(|row| row.update_id).collect();
            assert_eq!(ids.len(), page.rows.len(), "a row for each update");
            assert!(page.rows.iter().all(|row| !row.title.is_empty()));
        }
        Err(fault) => assert!(fault.found.chars().count() <= 121, "what is shown of a page is cut"),
    }
    if page_kind(&text, Some("/Search.aspx")) == PageKind::NothingFound {
        assert!(parse_search_page(&text).is_err(), "nothing was found, and there are rows");
    }
});
