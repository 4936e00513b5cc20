//! The place of a folder on this machine: its canonical path, and its file system.

use std::time::{Duration, SystemTime};
use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::disk_error;
use crate::clock::Time;
use crate::error::{Error, ErrorKind, Result};

/// Returns the canonical path of an existing entry, with every link resolved.
pub fn canonical(path: &Utf8Path) -> Result<Utf8PathBuf> {
    let canonical = fs::canonicalize(path).map_err(|error| disk_error("resolve", path, error))?;
    Utf8PathBuf::from_path_buf(canonical)
        .map_err(|path| Error::new(ErrorKind::Usage, format!("{} is not UTF-8", path.display())))
}

/// Returns the number of the file system of a path, with links followed, or `None` if the system does not have such
/// numbers.
pub fn volume(path: &Utf8Path) -> Result<Option<u64>> {
    let metadata = fs::metadata(path).map_err(|error| disk_error("examine", path, error))?;
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

/// Returns the modification time of a file, without following links, or `None` if the system does not report it.
pub fn modified(path: &Utf8Path) -> Result<Option<Time>> {
    let metadata = fs::symlink_metadata(path).map_err(|error| disk_error("examine", path, error))?;
    let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    Ok(modified.map(Time::from))
}

/// Sets the modification time of a restored file. Ignores file systems that do not store it.
pub fn set_modified(path: &Utf8Path, time: Time) {
    // The file may be read-only; on Unix its owner can still set the time.
    if let Ok(file) = super::open(path) {
        let seconds = Duration::from_secs(u64::try_from(time.as_second()).unwrap_or(0));
        let _without_times = file.set_modified(SystemTime::UNIX_EPOCH + seconds);
    }
}

/// Gives a file a second name. Returns `false` if the two places cannot share a file: they are on different file
/// systems, the file system does not support or permit links, or the file already has the maximum number of names.
/// The caller then copies the file.
///
/// Any other failure is an error, above all a name that exists already. A copy in its place would be written
/// through the existing link, into the bytes of another file.
pub fn link(from: &Utf8Path, to: &Utf8Path) -> Result<bool> {
    #[cfg(test)]
    if !super::crash::has_links() {
        return Ok(false);
    }
    match fs::hard_link(from, to) {
        Ok(()) => Ok(true),
        Err(error) if cannot_be_linked(&error) => Ok(false),
        Err(error) => Err(disk_error(&format!("link {from} to"), to, error)),
    }
}

/// Returns `true` for EXDEV, EMLINK, ENOTSUP, EOPNOTSUPP, ENOSYS (older FUSE file systems), and EPERM (FAT, exFAT,
/// and protected links). Returns `false` for EACCES, which has the same kind as EPERM and means that the folder is
/// not writable.
fn cannot_be_linked(error: &io::Error) -> bool {
    /// EPERM on every Unix; on Windows `ERROR_INVALID_FUNCTION`, which FAT returns there.
    const NOT_PERMITTED: i32 = 1;
    let of_file_system = matches!(
        error.kind(),
        io::ErrorKind::CrossesDevices | io::ErrorKind::TooManyLinks | io::ErrorKind::Unsupported
    );
    of_file_system || error.raw_os_error() == Some(NOT_PERMITTED)
}

/// Advises the system to drop the cached bytes of one file, which must be synced. Returns `true` if the system
/// accepted the advice.
///
/// The advice covers one file of one file system. It proves nothing about a lower cache, such as that of a block
/// device, of a FUSE daemon, or of the medium itself (measured).
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk;

    #[test]
    fn link_errors_do_not_cause_copies() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        let (from, to) = (folder.join("from"), folder.join("to"));
        disk::write_atomic(&from, b"bytes").unwrap();
        assert!(link(&from, &to).unwrap());
        // An existing target, a missing folder, and a missing source are errors.
        assert!(link(&from, &to).unwrap_err().message().contains(to.as_str()));
        assert!(link(&from, &folder.join("missing").join("to")).is_err());
        assert!(link(&folder.join("missing"), &folder.join("other")).is_err());
        assert_eq!(disk::read(&to, 10).unwrap(), b"bytes");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn unsupported_links_are_recognised_by_error_code() {
        use rustix::io::Errno;
        let kind = |errno: Errno| cannot_be_linked(&io::Error::from_raw_os_error(errno.raw_os_error()));
        for errno in [Errno::XDEV, Errno::PERM, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::MLINK, Errno::NOSYS] {
            assert!(kind(errno), "{errno}");
        }
        for errno in
            [Errno::ACCESS, Errno::EXIST, Errno::NOENT, Errno::NOSPC, Errno::ROFS, Errno::IO, Errno::LOOP]
        {
            assert!(!kind(errno), "{errno}");
        }
    }
}
