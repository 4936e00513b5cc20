//! The index: a SQLite database of updates, files, and the graph between them.
//!
//! The database is part of the product: its views (see `schema_1.sql` and mirror-layout.md) may be queried with
//! the stock `sqlite3` program. The index keeps facts that the Catalog no longer shows. Rows are added and their
//! `last_seen` advances; no row is deleted because a response did not mention it.
//!
//! A single writer changes the index, under the mirror's lock. Everything that one step of a run learns is written
//! in one transaction, so that a reader sees all of it or nothing. A database of a newer format is refused.

mod columns;
mod damage;
mod graph;
mod integrity;
mod newest;
mod read;
mod record;
mod schema;
mod seen;
mod sets;
mod store_error;

mod write;

use std::ops::Deref;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, OpenFlags};

pub use damage::{Damage, NewDamage};
pub use read::{Revision, SeenPeriod, UpdateDetail, UpdateSelector};
pub use record::{DetailsRecord, DialogNews, DigestConflict, FileRecord, UpdateRecord};
pub use seen::{A_DAY, SeenUpdate};
pub use sets::{PublishState, SetRow};

use store_error::{store_error, with_disk_sizes};

use crate::clock::Time;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};

/// A recorded run of a command that writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRun {
    /// The arguments, without credentials.
    pub command: String,
    /// The start time.
    pub started: Time,
    /// The end time, or `None` while the run is in progress and after it was killed.
    pub finished: Option<Time>,
    /// The exit code.
    pub exit_code: Option<i64>,
}

impl RecordedRun {
    /// Returns `true` if this was a run of the command that completed all of its work, and not a dry run.
    pub fn is_complete(&self, command: &str) -> bool {
        self.exit_code == Some(0) && self.is_run_of(command)
    }

    /// Returns `true` if this was a run of the command, and not a dry run.
    pub fn is_run_of(&self, command: &str) -> bool {
        let has = |wanted: &str| self.command.split_whitespace().any(|word| word == wanted);
        has(command) && !has("--dry-run")
    }
}

/// An open index for reading. Changes go through [`Index::in_transaction`].
///
/// A change outside of a transaction does not compile:
///
/// ```compile_fail,E0599
/// fn record(index: &kbmirror::mirror::Index) -> kbmirror::error::Result<()> {
///     index.set_meta("origin", "live")
/// }
/// ```
///
/// A change within a transaction does:
///
/// ```
/// fn record(index: &mut kbmirror::mirror::Index) -> kbmirror::error::Result<()> {
///     index.in_transaction(|changes| changes.set_meta("origin", "live"))
/// }
/// ```
#[derive(Debug)]
pub struct Index {
    connection: Connection,
    /// The path of the file, or `None` for a database that is private to this process.
    path: Option<Utf8PathBuf>,
}

/// An open transaction of an index: only this type has the functions that write. It dereferences to [`Index`] for
/// reading, and sees its own changes.
#[derive(Debug)]
pub struct Transaction<'i> {
    index: &'i Index,
}

impl Deref for Transaction<'_> {
    type Target = Index;

    fn deref(&self) -> &Index {
        self.index
    }
}

impl Index {
    /// Opens an index for writing. Creates it, or migrates it to the current format, if necessary.
    pub fn open(path: &Utf8Path) -> Result<Self> {
        Self::create_or_open(path).map_err(|error| with_disk_sizes(error, path))
    }

    fn create_or_open(path: &Utf8Path) -> Result<Self> {
        disk::create_dir_all(disk::parent(path))?;
        // The last process did not close the index if its changes are still in the journal beside it.
        let changes = disk::file_size(&Utf8PathBuf::from(format!("{path}-wal")));
        let is_unclean = changes.is_ok_and(|size| size.is_some_and(|size| size > 0));
        let mut connection =
            Connection::open(path).map_err(store_error).map_err(|error| error.context(path))?;
        schema::refuse_newer(
            schema::format_of(&connection).map_err(|error| not_an_index(path, error))?,
            path.as_str(),
        )?;
        if !schema::is_index_or_empty(&connection)? {
            return Err(Error::usage(format!("{path} is not an index of kbmirror")));
        }
        configure(&connection)?;
        columns::add_functions(&connection).map_err(store_error)?;
        // In WAL mode readers continue while one process writes. With FULL a commit survives a power failure.
        let _mode: String = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
            .map_err(store_error)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(store_error)?;
        if is_unclean {
            let index = Self { connection, path: None };
            index.refuse_broken(path)?;
            connection = index.connection;
        }
        schema::migrate(&mut connection)?;
        Ok(Self { connection, path: Some(path.to_owned()) })
    }

