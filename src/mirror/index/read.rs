//! Reads facts for the resolver and for people.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::{Index, as_count};
use crate::clock::Time;
use crate::error::Result;
use crate::facts::{Facts, FileFacts, FileKey, PropertyCheck, RelatedUpdate, Source, UpdateFacts};
use crate::update::{Kb, Kind, PackageName, Sha1, Sha256, UpdateId};

pub(super) const UPDATE_COLUMNS: &str =
    "updates.id, update_id, title, kb, kind, month, product, release, products, architecture, build,
    last_updated, size, files_last_seen";

/// An update in the form of `show` and of the KB's JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateDetail {
    /// The facts for the resolver.
    pub facts: UpdateFacts,
    /// The Catalog's classification.
    pub classification: Option<String>,
    /// The MSRC severity.
    pub severity: Option<String>,
    /// The restart behaviour.
    pub restart: Option<String>,
    /// The period in which the index saw the update, or `None` if the index does not have it.
    pub seen: Option<SeenPeriod>,
    /// The day on which the update got its current files, if it had others before.
    pub reissued: Option<Date>,
    /// Updates that replace this one, by title.
    pub superseded_by: Vec<RelatedUpdate>,
    /// Updates that this one replaces, by title. The id is missing if the title does not match exactly one update.
    pub supersedes: Vec<RelatedUpdate>,
}

/// The period in which the index saw an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenPeriod {
    /// The time at which it was first seen.
    pub first: Time,
    /// The time at which it was last seen.
    pub last: Time,
}

/// The properties by which a revised entry is recognized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The title.
    pub title: String,
    /// The date.
    pub last_updated: Option<Date>,
    /// The size.
    pub size: Option<u64>,
    /// The KB, if the title or the details page states it.
    pub kb: Option<Kb>,
    /// The earlier of the times at which details page and download dialog were read, or `None` if one is unread or
    /// a file is disputed.
    pub read: Option<Time>,
}

/// The owner of a file, for `show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateSelector {
    /// A KB number.
    Kb(Kb),
    /// An update id.
    Update(UpdateId),
}

impl Index {
    /// Returns the facts of these KBs: their updates with the files of their newest dialogs.
    pub fn facts_of(&self, kbs: &BTreeSet<Kb>) -> Result<Facts> {
        let mut facts = Facts::default();
        for kb in kbs {
            let sql = format!(
                "SELECT {UPDATE_COLUMNS} FROM updates WHERE kb = ?1 AND NOT mentioned_only ORDER BY update_id"
            );
            let rows = self.rows(&sql, [kb.number()], read_update)?;
            for (row, update) in rows {
                let update = self.with_files(row, update, &mut facts.files)?;
                facts.updates.push(update);
            }
        }
        if kbs.len() > 1 {
            facts.supersedes = self.replacements_among(&facts.updates)?;
        }
        Ok(facts)
    }

    /// Returns the replacements among some updates that details pages state.
    fn replacements_among(&self, updates: &[UpdateFacts]) -> Result<BTreeSet<(UpdateId, UpdateId)>> {
        let here: BTreeSet<UpdateId> = updates.iter().map(|update| update.id).collect();
        let sql = "SELECT older.update_id FROM supersedes JOIN updates newer ON newer.id = supersedes.newer
            JOIN updates older ON older.id = supersedes.older WHERE newer.update_id = ?1";
        let mut found = BTreeSet::new();
        for newer in &here {
            let replaced: Vec<Option<UpdateId>> =
                self.rows(sql, [newer.to_string()], |row| parsed(row, 0))?;
            found.extend(
                replaced
                    .into_iter()
                    .flatten()
                    .filter(|older| here.contains(older))
                    .map(|older| (*newer, older)),
            );
        }
        Ok(found)
    }

    fn with_files(
        &self,
        row: i64,
        mut update: UpdateFacts,
        files: &mut BTreeMap<FileKey, FileFacts>,
    ) -> Result<UpdateFacts> {
        update.expired = self.expiry(row)?;
        if update.files_seen.is_none() {
            return Ok(update);
        }
        let keys = self.current_files(row)?;
        for &key in &keys {
            if !files.contains_key(&key)
                && let Some(file) = self.file(key)?
            {
                files.insert(key, file);
            }
        }
        update.files = Some(keys);
        Ok(update)
    }

    /// Returns the updates of some kinds, without their files.
    pub fn updates_of_kinds(&self, kinds: &[Kind]) -> Result<Vec<UpdateFacts>> {
        let sql = format!(
            "SELECT {UPDATE_COLUMNS} FROM updates WHERE kind = ?1 AND NOT mentioned_only ORDER BY update_id"
        );
        let mut updates = Vec::new();
        for kind in kinds {
            updates
                .extend(self.rows(&sql, [kind.as_str()], read_update)?.into_iter().map(|(_, update)| update));
        }
        Ok(updates)
    }

