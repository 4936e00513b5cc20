//! The document of a KB. It is written beside the set folders of the KB, read again if the index is lost, and
//! carried across the air gap line by line.
//!
//! The same types are used for writing and reading, so that the index can be restored from the files. Fields are
//! added, never changed. Fields that only the listing of a medium has are absent elsewhere. A reader refuses a
//! newer format.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::{PropertyCheck, RelatedUpdate, SetFolder, Source};
use crate::update::schema::DateText;
use crate::update::{Architecture, Kb, Sha1, Sha256, UpdateId};

/// The origin of content that comes from a recording.
pub const REPLAY: &str = "replay";

/// The format of a KB's JSON file.
pub const KB_JSON_FORMAT: u32 = 1;

/// The published content of a KB.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct KbDocument {
    /// The format.
    pub format: u32,
    /// The KB.
    pub kb: Kb,
    /// The origin of the content.
    pub origin: String,
    /// The published sets.
    pub sets: Vec<SetRecord>,
    /// The updates.
    pub updates: Vec<UpdateLine>,
}

/// A published set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SetRecord {
    /// The name of the set folder.
    pub folder: SetFolder,
    /// The folder name of the family.
    pub family: Option<String>,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The products, as titles name them.
    #[schemars(extend("deprecated" = true))]
    pub products: Vec<String>,
    /// The products, as titles name them; empty in files of earlier versions.
    #[serde(default)]
    pub product_list: Vec<String>,
    /// `true` for a copy that only Windows Setup uses.
    pub is_dynamic: bool,
    /// The files, in order of installation.
    pub files: Vec<FileLine>,
    /// The prerequisites among the files.
    pub needs: Vec<EdgeLine>,
}

/// A file of a set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FileLine {
    /// The position in the order of installation, from 1; 0 if the order is unknown.
    #[serde(default)]
    pub order: usize,
    /// The role of the file.
    pub role: String,
    /// The KB in the file name.
    #[serde(default)]
    pub kb: Option<Kb>,
    /// The file name in the Catalog.
    pub name: String,
    /// The path in the folder of the KB.
    #[serde(default)]
    pub path: String,
    /// The architecture in the file name.
    #[serde(default)]
    pub architecture: Option<Architecture>,
    /// The SHA-1 digest.
    pub sha1: Option<Sha1>,
    /// The source of the SHA-1.
    pub sha1_source: Option<Source>,
    /// The SHA-256 digest.
    pub sha256: Option<Sha256>,
    /// The source of the SHA-256.
    pub sha256_source: Option<Source>,
    /// The size in bytes.
    pub size: Option<u64>,
    /// The URLs from which the file can be downloaded.
    pub urls: Vec<String>,
    /// The compared properties.
    pub checks: Vec<PropertyCheck>,
}

/// A prerequisite: one file requires another file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EdgeLine {
    /// The position of the requiring file, from 1.
    pub from: Option<usize>,
    /// The position of the required file.
    pub to: Option<usize>,
    /// The role of the required file.
    pub role: String,
    /// The source of the edge.
    pub source: Source,
}

/// An update.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct UpdateLine {
    /// The id of the update.
    pub update_id: UpdateId,
    /// The Catalog's title.
    pub title: String,
    /// The Catalog's product string.
    pub products: String,
    /// The classification.
    pub classification: Option<String>,
    /// The date of the entry.
    #[schemars(with = "Option<DateText>")]
    pub last_updated: Option<jiff::civil::Date>,
    /// The total size of its files.
    pub size: Option<u64>,
    /// The time when the index first saw the update.
    #[serde(default)]
    pub first_seen: String,
    /// The MSRC severity; only in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// The restart behaviour; only in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
    /// The time when the index last saw the update; only in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<String>,
    /// The day since which the Catalog does not list the update, if that is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired: Option<String>,
    /// The files; absent if the download dialog was never read.
    pub files: Option<Vec<ListedFile>>,
    /// The updates that replace this one.
    pub superseded_by: Vec<RelatedUpdate>,
    /// The updates that this one replaces.
    pub supersedes: Vec<RelatedUpdate>,
}

/// A file in a download dialog.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ListedFile {
    /// The file name.
    pub name: String,
    /// The SHA-1 digest.
    pub sha1: Option<Sha1>,
    /// The SHA-256 digest.
    pub sha256: Option<Sha256>,
    /// The URLs from which the file can be downloaded.
    pub urls: Vec<String>,
}

impl FileLine {
    /// Returns the file name in the set folder.
    pub fn name_in_folder(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

impl KbDocument {
    /// Returns `true` if the content comes from a recording and cannot be installed.
    pub fn is_demo(&self) -> bool {
        self.origin == REPLAY
    }
}
