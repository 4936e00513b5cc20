//! Retention: at the end of a run that writes, deletes entries that are kept for people for a limited time.
//!
//! - Rejected downloads in `quarantine/` and pages under `runs/` that could not be parsed: kept for 30 days, and 2
//!   GB in total. The oldest are deleted first.
//! - Damaged files that were moved out of the pool: the same limits, but never before the pool has the right bytes
//!   again, which are read to prove it. Until then the damaged file may be the only copy and does not count for
//!   the 2 GB.
//! - `trash/<date>…`: kept for 14 days, without a size limit. An operator who removed too much notices within two
//!   weeks.
//!
//! Everything else is never deleted, above all evidence (`quarantine/evidence-…`) and the reports of media. An
//! entry whose name or date cannot be read is not deleted. The time is the run's clock; an entry from the future
//! counts as new.

use std::str::FromStr as _;

use camino::Utf8PathBuf;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

use super::pool::sha256_of;
use super::{Mirror, WriteAccess};
use crate::clock::Time;
use crate::disk::{self, Entry};
use crate::error::Result;
use crate::update::Sha256;

/// The maximum total size of rejected downloads and saved pages: less than a mirror of one month needs, and more
/// than a run over a bad line leaves. An entry that is larger on its own is not kept.
pub const QUARANTINE_LIMIT: u64 = 2 * 1024 * 1024 * 1024;

/// The days for which rejected entries are kept: from one Patch Tuesday to past the next one.
const QUARANTINE_DAYS: i64 = 30;

/// The days for which removed sets are kept.
const TRASH_DAYS: i64 = 14;

const SECONDS_A_DAY: i64 = 86_400;

/// The result of a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PurgeResult {
    /// The number of deleted downloads, replaced damaged files, and saved pages.
    pub files: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// The number of deleted entries of the trash.
    pub trashed: usize,
}

/// An entry with an age.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ExpiringEntry {
    path: Utf8PathBuf,
    size: u64,
    since: Time,
    /// The digest of the bytes that must be in the pool before this entry may be deleted.
    replaced_by: Option<Sha256>,
}

impl Mirror<WriteAccess> {
    /// Deletes the entries whose retention period is over.
    pub fn purge(&self, now: Time) -> Result<PurgeResult> {
        self.expect_lock()?;
        let mut purged = PurgeResult::default();
        let mut kept = self.kept_in_quarantine()?;
        kept.extend(self.saved_pages()?);
        // A pool file is read only for an entry that is old enough to be deleted.
        let mut may_go = Vec::new();
        for entry in kept {
            let is_pinned = match &entry.replaced_by {
                Some(_) if is_recent(&entry, now) => true,
                Some(sha256) => !self.has_verified_in_pool(sha256),
                None => false,
            };
            if !is_pinned {
                may_go.push(entry);
            }
        }
        for entry in entries_to_delete(may_go, now) {
            disk::remove_file(&entry.path)?;
            purged.files += 1;
            purged.bytes += entry.size;
        }
        let trash = self.layout.trash();
        for name in disk::list(&trash)? {
            let Some(date) = name.get(..10).and_then(|date| Date::from_str(date).ok()) else { continue };
            let days = now.date().since(date).map_or(0, |span| i64::from(span.get_days()));
            if days > TRASH_DAYS {
                let path = trash.join(name);
                match disk::entry(&path)? {
                    Entry::Folder => disk::remove_dir_all(&path)?,
                    _ => disk::remove_file(&path)?,
                }
                purged.trashed += 1;
            }
        }
        Ok(purged)
    }

