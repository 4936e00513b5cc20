//! Reading from a medium: sizes are limited, no link is followed, and each fault is attributed to the medium.

use std::fs::File;
use std::io::Read as _;

use camino::Utf8Path;
use sha2::Digest as _;

use crate::carrier::medium::refused;
use crate::disk::{self, Entry, OpenFolder};
use crate::error::{Error, ErrorKind, Result};
use crate::update::{Digests, DualHasher, Sha256};

/// Attributes a read error to the medium.
pub(in crate::carrier) fn as_medium_error(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Internal => error
            .with_kind(ErrorKind::Medium)
            .hint("read the medium on another machine, or export again; nothing was changed"),
        ErrorKind::Integrity => error.with_kind(ErrorKind::Refused),
        _ => error,
    }
}

/// Reads a complete small file of the medium.
pub(in crate::carrier) fn read_small(folder: &OpenFolder, name: &str, cap: u64) -> Result<Vec<u8>> {
    match folder.entry(name).map_err(as_medium_error)? {
        Entry::File(size) if size > cap => {
            return Err(refused(format!("{name} has {size} bytes; the limit is {cap}")));
        }
        Entry::File(_) => {}
        Entry::Missing => return Err(refused(format!("{name} is missing"))),
        Entry::Folder | Entry::Other => return Err(refused(format!("{name} is not a regular file"))),
    }
    let read = folder.read(name, cap).map_err(as_medium_error)?;
    read.ok_or_else(|| refused(format!("{name} grew beyond {cap} bytes while it was read")))
}

pub(in crate::carrier) fn read_text(folder: &OpenFolder, name: &str, cap: u64) -> Result<String> {
    utf8(read_small(folder, name, cap)?, name)
}

pub(in crate::carrier) fn digest(bytes: &[u8]) -> Sha256 {
    Sha256::from_bytes(sha2::Sha256::digest(bytes).into())
}

pub(in crate::carrier) fn utf8(bytes: Vec<u8>, name: &str) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| refused(format!("{name} is not UTF-8")).caused_by(error))
}

/// Reads a regular file of a medium once, and passes every piece to the sink.
pub(in crate::carrier) fn hash_file(
    folder: &OpenFolder,
    path: &str,
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<Digests> {
    let file = folder.open_regular(path).map_err(as_medium_error)?;
    hash(file, sink, &|error| as_medium_error(cannot_read(&folder.locate(path), error)))
}

/// Reads a regular file outside of a medium once, and passes every piece to the sink.
pub(in crate::carrier) fn hash_local(
    path: &Utf8Path,
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<Digests> {
    hash(disk::open_regular(path)?, sink, &|error| cannot_read(path, error))
}

fn cannot_read(path: &Utf8Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("cannot read {path}")).caused_by(error)
}

fn hash(
    mut file: File,
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    failed: &dyn Fn(std::io::Error) -> Error,
) -> Result<Digests> {
    /// Large enough that reading costs nothing compared to hashing.
    const PIECE: usize = 256 * 1024;
    let mut hasher = DualHasher::new();
    let mut buffer = vec![0; PIECE];
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&buffer[..count]);
        sink(&buffer[..count])?;
    }
}
