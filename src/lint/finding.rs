//! The findings of a folder.

use std::fmt;

use serde::Serialize;

use crate::update::Kb;

/// The type of a finding. The words and their order are part of the JSON output and do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LintCode {
    /// The target builds upon a checkpoint that is missing, and the baseline is below the checkpoint.
    MissingCheckpoint,
    /// The folder has no possible target, or not the requested one.
    MissingTarget,
    /// The target needs a separate servicing stack, and the folder has none that is sufficient.
    MissingServicingStack,
    /// The target needs another update, and that update is missing.
    MissingPrerequisite,
    /// A package beside the target that is not needed, or a target that does not belong in its destination.
    ForeignUpdate,
    /// Several updates are possible targets.
    TwoTargets,
    /// A package for another architecture.
    WrongArchitecture,
    /// A cumulative update for servers in a client's set.
    ServerInClientSet,
    /// A checkpoint for a WinPE image that is past it.
    CheckpointPastImage,
    /// An unknown file.
    UnknownPackage,
    /// A copy of another package in the folder.
    Duplicate,
    /// The content contradicts the name or the Catalog.
    DigestMismatch,
    /// The length differs from the known one, or the file ends before its container does.
    SizeMismatch,
    /// An empty file.
    Empty,
    /// The name differs from the Catalog's name for the file.
    Misnamed,
    /// A file that is not a package.
    NotAPackage,
    /// A sub-folder. DISM scans it too.
    SubFolder,
}

impl LintCode {
    /// Returns the word in JSON and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingCheckpoint => "missing_checkpoint",
            Self::MissingTarget => "missing_target",
            Self::MissingServicingStack => "missing_servicing_stack",
            Self::MissingPrerequisite => "missing_prerequisite",
            Self::ForeignUpdate => "foreign_update",
            Self::TwoTargets => "two_targets",
            Self::WrongArchitecture => "wrong_architecture",
            Self::ServerInClientSet => "server_in_client_set",
            Self::CheckpointPastImage => "checkpoint_past_image",
            Self::UnknownPackage => "unknown_package",
            Self::Duplicate => "duplicate",
            Self::DigestMismatch => "digest_mismatch",
            Self::SizeMismatch => "size_mismatch",
            Self::Empty => "empty",
            Self::Misnamed => "misnamed",
            Self::NotAPackage => "not_a_package",
            Self::SubFolder => "sub_folder",
        }
    }
}

impl fmt::Display for LintCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A fault of a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct LintFinding {
    /// The type.
    pub code: LintCode,
    /// The KB that the finding is about, if it is known.
    pub kb: Option<Kb>,
    /// The file or folder: its actual name, or the name of the missing file.
    pub name: Option<String>,
    /// The explanation, for display.
    pub message: String,
    /// The Catalog's name for the file, if the finding is about the name.
    pub right_name: Option<String>,
}

impl LintFinding {
    /// Returns a finding about the file or folder of this name.
    pub(super) fn of_name(code: LintCode, kb: Option<Kb>, name: &str, message: impl Into<String>) -> Self {
        Self { code, kb, name: Some(name.to_owned()), message: message.into(), right_name: None }
    }
}
