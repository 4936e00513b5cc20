//! A details page of any bytes: no panic, no unit slower than the time limit, and what is read holds together.
#![no_main]

use kbmirror::catalog::{PAGE_CAP, parse_details_page};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    match parse_details_page(&text) {
        Ok(page) => {
            assert!(text.len() as u64 <= PAGE_CAP);
            assert!(!page.title.is_empty());
            assert!(page.supersedes.iter().all(|title| !title.is_empty()));
        }
        Err(fault) => assert!(fault.found.chars().count() <= 121, "what is shown of a page is cut"),
    }
});
