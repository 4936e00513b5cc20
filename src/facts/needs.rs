//! An edge between two files of one set.

use super::role::Role;
use super::source::Source;

/// An edge: one file needs another file to be installed before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedsEdge {
    /// The position of the dependent file among the members of its set.
    pub from: usize,
    /// The position of the needed file.
    pub to: usize,
    /// The role of the needed file, such as `checkpoint` or `ssu`.
    pub role: Role,
    /// The source of the edge.
    pub source: Source,
}
