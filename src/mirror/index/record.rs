//! What a run learned, in the form in which the index takes it.

use jiff::civil::Date;

use crate::update::{Classification, Kb, Sha1, Sha256, UpdateId};

/// One row of a search page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateRecord {
    /// The update.
    pub id: UpdateId,
    /// The Catalog's title.
    pub title: String,
    /// What title and products say.
    pub class: Classification,
    /// The Catalog's product string.
    pub products: String,
    /// The Catalog's classification.
    pub classification: String,
    /// Date of the entry.
    pub last_updated: Date,
    /// Bytes of all files together.
    pub size: u64,
}

/// A details page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailsRecord {
    /// The update.
    pub id: UpdateId,
    /// The KB numbers on the page.
    pub kbs: Vec<Kb>,
    /// MSRC severity.
    pub severity: Option<String>,
    /// Restart behaviour.
    pub restart: Option<String>,
    /// Updates that replace this one.
    pub superseded_by: Vec<(UpdateId, String)>,
    /// Titles of updates that this one replaces.
    pub supersedes: Vec<String>,
}

/// One file of a download dialog, or of knowledge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecord {
    /// The Catalog's name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// SHA-1 as stated.
    pub sha1: Option<Sha1>,
    /// SHA-256 as stated.
    pub sha256: Option<Sha256>,
}

/// One SHA-1 was stated with two SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestConflict {
    /// The SHA-1.
    pub sha1: Sha1,
    /// The names of the two files.
    pub names: [String; 2],
}

/// What a download dialog said that was not known before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DialogNews {
    /// Digests that contradict each other.
    pub conflicts: Vec<DigestConflict>,
    /// Files that were listed are not any more, and others are in their place.
    pub is_reissued: bool,
}
