//! Copying a file of the payload. Every byte that is handed out is hashed in the same read, so that damage in the pool never
//! reaches a medium. A fault of the pool and a fault of the medium are told apart here and nowhere else.

use camino::{Utf8Path, Utf8PathBuf};

use super::medium::UNFINISHED;
use super::reading::hash_file;
use crate::disk::{self, NewFile};
use crate::documents::FindingKind;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events, TransferOutcome};
use crate::update::Sha256;

/// A fault of a copy.
#[derive(Debug)]
pub(super) enum CopyFault {
    /// The source does not have the bytes that it should have, or cannot be read.
    Source(FindingKind, Error),
    /// The medium cannot be written.
    Medium(Error),
}

impl CopyFault {
    /// Returns the kind of damage of the source; `None` for a fault of the medium.
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

/// A file to copy.
#[derive(Debug)]
pub(super) struct Copy<'a> {
    pub(super) from: &'a Utf8Path,
    pub(super) sha256: Sha256,
    pub(super) size: u64,
    pub(super) to: &'a Utf8Path,
    /// The number of the transfer in events.
    pub(super) id: u64,
}

/// Returns the name of a file while it is being written.
pub(super) fn unfinished(to: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{to}{UNFINISHED}"))
}

impl Copy<'_> {
    /// Copies the file under its unfinished name and syncs it. After a fault nothing of it is left.
    pub(super) fn run(&self, events: &Events) -> Result<Utf8PathBuf, CopyFault> {
        let part = unfinished(self.to);
        let written = self.write(&part, events);
        if written.is_err() {
            // The fault says more than a failure to clean up; the next export sweeps such names.
            let _left = disk::remove_file(&part);
        }
        written.map(|()| part)
    }

    fn write(&self, part: &Utf8Path, events: &Events) -> Result<(), CopyFault> {
        let on_medium = |error| CopyFault::Medium(on_medium(error, self.to));
        let name = self.to.file_name().unwrap_or_default().to_owned();
        events.send(Event::TransferStarted { id: self.id, name, size: Some(self.size) });
        let mut new = NewFile::create_new(part).map_err(on_medium)?;
        let (mut count, mut has_failed) = (0, false);
        let read = hash_file(self.from, &mut |piece| {
            count += piece.len() as u64;
            events.send(Event::TransferProgress { id: self.id, bytes: count });
            new.write(piece).inspect_err(|_| has_failed = true)
        });
        let found = match read {
            Ok(found) => found,
            Err(error) if has_failed => return Err(on_medium(error)),
            Err(error) => {
                return Err(CopyFault::Source(FindingKind::Unreadable, unreadable(self.from, error)));
            }
        };
        if found.sha256 != self.sha256 {
            return Err(CopyFault::Source(FindingKind::Digest, differs(self.from, found.sha256)));
        }
        new.finish().map_err(on_medium)?;
        events.send(Event::TransferFinished {
            id: self.id,
            bytes: count,
            outcome: TransferOutcome::Complete,
        });
        Ok(())
    }
}

/// Reads a source once and compares its digest, before anything that the copy needs room for is removed.
pub(super) fn check_source(from: &Utf8Path, sha256: Sha256) -> Result<(), CopyFault> {
    let found = hash_file(from, &mut |_| Ok(()))
        .map_err(|error| CopyFault::Source(FindingKind::Unreadable, unreadable(from, error)))?;
    if found.sha256 != sha256 {
        return Err(CopyFault::Source(FindingKind::Digest, differs(from, found.sha256)));
    }
    Ok(())
}

/// The one error of a file whose bytes are not those that the index has.
fn differs(from: &Utf8Path, found: Sha256) -> Error {
    Error::new(ErrorKind::Integrity, format!("{from} in the pool is damaged: its digest is {found}"))
        .hint("run kbmirror verify to find all damage; nothing of this export was kept on the medium")
}

fn unreadable(from: &Utf8Path, error: Error) -> Error {
    Error::new(ErrorKind::Integrity, format!("{from} in the pool cannot be read"))
        .caused_by(error)
        .hint("run kbmirror verify to find all damage; nothing of this export was kept on the medium")
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
