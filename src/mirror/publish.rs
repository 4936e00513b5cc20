//! Publishes a package set as a folder, atomically.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::exchange::PublicationLeftover;
use super::index::{PublishState, SetRow};
use super::pool::RunInfo;
use super::{Access, Mirror, WriteAccess};
use crate::clock::Time;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::facts::{PlainName, SetFolder, distinct_names};
use crate::servicing::Knowledge;
use crate::update::Kb;

/// The effect of publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishOutcome {
    /// The folder is new, or its content changed.
    Published,
    /// The folder was already right.
    Unchanged,
}

/// A published folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFolder {
    /// The path of the folder.
    pub path: Utf8PathBuf,
    /// The names of its files, in the order of the set.
    pub names: Vec<PlainName>,
}

impl PublishedFolder {
    /// Returns the path of a file in the folder.
    pub fn file(&self, name: &PlainName) -> Utf8PathBuf {
        self.path.join(name)
    }

    /// Returns `true` if a file of this name belongs in the folder.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| *own == *name)
    }
}

impl<S: Access> Mirror<S> {
    /// Returns the existing or future folder of a set. A name that the name policy refuses is an error.
    pub fn folder_of(&self, set: &SetRow) -> Result<PublishedFolder> {
        let files = set.members.iter().map(|member| (member.file.name.as_str(), member.file.digest_or_key()));
        let names = distinct_names(files).map_err(|(name, fault)| {
            Error::new(
                ErrorKind::Integrity,
                format!("the file name {name:?} of {} is refused: {fault}", set.kb),
            )
        })?;
        Ok(PublishedFolder { path: self.layout.set(set.kb, &set.folder), names })
    }

