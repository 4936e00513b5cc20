//! Bytes that leave the pool: every byte is hashed when it is handed out.
//!
//! A link is hashed through its new name, a copy during the copy. Bytes that differ are removed again and the pool
//! file is read once more. If it differs again, it is recorded as damaged. Published folders are the exception: a
//! link to a pool file is created without reading it, because both names are the same file and `verify` reads it
//! once for both.

use std::collections::BTreeSet;
use std::fmt;

use camino::Utf8Path;
use sha2::Digest as _;

use super::entry_fault::entry_fault;
use super::index::{Damage, NewDamage};
use super::pool::{PooledFile, RunInfo, sha256_of};
use super::{Access, Mirror};
use crate::disk::{self, Entry, NewFile, PieceReader};
use crate::documents::FindingKind;
use crate::error::{Error, ErrorKind, Result};
use crate::facts::FileKey;
use crate::update::Sha256;

/// The reasons for the absence of a file from the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// The pool never had the file.
    Unknown,
    /// The file is recorded as damaged or missing, with the finding, its time, and its command.
    Damaged(Damage),
}

impl fmt::Display for Absence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => formatter.write_str("not in the pool"),
            Self::Damaged(damage) => {
                write!(formatter, "{}, found by {} at {}", damage.message, damage.found_by, damage.found)
            }
        }
    }
}

impl<S: Access> Mirror<S> {
    /// Returns a file that the index has in the pool, or the reason for its absence. A file that is missing on the
    /// disk or has another size is a fault of the mirror: the fault is recorded, and the error names it.
    pub fn expect_pooled(
        &self,
        key: FileKey,
        name: &str,
        run: RunInfo<'_>,
    ) -> Result<std::result::Result<PooledFile, Absence>> {
        if let Some(pooled) = self.pooled_file(key)? {
            return Ok(Ok(pooled));
        }
        let Some((sha256, size)) = self.index.pool_record(key)? else { return Ok(Err(Absence::Unknown)) };
        let path = self.layout.portable(&self.layout.pool_file(&sha256));
        if let Some(damage) = self.index.damage()?.into_iter().find(|damage| damage.path == path) {
            return Ok(Err(Absence::Damaged(damage)));
        }
        let entry = disk::entry(&self.layout.pool_file(&sha256));
        let Some((kind, message)) = entry_fault(entry, size) else { return Ok(Err(Absence::Unknown)) };
        Err(self.damaged(name, self.damage_in_pool(sha256, kind, message), run)?)
    }

    /// Creates a new name for a pool file, as a link where the file system supports it, and hashes every byte. If
    /// the bytes are wrong, removes the new name and records the damage.
    pub fn hand_out(&self, pooled: &PooledFile, to: &Utf8Path, run: RunInfo<'_>) -> Result<()> {
        let found = if disk::link(&pooled.path, to)? { sha256_of(to) } else { copy(&pooled.path, to)? };
        self.verify_handed_out(pooled, &found, to, run)
    }

    /// Puts a file of the pool into a set folder. A link is not read; a copy is hashed.
    pub(super) fn put_into_folder(&self, pooled: &PooledFile, to: &Utf8Path, run: RunInfo<'_>) -> Result<()> {
        if disk::link(&pooled.path, to)? {
            return Ok(());
        }
        let found = copy(&pooled.path, to)?;
        self.verify_handed_out(pooled, &found, to, run)
    }

    fn verify_handed_out(
        &self,
        pooled: &PooledFile,
        found: &Result<Sha256>,
        to: &Utf8Path,
        run: RunInfo<'_>,
    ) -> Result<()> {
        if found.as_ref().is_ok_and(|found| *found == pooled.sha256) {
            return Ok(());
        }
        disk::remove_file(to)?;
        let name = to.file_name().unwrap_or_default();
        let path = self.layout.portable(&pooled.path);
        let (kind, message) = match sha256_of(&pooled.path) {
            Ok(again) if again == pooled.sha256 => {
                let message = format!(
                    "cannot hand out {name}: {path} was damaged on the first reading and sound on the second"
                );
                return Err(Error::new(ErrorKind::Integrity, message)
                    .hint("check disk, cable, and memory of this machine; then run the command again"));
            }
            Ok(again) => (FindingKind::Digest, format!("SHA-256 is {again} instead of {}", pooled.sha256)),
            Err(_) if disk::entry(&pooled.path)? == Entry::Missing => {
                (FindingKind::Missing, "missing".to_owned())
            }
            Err(error) => (FindingKind::Unreadable, error.full_message()),
        };
        Err(self.damaged(name, self.damage_in_pool(pooled.sha256, kind, message), run)?)
    }

    /// Records damage of the pool and returns the error that names it.
    fn damaged(&self, name: &str, damage: NewDamage, run: RunInfo<'_>) -> Result<Error> {
        let message = format!("{name} is damaged: {}: {}", damage.path, damage.message);
        let error = Error::new(ErrorKind::Integrity, message);
        let sets = damage.sha256.map(|sha256| self.index.published_sets_of_file(&sha256)).transpose()?;
        let kbs: BTreeSet<String> = sets.iter().flatten().map(|set| set.kb.to_string()).collect();
        let error = match self.record_damage(&[damage], run.command, run.now) {
            Ok(()) => error,
            Err(why) => error.hint(format!(
                "run kbmirror verify later; the damage was not recorded: {}",
                why.full_message()
            )),
        };
        let kbs: Vec<String> = kbs.into_iter().collect();
        Ok(if kbs.is_empty() { error } else { error.hint(self.side()?.advise_repair(kbs.join(" "))) })
    }
}

/// Copies a file to a name that does not exist yet, and returns the SHA-256 of the bytes read. A read error is the
/// inner error, a write error the outer one.
fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<Result<Sha256>> {
    let mut new = NewFile::create_new(to)?;
    let mut hasher = sha2::Sha256::new();
    let mut pieces = match PieceReader::open(from) {
        Ok(pieces) => pieces,
        Err(error) => return Ok(Err(error)),
    };
    loop {
        match pieces.read_next() {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Ok(Err(error)),
        }
        hasher.update(pieces.piece());
        new.write(pieces.piece())?;
    }
    new.finish()?;
    // Read-only, like the pool's own file. Failure is ignored: a file system without modes keeps the bytes.
    let _without_modes = disk::set_read_only(to);
    Ok(Ok(Sha256::from_bytes(hasher.finalize().into())))
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    #[test]
    fn copy_is_hashed_and_separates_read_from_write_errors() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        let (from, to) = (folder.join("from"), folder.join("to"));
        disk::write_atomic(&from, &vec![7; 600_000]).unwrap();
        let found = copy(&from, &to).unwrap().unwrap();
        assert_eq!(found, sha256_of(&from).unwrap());
        assert_eq!(found, sha256_of(&to).unwrap());
        // A read error is the mirror's fault, a write error is not.
        assert!(copy(&folder.join("missing"), &folder.join("other")).unwrap().is_err());
        assert!(copy(&from, &folder).is_err());
    }
}
