//! The table of accepted contradictions between tables, each with its reason.

use serde::Deserialize;

use super::finding::{TableFinding, find_missing_sources};
use super::table::{check_format, read_table};
use crate::error::Result;

/// An accepted contradiction.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownContradiction {
    /// The table's file name.
    pub table: String,
    /// The row, in the form of the check.
    pub row: String,
    /// The code, in the form of the check.
    pub code: String,
    /// The reason for accepting it.
    pub why: String,
    /// The source of the row.
    pub source: String,
}

impl KnownContradiction {
    /// Returns `true` if a finding is this contradiction.
    pub(super) fn matches(&self, finding: &TableFinding) -> bool {
        self.table == finding.table && self.row == finding.row && self.code == finding.code
    }
}

/// The table of accepted contradictions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownContradictions {
    format: u32,
    #[serde(default)]
    known: Vec<KnownContradiction>,
}

const NAME: &str = "contradictions.toml";

impl KnownContradictions {
    pub(super) fn read(text: &str) -> Result<Self> {
        let table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        Ok(table)
    }

    /// Returns an iterator over all rows.
    #[cfg(test)]
    pub(super) fn iter(&self) -> std::slice::Iter<'_, KnownContradiction> {
        self.known.iter()
    }

    /// Returns `true` if a finding is in the table.
    pub(super) fn contains(&self, finding: &TableFinding) -> bool {
        self.known.iter().any(|row| row.matches(finding))
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        find_missing_sources(NAME, self.known.iter().map(|row| (row.row.clone(), &row.source)))
    }
}
