//! The table of updates that are not to be had as asked for: withdrawn ones with their successors, expired ones, and
//! hotpatches.

use jiff::civil::Date;
use serde::Deserialize;

use super::families::{FamilyOfRow, Installation};
use super::finding::{TableFinding, without_source};
use super::table::{check_format, read_table};
use crate::error::Result;
use crate::update::Kb;

/// An update that Microsoft pulled as faulty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// Its KB.
    pub kb: Kb,
    /// The update to take instead.
    pub successor: Kb,
    /// The day of its release.
    pub date: Date,
    /// The fault of it.
    pub why: String,
    /// The source of the row.
    pub source: String,
}

/// An update that the Catalog does not have because it is a hotpatch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hotpatch {
    /// Its KB.
    pub kb: Kb,
    /// The family's number.
    pub family: u32,
    /// The source of the row.
    pub source: String,
}

/// An update that left the Catalog and is still good.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftCatalog {
    /// Its KB.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// The source of the row.
    pub source: String,
}

/// A month of the hotpatch calendar that brought an ordinary update.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HotpatchBaseline {
    /// Its KB.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// Client or server.
    pub installation: Installation,
    /// A note.
    pub note: String,
    /// The source of the row.
    pub source: String,
}

/// The table of updates that are not to be had as asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawnUpdates {
    format: u32,
    #[serde(default)]
    withdrawn: Vec<Withdrawn>,
    #[serde(default)]
    hotpatch: Vec<Hotpatch>,
    #[serde(default)]
    expired: Vec<LeftCatalog>,
    #[serde(default)]
    baseline: Vec<HotpatchBaseline>,
}

const NAME: &str = "withdrawn.toml";

impl WithdrawnUpdates {
    pub(super) fn read(text: &str) -> Result<Self> {
        let table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        Ok(table)
    }

    /// Returns every update that Microsoft withdrew.
    pub fn all(&self) -> &[Withdrawn] {
        &self.withdrawn
    }

    /// Returns the row of an update that Microsoft withdrew.
    pub fn of_kb(&self, kb: Kb) -> Option<&Withdrawn> {
        self.withdrawn.iter().find(|row| row.kb == kb)
    }

    /// Returns every hotpatch.
    pub fn hotpatches(&self) -> &[Hotpatch] {
        &self.hotpatch
    }

    /// Returns the row of a hotpatch.
    pub fn hotpatch(&self, kb: Kb) -> Option<&Hotpatch> {
        self.hotpatch.iter().find(|row| row.kb == kb)
    }

    /// Returns the row of an ordinary update of a month that was planned as a hotpatch month.
    pub fn hotpatch_baseline(&self, kb: Kb) -> Option<&HotpatchBaseline> {
        self.baseline.iter().find(|row| row.kb == kb)
    }

    /// Returns the row of an update that left the Catalog and is still good.
    pub fn left_catalog(&self, kb: Kb) -> Option<&LeftCatalog> {
        self.expired.iter().find(|row| row.kb == kb)
    }

    /// Returns the family that each row speaks of.
    pub(super) fn families(&self) -> Vec<FamilyOfRow> {
        (self.expired.iter().map(|row| FamilyOfRow::new(NAME, &row.kb, row.family)))
            .chain(self.hotpatch.iter().map(|row| FamilyOfRow::new(NAME, &row.kb, row.family)))
            .chain(self.baseline.iter().map(|row| FamilyOfRow::new(NAME, &row.kb, row.family)))
            .collect()
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let mut faults = without_source(
            NAME,
            (self.withdrawn.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.hotpatch.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.expired.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.baseline.iter().map(|row| (row.kb.to_string(), &row.source))),
        );
        for row in &self.withdrawn {
            // A successor that is withdrawn itself would send the operator on; a chain must end.
            if self.withdrawn.iter().any(|other| other.kb == row.successor) {
                let message =
                    format!("{} is succeeded by {}, which is withdrawn itself", row.kb, row.successor);
                faults.push(TableFinding::new(NAME, "successor_withdrawn", row.kb, message));
            }
            if self.expired.iter().any(|other| other.kb == row.kb) {
                let message = format!("{} is withdrawn and expired at once", row.kb);
                faults.push(TableFinding::new(NAME, "withdrawn_and_expired", row.kb, message));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicing::finding::refuse;

    fn parse(text: &str) -> Result<WithdrawnUpdates> {
        let table = WithdrawnUpdates::read(text)?;
        refuse(table.faults())?;
        Ok(table)
    }

    #[test]
    fn a_successor_must_not_be_withdrawn_itself() {
        let text = include_str!("data/withdrawn.toml");
        assert!(parse(text).is_ok());
        let circle = text.replacen("successor = \"KB5086672\"", "successor = \"KB5079391\"", 1);
        assert!(parse(&circle).unwrap_err().message().contains("withdrawn itself"));
        let silent =
            text.replacen("source = \"servicing notes §3.6; KB article of KB5086672\"", "source = \" \"", 1);
        assert!(parse(&silent).unwrap_err().message().contains("names no source"));
    }
}
