//! The check of all tables. It reports every finding, not only the first.
//!
//! A table that cannot be read is an error with file and line. Readable tables are checked row by row, line by line,
//! and against each other (`contradictions`). A contradiction that a person has reviewed and accepted is listed in
//! `contradictions.toml` with its reason and is counted separately.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use jiff::civil::Date;
use regex::Regex;
use serde::Serialize;

use super::chronicle;
use super::contradictions::contradictions;
use super::finding::TableFinding;
use super::knowledge::Knowledge;
use super::tables::{TableInfo, Tables};
use crate::error::Result;

/// The result of the check of all tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct TableCheck {
    /// The version of the tables.
    pub version: String,
    /// The date of the tables.
    #[schemars(with = "crate::update::schema::DateText")]
    pub date: Date,
    /// The tables with their rows.
    pub tables: Vec<TableInfo>,
    /// The contradictions.
    pub findings: Vec<TableFinding>,
    /// The accepted contradictions.
    pub known: Vec<TableFinding>,
}

/// Checks all tables. Fails only if a table cannot be read.
pub fn check_tables(tables: Tables<'_>) -> Result<TableCheck> {
    let knowledge = Knowledge::read(&tables, OnceLock::from(tables.digest()))?;
    let mut found = knowledge.faults();
    found.extend(knowledge.faulty_lines());
    for (name, text) in tables.iter() {
        found.extend(undeclared_sources(name, text));
    }
    found.extend(contradictions(&knowledge));
    found.extend(chronicle::faults(&knowledge));
    let found: BTreeSet<TableFinding> = found.into_iter().collect();
    let (known, findings) =
        found.into_iter().partition(|finding| knowledge.known_contradictions().contains(finding));
    Ok(TableCheck {
        version: knowledge.version().to_owned(),
        date: knowledge.date(),
        tables: tables.overview()?,
        findings,
        known,
    })
}

/// Finds lines of a text table whose last column is a letter that the header does not explain.
fn undeclared_sources(name: &'static str, text: &str) -> Vec<TableFinding> {
    if name.strip_suffix(".txt").is_none() {
        return Vec::new();
    }
    let head: Vec<&str> =
        text.lines().take_while(|line| line.starts_with('#')).map(|line| &line[1..]).collect();
    let Some(letters) = declared_letters(&head) else { return Vec::new() };
    let mut found = Vec::new();
    let mut of_letter: BTreeMap<&str, usize> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some(letter) = line.split_ascii_whitespace().next_back() else { continue };
        if letters.contains(letter) {
            continue;
        }
        let count = of_letter.entry(letter).or_default();
        *count += 1;
        // The first line with a letter represents all its lines.
        if *count == 1 {
            let row = line.split_ascii_whitespace().next().unwrap_or_default();
            let message = format!("{line:?}: the header of the table does not explain the source {letter:?}");
            found.push(TableFinding::new(name, "source_undeclared", row, message));
        }
    }
    found
}

/// Returns the letters that a header explains, or `None` for a table without such a column. The form is `source  h
/// headings of KB articles, l dated lists`; lines with deeper indentation continue the list.
fn declared_letters(head: &[&str]) -> Option<BTreeSet<String>> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_key = |line: &&str| {
        matches!(line.split_ascii_whitespace().next(), Some("source" | "known")) && indent(line) > 1
    };
    let first = head.iter().position(is_key)?;
    let below = indent(head[first]);
    let more = head[first + 1..].iter().take_while(|line| indent(line) > below);
    let text = [head[first].trim_start()].into_iter().chain(more.map(|line| line.trim())).collect::<Vec<_>>();
    // The pattern is a literal and always compiles.
    let letter = Regex::new(r"(?:^(?:source|known)|,)\s+([a-z])\s").ok()?;
    Some(letter.captures_iter(&text.join(" ")).map(|found| found[1].to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_tables_have_only_accepted_contradictions() {
        let checked = check_tables(Tables::built_in()).unwrap();
        assert_eq!(checked.findings, []);
        let knowledge = Knowledge::built_in().unwrap();
        for row in knowledge.known_contradictions().iter() {
            let of_row = |known: &TableFinding| row.matches(known);
            assert!(checked.known.iter().any(of_row), "no longer occurs: {row:?}");
        }
    }

    #[test]
    fn table_headers_explain_their_source_letters() {
        let letters = |table: &str| {
            let head: Vec<&str> =
                table.lines().take_while(|line| line.starts_with('#')).map(|line| &line[1..]).collect();
            declared_letters(&head).map(|letters| letters.into_iter().collect::<String>())
        };
        let built_in = Tables::built_in();
        assert_eq!(letters(built_in.releases).as_deref(), Some("hlnprtvw"));
        assert_eq!(letters(built_in.packages).as_deref(), Some("gilnrtw"));
        assert_eq!(letters(built_in.stacks).as_deref(), Some("lnw"));
        assert_eq!(letters(built_in.rollups).as_deref(), Some("cfmnq"));
        assert_eq!(letters(built_in.files), None);
    }
}
