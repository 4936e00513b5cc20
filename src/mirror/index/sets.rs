//! Package sets, the edges between their files, and their publication.

use super::record::FileRecord;
use super::store_error::store_error;
use super::{Index, Transaction, as_integer};
use crate::clock::Time;
use crate::error::Result;
use crate::facts::{FileFacts, FileKey, Role, SetFolder, SetId, Source};
use crate::resolve::{Member, PackageSet};
use crate::update::{Architecture, Kb, Sha256};

/// The progress of publishing a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishState {
    /// Publishing has begun. The disk may have the old folder, the new one, or neither.
    Publishing,
    /// The folder is published.
    Published,
}

/// A set as stored in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetRow {
    /// The id.
    pub id: SetId,
    /// The KB.
    pub kb: Kb,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The folder name of the first family.
    pub family: Option<String>,
    /// The folder under the KB.
    pub folder: SetFolder,
    /// The products, joined for people.
    pub products: String,
    /// `true` for a copy that only Windows Setup accepts.
    pub is_dynamic: bool,
    /// The progress of publishing the folder, as recorded.
    pub state: Option<PublishState>,
    /// The files in order. The resolver determines their builds and evidence, which are absent here.
    pub members: Vec<Member>,
}

impl Index {
    /// Returns the stored sets, of one KB or all, by KB, architecture, and folder.
    pub fn sets(&self, kb: Option<Kb>) -> Result<Vec<SetRow>> {
        self.sets_where("(?1 IS NULL OR sets.kb = ?1)", rusqlite::params![kb.map(Kb::number)])
    }

    /// Returns one stored set.
    pub fn set(&self, id: SetId) -> Result<Option<SetRow>> {
        Ok(self.sets_where("sets.id = ?1", [id])?.into_iter().next())
    }

