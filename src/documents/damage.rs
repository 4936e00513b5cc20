//! The damage of a mirror as documents: the faults of published sets, and the report of a verification.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

use crate::update::Kb;

/// The kinds of damage. The values are part of the stable JSON output and of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The entry is missing.
    Missing,
    /// The size is wrong.
    Size,
    /// The digest is wrong.
    Digest,
    /// The entry could not be read in two attempts.
    Unreadable,
    /// The entry does not belong at this path.
    Foreign,
}

impl FindingKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Missing, Self::Size, Self::Digest, Self::Unreadable, Self::Foreign];

    /// Returns the name of the kind in tables and in the index.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Size => "size",
            Self::Digest => "digest",
            Self::Unreadable => "unreadable",
            Self::Foreign => "foreign",
        }
    }
}

/// A fault of a published set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct SetFault {
    /// The file or folder, relative to the mirror.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// The name of the package file in the set; null for the folder itself.
    pub name: Option<String>,
    /// The kind of damage.
    pub kind: FindingKind,
    /// The damage, for people.
    pub message: String,
    /// The time when the damage was recorded, RFC 3339; null if it was found now by names and sizes on the disk.
    pub found: Option<String>,
    /// The command that recorded the damage; null if it was found now.
    pub found_by: Option<String>,
}

/// A published set with faults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DamagedSet {
    /// The KB of the set.
    pub kb: Kb,
    /// The name of the set folder under the KB.
    #[schemars(extend("deprecated" = true))]
    pub folder: String,
    /// The name of the set folder under the KB.
    pub folder_name: String,
    /// `true` if the complete folder is missing.
    pub folder_missing: bool,
    /// The faults, sorted by path. At least one.
    pub faults: Vec<SetFault>,
}

/// A fault that a verification found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct VerifyFinding {
    /// The file or folder, relative to the mirror.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// The kind of damage.
    pub kind: FindingKind,
    /// The KBs for which the entry is published.
    pub kbs: Vec<Kb>,
    /// The damage, for people.
    pub message: String,
}

/// The report of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VerifyReport {
    /// The format of the report.
    pub format: u32,
    /// The time, RFC 3339.
    pub time: String,
    /// The requested KBs. An empty list means the complete mirror.
    pub asked: Vec<Kb>,
    /// `true` if both digests were compared.
    pub deep: bool,
    /// The number of pool files that were checked.
    #[schemars(extend("deprecated" = true))]
    pub files: usize,
    /// The number of pool files that were checked.
    pub file_count: usize,
    /// The bytes of these files.
    pub bytes: u64,
    /// The number of set folders that were checked.
    pub folders: usize,
    /// The number of KBs of these folders.
    pub kbs: usize,
    /// The findings.
    pub findings: Vec<VerifyFinding>,
    /// Observations that are not faults but may indicate a problem, such as a file that could be read only in a
    /// second attempt.
    pub warnings: Vec<String>,
    /// `true` if the findings are recorded in the index, so that no command uses the damaged files; null without
    /// findings.
    pub recorded: Option<bool>,
    /// The paths that were recorded as damaged before and are correct now.
    #[schemars(with = "Vec<String>")]
    pub healed: Vec<Utf8PathBuf>,
    /// The files of interrupted runs. The next run that writes removes or resumes them.
    #[schemars(with = "Vec<String>")]
    pub leftovers: Vec<Utf8PathBuf>,
    /// The files of a process that was writing during the verification.
    #[schemars(with = "Vec<String>")]
    pub in_use: Vec<Utf8PathBuf>,
}
