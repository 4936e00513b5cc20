//! The document of `inspect`: package files with their metadata.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

use super::error::FailedItem;
use crate::package::Inspection;
use crate::update::{Sha1, Sha256};

/// The document of `inspect`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InspectDocument {
    /// The files that were read.
    pub files: Vec<InspectedFile>,
    /// The files that cannot be read, are damaged, or contradict their names.
    pub failures: Vec<FailedItem>,
}

/// A package file with its digests and metadata.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InspectedFile {
    /// The path.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// The name, to which digest and metadata are compared.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
    /// The SHA-1 of the bytes.
    pub sha1: Sha1,
    /// The SHA-256 of the bytes.
    pub sha256: Sha256,
    /// The comparison of the SHA-1 with the digits in the name.
    pub digest_in_name: NameDigest,
    /// The state of the signature.
    pub signature: SignatureState,
    /// The metadata.
    #[serde(flatten)]
    pub inspection: Inspection,
}

/// The comparison of a digest with the digits in a file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameDigest {
    /// The name states this digest.
    Equal,
    /// The name states another digest.
    Different,
    /// The name does not state a digest.
    Absent,
}

/// The state of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignatureState {
    /// The signature was not read. It may be good, broken, or missing.
    NotChecked,
}

impl SignatureState {
    /// Returns the words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotChecked => "not checked",
        }
    }
}
