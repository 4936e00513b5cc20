//! The answer, as a value. Its JSON form is a promise: fields are added, never changed.

use serde::Serialize;

use super::condition::Condition;
use super::freshness::Freshness;
use super::judgement::Judgement;
use super::sets::{FamilyName, PackageSet};
use crate::facts::{Evidence, FileKey, Role, SetFolder};
use crate::servicing::Family;
use crate::update::{Architecture, Build, Kb, Sha1, Sha256};

/// The kind of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Install the steps, in order.
    Install,
    /// The baseline has it already.
    NothingToDo,
    /// It is not for this baseline.
    NotApplicable,
    /// Something has to be there first that is not; `missing` says what.
    NeedsPrerequisite,
    /// Microsoft pulled it as faulty; `successor` names the one to take.
    Withdrawn,
    /// It exists and no Catalog has it; `advice` names the way out.
    UnavailableOffline,
    /// Several things match; `choices` names them.
    Ambiguous,
    /// Something about the baseline or the KB is not known.
    Unknown,
}

impl Status {
    /// Returns the word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::NothingToDo => "nothing_to_do",
            Self::NotApplicable => "not_applicable",
            Self::NeedsPrerequisite => "needs_prerequisite",
            Self::Withdrawn => "withdrawn",
            Self::UnavailableOffline => "unavailable_offline",
            Self::Ambiguous => "ambiguous",
            Self::Unknown => "unknown",
        }
    }

    /// Returns `true` if the answer is a plan; the others are findings (exit 10).
    pub fn is_plan(self) -> bool {
        matches!(self, Self::Install | Self::NothingToDo)
    }
}

/// One file to install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Step {
    /// 1 is first; `None` where the order cannot be known.
    pub order: Option<usize>,
    /// The role of the file.
    pub role: Role,
    /// The KB that it is of.
    pub kb: Option<Kb>,
    /// Its name, where one is known.
    pub name: Option<String>,
    /// Its SHA-1.
    pub sha1: Option<Sha1>,
    /// Its SHA-256.
    pub sha256: Option<Sha256>,
    /// Its bytes.
    pub size: Option<u64>,
    /// Its address.
    pub url: Option<String>,
    /// `true` if the pool has it.
    pub present: bool,
    /// The reason for the step, as a sentence.
    pub because: String,
    /// The machines that need it, where the baseline is not known.
    pub needed_if: Option<Condition>,
    /// The sources of the reason; sentences in JSON.
    pub evidence: Vec<Evidence>,
    /// `true` if a restart must come before the next step.
    pub restart_after: bool,
    /// The file's key in the index.
    #[serde(skip)]
    pub file: Option<FileKey>,
    /// The architecture of the file, where it is known.
    #[serde(skip)]
    pub architecture: Option<Architecture>,
    /// The build that it brings, in the numbering of its family.
    #[serde(skip)]
    pub brings: Option<Build>,
    /// A machine at its revision does without the step.
    #[serde(skip)]
    pub needed_below: Option<Build>,
    /// The place of its bytes in the mirror: the KB that it is published under, and the set's folder.
    #[serde(skip)]
    pub set: Option<(Kb, SetFolder)>,
}

/// One of several things that match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct Choice {
    /// The KB to ask for.
    pub kb: Option<Kb>,
    /// The value for `--product`.
    pub product: String,
    /// The value for `--arch`.
    pub architecture: Option<Architecture>,
    /// The set's folder.
    pub folder: String,
}

impl Choice {
    /// Returns the choice of a package set.
    pub(super) fn of_set(set: &PackageSet) -> Self {
        Self {
            kb: Some(set.kb),
            product: set.products.first().cloned().unwrap_or_else(|| set.folder.to_string()),
            architecture: set.architecture,
            folder: set.folder.to_string(),
        }
    }

    /// Returns the choice of a family, and of a KB for it where one is known.
    pub(super) fn of_family(family: &Family, kb: Option<Kb>) -> Self {
        Self { kb, product: family.name.clone(), architecture: None, folder: family.folder.clone() }
    }
}

/// Something that is not here and must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Missing {
    /// Its KB.
    pub kb: Option<Kb>,
    /// Its type.
    pub role: Role,
    /// Its file name, where one is known.
    pub name: Option<String>,
}

/// The newest update that replaces another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Replacement {
    /// Its KB.
    pub kb: Kb,
    /// `true` if the mirror has all of its files.
    pub present: bool,
    /// The statement that it rests on.
    pub evidence: String,
}

/// The answer. The field names are a promise of the JSON output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Plan {
    /// The caller's own name of the request.
    pub id: Option<serde_json::Value>,
    /// The KB asked for, or found for a goal.
    pub kb: Option<Kb>,
    /// The architecture of the answer.
    pub architecture: Option<Architecture>,
    /// The products of the set, as titles name them.
    pub product: Option<String>,
    /// The family's folder word, `windows-11-24h2`.
    pub family: Option<String>,
    /// The baseline asked for.
    pub baseline: Option<Build>,
    /// The kind of answer.
    pub status: Status,
    /// The files, in order.
    pub steps: Vec<Step>,
    /// The files that are needed and not at hand.
    pub missing: Vec<Missing>,
    /// The things to choose from.
    pub choices: Vec<Choice>,
    /// The way out of a refusal, or what to mind.
    pub advice: Option<String>,
    /// The bytes of all steps.
    pub total_bytes: Option<u64>,
    /// The bytes of those that the pool does not have.
    pub missing_bytes: Option<u64>,
    /// The build after the last step.
    pub expected_build: Option<Build>,
    /// The update to take instead, or the one that replaces it.
    pub successor: Option<Kb>,
    /// Differences between sources, and gaps.
    pub warnings: Vec<String>,
    /// The date of the knowledge tables.
    pub knowledge_date: String,
    /// Their version.
    pub knowledge_version: String,
    /// The age of the facts.
    #[serde(flatten)]
    pub fresh: Freshness,
    /// The newest known update that replaces the KB.
    pub replaced_by: Option<Replacement>,
    /// The families that the set serves.
    #[serde(skip)]
    pub serves: Vec<FamilyName>,
    /// The judgements on the way, in order.
    #[serde(skip)]
    pub judgements: Vec<Judgement>,
    /// Neither the index nor the knowledge has the KB.
    #[serde(skip)]
    pub unheard_of: bool,
}
