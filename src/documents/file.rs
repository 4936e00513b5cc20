//! A package file as a document.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::{FileFacts, Role};
use crate::update::{Architecture, Kb, Sha1, Sha256};

/// A package file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileDocument {
    /// The file name in the Catalog.
    pub name: String,
    /// The KB in the name.
    pub kb: Option<Kb>,
    /// The role in its set; null outside of a set.
    pub role: Option<Role>,
    /// The architecture in the name.
    pub architecture: Option<Architecture>,
    /// The SHA-1 digest.
    pub sha1: Option<Sha1>,
    /// The SHA-256 digest.
    pub sha256: Option<Sha256>,
    /// The size in bytes.
    pub size: Option<u64>,
    /// The URLs from which the file can be downloaded.
    pub urls: Vec<String>,
    /// `true` if the mirror has the file and its damage list does not name it.
    pub present: bool,
    /// The compared properties: `size`, `sha256`, `sha1 (knowledge)`.
    pub checked: Vec<String>,
}

impl FileDocument {
    /// Returns the document of a file with its role and its compared properties.
    pub fn new(file: &FileFacts, role: Option<Role>, checked: Vec<String>) -> Self {
        Self {
            name: file.name.clone(),
            kb: file.kb,
            role,
            architecture: file.architecture,
            sha1: file.sha1,
            sha256: file.sha256,
            size: file.size,
            urls: file.urls.clone(),
            present: file.present,
            checked,
        }
    }

    /// Returns the host of the first URL.
    pub fn host(&self) -> Option<&str> {
        self.urls.first()?.split('/').nth(2)
    }
}

/// A package file of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MemberDocument {
    /// The file.
    #[serde(flatten)]
    pub file: FileDocument,
    /// The position in the order of installation, from 1; null if unknown.
    pub order: Option<usize>,
    /// The path relative to the mirror; null if the set is not published.
    #[schemars(with = "Option<String>")]
    pub path: Option<Utf8PathBuf>,
    /// The name in the set folder.
    #[serde(skip)]
    pub folder_name: String,
    /// `true` if the pool provides the bytes of the file.
    #[serde(skip)]
    pub is_pooled: bool,
}