    /// Returns the file with a SHA-1.
    pub fn file_of_sha1(&self, sha1: &Sha1) -> Result<Option<FileFacts>> {
        let key =
            self.first("SELECT id FROM files WHERE sha1 = ?1", [sha1.as_bytes().as_slice()], |row| {
                row.get(0)
            })?;
        match key {
            Some(key) => self.file(key),
            None => Ok(None),
        }
    }

    /// Returns one file.
    pub fn file(&self, key: FileKey) -> Result<Option<FileFacts>> {
        let sql = "SELECT files.id, name, kb, architecture, sha1, files.sha256, coalesce(pool.size, files.size),
                pool.file IS NOT NULL AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.kb IS NULL AND damage.sha256 = pool.sha256),
                coalesce(sha1_source, 'bytes') <> 'bytes', coalesce(sha256_source, 'bytes') <> 'bytes'
            FROM files LEFT JOIN pool ON pool.file = files.id WHERE files.id = ?1";
        let Some(mut file) = self.first(sql, [key], read_file)? else { return Ok(None) };
        // The URL that was stated last comes first.
        let sql = "SELECT url FROM file_urls WHERE file = ?1 ORDER BY last_seen DESC, url";
        file.urls = self.rows(sql, [key], |row| row.get(0))?;
        Ok(Some(file))
    }

    /// Returns the KBs of the updates that list a file with this SHA-1, now or before.
    pub fn kbs_of_file(&self, sha1: Sha1) -> Result<BTreeSet<Kb>> {
        let sql = "SELECT DISTINCT updates.kb FROM files JOIN update_files ON update_files.file = files.id
                JOIN updates ON updates.id = update_ref
            WHERE files.sha1 = ?1 AND updates.kb IS NOT NULL AND NOT mentioned_only";
        let kbs = self.rows(sql, [sha1.as_bytes().as_slice()], |row| row.get::<_, u32>(0))?;
        Ok(kbs.into_iter().filter_map(Kb::from_number).collect())
    }

    /// Returns the sources of a file's digests: of the SHA-1 and of the SHA-256.
    pub fn digest_sources(&self, key: FileKey) -> Result<(Option<Source>, Option<Source>)> {
        let sql = "SELECT sha1_source, sha256_source FROM files WHERE id = ?1";
        Ok(self.first(sql, [key], |row| Ok((row.get(0)?, row.get(1)?)))?.unwrap_or_default())
    }

    /// Returns the compared properties of a file in the pool, sorted by their words.
    pub fn checks_of(&self, key: FileKey) -> Result<Vec<PropertyCheck>> {
        let sql = "SELECT what, against FROM checks WHERE file = ?1 ORDER BY what, against";
        self.rows(sql, [key], |row| Ok(PropertyCheck { what: row.get(0)?, against: row.get(1)? }))
    }

    /// Returns `true` if the digests of a file are disputed: its SHA-1 was stated with two SHA-256.
    pub fn is_disputed(&self, key: FileKey) -> Result<bool> {
        let sql = "SELECT 1 FROM file_conflicts WHERE file = ?1 OR other_file = ?1";
        Ok(self.first(sql, [key], |_| Ok(()))?.is_some())
    }

    /// Returns `true` if any update of a KB was ever seen.
    pub fn knows_kb(&self, kb: Kb) -> Result<bool> {
        let sql = "SELECT 1 FROM updates WHERE kb = ?1 AND NOT mentioned_only LIMIT 1";
        Ok(self.first(sql, [kb.number()], |_| Ok(()))?.is_some())
    }

    /// Returns `true` if an update was ever seen.
    pub fn knows_update(&self, id: UpdateId) -> Result<bool> {
        let sql = "SELECT 1 FROM updates WHERE update_id = ?1 AND NOT mentioned_only";
        Ok(self.first(sql, [id.to_string()], |_| Ok(()))?.is_some())
    }

    /// Returns an update as it was last seen, or `None` if it was never seen itself.
    pub fn revision_of(&self, id: UpdateId) -> Result<Option<Revision>> {
        let sql = "SELECT title, last_updated, size, kb, CASE WHEN NOT EXISTS (SELECT 1 FROM update_files JOIN file_conflicts
                    ON file_conflicts.file = update_files.file OR other_file = update_files.file WHERE update_ref = updates.id)
                THEN min(details_last_seen, files_last_seen) END
            FROM updates WHERE update_id = ?1 AND NOT mentioned_only";
        self.first(sql, [id.to_string()], |row| {
            Ok(Revision {
                title: row.get(0)?,
                last_updated: parsed(row, 1)?,
                size: as_count(row.get(2)?),
                kb: row.get::<_, Option<u32>>(3)?.and_then(Kb::from_number),
                read: row.get(4)?,
            })
        })
    }

    /// Returns the newest date of an update whose KB is published.
    pub fn newest_published(&self) -> Result<Option<Date>> {
        let sql = "SELECT max(last_updated) FROM updates JOIN published ON published.kb = updates.kb
            WHERE state = 'published' AND NOT mentioned_only";
        Ok(self.first(sql, [], |row| parsed(row, 0))?.flatten())
    }

    /// Returns the time at which a set folder was last published.
    pub fn newest_publication(&self) -> Result<Option<Time>> {
        let sql = "SELECT max(since) FROM published WHERE state = 'published'";
        Ok(self.first(sql, [], |row| row.get(0))?.flatten())
    }

    /// Returns `true` if no update was ever seen and no set recorded.
    pub fn is_empty(&self) -> Result<bool> {
        let sql = "SELECT 1 FROM updates UNION ALL SELECT 1 FROM sets LIMIT 1";
        Ok(self.first(sql, [], |_| Ok(()))?.is_none())
    }

    /// Returns all facts about the updates of a KB, or about one update, by title and id.
    pub fn details_of(
        &self,
        owner: UpdateSelector,
    ) -> Result<(Vec<UpdateDetail>, BTreeMap<FileKey, FileFacts>)> {
        let columns = format!("{UPDATE_COLUMNS}, classification, severity, restart, first_seen, last_seen");
        let (filter, value): (&str, rusqlite::types::Value) = match owner {
            UpdateSelector::Kb(kb) => ("kb = ?1", i64::from(kb.number()).into()),
            UpdateSelector::Update(id) => ("update_id = ?1", id.to_string().into()),
        };
        let sql = format!(
            "SELECT {columns} FROM updates WHERE {filter} AND NOT mentioned_only ORDER BY title, update_id"
        );
        let rows = self.rows(&sql, [value], |row| {
            let (id, facts) = read_update(row)?;
            let detail = UpdateDetail {
                facts,
                classification: row.get(14)?,
                severity: row.get(15)?,
                restart: row.get(16)?,
                seen: Some(SeenPeriod { first: row.get(17)?, last: row.get(18)? }),
                reissued: None,
                superseded_by: Vec::new(),
                supersedes: Vec::new(),
            };
            Ok((id, detail))
        })?;
        let mut files = BTreeMap::new();
        let mut details = Vec::new();
        for (row, mut detail) in rows {
            detail.facts = self.with_files(row, detail.facts, &mut files)?;
            detail.reissued = self.reissue_date(row)?;
            let pair = |row: &Row<'_>| Ok(RelatedUpdate { update_id: parsed(row, 0)?, title: row.get(1)? });
            let id = detail.facts.id.to_string();
            let sql = "SELECT DISTINCT newer_update_id, newer_title FROM v_supersedes WHERE older_update_id = ?1 ORDER BY 2, 1";
            detail.superseded_by = self.rows(sql, [&id], pair)?;
            let sql = "SELECT DISTINCT older_update_id, older_title FROM v_supersedes WHERE newer_update_id = ?1 ORDER BY 2, 1";
            detail.supersedes = self.rows(sql, [&id], pair)?;
            details.push(detail);
        }
        Ok((details, files))
    }
}

