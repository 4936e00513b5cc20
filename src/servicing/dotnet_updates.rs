//! The table of .NET Framework updates: parents with their children, and updates that are another family's.

use serde::Deserialize;

use super::dotnet::Dotnet;
use super::families::{Family, FamilyOfRow};
use super::finding::{TableFinding, without_source};
use super::table::{check_format, read_table};
use crate::error::Result;
use crate::update::Kb;

/// A child of a parent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DotnetChild {
    /// Its KB.
    pub kb: Kb,
    /// The releases that it is for.
    #[serde(rename = "for")]
    pub releases: Vec<Dotnet>,
}

/// An update that is a bundle of packages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DotnetParent {
    /// Its KB.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// The gap in the row.
    #[serde(default)]
    pub incomplete: Option<String>,
    /// Its packages.
    pub children: Vec<DotnetChild>,
    /// The source of the row.
    pub source: String,
}

/// An update that is not for a family that has one of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instead {
    /// The update.
    pub kb: Kb,
    /// The family that it is not for.
    pub on: u32,
    /// The update that the family takes.
    pub take: Kb,
    /// The source of the row.
    pub source: String,
}

/// The table of .NET Framework updates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DotnetUpdates {
    format: u32,
    parent: Vec<DotnetParent>,
    #[serde(default)]
    instead: Vec<Instead>,
}

const NAME: &str = "dotnet.toml";

impl DotnetUpdates {
    pub(super) fn read(text: &str) -> Result<Self> {
        let table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        Ok(table)
    }

    /// Returns every update that is a bundle.
    pub fn parents(&self) -> &[DotnetParent] {
        &self.parent
    }

    /// Returns the row of an update that is a bundle.
    pub fn parent(&self, kb: Kb) -> Option<&DotnetParent> {
        self.parent.iter().find(|row| row.kb == kb)
    }

    /// Returns the bundle and the child of a package.
    pub fn child(&self, kb: Kb) -> Option<(&DotnetParent, &DotnetChild)> {
        let child = |parent: &'_ DotnetParent| parent.children.iter().position(|child| child.kb == kb);
        self.parent.iter().find_map(|parent| Some((parent, parent.children.get(child(parent)?)?)))
    }

    /// Returns the update that a family takes in place of another family's.
    pub fn instead(&self, kb: Kb, family: &Family) -> Option<&Instead> {
        self.insteads(kb).find(|row| row.on == family.id)
    }

    /// Returns the families that do not take an update, each with the one that it takes.
    pub fn insteads(&self, kb: Kb) -> impl Iterator<Item = &Instead> {
        self.instead.iter().filter(move |row| row.kb == kb)
    }

    /// Returns the family that each row speaks of.
    pub(super) fn families(&self) -> Vec<FamilyOfRow> {
        let parents = self.parent.iter().map(|row| FamilyOfRow::new(NAME, &row.kb, row.family));
        let insteads = self.instead.iter().map(|row| FamilyOfRow::new(NAME, &row.kb, row.on));
        parents.chain(insteads).collect()
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        without_source(
            NAME,
            (self.parent.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.instead.iter().map(|row| (row.kb.to_string(), &row.source))),
        )
    }
}
