//! The documents of `check-medium` and `import`, and the report of every command about a medium.

use camino::{Utf8Path, Utf8PathBuf};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::ErrorBody;
use super::medium::MediumSet;
use crate::update::{Kb, Sha256};

/// The document of `check-medium`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckMediumDocument<'a> {
    /// The description of the set.
    pub set: &'a MediumSet,
    /// The digest of `set.json`, which identifies the set.
    pub set_id: Sha256,
    /// The root key of the signature.
    pub root: String,
    /// The number of files under `data/` that were read.
    pub checked: u64,
    /// Their bytes.
    pub bytes: u64,
    /// `true` if the validity of the set has ended, by a plausible clock; `false` if the clock is not plausible.
    pub expired: bool,
    /// The names of unknown entries on the medium. They were not read.
    pub litter: &'a [String],
    /// A line that states what was checked.
    pub evidence: String,
}

/// The document of `import`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ImportDocument<'a> {
    /// The work that was done.
    pub imported: ImportedDocument<'a>,
    /// A line that states what was done and checked.
    pub evidence: String,
}

/// The work of an import.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ImportedDocument<'a> {
    /// The sequence number of the set in its lineage.
    pub seq: u64,
    /// The number of the set, for people.
    pub number: u64,
    /// The digest of `set.json`, which identifies the set.
    pub set_id: Sha256,
    /// `true` if the mirror already had exactly this set.
    pub already_applied: bool,
    /// `true` if a later set of the lineage was imported before. Only missing files were added.
    pub older: bool,
    /// The number of files under `data/` that were read and verified.
    pub checked: u64,
    /// Their bytes.
    pub checked_bytes: u64,
    /// The number of files that are new in the pool.
    pub added: u64,
    /// Their bytes.
    pub added_bytes: u64,
    /// The number of files that the pool already had, by size and without recorded damage. They were not read again
    /// in the pool.
    pub present: u64,
    /// Their bytes.
    pub present_bytes: u64,
    /// The damaged or missing pool files that were replaced from the medium.
    pub healed: &'a [HealedFile],
    /// The other set folders that were rebuilt because they shared the damaged files, relative to the mirror.
    pub healed_folders: &'a [String],
    /// The files beside the set folders that were damaged, missing, foreign, or outdated, and were rewritten.
    #[schemars(with = "Vec<String>")]
    pub rewritten: &'a [Utf8PathBuf],
    /// The set folders that are new or have new content, relative to the mirror.
    pub published: &'a [String],
    /// The number of set folders that existed already, by names and sizes. They were not read again.
    pub unchanged: usize,
    /// The KBs that were not imported, because files of them are missing.
    pub left: &'a [Kb],
    /// The set folders that were skipped, because they were removed from this mirror on purpose.
    pub skipped: &'a [String],
    /// The missing files.
    pub missing: &'a [AbsentFile],
    /// The names of unknown entries on the medium. They were not read.
    pub litter: &'a [String],
    /// `true` if the medium's tables replaced the mirror's: they are newer, or have the same version with other
    /// rows.
    pub knowledge_adopted: bool,
    /// The reason why the medium's tables were ignored, if they cannot be used.
    pub knowledge_left: Option<&'a str>,
    /// The root key of the signature.
    pub key: String,
}

/// A pool file that was damaged or missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HealedFile {
    /// The path of the file, relative to the mirror.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// The path to which the damaged file was moved, relative to the mirror; null if the file was missing.
    #[schemars(with = "Option<String>")]
    pub kept: Option<Utf8PathBuf>,
}

/// A listed file that is missing on the medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AbsentFile {
    /// The path of the file on the medium.
    pub path: String,
    /// The size in bytes; null for an install script.
    pub bytes: Option<u64>,
    /// The SHA-256 digest.
    pub sha256: Sha256,
}

/// The report of a command about a medium.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MediumReport<'a, T> {
    /// The format of the report.
    pub format: u32,
    /// The command: `export`, `check-medium`, or `import`.
    pub command: &'static str,
    /// The path of the medium.
    #[schemars(with = "String")]
    pub medium: &'a Utf8Path,
    /// The name and version of the program.
    pub tool: String,
    /// The time, RFC 3339.
    pub time: String,
    /// The exit code of the error, or 0 without an error. An incomplete set has 0 here, although `export` ends with 4.
    pub exit_code: u8,
    /// The document of the command; null after an error.
    pub done: Option<T>,
    /// The error; null if the command succeeded.
    pub error: Option<ErrorBody>,
}
