//! Arbitrary bytes: file names with their digests, one pair per line. The names on disk are always plain and distinct.

use std::collections::BTreeSet;

use kbmirror::facts::{PlainName, SetFolder, distinct_names};

/// Returns `true` if every name is accepted.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut files = Vec::new();
    let mut are_accepted = true;
    for line in text.split('\n').take(64) {
        let (name, digest) = line.split_once('\t').unwrap_or((line, ""));
        let folder = SetFolder::from_words(name);
        assert!(is_plain(folder.as_str()), "{folder}");
        match PlainName::of(name) {
            Ok(_) => files.push((name, digest.to_owned())),
            Err(_) => are_accepted = false,
        }
        if let Ok(exact) = PlainName::exact(name) {
            assert_eq!(exact.as_str(), name);
        }
    }
    let count = files.len();
    let Ok(names) = distinct_names(files) else { panic!("distinct plain names are refused") };
    let folded: BTreeSet<String> = names.iter().map(|name| name.as_str().to_ascii_lowercase()).collect();
    assert_eq!((names.len(), folded.len()), (count, count), "two files have the same name");
    assert!(names.iter().all(|name| is_plain(name.as_str())), "{names:?}");
    are_accepted
}

/// Returns `true` if a name is a single path component on every file system.
fn is_plain(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._()+,=@ -~".contains(letter);
    !name.is_empty()
        && name.len() <= 120
        && name.chars().all(allowed)
        && !name.starts_with(['.', ' ', '~'])
        && !name.ends_with(['.', ' '])
}
