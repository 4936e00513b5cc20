//! Admission: the only way into the pool.
//!
//! A fetch, an import, and a repair bring files from different places. Each compares the received bytes with the
//! statements about the file, and gets a [`VettedFile`] or the reasons for rejection. The pool accepts only
//! vetted files. Every statement counts: one that differs makes the file bad, however many agree. A property
//! without a statement is not checked, and the evidence does not claim that it was.
//!
//! Pure: digests are compared here, not computed.

use std::fmt;

use camino::Utf8Path;

use crate::facts::{FileProperty, PropertyCheck, Source};
use crate::update::{Digests, Sha1, Sha256};

/// The statements about a file, each with its source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileStatements {
    /// SHA-1 with its source.
    pub sha1: Option<(Sha1, Source)>,
    /// SHA-256 with its source.
    pub sha256: Option<(Sha256, Source)>,
    /// The SHA-1 in the file's name.
    pub name: Option<Sha1>,
    /// The exact size, if the search page's sum is the size of this file only.
    pub size: Option<u64>,
}

/// A statement that differs from the bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {found}, but the {against} states {stated}")]
pub struct Mismatch {
    /// The property that differs.
    pub what: FileProperty,
    /// The source of the statement.
    pub against: Source,
    /// The stated value.
    pub stated: String,
    /// The value computed from the bytes.
    pub found: String,
}

impl FileStatements {
    /// Returns `true` if at least one digest of the content is stated.
    pub fn is_verifiable(&self) -> bool {
        self.sha1.is_some() || self.sha256.is_some() || self.name.is_some()
    }

    /// Compares the received bytes with every statement. Returns the checks that were made, or the first that
    /// failed.
    pub fn compare(&self, found: &Digests) -> Result<Vec<PropertyCheck>, Mismatch> {
        let mut checks = Vec::new();
        let mut compare = |what, against, stated: String, found: String| {
            if stated != found {
                return Err(Mismatch { what, against, stated, found });
            }
            checks.push(PropertyCheck { what, against });
            Ok(())
        };
        if let Some(size) = self.size {
            compare(FileProperty::Size, Source::SearchPage, size.to_string(), found.size.to_string())?;
        }
        if let Some((sha256, against)) = self.sha256 {
            compare(FileProperty::Sha256, against, sha256.to_string(), found.sha256.to_string())?;
        }
        if let Some((sha1, against)) = self.sha1.filter(|&(_, against)| against != Source::Name) {
            compare(FileProperty::Sha1, against, sha1.to_string(), found.sha1.to_string())?;
        }
        if let Some(sha1) = self.name {
            compare(FileProperty::Name, Source::Name, sha1.to_string(), found.sha1.to_string())?;
        }
        Ok(checks)
    }
}

/// The reasons for rejecting a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The statement that differs.
    pub mismatch: Option<Mismatch>,
    /// The difference between the first bytes and the type that the file name implies.
    pub misnamed: Option<String>,
}

impl Rejection {
    /// Returns the property that differs, or `None` if only the file type differs.
    pub fn what(&self) -> Option<FileProperty> {
        self.mismatch.as_ref().map(|mismatch| mismatch.what)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.mismatch, &self.misnamed) {
            (Some(mismatch), Some(misnamed)) => write!(formatter, "{mismatch}; {misnamed}"),
            (Some(mismatch), None) => mismatch.fmt(formatter),
            (None, misnamed) => formatter.write_str(misnamed.as_deref().unwrap_or_default()),
        }
    }
}

/// A durable file under `partial/` whose bytes agree with every statement about it.
#[derive(Debug)]
pub struct VettedFile<'p> {
    path: &'p Utf8Path,
    digests: Digests,
    checks: Vec<PropertyCheck>,
}

impl<'p> VettedFile<'p> {
    /// Compares a file with the statements about it. `misnamed` describes how its first bytes differ from the type
    /// that its name implies. That difference counts only if no digest of the file is stated.
    pub fn new(
        path: &'p Utf8Path,
        digests: Digests,
        stated: &FileStatements,
        misnamed: Option<&str>,
    ) -> Result<Self, Rejection> {
        let unfit = |mismatch| Rejection { mismatch, misnamed: misnamed.map(str::to_owned) };
        let checks = stated.compare(&digests).map_err(|mismatch| unfit(Some(mismatch)))?;
        if misnamed.is_some() && !stated.is_verifiable() {
            return Err(unfit(None));
        }
        Ok(Self { path, digests, checks })
    }

    /// Accepts a file that a signed manifest lists under this digest, or returns `None` if its bytes differ.
    pub fn by_manifest(path: &'p Utf8Path, digests: Digests, sha256: &Sha256) -> Option<Self> {
        (digests.sha256 == *sha256).then_some(Self { path, digests, checks: Vec::new() })
    }

    pub(super) fn path(&self) -> &'p Utf8Path {
        self.path
    }

    pub(super) fn digests(&self) -> &Digests {
        &self.digests
    }

    pub(super) fn checks(&self) -> &[PropertyCheck] {
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
        let all = FileStatements {
            sha1: Some((found.sha1, Source::Dialog)),
            sha256: Some((found.sha256, Source::Dialog)),
            name: Some(found.sha1),
            size: Some(7),
        };
        let names: Vec<&str> = all.compare(&found).unwrap().iter().map(|check| check.what.as_str()).collect();
        assert_eq!(names, ["size", "sha256", "sha1", "name"]);
        for (stated, what) in [
            (FileStatements { size: Some(8), ..all.clone() }, "size"),
            (FileStatements { sha256: Some((other.sha256, Source::Dialog)), ..all.clone() }, "sha256"),
            (FileStatements { sha1: Some((other.sha1, Source::Dialog)), ..all.clone() }, "sha1"),
            (FileStatements { name: Some(other.sha1), ..all.clone() }, "name"),
        ] {
            assert_eq!(stated.compare(&found).unwrap_err().what.as_str(), what);
        }
    }

    #[test]
    fn without_statements_no_check_is_recorded() {
        assert!(!FileStatements::default().is_verifiable());
        assert_eq!(FileStatements::default().compare(&digests(b"")).unwrap(), []);
    }

    #[test]
    fn file_type_counts_only_without_a_stated_digest() {
        let (path, found) = (Utf8Path::new("partial/a"), digests(b"package"));
        let stated = FileStatements { sha1: Some((found.sha1, Source::Dialog)), ..FileStatements::default() };
        assert_eq!(
            VettedFile::new(path, found, &stated, Some("it is a web page")).unwrap().checks().len(),
            1
        );
        let unfit =
            VettedFile::new(path, found, &FileStatements::default(), Some("it is a web page")).unwrap_err();
        assert_eq!((unfit.to_string().as_str(), unfit.what()), ("it is a web page", None));
        assert!(VettedFile::new(path, found, &FileStatements::default(), None).unwrap().checks().is_empty());
    }

    #[test]
    fn every_reason_for_rejection_is_named() {
        let (path, found) = (Utf8Path::new("partial/a"), digests(b"package"));
        let stated = FileStatements { size: Some(8), ..FileStatements::default() };
        let unfit = VettedFile::new(path, found, &stated, Some("it is a web page")).unwrap_err();
        assert_eq!(unfit.to_string(), "size is 7, but the search page states 8; it is a web page");
        assert_eq!(unfit.what(), Some(FileProperty::Size));
        assert!(VettedFile::by_manifest(path, found, &digests(b"other").sha256).is_none());
        assert!(VettedFile::by_manifest(path, found, &found.sha256).is_some());
    }
}
