//! A listing of arbitrary bytes. An accepted listing can be written and read again, and names plain paths under
//! `data/`.

use kbmirror::carrier::Listing;

/// Returns `true` if the listing and its files are accepted.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(listing) = Listing::read(text) else { return false };
    let files = listing.files();
    if let Ok(files) = &files {
        assert!(files.keys().all(|path| path.starts_with("data/") && !path.contains("/../")));
    }
    let written = listing.to_text().unwrap_or_default();
    let again = Listing::read(&written).map(|again| again.to_text().unwrap_or_default());
    assert_eq!(again.ok().as_ref(), Some(&written), "an accepted listing can be written and read again");
    files.is_ok()
}
