//! The facts that a run learned, as input of the index.

use jiff::civil::Date;

use crate::update::{Classification, Kb, Sha1, Sha256, UpdateId};

/// A row of a search page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateRecord {
    /// The update.
    pub id: UpdateId,
    /// The Catalog's title.
    pub title: String,
    /// The classification by title and products.
    pub class: Classification,
    /// The Catalog's product string.
    pub products: String,
    /// The Catalog's classification.
    pub classification: String,
    /// The date of the entry.
    pub last_updated: Date,
    /// The total size of all files in bytes.
    pub size: u64,
}

/// A details page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailsRecord {
    /// The update.
    pub id: UpdateId,
    /// The KB numbers on the page.
    pub kbs: Vec<Kb>,
    /// The MSRC severity.
    pub severity: Option<String>,
    /// The restart behaviour.
    pub restart: Option<String>,
    /// Updates that replace this one.
    pub superseded_by: Vec<(UpdateId, String)>,
    /// Titles of updates that this one replaces.
    pub supersedes: Vec<String>,
}

/// A file of a download dialog, or of knowledge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecord {
    /// The Catalog's name.
    pub name: String,
    /// The URL.
    pub url: String,
    /// The stated SHA-1.
    pub sha1: Option<Sha1>,
    /// The stated SHA-256.
    pub sha256: Option<Sha256>,
}

/// A conflict: one SHA-1 was stated with two SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestConflict {
    /// The SHA-1.
    pub sha1: Sha1,
    /// The names of the two files.
    pub names: [String; 2],
}

/// The new facts in a download dialog.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DialogNews {
    /// Digests that contradict each other.
    pub conflicts: Vec<DigestConflict>,
    /// `true` if files that were listed before are missing and other files replace them.
    pub is_reissued: bool,
}
