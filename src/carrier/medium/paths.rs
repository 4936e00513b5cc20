//! The paths that a medium may contain: every component is a plain name, and the path is short.

use super::names::{DATA, refused};
use crate::error::Result;
use crate::facts::{NameFault, PlainName};
use crate::update::Kb;

/// The maximum length of a path on a medium, relative to its root. Windows programs without support for long paths
/// accept 260 characters (`MAX_PATH`); the rest is left for the drive and parent folders.
pub(in crate::carrier) const LONGEST_PATH: usize = 180;

/// Checks a path of the payload: `data/KB…/<folder>/<file>` or `data/KB…/<folder>.cmd`.
pub(super) fn check_payload_path(path: &str) -> Result<()> {
    check_path(path)?;
    let parts: Vec<&str> = path.split('/').collect();
    let plausible = match parts.as_slice() {
        [DATA, kb, _, _] | [DATA, kb, _] => kb.parse::<Kb>().is_ok_and(|parsed| parsed.to_string() == **kb),
        _ => false,
    };
    if plausible {
        Ok(())
    } else {
        Err(refused(format!("the path {path:?} is not a valid path of a package")))
    }
}

/// Refuses a path that could lead out of the medium, or that means different things on different systems. Every
/// component must be a plain name, and the path must be short.
pub(in crate::carrier) fn check_path(path: &str) -> Result<()> {
    let refuse = |why: &str| {
        refused(format!("the path {:?} is refused: {why}", path.chars().take(200).collect::<String>()))
    };
    if path.len() > LONGEST_PATH {
        return Err(refuse("it is too long"));
    }
    for part in path.split('/') {
        // If the names of two files of a set differ only in the case of letters, `~` and digits distinguish them.
        let part = &without_digits(part);
        match PlainName::exact(part) {
            Ok(_) => {}
            Err(NameFault::NotPlain) => return Err(refuse("a component is not a plain name")),
            Err(fault) => return Err(refuse(&fault.to_string())),
        }
    }
    Ok(())
}

/// Returns a name without the `~` and the eight digits with which the name policy distinguishes files of one set.
fn without_digits(part: &str) -> String {
    if let Some((stem, rest)) = part.split_once('~')
        && let Some((digits, end)) = rest.split_at_checked(8)
        && !stem.is_empty()
        && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        && (end.is_empty() || end.starts_with('.'))
    {
        return format!("{stem}{end}");
    }
    part.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_that_leave_the_medium_are_refused() {
        for path in [
            "data/KB5086672/a/b",
            "data/KB5086672/windows-11-24h2-arm64.cmd",
            "data/KB5086672/a/b~0123abcd.msu",
        ] {
            check_payload_path(path).unwrap();
        }
        for path in [
            "",
            "data",
            "data/KB5086672",
            "data/../KB5086672/a/b",
            "data/KB5086672/../b",
            "data/KB5086672/a/..",
            "/data/KB5086672/a/b",
            "data//KB5086672/a",
            "data/kb5086672/a/b",
            "data/KB5086672/a/b/c",
            "data\\KB5086672\\a\\b",
            "C:/KB5086672/a/b",
            "data/KB5086672/a/NUL",
            "data/KB5086672/a/NUL~01234567.msu",
            "data/KB5086672/a/WINDOW~1.MSU",
            "data/KB5086672/a/~01234567",
            "data/KB5086672/a/b ",
            "data/KB5086672/a/b\u{0}",
            "other/KB5086672/a/b",
        ] {
            assert!(check_payload_path(path).is_err(), "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn accepted_paths_stay_inside_the_medium(path in "[a-zA-Z0-9./\\\\: ~]{0,60}") {
            if check_path(&path).is_ok() {
                prop_assert!(!path.split('/').any(|part| part == ".." || part == "." || part.is_empty()));
                prop_assert!(!path.contains('\\') && !path.contains(':'));
            }
        }
    }
}
