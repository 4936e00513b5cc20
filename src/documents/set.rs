//! Package sets as documents: the stored state of a set, and the result of a run.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

use super::damage::{DamagedSet, SetFault};
use super::file::MemberDocument;
use crate::update::{Architecture, Kb};

/// The state of a set after a command. The values are part of the stable JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetStatus {
    /// The folder is new or has new content.
    Published,
    /// The folder existed already with the right content.
    Unchanged,
    /// Nothing of the set was published.
    Failed,
    /// The set would be fetched (`--dry-run`), or was recorded (`crawl`).
    Planned,
}

/// A package set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetDocument {
    /// The KB.
    pub kb: Kb,
    /// The folder name of the family, with which the set folder begins.
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
    /// The reason of the failure.
    pub error: Option<String>,
}

/// A package set as the mirror stores it. Names and sizes were compared with the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StoredSet {
    /// The set.
    #[serde(flatten)]
    pub set: SetDocument,
    /// `true` if a part of the set is damaged.
    pub damaged: bool,
    /// `true` if the complete folder is missing.
    pub folder_missing: bool,
    /// The faults, sorted by path.
    pub faults: Vec<SetFault>,
}

/// A package set with the result of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FetchedSetDocument {
    /// The set.
    #[serde(flatten)]
    pub set: SetDocument,
    /// The KBs that require this set. Empty if the set was requested itself.
    pub needed_by: BTreeSet<Kb>,
    /// The path of the published folder.
    #[serde(skip)]
    pub place: Option<Utf8PathBuf>,
}

impl SetDocument {
    /// Returns the bytes of all files, or `None` if a size is unknown.
    pub fn bytes(&self) -> Option<u64> {
        self.files.iter().map(|member| member.file.size).sum()
    }

    /// Returns `true` if the pool has every file of the set.
    pub fn is_completely_pooled(&self) -> bool {
        self.files.iter().all(|member| member.is_pooled)
    }
}

impl StoredSet {
    /// Returns the damage of the set, or `None` if it is not damaged.
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
