//! Test-only: a simulated end of the process at a chosen disk change, and simulated systems with fewer abilities.
//! The chosen change and all later changes of this thread fail.

use std::cell::Cell;

use camino::Utf8Path;

use crate::error::{Error, ErrorKind, Result};

thread_local! {
    static ALLOWED_CHANGES: Cell<Option<usize>> = const { Cell::new(None) };
    static SYSTEM: Cell<SimulatedSystem> = const { Cell::new(SimulatedSystem::Complete) };
}

/// The abilities of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SimulatedSystem {
    /// All abilities of the real system.
    Complete,
    /// Without the exchange of two folders.
    NoExchange,
    /// Without hard links, as on FAT32.
    NoLinks,
}

/// Sets the simulated system of this thread.
pub(crate) fn simulate(system: SimulatedSystem) {
    SYSTEM.set(system);
}

/// Returns `true` if two folders can be exchanged.
pub(super) fn has_exchange() -> bool {
    SYSTEM.get() == SimulatedSystem::Complete
}

/// Returns `true` if a file can have several names.
pub(super) fn has_links() -> bool {
    SYSTEM.get() != SimulatedSystem::NoLinks
}

/// Lets this number of changes of this thread succeed before the simulated crash. `None` ends the simulation.
pub(crate) fn allow_changes(changes: Option<usize>) {
    ALLOWED_CHANGES.set(changes);
}

/// Counts a change. Returns an error once the allowed number is used up.
pub(super) fn count_change(path: &Utf8Path) -> Result<()> {
    match ALLOWED_CHANGES.get() {
        None => Ok(()),
        Some(0) => Err(Error::new(ErrorKind::Internal, format!("the process ended before {path}"))),
        Some(left) => {
            ALLOWED_CHANGES.set(Some(left - 1));
            Ok(())
        }
    }
}
