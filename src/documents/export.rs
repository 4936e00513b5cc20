//! The documents of `export`: the plan, the work that was done, and the rehearsal (`--dry-run`).

use std::collections::BTreeSet;

use camino::Utf8Path;
use schemars::JsonSchema;
use serde::Serialize;

use super::error::ErrorBody;
use super::medium::MissingItem;
use crate::update::{Kb, Sha256};

/// The document of `export`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportDocument<'a> {
    /// The plan.
    pub plan: ExportPlanDocument<'a>,
    /// The work that was done.
    pub exported: ExportedDocument<'a>,
    /// The work that was done, in one line.
    pub evidence: String,
    /// The state of the medium, with what is proven and what is not.
    pub claim: String,
}

/// The document of `export --dry-run`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportRehearsal<'a> {
    /// The plan.
    pub plan: ExportPlanDocument<'a>,
    /// Null: nothing was written.
    pub exported: (),
    /// The room that the export needs and finds.
    pub room: Room,
    /// The thing with which the target shares its file system, if it is a local folder.
    pub local: Option<SharedFileSystem>,
    /// `true` if the export asks before it removes that much, or needs `--yes`.
    pub needs_yes: bool,
    /// The error with which the export would end.
    pub obstacle: Option<ErrorBody>,
}

/// The plan of an export.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportPlanDocument<'a> {
    /// The package sets, by KB and folder.
    pub sets: Vec<PlannedSetDocument<'a>>,
    /// The selected things that are not in the mirror.
    pub missing: &'a [MissingItem],
    /// The things that were left out on purpose.
    pub left_out: &'a [MissingItem],
    /// The number of package files on the medium; one that several sets share counts in each.
    #[schemars(extend("deprecated" = true))]
    pub files: usize,
    /// The number of package files on the medium; one that several sets share counts in each.
    pub file_count: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes of different files.
    pub different_bytes: u64,
    /// The package sets that are new on the medium.
    pub additions: Vec<ChangedSetDocument<'a>>,
    /// The package sets that replace another generation of themselves.
    pub updates: Vec<ChangedSetDocument<'a>>,
    /// The package sets that stay as they are.
    pub kept: Vec<ChangedSetDocument<'a>>,
    /// The package sets that are removed.
    pub removals: Vec<ChangedSetDocument<'a>>,
    /// The programs that are removed, by name.
    pub removed_tools: &'a [String],
    /// The bytes of the removals.
    pub removed_bytes: u64,
    /// The bytes of the package sets that the medium had before.
    pub earlier_bytes: u64,
    /// The warnings.
    pub warnings: &'a [String],
}

/// A package set of an export.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlannedSetDocument<'a> {
    /// The KB.
    pub kb: Kb,
    /// The name of its folder under the KB.
    #[schemars(extend("deprecated" = true))]
    pub folder: &'a str,
    /// The name of its folder under the KB.
    pub folder_name: &'a str,
    /// The products, as titles name them, in one text.
    #[schemars(extend("deprecated" = true))]
    pub products: &'a str,
    /// The products, as titles name them.
    pub product_list: Vec<&'a str>,
    /// The KBs with which it comes along; none if it was selected itself.
    pub needed_by: &'a BTreeSet<Kb>,
    /// The number of its files.
    #[schemars(extend("deprecated" = true))]
    pub files: usize,
    /// The number of its files.
    pub file_count: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Its change on the medium.
    pub change: Change,
    /// The bytes of the generation that it replaces.
    pub replaced_bytes: u64,
    /// `true` if the mirror has it; otherwise it comes from the medium itself.
    pub in_mirror: bool,
    /// `true` if it was selected, or comes along with a selected set; otherwise it stays because the medium has it.
    pub is_selected: bool,
}

/// A package set under its change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangedSetDocument<'a> {
    /// The KB.
    pub kb: Kb,
    /// The name of its folder under the KB.
    #[schemars(extend("deprecated" = true))]
    pub folder: &'a str,
    /// The name of its folder under the KB.
    pub folder_name: &'a str,
    /// The number of its files on the medium.
    #[schemars(extend("deprecated" = true))]
    pub files: usize,
    /// The number of its files on the medium.
    pub file_count: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes of the generation that it replaces.
    pub replaced_bytes: u64,
    /// `true` if the mirror has it; otherwise it comes from the medium itself.
    pub in_mirror: bool,
}

/// The change of a package set on the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The set is new on the medium.
    Add,
    /// The set replaces another generation of itself.
    Update,
    /// The set stays as it is.
    Keep,
}

/// The room that an export needs and finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Room {
    /// The bytes that are written, with the share that file systems need for themselves.
    pub needed: u64,
    /// The bytes that are free.
    pub free: u64,
    /// The bytes of files that become obsolete, and that could be removed first.
    pub obsolete: u64,
}

/// The thing with which a local folder shares its file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SharedFileSystem {
    /// The system itself: `/`.
    System,
    /// The mirror.
    Mirror,
    /// Unknown: this operating system does not number its file systems.
    Unknown,
}

/// The work of an export.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportedDocument<'a> {
    /// The path of the medium.
    #[schemars(extend("deprecated" = true), with = "String")]
    pub folder: &'a Utf8Path,
    /// The path of the medium.
    #[schemars(with = "String")]
    pub path: &'a Utf8Path,
    /// The place of the set in its lineage.
    pub seq: u64,
    /// The number of the set for people.
    pub number: u64,
    /// The digest of `set.json`, which names the set.
    pub set_id: Sha256,
    /// The number of package files that were written.
    pub written: u64,
    /// Their bytes.
    pub written_bytes: u64,
    /// The number of install scripts of the set.
    pub scripts: u64,
    /// The number of install scripts that were written.
    pub written_scripts: u64,
    /// The number of package files that were there and right.
    pub kept: u64,
    /// The number of files of an earlier set that were removed.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
    /// The number of files under `data/` that were read back.
    pub read_back: u64,
    /// Their bytes.
    pub read_back_bytes: u64,
    /// `true` if the medium itself is proven to have answered the read-back. No means of this program proves that, so that it
    /// is always false: the proof is a check after the medium was plugged in again.
    pub read_back_cold: bool,
    /// `true` if the system took the advice to drop the cached bytes of every file before it was read back. Caches below may
    /// remain.
    pub cache_dropped: bool,
    /// The thing with which the target shares its file system, if it is a local folder.
    pub local: Option<SharedFileSystem>,
    /// The root key.
    pub key: String,
    /// `true` if everything that was selected is on the medium.
    pub complete: bool,
}
