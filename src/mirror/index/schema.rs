//! The tables and views of the index, and the migration of an older format to the current one.
//!
//! `user_version` counts the applied migrations. A migration is never changed or removed after its release. A
//! program refuses an index of a newer format instead of guessing.

use rusqlite::Connection;

use super::store_error::store_error;
use crate::error::{Error, Result};

/// The id "KBMI", by which `file` and other programs recognize the database.
const APPLICATION_ID: i32 = 0x4b42_4d49;

/// The migration scripts, one per format. The first one turns an empty database into format 1.
const MIGRATIONS: [&str; 4] = [
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
];

/// Returns the format that this program writes.
fn newest_format() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Returns the format of an index.
pub(super) fn format_of(connection: &Connection) -> Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(store_error)
}

/// Refuses an index that a newer program wrote.
pub(super) fn refuse_newer(format: u32, path: &str) -> Result<()> {
    if format <= newest_format() {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{path} has format {format}; this program reads formats up to {}",
        newest_format()
    ))
    .hint("use the version of kbmirror that wrote the file, or a newer one"))
}

/// Returns `true` if a database is an index, or is empty and may become one.
pub(super) fn is_index_or_empty(connection: &Connection) -> Result<bool> {
    let id: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(store_error)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))
        .map_err(store_error)?;
    Ok(id == APPLICATION_ID || (tables == 0 && format_of(connection)? == 0))
}

/// Applies the missing migrations, each in its own transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    let format = format_of(connection)?;
    for (number, script) in (1_u32..).zip(MIGRATIONS).skip_while(|&(number, _)| number <= format) {
        let transaction = connection.transaction().map_err(store_error)?;
        transaction.execute_batch(script).map_err(store_error)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(store_error)?;
        transaction.pragma_update(None, "user_version", number).map_err(store_error)?;
        transaction.commit().map_err(store_error)?;
    }
    Ok(())
}

/// Makes a read-only index of an older format readable by creating the missing tables, empty, as TEMP tables of
/// this connection.
pub(super) fn add_missing_tables_as_temp(connection: &Connection) -> Result<()> {
    let format = format_of(connection)?;
    if format < 3 {
        let sql = "CREATE TEMP TABLE absences (update_ref INTEGER PRIMARY KEY, missing_since INTEGER, expired INTEGER)";
        connection.execute_batch(sql).map_err(store_error)?;
    }
    if format < 4 {
        let sql = "CREATE TEMP TABLE damage (path TEXT PRIMARY KEY, kb INTEGER, folder TEXT, sha256 BLOB, kind TEXT,
            message TEXT, found INTEGER, found_by TEXT)";
        connection.execute_batch(sql).map_err(store_error)?;
    }
    Ok(())
}
