//! A file of a verification: its expected content and the result of reading it.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::fault::PathOwner;
use crate::disk::FileStamp;
use crate::update::{Kb, Sha1, Sha256};

/// A file to read, and its expected content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExpectedFile {
    pub(super) path: Utf8PathBuf,
    pub(super) size: u64,
    pub(super) sha256: Sha256,
    /// The SHA-1, compared in deep mode.
    pub(super) sha1: Option<Sha1>,
    /// The KBs whose sets have the file.
    pub(super) kbs: BTreeSet<Kb>,
    /// The owner of the path.
    pub(super) place: PathOwner,
    /// The state of the file before it was read.
    pub(super) stamp: Option<FileStamp>,
}

/// The result of reading a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReadVerdict {
    Good,
    /// The fault of the first reading.
    GoodOnSecondRead(String),
    /// The actual number of bytes.
    Size(u64),
    Digest {
        what: &'static str,
        found: String,
        stated: String,
    },
    Unreadable(String),
}

/// Compares the bytes read with the expected content.
pub(super) fn judge(reading: &ExpectedFile, size: u64, sha256: Sha256, sha1: Option<Sha1>) -> ReadVerdict {
    if size != reading.size {
        return ReadVerdict::Size(size);
    }
    if sha256 != reading.sha256 {
        let (found, stated) = (sha256.to_string(), reading.sha256.to_string());
        return ReadVerdict::Digest { what: "SHA-256", found, stated };
    }
    match (sha1, reading.sha1) {
        (Some(found), Some(stated)) if found != stated => {
            let (found, stated) = (found.to_string(), stated.to_string());
            ReadVerdict::Digest { what: "SHA-1", found, stated }
        }
        _ => ReadVerdict::Good,
    }
}
