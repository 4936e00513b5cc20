//! The question about a folder.

use crate::resolve::Machine;
use crate::update::Kb;

/// The question about a folder: the update and the machine that it is for. On a machine whose build is unknown, the
/// folder has to be complete for every one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LintRequest {
    /// The update that is to be installed; else it is found among the files.
    pub target: Option<Kb>,
    /// The device or image.
    pub machine: Machine,
}

impl From<Machine> for LintRequest {
    fn from(machine: Machine) -> Self {
        Self { target: None, machine }
    }
}
