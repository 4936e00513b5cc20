//! The pool: every file content once, under its SHA-256, read-only.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::Digest as _;

use super::admission::VettedFile;
use super::index::NewDamage;
use super::{Access, Mirror, WriteAccess};
use crate::clock::Time;
use crate::disk::{self, Entry};
use crate::documents::FindingKind;
use crate::error::Result;
use crate::facts::{FileKey, FileProperty};
use crate::update::Sha256;

/// A file that the pool has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PooledFile {
    /// The path of its content.
    pub path: Utf8PathBuf,
    /// Its digest.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub size: u64,
}

/// The run that adds bytes, for records.
#[derive(Debug, Clone, Copy)]
pub struct RunInfo<'a> {
    /// Its command.
    pub command: &'a str,
    /// Its time.
    pub now: Time,
}

/// A file that was admitted to the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmittedFile {
    /// The row of the file. It differs from the requested one if the bytes belong to a file that another row
    /// describes.
    pub key: FileKey,
    /// The path of the damaged bytes that were replaced.
    pub replaced: Option<Utf8PathBuf>,
}

impl<S: Access> Mirror<S> {
    /// Returns the pool's copy of a file: known to the index, not recorded as damaged, and on disk with the
    /// recorded size. Its bytes are not read.
    pub fn pooled_file(&self, key: FileKey) -> Result<Option<PooledFile>> {
        let Some((sha256, size)) = self.index.pool_record(key)? else { return Ok(None) };
        let path = self.layout.pool_file(&sha256);
        let is_present = !self.index.is_damaged(&sha256)? && disk::file_size(&path)? == Some(size);
        Ok(is_present.then_some(PooledFile { path, sha256, size }))
    }

    /// Returns the files of the pool that are not read-only, relative to the mirror. The list is empty on a file
    /// system that does not keep modes, where every file is writable.
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

    /// Returns `true` if the pool has these bytes: known to the index, not recorded as damaged, and on disk with
    /// this size. The bytes are not read. A file that the index does not know counts as absent, because only a
    /// killed run may have compared it.
    pub fn has_in_pool(&self, sha256: &Sha256, size: u64) -> Result<bool> {
        Ok(self.index.is_pooled(sha256)?
            && !self.index.is_damaged(sha256)?
            && disk::file_size(&self.layout.pool_file(sha256))? == Some(size))
    }
}

impl Mirror<WriteAccess> {
    /// Adds a vetted file to the pool and records it with its checks. The file must be under
    /// [`super::Layout::partial`].
    pub fn admit(&mut self, key: FileKey, vetted: &VettedFile<'_>, run: RunInfo<'_>) -> Result<AdmittedFile> {
        let replaced = self.place_in_pool(vetted, run)?;
        let digests = vetted.digests();
        let path = self.layout.portable(&self.layout.pool_file(&digests.sha256));
        let key = self.index.in_transaction(|index| {
            index.clear_damage(&path)?;
            index.record_pooled(key, digests, vetted.checks(), run.now)
        })?;
        Ok(AdmittedFile { key, replaced })
    }

    /// Moves a vetted file to its path in the pool; the index records it later. An existing file keeps the path
    /// only if it is read again and has the same bytes. Otherwise it is moved to `quarantine/` as evidence, and
    /// its new path is returned.
    ///
    /// Before damaged or missing bytes are replaced, the set folders made of them are recorded as damaged. After a
    /// kill, the next run builds these folders again.
    pub fn place_in_pool(
        &mut self,
        vetted: &VettedFile<'_>,
        run: RunInfo<'_>,
    ) -> Result<Option<Utf8PathBuf>> {
        self.expect_lock()?;
        let (partial, digests) = (vetted.path(), vetted.digests());
        let path = self.layout.pool_file(&digests.sha256);
        disk::create_dir_all(disk::parent(&path))?;
        let there = disk::entry(&path)?;
        let is_sound = matches!(there, Entry::File(size) if size == digests.size)
            && !self.index.is_damaged(&digests.sha256)?
            && sha256_of(&path).is_ok_and(|found| found == digests.sha256);
        if is_sound {
            // The same bytes under another name or from another URL, or bytes of a run that was killed before it
            // made them read-only.
            disk::set_read_only(&path)?;
            disk::remove_file(partial)?;
            return Ok(None);
        }
        if there != Entry::Missing || self.index.is_pooled(&digests.sha256)? {
            self.record_folder_damage(&digests.sha256, run)?;
        }
        let replaced = match there {
            Entry::Missing => None,
            _ => Some(self.quarantine_damaged(&path, &digests.sha256, run.now)?),
        };
        // Rename first: a run killed in between leaves a writable pool file, which this function repairs later.
        // The other order could leave a read-only partial file that a later run cannot open.
        disk::rename(partial, &path)?;
        disk::set_read_only(&path)?;
        Ok(replaced)
    }

    /// Records the copies of a file in the published set folders as damaged, before the pool file is replaced.
    fn record_folder_damage(&mut self, sha256: &Sha256, run: RunInfo<'_>) -> Result<()> {
        let known: BTreeSet<Utf8PathBuf> =
            self.index.damage()?.into_iter().map(|damage| damage.path).collect();
        let mut damaged = Vec::new();
        for set in self.index.published_sets_of_file(sha256)? {
            let folder = self.folder_of(&set)?;
            for (member, name) in set.members.iter().zip(&folder.names) {
                let path = self.layout.portable(&folder.file(name));
                if member.file.sha256 == Some(*sha256) && !known.contains(&path) {
                    damaged.push(NewDamage {
                        path,
                        kb: Some(set.kb),
                        folder: Some(set.folder.clone()),
                        sha256: Some(*sha256),
                        kind: FindingKind::Digest,
                        message: "the pool file was damaged or missing".to_owned(),
                    });
                }
            }
        }
        self.index.in_transaction(|index| {
            damaged.iter().try_for_each(|damage| index.record_damage(damage, run.command, run.now))
        })
    }

    /// Moves the entry at the path of a pool file to quarantine.
    fn quarantine_damaged(&self, path: &Utf8Path, sha256: &Sha256, now: Time) -> Result<Utf8PathBuf> {
        let folder = self.layout.quarantine();
        disk::create_dir_all(&folder)?;
        let first = folder.join(format!("{sha256}.damaged"));
        let later = (2_u32..).map(|number| folder.join(format!("{sha256}.damaged-{number}")));
        let kept = std::iter::once(first).chain(later).find(|path| !disk::exists(path)).unwrap_or_default();
        disk::rename(path, &kept)?;
        disk::set_modified(&kept, now);
        Ok(kept)
    }

    /// Moves rejected bytes to quarantine, where they stay for a while. `differs` is `None` if the container is
    /// wrong, which is not one of the compared properties.
    pub fn quarantine(
        &self,
        partial: &Utf8Path,
        sha256: &Sha256,
        differs: Option<FileProperty>,
        now: Time,
    ) -> Result<Utf8PathBuf> {
        let folder = self.layout.quarantine();
        disk::create_dir_all(&folder)?;
        let what = differs.map_or("container", FileProperty::as_str);
        let path = folder.join(format!("{sha256}.{what}-differs"));
        disk::rename(partial, &path)?;
        disk::set_modified(&path, now);
        Ok(path)
    }
}

/// Returns the SHA-256 of a complete file.
pub(super) fn sha256_of(path: &Utf8Path) -> Result<Sha256> {
    let mut hasher = sha2::Sha256::new();
    disk::read_in_pieces(path, |piece| hasher.update(piece))?;
    Ok(Sha256::from_bytes(hasher.finalize().into()))
}
