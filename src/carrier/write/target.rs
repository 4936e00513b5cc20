//! The folder that becomes a medium: the only type that changes one.
//!
//! Every path is relative to the root of the medium. All changes go through here, so that the rules for them stand in one place,
//! and so that every fault of a change is attributed to the medium.

use camino::{Utf8Path, Utf8PathBuf};

use crate::carrier::read::{hash_file, read_small};
use crate::disk::{self, Entry, NewFile};
use crate::error::{Error, ErrorKind, Result};
use crate::update::Sha256;

/// The folder that becomes a medium.
#[derive(Debug, Clone)]
pub(super) struct Target {
    root: Utf8PathBuf,
}

/// Attributes a write error to the medium, unless the medium is full.
pub(super) fn on_medium(error: Error, path: &Utf8Path) -> Error {
    match error.kind() {
        ErrorKind::Internal => error
            .with_kind(ErrorKind::Medium)
            .hint(format!("{path} could not be written: check the medium, or use another one")),
        ErrorKind::NoSpace => error
            .hint("the medium is full: choose fewer KBs, remove others with --prune, or use a larger medium"),
        _ => error,
    }
}

impl Target {
    /// Returns the target in a folder, which may not exist yet.
    pub(super) fn new(root: &Utf8Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Returns the folder.
    pub(super) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns the whole path of a file, to read it.
    pub(super) fn locate(&self, path: &str) -> Utf8PathBuf {
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }

    /// Returns the kind of thing that lies at a path; no link is followed.
    pub(super) fn entry(&self, path: &str) -> Result<Entry> {
        disk::entry(&self.locate(path))
    }

    /// Returns the names in a folder.
    pub(super) fn list(&self, folder: &str) -> Result<Vec<String>> {
        disk::list(&self.locate(folder))
    }

    /// Reads a whole small file.
    pub(super) fn read_small(&self, path: &str, cap: u64) -> Result<Vec<u8>> {
        read_small(&self.root, path, cap)
    }

    /// Returns `true` if a file has these bytes.
    pub(super) fn has_bytes(&self, path: &str, bytes: &[u8]) -> Result<bool> {
        let (file, length) = (self.locate(path), bytes.len() as u64);
        Ok(disk::entry(&file)? == Entry::File(length)
            && disk::read(&file, length).is_ok_and(|there| there == bytes))
    }

    /// Returns `true` if a file can be read and has a digest.
    pub(super) fn has_digest(&self, path: &str, sha256: Sha256) -> bool {
        hash_file(&self.locate(path), &mut |_| Ok(())).is_ok_and(|found| found.sha256 == sha256)
    }

    /// Makes one folder, whose parent is there. Returns `true` if it was not there.
    pub(super) fn make_folder(&self, folder: &str) -> Result<bool> {
        let path = self.locate(folder);
        disk::create_dir(&path).map_err(|error| on_medium(error, &path))
    }

    /// Makes the folders above a path, one by one. Returns those that were not there.
    pub(super) fn make_folders_above(&self, path: &str) -> Result<Vec<String>> {
        let mut made = Vec::new();
        for (end, _) in path.match_indices('/') {
            let folder = path.get(..end).unwrap_or_default();
            if self.make_folder(folder)? {
                made.push(folder.to_owned());
            }
        }
        Ok(made)
    }

    /// Writes a file whole or not at all.
    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let file = self.locate(path);
        disk::write_atomic(&file, bytes).map_err(|error| on_medium(error, &file))
    }

    /// Writes a file that does not have just these bytes.
    pub(super) fn write_if_other(&self, path: &str, bytes: &[u8]) -> Result<()> {
        if self.has_bytes(path, bytes)? { Ok(()) } else { self.write(path, bytes) }
    }

    /// Begins a new file.
    pub(super) fn create(&self, path: &str) -> Result<NewFile> {
        let file = self.locate(path);
        NewFile::create_new(&file).map_err(|error| on_medium(error, &file))
    }

    /// Gives a file a second name. Returns `false` if the file system does not have links.
    pub(super) fn link(&self, from: &str, to: &str) -> bool {
        disk::link(&self.locate(from), &self.locate(to))
    }

    /// Gives a file another name, in place of what has it.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<()> {
        let file = self.locate(to);
        disk::rename(&self.locate(from), &file).map_err(|error| on_medium(error, &file))
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&self, path: &str) -> Result<()> {
        let file = self.locate(path);
        disk::remove_file(&file).map_err(|error| on_medium(error, &file))
    }

    /// Removes a folder that is empty. Returns `true` if it is gone.
    pub(super) fn remove_empty_folder(&self, folder: &str) -> bool {
        disk::remove_empty_dir(&self.locate(folder))
    }

    /// Makes sure that the names in a folder stay.
    pub(super) fn sync_folder(&self, folder: &str) -> Result<()> {
        let path = self.locate(folder);
        disk::sync_dir(&path).map_err(|error| on_medium(error, &path))
    }

    /// Advises the system to drop the cached bytes of a file. Returns `true` if it took the advice.
    pub(super) fn drop_cached(&self, path: &str) -> bool {
        disk::drop_cached(&self.locate(path))
    }

    /// Returns the folder that is there: the medium, or the one in which it will be made.
    fn existing(&self) -> &Utf8Path {
        if disk::exists(&self.root) { &self.root } else { disk::parent(&self.root) }
    }

    /// Returns the bytes that may still be written.
    pub(super) fn free(&self) -> Result<u64> {
        disk::available_space(self.existing())
    }

    /// Returns `true` if the file system takes a file of this size.
    pub(super) fn takes_file_of(&self, size: u64) -> Result<bool> {
        disk::takes_file_of(self.existing(), size)
    }

    /// Refuses a medium that cannot be written.
    pub(super) fn expect_writable(&self) -> Result<()> {
        disk::check_writable(self.existing()).map_err(|error| {
            error.with_kind(ErrorKind::Medium).hint("the medium is read-only or not yours to write")
        })
    }

    /// Tries a file name; nothing is left of the trial.
    pub(super) fn try_name(&self, name: &str) -> Result<()> {
        let path = self.existing().join(name);
        disk::write_atomic(&path, b"probe").map_err(|error| {
            on_medium(error, &path).context(format!("{} does not take the names of package files", self.root))
        })?;
        disk::remove_file(&path)
    }
}
