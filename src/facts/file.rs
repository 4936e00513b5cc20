//! A package file: its key in the index, and the known facts about it.
//!
//! A file that only its name or a knowledge table describes has the same type as a crawled file. Its missing
//! properties are `None`.

use crate::servicing::KnownFile;
use crate::update::{Architecture, Kb, PackageName, Sha1, Sha256};

/// The number of a file in the index. Two files are the same file exactly when their keys are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileKey(pub i64);

/// The known facts about one package file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// The key in the index; `None` for a file that only knowledge describes.
    pub key: Option<FileKey>,
    /// The Catalog's name of the file; empty if knowledge has the update but no file of it.
    pub name: String,
    /// The KB in the name.
    pub kb: Option<Kb>,
    /// The architecture in the name.
    pub architecture: Option<Architecture>,
    /// SHA-1, as the Catalog or the name states it, or as computed from the content.
    pub sha1: Option<Sha1>,
    /// SHA-256, as the Catalog states it or as computed from the content.
    pub sha256: Option<Sha256>,
    /// `true` if a source states the SHA-1; `false` if only the content gave it.
    pub sha1_is_stated: bool,
    /// `true` if a source states the SHA-256; `false` if only the content gave it.
    pub sha256_is_stated: bool,
    /// The length in bytes, if it is known.
    pub size: Option<u64>,
    /// The URLs of the file.
    pub urls: Vec<String>,
    /// `true` if the pool has the file.
    pub present: bool,
}

impl FileFacts {
    /// Returns the facts of a file of which only the name is known.
    pub fn from_name(name: &str) -> Self {
        let parsed = PackageName::parse(name);
        Self {
            key: None,
            name: name.to_owned(),
            kb: parsed.kb,
            architecture: parsed.architecture,
            sha1: parsed.sha1,
            sha256: None,
            sha1_is_stated: parsed.sha1.is_some(),
            sha256_is_stated: false,
            size: None,
            urls: Vec::new(),
            present: false,
        }
    }

    /// Returns the facts of a file of which only the KB and the architecture are known.
    pub fn unnamed(kb: Kb, architecture: Option<Architecture>) -> Self {
        Self { kb: Some(kb), architecture, ..Self::from_name("") }
    }

    /// Returns `true` if the name is that of a delta update, which needs exactly the previous month.
    pub fn is_delta(&self) -> bool {
        PackageName::parse(&self.name).delta
    }

    /// Returns the name, or `None` if it is unknown.
    pub fn known_name(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| !name.is_empty())
    }

    /// Returns the text that stands for the file in the fingerprint of a set. It contains stated facts only:
    /// these are the same on every mirror and do not change when the content is downloaded.
    pub fn identity(&self) -> String {
        let sha1 = self.sha1.filter(|_| self.sha1_is_stated);
        let sha256 = self.sha256.filter(|_| self.sha256_is_stated);
        match (sha1, sha256) {
            (Some(sha1), _) => format!("sha1:{sha1}"),
            (None, Some(sha256)) => format!("sha256:{sha256}"),
            (None, None) => format!("name:{}", self.name),
        }
    }

    /// Returns the digest, or the key if no digest is known. The text distinguishes files of the same name.
    pub fn digest_or_key(&self) -> String {
        match (self.sha256, self.sha1) {
            (Some(sha256), _) => sha256.to_string(),
            (None, Some(sha1)) => sha1.to_string(),
            (None, None) => self.key.map_or_else(String::new, |key| format!("{:08x}", key.0)),
        }
    }
}

impl From<&KnownFile> for FileFacts {
    fn from(known: &KnownFile) -> Self {
        Self {
            sha256: known.sha256,
            sha256_is_stated: known.sha256.is_some(),
            size: known.size,
            urls: known.url.iter().cloned().collect(),
            ..Self::from_name(&known.name)
        }
    }
}
