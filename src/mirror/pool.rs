//! The pool: every file's bytes once, under their SHA-256, read-only.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::Digest as _;

use super::admission::Vetted;
use super::index::NewDamage;
use super::{Access, Mirror, Writing};
use crate::clock::Time;
use crate::disk::{self, Entry};
use crate::documents::FindingKind;
use crate::error::Result;
use crate::facts::{Checked, FileKey};
use crate::update::Sha256;

/// A file that the pool has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pooled {
    /// Its bytes.
    pub path: Utf8PathBuf,
    /// Its digest.
    pub sha256: Sha256,
    /// Its bytes.
    pub size: u64,
}

/// The run that brings bytes, as records name it.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Its command.
    pub command: &'a str,
    /// Its time.
    pub now: Time,
}

/// A file that was taken into the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The file; the bytes may have turned out to be one that is known under another row.
    pub key: FileKey,
    /// The place of the damaged bytes that it replaced.
    pub replaced: Option<Utf8PathBuf>,
}

impl<S: Access> Mirror<S> {
    /// Returns the pool's copy of a file: known to the index, not recorded as damaged, and on disk with the size that it should
    /// have. Its bytes are not read.
    pub fn pooled(&self, key: FileKey) -> Result<Option<Pooled>> {
        let Some((sha256, size)) = self.index.pooled_as(key)? else { return Ok(None) };
        let path = self.layout.pool_file(&sha256);
        let whole = !self.index.is_damaged(&sha256)? && disk::file_size(&path)? == Some(size);
        Ok(whole.then_some(Pooled { path, sha256, size }))
    }

    /// Returns the files of the pool that are not read-only, relative to the mirror. None on a file system that does not keep
    /// modes: there, every file is writable.
    pub fn writable_files(&self) -> Result<Vec<Utf8PathBuf>> {
        let paths: Vec<Utf8PathBuf> =
            self.index.pool()?.iter().map(|(_, sha256, _)| self.layout.pool_file(sha256)).collect();
        let present: Vec<&Utf8PathBuf> = paths.iter().filter(|path| disk::exists(path)).collect();
        let writable: Vec<Utf8PathBuf> = present
            .iter()
            .filter(|path| disk::is_writable(path))
            .map(|path| self.layout.portable(path))
            .collect();
        Ok(if writable.len() == present.len() { Vec::new() } else { writable })
    }

    /// Returns `true` if the pool has these bytes: known to the index, not recorded as damaged, and on disk with this size. They
    /// are not read. Of what the index does not know, nothing was ever compared but perhaps by a run that was killed.
    pub fn has_in_pool(&self, sha256: &Sha256, size: u64) -> Result<bool> {
        Ok(self.index.is_pooled(sha256)?
            && !self.index.is_damaged(sha256)?
            && disk::file_size(&self.layout.pool_file(sha256))? == Some(size))
    }
}

impl Mirror<Writing> {
    /// Takes a vetted file into the pool, and records it with what was compared. The file must lie under [`super::Layout::partial`].
    pub fn admit(&mut self, key: FileKey, vetted: &Vetted<'_>, run: Run<'_>) -> Result<Admitted> {
        let replaced = self.place_in_pool(vetted, run)?;
        let digests = vetted.digests();
        let path = self.layout.portable(&self.layout.pool_file(&digests.sha256));
        let key = self.index.in_transaction(|index| {
            index.clear_damage(&path)?;
            index.record_pooled(key, digests, vetted.checks(), run.now)
        })?;
        Ok(Admitted { key, replaced })
    }

