//! Damage of the mirror: recorded in the index, or found by comparing names and sizes on the disk.
//!
//! A pool file that is recorded as damaged or missing counts as absent everywhere: it is not resolved as present,
//! staged, exported, or published. A download or an import replaces it. Damage in a set folder makes the set
//! damaged, and its files are linked from the pool again. No package file is read here: a matching size proves
//! nothing about the bytes.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::entry_fault::entry_fault;
use super::index::{Damage, NewDamage, PublishState, SetRow, Transaction};
use super::{Access, Index, Lock, Mirror};
use crate::clock::Time;
use crate::disk::{self, Entry};
use crate::documents::{DamagedSet, FindingKind, SetFault};
use crate::error::Result;
use crate::update::Sha256;

impl<S: Access> Mirror<S> {
    /// Returns the published sets with recorded damage, or with names and sizes that differ on the disk, by KB and
    /// folder. No file content is read, so a set that is not listed may still have damage that only `verify`
    /// finds.
    pub fn damaged_sets(&self) -> Result<Vec<DamagedSet>> {
        let mut sets = self.index.sets(None)?;
        sets.retain(|set| set.state == Some(PublishState::Published));
        let recorded = self.index.damage()?;
        let mut damaged = Vec::new();
        for set in &sets {
            damaged.extend(self.collect_faults(set, &recorded)?);
        }
        damaged.sort_by(|a, b| (a.kb, &a.folder).cmp(&(b.kb, &b.folder)));
        Ok(damaged)
    }

    /// Returns the faults of one published set by the rules of [`Mirror::damaged_sets`], or `None` if it has none.
    pub fn faults_of(&self, set: &SetRow) -> Result<Option<DamagedSet>> {
        self.collect_faults(set, &self.index.damage()?)
    }

    fn collect_faults(&self, set: &SetRow, recorded: &[Damage]) -> Result<Option<DamagedSet>> {
        let own: BTreeSet<Sha256> = set.members.iter().filter_map(|member| member.file.sha256).collect();
        let is_of_set = |damage: &&Damage| {
            if damage.is_in_pool() {
                return damage.sha256.is_some_and(|sha256| own.contains(&sha256));
            }
            damage.kb == Some(set.kb) && damage.folder.as_ref() == Some(&set.folder)
        };
        let names = self.file_names(set)?;
        let mut faults: BTreeMap<Utf8PathBuf, SetFault> = BTreeMap::new();
        for damage in recorded.iter().filter(is_of_set) {
            let fault = SetFault {
                path: damage.path.clone(),
                name: names.get(&damage.path).cloned(),
                kind: damage.kind,
                message: damage.message.clone(),
                found: Some(damage.found.to_string()),
                found_by: Some(damage.found_by.clone()),
            };
            faults.insert(fault.path.clone(), fault);
        }
        let seen = self.compare_with_disk(set)?;
        let folder_missing = disk::entry(&self.layout.set(set.kb, &set.folder))? != Entry::Folder;
        for (path, kind, message) in seen {
            let path = self.layout.portable(&path);
            let fault = SetFault {
                path: path.clone(),
                name: names.get(&path).cloned(),
                kind,
                message,
                found: None,
                found_by: None,
            };
            faults.entry(path).or_insert(fault);
        }
        let faults: Vec<SetFault> = faults.into_values().collect();
        let (kb, folder, folder_name) = (set.kb, set.folder.to_string(), set.folder.to_string());
        Ok((!faults.is_empty()).then_some(DamagedSet { kb, folder, folder_name, folder_missing, faults }))
    }

    /// Returns the names of a set's files by their paths in the folder and in the pool.
    fn file_names(&self, set: &SetRow) -> Result<BTreeMap<Utf8PathBuf, String>> {
        let folder = self.folder_of(set)?;
        let mut names = BTreeMap::new();
        for (member, name) in set.members.iter().zip(&folder.names) {
            names.insert(self.layout.portable(&folder.file(name)), name.to_string());
            if let Some(sha256) = &member.file.sha256 {
                names.insert(self.layout.portable(&self.layout.pool_file(sha256)), name.to_string());
            }
        }
        Ok(names)
    }

    /// Compares names and sizes in a set's folder, and of its files in the pool, with the index.
    fn compare_with_disk(&self, set: &SetRow) -> Result<Vec<(Utf8PathBuf, FindingKind, String)>> {
        let mut seen = Vec::new();
        let folder = self.folder_of(set)?;
        let exists = match disk::entry(&folder.path)? {
            Entry::Folder => true,
            Entry::Missing => {
                seen.push((folder.path.clone(), FindingKind::Missing, FOLDER_MISSING.to_owned()));
                false
            }
            Entry::File(_) | Entry::Other => {
                seen.push((folder.path.clone(), FindingKind::Foreign, "not a folder".to_owned()));
                false
            }
        };
        let there = if exists { disk::list(&folder.path) } else { Ok(Vec::new()) };
        match there {
            Ok(there) => {
                for name in there.into_iter().filter(|name| !folder.has(name)) {
                    let message = "not a file of the set".to_owned();
                    seen.push((folder.path.join(name), FindingKind::Foreign, message));
                }
            }
            Err(error) => {
                seen.push((folder.path.clone(), FindingKind::Unreadable, error.full_message()));
            }
        }
        for (member, name) in set.members.iter().zip(&folder.names) {
            let Some(size) = member.file.size else { continue };
            if exists {
                seen.extend(compare_file_with_disk(&folder.file(name), size));
            }
            if let Some((sha256, size)) =
                member.file.key.map(|key| self.index.pool_record(key)).transpose()?.flatten()
            {
                seen.extend(compare_file_with_disk(&self.layout.pool_file(&sha256), size));
            }
        }
        Ok(seen)
    }

    /// Records damage, whether this mirror is open for writing or for reading. A mirror that is open for reading
    /// takes the lock for one short transaction. The transaction fails if the mirror is read-only or another
    /// process is writing.
    pub fn record_damage(&self, damage: &[NewDamage], found_by: &str, now: Time) -> Result<()> {
        self.in_short_transaction(now, |index| {
            damage.iter().try_for_each(|one| index.record_damage(one, found_by, now))
        })
    }

    /// Returns the damage record of a file in the pool.
    pub fn damage_in_pool(&self, sha256: Sha256, kind: FindingKind, message: impl Into<String>) -> NewDamage {
        NewDamage {
            path: self.layout.portable(&self.layout.pool_file(&sha256)),
            kb: None,
            folder: None,
            sha256: Some(sha256),
            kind,
            message: message.into(),
        }
    }

    /// Changes the index under the lock. A mirror that is open for reading takes the lock for one short
    /// transaction.
    pub(super) fn in_short_transaction<T>(
        &self,
        now: Time,
        changes: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        if self.state.may_write() {
            return self.index.transact(changes);
        }
        let _lock = Lock::acquire(&self.layout.lock(), &now.to_string())?;
        Index::open(self.layout.index())?.in_transaction(changes)
    }
}

/// The message for a set whose folder is missing.
pub(super) const FOLDER_MISSING: &str = "the set folder is missing";

/// Compares a path with a regular file of this size. Returns the fault, or `None` if the path is right.
fn compare_file_with_disk(path: &Utf8Path, size: u64) -> Option<(Utf8PathBuf, FindingKind, String)> {
    let (kind, message) = entry_fault(disk::entry(path), size)?;
    Some((path.to_owned(), kind, message))
}
