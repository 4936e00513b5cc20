//! A `set.json` of arbitrary bytes. An accepted text can be written and read again.

use kbmirror::carrier::parsers;

/// Returns `true` if the text is accepted.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(set) = parsers::set(text) else { return false };
    let written = parsers::set_text(&set).unwrap_or_default();
    let again = parsers::set(&written).map(|again| parsers::set_text(&again).unwrap_or_default());
    assert_eq!(again.ok().as_ref(), Some(&written), "an accepted text can be written and read again");
    true
}
