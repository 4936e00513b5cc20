//! The table of updates that an update needs first, apart from its checkpoints: separate servicing stacks, floors of
//! combined stacks, and single prerequisites. A row that contradicts another one is refused.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;

use super::families::{Families, Family, FamilyReference};
use super::finding::{TableFinding, find_missing_sources};
use super::known_file::{KnownFile, find_wrong_files};
use super::table::{check_format, read_table};
use crate::error::Result;
use crate::update::{Build, Kb};

/// Families with a separate servicing stack package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeparateStack {
    /// The ids of the families.
    pub families: Vec<u32>,
    /// The date from which on the cumulative update contains the stack.
    #[serde(default)]
    pub until: Option<Date>,
    /// The source of the row.
    pub source: String,
}

/// A servicing stack that a machine below a revision needs once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackFloor {
    /// The KB of the stack.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// The build below which the stack is needed; later builds contain it.
    pub needed_below: Build,
    /// The first release date of updates that need the stack.
    pub from: Date,
    /// The source of the row.
    pub source: String,
    /// The files.
    #[serde(rename = "file", default)]
    pub files: Vec<KnownFile>,
}

/// The role of a prerequisite in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrerequisiteRole {
    /// A servicing stack.
    Ssu,
    /// Anything else.
    Prerequisite,
}

/// An update that needs another update, whatever the build.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinglePrerequisite {
    /// The KB of the update.
    pub kb: Kb,
    /// The KB of the needed update.
    pub needs: Kb,
    /// The family's id.
    pub family: u32,
    /// The role of the needed update.
    pub role: PrerequisiteRole,
    /// The source of the row.
    pub source: String,
}

/// An update that all later updates of a family need.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyPrerequisite {
    /// The KB of the needed update.
    pub kb: Kb,
    /// The role of the needed update.
    pub role: PrerequisiteRole,
}

/// The updates, in order, that all updates of a family from a date on need.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyPrerequisites {
    /// The family's id.
    pub family: u32,
    /// The first date with this requirement.
    pub from: Date,
    /// The needed updates, in order.
    pub needs: Vec<FamilyPrerequisite>,
    /// The reason.
    pub why: String,
    /// The source of the row.
    pub source: String,
}

/// An update that is a service level: later builds of the family contain it, and later updates need it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceLevel {
    /// The KB of the update.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// The first build that contains the update.
    pub build: Build,
    /// The source of the row.
    pub source: String,
}

impl ServiceLevel {
    /// Returns `true` if a build contains the update, or `None` for a build of another family.
    pub fn is_in(&self, at: Build, families: &Families) -> Option<bool> {
        let own = families.of_id(self.family).find_map(|family| family.canonical(at))?;
        Some(own.revision >= self.build.revision)
    }
}

/// The table of prerequisites.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prerequisites {
    format: u32,
    separate: Vec<SeparateStack>,
    #[serde(default)]
    floor: Vec<StackFloor>,
    #[serde(default)]
    before: Vec<SinglePrerequisite>,
    #[serde(default)]
    since: Vec<FamilyPrerequisites>,
    #[serde(default)]
    level: Vec<ServiceLevel>,
}

const NAME: &str = "prerequisites.toml";

impl Prerequisites {
    pub(super) fn read(text: &str) -> Result<Self> {
        let table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        Ok(table)
    }

    /// Returns the row of a family whose servicing stack was separate on a date, or `None` if it was not. An unknown
    /// date counts as today.
    pub fn separate_stack(&self, family: u32, date: Option<Date>) -> Option<&SeparateStack> {
        self.separate.iter().find(|row| {
            row.families.contains(&family)
                && row.until.is_none_or(|until| date.is_some_and(|date| date < until))
        })
    }

    /// Returns all floors.
    pub fn floors(&self) -> &[StackFloor] {
        &self.floor
    }

    /// Returns the floors of the servicing stack of a family, earliest first.
    pub fn floors_of(&self, family: &Family) -> Vec<&StackFloor> {
        let mut floors: Vec<&StackFloor> = self.floor.iter().filter(|row| row.family == family.id).collect();
        floors.sort_by_key(|row| (row.from, row.kb));
        floors
    }

    /// Returns the floor row of a servicing stack, or `None` for other KBs.
    pub fn floor(&self, kb: Kb) -> Option<&StackFloor> {
        self.floor.iter().find(|row| row.kb == kb)
    }

