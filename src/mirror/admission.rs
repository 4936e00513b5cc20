//! Admission: the one way of bytes into the pool.
//!
//! A fetch, an import, and a repair bring files from different places. Each compares what arrived with what is stated of the
//! file, and gets a [`Vetted`] file or the reasons against it. The pool takes nothing else. Every statement counts: one that
//! differs makes the file bad, however many agree. What is not stated is not checked, and the evidence does not claim it.
//!
//! Pure: digests are compared here, not computed.

use std::fmt;

use camino::Utf8Path;

use crate::facts::{Check, Checked, Source};
use crate::update::{Digests, Sha1, Sha256};

/// The statements about a file, each with its source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stated {
    /// SHA-1 with its source.
    pub sha1: Option<(Sha1, Source)>,
    /// SHA-256 with its source.
    pub sha256: Option<(Sha256, Source)>,
    /// The SHA-1 in the file's name.
    pub name: Option<Sha1>,
    /// The exact size, when the search page's sum is that of this file alone.
    pub size: Option<u64>,
}

/// A statement that the bytes do not agree with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its {what} is {found}, and the {against} says {stated}")]
pub struct Mismatch {
    /// The property that differs.
    pub what: Checked,
    /// The source of the statement.
    pub against: Source,
    /// The stated value.
    pub stated: String,
    /// The value that the bytes give.
    pub found: String,
}

impl Stated {
    /// Returns `true` if something vouches for the content.
    pub fn is_verifiable(&self) -> bool {
        self.sha1.is_some() || self.sha256.is_some() || self.name.is_some()
    }

    /// Compares what arrived with every statement: the checks that were made, or the first that failed.
    pub fn compare(&self, found: &Digests) -> Result<Vec<Check>, Mismatch> {
        let mut checks = Vec::new();
        let mut compare = |what, against, stated: String, found: String| {
            if stated != found {
                return Err(Mismatch { what, against, stated, found });
            }
            checks.push(Check { what, against });
            Ok(())
        };
        if let Some(size) = self.size {
            compare(Checked::Size, Source::SearchPage, size.to_string(), found.size.to_string())?;
        }
        if let Some((sha256, against)) = self.sha256 {
            compare(Checked::Sha256, against, sha256.to_string(), found.sha256.to_string())?;
        }
        if let Some((sha1, against)) = self.sha1.filter(|&(_, against)| against != Source::Name) {
            compare(Checked::Sha1, against, sha1.to_string(), found.sha1.to_string())?;
        }
        if let Some(sha1) = self.name {
            compare(Checked::Name, Source::Name, sha1.to_string(), found.sha1.to_string())?;
        }
        Ok(checks)
    }
}

/// A file that may not go into the pool, with the reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The statement that differs.
    pub mismatch: Option<Mismatch>,
    /// The difference between the first bytes and the type that the name says.
    pub misnamed: Option<String>,
}

impl Unfit {
    /// Returns the property that differs; `None` if it is the type of the file alone.
    pub fn what(&self) -> Option<Checked> {
        self.mismatch.as_ref().map(|mismatch| mismatch.what)
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.mismatch, &self.misnamed) {
            (Some(mismatch), Some(misnamed)) => write!(formatter, "{mismatch}; {misnamed}"),
            (Some(mismatch), None) => mismatch.fmt(formatter),
            (None, misnamed) => formatter.write_str(misnamed.as_deref().unwrap_or_default()),
        }
    }
}

/// A durable file under `partial/` whose bytes agree with everything that is stated of it.
#[derive(Debug)]
pub struct Vetted<'p> {
    path: &'p Utf8Path,
    digests: Digests,
    checks: Vec<Check>,
}

impl<'p> Vetted<'p> {
    /// Compares a file with what is stated of it. `misnamed` says how its first bytes differ from the type in its name: that
    /// counts only where no digest vouches for the file.
    pub fn new(
        path: &'p Utf8Path,
        digests: Digests,
        stated: &Stated,
        misnamed: Option<&str>,
    ) -> Result<Self, Unfit> {
        let unfit = |mismatch| Unfit { mismatch, misnamed: misnamed.map(str::to_owned) };
        let checks = stated.compare(&digests).map_err(|mismatch| unfit(Some(mismatch)))?;
        if misnamed.is_some() && !stated.is_verifiable() {
            return Err(unfit(None));
        }
        Ok(Self { path, digests, checks })
    }

    /// Takes a file that a signed manifest lists under this digest; `None` if its bytes are others.
    pub fn by_manifest(path: &'p Utf8Path, digests: Digests, sha256: &Sha256) -> Option<Self> {
        (digests.sha256 == *sha256).then_some(Self { path, digests, checks: Vec::new() })
    }

    pub(super) fn path(&self) -> &'p Utf8Path {
        self.path
    }

    pub(super) fn digests(&self) -> &Digests {
        &self.digests
    }

    pub(super) fn checks(&self) -> &[Check] {
        &self.checks
    }
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
        let all = Stated {
            sha1: Some((found.sha1, Source::Dialog)),
            sha256: Some((found.sha256, Source::Dialog)),
            name: Some(found.sha1),
            size: Some(7),
        };
        let names: Vec<&str> = all.compare(&found).unwrap().iter().map(|check| check.what.as_str()).collect();
        assert_eq!(names, ["size", "sha256", "sha1", "name"]);
        for (stated, what) in [
            (Stated { size: Some(8), ..all.clone() }, "size"),
            (Stated { sha256: Some((other.sha256, Source::Dialog)), ..all.clone() }, "sha256"),
            (Stated { sha1: Some((other.sha1, Source::Dialog)), ..all.clone() }, "sha1"),
            (Stated { name: Some(other.sha1), ..all.clone() }, "name"),
        ] {
            assert_eq!(stated.compare(&found).unwrap_err().what.as_str(), what);
        }
    }

    #[test]
    fn where_nothing_is_stated_nothing_was_checked() {
        assert!(!Stated::default().is_verifiable());
        assert_eq!(Stated::default().compare(&digests(b"")).unwrap(), []);
    }

    #[test]
    fn only_a_file_without_a_digest_is_held_to_its_name() {
        let (path, found) = (Utf8Path::new("partial/a"), digests(b"package"));
        let stated = Stated { sha1: Some((found.sha1, Source::Dialog)), ..Stated::default() };
        assert_eq!(Vetted::new(path, found, &stated, Some("it is a web page")).unwrap().checks().len(), 1);
        let unfit = Vetted::new(path, found, &Stated::default(), Some("it is a web page")).unwrap_err();
        assert_eq!((unfit.to_string().as_str(), unfit.what()), ("it is a web page", None));
        assert!(Vetted::new(path, found, &Stated::default(), None).unwrap().checks().is_empty());
    }

    #[test]
    fn every_reason_against_a_file_is_named() {
        let (path, found) = (Utf8Path::new("partial/a"), digests(b"package"));
        let stated = Stated { size: Some(8), ..Stated::default() };
        let unfit = Vetted::new(path, found, &stated, Some("it is a web page")).unwrap_err();
        assert_eq!(unfit.to_string(), "its size is 7, and the search page says 8; it is a web page");
        assert_eq!(unfit.what(), Some(Checked::Size));
        assert!(Vetted::by_manifest(path, found, &digests(b"other").sha256).is_none());
        assert!(Vetted::by_manifest(path, found, &found.sha256).is_some());
    }
}
