//! Replaces the published folder of a KB. Readers see the old state or the new one, never a mix.
//!
//! - The complete folder of the KB is built under `partial/`: the sets that stay, the new set, and the views. Then
//!   the old and the new folder are exchanged in one atomic step where the system supports it. Elsewhere the old
//!   folder is renamed away and the new one takes its name.
//! - The old folder stays under `partial/replaced-…` until the next run that writes, so that a reader with open
//!   files can finish.
//! - Unknown files of the old folder are moved into the new one or are kept as evidence ([`super::discard`]). A
//!   view that was changed from outside is kept as evidence.
//! - The index records "publishing" and the new views before the exchange. After a kill at any point, the next run
//!   completes the work.
//!
//! A file system without hard links does not use this path, because the sets that stay would have to be copied.

use camino::{Utf8Path, Utf8PathBuf};

use super::evidence::{EvidenceEntry, EvidenceReason};
use super::index::{PublishState, SetRow};
use super::view_record::ViewRecord;
use super::view_state::{ViewState, view_state};
use super::{Mirror, WriteAccess};
use crate::clock::Time;
use crate::disk::{self, Entry, NewFile, PieceReader};
use crate::error::Result;
use crate::facts::SetFolder;
use crate::servicing::Knowledge;
use crate::update::Kb;
use crate::views::KbViews;

/// A folder under `partial/` that a publication created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PublicationLeftover {
    /// A folder of a KB that is being built, or the old folder right after the exchange.
    Exchange(Kb),
    /// A set folder that is being built. The program wrote every file in it.
    Stage,
    /// The folder of a KB that was replaced, with the number of its replacement.
    Replaced(Kb, u32),
    /// A set folder that was renamed away.
    ReplacedSet(Kb, SetFolder),
}

impl PublicationLeftover {
    /// Parses a name, or returns `None` if no publication uses such a name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (word, rest) = name.split_once('-')?;
        let (kb, more) = rest.split_once('-').map_or((rest, None), |(kb, more)| (kb, Some(more)));
        let kb = kb.parse().ok()?;
        match (word, more) {
            ("publish", None) => Some(Self::Exchange(kb)),
            ("publish", Some(_)) => Some(Self::Stage),
            ("replaced", Some(more)) => match more.parse() {
                Ok(number) => Some(Self::Replaced(kb, number)),
                Err(_) => SetFolder::new(more).ok().map(|folder| Self::ReplacedSet(kb, folder)),
            },
            _ => None,
        }
    }
}

impl Mirror<WriteAccess> {
    /// Publishes a set that was staged under `partial/` into the existing folder of its KB. The index must say
    /// "publishing" already.
    pub(super) fn exchange(
        &mut self,
        set: &SetRow,
        staged: &Utf8Path,
        old_folders: &[SetFolder],
        knowledge: &Knowledge,
        now: Time,
    ) -> Result<()> {
        let (kb, name, id) = (set.kb, &set.folder, set.id);
        let place = self.layout.kb(kb);
        let tree = self.layout.partial().join(format!("publish-{kb}"));
        // After a run that ended right after the exchange, this path is the old folder.
        self.discard_kb_folder(kb, &tree, old_folders)?;
        disk::create_dir_all(&tree)?;
        let stay = self.remaining_sets(kb, name, old_folders)?;
        for folder in &stay {
            copy_links(&place.join(folder), &tree.join(folder))?;
        }
        disk::rename(staged, &tree.join(name))?;
        let views = self.index.rehearse(|index| {
            index.set_published(kb, name, id, PublishState::Published, now)?;
            old_folders.iter().try_for_each(|old| index.forget_published(kb, old))?;
            self.kb_views(kb, knowledge)
        })?;
        let mut written = ViewRecord::new(knowledge);
        for (name, text) in views.by_name() {
            written.add(&name, text.as_bytes());
            disk::write_atomic(&tree.join(name), text.as_bytes())?;
        }
        disk::sync_dir(&tree)?;
        let record = self.view_record(kb)?;
        self.keep_changed_views(kb, &views, record.as_ref())?;
        self.save_view_record(kb, &written.merged_with_earlier(record.as_ref()))?;
        let aside = self.free_replaced_path(kb);
        if disk::exchange(&tree, &place)? {
            disk::rename(&tree, &aside)?;
        } else {
            disk::rename(&place, &aside)?;
            disk::rename(&tree, &place)?;
        }
        self.index.in_transaction(|index| {
            // Every file of the new folder was taken from the pool.
            index.clear_damage_of_folder(kb, name)?;
            for old in old_folders {
                index.clear_damage_of_folder(kb, old)?;
                index.forget_published(kb, old)?;
            }
            index.set_published(kb, name, id, PublishState::Published, now)
        })?;
        self.move_unknown_entries(kb, &aside, old_folders)?;
        self.write_views(kb, knowledge).map(drop)
    }

