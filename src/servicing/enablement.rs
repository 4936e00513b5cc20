//! The table of enablement packages: small updates that switch on a version whose files are already installed.

use serde::Deserialize;

use super::families::{Families, FamilyReference};
use super::finding::{TableFinding, find_missing_sources};
use super::known_file::{KnownFile, find_wrong_files};
use super::table::{check_format, read_table};
use crate::error::Result;
use crate::update::{Architecture, Build, Kb};

/// A package that switches a version on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enablement {
    /// The KB of the package.
    pub kb: Kb,
    /// The version: 25H2.
    pub release: String,
    /// The family's id.
    pub family: u32,
    /// The builds that accept the package.
    pub from: Vec<u32>,
    /// The build after installation.
    pub to: u32,
    /// The minimum revision before installation.
    pub floor: u32,
    /// The update that brings exactly the minimum revision.
    #[serde(default)]
    pub minimum: Option<Kb>,
    /// A note for people.
    #[serde(default)]
    pub note: Option<String>,
    /// The source of the row.
    pub source: String,
    #[serde(rename = "file", default)]
    files: Vec<KnownFile>,
}

impl Enablement {
    /// Returns the file for an architecture, or `None` if it is unknown.
    pub fn file(&self, architecture: Architecture) -> Option<&KnownFile> {
        self.files.iter().find(|file| file.architecture == architecture)
    }

    /// Returns all files.
    pub fn files(&self) -> &[KnownFile] {
        &self.files
    }

    /// Returns the minimum revision as a build.
    pub fn floor_build(&self) -> Build {
        Build::new(self.family, self.floor)
    }
}

/// A version that no package switches on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingEnablement {
    /// The version.
    pub release: String,
    /// The reason.
    pub why: String,
    /// The source of the row.
    pub source: String,
}

/// The table of enablement packages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnablementPackages {
    format: u32,
    enablement: Vec<Enablement>,
    #[serde(default)]
    none: Vec<MissingEnablement>,
}

const NAME: &str = "enablement.toml";

impl EnablementPackages {
    pub(super) fn read(text: &str) -> Result<Self> {
        let table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        Ok(table)
    }

    /// Returns all packages.
    pub fn all(&self) -> &[Enablement] {
        &self.enablement
    }

    /// Returns the package with this KB, or `None` for other KBs.
    pub fn of_kb(&self, kb: Kb) -> Option<&Enablement> {
        self.enablement.iter().find(|row| row.kb == kb)
    }

    /// Returns the packages that switch a version on. Versions of two families may have the same name.
    pub fn of_release<'k>(&'k self, release: &str) -> Vec<&'k Enablement> {
        self.enablement.iter().filter(|row| row.release.eq_ignore_ascii_case(release)).collect()
    }

    /// Returns the row of a version that no package switches on, or `None` for other versions.
    pub fn missing_package(&self, release: &str) -> Option<&MissingEnablement> {
        self.none.iter().find(|row| row.release.eq_ignore_ascii_case(release))
    }

    /// Returns the family id of each row.
    pub(super) fn families(&self) -> Vec<FamilyReference> {
        self.enablement.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family)).collect()
    }

    /// Finds rows whose builds belong to another family.
    pub(super) fn outside(&self, families: &Families) -> Vec<TableFinding> {
        let is_outside = |row: &&Enablement| {
            let builds = families.builds_of(row.family);
            !row.from.iter().chain([&row.to]).all(|build| builds.contains(build))
        };
        let fault = |row: &Enablement| {
            let message = format!("{} leads to a build of another family", row.kb);
            TableFinding::new(NAME, "build_unknown", row.kb, message)
        };
        self.enablement.iter().filter(is_outside).map(fault).collect()
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let mut faults = find_missing_sources(
            NAME,
            (self.enablement.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.none.iter().map(|row| (row.release.clone(), &row.source))),
        );
        for row in &self.enablement {
            faults.extend(find_wrong_files(NAME, row.kb, &row.files));
            if row.from.contains(&row.to) {
                let message = format!("{} leads from {} to itself", row.kb, row.to);
                faults.push(TableFinding::new(NAME, "circle", row.kb, message));
            }
        }
        faults
    }
}
