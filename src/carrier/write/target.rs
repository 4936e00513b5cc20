//! The folder that becomes a medium. Only this type changes a medium.
//!
//! Every path is relative to the root of the medium. All changes use this type, so that their rules are in one
//! place, and every fault of a change is attributed to the medium.
//!
//! The medium is open from the first examination to the read-back, and no link below it is followed. A manipulated
//! stick, or a stick that changes during the export, cannot make the program write or remove anything outside of
//! it.

use std::cell::OnceCell;

use camino::{Utf8Path, Utf8PathBuf};

use crate::carrier::read::{hash_file, read_small};
use crate::disk::{self, Entry, NewFile, OpenFolder};
use crate::error::{Error, ErrorKind, Result};
use crate::update::Sha256;

/// The folder that becomes a medium.
#[derive(Debug)]
pub(super) struct MediumTarget {
    root: Utf8PathBuf,
    /// The open folder; empty until the folder is created.
    folder: OnceCell<OpenFolder>,
}

/// Attributes a write error to the medium, unless the medium is full.
pub(super) fn as_write_error(error: Error, path: &Utf8Path) -> Error {
    match error.kind() {
        ErrorKind::Internal => error
            .with_kind(ErrorKind::Medium)
            .hint(format!("check the medium, or use another one: cannot write {path}")),
        ErrorKind::Integrity => error
            .with_kind(ErrorKind::Medium)
            .hint("do not use the medium: it was changed during the export, or was manipulated"),
        ErrorKind::NoSpace => error.hint(
            "choose fewer KBs, remove other sets with --prune, or use a larger medium: the medium is full",
        ),
        _ => error,
    }
}

impl MediumTarget {
    /// Creates the target from the folder that was opened to examine it, or from a path that does not exist yet.
    pub(super) fn new(root: &Utf8Path, open: Option<OpenFolder>) -> Self {
        Self { root: root.to_owned(), folder: open.map_or_else(OnceCell::new, OnceCell::from) }
    }

    /// Returns the path of the folder.
    pub(super) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns the open folder.
    pub(super) fn folder(&self) -> Result<&OpenFolder> {
        let absent = || Error::new(ErrorKind::Internal, format!("{} was not created yet", self.root));
        self.folder.get().ok_or_else(absent)
    }

    /// Returns the full path of a file, for messages.
    pub(super) fn locate(&self, path: &str) -> Utf8PathBuf {
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }

    /// Returns the kind of entry at a path, without following links.
    pub(super) fn entry(&self, path: &str) -> Result<Entry> {
        let Some(folder) = self.folder.get() else { return Ok(Entry::Missing) };
        folder.entry(path).map_err(|error| as_write_error(error, &self.locate(path)))
    }

    /// Returns the names in a folder.
    pub(super) fn list(&self, folder: &str) -> Result<Vec<String>> {
        self.folder()?.list(folder).map_err(|error| as_write_error(error, &self.locate(folder)))
    }

    /// Reads a complete small file.
    pub(super) fn read_small(&self, path: &str, cap: u64) -> Result<Vec<u8>> {
        read_small(self.folder()?, path, cap)
    }

    /// Returns `true` if a file has exactly these bytes.
    pub(super) fn has_bytes(&self, path: &str, bytes: &[u8]) -> Result<bool> {
        let length = bytes.len() as u64;
        let has_length = self.entry(path)? == Entry::File(length);
        Ok(has_length && self.folder()?.read(path, length).is_ok_and(|there| there.as_deref() == Some(bytes)))
    }

    /// Returns `true` if a file can be read and has this digest.
    pub(super) fn has_digest(&self, path: &str, sha256: Sha256) -> bool {
        let found = self.folder().and_then(|folder| hash_file(folder, path, &mut |_| Ok(())));
        found.is_ok_and(|found| found.sha256 == sha256)
    }

    /// Creates the folder of the medium itself, in an existing parent.
    pub(super) fn make_root(&self) -> Result<()> {
        if self.folder.get().is_none() {
            let made = OpenFolder::create(&self.root).map_err(|error| as_write_error(error, &self.root))?;
            // The cell was empty above, and no other thread uses it.
            let _set = self.folder.set(made);
        }
        Ok(())
    }

