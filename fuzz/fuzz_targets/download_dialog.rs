//! A download dialog of any bytes: no panic, no unit slower than the time limit, and what is read holds together.
#![no_main]

use kbmirror::catalog::{PAGE_CAP, parse_download_dialog};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    match parse_download_dialog(&text) {
        Ok(dialog) => {
            assert!(text.len() as u64 <= PAGE_CAP);
            assert!(!dialog.updates.is_empty());
            for update in &dialog.updates {
                assert!(!update.title.is_empty() && !update.files.is_empty());
                assert!(update.files.iter().all(|file| !file.url.is_empty()));
            }
        }
        Err(fault) => assert!(fault.found.chars().count() <= 121, "what is shown of a page is cut"),
    }
});
