//! The table of known checkpoints. A row whose file names contradict its digests is refused.

use jiff::civil::Date;
use serde::Deserialize;

use super::{Installation, check_format, faulty, read_table};
use crate::error::Result;
use crate::update::{Architecture, Build, Kb, PackageName, Sha1, Sha256};

/// A cumulative update that later ones of its family build upon.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Its KB.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// Which installations of the family it holds for.
    pub installation: Vec<Installation>,
    /// The build that it brings.
    pub build: Build,
    /// When it was released.
    pub date: Date,
    /// Where the row comes from.
    pub source: String,
    /// Its files as the Catalog gave them.
    #[serde(rename = "file", default)]
    files: Vec<KnownFile>,
}

/// A package file that is known beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFile {
    /// What it is for.
    pub architecture: Architecture,
    /// The Catalog's name of it.
    pub name: String,
    /// Its SHA-1, as in its name.
    pub sha1: Sha1,
    /// Its SHA-256, where the Catalog gave one.
    #[serde(default)]
    pub sha256: Option<Sha256>,
    /// Its bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// Where it was.
    pub url: String,
}

impl Checkpoint {
    /// The file for an architecture.
    pub fn file(&self, architecture: Architecture) -> Option<&KnownFile> {
        self.files.iter().find(|file| file.architecture == architecture)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    format: u32,
    checkpoint: Vec<Checkpoint>,
}

pub(super) fn parse(text: &str) -> Result<Vec<Checkpoint>> {
    const NAME: &str = "checkpoints.toml";
    let table: Table = read_table(NAME, text)?;
    check_format(NAME, table.format)?;
    let mut rows = table.checkpoint;
    rows.sort_by_key(|row| (row.family, row.build));
    for row in &rows {
        if row.source.trim().is_empty() {
            return Err(faulty(NAME, &format!("{} names no source", row.kb)));
        }
        if row.build.number != row.family {
            return Err(faulty(NAME, &format!("{} has a build of another family", row.kb)));
        }
        for file in &row.files {
            let name = PackageName::parse(&file.name);
            let agrees = name.kb == Some(row.kb)
                && name.architecture == Some(file.architecture)
                && name.sha1 == Some(file.sha1);
            if !agrees {
                let what =
                    format!("{}: KB, architecture, or SHA-1 differ from the name {}", row.kb, file.name);
                return Err(faulty(NAME, &what));
            }
        }
    }
    Ok(rows)
}
