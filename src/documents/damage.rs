//! Damage of the mirror as documents: the faults of published sets, and the report of a verification.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

use crate::update::Kb;

/// The kinds of damage. The words are a promise of the JSON output and of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// It should be there.
    Missing,
    /// It has another number of bytes than it should.
    Size,
    /// It has other bytes than it should.
    Digest,
    /// It could not be read, twice.
    Unreadable,
    /// It should not be there, or is not what belongs there.
    Foreign,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Missing, Self::Size, Self::Digest, Self::Unreadable, Self::Foreign];

    /// Returns the word in tables and in the index.
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
    /// The package file's name in the set; `None` where it is the folder.
    pub name: Option<String>,
    /// The kind of damage.
    pub kind: FindingKind,
    /// The same for people.
    pub message: String,
    /// The time when it was recorded, RFC 3339; `None` when names and sizes on the disk show it now.
    pub found: Option<String>,
    /// The command that recorded it; `None` as above.
    pub found_by: Option<String>,
}

/// A published set with faults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DamagedSet {
    /// Its KB.
    pub kb: Kb,
    /// Its folder under the KB.
    #[schemars(extend("deprecated" = true))]
    pub folder: String,
    /// The name of its folder under the KB.
    pub folder_name: String,
    /// `true` if the whole folder is missing.
    pub folder_missing: bool,
    /// The faults, by path; at least one.
    pub faults: Vec<SetFault>,
}

/// Something that a verification found wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct VerifyFinding {
    /// The file or folder, relative to the mirror.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// The kind of damage.
    pub kind: FindingKind,
    /// The KBs that it is published for.
    pub kbs: Vec<Kb>,
    /// The same for people.
    pub message: String,
}

/// The report of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VerifyReport {
    /// The format of the report.
    pub format: u32,
    /// The time, RFC 3339.
    pub time: String,
    /// The KBs that were asked for; none is the whole mirror.
    pub asked: Vec<Kb>,
    /// `true` if both digests were compared.
    pub deep: bool,
    /// The number of files of the pool that were looked at.
    #[schemars(extend("deprecated" = true))]
    pub files: usize,
    /// The number of files of the pool that were looked at.
    pub file_count: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The number of set folders that were looked at.
    pub folders: usize,
    /// The number of KBs that these belong to.
    pub kbs: usize,
    /// The findings.
    pub findings: Vec<VerifyFinding>,
    /// Observations that were right in the end and are still not a good sign.
    pub warnings: Vec<String>,
    /// `true` if the findings are in the index, so that no command hands the files out; null without findings.
    pub recorded: Option<bool>,
    /// The paths that were recorded as damaged before and are sound now.
    #[schemars(with = "Vec<String>")]
    pub healed: Vec<Utf8PathBuf>,
    /// The leftovers of interrupted runs; the next run that writes takes care of them.
    #[schemars(with = "Vec<String>")]
    pub leftovers: Vec<Utf8PathBuf>,
    /// The files of a process that was writing meanwhile.
    #[schemars(with = "Vec<String>")]
    pub in_use: Vec<Utf8PathBuf>,
}
