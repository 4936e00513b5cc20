//! The errors of SQLite as errors of this crate.

use crate::error::{Error, ErrorKind};

/// Returns the error of a failed statement. A full disk and a busy index have kinds of their own.
pub(super) fn store_error(error: rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => ErrorKind::NoSpace,
        // The file that readers and a writer share cannot be made any longer: on a disk without a free block.
        _ if error
            .sqlite_error()
            .is_some_and(|own| own.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE) =>
        {
            ErrorKind::NoSpace
        }
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => ErrorKind::Busy,
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
            return Error::new(ErrorKind::Integrity, "the index is damaged")
                .caused_by(error)
                .hint("run kbmirror repair --rebuild-index, or put a backup of mirror.db back");
        }
        _ => ErrorKind::Internal,
    };
    Error::new(kind, "the index could not be read or written").caused_by(error)
}
