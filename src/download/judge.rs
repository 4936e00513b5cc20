//! Is a file what it was said to be? A pure comparison of what arrived with what was stated, and by whom.
//!
//! Every statement counts: one that differs makes the file bad, however many agree. What nobody stated is not checked, and
//! the evidence does not claim it.

use crate::facts::{Checked, Source};
use crate::mirror::index::Check;
use crate::update::{Digests, Sha1, Sha256};

/// What is stated of a file, and by whom. Only what is stated can be checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expected {
    /// SHA-1 with its source.
    pub sha1: Option<(Sha1, Source)>,
    /// SHA-256 with its source.
    pub sha256: Option<(Sha256, Source)>,
    /// The SHA-1 in the file's name.
    pub name: Option<Sha1>,
    /// The exact size, when the search page's sum is that of this file alone.
    pub size: Option<u64>,
}

impl Expected {
    /// Whether anything vouches for the content.
    pub fn is_verifiable(&self) -> bool {
        self.sha1.is_some() || self.sha256.is_some() || self.name.is_some()
    }
}

/// A statement that the bytes do not agree with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its {what} is {found}, and the {against} says {stated}")]
pub struct Mismatch {
    /// The property that differs.
    pub what: Checked,
    /// The source of the statement.
    pub against: Source,
    /// What was stated.
    pub stated: String,
    /// What the bytes give.
    pub found: String,
}

/// Compares what arrived with everything that was stated: the checks that were made, or the first that failed.
pub fn judge(expected: &Expected, found: &Digests) -> Result<Vec<Check>, Mismatch> {
    let mut checks = Vec::new();
    let mut compare = |what, against, stated: String, found: String| {
        if stated != found {
            return Err(Mismatch { what, against, stated, found });
        }
        checks.push(Check { what, against });
        Ok(())
    };
    if let Some(size) = expected.size {
        compare(Checked::Size, Source::SearchPage, size.to_string(), found.size.to_string())?;
    }
    if let Some((sha256, against)) = expected.sha256 {
        compare(Checked::Sha256, against, sha256.to_string(), found.sha256.to_string())?;
    }
    if let Some((sha1, against)) = expected.sha1.filter(|&(_, against)| against != Source::Name) {
        compare(Checked::Sha1, against, sha1.to_string(), found.sha1.to_string())?;
    }
    if let Some(sha1) = expected.name {
        compare(Checked::Name, Source::Name, sha1.to_string(), found.sha1.to_string())?;
    }
    Ok(checks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::DualHasher;

    fn digests(bytes: &[u8]) -> Digests {
        let mut hasher = DualHasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    #[test]
    fn every_statement_is_compared_and_named() {
        let found = digests(b"package");
        let other = digests(b"other");
        let all = Expected {
            sha1: Some((found.sha1, Source::Dialog)),
            sha256: Some((found.sha256, Source::Dialog)),
            name: Some(found.sha1),
            size: Some(7),
        };
        let names: Vec<&str> = judge(&all, &found).unwrap().iter().map(|check| check.what.as_str()).collect();
        assert_eq!(names, ["size", "sha256", "sha1", "name"]);
        for (expected, what) in [
            (Expected { size: Some(8), ..all.clone() }, "size"),
            (Expected { sha256: Some((other.sha256, Source::Dialog)), ..all.clone() }, "sha256"),
            (Expected { sha1: Some((other.sha1, Source::Dialog)), ..all.clone() }, "sha1"),
            (Expected { name: Some(other.sha1), ..all.clone() }, "name"),
        ] {
            assert_eq!(judge(&expected, &found).unwrap_err().what.as_str(), what);
        }
    }

    #[test]
    fn where_nothing_is_stated_nothing_was_checked() {
        assert!(!Expected::default().is_verifiable());
        assert_eq!(judge(&Expected::default(), &digests(b"")).unwrap(), []);
    }
}
