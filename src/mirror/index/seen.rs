//! Searches and absences: the time of a query, the time since which an update is missing, and entries whose files
//! were replaced.
//!
//! A response without an update proves little, because the Catalog sometimes omits entries for hours. An update
//! that is missing is therefore only recorded as missing. It becomes `expired` when a second sound response omits
//! it a day later, or when the Catalog reports the update itself as unknown. Nothing is deleted in either case.

use jiff::SignedDuration;
use jiff::civil::Date;

use super::{Index, Transaction, as_count, as_integer};
use crate::clock::Time;
use crate::error::Result;
use crate::facts::{Disappearance, FileKey};
use crate::update::title::Title;
use crate::update::{Kb, UpdateId};

/// The minimum time between two responses that omit an update: outages of the Catalog last up to hours, and
/// entries are replaced within one day.
pub const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// An update that the index has, with its absence from responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenUpdate {
    /// The update.
    pub id: UpdateId,
    /// The title.
    pub title: String,
    /// The time of the first response that omitted the update.
    pub missing_since: Option<Time>,
    /// The time since which the Catalog certainly does not show the update.
    pub expired: Option<Time>,
}

impl Index {
    /// Returns the updates of a KB that were seen, with their absences.
    pub fn seen_updates_of(&self, kb: Kb) -> Result<Vec<SeenUpdate>> {
        let sql = "SELECT update_id, title, missing_since, expired FROM updates
            LEFT JOIN absences ON update_ref = updates.id WHERE kb = ?1 AND NOT mentioned_only ORDER BY update_id";
        let rows: Vec<(String, String, Option<Time>, Option<Time>)> =
            self.rows(sql, [kb.number()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let absent = |(id, title, missing_since, expired): (String, String, Option<Time>, Option<Time>)| {
            Some(SeenUpdate { id: id.parse().ok()?, title, missing_since, expired })
        };
        Ok(rows.into_iter().filter_map(absent).collect())
    }

    /// Returns the time at which a search or a listing last contained an update.
    pub fn last_seen(&self, id: UpdateId) -> Result<Option<Time>> {
        let sql = "SELECT last_seen FROM updates WHERE update_id = ?1 AND NOT mentioned_only";
        self.first(sql, [id.to_string()], |row| row.get(0))
    }

    /// Returns the time of the last sound and complete response to a search.
    pub fn last_search_time(&self, query: &str) -> Result<Option<Time>> {
        self.first("SELECT last_asked FROM searches WHERE query = ?1", [query], |row| row.get(0))
    }

    /// Returns the number of updates in the last sound and complete response to a search.
    pub fn last_search_count(&self, query: &str) -> Result<Option<u64>> {
        let updates =
            self.first("SELECT updates FROM searches WHERE query = ?1", [query], |row| row.get(0))?;
        Ok(as_count(updates))
    }

    /// Returns the updates whose newest dialog lists a file, by id.
    pub fn updates_listing(&self, key: FileKey) -> Result<Vec<UpdateId>> {
        let sql = "SELECT update_id FROM update_files JOIN updates ON updates.id = update_ref
            WHERE file = ?1 AND update_files.last_seen = files_last_seen ORDER BY update_id";
        let ids: Vec<String> = self.rows(sql, [key], |row| row.get(0))?;
        Ok(ids.into_iter().filter_map(|id| id.parse().ok()).collect())
    }

    /// Returns the largest total size that the search page states for an entry whose newest dialog lists a file.
    /// The file is not larger. Returns `None` if no such entry has a size.
    pub fn largest_entry_size(&self, key: FileKey) -> Result<Option<u64>> {
        let sql = "SELECT max(updates.size) FROM update_files JOIN updates ON updates.id = update_ref
            WHERE file = ?1 AND update_files.last_seen = files_last_seen";
        let size: Option<Option<i64>> = self.first(sql, [key], |row| row.get(0))?;
        Ok(size.flatten().and_then(|size| u64::try_from(size).ok()))
    }

    /// Returns the files of an update's newest dialog, in its order.
    pub(super) fn current_files(&self, update_ref: i64) -> Result<Vec<FileKey>> {
        let sql = "SELECT file FROM update_files JOIN updates ON updates.id = update_ref
            WHERE update_ref = ?1 AND update_files.last_seen = files_last_seen ORDER BY position";
        self.rows(sql, [update_ref], |row| row.get(0))
    }

    /// Returns the day on which an entry got its current files, or `None` if it was not re-issued.
    pub(super) fn reissue_date(&self, update_ref: i64) -> Result<Option<Date>> {
        let sql =
            "SELECT max(new.first_seen) FROM update_files new JOIN updates ON updates.id = new.update_ref
            WHERE new.update_ref = ?1 AND new.last_seen = files_last_seen AND EXISTS (
                SELECT 1 FROM update_files old WHERE old.update_ref = ?1 AND old.last_seen < files_last_seen
                    AND old.first_seen < new.first_seen)";
        let time: Option<Option<Time>> = self.first(sql, [update_ref], |row| row.get(0))?;
        Ok(time.flatten().map(Time::date))
    }

    /// Returns the day since which an update is expired, and the newest KB that replaces it.
    pub(super) fn expiry(&self, update_ref: i64) -> Result<Option<Disappearance>> {
        let sql = "SELECT expired FROM absences WHERE update_ref = ?1 AND expired IS NOT NULL";
        let Some(since) = self.first(sql, [update_ref], |row| row.get(0).map(Time::date))? else {
            return Ok(None);
        };
        let sql =
            "SELECT newer.kb, newer.title FROM supersedes JOIN updates newer ON newer.id = supersedes.newer
            WHERE older = ?1 ORDER BY newer.last_updated, newer.title";
        let newer: Vec<(Option<u32>, String)> =
            self.rows(sql, [update_ref], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let named = newer.into_iter().filter_map(|(kb, title)| {
            let parsed = Title::parse(&title);
            Some((parsed.month, kb.and_then(Kb::from_number).or(parsed.kb)?))
        });
        Ok(Some(Disappearance { since, successor: named.max().map(|(_, kb)| kb) }))
    }
}

impl Transaction<'_> {
    /// Records that a sound response omitted an update, or, with `expired`, that the Catalog certainly does not
    /// show it. The first record stays.
    pub fn record_absence(&self, id: UpdateId, missing_since: Time, expired: Option<Time>) -> Result<()> {
        let own = self.update_ref(id)?;
        let sql = "INSERT INTO absences (update_ref, missing_since, expired) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET missing_since = min(missing_since, ?2), expired = coalesce(expired, ?3)";
        self.execute(sql, (own, missing_since, expired))?;
        Ok(())
    }

    /// Records that the Catalog shows an update, and removes a recorded absence.
    pub fn record_presence(&self, id: UpdateId) -> Result<()> {
        let sql = "DELETE FROM absences WHERE update_ref = (SELECT id FROM updates WHERE update_id = ?1)";
        self.execute(sql, [id.to_string()])?;
        Ok(())
    }

    /// Records a sound and complete response to a search.
    pub fn record_search(&self, query: &str, updates: usize, now: Time) -> Result<()> {
        let sql = "INSERT INTO searches (query, last_asked, updates) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET last_asked = ?2, updates = ?3";
        self.execute(sql, (query, now, as_integer(updates as u64)))?;
        Ok(())
    }

    /// Marks the updates that list a file as unread, because the file was not available as stated.
    pub fn mark_unread_by_file(&self, key: FileKey) -> Result<()> {
        let sql = "UPDATE updates SET details_last_seen = NULL
            WHERE id IN (SELECT update_ref FROM update_files WHERE file = ?1)";
        self.execute(sql, [key])?;
        Ok(())
    }
}