    /// Gives a vetted file its place in the pool; the index learns of it later. The checked bytes are never
    /// given up for what lies there: that stays only where it is read again and is the same. Otherwise it is kept aside as
    /// evidence, and its new path is returned.
    ///
    /// Set folders that were made of bytes that were damaged or missing are recorded as damaged before those are replaced, so that
    /// they are made again also when this run is killed in between.
    pub fn place_in_pool(&mut self, vetted: &Vetted<'_>, run: Run<'_>) -> Result<Option<Utf8PathBuf>> {
        self.expect_lock()?;
        let (partial, digests) = (vetted.path(), vetted.digests());
        let path = self.layout.pool_file(&digests.sha256);
        disk::create_dir_all(disk::parent(&path))?;
        let there = disk::entry(&path)?;
        let is_sound = matches!(there, Entry::File(size) if size == digests.size)
            && !self.index.is_damaged(&digests.sha256)?
            && sha256_of(&path).is_ok_and(|found| found == digests.sha256);
        if is_sound {
            // The same bytes, under another name or from another URL; or those of a run that was killed before it took the
            // right to write from them.
            disk::set_read_only(&path)?;
            disk::remove_file(partial)?;
            return Ok(None);
        }
        if there != Entry::Nothing || self.index.is_pooled(&digests.sha256)? {
            self.doubt_folders_of(&digests.sha256, run)?;
        }
        let replaced = match there {
            Entry::Nothing => None,
            _ => Some(self.set_aside(&path, &digests.sha256, run.now)?),
        };
        // In this order: a run that is killed in between leaves a file of the pool that this function sets right, and never a
        // partial file that no later run can open.
        disk::rename(partial, &path)?;
        disk::set_read_only(&path)?;
        Ok(replaced)
    }

    /// Records the copies of a file in the published set folders as damaged: what they were made of is about to be replaced.
    fn doubt_folders_of(&mut self, sha256: &Sha256, run: Run<'_>) -> Result<()> {
        let known: BTreeSet<Utf8PathBuf> =
            self.index.damage()?.into_iter().map(|damage| damage.path).collect();
        let mut doubted = Vec::new();
        for set in self.index.published_sets_of_file(sha256)? {
            let folder = self.folder_of(&set)?;
            for (member, name) in set.members.iter().zip(&folder.names) {
                let path = self.layout.portable(&folder.file(name));
                if member.file.sha256 == Some(*sha256) && !known.contains(&path) {
                    doubted.push(NewDamage {
                        path,
                        kb: Some(set.kb),
                        folder: Some(set.folder.clone()),
                        sha256: Some(*sha256),
                        kind: FindingKind::Digest,
                        message: "its file in the pool was damaged or missing".to_owned(),
                    });
                }
            }
        }
        self.index.in_transaction(|index| {
            doubted.iter().try_for_each(|damage| index.record_damage(damage, run.command, run.now))
        })
    }

    /// Moves what lies in the place of a pool file into quarantine, whatever it is.
    fn set_aside(&self, path: &Utf8Path, sha256: &Sha256, now: Time) -> Result<Utf8PathBuf> {
        let folder = self.layout.quarantine();
        disk::create_dir_all(&folder)?;
        let first = folder.join(format!("{sha256}.damaged"));
        let later = (2_u32..).map(|number| folder.join(format!("{sha256}.damaged-{number}")));
        let kept = std::iter::once(first).chain(later).find(|path| !disk::exists(path)).unwrap_or_default();
        disk::rename(path, &kept)?;
        disk::set_modified(&kept, now);
        Ok(kept)
    }

    /// Moves bytes that are not what they should be into quarantine, where they stay for a while. `None` stands for the
    /// container, which is not one of the compared properties.
    pub fn quarantine(
        &self,
        partial: &Utf8Path,
        sha256: &Sha256,
        differs: Option<Checked>,
        now: Time,
    ) -> Result<Utf8PathBuf> {
        let folder = self.layout.quarantine();
        disk::create_dir_all(&folder)?;
        let what = differs.map_or("container", Checked::as_str);
        let path = folder.join(format!("{sha256}.{what}-differs"));
        disk::rename(partial, &path)?;
        disk::set_modified(&path, now);
        Ok(path)
    }
}

/// Returns the SHA-256 of a whole file.
pub(super) fn sha256_of(path: &Utf8Path) -> Result<Sha256> {
    let mut hasher = sha2::Sha256::new();
    disk::read_in_pieces(path, |piece| hasher.update(piece))?;
    Ok(Sha256::from_bytes(hasher.finalize().into()))
}
