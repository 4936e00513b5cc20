//! A package file: its key in the index, and what is known of it.
//!
//! A file that only its name or a knowledge table describes has the same type as a crawled one; absent properties are `None`.

use crate::servicing::KnownFile;
use crate::update::{Architecture, Kb, PackageName, Sha1, Sha256};

/// The index's number of a file. Two files are the same file exactly when their keys are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileKey(pub i64);

/// What is known of one package file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// Its key in the index; `None` for a file that only knowledge tells of.
    pub key: Option<FileKey>,
    /// The Catalog's name of it; empty where knowledge has the update and no file of it.
    pub name: String,
    /// The KB in its name.
    pub kb: Option<Kb>,
    /// The architecture in its name.
    pub architecture: Option<Architecture>,
    /// SHA-1, as the Catalog or the name states it.
    pub sha1: Option<Sha1>,
    /// SHA-256, as the Catalog states it or the bytes gave it.
    pub sha256: Option<Sha256>,
    /// Whether somebody states the SHA-1; else the bytes told it.
    pub sha1_is_stated: bool,
    /// Whether somebody states the SHA-256; else the bytes told it.
    pub sha256_is_stated: bool,
    /// Its bytes, once somebody counted them.
    pub size: Option<u64>,
    /// Where it can be had.
    pub urls: Vec<String>,
    /// Whether the pool has it.
    pub present: bool,
}

impl FileFacts {
    /// Facts of a file of which only the name is known so far.
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

    /// A file of which nobody knows more than what it is for.
    pub fn unnamed(kb: Kb, architecture: Option<Architecture>) -> Self {
        Self { kb: Some(kb), architecture, ..Self::from_name("") }
    }

    /// Its name, where one is known.
    pub fn known_name(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| !name.is_empty())
    }

    /// What stands for the file in the fingerprint of a set: what is stated of it, which is the same on every mirror
    /// and does not change when the bytes arrive.
    pub fn identity(&self) -> String {
        let sha1 = self.sha1.filter(|_| self.sha1_is_stated);
        let sha256 = self.sha256.filter(|_| self.sha256_is_stated);
        match (sha1, sha256) {
            (Some(sha1), _) => format!("sha1:{sha1}"),
            (None, Some(sha256)) => format!("sha256:{sha256}"),
            (None, None) => format!("name:{}", self.name),
        }
    }

    /// Digits that tell the file from another of the same name.
    pub fn identity_digits(&self) -> String {
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
