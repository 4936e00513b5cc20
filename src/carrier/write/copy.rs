//! The copy of a payload file. Every byte is hashed in the same read, so that damage in the pool never reaches a
//! medium. Only this module distinguishes a fault of the pool from a fault of the medium.

use camino::{Utf8Path, Utf8PathBuf};

use super::target::{MediumTarget, as_write_error};
use crate::carrier::medium::UNFINISHED;
use crate::carrier::read::{hash_file, hash_local};
use crate::documents::FindingKind;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events, TransferOutcome};
use crate::update::{Digests, Sha256};

/// A failed copy.
#[derive(Debug)]
pub(super) enum CopyFault {
    /// The source has other bytes than expected, or cannot be read.
    Source(FindingKind, Error),
    /// The medium cannot be written.
    Medium(Error),
}

impl CopyFault {
    /// Returns the kind of damage of the source, or `None` for a fault of the medium.
    pub(super) fn kind(&self) -> Option<FindingKind> {
        match self {
            Self::Source(kind, _) => Some(*kind),
            Self::Medium(_) => None,
        }
    }

    /// Returns the error for the operator.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Source(_, error) | Self::Medium(error) => error,
        }
    }
}

/// The source of the bytes of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CopySource {
    /// A file of this machine.
    Local(Utf8PathBuf),
    /// Another file of the medium, by its path there.
    Medium(String),
}

impl CopySource {
    /// Returns the full path, for messages.
    fn locate(&self, target: &MediumTarget) -> Utf8PathBuf {
        match self {
            Self::Local(path) => path.clone(),
            Self::Medium(path) => target.locate(path),
        }
    }

    /// Reads the source once, and passes every piece to the sink.
    fn read(&self, target: &MediumTarget, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Digests> {
        match self {
            Self::Local(path) => hash_local(path, sink),
            Self::Medium(path) => hash_file(target.folder()?, path, sink),
        }
    }
}

/// A file to copy.
#[derive(Debug)]
pub(super) struct FileCopy<'a> {
    /// The source.
    pub(super) from: &'a CopySource,
    /// The expected digest of the source.
    pub(super) sha256: Sha256,
    /// The size in bytes.
    pub(super) size: u64,
    /// The path on the medium.
    pub(super) to: &'a str,
    /// The number of the transfer in events.
    pub(super) id: u64,
}

/// Returns the name of a file while it is being written.
pub(super) fn unfinished_name(to: &str) -> String {
    format!("{to}{UNFINISHED}")
}

impl FileCopy<'_> {
    /// Copies the file under its unfinished name and syncs it. Removes the new file if the copy fails.
    pub(super) fn run(&self, target: &MediumTarget, events: &Events) -> Result<(), CopyFault> {
        let part = unfinished_name(self.to);
        let written = self.write(target, &part, events);
        if written.is_err() {
            // The first error says more than a failed cleanup. The next export removes such names.
            let _left = target.remove(&part);
        }
        written
    }

    fn write(&self, target: &MediumTarget, part: &str, events: &Events) -> Result<(), CopyFault> {
        let as_write_error = |error| CopyFault::Medium(as_write_error(error, &target.locate(self.to)));
        let name = self.to.rsplit('/').next().unwrap_or_default().to_owned();
        events.send(Event::TransferStarted { id: self.id, name, size: Some(self.size) });
        let mut new = target.create(part).map_err(CopyFault::Medium)?;
        let (mut count, mut has_failed) = (0, false);
        let read = self.from.read(target, &mut |piece| {
            count += piece.len() as u64;
            events.send(Event::TransferProgress { id: self.id, bytes: count });
            new.write(piece).inspect_err(|_| has_failed = true)
        });
        let found = match read {
            Ok(found) => found,
            Err(error) if has_failed => return Err(as_write_error(error)),
            Err(error) => {
                return Err(CopyFault::Source(
                    FindingKind::Unreadable,
                    unreadable_source(&self.from.locate(target), error),
                ));
            }
        };
        if found.sha256 != self.sha256 {
            return Err(CopyFault::Source(
                FindingKind::Digest,
                digest_mismatch(&self.from.locate(target), found.sha256),
            ));
        }
        new.finish().map_err(as_write_error)?;
        events.send(Event::TransferFinished {
            id: self.id,
            bytes: count,
            outcome: TransferOutcome::Complete,
        });
        Ok(())
    }
}

/// Reads a source once and checks its digest, before anything is removed to make room for the copy.
pub(super) fn check_source(from: &Utf8Path, sha256: Sha256) -> Result<(), CopyFault> {
    let found = hash_local(from, &mut |_| Ok(()))
        .map_err(|error| CopyFault::Source(FindingKind::Unreadable, unreadable_source(from, error)))?;
    if found.sha256 != sha256 {
        return Err(CopyFault::Source(FindingKind::Digest, digest_mismatch(from, found.sha256)));
    }
    Ok(())
}

/// Returns the error for a file whose digest is not the one in the index.
fn digest_mismatch(from: &Utf8Path, found: Sha256) -> Error {
    Error::new(ErrorKind::Integrity, format!("{from} in the pool is damaged: its digest is {found}"))
        .hint("run kbmirror verify to find all damage; nothing of this export was kept on the medium")
}

fn unreadable_source(from: &Utf8Path, error: Error) -> Error {
    Error::new(ErrorKind::Integrity, format!("{from} in the pool cannot be read"))
        .caused_by(error)
        .hint("run kbmirror verify to find all damage; nothing of this export was kept on the medium")
}