    /// Returns all rows of single prerequisites.
    pub fn single_prerequisites(&self) -> &[SinglePrerequisite] {
        &self.before
    }

    /// Returns the prerequisite rows of one update, whatever the build.
    pub fn single_prerequisites_of(&self, kb: Kb) -> impl Iterator<Item = &SinglePrerequisite> {
        self.before.iter().filter(move |row| row.kb == kb)
    }

    /// Returns all rows of updates that all later updates of a family need.
    pub fn family_prerequisites(&self) -> &[FamilyPrerequisites] {
        &self.since
    }

    /// Returns the row of updates that updates of a family with this date need, or `None` if no row applies.
    pub fn family_prerequisites_of(
        &self,
        family: &Family,
        date: Option<Date>,
    ) -> Option<&FamilyPrerequisites> {
        let date = date?;
        self.since.iter().find(|row| row.family == family.id && row.from <= date)
    }

    /// Returns the row of an update that is a service level, or `None` for other updates.
    pub fn service_level(&self, kb: Kb) -> Option<&ServiceLevel> {
        self.level.iter().find(|row| row.kb == kb)
    }

    /// Returns the family id of each row.
    pub(super) fn families(&self) -> Vec<FamilyReference> {
        let separate = self.separate.iter().flat_map(|row| &row.families);
        (self.floor.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family)))
            .chain(self.before.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family)))
            .chain(self.since.iter().map(|row| FamilyReference::new(NAME, &row.family, row.family)))
            .chain(self.level.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family)))
            .chain(separate.map(|family| FamilyReference::new(NAME, family, *family)))
            .collect()
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let mut faults = find_missing_sources(
            NAME,
            (self.separate.iter().map(|row| (format!("the row of {:?}", row.families), &row.source)))
                .chain(self.floor.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.before.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.since.iter().map(|row| (format!("the row of {}", row.family), &row.source)))
                .chain(self.level.iter().map(|row| (row.kb.to_string(), &row.source))),
        );
        for row in &self.floor {
            faults.extend(find_wrong_files(NAME, row.kb, &row.files));
        }
        for row in self.level.iter().filter(|row| row.build.number != row.family) {
            let message = format!("{} has a build of another family: {}", row.kb, row.build);
            faults.push(TableFinding::new(NAME, "build_unknown", row.kb, message));
        }
        // With a circular prerequisite, the search for prerequisites would never end.
        for row in self.before.iter().filter(|row| self.leads_to(row.needs, row.kb)) {
            let message = format!("{} needs itself through {}", row.kb, row.needs);
            faults.push(TableFinding::new(NAME, "circle", row.kb, message));
        }
        faults
    }

    /// Returns `true` if the single prerequisites of `from` lead to `to`.
    pub fn leads_to(&self, from: Kb, to: Kb) -> bool {
        let (mut open, mut seen) = (vec![from], BTreeSet::new());
        while let Some(kb) = open.pop() {
            if kb == to {
                return true;
            }
            if seen.insert(kb) {
                open.extend(self.before.iter().filter(|row| row.kb == kb).map(|row| row.needs));
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicing::finding::refuse_findings;

    fn parse(text: &str) -> Result<Prerequisites> {
        let table = Prerequisites::read(text)?;
        refuse_findings(table.faults())?;
        Ok(table)
    }

    #[test]
    fn servicing_stack_is_separate_until_a_date() {
        let table = parse(include_str!("data/prerequisites.toml")).unwrap();
        let at = |family, date: &str| table.separate_stack(family, Some(date.parse().unwrap())).is_some();
        assert!(at(14393, "2026-06-09"));
        assert!(at(17763, "2021-07-13") && !at(17763, "2021-08-10"));
        assert!(table.separate_stack(17763, None).is_none() && table.separate_stack(14393, None).is_some());
        assert!(!at(26100, "2026-06-09"));
    }

    #[test]
    fn circular_prerequisite_is_refused() {
        let text = include_str!("data/prerequisites.toml");
        let circle = format!(
            "{text}\n[[before]]\nkb = \"KB2919442\"\nneeds = \"KB2919355\"\nfamily = 9600\nrole = \"ssu\"\nsource = \"x\"\n"
        );
        let error = parse(&circle).unwrap_err();
        assert!(error.message().contains("needs itself"), "{error}");
    }
}