    /// Returns the entries of `quarantine/` that may be deleted eventually.
    fn kept_in_quarantine(&self) -> Result<Vec<ExpiringEntry>> {
        let folder = self.layout.quarantine();
        let mut kept = Vec::new();
        for name in disk::list(&folder)? {
            let path = folder.join(&name);
            let Some((digest, why)) = name.split_once('.') else { continue };
            let (Ok(sha256), Entry::File(size)) = (Sha256::from_str(digest), disk::entry(&path)?) else {
                continue;
            };
            let replaced_by = (why == "damaged" || why.starts_with("damaged-")).then_some(sha256);
            if replaced_by.is_none() && !why.ends_with("-differs") {
                continue;
            }
            if let Some(since) = disk::modified(&path)? {
                kept.push(ExpiringEntry { path, size, since, replaced_by });
            }
        }
        Ok(kept)
    }

    /// Returns the saved pages of `runs/`.
    fn saved_pages(&self) -> Result<Vec<ExpiringEntry>> {
        let folder = self.layout.runs();
        let mut kept = Vec::new();
        for name in disk::list(&folder)? {
            let path = folder.join(&name);
            let since = parse_time(&name).filter(|_| path.extension() == Some("html"));
            if let (Some(since), Entry::File(size)) = (since, disk::entry(&path)?) {
                kept.push(ExpiringEntry { path, size, since, replaced_by: None });
            }
        }
        Ok(kept)
    }

    /// Returns `true` if the pool has these bytes. The pool file is read completely.
    fn has_verified_in_pool(&self, sha256: &Sha256) -> bool {
        sha256_of(&self.layout.pool_file(sha256)).is_ok_and(|found| found == *sha256)
    }
}

fn is_recent(entry: &ExpiringEntry, now: Time) -> bool {
    now.since(entry.since).as_secs() <= QUARANTINE_DAYS * SECONDS_A_DAY
}

/// Returns the entries that are too old, and the oldest of the others that exceed the size limit.
fn entries_to_delete(mut kept: Vec<ExpiringEntry>, now: Time) -> Vec<ExpiringEntry> {
    // Newest first; names break ties within one second.
    kept.sort_by(|a, b| b.since.cmp(&a.since).then_with(|| a.path.cmp(&b.path)));
    let mut taken = 0_u64;
    kept.retain(|entry| {
        taken = taken.saturating_add(entry.size);
        !is_recent(entry, now) || taken > QUARANTINE_LIMIT
    });
    kept
}

/// Parses the time at the beginning of a name under `runs/`: `2026-11-23T080000Z-…`.
fn parse_time(name: &str) -> Option<Time> {
    let (time, _) = name.split_once("Z-")?;
    let time = DateTime::strptime("%Y-%m-%dT%H%M%S", time).ok()?;
    Some(Offset::UTC.to_timestamp(time).ok()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: &str, size: u64, days: i64) -> ExpiringEntry {
        ExpiringEntry {
            path: name.into(),
            size,
            since: now().shifted_by(-days * SECONDS_A_DAY),
            replaced_by: None,
        }
    }

    fn now() -> Time {
        "2026-11-23T08:00:00Z".parse().unwrap()
    }

    fn names(kept: Vec<ExpiringEntry>) -> Vec<String> {
        kept.into_iter().map(|entry| entry.path.into_string()).collect()
    }

    #[test]
    fn old_entries_are_deleted_then_the_oldest_above_the_limit() {
        let gib = 1024 * 1024 * 1024;
        assert_eq!(names(entries_to_delete(vec![kept("new", 1, 30), kept("old", 1, 31)], now())), ["old"]);
        let crowd = vec![kept("a", gib, 3), kept("b", gib, 2), kept("c", gib, 1), kept("d", 0, 4)];
        assert_eq!(names(entries_to_delete(crowd, now())), ["a", "d"]);
        // An entry from the future counts as new.
        assert_eq!(names(entries_to_delete(vec![kept("later", 1, -400)], now())), Vec::<String>::new());
    }

    #[test]
    fn names_without_a_time_are_not_parsed() {
        assert_eq!(parse_time("2026-11-23T080000Z-search.html"), Some(now()));
        for name in ["", "notes.html", "2026-11-23-x.html", "2026-13-23T080000Z-x.html", "\u{e9}Z-x.html"] {
            assert_eq!(parse_time(name), None, "{name}");
        }
    }
}
