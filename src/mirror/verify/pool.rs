//! Verification of the pool: every file that the index has, and unexpected entries.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::fault::PathOwner;
use super::survey::Surveyor;
use super::verdict::ExpectedFile;
use crate::disk::{self, Entry};
use crate::documents::FindingKind;
use crate::error::Result;
use crate::facts::{FileKey, SetFolder};
use crate::mirror::Access;
use crate::mirror::index::SetRow;
use crate::mirror::pool::sha256_of;
use crate::update::{Kb, Sha256, count};

impl<S: Access> Surveyor<'_, S> {
    /// Compares the pool with the index, or only the pool files of some sets.
    pub(super) fn check_pool(&mut self, sets: &[(SetFolder, SetRow)], only_sets: bool) -> Result<()> {
        let mut owners: BTreeMap<FileKey, BTreeSet<Kb>> = BTreeMap::new();
        for (_, set) in sets {
            for key in set.members.iter().filter_map(|member| member.file.key) {
                owners.entry(key).or_default().insert(set.kb);
            }
        }
        let mut expected = BTreeSet::new();
        for (key, sha256, size) in self.mirror.index.pool()? {
            expected.insert(sha256);
            let kbs = owners.remove(&key);
            if only_sets && kbs.is_none() {
                continue;
            }
            let path = self.mirror.layout.pool_file(&sha256);
            let kbs = kbs.unwrap_or_default();
            let sha1 = self.mirror.index.file(key)?.and_then(|file| file.sha1);
            self.survey.files += 1;
            self.survey.bytes += size;
            let place = PathOwner::Pool(Some(sha256));
            let number = self.add_file(ExpectedFile { path, size, sha256, sha1, kbs, place, stamp: None });
            self.pool.extend(number.map(|number| (sha256, number)));
        }
        if !only_sets {
            let writable = self.mirror.writable_files()?;
            if let Some(first) = writable.first() {
                self.survey.warnings.push(format!(
                    "found {} in the pool, the first is {first}; kbmirror repair makes them read-only",
                    count(writable.len(), "writable file")
                ));
            }
            self.find_unexpected_pool_entries(&expected)?;
        }
        Ok(())
    }

    fn find_unexpected_pool_entries(&mut self, expected: &BTreeSet<Sha256>) -> Result<()> {
        let pool = self.mirror.layout.pool();
        for first in disk::list(&pool)? {
            let folder = pool.join(&first);
            if first.len() != 2 || disk::entry(&folder)? != Entry::Folder {
                self.add_fault(
                    &folder,
                    FindingKind::Foreign,
                    PathOwner::Pool(None),
                    &[],
                    "not a folder named with two hexadecimal digits",
                );
                continue;
            }
            for name in disk::list(&folder)? {
                let known = name.parse().is_ok_and(|sha256: Sha256| {
                    expected.contains(&sha256) && sha256.to_string() == name && name.starts_with(&first)
                });
                let path = folder.join(&name);
                if !known && has_own_digest(&path, &name, &first) {
                    self.survey.leftovers.push(self.mirror.layout.relative(&path).to_owned());
                } else if !known {
                    self.add_fault(
                        &path,
                        FindingKind::Foreign,
                        PathOwner::Pool(None),
                        &[],
                        "not recorded in the index",
                    );
                }
            }
        }
        Ok(())
    }
}

/// Returns `true` for a regular file at the pool path of its own digest. A run that was interrupted before the
/// index recorded the file leaves one. A later run that needs these bytes uses it.
fn has_own_digest(path: &Utf8Path, name: &str, folder: &str) -> bool {
    let Ok(wanted) = name.parse::<Sha256>() else { return false };
    let is_file = matches!(disk::entry(path), Ok(Entry::File(_)));
    let is_in_place = name.starts_with(folder) && wanted.to_string() == name;
    is_file && is_in_place && sha256_of(path).is_ok_and(|found| found == wanted)
}
