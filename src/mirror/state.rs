//! The states of an open mirror. A state is made where the mirror is opened, and nowhere else.

use camino::Utf8PathBuf;

use super::evidence::Evidence;
use super::lock::Lock;

/// The state of a mirror that is open to be read: without the lock, on an index that takes no changes.
#[derive(Debug)]
pub struct Reading(pub(super) ());

/// The state of a mirror that is open to be written: it owns the lock.
#[derive(Debug)]
pub struct Writing {
    /// The lock; `None` in a trial, which writes into a private copy of the index alone.
    pub(super) lock: Option<Lock>,
    /// The number of sets that were taken from `kb/` and `pool/` because there was no index.
    pub(super) rebuilt: usize,
    /// The files beside set folders that were written again when the mirror was opened.
    pub(super) mended: Vec<Utf8PathBuf>,
    /// The views that were written anew although another text lay there than the program wrote.
    pub(super) evidence: Vec<Evidence>,
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Reading {}
    impl Sealed for super::Writing {}
}

/// A state of a mirror: [`Reading`] or [`Writing`].
pub trait Access: sealed::Sealed {
    /// Returns `true` if the mirror may change its own index: a reader takes the lock for a moment instead.
    fn may_write(&self) -> bool;
}

impl Access for Reading {
    fn may_write(&self) -> bool {
        false
    }
}

impl Access for Writing {
    fn may_write(&self) -> bool {
        self.lock.is_some()
    }
}
