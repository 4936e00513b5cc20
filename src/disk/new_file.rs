//! A file that gets its final name when it is complete.

use std::fs::File;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::{create_dir_all, disk_error, parent, remove_file};
use crate::error::Result;

/// A file that is being written and is not visible under its final name before it is complete.
#[derive(Debug)]
pub struct NewFile {
    file: File,
    path: Utf8PathBuf,
}

impl NewFile {
    /// Creates the file and its folder. Replaces a file that an earlier run left at this path.
    pub fn create(path: &Utf8Path) -> Result<Self> {
        create_dir_all(parent(path))?;
        Self::in_place_of(path)
    }

    /// Creates a file in an existing folder. Returns an error if the name exists, and never writes through it.
    pub fn create_new(path: &Utf8Path) -> Result<Self> {
        let file = File::create_new(path).map_err(|error| disk_error("write", path, error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Creates a file in an existing folder. Removes a link or a file at this path, and never follows a link.
    pub fn in_place_of(path: &Utf8Path) -> Result<Self> {
        remove_file(path)?;
        Self::create_new(path)
    }

    /// Wraps a file that was just created at a path.
    pub(super) fn new(file: File, path: Utf8PathBuf) -> Self {
        Self { file, path }
    }

    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| disk_error("write", &self.path, error))
    }

    /// Makes the bytes durable and closes the file.
    pub fn finish(self) -> Result<Utf8PathBuf> {
        self.file.sync_all().map_err(|error| disk_error("sync", &self.path, error))?;
        Ok(self.path)
    }
}
