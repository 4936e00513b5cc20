//! Arbitrary bytes: a package file. Its metadata are read, or a fault names the place; the result is always the same.

use kbmirror::package::{MetadataState, inspect};

/// Returns `true` if metadata are read.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let source = bytes.to_vec();
    let (first, second) = (inspect("a.bin", &source), inspect("a.bin", &source));
    let (Ok(found), Ok(again)) = (&first, &second) else {
        let texts =
            [first, second].map(|result| result.map_or_else(|fault| fault.to_string(), |_| String::new()));
        assert!(!texts[0].is_empty() && texts[0] == texts[1], "{texts:?}");
        return false;
    };
    assert_eq!(found, again);
    for member in &found.members {
        let is_outside =
            member.name.split(['/', '\\']).any(|part| part == "..") || member.name.starts_with(['/', '\\']);
        assert!(!is_outside, "{}", member.name);
    }
    let has_metadata = !found.packages.is_empty() || found.properties.is_some();
    assert_eq!(has_metadata, found.metadata != MetadataState::NotRead);
    // A value that several parts state is shown only if they agree.
    let kbs = found.packages.iter().filter_map(|package| package.kb);
    let is_open = found.kb.is_none() || found.packages.len() != 1;
    assert!(is_open || kbs.into_iter().all(|kb| Some(kb) == found.kb), "{found:?}");
    has_metadata
}
