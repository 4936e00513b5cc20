//! A file as a member of a set, and the edges between members.

use super::evidence::Evidence;
use super::file::FileFacts;
use super::role::Role;
use super::source::Source;
use crate::update::{Build, Kb};

/// A file with its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The file.
    pub file: FileFacts,
    /// What it is here.
    pub role: Role,
    /// The build that it brings, in the family's own numbering.
    pub build: Option<Build>,
    /// Why it is here and is what it is.
    pub evidence: Vec<Evidence>,
}

impl Member {
    /// The KB under which the file is known.
    pub fn kb(&self) -> Option<Kb> {
        self.file.kb
    }

    /// The place in the order of installation among files of a set; `None` when it cannot be known.
    pub fn rank(&self) -> (bool, Role, Option<Build>, Option<Kb>, &str) {
        (self.role == Role::Companion, self.role, self.build, self.kb(), &self.file.name)
    }
}

/// An edge between two files of a set: the needed one is installed before the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// Place of the needing file among the members of its set.
    pub from: usize,
    /// Place of the file that it needs.
    pub to: usize,
    /// The role of the needed file: `checkpoint`, `ssu`.
    pub role: Role,
    /// The source of the edge.
    pub source: Source,
}