    /// Returns `true` if the folder of a set has exactly its files, each with the recorded size, and has no
    /// recorded damage. No file content is read.
    pub fn is_intact(&self, set: &SetRow) -> Result<bool> {
        let folder = self.folder_of(set)?;
        if self.index.publication_of(set.kb, &set.folder)? != Some((set.id, PublishState::Published)) {
            return Ok(false);
        }
        if self.index.is_folder_damaged(set.kb, &set.folder)? {
            return Ok(false);
        }
        let found = disk::list(&folder.path)?;
        if found.len() != folder.names.len() || !found.iter().all(|name| folder.has(name)) {
            return Ok(false);
        }
        for (member, name) in set.members.iter().zip(&folder.names) {
            if member.file.sha256.map_or(Ok(false), |sha256| self.index.is_damaged(&sha256))? {
                return Ok(false);
            }
            let size = disk::file_size(&folder.file(name))?;
            if size.is_none() || size != member.file.size {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns `true` if every file of a set is in the pool, according to the index and the sizes on the disk.
    pub fn is_completely_pooled(&self, set: &SetRow) -> bool {
        let is_pooled = |key| matches!(self.pooled_file(key), Ok(Some(_)));
        set.members.iter().all(|member| member.file.key.is_some_and(is_pooled))
    }
}

impl Mirror<WriteAccess> {
    /// Publishes a set whose files are all in the pool, and writes the views of its KB with this knowledge.
    pub fn publish(
        &mut self,
        set: &SetRow,
        knowledge: &Knowledge,
        now: Time,
    ) -> Result<(PublishOutcome, PublishedFolder)> {
        self.expect_lock()?;
        let folder = self.folder_of(set)?;
        if self.is_intact(set)? {
            self.write_views(set.kb, knowledge)?;
            return Ok((PublishOutcome::Unchanged, folder));
        }
        let staged = self.stage(set, &folder, now)?;
        let (kb, name, id) = (set.kb, &set.folder, set.id);
        let was_pending = self.index.has_pending_views()?;
        self.index.in_transaction(|index| {
            index.set_published(kb, name, id, PublishState::Publishing, now)?;
            index.mark_views_pending()
        })?;
        disk::create_dir_all(&self.layout.kb(kb))?;
        let old_folders: Vec<SetFolder> =
            self.index.folders_of(id)?.into_iter().filter(|old| old != name).collect();
        let replaces = disk::exists(&folder.path) || !old_folders.is_empty();
        if replaces && disk::supports_links(&self.layout.partial())? {
            self.exchange(set, &staged, &old_folders, knowledge, now)?;
            self.mark_views_current_unless(was_pending)?;
            return Ok((PublishOutcome::Published, folder));
        }
        let aside = self.replaced_path(kb, name);
        self.discard_set_folder(kb, name, &aside)?;
        if disk::exists(&folder.path) {
            disk::rename(&folder.path, &aside)?;
        }
        disk::rename(&staged, &folder.path)?;
        self.index.in_transaction(|index| {
            // Every file of the new folder was taken from the pool.
            index.clear_damage_of_folder(kb, name)?;
            index.set_published(kb, name, id, PublishState::Published, now)
        })?;
        self.discard_set_folder(kb, name, &aside)?;
        // The set may have had another folder name, before a second set of its family made a suffix necessary.
        for old in old_folders {
            let aside = self.replaced_path(kb, &old);
            self.discard_set_folder(kb, &old, &aside)?;
            let path = self.layout.set(kb, &old);
            if disk::exists(&path) {
                disk::rename(&path, &aside)?;
            }
            self.index.in_transaction(|index| index.forget_published(kb, &old))?;
            self.discard_set_folder(kb, &old, &aside)?;
        }
        self.write_views(kb, knowledge)?;
        self.mark_views_current_unless(was_pending)?;
        Ok((PublishOutcome::Published, folder))
    }

    /// Records that the views of the published KB are current, unless views of other KBs were already pending.
    fn mark_views_current_unless(&mut self, was_pending: bool) -> Result<()> {
        if was_pending { Ok(()) } else { self.index.mark_views_current() }
    }

    /// Builds the complete folder under `partial/`.
    fn stage(&self, set: &SetRow, folder: &PublishedFolder, now: Time) -> Result<Utf8PathBuf> {
        let staged = self.layout.partial().join(format!("publish-{}-{}", set.kb, set.folder));
        disk::remove_dir_all(&staged)?;
        disk::create_dir_all(&staged)?;
        for (member, name) in set.members.iter().zip(&folder.names) {
            let pooled = match member.file.key {
                Some(key) => self.pooled_file(key)?,
                None => None,
            };
            let Some(pooled) = pooled else {
                let message = format!("cannot publish a set of {}: {name} is not in the pool", set.kb);
                return Err(Error::new(ErrorKind::Incomplete, message));
            };
            self.put_into_folder(&pooled, &staged.join(name), RunInfo { command: "publish", now })?;
        }
        disk::sync_dir(&staged)?;
        Ok(staged)
    }

    /// Rebuilds the set folders that are recorded as damaged, if all their files are in the pool, and returns
    /// them. The others stay recorded as damaged.
    pub fn rebuild_damaged_folders(&mut self, knowledge: &Knowledge, now: Time) -> Result<Vec<SetRow>> {
        let folders: BTreeSet<(Kb, SetFolder)> = (self.index.damage()?.into_iter())
            .filter_map(|damage| Some((damage.kb?, damage.folder?)))
            .collect();
        let mut healed = Vec::new();
        for (kb, folder) in folders {
            let Some((id, PublishState::Published)) = self.index.publication_of(kb, &folder)? else {
                continue;
            };
            let Some(set) = self.index.set(id)?.filter(|set| set.folder == folder) else { continue };
            if self.is_completely_pooled(&set) {
                self.publish(&set, knowledge, now)?;
                healed.push(set);
            }
        }
        Ok(healed)
    }

    fn replaced_path(&self, kb: Kb, folder: &SetFolder) -> Utf8PathBuf {
        self.layout.partial().join(format!("replaced-{kb}-{folder}"))
    }

    /// Repairs the state after a crash. A folder with an interrupted publication is published again if its files
    /// are in the pool, and is forgotten otherwise. Entries under `partial/` belong to a process that ended.
    /// Returns the rewritten views.
    pub(super) fn recover_interrupted_work(
        &mut self,
        knowledge: &Knowledge,
        now: Time,
    ) -> Result<Vec<Utf8PathBuf>> {
        let mut rewritten = Vec::new();
        self.restore_replaced_folders()?;
        self.finish_forgetting(knowledge)?;
        for (kb, folder, set) in self.index.interrupted_publications()? {
            let row = self.index.set(set)?;
            let is_complete = row.as_ref().is_some_and(|row| self.is_completely_pooled(row));
            match row {
                Some(row) if is_complete && row.folder == folder => {
                    self.publish(&row, knowledge, now)?;
                }
                _ => {
                    let path = self.layout.set(kb, &folder);
                    let aside = self.replaced_path(kb, &folder);
                    if !disk::exists(&path) && disk::exists(&aside) {
                        disk::rename(&aside, &path)?;
                    }
                    self.index.in_transaction(|index| index.forget_published(kb, &folder))?;
                    rewritten.extend(self.write_views(kb, knowledge)?);
                }
            }
        }
        let partial = self.layout.partial();
        let names = disk::list(&partial)?;
        for name in &names {
            let path = partial.join(name);
            let is_orphan = name.strip_suffix(".json").is_some_and(|of| !names.iter().any(|own| own == of));
            if name == "repair-file" {
                disk::remove_file(&path)?;
            } else if let Some(left) = PublicationLeftover::parse(name) {
                match left {
                    PublicationLeftover::Exchange(kb) | PublicationLeftover::Replaced(kb, _) => {
                        self.discard_kb_folder(kb, &path, &[])?;
                    }
                    PublicationLeftover::ReplacedSet(kb, folder) => {
                        self.discard_set_folder(kb, &folder, &path)?;
                    }
                    PublicationLeftover::Stage => disk::remove_dir_all(&path)?,
                }
            } else if is_orphan || name.starts_with(disk::TEMPORARY_PREFIX) {
                // Metadata of a file that has arrived, or a temporary file that was never renamed.
                disk::remove_file(&path)?;
            }
        }
        remove_temporary_files(self.layout.root())?;
        for name in disk::list(&self.layout.kbs())? {
            let Ok(kb) = name.parse::<Kb>() else { continue };
            let had_temporary_files = remove_temporary_files(&self.layout.kb(kb))?;
            let beside = [self.layout.kb_json(kb), self.layout.kb_sums(kb), self.layout.kb_readme(kb)];
            // The run was killed between the folder and the files beside it, or a version without records wrote
            // them.
            let is_known = self.view_record(kb)?.is_some_and(|written| written.is_complete());
            let needs_views =
                had_temporary_files || !is_known || !beside.iter().all(|path| disk::exists(path));
            if needs_views && !self.index.published_sets(kb)?.is_empty() {
                rewritten.extend(self.write_views(kb, knowledge)?);
            }
        }
        if self.index.has_pending_views()? {
            rewritten.extend(self.refresh_views(knowledge)?);
        }
        Ok(rewritten)
    }
}

/// Removes temporary files of a killed run from a folder. Returns `true` if any existed. The caller holds the
/// lock.
fn remove_temporary_files(folder: &Utf8Path) -> Result<bool> {
    let mut any = false;
    for name in disk::list(folder)?.into_iter().filter(|name| name.starts_with(disk::TEMPORARY_PREFIX)) {
        disk::remove_file(&folder.join(name))?;
        any = true;
    }
    Ok(any)
}
