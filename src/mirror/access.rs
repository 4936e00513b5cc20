//! The type states of an open mirror. Only the functions that open a mirror create a state.

use camino::Utf8PathBuf;

use super::evidence::EvidenceEntry;
use super::lock::Lock;

/// The state of a mirror that is open for reading: without the lock, on an index that accepts no changes.
#[derive(Debug)]
pub struct ReadAccess(pub(super) ());

/// The state of a mirror that is open for writing. It owns the lock.
#[derive(Debug)]
pub struct WriteAccess {
    /// The lock, or `None` in a dry run, which writes only to a private copy of the index.
    pub(super) lock: Option<Lock>,
    /// The number of sets that were rebuilt from `kb/` and `pool/` because the index was missing.
    pub(super) rebuilt: usize,
    /// The views that were rewritten when the mirror was opened.
    pub(super) rewritten: Vec<Utf8PathBuf>,
    /// The views that were rewritten although their text was not one that the program had written.
    pub(super) evidence: Vec<EvidenceEntry>,
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ReadAccess {}
    impl Sealed for super::WriteAccess {}
}

/// A state of a mirror: [`ReadAccess`] or [`WriteAccess`].
pub trait Access: sealed::Sealed {
    /// Returns `true` if the mirror may change its own index. A reader takes the lock for a short transaction
    /// instead.
    fn may_write(&self) -> bool;
}

impl Access for ReadAccess {
    fn may_write(&self) -> bool {
        false
    }
}

impl Access for WriteAccess {
    fn may_write(&self) -> bool {
        self.lock.is_some()
    }
}
