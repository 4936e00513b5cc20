//! The request about a folder.

use super::recorded::RecordedSet;
use crate::resolve::Machine;
use crate::update::Kb;

/// The request about a folder: the update, and the machine that it is for. For a machine of unknown build,
/// the folder must be complete for every build.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LintRequest {
    /// The update that is to be installed; if `None`, it is inferred from the files.
    pub target: Option<Kb>,
    /// The device or image.
    pub machine: Machine,
    /// The record of the folder, if a mirror published it. Its KB is the target unless another one is requested.
    pub recorded: Option<RecordedSet>,
}

impl From<Machine> for LintRequest {
    fn from(machine: Machine) -> Self {
        Self { machine, ..Self::default() }
    }
}
