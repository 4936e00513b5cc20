//! A file that gets its name when it is whole.

use std::fs::File;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::{create_dir_all, failed, parent, remove_file};
use crate::error::Result;

/// A file that is being written and is not to be seen under its final name before it is whole.
#[derive(Debug)]
pub struct NewFile {
    file: File,
    path: Utf8PathBuf,
}

impl NewFile {
    /// Makes the file and its folder, in place of what an earlier run left under this path.
    pub fn create(path: &Utf8Path) -> Result<Self> {
        create_dir_all(parent(path))?;
        Self::in_place_of(path)
    }

    /// Makes a file in a folder that is there. A name that exists already is an error and is never written through.
    pub fn create_new(path: &Utf8Path) -> Result<Self> {
        let file = File::create_new(path).map_err(|error| failed("write", path, error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Makes a file in a folder that is there: a link or a file under this path is removed and never followed.
    pub fn in_place_of(path: &Utf8Path) -> Result<Self> {
        remove_file(path)?;
        Self::create_new(path)
    }

    /// Returns a file that was made just now under a path.
    pub(super) fn of(file: File, path: Utf8PathBuf) -> Self {
        Self { file, path }
    }

    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| failed("write", &self.path, error))
    }

    /// Makes the bytes durable and closes the file.
    pub fn finish(self) -> Result<Utf8PathBuf> {
        self.file.sync_all().map_err(|error| failed("sync", &self.path, error))?;
        Ok(self.path)
    }
}
