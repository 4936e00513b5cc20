//! Checks of the index as a database, by SQLite itself.

use camino::Utf8Path;

use super::store_error::store_error;
use super::{Index, Transaction};
use crate::error::{Error, ErrorKind, Result};

/// The maximum number of faults that are named; further ones add no information.
const NAMED: u32 = 20;

/// The key of a run that changed rows and has not yet written the views that depend on them.
const PENDING: &str = "views_pending";

impl Index {
    /// Returns the faults that SQLite finds in the file and in the references between its rows. The list is empty
    /// for a sound index.
    pub fn integrity_faults(&self) -> Vec<String> {
        let mut faults = match self.rows(&format!("PRAGMA integrity_check({NAMED})"), [], |row| row.get(0)) {
            Ok(lines) => lines,
            Err(error) => vec![error.full_message()],
        };
        faults.retain(|line: &String| line != "ok");
        let references = self.rows("PRAGMA foreign_key_check", [], |row| {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            Ok(format!("a row of {table} references a missing row of {parent}"))
        });
        match references {
            Ok(mut lines) => {
                lines.dedup();
                lines.truncate(NAMED as usize);
                faults.extend(lines);
            }
            Err(error) => faults.push(error.full_message()),
        }
        faults
    }

    /// Refuses a database that is corrupt after a run that did not close it.
    pub(super) fn refuse_broken(&self, path: &Utf8Path) -> Result<()> {
        let mut query = self.connection.prepare("PRAGMA quick_check(1)").map_err(store_error)?;
        let found: String = query.query_row([], |row| row.get(0)).map_err(store_error)?;
        if found == "ok" {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Integrity, format!("{path} is damaged: {found}"))
            .hint("run kbmirror repair --rebuild-index, or restore a backup of the file"))
    }

    /// Returns `true` unless a run is in progress, or an interrupted run changed rows without writing the views.
    pub fn has_current_views(&self) -> Result<bool> {
        let runs = self.recorded_runs()?;
        let is_finished = runs.last().is_none_or(|run| run.finished.is_some());
        Ok(is_finished && !self.has_pending_views()?)
    }

    /// Records that the views are current.
    pub fn mark_views_current(&mut self) -> Result<()> {
        self.in_transaction(|index| index.remove_meta(PENDING))
    }

    /// Returns `true` if rows changed and the views are not written yet.
    pub fn has_pending_views(&self) -> Result<bool> {
        Ok(self.meta(PENDING)?.is_some())
    }
}

impl Transaction<'_> {
    /// Records that rows changed and the views must be written.
    pub fn mark_views_pending(&self) -> Result<()> {
        self.set_meta(PENDING, "1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangling_reference_is_an_integrity_fault() {
        let index = Index::in_memory();
        assert_eq!(index.integrity_faults(), Vec::<String>::new());
        index
            .connection
            .execute_batch(
                "PRAGMA foreign_keys = OFF; INSERT INTO file_urls (file, url, source, first_seen, last_seen) VALUES (99, 'https://a', 'dialog', 1, 1);",
            )
            .unwrap();
        let faults = index.integrity_faults();
        assert!(faults.len() == 1 && faults[0].contains("file_urls"), "{faults:?}");
    }
}
