//! The document of `repair`.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

use super::damage::VerifyFinding;
use super::error::FailedItem;
use crate::update::{Kb, Sha1, Sha256};

/// The document of `repair`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RepairDocument {
    /// `true` if nothing was changed.
    pub dry_run: bool,
    /// The requested KBs. An empty list means the complete mirror.
    pub asked: Vec<Kb>,
    /// The findings before the repair.
    pub findings_before: Vec<VerifyFinding>,
    /// The pool files that were restored, or would be restored.
    pub restored: Vec<RestoredFile>,
    /// The files of `--from` that have the name of a needed file but other bytes.
    pub skipped: Vec<SkippedFile>,
    /// The paths of foreign files that were moved to `quarantine/`.
    pub moved: Vec<MovedPath>,
    /// The set folders that were rebuilt, relative to the mirror.
    pub republished: Vec<String>,
    /// The files beside the set folders that were rewritten, relative to the mirror.
    #[schemars(with = "Vec<String>")]
    pub rewritten: Vec<Utf8PathBuf>,
    /// The files that are still needed. On the isolated side, the connected side must send them.
    pub needed: Vec<NeededFile>,
    /// The files that could not be downloaded, with the reasons.
    pub failures: Vec<FailedItem>,
    /// The findings after the repair. Equal to `findings_before` if nothing was changed.
    pub findings: Vec<VerifyFinding>,
    /// `true` if a verification after the repair has no findings.
    pub sound: bool,
}

/// A pool file that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RestoredFile {
    /// The file, relative to the mirror.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// The name of the package file.
    pub name: String,
    /// The SHA-256 digest.
    pub sha256: Sha256,
    /// The size in bytes.
    pub size: u64,
    /// The source: a path under a folder of `--from`, or `download`.
    pub from: String,
}

/// A file that was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SkippedFile {
    /// The file.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// The reason.
    pub reason: String,
}

/// An entry that was moved to `quarantine/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MovedPath {
    /// The old path, relative to the mirror.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// The new path, relative to the mirror.
    #[schemars(with = "String")]
    pub kept: Utf8PathBuf,
}

/// A file that is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NeededFile {
    /// The file, relative to the mirror.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// The name of the package file.
    pub name: String,
    /// The SHA-256 digest.
    pub sha256: Sha256,
    /// The SHA-1 digest.
    pub sha1: Option<Sha1>,
    /// The size in bytes.
    pub size: u64,
    /// The KBs with a published set that has the file.
    pub kbs: Vec<Kb>,
}
