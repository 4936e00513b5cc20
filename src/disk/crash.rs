//! Test-only: an end of the process at a chosen change of the disk, and a system that can do less. The change is not made, nor any
//! later one of this thread.

use std::cell::Cell;

use camino::Utf8Path;

use crate::error::{Error, ErrorKind, Result};

thread_local! {
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    static SYSTEM: Cell<System> = const { Cell::new(System::Whole) };
}

/// The abilities of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    /// As it is.
    Whole,
    /// Without the exchange of two folders.
    NoExchange,
    /// Without links, as FAT32 is.
    NoLinks,
}

/// Sets what the system of this thread can do.
pub(crate) fn system(system: System) {
    SYSTEM.set(system);
}

/// Returns `true` if two folders may be exchanged.
pub(super) fn has_exchange() -> bool {
    SYSTEM.get() == System::Whole
}

/// Returns `true` if a file may have several names.
pub(super) fn has_links() -> bool {
    SYSTEM.get() != System::NoLinks
}

/// Lets so many more changes of this thread happen; `None` ends the crash.
pub(crate) fn after(changes: Option<usize>) {
    LEFT.set(changes);
}

/// Counts a change; an error from the last one on.
pub(super) fn step(path: &Utf8Path) -> Result<()> {
    match LEFT.get() {
        None => Ok(()),
        Some(0) => Err(Error::new(ErrorKind::Internal, format!("the process ended before {path}"))),
        Some(left) => {
            LEFT.set(Some(left - 1));
            Ok(())
        }
    }
}
