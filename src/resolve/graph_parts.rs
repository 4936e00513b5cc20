//! The parts of a dependency graph: nodes, edges, and edges as the index records them.

use serde::Serialize;

use super::condition::Condition;
use crate::clock::Time;
use crate::facts::{FileFacts, Role, Source};
use crate::update::schema::TimeText;
use crate::update::{Architecture, Build, Kb, Sha1, Sha256, UpdateId};

/// The kind of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A package file.
    File,
    /// A Catalog entry, or a KB that only knowledge names.
    Update,
}

/// The kind of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// The file at `from` is installed after the one at `to`.
    Needs,
    /// The update at `from` replaces the one at `to`.
    Supersedes,
}

impl EdgeKind {
    /// Returns the word in JSON and DOT.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Needs => "needs",
            Self::Supersedes => "supersedes",
        }
    }
}

/// A file or an update. The field names are part of the JSON output and do not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Node {
    /// The identifier in edges.
    pub id: String,
    /// File or update.
    pub kind: NodeKind,
    /// The KB.
    pub kb: Option<Kb>,
    /// The file's name, or the update's title.
    pub name: Option<String>,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The build that the file or the update brings.
    pub build: Option<Build>,
    /// The update's id in the Catalog.
    pub update_id: Option<UpdateId>,
    /// The file's SHA-1.
    pub sha1: Option<Sha1>,
    /// The file's SHA-256.
    pub sha256: Option<Sha256>,
    /// The file's size in bytes.
    pub size: Option<u64>,
    /// `true` if the pool has the file.
    pub present: Option<bool>,
}

/// A statement about two nodes. The field names are part of the JSON output and do not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Edge {
    /// The node that needs or replaces the other.
    pub from: String,
    /// The node that is needed or replaced.
    pub to: String,
    /// Needs or supersedes.
    pub kind: EdgeKind,
    /// The role of the needed file.
    pub role: Option<Role>,
    /// The machines for which the edge holds; `None` if it holds for all.
    pub condition: Option<Condition>,
    /// The source: `dialog`, `details page`, `knowledge`.
    pub source: Source,
    /// The time when the edge was first seen, if the index has it.
    #[schemars(with = "Option<TimeText>")]
    pub first_seen: Option<Time>,
    /// The time when the edge was last seen, if the index has it.
    #[schemars(with = "Option<TimeText>")]
    pub last_seen: Option<Time>,
}

impl Node {
    pub(super) fn new(id: String, kind: NodeKind) -> Self {
        Self {
            id,
            kind,
            kb: None,
            name: None,
            architecture: None,
            build: None,
            update_id: None,
            sha1: None,
            sha256: None,
            size: None,
            present: None,
        }
    }
}

/// A `needs` edge as the index records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedNeed {
    /// The file.
    pub file: FileFacts,
    /// The file that it needs.
    pub needs: FileFacts,
    /// The role of the needed file.
    pub role: Role,
    /// The source.
    pub source: Source,
    /// The time when the edge was first seen.
    pub first_seen: Time,
    /// The time when the edge was last seen.
    pub last_seen: Time,
}

/// An end of a `supersedes` edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateName {
    /// The update id, if it is known.
    pub id: Option<UpdateId>,
    /// The title.
    pub title: String,
    /// The KB, if it is known in addition to the title.
    pub kb: Option<Kb>,
}

/// A `supersedes` edge as the index records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedSupersedence {
    /// The update that replaces the other.
    pub newer: UpdateName,
    /// The update that is replaced.
    pub older: UpdateName,
    /// The source.
    pub source: Source,
    /// The time when the edge was first seen.
    pub first_seen: Time,
    /// The time when the edge was last seen.
    pub last_seen: Time,
}