    /// Creates one folder in an existing parent. Returns `true` if it did not exist.
    pub(super) fn make_folder(&self, folder: &str) -> Result<bool> {
        self.change(folder, |medium| medium.create_dir(folder))
    }

    /// Changes the medium, and attributes errors to it.
    fn change<T>(&self, path: &str, change: impl FnOnce(&OpenFolder) -> Result<T>) -> Result<T> {
        change(self.folder()?).map_err(|error| as_write_error(error, &self.locate(path)))
    }

    /// Creates the missing parent folders of a path. Returns the created folders.
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

    /// Writes a complete file atomically.
    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.change(path, |medium| medium.write(path, bytes))
    }

    /// Writes a file unless it has exactly these bytes.
    pub(super) fn write_if_other(&self, path: &str, bytes: &[u8]) -> Result<()> {
        if self.has_bytes(path, bytes)? { Ok(()) } else { self.write(path, bytes) }
    }

    /// Creates a new file.
    pub(super) fn create(&self, path: &str) -> Result<NewFile> {
        self.change(path, |medium| medium.create_new(path))
    }

    /// Gives a file a second name. Returns `false` if the file system does not support links.
    pub(super) fn link(&self, from: &str, to: &str) -> bool {
        self.folder.get().is_some_and(|medium| medium.link(from, to))
    }

    /// Renames a file and replaces a file of the new name.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.change(to, |medium| medium.rename(from, to))
    }

    /// Removes a file, if it exists.
    pub(super) fn remove(&self, path: &str) -> Result<()> {
        self.change(path, |medium| medium.remove_file(path))
    }

    /// Removes a folder if it is empty. Returns `true` if the folder was removed.
    pub(super) fn remove_empty_folder(&self, folder: &str) -> bool {
        self.folder.get().is_some_and(|medium| medium.remove_empty_dir(folder))
    }

    /// Removes the folder of the medium itself if it is empty. Returns `true` if the folder was removed.
    pub(super) fn remove_empty_root(&self) -> bool {
        disk::remove_empty_dir(&self.root)
    }

    /// Makes the names in a folder durable.
    pub(super) fn sync_folder(&self, folder: &str) -> Result<()> {
        self.change(folder, |medium| medium.sync_dir(folder))
    }

    /// Advises the system to drop the cached bytes of a file. Returns `true` if the system accepted the advice.
    pub(super) fn drop_cached(&self, path: &str) -> bool {
        self.folder.get().is_some_and(|medium| medium.drop_cached(path))
    }

    /// Returns the existing folder: the medium, or the parent in which it will be created.
    fn existing_folder(&self) -> &Utf8Path {
        if self.folder.get().is_some() { &self.root } else { disk::parent(&self.root) }
    }

    /// Returns the free bytes.
    pub(super) fn free_space(&self) -> Result<u64> {
        disk::available_space(self.existing_folder())
    }

    /// Returns `true` if the file system supports files of this size.
    pub(super) fn supports_file_size(&self, size: u64) -> Result<bool> {
        disk::supports_file_size(self.existing_folder(), size)
    }

    /// Refuses a medium that cannot be written.
    pub(super) fn expect_writable(&self) -> Result<()> {
        disk::check_writable(self.existing_folder()).map_err(|error| {
            error
                .with_kind(ErrorKind::Medium)
                .hint("check the write protection and the permissions of the medium")
        })
    }

    /// Tries a file name by writing and removing a file.
    pub(super) fn try_name(&self, name: &str) -> Result<()> {
        let parent;
        let folder = if let Some(folder) = self.folder.get() {
            folder
        } else {
            parent = OpenFolder::open(self.existing_folder())
                .map_err(|error| as_write_error(error, &self.root))?;
            &parent
        };
        folder.write(name, b"probe").map_err(|error| {
            as_write_error(error, &folder.locate(name))
                .context(format!("{} does not support the names of package files", self.root))
        })?;
        folder.remove_file(name)
    }
}
