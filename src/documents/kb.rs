//! The document of a KB: written beside its set folders, read again when the index is lost, and carried across the gap line by
//! line.
//!
//! The same values go both ways, so that what was written can be restored. Fields are added, never changed; those that only the
//! listing of a medium has are absent elsewhere. A reader refuses a newer format.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::{Check, RelatedUpdate, SetFolder, Source};
use crate::update::schema::DateText;
use crate::update::{Architecture, Kb, Sha1, Sha256, UpdateId};

/// The origin of content from a recording.
pub const REPLAY: &str = "replay";

/// The format of a KB's JSON file.
pub const KB_JSON_FORMAT: u32 = 1;

/// All that is published of a KB.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct KbDocument {
    /// The format.
    pub format: u32,
    /// The KB.
    pub kb: Kb,
    /// Where the content comes from.
    pub origin: String,
    /// Its published sets.
    pub sets: Vec<SetRecord>,
    /// Its updates.
    pub updates: Vec<UpdateLine>,
}

/// A published set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SetRecord {
    /// The folder's name.
    pub folder: SetFolder,
    /// The family's folder word.
    pub family: Option<String>,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The products, as titles name them.
    #[schemars(extend("deprecated" = true))]
    pub products: Vec<String>,
    /// The products, as titles name them; empty in what an earlier version wrote.
    #[serde(default)]
    pub product_list: Vec<String>,
    /// A copy that only Windows Setup takes.
    pub is_dynamic: bool,
    /// The files, in order of installation.
    pub files: Vec<FileLine>,
    /// Which file needs which.
    pub needs: Vec<EdgeLine>,
}

/// A file of a set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FileLine {
    /// Its place.
    #[serde(default)]
    pub order: usize,
    /// Its type.
    pub role: String,
    /// The KB in its name.
    #[serde(default)]
    pub kb: Option<Kb>,
    /// The Catalog's name of it.
    pub name: String,
    /// Where it lies in the KB's folder.
    #[serde(default)]
    pub path: String,
    /// The architecture in its name.
    #[serde(default)]
    pub architecture: Option<Architecture>,
    /// Its SHA-1.
    pub sha1: Option<Sha1>,
    /// The source of the SHA-1.
    pub sha1_source: Option<Source>,
    /// Its SHA-256.
    pub sha256: Option<Sha256>,
    /// The source of the SHA-256.
    pub sha256_source: Option<Source>,
    /// Its bytes.
    pub size: Option<u64>,
    /// Where it can be had.
    pub urls: Vec<String>,
    /// The compared properties.
    pub checks: Vec<Check>,
}

/// One file needs another.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EdgeLine {
    /// Place of the needing file, from 1.
    pub from: Option<usize>,
    /// Place of the needed one.
    pub to: Option<usize>,
    /// What the needed one is.
    pub role: String,
    /// The source of the edge.
    pub source: Source,
}

/// An update.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct UpdateLine {
    /// Its id.
    pub update_id: UpdateId,
    /// The Catalog's title.
    pub title: String,
    /// The Catalog's product string.
    pub products: String,
    /// Its classification.
    pub classification: Option<String>,
    /// The date of the entry.
    #[schemars(with = "Option<DateText>")]
    pub last_updated: Option<jiff::civil::Date>,
    /// The sum over its files.
    pub size: Option<u64>,
    /// When it was seen first.
    #[serde(default)]
    pub first_seen: String,
    /// MSRC severity; in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Restart behaviour; in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
    /// When it was seen last; in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<String>,
    /// Since when the Catalog shows it no more, for sure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired: Option<String>,
    /// Its files; absent when the dialog was never read.
    pub files: Option<Vec<ListedFile>>,
    /// What replaces it.
    pub superseded_by: Vec<RelatedUpdate>,
    /// What it replaces.
    pub supersedes: Vec<RelatedUpdate>,
}

/// A file that a dialog listed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ListedFile {
    /// Its name.
    pub name: String,
    /// Its SHA-1.
    pub sha1: Option<Sha1>,
    /// Its SHA-256.
    pub sha256: Option<Sha256>,
    /// Where it can be had.
    pub urls: Vec<String>,
}

impl FileLine {
    /// Returns the name in the set folder.
    pub fn name_in_folder(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

impl KbDocument {
    /// Returns `true` if the content comes from a recording: nothing of it can be installed.
    pub fn is_demo(&self) -> bool {
        self.origin == REPLAY
    }
}
