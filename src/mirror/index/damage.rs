//! The damage recorded in the index: paths of the mirror that do not have the right content.
//!
//! Rows are recorded by [`Mirror::record_damage`](crate::mirror::Mirror::record_damage) and by the runs that
//! replace bytes. They are cleared when good bytes replace the path, or when a later `verify` finds it sound.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Index, Transaction};
use crate::clock::Time;
use crate::documents::FindingKind;
use crate::error::Result;
use crate::facts::SetFolder;
use crate::update::{Kb, Sha256};

/// A path of the mirror that does not have the right content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    /// The file or folder, relative to the mirror, with `/`.
    pub path: Utf8PathBuf,
    /// The KB whose folder contains the path, or `None` in the pool.
    pub kb: Option<Kb>,
    /// The set folder that contains the path, or that is the path.
    pub folder: Option<SetFolder>,
    /// The digest of the right bytes.
    pub sha256: Option<Sha256>,
    /// The kind of damage.
    pub kind: FindingKind,
    /// The description for people.
    pub message: String,
    /// The time of the first finding.
    pub found: Time,
    /// The command that found it first.
    pub found_by: String,
}

impl Damage {
    /// Returns `true` if it is a file of the pool. Its bytes count as absent everywhere.
    pub fn is_in_pool(&self) -> bool {
        self.kb.is_none() && self.sha256.is_some()
    }
}

/// A new finding that is not in the index yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDamage {
    /// See [`Damage::path`].
    pub path: Utf8PathBuf,
    /// See [`Damage::kb`].
    pub kb: Option<Kb>,
    /// See [`Damage::folder`].
    pub folder: Option<SetFolder>,
    /// See [`Damage::sha256`].
    pub sha256: Option<Sha256>,
    /// See [`Damage::kind`].
    pub kind: FindingKind,
    /// See [`Damage::message`].
    pub message: String,
}

/// Parses the kind of damage. A word of a newer program becomes the most general kind.
fn kind_of(word: &str) -> FindingKind {
    FindingKind::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or(FindingKind::Digest)
}

impl Index {
    /// Returns all recorded damage that is not healed, by path.
    pub fn damage(&self) -> Result<Vec<Damage>> {
        let sql = "SELECT path, kb, folder, sha256, kind, message, found, found_by FROM damage ORDER BY path";
        self.rows(sql, [], |row| {
            let sha256: Option<Vec<u8>> = row.get(3)?;
            Ok(Damage {
                path: Utf8PathBuf::from(row.get::<_, String>(0)?),
                kb: row.get::<_, Option<u32>>(1)?.and_then(Kb::from_number),
                folder: row.get(2)?,
                sha256: sha256.as_deref().and_then(Sha256::from_slice),
                kind: kind_of(&row.get::<_, String>(4)?),
                message: row.get(5)?,
                found: row.get(6)?,
                found_by: row.get(7)?,
            })
        })
    }

    /// Returns `true` if the pool's copy of these bytes is recorded as damaged or missing.
    pub fn is_damaged(&self, sha256: &Sha256) -> Result<bool> {
        let sql = "SELECT 1 FROM damage WHERE kb IS NULL AND sha256 = ?1 LIMIT 1";
        Ok(self.first(sql, [sha256.as_bytes().as_slice()], |_| Ok(()))?.is_some())
    }

    /// Returns `true` if a set folder, or a path in it, is recorded as damaged.
    pub fn is_folder_damaged(&self, kb: Kb, folder: &SetFolder) -> Result<bool> {
        let sql = "SELECT 1 FROM damage WHERE kb = ?1 AND folder = ?2 LIMIT 1";
        Ok(self.first(sql, (kb.number(), folder), |_| Ok(()))?.is_some())
    }
}

impl Transaction<'_> {
    /// Records damage. A path that is already recorded keeps the time and the command of its first finding.
    pub fn record_damage(&self, damage: &NewDamage, found_by: &str, now: Time) -> Result<()> {
        let sql = "INSERT INTO damage (path, kb, folder, sha256, kind, message, found, found_by)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            ON CONFLICT (path) DO UPDATE SET kb = ?2, folder = ?3, sha256 = ?4, kind = ?5, message = ?6";
        let parameters = rusqlite::params![
            damage.path.as_str(),
            damage.kb.map(Kb::number),
            damage.folder,
            damage.sha256.as_ref().map(Sha256::as_bytes),
            damage.kind.as_str(),
            damage.message,
            now,
            found_by,
        ];
        self.execute(sql, parameters)?;
        Ok(())
    }

    /// Clears the damage of a path that has the right content again.
    pub fn clear_damage(&self, path: &Utf8Path) -> Result<()> {
        self.execute("DELETE FROM damage WHERE path = ?1", [path.as_str()])?;
        Ok(())
    }

    /// Clears the damage of a set folder that was rebuilt.
    pub fn clear_damage_of_folder(&self, kb: Kb, folder: &SetFolder) -> Result<()> {
        self.execute("DELETE FROM damage WHERE kb = ?1 AND folder = ?2", (kb.number(), folder))?;
        Ok(())
    }
}
