//! The recorded graph: edges with their sources and the times at which they were seen.

use std::collections::BTreeSet;

use rusqlite::Row;

use super::Index;
use super::read::parsed;
use crate::clock::Time;
use crate::error::Result;
use crate::facts::{FileKey, Role, Source};
use crate::resolve::{RecordedNeed, RecordedSupersedence, UpdateName};
use crate::update::{Kb, UpdateId};

impl Index {
    /// Returns the requirements of these files, with every source that ever stated them.
    pub fn needs_of_files(&self, files: &BTreeSet<FileKey>) -> Result<Vec<RecordedNeed>> {
        let mut found = Vec::new();
        for &key in files {
            let sql = "SELECT needs_file, role, source, first_seen, last_seen FROM needs WHERE file = ?1 ORDER BY needs_file, source";
            let rows: Vec<(FileKey, String, Source, Time, Time)> = self.rows(sql, [key], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })?;
            for (needs, role, source, first_seen, last_seen) in rows {
                let (Some(file), Some(needs)) = (self.file(key)?, self.file(needs)?) else {
                    continue;
                };
                found.push(RecordedNeed {
                    file,
                    needs,
                    // A role of a newer program means at least that the file is needed.
                    role: Role::from_word(&role).unwrap_or(Role::Prerequisite),
                    source,
                    first_seen,
                    last_seen,
                });
            }
        }
        Ok(found)
    }

    /// Returns the edges between the updates of a KB and the updates that they replace, or that replace them.
    pub fn supersedence_of(&self, kb: Kb) -> Result<Vec<RecordedSupersedence>> {
        let mut found = Vec::new();
        let updates: Vec<String> = self.rows(
            "SELECT update_id FROM updates WHERE kb = ?1 ORDER BY update_id",
            [kb.number()],
            |row| row.get(0),
        )?;
        for id in updates {
            for side in ["newer", "older"] {
                let sql = format!(
                    "SELECT newer_update_id, newer_title, a.kb, older_update_id, older_title, b.kb, source,
                        replace(v.first_seen, ' ', 'T') || 'Z', replace(v.last_seen, ' ', 'T') || 'Z'
                    FROM v_supersedes v
                    LEFT JOIN updates a ON a.update_id = newer_update_id
                    LEFT JOIN updates b ON b.update_id = older_update_id
                    WHERE {side}_update_id = ?1 ORDER BY newer_title, older_title, source"
                );
                found.extend(self.rows(&sql, [&id], read_edge)?);
            }
        }
        Ok(found)
    }
}

fn read_edge(row: &Row<'_>) -> rusqlite::Result<RecordedSupersedence> {
    let end = |first: usize| -> rusqlite::Result<UpdateName> {
        let id: Option<String> = row.get(first)?;
        Ok(UpdateName {
            id: id.and_then(|id| id.parse::<UpdateId>().ok()),
            title: row.get(first + 1)?,
            kb: row.get::<_, Option<u32>>(first + 2)?.and_then(Kb::from_number),
        })
    };
    Ok(RecordedSupersedence {
        newer: end(0)?,
        older: end(3)?,
        source: row.get(6)?,
        first_seen: parse_time(row, 7)?,
        last_seen: parse_time(row, 8)?,
    })
}

/// Reads a time that a view returns as text.
fn parse_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Time> {
    let invalid = || rusqlite::Error::InvalidColumnType(column, "time".into(), rusqlite::types::Type::Text);
    parsed(row, column)?.ok_or_else(invalid)
}
