//! The documents of `export`: the plan, the result, and the dry run (`--dry-run`).

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
    /// A line that states what was done and checked.
    pub evidence: String,
    /// A line with the state of the medium: what is proven, and what is not proven.
    pub claim: String,
}

/// The document of `export --dry-run`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportRehearsal<'a> {
    /// The plan.
    pub plan: ExportPlanDocument<'a>,
    /// Always null: nothing was written.
    pub exported: (),
    /// The space that the export needs and the space that is available.
    pub room: ExportSpace,
    /// The file system that the target shares with the system or the mirror, if the target is a local folder.
    pub local: Option<SharedFileSystem>,
    /// `true` if the export asks for confirmation before it removes package sets, or needs `--yes`.
    pub needs_yes: bool,
    /// The error with which the export would end; null without an error.
    pub obstacle: Option<ErrorBody>,
}

/// The plan of an export.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportPlanDocument<'a> {
    /// The package sets, by KB and folder.
    pub sets: Vec<PlannedSetDocument<'a>>,
    /// The selected items that are not in the mirror.
    pub missing: &'a [MissingItem],
    /// The items that were excluded on purpose.
    pub left_out: &'a [MissingItem],
    /// The number of package files on the medium. A file that several sets share counts in each set.
    #[schemars(extend("deprecated" = true))]
    pub files: usize,
    /// The number of package files on the medium. A file that several sets share counts in each set.
    pub file_count: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes of distinct files.
    pub different_bytes: u64,
    /// The package sets that are new on the medium.
    pub additions: Vec<ChangedSetDocument<'a>>,
    /// The package sets that replace another generation of the same set.
    pub updates: Vec<ChangedSetDocument<'a>>,
    /// The package sets that do not change.
    pub kept: Vec<ChangedSetDocument<'a>>,
    /// The package sets that are removed.
    pub removals: Vec<ChangedSetDocument<'a>>,
    /// The names of the programs that are removed.
    pub removed_tools: &'a [String],
    /// The bytes of the removals.
    pub removed_bytes: u64,
    /// The bytes of the package sets that the medium held before.
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
    /// The KBs that require this set. Empty if the set was selected itself.
    pub needed_by: &'a BTreeSet<Kb>,
    /// The number of its files.
    #[schemars(extend("deprecated" = true))]
    pub files: usize,
    /// The number of its files.
    pub file_count: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The change of the set on the medium.
    pub change: SetChange,
    /// The bytes of the generation that it replaces.
    pub replaced_bytes: u64,
    /// `true` if the mirror has the set; otherwise it comes from the medium itself.
    pub in_mirror: bool,
    /// `true` if the set was selected, or a selected set requires it; otherwise it stays because the medium has it.
    pub is_selected: bool,
}

/// A package set in the list of its change.
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
    /// `true` if the mirror has the set; otherwise it comes from the medium itself.
    pub in_mirror: bool,
}

/// The change of a package set on the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetChange {
    /// The set is new on the medium.
    Add,
    /// The set replaces another generation of the same set.
    Update,
    /// The set does not change.
    Keep,
}

/// The space that an export needs and the space that is available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExportSpace {
    /// The bytes that are written, with the overhead of the file system.
    pub needed: u64,
    /// The free bytes.
    pub free: u64,
    /// The bytes of files that become obsolete and could be removed first.
    pub obsolete: u64,
}

/// The part with which a local folder shares its file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SharedFileSystem {
    /// The system itself: `/`.
    System,
    /// The mirror.
    Mirror,
    /// Unknown, because this operating system does not number its file systems.
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
    /// The sequence number of the set in its lineage.
    pub seq: u64,
    /// The number of the set, for people.
    pub number: u64,
    /// The digest of `set.json`, which identifies the set.
    pub set_id: Sha256,
    /// The number of package files that were written.
    pub written: u64,
    /// Their bytes.
    pub written_bytes: u64,
    /// The number of install scripts of the set.
    pub scripts: u64,
    /// The number of install scripts that were written.
    pub written_scripts: u64,
    /// The number of package files that existed already and were verified.
    pub kept: u64,
    /// The number of files of an earlier set that were removed.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
    /// The number of files under `data/` that were read back.
    pub read_back: u64,
    /// Their bytes.
    pub read_back_bytes: u64,
    /// `true` if the read-back is proven to come from the medium itself and not from a cache. This program cannot
    /// prove that, so the value is always `false`. The proof is a check after the medium was plugged in again.
    pub read_back_cold: bool,
    /// `true` if the system accepted the advice to drop the cached bytes of every file before the read-back. Lower
    /// caches may remain.
    pub cache_dropped: bool,
    /// The file system that the target shares with the system or the mirror, if the target is a local folder.
    pub local: Option<SharedFileSystem>,
    /// The root key.
    pub key: String,
    /// `true` if everything that was selected is on the medium.
    pub complete: bool,
}
