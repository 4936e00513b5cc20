//! Editions with longer support, and Extended Security Updates.

use jiff::civil::Date;
use serde::Deserialize;

use super::families::{Family, FamilyReference, Installation};
use super::finding::{TableFinding, find_missing_sources};
use super::table::{check_format, read_table};
use crate::error::Result;
use crate::update::{Kb, Month};

/// A long-term edition of a build.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ltsc {
    /// The family's id.
    pub family: u32,
    /// The builds of the edition.
    pub builds: Vec<u32>,
    /// The name for people.
    pub name: String,
    /// The values of `EditionID`.
    pub editions: Vec<String>,
    /// The end of support.
    pub until: Date,
    /// The source of the row.
    pub source: String,
}

/// A package that prepares a machine for Extended Security Updates.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    /// The KB of the package.
    pub kb: Kb,
    /// Other packages with the same effect.
    #[serde(default)]
    pub or: Vec<Kb>,
    /// The first month of updates that need the package.
    pub from: Month,
}

/// An update of those months that machines without Extended Security Updates take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EsuException {
    /// The KB of the update.
    pub kb: Kb,
    /// The machines that the update is for, for people.
    pub machines: String,
    /// The source of the row.
    pub source: String,
}

/// A family whose updates from a month on need Extended Security Updates.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Esu {
    /// The family's id.
    pub family: u32,
    /// The installations of the family.
    pub installation: Vec<Installation>,
    /// The first month with this requirement.
    pub from: Month,
    /// The update that the preparation package needs.
    #[serde(default)]
    pub needs_at_least: Option<Kb>,
    /// The source of the row.
    pub source: String,
    /// The preparation packages, earliest first.
    preparation: Vec<Preparation>,
    /// The updates that machines without Extended Security Updates take.
    #[serde(default, rename = "exception")]
    exceptions: Vec<EsuException>,
}

impl Esu {
    /// Returns the package that updates of a month need, or the newest package if the month is unknown.
    pub fn preparation(&self, month: Option<Month>) -> Option<&Preparation> {
        self.preparation.iter().rfind(|row| month.is_none_or(|month| row.from <= month))
    }

    /// Returns the row of an update that machines without Extended Security Updates take, or `None` for other KBs.
    pub fn exception(&self, kb: Kb) -> Option<&EsuException> {
        self.exceptions.iter().find(|row| row.kb == kb)
    }

    /// Returns all updates that machines without Extended Security Updates take.
    pub fn exceptions(&self) -> &[EsuException] {
        &self.exceptions
    }

    /// Returns the KBs of all preparation packages.
    pub fn preparations(&self) -> impl Iterator<Item = Kb> + '_ {
        self.preparation.iter().flat_map(|row| row.or.iter().copied().chain([row.kb]))
    }
}

/// The table of long-term editions and Extended Security Updates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Editions {
    format: u32,
    ltsc: Vec<Ltsc>,
    esu: Vec<Esu>,
}

const NAME: &str = "editions.toml";

impl Editions {
    pub(super) fn read(text: &str) -> Result<Self> {
        let mut table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        for row in &mut table.esu {
            row.preparation.sort_by_key(|preparation| preparation.from);
        }
        Ok(table)
    }

    /// Returns all long-term editions.
    pub fn ltsc(&self) -> &[Ltsc] {
        &self.ltsc
    }

    /// Returns all rows of Extended Security Updates.
    pub fn esu(&self) -> &[Esu] {
        &self.esu
    }

    /// Returns the Extended Security Updates of a family, or `None` if the family has none.
    pub fn esu_of(&self, family: &Family) -> Option<&Esu> {
        let is_it = |row: &&Esu| row.family == family.id && row.installation.contains(&family.installation);
        self.esu.iter().find(is_it)
    }

    /// Returns the Extended Security Updates for which a package prepares, or `None` for other KBs.
    pub fn esu_of_preparation(&self, kb: Kb) -> Option<&Esu> {
        self.esu.iter().find(|row| row.preparations().any(|own| own == kb))
    }

    /// Returns the family id of each row.
    pub(super) fn families(&self) -> Vec<FamilyReference> {
        let ltsc = self.ltsc.iter().map(|row| FamilyReference::new(NAME, &row.name, row.family));
        let esu = self.esu.iter().map(|row| FamilyReference::new(NAME, &row.family, row.family));
        ltsc.chain(esu).collect()
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let exceptions = self.esu.iter().flat_map(|row| &row.exceptions);
        let mut faults = find_missing_sources(
            NAME,
            (self.ltsc.iter().map(|row| (row.name.clone(), &row.source)))
                .chain(self.esu.iter().map(|row| (format!("the ESU row of {}", row.family), &row.source)))
                .chain(exceptions.map(|row| (row.kb.to_string(), &row.source))),
        );
        for row in self.esu.iter().filter(|row| row.preparation.is_empty()) {
            let message = format!("the ESU row of {} has no preparation", row.family);
            faults.push(TableFinding::new(NAME, "preparation_missing", row.family, message));
        }
        faults
    }
}
