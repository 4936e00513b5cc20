//! The table of enablement packages: small updates that switch on a version whose files are there already.

use serde::Deserialize;

use super::{Finding, KnownFile, check_format, read_table, without_source, wrong_files};
use crate::error::Result;
use crate::update::{Architecture, Build, Kb};

/// A package that switches a version on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enablement {
    /// Its KB.
    pub kb: Kb,
    /// The version: 25H2.
    pub release: String,
    /// The family's id.
    pub family: u32,
    /// The builds that take it.
    pub from: Vec<u32>,
    /// The build that a machine is afterwards.
    pub to: u32,
    /// The least revision that has to be there before.
    pub floor: u32,
    /// The update that brings just that.
    #[serde(default)]
    pub minimum: Option<Kb>,
    /// What there is to know beside.
    #[serde(default)]
    pub note: Option<String>,
    /// Where the row comes from.
    pub source: String,
    #[serde(rename = "file", default)]
    files: Vec<KnownFile>,
}

impl Enablement {
    /// The file for an architecture.
    pub fn file(&self, architecture: Architecture) -> Option<&KnownFile> {
        self.files.iter().find(|file| file.architecture == architecture)
    }

    /// All files.
    pub fn files(&self) -> &[KnownFile] {
        &self.files
    }

    /// The floor as a build.
    pub fn floor_build(&self) -> Build {
        Build::new(self.family, self.floor)
    }
}

/// A version to which no package leads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoEnablement {
    /// The version.
    pub release: String,
    /// Why not.
    pub why: String,
    /// Where the row comes from.
    pub source: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    format: u32,
    pub(super) enablement: Vec<Enablement>,
    #[serde(default)]
    pub(super) none: Vec<NoEnablement>,
}

const NAME: &str = "enablement.toml";

pub(super) fn read(text: &str) -> Result<Table> {
    let table: Table = read_table(NAME, text)?;
    check_format(NAME, table.format)?;
    Ok(table)
}

impl Table {
    pub(super) fn faults(&self) -> Vec<Finding> {
        let mut faults = without_source(
            NAME,
            (self.enablement.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.none.iter().map(|row| (row.release.clone(), &row.source))),
        );
        for row in &self.enablement {
            faults.extend(wrong_files(NAME, row.kb, &row.files));
            if row.from.contains(&row.to) {
                let message = format!("{} leads from {} to itself", row.kb, row.to);
                faults.push(Finding::new(NAME, "circle", row.kb, message));
            }
        }
        faults
    }
}
