//! A package file that a table knows beforehand. A name that contradicts its row is refused.

use serde::Deserialize;

use super::finding::TableFinding;
use crate::update::{Architecture, Kb, PackageName, Sha1, Sha256};

/// A package file that is known beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFile {
    /// Its architecture.
    pub architecture: Architecture,
    /// The Catalog's name of it, with its SHA-1.
    pub name: String,
    /// The same SHA-1, for those who read the table.
    #[serde(default)]
    sha1: Option<Sha1>,
    /// Its SHA-256, where the Catalog gave one.
    #[serde(default)]
    pub sha256: Option<Sha256>,
    /// Its bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// Its address.
    #[serde(default)]
    pub url: Option<String>,
}

/// Files whose names are those of another KB, architecture, or digest. A servicing stack may have no KB in its name.
pub(super) fn wrong_files(table: &'static str, kb: Kb, files: &[KnownFile]) -> Vec<TableFinding> {
    let differs = |file: &&KnownFile| {
        let name = PackageName::parse(&file.name);
        let agrees = name.kb.is_none_or(|named| named == kb)
            && name.architecture == Some(file.architecture)
            && name.sha1.is_some()
            && file.sha1.is_none_or(|stated| name.sha1 == Some(stated));
        !agrees
    };
    let what = |file: &KnownFile| {
        let message = format!("{kb}: KB, architecture, or SHA-1 differ from the name {}", file.name);
        TableFinding::new(table, "file_differs", kb, message)
    };
    files.iter().filter(differs).map(what).collect()
}
