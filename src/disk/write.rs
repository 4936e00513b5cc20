//! Complete files, written so that a reader sees the old content or the new one.

#[cfg(unix)]
use std::fs;
use std::fs::File;
#[cfg(unix)]
use std::io;
use std::io::Write as _;

use camino::Utf8Path;

use super::{Entry, create_dir_all, disk_error, entry, file_size, parent, read, rename_with_retry, sync_dir};
use crate::error::{Error, Result};

/// The prefix of the names of files that are being written. A file that keeps such a name was left by a killed run.
pub const TEMPORARY_PREFIX: &str = ".new-";

/// Writes a complete file so that a reader sees the old content or the new one, never a part.
pub fn write_atomic(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    let folder = parent(path);
    create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .tempfile_in(folder)
        .map_err(|error| disk_error("write in", folder, error))?;
    file.write_all(bytes).map_err(|error| disk_error("write", path, error))?;
    file.as_file().sync_all().map_err(|error| disk_error("sync", path, error))?;
    make_readable_by_all(file.as_file(), path)?;
    let (_, temporary) = file.into_parts();
    rename_with_retry(Utf8Path::from_path(&temporary).unwrap_or(path), path)
        .map_err(|error| disk_error("replace", path, error))?;
    // The file has its final name now.
    let _kept = temporary.keep();
    sync_dir(folder)
}

/// Writes a file that the operator named, completely or not at all. Refuses a folder, a link, or a device at this
/// path, because it or its target would be replaced.
pub fn write_named(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    match entry(path)? {
        Entry::Missing | Entry::File(_) => write_atomic(path, bytes),
        Entry::Folder | Entry::Other => Err(Error::usage(format!("{path} is not a regular file"))
            .hint("name a new file, or omit --to and redirect the output; nothing was written")),
    }
}

/// Writes a file atomically, unless it has the same content already. An unchanged file keeps its modification time,
/// for tools that copy new files only. Returns `true` if the file was written.
pub fn write_if_changed(path: &Utf8Path, bytes: &[u8]) -> Result<bool> {
    let length = bytes.len() as u64;
    if file_size(path)? == Some(length) && read(path, length).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    write_atomic(path, bytes)?;
    Ok(true)
}

/// Appends a line to a text file, and creates the file if necessary.
pub fn append_line(path: &Utf8Path, line: &str) -> Result<()> {
    create_dir_all(parent(path))?;
    let opened = File::options().append(true).create(true).open(path);
    let mut file = opened.map_err(|error| disk_error("open", path, error))?;
    file.write_all(format!("{line}\n").as_bytes()).map_err(|error| disk_error("write", path, error))
}

/// Makes a file readable for all users. Temporary files are created for their owner only; the permissions of the
/// folder decide who can read the final file.
#[cfg(unix)]
pub(super) fn make_readable_by_all(file: &File, path: &Utf8Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let permissions = fs::Permissions::from_mode(0o644);
    match file.set_permissions(permissions) {
        // This process owns the file, so the error means that the file system does not have modes, as on media.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) =>
        {
            Ok(())
        }
        other => other.map_err(|error| disk_error("set the mode of", path, error)),
    }
}

#[cfg(not(unix))]
pub(super) fn make_readable_by_all(_file: &File, _path: &Utf8Path) -> Result<()> {
    Ok(())
}

/// Creates a file that only its owner can read. Never overwrites an existing file.
pub fn write_secret(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    create_dir_all(parent(path))?;
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(|error| disk_error("write", path, error))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| disk_error("write", path, error))?;
    sync_dir(parent(path))
}