    /// Opens an existing index for reading.
    pub fn open_read_only(path: &Utf8Path) -> Result<Self> {
        Self::open_existing(path).map_err(|error| with_disk_sizes(error, path))
    }

    fn open_existing(path: &Utf8Path) -> Result<Self> {
        let opened = Self::connect_to_read(path, false);
        // Read-only media cannot hold the files that readers and a writer share, and do not have a writer.
        let connection = opened.or_else(|error| Self::connect_to_read(path, true).map_err(|_| error))?;
        let format = schema::format_of(&connection).map_err(|error| not_an_index(path, error))?;
        schema::refuse_newer(format, path.as_str())?;
        if format == 0 || !schema::is_index_or_empty(&connection)? {
            return Err(Error::usage(format!("{path} is not an index of kbmirror")));
        }
        configure(&connection)?;
        schema::add_missing_tables_as_temp(&connection)?;
        connection.pragma_update(None, "query_only", true).map_err(store_error)?;
        Ok(Self { connection, path: Some(path.to_owned()) })
    }

    /// Opens a private copy of an index that ends with this process, or an empty one if no index exists.
    pub(super) fn open_scratch(path: &Utf8Path) -> Result<Self> {
        // The empty name: SQLite keeps such a database in memory, and moves it to an unnamed temporary file when
        // it grows.
        let mut connection = Connection::open("").map_err(store_error)?;
        if disk::exists(path) && !Self::is_uninitialized(path)? {
            let source = Self::open_read_only(path)?;
            let backup =
                rusqlite::backup::Backup::new(&source.connection, &mut connection).map_err(store_error)?;
            backup.step(-1).map_err(store_error)?;
        }
        configure(&connection)?;
        columns::add_functions(&connection).map_err(store_error)?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection, path: None })
    }

    /// Returns `true` if the database file exists and contains no index yet, as after an interrupted run.
    pub(super) fn is_uninitialized(path: &Utf8Path) -> Result<bool> {
        let connection = Self::connect_to_read(path, false)?;
        Ok(schema::format_of(&connection)? == 0 && schema::is_index_or_empty(&connection)?)
    }

    /// Opens a connection that writes nothing into the index. Unless it is `immutable`, it removes the files
    /// beside the index when it closes last; a read-only connection never does.
    fn connect_to_read(path: &Utf8Path, immutable: bool) -> Result<Connection> {
        let opened = if immutable {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
                | OpenFlags::SQLITE_OPEN_NO_MUTEX
                | OpenFlags::SQLITE_OPEN_URI;
            let name = path.as_str().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
        } else {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(path, flags)
        };
        let connection = opened.map_err(store_error).map_err(|error| error.context(path))?;
        schema::format_of(&connection).map_err(|error| not_an_index(path, error))?;
        Ok(connection)
    }

    /// Creates an index in memory, for tests.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        let mut connection = Connection::open_in_memory().unwrap();
        configure(&connection).unwrap();
        columns::add_functions(&connection).unwrap();
        schema::migrate(&mut connection).unwrap();
        Self { connection, path: None }
    }

    /// Runs changes that become visible together, or not at all.
    pub fn in_transaction<T>(&mut self, changes: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.transact(changes)
    }

    /// Runs changes for a caller that holds the lock and shares the index. A nested transaction is an error.
    pub(super) fn transact<T>(&self, changes: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| self.failed(error))?;
        let done = changes(&Transaction { index: self }).map_err(|error| self.with_disk_sizes(error));
        let committed = done.and_then(|value| {
            self.connection.execute_batch("COMMIT").map_err(|error| self.failed(error))?;
            Ok(value)
        });
        if committed.is_err() {
            // The first error is returned. SQLite rolls back on its own if the rollback fails too.
            let _rolled_back = self.connection.execute_batch("ROLLBACK");
        }
        committed
    }

    fn failed(&self, error: rusqlite::Error) -> Error {
        self.with_disk_sizes(store_error(error))
    }

    /// Adds the path and sizes to an error about a full disk.
    fn with_disk_sizes(&self, error: Error) -> Error {
        match &self.path {
            Some(path) => with_disk_sizes(error, path),
            None => error,
        }
    }

    /// Runs changes and rolls them back. Returns the result of `changes`, which sees an index with these changes.
    pub(super) fn rehearse<T>(&self, changes: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| self.failed(error))?;
        let seen = changes(&Transaction { index: self }).map_err(|error| self.with_disk_sizes(error));
        let rolled_back = self.connection.execute_batch("ROLLBACK").map_err(|error| self.failed(error));
        // A statement that failed on a full disk has ended the transaction already.
        seen.and_then(|seen| rolled_back.map(|()| seen))
    }

    /// Returns a value from the table `meta`.
    pub fn meta(&self, key: &str) -> Result<Option<String>> {
        let mut query =
            self.connection.prepare_cached("SELECT value FROM meta WHERE key = ?1").map_err(store_error)?;
        let mut rows = query.query_map([key], |row| row.get(0)).map_err(store_error)?;
        rows.next().transpose().map_err(store_error)
    }

    /// Returns the values of the table `meta` whose keys begin with a prefix.
    pub fn meta_with_prefix(&self, prefix: &str) -> Result<Vec<(String, String)>> {
        let sql = "SELECT key, value FROM meta WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key";
        self.rows(sql, [prefix], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Returns the runs, earliest first.
    pub fn recorded_runs(&self) -> Result<Vec<RecordedRun>> {
        let sql = "SELECT command, started, finished, exit_code FROM runs ORDER BY id";
        self.rows(sql, [], |row| {
            Ok(RecordedRun {
                command: row.get(0)?,
                started: row.get(1)?,
                finished: row.get(2)?,
                exit_code: row.get(3)?,
            })
        })
    }

    fn execute(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<usize> {
        let mut statement = self.connection.prepare_cached(sql).map_err(store_error)?;
        statement.execute(parameters).map_err(store_error)
    }

    fn rows<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql).map_err(store_error)?;
        let rows = statement.query_map(parameters, read).map_err(store_error)?;
        rows.collect::<rusqlite::Result<Vec<T>>>().map_err(store_error)
    }

    fn first<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.rows(sql, parameters, read)?.into_iter().next())
    }
}

