//! Removal of published sets on the operator's request.
//!
//! - A set that another published set needs (a servicing stack, a floor, a prerequisite, a preparation) is not
//!   removed. A file that another set uses stays in the pool.
//! - Nothing is deleted: folders and files move to `trash/`.
//! - The removal is recorded in `state.json` first, so that `sync` and `import` do not bring the KB back. Then the
//!   index forgets the sets and records the pending moves, in one transaction. Then the files move. The next run
//!   that writes completes an interrupted removal.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::index::{PublishState, SetRow};
use super::{Access, IndexLibrary, Mirror, MirrorState, WriteAccess};
use crate::clock::Time;
use crate::disk::{self, Entry};
use crate::documents::{ForgottenFile, ForgottenSet, RemovedKb, StateDocument};
use crate::error::{Error, ErrorKind, Result};
use crate::facts::{FileKey, SetFolder};
use crate::resolve::{Library as _, PackageSet, closure};
use crate::servicing::Knowledge;
use crate::update::{Architecture, Kb, Sha256};

/// The index key of the pending moves to `trash/`.
const FORGETTING: &str = "forgetting";

/// The removal of some sets, without side effects.
#[derive(Debug, Clone)]
pub struct ForgetPlan {
    sets: Vec<SetRow>,
    architectures: Vec<Architecture>,
    removed: Vec<(FileKey, ForgottenFile)>,
    kept: Vec<ForgottenFile>,
}

/// The pending moves of a removal.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct PendingMoves {
    /// The folder under `trash/`, relative to the mirror.
    trash: Utf8PathBuf,
    folders: Vec<(Kb, SetFolder)>,
    pool: Vec<Sha256>,
}

impl PendingMoves {
    /// Returns `true` if a folder of this KB is among the moves.
    pub(super) fn has_kb(&self, kb: Kb) -> bool {
        self.folders.iter().any(|(own, _)| *own == kb)
    }

    /// Returns `true` if this set folder is among the moves.
    pub(super) fn has_folder(&self, kb: Kb, name: &str) -> bool {
        self.folders.iter().any(|(own, folder)| *own == kb && *folder == *name)
    }

    /// Returns the KBs with moves.
    pub(super) fn kbs(&self) -> BTreeSet<Kb> {
        self.folders.iter().map(|(kb, _)| *kb).collect()
    }
}

impl ForgetPlan {
    /// Returns the sets for the report.
    pub fn sets(&self) -> Vec<ForgottenSet> {
        let of = |set: &SetRow| ForgottenSet {
            kb: set.kb,
            folder_name: set.folder.to_string(),
            architecture: set.architecture,
            file_count: set.members.len(),
        };
        self.sets.iter().map(of).collect()
    }

    /// Returns the files that are removed from the pool.
    pub fn removed_files(&self) -> Vec<ForgottenFile> {
        self.removed.iter().map(|(_, file)| file.clone()).collect()
    }

    /// Returns the files of the pool that stay for other sets.
    pub fn kept_files(&self) -> Vec<ForgottenFile> {
        self.kept.clone()
    }
}

