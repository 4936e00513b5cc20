//! The table of updates that cannot be installed as requested: withdrawn and faulty updates with their successors,
//! expired updates, and updates that only Windows Update delivers.

use jiff::civil::Date;
use serde::Deserialize;

use super::families::{FamilyReference, Installation};
use super::finding::{TableFinding, find_missing_sources};
use super::table::{check_format, read_table};
use crate::error::Result;
use crate::update::{Build, Kb};

/// An update that Microsoft withdrew as faulty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawnUpdate {
    /// The KB of the update.
    pub kb: Kb,
    /// The KB of the replacement.
    pub successor: Kb,
    /// The release date.
    pub date: Date,
    /// The fault of the update.
    pub why: String,
    /// The source of the row.
    pub source: String,
}

/// A faulty update that Microsoft replaced and still lists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultyUpdate {
    /// The KB of the update.
    pub kb: Kb,
    /// The KB of the replacement.
    pub successor: Kb,
    /// The fault of the update.
    pub why: String,
    /// The source of the row.
    pub source: String,
}

/// A hotpatch, which only Windows Update delivers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hotpatch {
    /// The KB of the hotpatch.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// Client or server, if the hotpatch is not for both.
    #[serde(default)]
    pub installation: Option<Installation>,
    /// The release date.
    #[serde(default)]
    pub date: Option<Date>,
    /// The build after installation. It is usually, not always, below that of the month's cumulative update.
    #[serde(default)]
    pub build: Option<Build>,
    /// The cumulative update that replaces the hotpatch on a network without Internet.
    #[serde(default)]
    pub instead: Option<Kb>,
    /// The source of the row.
    pub source: String,
}

/// An update of the recovery environment of a running machine, which only Windows Update delivers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryUpdate {
    /// The KB of the update.
    pub kb: Kb,
    /// The family's number.
    pub family: u32,
    /// The release date.
    #[serde(default)]
    pub date: Option<Date>,
    /// The Safe OS dynamic update that the update applies.
    #[serde(default)]
    pub payload: Option<Kb>,
    /// The source of the row.
    pub source: String,
}

/// The first KB number of 2021. Hotpatches began in 2022, and updates of the recovery environment in 2024 (release notes
/// for hotpatches of Windows Server 2022, KB5034441 article).
const FIRST_WINDOWS_UPDATE_ONLY: u32 = 5_000_000;

/// Returns `true` if a KB without a row may be an update that only Windows Update delivers.
pub fn may_be_windows_update_only(kb: Kb) -> bool {
    kb.number() >= FIRST_WINDOWS_UPDATE_ONLY
}

/// An update that left the Catalog and is still valid.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpiredUpdate {
    /// The KB of the update.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// The source of the row.
    pub source: String,
}

/// An ordinary update of a month that was planned as a hotpatch month.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HotpatchBaseline {
    /// The KB of the update.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// Client or server.
    pub installation: Installation,
    /// A note for people.
    pub note: String,
    /// The source of the row.
    pub source: String,
}

