//! Records the facts of a run. Every function may be called again with the same facts: then only `last_seen`
//! advances.

use rusqlite::OptionalExtension as _;

use super::record::{DetailsRecord, DialogNews, DigestConflict, FileRecord, UpdateRecord};
use super::store_error::store_error;
use super::{Index, Transaction, as_integer};
use crate::clock::Time;
use crate::error::Result;
use crate::facts::{FileKey, PropertyCheck, Source};
use crate::update::{Architecture, Digests, Kb, Kind, PackageName, Sha1, Sha256, UpdateId};

/// The columns of a file that survive a merge: SHA-1 and SHA-256 with their sources, size, first seen, and the
/// identity of a file without digests.
type FileColumns =
    (Option<Vec<u8>>, Option<String>, Option<Vec<u8>>, Option<String>, Option<i64>, Time, Option<String>);

impl Index {
    pub(super) fn update_ref(&self, id: UpdateId) -> Result<i64> {
        let mut query = self
            .connection
            .prepare_cached("SELECT id FROM updates WHERE update_id = ?1")
            .map_err(store_error)?;
        query.query_row([id.to_string()], |row| row.get(0)).map_err(store_error)
    }
}

impl Transaction<'_> {
    /// Records a row of a search page. An update whose entry was revised takes the new values. First seen is the
    /// time of its own row. The page of another update that mentions it does not count, because that would depend
    /// on the order of crawls.
    pub fn record_update(&self, update: &UpdateRecord, now: Time) -> Result<()> {
        let class = &update.class;
        let sql = "INSERT INTO updates (update_id, mentioned_only, title, kb, kind, month, product, release, products,
                classification, architecture, build, last_updated, size, first_seen, last_seen)
            VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?14)
            ON CONFLICT (update_id) DO UPDATE SET mentioned_only = 0, title = ?2, kb = coalesce(?3, kb), kind = ?4, month = ?5,
                product = ?6, release = ?7, products = ?8, classification = ?9, architecture = ?10, build = ?11,
                last_updated = ?12, size = ?13, last_seen = max(last_seen, ?14),
                first_seen = CASE mentioned_only WHEN 1 THEN ?14 ELSE min(first_seen, ?14) END";
        self.execute(
            sql,
            rusqlite::params![
                update.id.to_string(),
                update.title,
                class.kb.map(Kb::number),
                class.kind.map(Kind::as_str),
                class.month.map(|month| month.to_string()),
                class.product,
                class.release,
                update.products,
                update.classification,
                class.architecture.map(Architecture::as_str),
                class.build.map(|build| build.to_string()),
                update.last_updated.to_string(),
                as_integer(update.size),
                now,
            ],
        )?;
        Ok(())
    }

    /// Marks a revised entry as unread, because the earlier reading is stale.
    pub fn mark_unread(&self, id: UpdateId) -> Result<()> {
        self.execute("UPDATE updates SET details_last_seen = NULL WHERE update_id = ?1", [id.to_string()])?;
        Ok(())
    }

    /// Records a details page: the KB if the title has none, and the edges to newer and older updates.
    pub fn record_details(&self, details: &DetailsRecord, now: Time) -> Result<()> {
        let own = self.update_ref(details.id)?;
        let kb = match details.kbs.as_slice() {
            [only] => Some(only.number()),
            _ => None,
        };
        let sql = "UPDATE updates SET kb = coalesce(kb, ?2), severity = ?3, restart = ?4, details_last_seen = ?5 WHERE id = ?1";
        self.execute(sql, (own, kb, &details.severity, &details.restart, now))?;
        for (newer, title) in &details.superseded_by {
            let newer = self.record_mention(*newer, title, now)?;
            let sql = "INSERT INTO supersedes (newer, older, source, first_seen, last_seen)
                VALUES (?1, ?2, 'details page', ?3, ?3)
                ON CONFLICT DO UPDATE SET last_seen = ?3";
            self.execute(sql, (newer, own, now))?;
        }
        for title in &details.supersedes {
            let sql = "INSERT INTO supersedes_titles (newer, title_ref, first_seen, last_seen) VALUES (?1, ?2, ?3, ?3)
                ON CONFLICT DO UPDATE SET last_seen = ?3";
            self.execute(sql, (own, self.title_ref(title)?, now))?;
        }
        Ok(())
    }

    /// Records a download dialog: the files of an update, in the dialog's order. Returns the contradictions to
    /// earlier statements, and `is_reissued` if other files were listed before.
    pub fn record_dialog(&self, update: UpdateId, files: &[FileRecord], now: Time) -> Result<DialogNews> {
        let own = self.update_ref(update)?;
        let before = self.current_files(own)?;
        let mut listed = Vec::new();
        let mut conflicts = Vec::new();
        // Two readings within one second: the first one counts as older.
        let sql =
            "UPDATE update_files SET last_seen = last_seen - 1 WHERE update_ref = ?1 AND last_seen = ?2";
        self.execute(sql, (own, now))?;
        for (position, file) in (0_i64..).zip(files) {
            let (key, conflict) = self.record_file(file, Source::Dialog, Some(update), now)?;
            conflicts.extend(conflict);
            listed.push(key);
            let sql = "INSERT INTO update_files (update_ref, file, position, first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?4)
                ON CONFLICT DO UPDATE SET position = ?3, last_seen = ?4";
            self.execute(sql, (own, key, position, now))?;
        }
        self.execute("UPDATE updates SET files_last_seen = ?2 WHERE id = ?1", (own, now))?;
        let mut is_reissued = listed.iter().any(|key| !before.contains(key));
        let mut gone = false;
        for key in before.iter().filter(|key| !listed.contains(key)) {
            // A row that was merged into another row of the same file is not gone.
            gone |= self.first("SELECT 1 FROM files WHERE id = ?1", [key], |_| Ok(()))?.is_some();
        }
        is_reissued &= gone;
        Ok(DialogNews { conflicts, is_reissued })
    }

    /// Records a file by its identity: in the row that has its SHA-256 or its SHA-1, or in a new one.
    pub fn record_file(
        &self,
        file: &FileRecord,
        source: Source,
        update: Option<UpdateId>,
        now: Time,
    ) -> Result<(FileKey, Option<DigestConflict>)> {
        let name = PackageName::parse(&file.name);
        let (sha1, sha1_source) = match (file.sha1, name.sha1) {
            (Some(stated), _) => (Some(stated), Some(source)),
            (None, Some(named)) => (Some(named), Some(Source::Name)),
            (None, None) => (None, None),
        };
        let unverified = (sha1.is_none() && file.sha256.is_none())
            .then(|| format!("{} {}", update.map(|id| id.to_string()).unwrap_or_default(), file.url));
        let by_sha256 = match file.sha256 {
            Some(sha256) => self.file_by("sha256", sha256.as_bytes())?,
            None => None,
        };
        let by_sha1 = match sha1 {
            Some(sha1) => self.file_by("sha1", sha1.as_bytes())?,
            None => None,
        };
        let mut conflict = None;
        let mut own_sha1 = sha1;
        let known = match (by_sha256, by_sha1) {
            (Some(a), Some(b)) if a == b => Some(a),
            (sha256_row, Some(b)) if file.sha256.is_some() && self.has_other_sha256(b, file.sha256)? => {
                conflict = Some(b);
                own_sha1 = None;
                sha256_row
            }
            (Some(a), _) if self.has_other_sha1(a, sha1)? => {
                // The same content cannot have two SHA-1 either. The first statement stays.
                own_sha1 = None;
                Some(a)
            }
            (Some(a), Some(b)) => {
                self.merge_files(a, b)?;
                Some(a)
            }
            (Some(row), None) | (None, Some(row)) => Some(row),
            (None, None) => match &unverified {
                Some(key) => {
                    self.first("SELECT id FROM files WHERE unverified = ?1", [key], |row| row.get(0))?
                }
                None => None,
            },
        };
        let sha1_bytes = own_sha1.as_ref().map(Sha1::as_bytes);
        let sha256_bytes = file.sha256.as_ref().map(Sha256::as_bytes);
        let sha1_source = sha1_source.filter(|_| own_sha1.is_some());
        let key = if let Some(id) = known {
            let sql =
                "UPDATE files SET sha1 = coalesce(sha1, ?2), sha1_source = stronger_source(sha1_source, ?3),
                    sha256 = coalesce(sha256, ?4), sha256_source = stronger_source(sha256_source, ?5),
                    last_seen = ?6 WHERE id = ?1";
            let sha256_source = file.sha256.map(|_| source);
            self.execute(sql, (id, sha1_bytes, sha1_source, sha256_bytes, sha256_source, now))?;
            id
        } else {
            let sql = "INSERT INTO files (sha1, sha1_source, sha256, sha256_source, unverified, name, kb, architecture,
                    first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)";
            let sha256_source = file.sha256.map(|_| source);
            self.execute(
                sql,
                rusqlite::params![
                    sha1_bytes,
                    sha1_source,
                    sha256_bytes,
                    sha256_source,
                    unverified.filter(|_| own_sha1.is_none() && sha256_bytes.is_none()),
                    file.name,
                    name.kb.map(Kb::number),
                    name.architecture.map(Architecture::as_str),
                    now,
                ],
            )?;
            FileKey(self.connection.last_insert_rowid())
        };
        let sql =
            "INSERT INTO file_urls (file, url, source, first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?4)
            ON CONFLICT DO UPDATE SET last_seen = ?4, source = stronger_source(source, ?3)";
        self.execute(sql, (key, &file.url, source, now))?;
        let conflict = match (conflict, sha1) {
            (Some(other), Some(sha1)) => Some(self.record_conflict(key, other, sha1, now)?),
            _ => None,
        };
        Ok((key, conflict))
    }

    /// Records that the pool has a file: its digests and size fill the row, and the checks are its evidence.
    /// Returns another key if the bytes belong to a file of another row.
    pub fn record_pooled(
        &self,
        key: FileKey,
        digests: &Digests,
        checks: &[PropertyCheck],
        now: Time,
    ) -> Result<FileKey> {
        let mut id = key;
        if let Some(other) = self.file_by("sha256", digests.sha256.as_bytes())?.filter(|&other| other != id) {
            self.merge_files(other, id)?;
            id = other;
        }
        let mut own_sha1 = Some(digests.sha1);
        if let Some(other) = self.file_by("sha1", digests.sha1.as_bytes())?.filter(|&other| other != id) {
            if self.has_other_sha256(other, Some(digests.sha256))? {
                // The two files are disputed. Bytes that agree with one of them do not make the other one the same
                // file.
                own_sha1 = None;
                self.record_conflict(id, other, digests.sha1, now)?;
            } else {
                self.merge_files(id, other)?;
            }
        }
        let (own_sha1, sha1_source) =
            (own_sha1.as_ref().map(Sha1::as_bytes), own_sha1.map(|_| Source::Bytes));
        let sql = "UPDATE files SET sha1 = coalesce(sha1, ?2), sha1_source = coalesce(sha1_source, ?5),
                sha256 = coalesce(sha256, ?3), sha256_source = coalesce(sha256_source, ?6), size = ?4 WHERE id = ?1";
        self.execute(
            sql,
            (id, own_sha1, digests.sha256.as_bytes(), as_integer(digests.size), sha1_source, Source::Bytes),
        )?;
        let sql = "INSERT INTO pool (file, sha256, size, added) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (file) DO NOTHING";
        self.execute(sql, (id, digests.sha256.as_bytes(), as_integer(digests.size), now))?;
        for check in checks {
            self.record_check(id, *check, now)?;
        }
        Ok(id)
    }

    /// Records that a property of a file in the pool was compared and agrees.
    pub fn record_check(&self, key: FileKey, check: PropertyCheck, now: Time) -> Result<()> {
        let sql = "INSERT INTO checks (file, what, against, checked) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET checked = ?4";
        self.execute(sql, (key, check.what, check.against, now))?;
        Ok(())
    }

    /// Records that the pool no longer has a file.
    pub fn forget_pooled(&self, key: FileKey) -> Result<()> {
        self.execute("DELETE FROM pool WHERE file = ?1", [key])?;
        self.execute("DELETE FROM checks WHERE file = ?1", [key])?;
        Ok(())
    }

    /// Returns the row of an update that another update's page mentions. Creates a row with only the title if none
    /// exists.
    fn record_mention(&self, id: UpdateId, title: &str, now: Time) -> Result<i64> {
        let sql = "INSERT INTO updates (update_id, mentioned_only, title, first_seen, last_seen) VALUES (?1, 1, ?2, ?3, ?3)
            ON CONFLICT (update_id) DO UPDATE SET last_seen = CASE mentioned_only WHEN 1 THEN ?3 ELSE last_seen END";
        self.execute(sql, (id.to_string(), title, now))?;
        self.update_ref(id)
    }

    fn title_ref(&self, title: &str) -> Result<i64> {
        self.execute("INSERT INTO titles (title) VALUES (?1) ON CONFLICT DO NOTHING", [title])?;
        let mut query =
            self.connection.prepare_cached("SELECT id FROM titles WHERE title = ?1").map_err(store_error)?;
        query.query_row([title], |row| row.get(0)).map_err(store_error)
    }

    fn file_by(&self, column: &'static str, digest: &[u8]) -> Result<Option<FileKey>> {
        let sql = match column {
            "sha1" => "SELECT id FROM files WHERE sha1 = ?1",
            _ => "SELECT id FROM files WHERE sha256 = ?1",
        };
        let mut query = self.connection.prepare_cached(sql).map_err(store_error)?;
        query.query_row([digest], |row| row.get(0)).optional().map_err(store_error)
    }

    fn has_other_sha256(&self, file: FileKey, sha256: Option<Sha256>) -> Result<bool> {
        let stored: Option<Vec<u8>> =
            self.first("SELECT sha256 FROM files WHERE id = ?1", [file], |row| row.get(0))?.flatten();
        Ok(stored.is_some_and(|stored| sha256.is_some_and(|sha256| stored != sha256.as_bytes())))
    }

    fn has_other_sha1(&self, file: FileKey, sha1: Option<Sha1>) -> Result<bool> {
        let stored: Option<Vec<u8>> =
            self.first("SELECT sha1 FROM files WHERE id = ?1", [file], |row| row.get(0))?.flatten();
        Ok(stored.is_some_and(|stored| sha1.is_some_and(|sha1| stored != sha1.as_bytes())))
    }

    fn record_conflict(
        &self,
        file: FileKey,
        other: FileKey,
        sha1: Sha1,
        now: Time,
    ) -> Result<DigestConflict> {
        let sql = "INSERT INTO file_conflicts (file, other_file, sha1, first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?4)
            ON CONFLICT DO UPDATE SET last_seen = ?4";
        self.execute(sql, (file, other, sha1.as_bytes(), now))?;
        let name = |id: FileKey| -> Result<String> {
            Ok(self
                .first("SELECT name FROM files WHERE id = ?1", [id], |row| row.get(0))?
                .unwrap_or_default())
        };
        Ok(DigestConflict { sha1, names: [name(file)?, name(other)?] })
    }

    /// Merges two rows of the same file: every reference to `gone` becomes one to `keep`.
    fn merge_files(&self, keep: FileKey, gone: FileKey) -> Result<()> {
        let tables = [
            "INSERT INTO file_urls (file, url, source, first_seen, last_seen)
                SELECT ?1, url, source, first_seen, last_seen FROM file_urls WHERE file = ?2
                ON CONFLICT DO UPDATE SET first_seen = min(first_seen, excluded.first_seen),
                    last_seen = max(last_seen, excluded.last_seen)",
            "INSERT INTO update_files (update_ref, file, position, first_seen, last_seen)
                SELECT update_ref, ?1, position, first_seen, last_seen FROM update_files WHERE file = ?2
                ON CONFLICT DO UPDATE SET
                    position = CASE WHEN excluded.last_seen > last_seen THEN excluded.position ELSE position END,
                    first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen)",
            "UPDATE OR IGNORE needs SET file = ?1 WHERE file = ?2",
            "UPDATE OR IGNORE needs SET needs_file = ?1 WHERE needs_file = ?2",
            "UPDATE OR IGNORE set_files SET file = ?1 WHERE file = ?2",
            "UPDATE OR IGNORE pool SET file = ?1 WHERE file = ?2",
            "UPDATE OR IGNORE checks SET file = ?1 WHERE file = ?2",
            "UPDATE OR IGNORE file_conflicts SET file = ?1 WHERE file = ?2",
            "UPDATE OR IGNORE file_conflicts SET other_file = ?1 WHERE other_file = ?2",
        ];
        for sql in tables {
            self.execute(sql, (keep, gone))?;
        }
        for sql in [
            "DELETE FROM file_urls WHERE file = ?1",
            "DELETE FROM update_files WHERE file = ?1",
            "DELETE FROM needs WHERE file = ?1 OR needs_file = ?1",
            "DELETE FROM set_files WHERE file = ?1",
            "DELETE FROM pool WHERE file = ?1",
            "DELETE FROM checks WHERE file = ?1",
            "DELETE FROM file_conflicts WHERE file = ?1 OR other_file = ?1",
        ] {
            self.execute(sql, [gone])?;
        }
        let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<FileColumns> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
        };
        let sql = "SELECT sha1, sha1_source, sha256, sha256_source, size, first_seen, unverified FROM files WHERE id = ?1";
        let old = self.first(sql, [gone], read)?;
        self.execute("DELETE FROM files WHERE id = ?1", [gone])?;
        if let Some((sha1, sha1_source, sha256, sha256_source, size, first_seen, unverified)) = old {
            let sql = "UPDATE files SET sha1_source = CASE WHEN sha1 IS NULL THEN ?3 ELSE sha1_source END,
                    sha1 = coalesce(sha1, ?2),
                    sha256_source = CASE WHEN sha256 IS NULL THEN ?5 ELSE sha256_source END,
                    sha256 = coalesce(sha256, ?4), size = coalesce(size, ?6), first_seen = min(first_seen, ?7),
                    unverified = coalesce(unverified, ?8) WHERE id = ?1";
            self.execute(
                sql,
                rusqlite::params![
                    keep,
                    sha1,
                    sha1_source,
                    sha256,
                    sha256_source,
                    size,
                    first_seen,
                    unverified
                ],
            )?;
        }
        Ok(())
    }
}
