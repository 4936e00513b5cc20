//! The errors of SQLite as errors of this crate.

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::ffi;

use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::update::human_size;

/// The free bytes below which a failed write counts as a full disk. The limit is smaller than one allocation step
/// of SQLite. In some places SQLite reports a full disk, or an exhausted quota, like any other failure of the
/// disk.
const MIN_FREE_BYTES: u64 = 64 * 1024;

/// Returns the error of a failed statement. A full disk and a busy index have their own kinds.
pub(super) fn store_error(error: rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => ErrorKind::NoSpace,
        // The file that readers and a writer share cannot grow: the disk has no free block.
        _ if error.sqlite_error().is_some_and(|own| own.extended_code == ffi::SQLITE_IOERR_SHMSIZE) => {
            ErrorKind::NoSpace
        }
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => ErrorKind::Busy,
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
            return Error::new(ErrorKind::Integrity, "the index is damaged")
                .caused_by(error)
                .hint("run kbmirror repair --rebuild-index, or restore a backup of mirror.db");
        }
        _ => ErrorKind::Internal,
    };
    Error::new(kind, "cannot read or write the index").caused_by(error)
}

/// Adds the path, the size, and the free bytes of an index to an error about a full disk. Any other error stays
/// unchanged.
pub(super) fn with_disk_sizes(error: Error, path: &Utf8Path) -> Error {
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref());
    let Some(own) = source.and_then(rusqlite::Error::sqlite_error).copied() else { return error };
    let free = disk::available_space(path).unwrap_or(u64::MAX);
    if !is_disk_full(own.extended_code, free) {
        return error;
    }
    let sizes = ["", "-wal", "-shm"].map(|end| disk::file_size(&Utf8PathBuf::from(format!("{path}{end}"))));
    let size = sizes.into_iter().filter_map(|size| size.ok().flatten()).sum();
    let message = format!(
        "no space left for the index {path}: its size is {}, and {} are free there",
        human_size(size),
        human_size(free)
    );
    Error::new(ErrorKind::NoSpace, message)
        .caused_by(rusqlite::Error::SqliteFailure(own, None))
        .hint("free space on that disk and run the same command again; recorded data is kept")
}

/// Returns `true` if an error of SQLite reports a full disk, or may come from a disk with this few free bytes.
fn is_disk_full(extended_code: i32, free: u64) -> bool {
    match extended_code {
        ffi::SQLITE_FULL | ffi::SQLITE_IOERR_SHMSIZE => true,
        ffi::SQLITE_IOERR_WRITE
        | ffi::SQLITE_IOERR_FSYNC
        | ffi::SQLITE_IOERR_DIR_FSYNC
        | ffi::SQLITE_IOERR_TRUNCATE
        | ffi::SQLITE_IOERR_SHMOPEN
        | ffi::SQLITE_IOERR_SHMMAP
        | ffi::SQLITE_CANTOPEN => free < MIN_FREE_BYTES,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: i32) -> Error {
        store_error(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn full_disk_is_distinguished_from_other_disk_errors() {
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE] {
            assert!(is_disk_full(code, u64::MAX), "{code}: also for an exhausted quota");
        }
        for code in [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_CANTOPEN] {
            assert!(is_disk_full(code, 0) && !is_disk_full(code, MIN_FREE_BYTES), "{code}");
        }
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_CORRUPT, ffi::SQLITE_IOERR_READ, ffi::SQLITE_CONSTRAINT] {
            assert!(!is_disk_full(code, 0), "{code}");
        }
    }

    #[test]
    fn only_a_full_disk_error_names_the_path_and_the_sizes() {
        let path = Utf8Path::new("here/mirror.db");
        let error = with_disk_sizes(failed(ffi::SQLITE_FULL), path);
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        assert!(error.message().contains("the index here/mirror.db: its size is 0 B, and "), "{error}");
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_CORRUPT, ffi::SQLITE_CONSTRAINT] {
            let (before, after) = (failed(code), with_disk_sizes(failed(code), path));
            assert_eq!((before.kind(), before.message()), (after.kind(), after.message()));
        }
        assert_eq!(with_disk_sizes(Error::usage("x"), path).message(), "x");
    }
}
