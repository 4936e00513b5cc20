//! What has to be installed before an update beside its checkpoints: separate servicing stacks, floors under combined
//! ones, and single prerequisites. A row that contradicts another one is refused.

use jiff::civil::Date;
use serde::Deserialize;

use super::{KnownFile, check_files, check_format, check_sources, faulty, read_table};
use crate::error::Result;
use crate::update::{Build, Kb};

/// Families whose servicing stack is a package of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeparateStack {
    /// Their ids.
    pub families: Vec<u32>,
    /// From when on the stack is inside of the cumulative update.
    #[serde(default)]
    pub until: Option<Date>,
    /// Where the row comes from.
    pub source: String,
}

/// A servicing stack that a machine below a revision needs once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackFloor {
    /// The stack.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// Machines at or above its revision have it.
    pub needed_below: Build,
    /// Updates published before do not need it.
    pub from: Date,
    /// Where the row comes from.
    pub source: String,
    /// Its files.
    #[serde(rename = "file", default)]
    pub files: Vec<KnownFile>,
}

/// What a prerequisite is in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeededAs {
    /// A servicing stack.
    Ssu,
    /// Anything else.
    Prerequisite,
}

/// One update needs another one, whatever the build.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeedsBefore {
    /// The update.
    pub kb: Kb,
    /// What it needs.
    pub needs: Kb,
    /// The family's id.
    pub family: u32,
    /// What the needed one is.
    pub role: NeededAs,
    /// Where the row comes from.
    pub source: String,
}

/// One of the updates that all later ones of a family need.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needed {
    /// Its KB.
    pub kb: Kb,
    /// What it is.
    pub role: NeededAs,
}

/// All updates of a family from a date on need these, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeedsSince {
    /// The family's id.
    pub family: u32,
    /// From when on.
    pub from: Date,
    /// What they need.
    pub needs: Vec<Needed>,
    /// Why.
    pub why: String,
    /// Where the row comes from.
    pub source: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the fields are the words of the table")]
pub(super) struct Before {
    format: u32,
    separate: Vec<SeparateStack>,
    #[serde(default)]
    pub(super) floor: Vec<StackFloor>,
    #[serde(default)]
    pub(super) before: Vec<NeedsBefore>,
    #[serde(default)]
    pub(super) since: Vec<NeedsSince>,
}

impl Before {
    /// The row of a family whose servicing stack was separate at a date; a date that is not known counts as today.
    pub(super) fn separate(&self, family: u32, date: Option<Date>) -> Option<&SeparateStack> {
        self.separate.iter().find(|row| {
            row.families.contains(&family)
                && row.until.is_none_or(|until| date.is_some_and(|date| date < until))
        })
    }
}

pub(super) fn parse(text: &str) -> Result<Before> {
    const NAME: &str = "prerequisites.toml";
    let table: Before = read_table(NAME, text)?;
    check_format(NAME, table.format)?;
    check_sources(
        NAME,
        (table.separate.iter().map(|row| (format!("the row of {:?}", row.families), &row.source)))
            .chain(table.floor.iter().map(|row| (row.kb.to_string(), &row.source)))
            .chain(table.before.iter().map(|row| (row.kb.to_string(), &row.source)))
            .chain(table.since.iter().map(|row| (format!("the row of {}", row.family), &row.source))),
    )?;
    for row in &table.floor {
        check_files(NAME, row.kb, &row.files)?;
    }
    // A circle would send a plan round for ever.
    for row in &table.before {
        let mut next = row.needs;
        for _ in 0..=table.before.len() {
            if next == row.kb {
                return Err(faulty(NAME, &format!("{} needs itself, by way of {}", row.kb, row.needs)));
            }
            match table.before.iter().find(|other| other.kb == next) {
                Some(other) => next = other.needs,
                None => break,
            }
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_separate_until_a_date() {
        let table = parse(include_str!("data/prerequisites.toml")).unwrap();
        let at = |family, date: &str| table.separate(family, Some(date.parse().unwrap())).is_some();
        assert!(at(14393, "2026-06-09"));
        assert!(at(17763, "2021-07-13") && !at(17763, "2021-08-10"));
        assert!(table.separate(17763, None).is_none() && table.separate(14393, None).is_some());
        assert!(!at(26100, "2026-06-09"));
    }

    #[test]
    fn a_circle_is_refused_by_name() {
        let text = include_str!("data/prerequisites.toml");
        let circle = format!(
            "{text}\n[[before]]\nkb = \"KB2919442\"\nneeds = \"KB2919355\"\nfamily = 9600\nrole = \"ssu\"\nsource = \"x\"\n"
        );
        let error = parse(&circle).unwrap_err();
        assert!(error.message().contains("needs itself"), "{error}");
    }
}