impl<S: Access> Mirror<S> {
    /// Returns the pending moves of a removal that was interrupted or is in progress, or `None`.
    pub(super) fn unfinished_moves(&self) -> Result<Option<PendingMoves>> {
        let Some(text) = self.index.meta(FORGETTING)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| {
            Error::new(ErrorKind::Internal, "cannot read the pending removal in the index").caused_by(error)
        })
    }

    /// Plans the removal of the published sets of some KBs, for some architectures or all. Refuses a set that
    /// another published set needs.
    pub fn plan_forget(
        &self,
        kbs: &[Kb],
        architectures: &[Architecture],
        knowledge: &Knowledge,
    ) -> Result<ForgetPlan> {
        let is_asked = |set: &SetRow| {
            kbs.contains(&set.kb)
                && (architectures.is_empty()
                    || set.architecture.is_none_or(|own| architectures.contains(&own)))
        };
        let all = self.index.sets(None)?;
        let published = all.iter().filter(|set| set.state == Some(PublishState::Published));
        let (removed, stay): (Vec<&SetRow>, Vec<&SetRow>) = published.partition(|set| is_asked(set));
        for &kb in kbs {
            if !removed.iter().any(|set| set.kb == kb) {
                return Err(not_published_error(kb, &stay, architectures));
            }
        }
        self.refuse_needed(&removed, &stay, knowledge)?;
        let ids: BTreeSet<_> = removed.iter().map(|set| set.id).collect();
        // Sets that are not published count too: an older generation is shown and can be published again.
        let mut others: BTreeMap<Sha256, BTreeSet<Kb>> = BTreeMap::new();
        for set in all.iter().filter(|set| !ids.contains(&set.id)) {
            for sha256 in set.members.iter().filter_map(|member| member.file.sha256) {
                others.entry(sha256).or_default().insert(set.kb);
            }
        }
        let mut files: BTreeMap<Sha256, (FileKey, ForgottenFile)> = BTreeMap::new();
        for member in removed.iter().flat_map(|set| &set.members) {
            let (Some(key), Some(sha256)) = (member.file.key, member.file.sha256) else { continue };
            let Some((sha256, size)) = self.index.pool_record(key)?.filter(|(own, _)| *own == sha256) else {
                continue;
            };
            let kbs = others.get(&sha256).into_iter().flatten().copied().collect();
            files.insert(sha256, (key, ForgottenFile { name: member.file.name.clone(), sha256, size, kbs }));
        }
        let (kept, gone): (Vec<_>, Vec<_>) = files.into_values().partition(|(_, file)| !file.kbs.is_empty());
        Ok(ForgetPlan {
            sets: removed.into_iter().cloned().collect(),
            architectures: architectures.to_vec(),
            removed: gone,
            kept: kept.into_iter().map(|(_, file)| file).collect(),
        })
    }

    /// Refuses the removal of a KB that a remaining set needs.
    fn refuse_needed(&self, removed: &[&SetRow], stay: &[&SetRow], knowledge: &Knowledge) -> Result<()> {
        let library = IndexLibrary::new(&self.index, knowledge);
        for set in stay {
            let sets = library.sets(set.kb)?;
            let Some(package_set) = sets.iter().find(|own| is_row(own, set)) else { continue };
            for along in closure(package_set, &library, knowledge)? {
                let fits = |one: &&&SetRow| {
                    one.kb == along.kb
                        && (one.architecture.is_none()
                            || set.architecture.is_none()
                            || one.architecture == set.architecture)
                };
                let Some(gone) = removed.iter().find(fits) else { continue };
                if stay.iter().any(|other| fits(&other)) {
                    continue;
                }
                return Err(Error::new(
                    ErrorKind::Unresolved,
                    format!(
                        "cannot remove {}: it is the {} that {} {} needs first",
                        gone.kb, along.role, set.kb, set.folder
                    ),
                )
                .hint(format!("remove {} too, or keep both", set.kb)));
            }
        }
        Ok(())
    }
}