    /// Returns the published sets that have a file with this digest.
    pub fn published_sets_of_file(&self, sha256: &Sha256) -> Result<Vec<SetRow>> {
        let filter = "published.state = 'published' AND sets.id IN (SELECT set_ref FROM set_files
            JOIN files ON files.id = set_files.file WHERE files.sha256 = ?1)";
        self.sets_where(filter, [sha256.as_bytes().as_slice()])
    }

    fn sets_where(&self, filter: &str, parameters: impl rusqlite::Params) -> Result<Vec<SetRow>> {
        let sql = format!(
            "SELECT sets.id, sets.kb, sets.architecture, sets.family, sets.folder, sets.products, published.state, sets.is_dynamic
            FROM sets LEFT JOIN published ON published.set_ref = sets.id AND published.folder = sets.folder
            WHERE {filter} ORDER BY sets.kb, sets.architecture, sets.folder, sets.id"
        );
        let mut rows = self.rows(&sql, parameters, |row| {
            Ok(SetRow {
                id: row.get(0)?,
                kb: Kb::from_number(row.get(1)?).ok_or(rusqlite::Error::IntegralValueOutOfRange(1, 0))?,
                architecture: row.get::<_, Option<String>>(2)?.and_then(|word| word.parse().ok()),
                family: row.get(3)?,
                folder: row.get(4)?,
                products: row.get(5)?,
                state: row.get::<_, Option<String>>(6)?.map(|word| match word.as_str() {
                    "published" => PublishState::Published,
                    _ => PublishState::Publishing,
                }),
                is_dynamic: row.get(7)?,
                members: Vec::new(),
            })
        })?;
        for set in &mut rows {
            let sql = "SELECT file, role FROM set_files WHERE set_ref = ?1 ORDER BY place";
            let members: Vec<(FileKey, String)> =
                self.rows(sql, [set.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for (key, role) in members {
                let Some(file) = self.file(key)? else { continue };
                let role = Role::from_word(&role).unwrap_or(Role::Companion);
                set.members.push(Member::new(file, role));
            }
        }
        Ok(rows)
    }

    /// Returns the edges between the files of a set: from, to, role, source; sorted.
    pub fn needs_of_set(&self, set: SetId) -> Result<Vec<(FileKey, FileKey, String, Source)>> {
        let sql = "SELECT needs.file, needs.needs_file, needs.role, needs.source FROM needs
            JOIN set_files a ON a.file = needs.file AND a.set_ref = ?1
            JOIN set_files b ON b.file = needs.needs_file AND b.set_ref = ?1
            ORDER BY a.place, b.place, needs.source";
        self.rows(sql, [set], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
    }

    /// Returns the set and the state with which a folder is recorded.
    pub fn publication_of(&self, kb: Kb, folder: &SetFolder) -> Result<Option<(SetId, PublishState)>> {
        let sql = "SELECT set_ref, state FROM published WHERE kb = ?1 AND folder = ?2";
        self.first(sql, (kb.number(), folder), |row| {
            let state: String = row.get(1)?;
            let state = if state == "published" { PublishState::Published } else { PublishState::Publishing };
            Ok((row.get(0)?, state))
        })
    }

    /// Returns the folders that are recorded for a set, by name.
    pub fn folders_of(&self, set: SetId) -> Result<Vec<SetFolder>> {
        self.rows("SELECT folder FROM published WHERE set_ref = ?1 ORDER BY folder", [set], |row| row.get(0))
    }

    /// Returns the folders whose publishing was interrupted: KB, folder, set.
    pub fn interrupted_publications(&self) -> Result<Vec<(Kb, SetFolder, SetId)>> {
        let sql = "SELECT kb, folder, set_ref FROM published WHERE state = 'publishing' ORDER BY kb, folder";
        self.rows(sql, [], |row| {
            let kb = Kb::from_number(row.get(0)?).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, 0))?;
            Ok((kb, row.get(1)?, row.get(2)?))
        })
    }

    /// Returns the completely published sets of a KB, by folder.
    pub fn published_sets(&self, kb: Kb) -> Result<Vec<SetRow>> {
        let sets = self.sets(Some(kb))?;
        let mut published: Vec<SetRow> =
            sets.into_iter().filter(|set| set.state == Some(PublishState::Published)).collect();
        published.sort_by(|a, b| a.folder.cmp(&b.folder));
        Ok(published)
    }

    /// Returns every folder that is published or being published, of one KB or all: KB, folder, set, state.
    pub fn published_folders(&self, kb: Option<Kb>) -> Result<Vec<(Kb, SetFolder, SetId, PublishState)>> {
        let sql = "SELECT kb, folder, set_ref, state FROM published WHERE ?1 IS NULL OR kb = ?1 ORDER BY kb, folder";
        self.rows(sql, [kb.map(Kb::number)], |row| {
            let kb = Kb::from_number(row.get(0)?).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, 0))?;
            let state: String = row.get(3)?;
            let state = if state == "published" { PublishState::Published } else { PublishState::Publishing };
            Ok((kb, row.get(1)?, row.get(2)?, state))
        })
    }

    /// Returns the published KBs whose entries were seen since a time, or about which entries of others added
    /// facts.
    pub fn published_kbs_changed_since(&self, start: Time) -> Result<Vec<Kb>> {
        let sql = "SELECT DISTINCT kb FROM published WHERE EXISTS (
                SELECT 1 FROM updates own LEFT JOIN absences ON update_ref = own.id
                WHERE own.kb = published.kb AND (own.last_seen >= ?1 OR expired >= ?1
                    OR EXISTS (SELECT 1 FROM supersedes WHERE older = own.id AND first_seen >= ?1)
                    OR EXISTS (SELECT 1 FROM supersedes WHERE newer = own.id AND first_seen >= ?1)
                    OR EXISTS (SELECT 1 FROM supersedes_titles JOIN titles ON titles.id = title_ref
                        JOIN updates other ON other.title IN (titles.title,
                            CASE WHEN titles.title LIKE '% UUP' THEN substr(titles.title, 1, length(titles.title) - 4) END)
                        WHERE supersedes_titles.newer = own.id AND other.first_seen >= ?1)))
            ORDER BY kb";
        self.rows(sql, [start], |row| {
            Kb::from_number(row.get(0)?).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, 0))
        })
    }

    /// Returns every file that the pool should have: its key, digest, and size, by digest.
    pub fn pool(&self) -> Result<Vec<(FileKey, Sha256, u64)>> {
        let rows: Vec<(FileKey, Vec<u8>, i64)> =
            self.rows("SELECT file, sha256, size FROM pool ORDER BY sha256", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let known = |(file, sha256, size): (FileKey, Vec<u8>, i64)| {
            Some((file, Sha256::from_slice(&sha256)?, u64::try_from(size).ok()?))
        };
        Ok(rows.into_iter().filter_map(known).collect())
    }

    /// Returns `true` if the pool should have the file with this digest.
    pub fn is_pooled(&self, sha256: &Sha256) -> Result<bool> {
        let sql = "SELECT 1 FROM pool WHERE sha256 = ?1";
        Ok(self.first(sql, [sha256.as_bytes().as_slice()], |_| Ok(()))?.is_some())
    }

    /// Returns the digest and size with which a file is recorded in the pool.
    pub fn pool_record(&self, key: FileKey) -> Result<Option<(Sha256, u64)>> {
        let sql = "SELECT sha256, size FROM pool WHERE file = ?1";
        let row: Option<(Vec<u8>, i64)> = self.first(sql, [key], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(row.and_then(|(sha256, size)| Some((Sha256::from_slice(&sha256)?, u64::try_from(size).ok()?))))
    }
}

impl Transaction<'_> {
    /// Writes a set with its files and edges, and returns its id. Files that only the knowledge has become rows.
    pub fn record_set(&self, set: &PackageSet, now: Time) -> Result<SetId> {
        let mut keys = Vec::new();
        for member in &set.members {
            keys.push(self.key_of(&member.file, now)?);
        }
        let family = set.families.first().map(|family| family.folder.as_str());
        let fingerprint = set.fingerprint();
        let sql = "INSERT INTO sets (kb, fingerprint, is_dynamic, architecture, family, folder, products, first_seen, last_seen)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
            ON CONFLICT (kb, fingerprint, is_dynamic)
            DO UPDATE SET architecture = ?4, family = ?5, folder = ?6, products = ?7, last_seen = ?8";
        self.execute(
            sql,
            rusqlite::params![
                set.kb.number(),
                fingerprint.as_bytes(),
                set.is_dynamic_variant,
                set.architecture.map(Architecture::as_str),
                family,
                set.folder,
                set.products.join("; "),
                now,
            ],
        )?;
        let sql = "SELECT id FROM sets WHERE kb = ?1 AND fingerprint = ?2 AND is_dynamic = ?3";
        let mut query = self.connection.prepare_cached(sql).map_err(store_error)?;
        let parameters = (set.kb.number(), fingerprint.as_bytes(), set.is_dynamic_variant);
        let id: SetId = query.query_row(parameters, |row| row.get(0)).map_err(store_error)?;
        for (place, (member, key)) in (0_i64..).zip(set.members.iter().zip(&keys)) {
            let sql = "INSERT INTO set_files (set_ref, file, place, role) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT DO UPDATE SET place = ?3, role = ?4";
            self.execute(sql, (id, *key, place, member.role.as_str()))?;
        }
        for edge in &set.needs {
            let sql = "INSERT INTO needs (file, needs_file, role, source, first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
                ON CONFLICT DO UPDATE SET role = ?3, last_seen = ?5";
            self.execute(sql, (keys[edge.from], keys[edge.to], edge.role.as_str(), edge.source, now))?;
        }
        Ok(id)
    }

    fn key_of(&self, file: &FileFacts, now: Time) -> Result<FileKey> {
        if let Some(key) = file.key {
            return Ok(key);
        }
        let url = file.urls.first().cloned().unwrap_or_default();
        let record = FileRecord { name: file.name.clone(), url, sha1: file.sha1, sha256: file.sha256 };
        let key = self.record_file(&record, Source::Knowledge, None, now)?.0;
        if let Some(size) = file.size {
            self.execute(
                "UPDATE files SET size = coalesce(size, ?2) WHERE id = ?1",
                (key, as_integer(size)),
            )?;
        }
        Ok(key)
    }

    /// Records the state of publishing a folder.
    pub fn set_published(
        &self,
        kb: Kb,
        folder: &SetFolder,
        set: SetId,
        state: PublishState,
        now: Time,
    ) -> Result<()> {
        let word = match state {
            PublishState::Publishing => "publishing",
            PublishState::Published => "published",
        };
        let sql = "INSERT INTO published (kb, folder, set_ref, state, since) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (kb, folder) DO UPDATE SET set_ref = ?3, state = ?4, since = ?5";
        self.execute(sql, (kb.number(), folder, set, word, now))?;
        Ok(())
    }

    /// Removes the record of a folder that does not exist.
    pub fn forget_published(&self, kb: Kb, folder: &SetFolder) -> Result<()> {
        self.execute("DELETE FROM published WHERE kb = ?1 AND folder = ?2", (kb.number(), folder))?;
        Ok(())
    }
}
