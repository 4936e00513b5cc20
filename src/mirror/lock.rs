//! A lock for one writer at a time. The operating system releases it when a process is killed.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};

use camino::Utf8Path;

use crate::disk;
use crate::error::{Error, ErrorKind, Result};

/// The right to write to a mirror: an operating-system lock that ends with the process. The text in the file is
/// only for people.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock, or returns an error that names the holder.
    pub fn acquire(path: &Utf8Path, since: &str) -> Result<Self> {
        let mut file = disk::open_lock(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Some systems do not let others read a locked file. Then the error does not name the holder.
                let _unreadable = file.take(200).read_to_string(&mut holder);
                let holder = holder.trim();
                let who = if holder.is_empty() {
                    "another process".to_owned()
                } else {
                    format!("another process ({holder})")
                };
                return Err(Error::new(ErrorKind::Busy, format!("{who} has locked the mirror"))
                    .hint("wait for that process to end, or use another folder with --mirror DIR"));
            }
            Err(TryLockError::Error(error)) => {
                return Err(Error::new(ErrorKind::Internal, format!("cannot lock {path}")).caused_by(error));
            }
        }
        let text = format!("process {}, since {since}\n", std::process::id());
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
        written.map_err(|error| {
            Error::new(ErrorKind::Internal, format!("cannot write {path}")).caused_by(error)
        })?;
        Ok(Self { file })
    }
}

/// Returns `true` if a process holds the lock now. A lock that cannot be checked counts as free.
pub(super) fn is_held(path: &Utf8Path) -> bool {
    let Ok(file) = disk::open_regular(path) else { return false };
    // A shared lock, released at once: two processes that check at the same time do not block each other.
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child process that was just started has a copy of the file for a moment.
        let _closed_anyway = self.file.unlock();
    }
}
