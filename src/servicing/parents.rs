//! Rules by which packages of Windows 7 say what they are for, and mistakes in Microsoft's own data.

use serde::Deserialize;

use super::{Finding, check_format, read_table, without_source};
use crate::error::Result;
use crate::update::{Build, Kb, Kind, PackageName};

/// Which service packs an update accepts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParentRule {
    /// The update.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// The file that says so.
    pub file: String,
    /// Versions of the edition or service pack package; one of them has to be installed.
    pub accepts: Vec<Build>,
    /// Where the row comes from.
    pub source: String,
}

impl ParentRule {
    /// Whether a machine of this build has what the rule asks for. A machine at 7601.x has the service pack's
    /// package 7601.17514, whatever its revision.
    pub fn accepts(&self, machine: Build) -> bool {
        self.accepts.iter().any(|parent| parent.number == machine.number)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameRow {
    begins: String,
    kb: Kb,
    source: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KindRow {
    pub(super) kb: Kb,
    pub(super) kind: Kind,
    pub(super) source: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    format: u32,
    #[serde(default)]
    pub(super) parent: Vec<ParentRule>,
    #[serde(default)]
    name: Vec<NameRow>,
    #[serde(default)]
    pub(super) kind: Vec<KindRow>,
}

impl Table {
    /// The KB of a file whose name carries none.
    pub(super) fn kb_of_name(&self, name: &str) -> Option<Kb> {
        let name = name.to_ascii_lowercase();
        self.name.iter().find(|row| name.starts_with(&row.begins)).map(|row| row.kb)
    }

    /// What an update is, where its title does not say it.
    pub(super) fn kind_of(&self, kb: Kb) -> Option<Kind> {
        self.kind.iter().find(|row| row.kb == kb).map(|row| row.kind)
    }
}

const NAME: &str = "parents.toml";

pub(super) fn read(text: &str) -> Result<Table> {
    let table: Table = read_table(NAME, text)?;
    check_format(NAME, table.format)?;
    Ok(table)
}

impl Table {
    pub(super) fn faults(&self) -> Vec<Finding> {
        let mut faults = without_source(
            NAME,
            (self.parent.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.name.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.kind.iter().map(|row| (row.kb.to_string(), &row.source))),
        );
        for row in &self.parent {
            if PackageName::parse(&row.file).kb != Some(row.kb) {
                let message = format!("{} has the file of another KB: {}", row.kb, row.file);
                faults.push(Finding::new(NAME, "file_differs", row.kb, message));
            }
        }
        faults
    }
}
