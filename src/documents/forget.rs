//! The document of `forget`.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

use crate::update::{Architecture, Kb, Sha256};

/// The document of `forget`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ForgetDocument {
    /// `true` if nothing was changed.
    pub dry_run: bool,
    /// The package sets that are removed.
    pub sets: Vec<ForgottenSet>,
    /// The pool files that no other set uses. They are removed too.
    pub removed_files: Vec<ForgottenFile>,
    /// The pool files that stay, because other sets use them.
    pub kept_files: Vec<ForgottenFile>,
    /// The folder to which the files were moved, relative to the mirror; null if nothing was moved.
    #[schemars(with = "Option<String>")]
    pub trash: Option<Utf8PathBuf>,
    /// The KBs whose removal was undone (`--undo`).
    pub undone: Vec<Kb>,
}

/// A package set that is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ForgottenSet {
    /// The KB.
    pub kb: Kb,
    /// The name of the folder under the KB.
    pub folder_name: String,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The number of files.
    pub file_count: usize,
}

/// A file of a set that is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ForgottenFile {
    /// The name.
    pub name: String,
    /// The SHA-256 digest.
    pub sha256: Sha256,
    /// The size in bytes.
    pub size: u64,
    /// The KBs of other sets that use the file.
    pub kbs: Vec<Kb>,
}