pub(super) fn read_update(row: &Row<'_>) -> rusqlite::Result<(i64, UpdateFacts)> {
    let id: Option<UpdateId> = parsed(row, 1)?;
    let update = UpdateFacts {
        id: id.ok_or_else(|| {
            rusqlite::Error::InvalidColumnType(1, "update_id".into(), rusqlite::types::Type::Null)
        })?,
        title: row.get(2)?,
        kb: row.get::<_, Option<u32>>(3)?.and_then(Kb::from_number),
        kind: parsed(row, 4)?,
        month: parsed(row, 5)?,
        product: row.get(6)?,
        release: row.get(7)?,
        products: row.get(8)?,
        architecture: parsed(row, 9)?,
        build: parsed(row, 10)?,
        last_updated: parsed(row, 11)?,
        size: as_count(row.get(12)?),
        files: None,
        files_seen: row.get::<_, Option<Time>>(13)?.map(Time::date),
        expired: None,
    };
    Ok((row.get(0)?, update))
}

fn read_file(row: &Row<'_>) -> rusqlite::Result<FileFacts> {
    let sha1: Option<Vec<u8>> = row.get(4)?;
    let sha256: Option<Vec<u8>> = row.get(5)?;
    let name: String = row.get(1)?;
    // An earlier version read the architecture from fewer names.
    let architecture = parsed(row, 3)?.or_else(|| PackageName::parse(&name).architecture);
    Ok(FileFacts {
        key: row.get(0)?,
        name,
        kb: row.get::<_, Option<u32>>(2)?.and_then(Kb::from_number),
        architecture,
        sha1: sha1.as_deref().and_then(Sha1::from_slice),
        sha256: sha256.as_deref().and_then(Sha256::from_slice),
        size: as_count(row.get(6)?),
        urls: Vec::new(),
        present: row.get(7)?,
        sha1_is_stated: row.get(8)?,
        sha256_is_stated: row.get(9)?,
    })
}

/// Reads a text column as a domain type, or `None` for a word that this program does not know.
pub(super) fn parsed<T: std::str::FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)? {
        ValueRef::Text(text) => Ok(std::str::from_utf8(text).ok().and_then(|text| text.parse().ok())),
        _ => Ok(None),
    }
}
