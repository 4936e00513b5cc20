//! The parser of a table. A text that cannot be read is an error that names the table and the line.

use crate::error::{Error, ErrorKind, Result};

/// The table format of this program.
const FORMAT: u32 = 1;

/// Makes the error for a table that cannot be used.
pub(super) fn table_error(table: &str, reason: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("the knowledge table {table} is invalid: {reason}"))
}

/// Reads a table from TOML. Refuses unknown keys, because a mistyped key would otherwise be ignored.
pub(super) fn read_table<T: serde::de::DeserializeOwned>(table: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
        table_error(table, &format!("line {line}: {}", error.message().replace('\n', "; ")))
    })
}

/// Refuses a table in another format.
pub(super) fn check_format(table: &str, format: u32) -> Result<()> {
    if format == FORMAT {
        return Ok(());
    }
    Err(table_error(table, &format!("format {format} is not supported; this program reads format {FORMAT}")))
}
