//! A cabinet that is read in memory: its members, and the bytes of single members.
//!
//! The directory is checked when the cabinet is opened, and the blocks of a member before it is read. So a damaged
//! cabinet is a fault that names the member, and memory is bounded by the caller.

use std::io::{self, Read as _};

use super::directory::{Directory, DirectoryEntry, joined};
use super::fault::PackageFault;
use super::source_reader::SourceReader;
use crate::read_at::ReadAt;

/// A cabinet with a checked directory.
pub(super) struct Cabinet<'a> {
    path: String,
    source: &'a dyn ReadAt,
    directory: Directory,
    inner: cab::Cabinet<SourceReader<'a>>,
}

impl<'a> Cabinet<'a> {
    /// Opens the cabinet at `path`. At most `memory` bytes are kept for the names.
    pub(super) fn open(source: &'a dyn ReadAt, path: &str, memory: u64) -> Result<Self, PackageFault> {
        let directory = Directory::read(source, path, memory)?;
        let inner =
            cab::Cabinet::new(SourceReader::new(source)).map_err(|error| PackageFault::of_io(path, error))?;
        Ok(Self { path: path.to_owned(), source, directory, inner })
    }

    /// Returns the path of the cabinet, which is empty for the package itself.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the bytes that the directory takes in memory.
    pub(super) fn memory(&self) -> u64 {
        self.directory.memory
    }

    /// Returns the members in their order.
    pub(super) fn entries(&self) -> &[DirectoryEntry] {
        &self.directory.entries
    }

    /// Returns the path of a member.
    pub(super) fn path_of(&self, entry: &DirectoryEntry) -> String {
        joined(&self.path, &entry.name)
    }

    /// Returns the member with a name in any case of letters, or `None` if it does not exist. Refuses several.
    pub(super) fn find(&self, name: &str) -> Result<Option<&DirectoryEntry>, PackageFault> {
        let mut found = self.entries().iter().filter(|entry| entry.name.eq_ignore_ascii_case(name));
        let first = found.next();
        match found.next() {
            None => Ok(first),
            Some(_) => Err(self.several(name)),
        }
    }

    fn several(&self, name: &str) -> PackageFault {
        PackageFault::SeveralMembers { cabinet: self.path.clone(), name: name.to_owned() }
    }

    /// Reads a member of at most `limit` bytes.
    pub(super) fn read(&mut self, entry: &DirectoryEntry, limit: u64) -> Result<Vec<u8>, PackageFault> {
        if entry.size > limit {
            return Err(PackageFault::TooLarge { member: self.path_of(entry), size: entry.size, limit });
        }
        self.read_start(entry, limit)
    }

    /// Reads at most the first `limit` bytes of a member.
    pub(super) fn read_start(&mut self, entry: &DirectoryEntry, limit: u64) -> Result<Vec<u8>, PackageFault> {
        let member = self.path_of(entry);
        // The crate finds members by their name.
        if self.entries().iter().filter(|other| other.name == entry.name).count() > 1 {
            return Err(self.several(&entry.name));
        }
        let length = entry.size.min(limit);
        if length == 0 {
            return Ok(Vec::new());
        }
        self.directory.check_blocks(self.source, entry, length, &member)?;
        let of_io = |error: io::Error| PackageFault::of_io(&member, error);
        let reader = self.inner.read_file(&entry.name).map_err(of_io)?;
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        reader.take(length).read_to_end(&mut bytes).map_err(of_io)?;
        if bytes.len() as u64 != length {
            return Err(PackageFault::damaged(&member, "it ends too early"));
        }
        Ok(bytes)
    }
}

/// The beginning of a member, as the source of a nested cabinet. A read behind it fails with
/// [`io::ErrorKind::FileTooLarge`], because those bytes exist but are not here.
pub(super) struct MemberStart {
    bytes: Vec<u8>,
    size: u64,
}

impl MemberStart {
    /// Makes a source from the first bytes of a member of `size` bytes.
    pub(super) fn new(bytes: Vec<u8>, size: u64) -> Self {
        Self { bytes, size }
    }

    /// Returns the number of bytes in memory.
    pub(super) fn held(&self) -> u64 {
        self.bytes.len() as u64
    }
}

impl ReadAt for MemberStart {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset >= self.held() && offset < self.size {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.read_at(offset, buffer)
    }
}
