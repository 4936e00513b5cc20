//! The faults of the tables as values: table, row, and message.

use std::fmt::Display;

use serde::Serialize;

use super::table::table_error;
use crate::error::Result;

/// A contradiction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct TableFinding {
    /// The table's file name.
    pub table: &'static str,
    /// The row: a KB, a name, or a line.
    pub row: String,
    /// The type of the contradiction.
    pub code: &'static str,
    /// The contradiction in words.
    pub message: String,
}

impl TableFinding {
    pub(super) fn new(
        table: &'static str,
        code: &'static str,
        row: impl Display,
        message: impl Into<String>,
    ) -> Self {
        Self { table, row: row.to_string(), code, message: message.into() }
    }
}

/// Finds rows without a source.
pub(super) fn find_missing_sources<'r>(
    table: &'static str,
    rows: impl Iterator<Item = (String, &'r String)>,
) -> Vec<TableFinding> {
    let silent = rows.filter(|(_, source)| source.trim().is_empty());
    silent
        .map(|(row, _)| {
            let message = format!("{row} has no source");
            TableFinding::new(table, "source_missing", row, message)
        })
        .collect()
}

/// Returns the first finding as an error that refuses the table, if any exists.
pub(super) fn refuse_findings(findings: Vec<TableFinding>) -> Result<()> {
    match findings.into_iter().next() {
        None => Ok(()),
        Some(finding) => Err(table_error(finding.table, &finding.message)),
    }
}
