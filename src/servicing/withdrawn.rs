//! The table of updates that are refused: withdrawn ones with their successors, and hotpatches.

use jiff::civil::Date;
use serde::Deserialize;

use super::{check_format, faulty, read_table};
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
    /// When it was released.
    pub date: Date,
    /// What was wrong with it.
    pub why: String,
    /// Where the row comes from.
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
    /// Where the row comes from.
    pub source: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refused {
    format: u32,
    #[serde(default)]
    pub(super) withdrawn: Vec<Withdrawn>,
    #[serde(default)]
    pub(super) hotpatch: Vec<Hotpatch>,
}

pub(super) fn parse(text: &str) -> Result<Refused> {
    const NAME: &str = "withdrawn.toml";
    let table: Refused = read_table(NAME, text)?;
    check_format(NAME, table.format)?;
    for row in &table.withdrawn {
        if row.source.trim().is_empty() {
            return Err(faulty(NAME, &format!("{} names no source", row.kb)));
        }
        // A successor that is withdrawn itself would send the operator on; a chain must end.
        if table.withdrawn.iter().any(|other| other.kb == row.successor) {
            return Err(faulty(
                NAME,
                &format!("{} is succeeded by {}, which is withdrawn itself", row.kb, row.successor),
            ));
        }
    }
    if let Some(row) = table.hotpatch.iter().find(|row| row.source.trim().is_empty()) {
        return Err(faulty(NAME, &format!("{} names no source", row.kb)));
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

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
