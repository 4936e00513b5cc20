//! Verification: compares pool, set folders, `SHA256SUMS`, KB JSON, and index with each other.
//!
//! No lock is held while files are read, so that a run that writes can continue. Suspected faults are checked
//! again at the end, under the lock: a file that was replaced meanwhile is read again, and only confirmed faults
//! become a [`VerifyFinding`]. The same short transaction records the findings as damage in the index, and clears
//! recorded damage that is sound now. If the mirror is read-only or busy, a warning says that nothing was
//! recorded.
//!
//! Every byte of the pool is read once, two files at a time, with constant memory. A name in a set folder that is
//! a hard link to the pool's file is not read again; a copy is. A file that cannot be read, or differs, is read
//! once more. If the second reading is good, the result is a warning and not a finding. The warning is needed
//! because healthy disks and memory do not do this.
//!
//! Findings are sorted by path and kind, so that the same state gives the same report. A mirror that cannot be
//! opened, or a KB that is not published, is an error without a report.

mod fault;
mod lanes;
mod pool;
mod read;
mod survey;
mod verdict;

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use self::fault::{PathFault, PathOwner, damage_in_scope};
use self::read::read_all;
use self::survey::{Survey, survey};
use self::verdict::{ExpectedFile, ReadVerdict};
use super::index::Damage;
use super::lock::is_held;
use super::{Access, Mirror};
use crate::clock::Time;
use crate::disk;
use crate::documents::{FindingKind, VerifyFinding, VerifyReport};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events};
use crate::servicing::Knowledge;
use crate::update::{Kb, Sha256, count, human_size};

/// The format of a verification's report.
pub const VERIFY_FORMAT: u32 = 1;

impl VerifyReport {
    /// Returns the evidence as one line.
    pub fn evidence(&self) -> String {
        format!(
            "verified {}, {} in the pool, {}, {}: {}",
            count(self.files, "file"),
            human_size(self.bytes),
            count(self.folders, "folder"),
            count(self.kbs, "KB"),
            match self.findings.len() {
                0 => "no findings".to_owned(),
                number => count(number, "finding"),
            }
        )
    }
}

impl<S: Access> Mirror<S> {
    /// Verifies the mirror, or the published sets of some KBs. Install scripts are compared with those that this
    /// knowledge produces. With `deep`, SHA-1 is compared too.
    pub fn verify(
        &self,
        kbs: &[Kb],
        deep: bool,
        knowledge: &Knowledge,
        now: Time,
        events: &Events,
    ) -> Result<VerifyReport> {
        let recorded = self.index.damage()?;
        let Survey { readings, faults, warnings, leftovers, files, bytes, folders, kbs: seen } =
            survey(self, kbs, knowledge)?;
        if let Some(kb) = kbs.iter().find(|kb| !seen.contains(kb)) {
            return Err(Error::new(ErrorKind::NotFound, format!("{kb} is not published"))
                .hint("run kbmirror list to see the published KBs"));
        }
        events.send(Event::Phase(format!("reading {}, {}", count(files, "file"), human_size(bytes))));
        let verdicts = read_all(&readings, deep, events)?;
        let mut suspected = SuspectedFaults { surveyed: faults, warnings, ..SuspectedFaults::default() };
        for (reading, verdict) in readings.iter().zip(verdicts) {
            match verdict {
                ReadVerdict::Good => {}
                ReadVerdict::GoodOnSecondRead(first) => {
                    let path = self.layout.portable(&reading.path);
                    suspected.warnings.push(format!(
                        "{path} was good only on the second reading ({first}); check disk, cable, and memory"
                    ));
                    suspected.unstable.insert(path);
                }
                bad => suspected.read.extend(self.fault_of(reading, bad).map(|fault| (reading, fault))),
            }
        }
        let pool: Vec<Sha256> = (readings.iter().map(|reading| &reading.place))
            .chain(suspected.surveyed.iter().map(|fault| &fault.place))
            .filter_map(|place| if let PathOwner::Pool(sha256) = place { *sha256 } else { None })
            .collect();
        let recorded = damage_in_scope(recorded, kbs, &pool);
        let confirmed = self.confirm_and_record(&suspected, &recorded, kbs, deep, knowledge, now)?;
        let mut warnings = suspected.warnings;
        warnings.extend(confirmed.warning);
        if self.index.meta("created")?.is_none() {
            warnings.push(
                "the creation of the index was interrupted; the next run that writes completes it".to_owned(),
            );
        }
        let mut findings: Vec<VerifyFinding> =
            confirmed.faults.into_iter().map(|fault| fault.finding).collect();
        findings.sort();
        findings.dedup();
        warnings.sort();
        let is_in_use = !leftovers.is_empty() && is_held(&self.layout.lock());
        let (in_use, leftovers) = if is_in_use { (leftovers, Vec::new()) } else { (Vec::new(), leftovers) };
        Ok(VerifyReport {
            format: VERIFY_FORMAT,
            time: now.to_string(),
            asked: kbs.to_vec(),
            deep,
            files,
            file_count: files,
            bytes,
            folders,
            kbs: seen.len(),
            recorded: (!findings.is_empty()).then_some(confirmed.is_recorded),
            findings,
            warnings,
            healed: confirmed.healed,
            leftovers,
            in_use,
        })
    }