/// The table of updates that the Catalog does not offer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawnUpdates {
    format: u32,
    #[serde(default)]
    withdrawn: Vec<WithdrawnUpdate>,
    #[serde(default)]
    hotpatch: Vec<Hotpatch>,
    #[serde(default)]
    recovery: Vec<RecoveryUpdate>,
    #[serde(default)]
    faulty: Vec<FaultyUpdate>,
    #[serde(default)]
    expired: Vec<ExpiredUpdate>,
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

    /// Returns all withdrawn updates.
    pub fn all(&self) -> &[WithdrawnUpdate] {
        &self.withdrawn
    }

    /// Returns the row of a withdrawn update, or `None` for other KBs.
    pub fn of_kb(&self, kb: Kb) -> Option<&WithdrawnUpdate> {
        self.withdrawn.iter().find(|row| row.kb == kb)
    }

    /// Returns all hotpatches.
    pub fn hotpatches(&self) -> &[Hotpatch] {
        &self.hotpatch
    }

    /// Returns the row of a hotpatch, or `None` for other KBs.
    pub fn hotpatch(&self, kb: Kb) -> Option<&Hotpatch> {
        self.hotpatch.iter().find(|row| row.kb == kb)
    }

    /// Returns all updates of the recovery environment.
    pub fn recovery_updates(&self) -> &[RecoveryUpdate] {
        &self.recovery
    }

    /// Returns the row of an update of the recovery environment, or `None` for other KBs.
    pub fn recovery_update(&self, kb: Kb) -> Option<&RecoveryUpdate> {
        self.recovery.iter().find(|row| row.kb == kb)
    }

    /// Returns `true` if only Windows Update delivers an update.
    pub fn is_windows_update_only(&self, kb: Kb) -> bool {
        self.hotpatch(kb).is_some() || self.recovery_update(kb).is_some()
    }

    /// Returns the update that replaces one of Windows Update on a network without Internet, if its row names it.
    pub fn offline_replacement(&self, kb: Kb) -> Option<Kb> {
        let of_hotpatch = self.hotpatch(kb).and_then(|row| row.instead);
        of_hotpatch.or_else(|| self.recovery_update(kb).and_then(|row| row.payload))
    }

    /// Returns all faulty updates that are still listed.
    pub fn faulty_updates(&self) -> &[FaultyUpdate] {
        &self.faulty
    }

    /// Returns the row of a faulty update that is still listed, or `None` for other KBs.
    pub fn faulty_update(&self, kb: Kb) -> Option<&FaultyUpdate> {
        self.faulty.iter().find(|row| row.kb == kb)
    }

    /// Returns the row of an ordinary update in a planned hotpatch month, or `None` for other KBs.
    pub fn hotpatch_baseline(&self, kb: Kb) -> Option<&HotpatchBaseline> {
        self.baseline.iter().find(|row| row.kb == kb)
    }

    /// Returns the row of an update that left the Catalog and is still valid, or `None` for other KBs.
    pub fn expired_update(&self, kb: Kb) -> Option<&ExpiredUpdate> {
        self.expired.iter().find(|row| row.kb == kb)
    }

    /// Returns the family id of each row.
    pub(super) fn families(&self) -> Vec<FamilyReference> {
        (self.expired.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family)))
            .chain(self.hotpatch.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family)))
            .chain(self.recovery.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family)))
            .chain(self.baseline.iter().map(|row| FamilyReference::new(NAME, &row.kb, row.family)))
            .collect()
    }

    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let mut faults = find_missing_sources(
            NAME,
            (self.withdrawn.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.hotpatch.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.recovery.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.faulty.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.expired.iter().map(|row| (row.kb.to_string(), &row.source)))
                .chain(self.baseline.iter().map(|row| (row.kb.to_string(), &row.source))),
        );
        for row in &self.faulty {
            // The replacement of a faulty update must be usable.
            let other = self.faulty.iter().map(|other| other.kb);
            if other.chain(self.withdrawn.iter().map(|other| other.kb)).any(|kb| kb == row.successor) {
                let message = format!("{} is replaced by {}, which is faulty itself", row.kb, row.successor);
                faults.push(TableFinding::new(NAME, "successor_withdrawn", row.kb, message));
            }
        }
        for row in &self.withdrawn {
            // A chain of successors must end: a withdrawn successor would only refer the operator to another update.
            if self.withdrawn.iter().any(|other| other.kb == row.successor) {
                let message =
                    format!("{} is succeeded by {}, which is withdrawn itself", row.kb, row.successor);
                faults.push(TableFinding::new(NAME, "successor_withdrawn", row.kb, message));
            }
            if self.expired.iter().any(|other| other.kb == row.kb) {
                let message = format!("{} is both withdrawn and expired", row.kb);
                faults.push(TableFinding::new(NAME, "withdrawn_and_expired", row.kb, message));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicing::finding::refuse_findings;

    fn parse(text: &str) -> Result<WithdrawnUpdates> {
        let table = WithdrawnUpdates::read(text)?;
        refuse_findings(table.faults())?;
        Ok(table)
    }

    #[test]
    fn successor_must_not_be_withdrawn() {
        let text = include_str!("data/withdrawn.toml");
        assert!(parse(text).is_ok());
        let circle = text.replacen("successor = \"KB5086672\"", "successor = \"KB5079391\"", 1);
        assert!(parse(&circle).unwrap_err().message().contains("withdrawn itself"));
        let silent = text.replacen("source = \"KB article of KB5086672\"", "source = \" \"", 1);
        assert!(parse(&silent).unwrap_err().message().contains("has no source"));
    }
}
