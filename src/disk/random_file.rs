//! A file that is read at any offset.

use std::fs::File;
use std::io;

use camino::Utf8Path;

use super::{disk_error, open};
use crate::error::{Error, ErrorKind, Result};
use crate::read_at::ReadAt;

/// A regular file that is open for reads at any offset.
#[derive(Debug)]
pub struct RandomFile {
    file: File,
    size: u64,
}

impl RandomFile {
    /// Opens a regular file, or a link to one. Refuses anything else.
    pub fn open(path: &Utf8Path) -> Result<Self> {
        let not_regular = || Error::new(ErrorKind::Usage, format!("{path} is not a regular file"));
        // A pipe without a writer would block the open.
        if !super::is_file(path)? {
            return Err(not_regular());
        }
        let file = open(path)?;
        let metadata = file.metadata().map_err(|error| disk_error("examine", path, error))?;
        if !metadata.is_file() {
            return Err(not_regular());
        }
        Ok(Self { file, size: metadata.len() })
    }
}

impl ReadAt for RandomFile {
    fn size(&self) -> u64 {
        self.size
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset)
    }
}
