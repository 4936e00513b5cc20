//! An edge between two files of one set.

use super::role::Role;
use super::source::Source;

/// One file needs another to be installed before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// Place of the needing file among the members of its set.
    pub from: usize,
    /// Place of the file that it needs.
    pub to: usize,
    /// What the needed one is: `checkpoint`, `ssu`.
    pub role: Role,
    /// The source of the edge.
    pub source: Source,
}
