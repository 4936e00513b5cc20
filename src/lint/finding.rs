//! The findings of a folder.

use std::fmt;

use serde::Serialize;

use crate::update::Kb;

/// The type of a finding. The words and their order are a promise of the JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LintCode {
    /// The target builds upon a checkpoint that is not there, and the baseline is below it.
    MissingCheckpoint,
    /// There is nothing that could be the target, or not the one asked for.
    MissingTarget,
    /// The target needs a separate servicing stack, and none that serves is there.
    MissingServicingStack,
    /// The target needs another update, and it is not there.
    MissingPrerequisite,
    /// A package beside the target and its checkpoints, or a target that does not belong where it is to go.
    ForeignUpdate,
    /// Several updates may be the target.
    TwoTargets,
    /// For another architecture.
    WrongArchitecture,
    /// A cumulative update for servers in a client's set.
    ServerInClientSet,
    /// A checkpoint for a WinPE image that is past it.
    CheckpointPastImage,
    /// The file is not known.
    UnknownPackage,
    /// The same package again.
    Duplicate,
    /// The bytes are not what the name or the Catalog says.
    DigestMismatch,
    /// The length is not the known one, or the file ends before its container does.
    SizeMismatch,
    /// A file without a byte.
    Empty,
    /// The name is not the one that the Catalog has for the file.
    Misnamed,
    /// Something else than a package.
    NotAPackage,
    /// A folder in the folder: DISM looks into it.
    SubFolder,
}

impl LintCode {
    /// The word in JSON and in tables.
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

/// One thing that is wrong with a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct LintFinding {
    /// Its type.
    pub code: LintCode,
    /// The KB that it is about, where one is known.
    pub kb: Option<Kb>,
    /// The file or folder: as it lies there, or as it should.
    pub name: Option<String>,
    /// The meaning of it here, for people.
    pub message: String,
    /// The name that the Catalog has for the file, where the finding is its name.
    pub right_name: Option<String>,
}

impl LintFinding {
    /// Returns a finding about the file or folder of a name.
    pub(super) fn of_name(code: LintCode, kb: Option<Kb>, name: &str, message: impl Into<String>) -> Self {
        Self { code, kb, name: Some(name.to_owned()), message: message.into(), right_name: None }
    }
}
