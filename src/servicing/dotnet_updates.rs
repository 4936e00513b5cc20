//! The table of .NET Framework updates: parents with their child packages, the versions that updates are for, and
//! updates that another family replaces by its own.

use jiff::civil::Date;
use serde::Deserialize;

use super::dotnet::Dotnet;
use super::families::{Family, FamilyReference, Installation};
use super::finding::{TableFinding, find_missing_sources};
use super::table::{check_format, read_table};
use crate::error::Result;
use crate::update::Kb;

/// A child package of a parent update.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DotnetChild {
    /// The KB of the package.
    pub kb: Kb,
    /// The .NET Framework releases to which the package applies.
    #[serde(rename = "for")]
    pub releases: Vec<Dotnet>,
}

/// An update that is a bundle of packages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DotnetParent {
    /// The KB of the bundle.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// The part that is missing in the row, in words.
    #[serde(default)]
    pub incomplete: Option<String>,
    /// The packages of the bundle.
    pub children: Vec<DotnetChild>,
    /// The source of the row.
    pub source: String,
}

/// An update that does not apply to a family because the family has its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DotnetReplacement {
    /// The KB of the update.
    pub kb: Kb,
    /// The family to which the update does not apply.
    pub on: u32,
    /// The update for that family.
    pub take: Kb,
    /// The source of the row.
    pub source: String,
}

/// A package whose bundle is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SingleDotnet {
    /// The KB of the package.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// The .NET Framework releases to which the package applies.
    #[serde(rename = "for")]
    pub releases: Vec<Dotnet>,
    /// The source of the row.
    pub source: String,
}

/// An update or a bundle as release notes list it, with the versions that it is for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferedDotnet {
    /// The KB of the update.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// The release date.
    pub date: Date,
    /// The client versions of the family that take the update, and `server`; empty for all machines of the family.
    #[serde(default)]
    pub versions: Vec<String>,
    /// The source of the row.
    pub source: String,
}

impl OfferedDotnet {
    /// Returns `true` if a machine takes the update, or may take it because its build is unknown.
    pub fn is_for(&self, family: &Family, build: Option<u32>) -> bool {
        let is_named = |name: &str| self.versions.iter().any(|own| own.eq_ignore_ascii_case(name));
        let is_version = match (family.installation, build) {
            _ if self.versions.is_empty() => true,
            (Installation::Server, _) => is_named(SERVER),
            (Installation::Client, Some(build)) => family.release_of(build).is_some_and(is_named),
            (Installation::Client, None) => self.versions.iter().any(|own| own != SERVER),
        };
        self.family == family.id && is_version
    }
}

/// The word for servers among the versions of a row.
const SERVER: &str = "server";

/// The table of .NET Framework updates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DotnetUpdates {
    format: u32,
    parent: Vec<DotnetParent>,
    #[serde(default)]
    single: Vec<SingleDotnet>,
    #[serde(default)]
    offered: Vec<OfferedDotnet>,
    #[serde(default)]
    instead: Vec<DotnetReplacement>,
}

const NAME: &str = "dotnet.toml";

impl DotnetUpdates {
    pub(super) fn read(text: &str) -> Result<Self> {
        let table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        Ok(table)
    }

    /// Returns all bundles.
    pub fn parents(&self) -> &[DotnetParent] {
        &self.parent
    }

    /// Returns the bundle with this KB, or `None` if the KB is not a bundle.
    pub fn parent(&self, kb: Kb) -> Option<&DotnetParent> {
        self.parent.iter().find(|row| row.kb == kb)
    }

    /// Returns the bundle and the child row of a package, or `None` if the KB is not a child.
    pub fn child(&self, kb: Kb) -> Option<(&DotnetParent, &DotnetChild)> {
        let child = |parent: &'_ DotnetParent| parent.children.iter().position(|child| child.kb == kb);
        self.parent.iter().find_map(|parent| Some((parent, parent.children.get(child(parent)?)?)))
    }

    /// Returns the row of a package whose bundle is unknown, or `None` for other KBs.
    pub fn single(&self, kb: Kb) -> Option<&SingleDotnet> {
        self.single.iter().find(|row| row.kb == kb)
    }

    /// Returns all updates of the release notes.
    pub fn offered(&self) -> &[OfferedDotnet] {
        &self.offered
    }

    /// Returns the rows of an update in the release notes, one per family.
    pub fn offered_of(&self, kb: Kb) -> impl Iterator<Item = &OfferedDotnet> {
        self.offered.iter().filter(move |row| row.kb == kb)
    }

    /// Returns `false` if release notes list an update of a family for other versions than the machine's.
    pub fn may_take(&self, kb: Kb, family: &Family, build: Option<u32>) -> bool {
        let mut rows = self.offered_of(kb).filter(|row| row.family == family.id).peekable();
        rows.peek().is_none() || rows.any(|row| row.is_for(family, build))
    }

    /// Returns the row that replaces an update on a family, or `None` if the update applies to the family.
    pub fn replacement(&self, kb: Kb, family: &Family) -> Option<&DotnetReplacement> {
        self.replacements(kb).find(|row| row.on == family.id)
    }

    /// Returns the rows that replace an update, one per family.
    pub fn replacements(&self, kb: Kb) -> impl Iterator<Item = &DotnetReplacement> {
        self.instead.iter().filter(move |row| row.kb == kb)
    }

    /// Returns the family id of each row.
    pub(super) fn families(&self) -> Vec<FamilyReference> {
        let parents = self.parent.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family));
        let singles = self.single.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family));
        let offered = self.offered.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family));
        let replacements = self.instead.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.on));
        parents.chain(singles).chain(offered).chain(replacements).collect()
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        find_missing_sources(
            NAME,
            (self.parent.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.single.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.offered.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.instead.iter().map(|row| (row.kb.to_string(), &row.source))),
        )
    }
}
