//! Retention: what is kept for people for a while, and is deleted at the end of a run that writes.
//!
//! - Rejected downloads in `quarantine/` and pages under `runs/` that were not understood: 30 days, and 2 GB together; the
//!   oldest go first.
//! - Damaged files that were moved out of the pool: the same, but never before the pool holds the right bytes again, which
//!   are read for it. They may be the only copy, and do not count for the 2 GB until then.
//! - `trash/<date>…`: 14 days, without a limit of its size: an operator who removed too much notices within two weeks.
//!
//! Everything else is never deleted, above all evidence (`quarantine/evidence-…`) and the reports of media. An entry whose name
//! or date cannot be read is not one of the above. The time is that of the run's clock; an entry of the future is new.

use std::str::FromStr as _;

use camino::Utf8PathBuf;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

use super::pool::sha256_of;
use super::{Mirror, Writing};
use crate::clock::Time;
use crate::disk::{self, Entry};
use crate::error::Result;
use crate::update::Sha256;

/// The bytes that rejected downloads and saved pages may have together: less than a mirror of one month has, and more than a
/// run with a bad line leaves. What does not fit even alone is not kept at all.
pub const QUARANTINE_ROOM: u64 = 2 * 1024 * 1024 * 1024;

/// The days for which they are kept: from one Patch Tuesday past the next one.
const QUARANTINE_DAYS: i64 = 30;

/// The days for which removed sets are kept.
const TRASH_DAYS: i64 = 14;

const SECONDS_A_DAY: i64 = 86_400;

/// The result of a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Rejected downloads, damaged files that were replaced, and saved pages.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Entries of the trash.
    pub trashed: usize,
}

/// An entry that has an age.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    path: Utf8PathBuf,
    size: u64,
    since: Time,
    /// The digest of the bytes that have to be in the pool before this entry may go.
    replaced_by: Option<Sha256>,
}

impl Mirror<Writing> {
    /// Deletes what has been kept for long enough.
    pub fn purge(&self, now: Time) -> Result<Purged> {
        self.expect_lock()?;
        let mut purged = Purged::default();
        let mut kept = self.kept_in_quarantine()?;
        kept.extend(self.saved_pages()?);
        // Reading a pool file is worth it for an entry alone that would go.
        let mut may_go = Vec::new();
        for entry in kept {
            let is_pinned = match &entry.replaced_by {
                Some(_) if is_young(&entry, now) => true,
                Some(sha256) => !self.holds_verified(sha256),
                None => false,
            };
            if !is_pinned {
                may_go.push(entry);
            }
        }
        for entry in doomed(may_go, now) {
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

    /// Returns the entries of `quarantine/` that may be deleted one day.
    fn kept_in_quarantine(&self) -> Result<Vec<Kept>> {
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
                kept.push(Kept { path, size, since, replaced_by });
            }
        }
        Ok(kept)
    }

    /// Returns the saved pages of `runs/`.
    fn saved_pages(&self) -> Result<Vec<Kept>> {
        let folder = self.layout.runs();
        let mut kept = Vec::new();
        for name in disk::list(&folder)? {
            let path = folder.join(&name);
            let since = time_of(&name).filter(|_| path.extension() == Some("html"));
            if let (Some(since), Entry::File(size)) = (since, disk::entry(&path)?) {
                kept.push(Kept { path, size, since, replaced_by: None });
            }
        }
        Ok(kept)
    }

    /// Returns `true` if the pool has these bytes: every one was read just now.
    fn holds_verified(&self, sha256: &Sha256) -> bool {
        sha256_of(&self.layout.pool_file(sha256)).is_ok_and(|found| found == *sha256)
    }
}

fn is_young(entry: &Kept, now: Time) -> bool {
    now.since(entry.since).as_secs() <= QUARANTINE_DAYS * SECONDS_A_DAY
}

/// Returns the entries that are too old, and the oldest of the others that do not fit.
fn doomed(mut kept: Vec<Kept>, now: Time) -> Vec<Kept> {
    // The newest first; names decide between entries of one second.
    kept.sort_by(|a, b| b.since.cmp(&a.since).then_with(|| a.path.cmp(&b.path)));
    let mut taken = 0_u64;
    kept.retain(|entry| {
        taken = taken.saturating_add(entry.size);
        !is_young(entry, now) || taken > QUARANTINE_ROOM
    });
    kept
}

/// Reads the time at the beginning of a name under `runs/`: `2026-11-23T080000Z-…`.
fn time_of(name: &str) -> Option<Time> {
    let (time, _) = name.split_once("Z-")?;
    let time = DateTime::strptime("%Y-%m-%dT%H%M%S", time).ok()?;
    Some(Offset::UTC.to_timestamp(time).ok()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: &str, size: u64, days: i64) -> Kept {
        Kept { path: name.into(), size, since: now().shifted_by(-days * SECONDS_A_DAY), replaced_by: None }
    }

    fn now() -> Time {
        "2026-11-23T08:00:00Z".parse().unwrap()
    }

    fn names(kept: Vec<Kept>) -> Vec<String> {
        kept.into_iter().map(|entry| entry.path.into_string()).collect()
    }

    #[test]
    fn the_old_go_and_then_the_oldest_beyond_the_room() {
        let gib = 1024 * 1024 * 1024;
        assert_eq!(names(doomed(vec![kept("new", 1, 30), kept("old", 1, 31)], now())), ["old"]);
        let crowd = vec![kept("a", gib, 3), kept("b", gib, 2), kept("c", gib, 1), kept("d", 0, 4)];
        assert_eq!(names(doomed(crowd, now())), ["a", "d"]);
        // Of the future: as new as can be.
        assert_eq!(names(doomed(vec![kept("later", 1, -400)], now())), Vec::<String>::new());
    }

    #[test]
    fn only_a_time_is_a_time() {
        assert_eq!(time_of("2026-11-23T080000Z-search.html"), Some(now()));
        for name in ["", "notes.html", "2026-11-23-x.html", "2026-13-23T080000Z-x.html", "\u{e9}Z-x.html"] {
            assert_eq!(time_of(name), None, "{name}");
        }
    }
}
