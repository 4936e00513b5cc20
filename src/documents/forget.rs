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
    /// The files of the pool that no other set has; they are removed too.
    pub removed_files: Vec<ForgottenFile>,
    /// The files of the pool that stay, because other sets have them.
    pub kept_files: Vec<ForgottenFile>,
    /// The folder that the files were moved to, relative to the mirror; null if nothing was moved.
    #[schemars(with = "Option<String>")]
    pub trash: Option<Utf8PathBuf>,
    /// The KBs whose removal was taken back (`--undo`).
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
    /// The digest.
    pub sha256: Sha256,
    /// The bytes.
    pub size: u64,
    /// The KBs of other sets that have the file.
    pub kbs: Vec<Kb>,
}
