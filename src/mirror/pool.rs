//! The pool: every file's bytes once, under their SHA-256, read-only.

use camino::{Utf8Path, Utf8PathBuf};

use super::Mirror;
use super::index::Check;
use crate::disk;
use crate::error::Result;
use crate::resolve::FileKey;
use crate::update::{Digests, Sha256};

/// A file that the pool has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pooled {
    /// Its bytes.
    pub path: Utf8PathBuf,
    /// Its digest.
    pub sha256: Sha256,
    /// How many bytes there are.
    pub size: u64,
}

impl Mirror {
    /// Returns the pool's copy of a file: known to the index, not recorded as damaged, and on disk with the size that it should
    /// have. Its bytes are not read.
    pub fn pooled(&self, key: FileKey) -> Result<Option<Pooled>> {
        let Some((sha256, size)) = self.index.pooled_as(key)? else { return Ok(None) };
        let path = self.layout.pool_file(&sha256);
        let whole = !self.index.is_damaged(&sha256)? && disk::file_size(&path)? == Some(size);
        Ok(whole.then_some(Pooled { path, sha256, size }))
    }

    /// Takes a finished, synced, and checked file into the pool. `partial` must lie under [`super::Layout::partial`].
    pub fn admit(
        &mut self,
        key: FileKey,
        partial: &Utf8Path,
        digests: &Digests,
        checks: &[Check],
        now: i64,
    ) -> Result<FileKey> {
        self.place_in_pool(partial, digests)?;
        self.index.in_transaction(|index| index.record_pooled(key, digests, checks, now))
    }

    /// Gives a finished, synced, and checked file its place in the pool; the index learns of it later.
    pub fn place_in_pool(&self, partial: &Utf8Path, digests: &Digests) -> Result<()> {
        debug_assert!(self.is_locked(), "only the holder of the lock writes");
        let path = self.layout.pool_file(&digests.sha256);
        disk::create_dir_all(disk::parent(&path))?;
        if disk::file_size(&path)? == Some(digests.size) {
            // The same bytes are here already, under another name or from another address.
            return disk::remove_file(partial);
        }
        disk::set_read_only(partial)?;
        disk::rename(partial, &path)
    }

    /// Moves bytes that are not what they should be out of the way. They are kept: somebody may want to look.
    pub fn quarantine(&self, partial: &Utf8Path, sha256: &Sha256, why: &str) -> Result<Utf8PathBuf> {
        let folder = self.layout.quarantine();
        disk::create_dir_all(&folder)?;
        let path = folder.join(format!("{sha256}.{why}"));
        disk::rename(partial, &path)?;
        Ok(path)
    }
}