    /// Checks suspected faults again and updates the recorded damage, under the lock if it is available.
    fn confirm_and_record(
        &self,
        suspected: &SuspectedFaults<'_>,
        recorded: &[Damage],
        kbs: &[Kb],
        deep: bool,
        knowledge: &Knowledge,
        now: Time,
    ) -> Result<ConfirmedFaults> {
        let mut confirmed = ConfirmedFaults::default();
        if suspected.surveyed.is_empty() && suspected.read.is_empty() && recorded.is_empty() {
            return Ok(confirmed);
        }
        let written = self.in_short_transaction(now, |index| {
            let faults = self.confirm(suspected, kbs, deep, knowledge)?;
            let damage: Vec<_> = faults.iter().filter_map(|fault| fault.damage(&self.layout)).collect();
            for one in &damage {
                index.record_damage(one, "verify", now)?;
            }
            let is_healed = |old: &&Damage| {
                !suspected.unstable.contains(&old.path) && !damage.iter().any(|new| new.path == old.path)
            };
            let healed: Vec<Utf8PathBuf> =
                recorded.iter().filter(is_healed).map(|old| old.path.clone()).collect();
            healed.iter().try_for_each(|path| index.clear_damage(path))?;
            Ok((faults, healed))
        });
        match written {
            Ok((faults, healed)) => {
                confirmed = ConfirmedFaults { faults, healed, is_recorded: true, warning: None };
            }
            Err(error) => {
                confirmed.faults = self.confirm(suspected, kbs, deep, knowledge)?;
                let what = if confirmed.faults.is_empty() {
                    "did not clear recorded damage that is sound now"
                } else {
                    "did not record the findings, so other commands still use the damaged files"
                };
                confirmed.warning = Some(format!("{what}: {}", error.full_message()));
            }
        }
        Ok(confirmed)
    }

    /// Returns the confirmed faults. A file that was replaced since it was read is read again.
    fn confirm(
        &self,
        suspected: &SuspectedFaults<'_>,
        kbs: &[Kb],
        deep: bool,
        knowledge: &Knowledge,
    ) -> Result<Vec<PathFault>> {
        if suspected.surveyed.is_empty() && suspected.read.is_empty() {
            return Ok(Vec::new());
        }
        let again = survey(self, kbs, knowledge)?;
        let mut faults: Vec<PathFault> = suspected.surveyed.clone();
        faults.retain(|fault| again.faults.contains(fault));
        for (reading, fault) in &suspected.read {
            if disk::stamp(&reading.path)? == reading.stamp {
                faults.push(fault.clone());
                continue;
            }
            let replaced = again.readings.iter().find(|now| now.path == reading.path).cloned();
            if let Some(replaced) = replaced {
                let verdicts = read_all(std::slice::from_ref(&replaced), deep, &Events::ignored())?;
                faults.extend(verdicts.into_iter().filter_map(|verdict| self.fault_of(&replaced, verdict)));
            } else {
                let is_same = |now: &&PathFault| now.finding.path == fault.finding.path;
                faults.extend(again.faults.iter().find(is_same).cloned());
            }
        }
        Ok(faults)
    }

    fn fault_of(&self, reading: &ExpectedFile, verdict: ReadVerdict) -> Option<PathFault> {
        let (kind, message) = match verdict {
            ReadVerdict::Good | ReadVerdict::GoodOnSecondRead(_) => return None,
            ReadVerdict::Size(found) => {
                (FindingKind::Size, format!("has {found} bytes instead of {}", reading.size))
            }
            ReadVerdict::Digest { what, found, stated } => {
                (FindingKind::Digest, format!("{what} is {found} instead of {stated}"))
            }
            ReadVerdict::Unreadable(message) => (FindingKind::Unreadable, message),
        };
        let path = self.layout.relative(&reading.path).to_owned();
        let kbs = reading.kbs.iter().copied().collect();
        Some(PathFault { finding: VerifyFinding { path, kind, kbs, message }, place: reading.place.clone() })
    }
}

/// The suspected faults of the first pass.
#[derive(Debug, Default)]
struct SuspectedFaults<'r> {
    /// Faults in names and sizes.
    surveyed: Vec<PathFault>,
    /// Faults found by reading.
    read: Vec<(&'r ExpectedFile, PathFault)>,
    warnings: Vec<String>,
    /// Files that were good only on the second reading.
    unstable: BTreeSet<Utf8PathBuf>,
}

/// The confirmed faults and the result of recording them.
#[derive(Debug, Default)]
struct ConfirmedFaults {
    faults: Vec<PathFault>,
    healed: Vec<Utf8PathBuf>,
    is_recorded: bool,
    warning: Option<String>,
}
