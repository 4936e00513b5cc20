//! The free space of a disk, and the abilities of its file system. Files that are created for a trial are removed.

use std::{fs, io};

use camino::Utf8Path;

use super::{TEMPORARY_PREFIX, create_dir_all, disk_error, exists};
use crate::error::Result;

/// Returns the free bytes of the file system of a path. The path does not need to exist.
pub fn available_space(path: &Utf8Path) -> Result<u64> {
    let there = path.ancestors().find(|path| !path.as_str().is_empty() && exists(path));
    let there = there.unwrap_or_else(|| Utf8Path::new("."));
    fs4::available_space(there).map_err(|error| disk_error("read the free space of", there, error))
}

/// Returns the space that files of this size need, with 2 % for the structures of the file system.
pub fn with_overhead(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 50)
}

/// Returns the disk space that a file occupies, with reserved space included, or 0 if the file does not exist.
pub fn allocated(path: &Utf8Path) -> Result<u64> {
    match fs::symlink_metadata(path) {
        #[cfg(unix)]
        Ok(metadata) => Ok(std::os::unix::fs::MetadataExt::blocks(&metadata) * 512),
        #[cfg(not(unix))]
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(disk_error("examine", path, error)),
    }
}

/// Returns `true` if files in a folder can have several names. Creates the folder if necessary.
pub fn supports_links(folder: &Utf8Path) -> Result<bool> {
    create_dir_all(folder)?;
    #[cfg(test)]
    if !super::crash::has_links() {
        return Ok(false);
    }
    // A temporary name, so that a leftover of a killed run is removed later.
    let made = tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempfile_in(folder);
    let file = made.map_err(|error| disk_error("write in", folder, error))?;
    let name = file.path().with_extension("link");
    let linked = fs::hard_link(file.path(), &name).is_ok();
    if linked {
        fs::remove_file(&name).map_err(|error| disk_error("write in", folder, error))?;
    }
    Ok(linked)
}

/// Returns `true` if the file system of a folder supports files of this size. Tries it with a sparse file, which is
/// removed.
pub fn supports_file_size(folder: &Utf8Path, size: u64) -> Result<bool> {
    let file = tempfile::tempfile_in(folder).map_err(|error| disk_error("write in", folder, error))?;
    match file.set_len(size) {
        Ok(()) => Ok(true),
        // Some FAT32 drivers report "not permitted". The file itself was just created, so this is about its size.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidInput | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(false)
        }
        // A full disk says nothing about sizes. Free space is checked separately.
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(true),
        Err(error) => Err(disk_error("create a large file in", folder, error)),
    }
}
