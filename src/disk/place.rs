//! The place of a folder on this machine: its true path, and its file system.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::failed;
use crate::error::{Error, ErrorKind, Result};

/// Returns the path of something that exists, from the root on, with every link resolved.
pub fn canonical(path: &Utf8Path) -> Result<Utf8PathBuf> {
    let canonical = fs::canonicalize(path).map_err(|error| failed("find", path, error))?;
    Utf8PathBuf::from_path_buf(canonical)
        .map_err(|path| Error::new(ErrorKind::Usage, format!("{} is not UTF-8", path.display())))
}

/// Returns the number of the file system that a path is on, links followed; `None` where the system has no such number.
pub fn volume(path: &Utf8Path) -> Result<Option<u64>> {
    let metadata = fs::metadata(path).map_err(|error| failed("look at", path, error))?;
    #[cfg(unix)]
    {
        Ok(Some(std::os::unix::fs::MetadataExt::dev(&metadata)))
    }
    #[cfg(not(unix))]
    {
        drop(metadata);
        Ok(None)
    }
}

/// Advises the system to drop the cached bytes of one file, which must be synced. Returns `true` if the system took the advice.
///
/// The advice covers one file of one file system. It proves nothing about a cache below, such as that of a block device, of
/// a FUSE daemon, or of the medium itself (transfer notes §0, finding 4).
pub(super) fn drop_cached_of(file: &fs::File) -> bool {
    #[cfg(target_os = "linux")]
    {
        rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        false
    }
}
