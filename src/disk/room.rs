//! What a disk has room for, and what its file system takes. Where that has to be tried, nothing is left of the trial.

use std::{fs, io};

use camino::Utf8Path;

use super::{BEING_WRITTEN, create_dir_all, exists, failed};
use crate::error::Result;

/// The bytes that may still be written where a path is, or will be.
pub fn available_space(path: &Utf8Path) -> Result<u64> {
    let there = path.ancestors().find(|path| !path.as_str().is_empty() && exists(path));
    let there = there.unwrap_or_else(|| Utf8Path::new("."));
    fs4::available_space(there).map_err(|error| failed("ask for the free space of", there, error))
}

/// Returns the room that a file system needs for these bytes and for its own structures: 2 % more (transfer notes §2, row 36).
pub fn with_overhead(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 50)
}

/// How much of the disk a file takes, reserved room included; nothing where there is none.
pub fn allocated(path: &Utf8Path) -> Result<u64> {
    match fs::symlink_metadata(path) {
        #[cfg(unix)]
        Ok(metadata) => Ok(std::os::unix::fs::MetadataExt::blocks(&metadata) * 512),
        #[cfg(not(unix))]
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(failed("look at", path, error)),
    }
}

/// Whether files of a folder, which is made where it lacks, can have several names.
pub fn takes_links(folder: &Utf8Path) -> Result<bool> {
    create_dir_all(folder)?;
    #[cfg(test)]
    if !super::crash::has_links() {
        return Ok(false);
    }
    // Named like all that is being written, so that what a killed run leaves of it is swept away.
    let made = tempfile::Builder::new().prefix(BEING_WRITTEN).tempfile_in(folder);
    let file = made.map_err(|error| failed("write in", folder, error))?;
    let name = file.path().with_extension("link");
    let linked = fs::hard_link(file.path(), &name).is_ok();
    if linked {
        fs::remove_file(&name).map_err(|error| failed("write in", folder, error))?;
    }
    Ok(linked)
}

/// Whether a folder's file system takes a file of this size, by making an empty one that long; it goes away at once.
pub fn takes_file_of(folder: &Utf8Path, size: u64) -> Result<bool> {
    let file = tempfile::tempfile_in(folder).map_err(|error| failed("write in", folder, error))?;
    match file.set_len(size) {
        Ok(()) => Ok(true),
        // Some drivers of FAT32 say that it is not permitted; the file itself was made just now.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidInput | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(false)
        }
        // Without room nothing can be told about sizes; the room is asked for separately.
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(true),
        Err(error) => Err(failed("try a large file in", folder, error)),
    }
}
