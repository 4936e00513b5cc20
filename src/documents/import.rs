//! The documents of `check-medium` and `import`, and the report that every command about a medium leaves.

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
    /// The digest of `set.json`, which names the set.
    pub set_id: Sha256,
    /// The root key under which it was signed.
    pub root: String,
    /// The number of files under `data/` that were read.
    pub checked: u64,
    /// Their bytes.
    pub bytes: u64,
    /// `true` if the validity of the set has ended; `false` too if the clock of this machine cannot tell.
    pub expired: bool,
    /// The names beside the set; these were not read.
    pub litter: &'a [String],
    /// The check in one line.
    pub evidence: String,
}

/// The document of `import`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ImportDocument<'a> {
    /// The work that was done.
    pub imported: ImportedDocument<'a>,
    /// The work that was done, in one line.
    pub evidence: String,
}

/// The work of an import.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ImportedDocument<'a> {
    /// The place of the set in its lineage.
    pub seq: u64,
    /// The number of the set for people.
    pub number: u64,
    /// The digest of `set.json`, which names the set.
    pub set_id: Sha256,
    /// `true` if the mirror had this set already.
    pub already_applied: bool,
    /// `true` if a later set of the lineage was imported before, so that only missing things were added.
    pub older: bool,
    /// The number of files under `data/` that were read and right.
    pub checked: u64,
    /// Their bytes.
    pub checked_bytes: u64,
    /// The number of files that are new in the pool.
    pub added: u64,
    /// Their bytes.
    pub added_bytes: u64,
    /// The number of files that the pool had, by their size and without recorded damage. They were not read again there.
    pub present: u64,
    /// Their bytes.
    pub present_bytes: u64,
    /// The damaged or missing files of the pool that the medium's bytes replaced.
    pub healed: &'a [Healed],
    /// The other set folders that were made again because they had the damaged files too, relative to the mirror.
    pub healed_folders: &'a [String],
    /// The files beside the set folders that were damaged, missing, foreign, or outdated, and were put right.
    #[schemars(with = "Vec<String>")]
    pub rewritten: &'a [Utf8PathBuf],
    /// The set folders that are new or have new content, relative to the mirror.
    pub published: &'a [String],
    /// The number of set folders that were there, by names and sizes. They were not read again.
    pub unchanged: usize,
    /// The KBs that were left because files of theirs are missing.
    pub left: &'a [Kb],
    /// The set folders that were left out, because they were removed here on purpose.
    pub skipped: &'a [String],
    /// The missing files.
    pub missing: &'a [Leftover],
    /// The names beside the set; these were not read.
    pub litter: &'a [String],
    /// `true` if the medium's tables took the place of the mirror's: they are newer, or of the same version with other rows.
    pub knowledge_adopted: bool,
    /// The reason for which the medium's tables were left, if they cannot be used.
    pub knowledge_left: Option<&'a str>,
    /// The root key under which the set was signed.
    pub key: String,
}

/// A file of the pool that was damaged or missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Healed {
    /// Its path, relative to the mirror.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// The path of the damaged bytes, relative to the mirror; null without any.
    #[schemars(with = "Option<String>")]
    pub kept: Option<Utf8PathBuf>,
}

/// A listed file that is not on the medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Leftover {
    /// Its path on the medium.
    pub path: String,
    /// Its bytes; null for an install script.
    pub bytes: Option<u64>,
    /// Its digest.
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
    /// The exit code; 0 also for an incomplete set.
    pub exit_code: u8,
    /// The document of the command; null after an error.
    pub done: Option<T>,
    /// The error; null without one.
    pub error: Option<ErrorBody>,
}
