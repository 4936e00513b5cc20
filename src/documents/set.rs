//! Package sets as documents: what is stored of a set, and what a run did with it.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

use super::damage::{DamagedSet, SetFault};
use super::file::MemberDocument;
use crate::update::{Architecture, Kb};

/// The state of a set after a command. The words are a promise of the JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetStatus {
    /// The folder is new, or new in what it holds.
    Published,
    /// The folder was there and right already.
    Unchanged,
    /// Nothing of it was published.
    Failed,
    /// It would be fetched (`--dry-run`), or was recorded (`crawl`).
    Planned,
}

/// A package set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetDocument {
    /// The KB.
    pub kb: Kb,
    /// The word of the family with which the folder begins.
    pub family: Option<String>,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The products, as titles name them.
    #[schemars(extend("deprecated" = true))]
    pub products: Vec<String>,
    /// The products, as titles name them.
    pub product_list: Vec<String>,
    /// The folder, relative to the mirror.
    #[schemars(with = "String")]
    pub folder: Utf8PathBuf,
    /// The state of the set.
    pub status: SetStatus,
    /// The files, in order of installation.
    pub files: Vec<MemberDocument>,
    /// The reason for which it failed.
    pub error: Option<String>,
}

/// A package set as the mirror stores it. Names and sizes were compared with the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StoredSet {
    /// The set.
    #[serde(flatten)]
    pub set: SetDocument,
    /// `true` if something of it is damaged.
    pub damaged: bool,
    /// `true` if the whole folder is missing.
    pub folder_missing: bool,
    /// The faults, by path.
    pub faults: Vec<SetFault>,
}

/// A package set with what a run did to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FetchedSetDocument {
    /// The set.
    #[serde(flatten)]
    pub set: SetDocument,
    /// The KBs with which it comes along; none if it was asked for itself.
    pub needed_by: BTreeSet<Kb>,
    /// The published folder as a path that leads there.
    #[serde(skip)]
    pub place: Option<Utf8PathBuf>,
}

impl SetDocument {
    /// Returns the bytes of all files, where each is known.
    pub fn bytes(&self) -> Option<u64> {
        self.files.iter().map(|member| member.file.size).sum()
    }

    /// Returns `true` if the pool has every file.
    pub fn is_pooled_whole(&self) -> bool {
        self.files.iter().all(|member| member.is_pooled)
    }
}

impl StoredSet {
    /// Returns the damage of the set, if it has any.
    pub fn damage(&self) -> Option<DamagedSet> {
        let name = self.set.folder.file_name().unwrap_or_default().to_owned();
        self.damaged.then(|| DamagedSet {
            kb: self.set.kb,
            folder: name.clone(),
            folder_name: name,
            folder_missing: self.folder_missing,
            faults: self.faults.clone(),
        })
    }
}
