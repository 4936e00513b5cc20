//! The service packs that packages of Windows 7 require, and corrections of Microsoft's own data.

use serde::Deserialize;

use super::families::FamilyReference;
use super::finding::{TableFinding, find_missing_sources};
use super::table::{check_format, read_table};
use crate::error::Result;
use crate::update::{Build, Kb, Kind, PackageName};

/// The service packs that an update accepts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParentRule {
    /// The KB of the update.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// The file that states the rule.
    pub file: String,
    /// Versions of the edition or service pack package. One of them must be installed.
    pub accepts: Vec<Build>,
    /// The source of the row.
    pub source: String,
}

impl ParentRule {
    /// Returns `true` if a machine with this build satisfies the rule. A machine at 7601.x has the service pack package
    /// 7601.17514, whatever its revision.
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

/// The table of parent rules, of file names without KB, and of titles without kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parents {
    format: u32,
    #[serde(default)]
    parent: Vec<ParentRule>,
    #[serde(default)]
    name: Vec<NameRow>,
    #[serde(default)]
    kind: Vec<KindRow>,
}

const NAME: &str = "parents.toml";

impl Parents {
    pub(super) fn read(text: &str) -> Result<Self> {
        let table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        Ok(table)
    }

    /// Returns the service packs that an update accepts, or `None` if they are unknown.
    pub fn rule(&self, kb: Kb) -> Option<&ParentRule> {
        self.parent.iter().find(|row| row.kb == kb)
    }

    /// Returns the KB of a file from its name, or else from the table of names without KB; `None` if neither has it.
    pub fn kb_of_file(&self, name: &str) -> Option<Kb> {
        PackageName::parse(name).kb.or_else(|| {
            let name = name.to_ascii_lowercase();
            self.name.iter().find(|row| name.starts_with(&row.begins)).map(|row| row.kb)
        })
    }

    /// Returns the type of an update whose title does not state it, or `None` for other updates.
    pub fn kind_of(&self, kb: Kb) -> Option<Kind> {
        self.kinds(kb).next().map(|row| row.kind)
    }

    pub(super) fn kinds(&self, kb: Kb) -> impl Iterator<Item = &KindRow> {
        self.kind.iter().filter(move |row| row.kb == kb)
    }

    /// Returns the family id of each row.
    pub(super) fn families(&self) -> Vec<FamilyReference> {
        self.parent.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family)).collect()
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let mut faults = find_missing_sources(
            NAME,
            (self.parent.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.name.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.kind.iter().map(|row| (row.kb.to_string(), &row.source))),
        );
        for row in &self.parent {
            if PackageName::parse(&row.file).kb != Some(row.kb) {
                let message = format!("{} has the file of another KB: {}", row.kb, row.file);
                faults.push(TableFinding::new(NAME, "file_differs", row.kb, message));
            }
        }
        faults
    }
}