impl Transaction<'_> {
    /// Sets a value in the table `meta` if the key does not exist yet.
    pub fn set_meta(&self, key: &str, value: &str) -> Result<()> {
        self.execute("INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING", (key, value))?;
        Ok(())
    }

    /// Sets a value in the table `meta`, and replaces an existing one.
    pub fn replace_meta(&self, key: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
        self.execute(sql, (key, value))?;
        Ok(())
    }

    /// Removes a value from the table `meta`.
    pub fn remove_meta(&self, key: &str) -> Result<()> {
        self.execute("DELETE FROM meta WHERE key = ?1", [key])?;
        Ok(())
    }

    /// Removes the values of the table `meta` whose keys begin with a prefix.
    pub fn remove_meta_with_prefix(&self, prefix: &str) -> Result<()> {
        self.execute("DELETE FROM meta WHERE substr(key, 1, length(?1)) = ?1", [prefix])?;
        Ok(())
    }

    /// Records the start of a run. Returns its number for [`Transaction::finish_run`].
    pub fn start_run(&self, command: &str, now: Time) -> Result<i64> {
        self.execute("INSERT INTO runs (command, started) VALUES (?1, ?2)", (command, now))?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Records the end of a run.
    pub fn finish_run(&self, run: i64, now: Time, exit_code: u8, requests: u64, bytes: u64) -> Result<()> {
        let sql = "UPDATE runs SET finished = ?2, exit_code = ?3, requests = ?4, bytes_downloaded = ?5 WHERE id = ?1";
        self.execute(sql, (run, now, exit_code, as_integer(requests), as_integer(bytes)))?;
        Ok(())
    }
}

fn configure(connection: &Connection) -> Result<()> {
    /// The time to wait for another reader or a checkpoint that holds the database.
    const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
    connection.busy_timeout(BUSY_TIMEOUT).map_err(store_error)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(store_error)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn not_an_index(path: &Utf8Path, error: Error) -> Error {
    if error.kind() == ErrorKind::NoSpace {
        return error.context(path);
    }
    error.with_kind(ErrorKind::Usage).context(format!("{path} is not an index of kbmirror")).hint(
        "restore a backup of the file, or move it away: the next command that writes rebuilds it from kb/ and pool/",
    )
}

/// Converts a count for SQLite, whose integers are signed. No real count comes near the limit.
fn as_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Converts a count from SQLite. A negative one, which the table constraints exclude, becomes `None`.
fn as_count(number: Option<i64>) -> Option<u64> {
    number.and_then(|number| u64::try_from(number).ok())
}

#[cfg(test)]
mod tests;
