//! Test-only: a simulated end of the process at a chosen disk change, and simulated systems with fewer abilities.
//! The chosen change and all later changes of this thread fail.

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
    /// All abilities of the real system.
    Whole,
    /// Without the exchange of two folders.
    NoExchange,
    /// Without hard links, as on FAT32.
    NoLinks,
}

/// Sets the simulated system of this thread.
pub(crate) fn system(system: System) {
    SYSTEM.set(system);
}

/// Returns `true` if two folders can be exchanged.
pub(super) fn has_exchange() -> bool {
    SYSTEM.get() == System::Whole
}

/// Returns `true` if a file can have several names.
pub(super) fn has_links() -> bool {
    SYSTEM.get() != System::NoLinks
}

/// Lets this number of changes of this thread succeed before the simulated crash. `None` ends the simulation.
pub(crate) fn after(changes: Option<usize>) {
    LEFT.set(changes);
}

/// Counts a change. Returns an error once the allowed number is used up.
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
