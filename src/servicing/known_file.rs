//! A package file known from a table. A name that contradicts its row is refused.

use serde::Deserialize;

use super::finding::TableFinding;
use crate::update::{Architecture, Kb, PackageName, Sha1, Sha256};

/// A package file known from a table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFile {
    /// The architecture.
    pub architecture: Architecture,
    /// The file name in the Catalog, with its SHA-1.
    pub name: String,
    /// The SHA-1 again, for readers of the table.
    #[serde(default)]
    sha1: Option<Sha1>,
    /// The SHA-256, if the Catalog gave one.
    #[serde(default)]
    pub sha256: Option<Sha256>,
    /// The number of bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// The URL.
    #[serde(default)]
    pub url: Option<String>,
}

/// Finds files whose names contain another KB, architecture, or digest. The name of a servicing stack may omit the KB.
pub(super) fn find_wrong_files(table: &'static str, kb: Kb, files: &[KnownFile]) -> Vec<TableFinding> {
    let differs = |file: &&KnownFile| {
        let name = PackageName::parse(&file.name);
        let agrees = name.kb.is_none_or(|named| named == kb)
            && name.architecture == Some(file.architecture)
            && name.sha1.is_some()
            && file.sha1.is_none_or(|stated| name.sha1 == Some(stated));
        !agrees
    };
    let finding = |file: &KnownFile| {
        let message = format!("{kb}: KB, architecture, or SHA-1 differs from the name {}", file.name);
        TableFinding::new(table, "file_differs", kb, message)
    };
    files.iter().filter(differs).map(finding).collect()
}
