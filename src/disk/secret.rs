//! The protection of a secret file from the other users of this machine.

use std::fs;

use camino::Utf8Path;

use super::disk_error;
use crate::error::Result;

/// The users who can read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privacy {
    /// Its owner only, or unknown: the access lists of Windows are not read.
    Owner,
    /// Other users too, by its mode, which can be changed.
    Others,
    /// Other users too, by the mount options of a file system of this name, which does not store modes.
    Mount(&'static str),
}

/// Returns the users who can read a file, by its mode.
pub fn privacy(path: &Utf8Path) -> Result<Privacy> {
    let metadata = fs::metadata(path).map_err(|error| disk_error("examine", path, error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        /// All permissions of the group and of others.
        const OTHERS: u32 = 0o077;
        if metadata.permissions().mode() & OTHERS != 0 {
            return Ok(file_system_without_modes(path).map_or(Privacy::Others, Privacy::Mount));
        }
    }
    #[cfg(not(unix))]
    let _ = metadata;
    Ok(Privacy::Owner)
}

/// Returns the name of the file system of a file, if the mode comes from the mount options and not from the file.
#[cfg(target_os = "linux")]
fn file_system_without_modes(path: &Utf8Path) -> Option<&'static str> {
    /// The magic numbers of Linux (`statfs(2)`, and `linux/magic.h` of the kernel).
    const KNOWN: [(u32, &str); 6] = [
        (0x0000_4d44, "FAT"),
        (0x2011_bab0, "exFAT"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x7366_746e, "NTFS"),
        // FUSE drivers for FAT, exFAT, and NTFS take the mode from the mount options. Some other FUSE drivers store
        // modes.
        (0x6573_5546, "FUSE"),
    ];
    let found = rustix::fs::statfs(path.as_std_path()).ok()?;
    KNOWN.iter().find(|(number, _)| i64::from(*number) == found.f_type).map(|(_, name)| *name)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn file_system_without_modes(_path: &Utf8Path) -> Option<&'static str> {
    None
}
