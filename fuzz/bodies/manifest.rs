//! A manifest of arbitrary bytes. An accepted manifest is written again byte for byte, so every byte counts.

use kbmirror::carrier::parsers;

/// Returns `true` if the manifest is accepted.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(files) = parsers::manifest(text) else { return false };
    assert_eq!(parsers::manifest_text(&files), text);
    assert!(
        files.keys().all(|path| path.starts_with("data/") && !path.contains("..") && !path.contains('\\'))
    );
    true
}
