//! Editions that are served longer than the others, and Extended Security Updates.

use jiff::civil::Date;
use serde::Deserialize;

use super::{Finding, Installation, check_format, read_table, without_source};
use crate::error::Result;
use crate::update::{Kb, Month};

/// A long-term edition of a build.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ltsc {
    /// The family's id.
    pub family: u32,
    /// The builds at which it stands.
    pub builds: Vec<u32>,
    /// For people.
    pub name: String,
    /// As `EditionID` names it.
    pub editions: Vec<String>,
    /// The end of its support.
    pub until: Date,
    /// Where the row comes from.
    pub source: String,
}

/// A package that prepares a machine for Extended Security Updates.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    /// Its KB.
    pub kb: Kb,
    /// Others that do as well.
    #[serde(default)]
    pub or: Vec<Kb>,
    /// The first month of updates that need this one.
    pub from: Month,
}

/// A family whose updates from a month on are for machines with Extended Security Updates alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Esu {
    /// The family's id.
    pub family: u32,
    /// Which installations of it.
    pub installation: Vec<Installation>,
    /// The first month.
    pub from: Month,
    /// What the preparation itself needs.
    #[serde(default)]
    pub needs_at_least: Option<Kb>,
    /// Where the row comes from.
    pub source: String,
    /// The packages, earliest first.
    preparation: Vec<Preparation>,
}

impl Esu {
    /// The package that updates of a month need; of a month that is not known, the newest.
    pub fn preparation(&self, month: Option<Month>) -> Option<&Preparation> {
        self.preparation.iter().rfind(|row| month.is_none_or(|month| row.from <= month))
    }

    /// Every package that prepares.
    pub fn preparations(&self) -> impl Iterator<Item = Kb> + '_ {
        self.preparation.iter().flat_map(|row| row.or.iter().copied().chain([row.kb]))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    format: u32,
    pub(super) ltsc: Vec<Ltsc>,
    pub(super) esu: Vec<Esu>,
}

const NAME: &str = "editions.toml";

pub(super) fn read(text: &str) -> Result<Table> {
    let mut table: Table = read_table(NAME, text)?;
    check_format(NAME, table.format)?;
    for row in &mut table.esu {
        row.preparation.sort_by_key(|preparation| preparation.from);
    }
    Ok(table)
}

impl Table {
    pub(super) fn faults(&self) -> Vec<Finding> {
        let mut faults = without_source(
            NAME,
            (self.ltsc.iter().map(|row| (row.name.clone(), &row.source)))
                .chain(self.esu.iter().map(|row| (format!("the ESU row of {}", row.family), &row.source))),
        );
        for row in self.esu.iter().filter(|row| row.preparation.is_empty()) {
            let message = format!("the ESU row of {} names no preparation", row.family);
            faults.push(Finding::new(NAME, "preparation_missing", row.family, message));
        }
        faults
    }
}
