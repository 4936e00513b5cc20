//! A file of a package set, with its role and its place in the order of installation.

use crate::facts::{Evidence, FileFacts, Role};
use crate::update::{Build, Kb};

/// A file with its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The file.
    pub file: FileFacts,
    /// The role of the file in the set.
    pub role: Role,
    /// The build that the file brings, in the family's own numbering.
    pub build: Option<Build>,
    /// The evidence for its position and its role.
    pub evidence: Vec<Evidence>,
    /// The place from 1, if supersedence gave a companion of the entry its place; else the role gives the order.
    pub position: Option<usize>,
}

impl Member {
    /// Returns a file in a role, without a build and evidence.
    pub fn new(file: FileFacts, role: Role) -> Self {
        Self { file, role, build: None, evidence: Vec::new(), position: None }
    }

    /// Returns the KB in the file's name, or `None` if it is unknown.
    pub fn kb(&self) -> Option<Kb> {
        self.file.kb
    }

    /// Returns `true` if the place of the file in the order of installation is known.
    pub fn is_ordered(&self) -> bool {
        self.role != Role::Companion || self.position.is_some()
    }

    /// Returns the sort key for the order of installation among the files of a set. Companions of unknown order come
    /// last.
    pub(super) fn rank(&self) -> (bool, Option<usize>, Role, Option<Build>, Option<Kb>, &str) {
        (!self.is_ordered(), self.position, self.role, self.build, self.kb(), &self.file.name)
    }
}