/// Returns the error for a KB without a folder of its own. Its files may belong to other sets.
fn not_published_error(kb: Kb, stay: &[&SetRow], architectures: &[Architecture]) -> Error {
    let has_file = |set: &&&SetRow| set.members.iter().any(|member| member.file.kb == Some(kb));
    let holders: BTreeSet<String> = stay.iter().filter(has_file).map(|set| set.kb.to_string()).collect();
    let of = match architectures {
        [] => String::new(),
        some => format!(" for {}", some.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ")),
    };
    let error = Error::new(ErrorKind::NotFound, format!("{kb} is not published{of}"));
    if holders.is_empty() {
        return error.hint("run kbmirror list to see the published KBs");
    }
    let holders = holders.into_iter().collect::<Vec<_>>().join(", ");
    error.hint(format!("remove {holders} to remove the file of {kb}: those sets contain it"))
}

/// Returns `true` if a set of the resolver and a row are the same set.
fn is_row(set: &PackageSet, row: &SetRow) -> bool {
    set.folder == row.folder && set.architecture == row.architecture
}

impl Mirror<WriteAccess> {
    /// Removes the sets of a plan. Returns the folder under `trash/`, relative to the mirror.
    pub fn forget(&mut self, plan: &ForgetPlan, knowledge: &Knowledge, now: Time) -> Result<Utf8PathBuf> {
        let mut state = self.known_state()?;
        let kbs: BTreeSet<Kb> = plan.sets.iter().map(|set| set.kb).collect();
        for &kb in &kbs {
            let architectures: Vec<Option<Architecture>> = match plan.architectures.as_slice() {
                [] => vec![None],
                some => some.iter().copied().map(Some).collect(),
            };
            for architecture in architectures {
                state.removed.retain(|old| (old.kb, old.architecture) != (kb, architecture));
                state.removed.push(RemovedKb { kb, architecture, removed: now.to_string() });
            }
        }
        state.removed.sort_by_key(|one| (one.kb, one.architecture));
        self.save_state(&state)?;
        let time = Timestamp::from(now).strftime("%Y-%m-%dT%H%M%SZ").to_string();
        let place = |number: u32| match number {
            1 => Utf8PathBuf::from(format!("trash/{time}")),
            _ => Utf8PathBuf::from(format!("trash/{time}-{number}")),
        };
        let free = |path: &Utf8PathBuf| !disk::exists(&self.layout.root().join(path));
        let trash = (1..=u32::MAX).map(place).find(free).unwrap_or_default();
        let moves = PendingMoves {
            trash: trash.clone(),
            folders: plan.sets.iter().map(|set| (set.kb, set.folder.clone())).collect(),
            pool: plan.removed.iter().map(|(_, file)| file.sha256).collect(),
        };
        let text = serde_json::to_string(&moves).map_err(Error::cannot_write_json)?;
        let layout = self.layout.clone();
        self.index.in_transaction(|index| {
            for set in &plan.sets {
                index.forget_published(set.kb, &set.folder)?;
                index.clear_damage_of_folder(set.kb, &set.folder)?;
            }
            for (key, file) in &plan.removed {
                index.forget_pooled(*key)?;
                index.clear_damage(&layout.portable(&layout.pool_file(&file.sha256)))?;
            }
            index.mark_views_pending()?;
            index.replace_meta(FORGETTING, &text)
        })?;
        self.finish_forgetting(knowledge)?;
        self.index.mark_views_current()?;
        Ok(trash)
    }

    /// Moves forgotten sets and files to `trash/`. Completes the moves of an interrupted run too.
    pub(super) fn finish_forgetting(&mut self, knowledge: &Knowledge) -> Result<()> {
        let Some(moves) = self.unfinished_moves()? else { return Ok(()) };
        let trash = self.layout.root().join(&moves.trash);
        for (kb, folder) in &moves.folders {
            self.move_to(&self.layout.set(*kb, folder), &trash.join("kb").join(kb.to_string()).join(folder))?;
        }
        for sha256 in &moves.pool {
            self.move_to(&self.layout.pool_file(sha256), &trash.join("pool").join(sha256.to_string()))?;
        }
        for kb in moves.kbs() {
            if !self.index.published_sets(kb)?.is_empty() {
                self.write_views(kb, knowledge)?;
                continue;
            }
            let folder = self.layout.kb(kb);
            for name in disk::list(&folder)? {
                self.move_to(&folder.join(&name), &trash.join("kb").join(kb.to_string()).join(&name))?;
            }
            disk::remove_dir_all(&folder)?;
            disk::sync_dir(&self.layout.kbs())?;
            self.remove_view_record(kb)?;
            let beside: Vec<Utf8PathBuf> = (self.index.damage()?.into_iter())
                .filter(|damage| damage.kb == Some(kb))
                .map(|damage| damage.path)
                .collect();
            self.index.in_transaction(|index| beside.iter().try_for_each(|path| index.clear_damage(path)))?;
        }
        self.index.in_transaction(|index| index.remove_meta(FORGETTING))
    }

    fn move_to(&self, from: &camino::Utf8Path, to: &camino::Utf8Path) -> Result<()> {
        self.expect_lock()?;
        if disk::entry(from)? == Entry::Missing {
            return Ok(());
        }
        disk::create_dir_all(disk::parent(to))?;
        disk::rename(from, to)
    }

    /// Revokes the recorded removal of a KB, for one architecture or all. Returns `true` if a removal was
    /// recorded.
    pub fn revoke_removal(&mut self, kb: Kb, architecture: Option<Architecture>) -> Result<bool> {
        let MirrorState::Known(mut state) = self.load_state()? else { return Ok(false) };
        let before = state.removed.len();
        let is_meant = |one: &RemovedKb| {
            one.kb == kb
                && (architecture.is_none() || one.architecture.is_none() || one.architecture == architecture)
        };
        state.removed.retain(|one| !is_meant(one));
        if state.removed.len() == before {
            return Ok(false);
        }
        self.save_state(&state)?;
        Ok(true)
    }

    fn known_state(&self) -> Result<StateDocument> {
        self.load_state()?.known().ok_or_else(|| {
            Error::usage(format!("{} is missing, so a removal cannot be recorded", self.layout.state()))
                .hint("restore state.json from a backup, or begin a new one with export --new-lineage or import --accept-lineage")
        })
    }
}