    /// Restores the folder of a KB that an interrupted run had renamed away before the new one took its name.
    pub(super) fn restore_replaced_folders(&self) -> Result<()> {
        let partial = self.layout.partial();
        let mut left: Vec<(Kb, u32, String)> = disk::list(&partial)?
            .into_iter()
            .filter_map(|name| match PublicationLeftover::parse(&name)? {
                PublicationLeftover::Replaced(kb, number) => Some((kb, number, name)),
                _ => None,
            })
            .collect();
        // The highest number is the folder that was in place last.
        left.sort_by(|a, b| b.cmp(a));
        for (kb, _, name) in left {
            if disk::entry(&self.layout.kb(kb))? == Entry::Missing
                && !self.index.published_sets(kb)?.is_empty()
            {
                disk::create_dir_all(&self.layout.kbs())?;
                disk::rename(&partial.join(&name), &self.layout.kb(kb))?;
            }
        }
        Ok(())
    }

    /// Returns the published folders of a KB, except one set, that exist on the disk.
    fn remaining_sets(&self, kb: Kb, name: &SetFolder, old: &[SetFolder]) -> Result<Vec<SetFolder>> {
        let mut stay = Vec::new();
        for (_, folder, ..) in self.index.published_folders(Some(kb))? {
            let is_there = disk::entry(&self.layout.set(kb, &folder))? == Entry::Folder;
            if folder != *name && !old.contains(&folder) && is_there {
                stay.push(folder);
            }
        }
        Ok(stay)
    }

    /// Copies the views that were changed from outside to `quarantine/`.
    fn keep_changed_views(&mut self, kb: Kb, views: &KbViews, record: Option<&ViewRecord>) -> Result<()> {
        let mut paths: Vec<(Utf8PathBuf, Option<&str>)> =
            views.by_name().map(|(name, text)| (self.layout.kb(kb).join(name), Some(text))).collect();
        paths.extend(self.other_scripts(kb, views)?.into_iter().map(|path| (path, None)));
        for (path, made) in paths {
            let reason = match view_state(&path, made, record)? {
                ViewState::Changed | ViewState::NotAFile | ViewState::Unreadable => EvidenceReason::Changed,
                // Without a record, the earlier text is from an older version or an older index.
                ViewState::Unrecorded => EvidenceReason::Unrecorded,
                ViewState::Right | ViewState::Missing | ViewState::Outdated => continue,
            };
            let path = self.layout.portable(&path);
            let kept = self.copy_evidence(&path)?;
            self.state.evidence.push(EvidenceEntry { path, kept, reason });
        }
        Ok(())
    }

    /// Returns a free name under `partial/` for a replaced folder: one KB may be replaced several times in a run.
    fn free_replaced_path(&self, kb: Kb) -> Utf8PathBuf {
        let place = |number: u32| self.layout.partial().join(format!("replaced-{kb}-{number}"));
        (1..=u32::MAX).map(place).find(|path| !disk::exists(path)).unwrap_or_default()
    }
}

/// Creates a folder with links to the files of another one. Subfolders are included, so that [`Mirror::is_intact`]
/// still finds them.
fn copy_links(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    disk::create_dir_all(to)?;
    for name in disk::list(from)? {
        let path = from.join(&name);
        match disk::entry(&path)? {
            Entry::File(_) => {
                if !disk::link(&path, &to.join(&name))? {
                    copy_file(&path, &to.join(&name))?;
                }
            }
            Entry::Folder => copy_links(&path, &to.join(&name))?,
            Entry::Other | Entry::Missing => {}
        }
    }
    disk::sync_dir(to)
}

/// Copies a file that already has the maximum number of links of its file system.
fn copy_file(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    let mut new = NewFile::create_new(to)?;
    let mut pieces = PieceReader::open_regular(from)?;
    while pieces.read_next()? {
        new.write(pieces.piece())?;
    }
    let path = new.finish()?;
    // Read-only, like the pool's own file. Failure is ignored: a file system without modes keeps the bytes.
    let _without_modes = disk::set_read_only(&path);
    Ok(())
}
