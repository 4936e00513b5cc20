//! The parts of a dependency graph: nodes, edges, and edges as the index keeps them.

use serde::Serialize;

use super::condition::Condition;
use crate::clock::Time;
use crate::facts::{FileFacts, Role, Source};
use crate::update::schema::TimeText;
use crate::update::{Architecture, Build, Kb, Sha1, Sha256, UpdateId};

/// The type of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A package file.
    File,
    /// A Catalog entry, or a KB as knowledge speaks of it.
    Update,
}

/// The type of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// The file at `from` is installed after the one at `to`.
    Needs,
    /// The update at `from` replaces the one at `to`.
    Supersedes,
}

impl EdgeKind {
    /// The word in JSON and DOT.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Needs => "needs",
            Self::Supersedes => "supersedes",
        }
    }
}

/// A file or an update. The field names are a promise of the JSON output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Node {
    /// Its name in edges.
    pub id: String,
    /// File or update.
    pub kind: NodeKind,
    /// Its KB.
    pub kb: Option<Kb>,
    /// The file's name, or the update's title.
    pub name: Option<String>,
    /// Its architecture.
    pub architecture: Option<Architecture>,
    /// The build that it brings.
    pub build: Option<Build>,
    /// The update's id in the Catalog.
    pub update_id: Option<UpdateId>,
    /// The file's SHA-1.
    pub sha1: Option<Sha1>,
    /// The file's SHA-256.
    pub sha256: Option<Sha256>,
    /// The file's bytes.
    pub size: Option<u64>,
    /// `true` if the pool has the file.
    pub present: Option<bool>,
}

/// One statement about two nodes. The field names are a promise of the JSON output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Edge {
    /// The node that needs or replaces.
    pub from: String,
    /// The node that is needed or replaced.
    pub to: String,
    /// Needs or supersedes.
    pub kind: EdgeKind,
    /// The role of the needed file.
    pub role: Option<Role>,
    /// The machines for which it holds, where it does not hold for all.
    pub condition: Option<Condition>,
    /// The source: `dialog`, `details page`, `knowledge`.
    pub source: Source,
    /// The time when it was seen first, where the index keeps it.
    #[schemars(with = "Option<TimeText>")]
    pub first_seen: Option<Time>,
    /// The time when it was seen last, where the index keeps it.
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

/// A `needs` edge as the index keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenNeeds {
    /// The file.
    pub file: FileFacts,
    /// The file that it needs.
    pub needs: FileFacts,
    /// The role of the needed one.
    pub role: Role,
    /// The source.
    pub source: Source,
    /// The time when it was seen first.
    pub first_seen: Time,
    /// The time when it was seen last.
    pub last_seen: Time,
}

/// An end of a `supersedes` edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateName {
    /// Its id, where one is known.
    pub id: Option<UpdateId>,
    /// Its title.
    pub title: String,
    /// Its KB, where it is known beside the title.
    pub kb: Option<Kb>,
}

/// A `supersedes` edge as the index keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSupersedes {
    /// The update that replaces.
    pub newer: UpdateName,
    /// The update that is replaced.
    pub older: UpdateName,
    /// The source.
    pub source: Source,
    /// The time when it was seen first.
    pub first_seen: Time,
    /// The time when it was seen last.
    pub last_seen: Time,
}
