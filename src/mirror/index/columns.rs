//! Domain values as columns of the index: words, numbers, and times; and the precedence of sources for SQL.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::clock::Time;
use crate::facts::{FileKey, FileProperty, SetFolder, SetId, Source};

macro_rules! word_columns {
    ($($type:ty),*) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let word = value.as_str()?;
                Self::from_word(word)
                    .ok_or_else(|| FromSqlError::Other(format!("this version does not know {word:?}").into()))
            }
        }
    )*};
}

word_columns!(Source, FileProperty);

macro_rules! number_columns {
    ($($type:ident),*) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.0))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map(Self)
            }
        }
    )*};
}

number_columns!(FileKey, SetId);

impl ToSql for SetFolder {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_str()))
    }
}

/// A row whose folder name is not plain is an error.
impl FromSql for SetFolder {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        Self::new(name).map_err(|fault| {
            FromSqlError::Other(format!("the folder name {name:?} is refused: {fault}").into())
        })
    }
}

/// Full seconds since 1970.
impl ToSql for Time {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_second()))
    }
}

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let seconds = value.as_i64()?;
        Self::from_second(seconds).ok_or(FromSqlError::OutOfRange(seconds))
    }
}

/// Adds `stronger_source(recorded, new)` to a connection: the source with precedence, by the order of [`Source`].
pub(super) fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("stronger_source", 2, flags, |context| {
        Ok(Source::stronger(context.get(0)?, context.get(1)?))
    })
}
