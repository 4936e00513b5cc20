//! The answer, as a value. Its JSON form is a promise: fields are added, never changed.

use serde::Serialize;

use super::condition::Condition;
use super::fresh::Freshness;
use super::replaced::Replacement;
use super::sets::FamilyName;
use crate::facts::{Evidence, FileKey, Role, SetFolder};
use crate::update::{Architecture, Build, Kb, Sha1, Sha256};

/// How a request is answered.
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
    /// The word in JSON.
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

    /// Whether the answer is a plan; the others are findings (exit 10).
    pub fn is_plan(self) -> bool {
        matches!(self, Self::Install | Self::NothingToDo)
    }
}

/// One file to install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Step {
    /// 1 is first; `None` where the order cannot be known.
    pub order: Option<usize>,
    /// What the file is.
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
    /// Where it can be had.
    pub url: Option<String>,
    /// Whether the pool has it.
    pub present: bool,
    /// Why it is a step, as a sentence.
    pub because: String,
    /// When it is needed, where the baseline is not known.
    pub needed_if: Option<Condition>,
    /// What the statement rests on; sentences in JSON.
    pub evidence: Vec<Evidence>,
    /// Whether a restart must come before the next step.
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
    /// Where its bytes are in the mirror: the KB that it is published under, and the set's folder.
    #[serde(skip)]
    pub set: Option<(Kb, SetFolder)>,
}

/// One of several things that match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct Choice {
    /// What to ask for.
    pub kb: Option<Kb>,
    /// What to pass as `--product`.
    pub product: String,
    /// What to pass as `--arch`.
    pub architecture: Option<Architecture>,
    /// The set's folder.
    pub folder: String,
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

/// Why something is so: a conclusion, what it rests on, and the reasons below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Reason {
    /// The statement, as a sentence.
    pub conclusion: String,
    /// Who says so.
    pub evidence: Vec<String>,
    /// What it follows from.
    pub because: Vec<Self>,
}

impl Reason {
    /// A statement that needs no other.
    pub fn new(conclusion: impl Into<String>) -> Self {
        Self { conclusion: conclusion.into(), evidence: Vec::new(), because: Vec::new() }
    }

    /// With who says so.
    #[must_use]
    pub fn said_by(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// With what it follows from.
    #[must_use]
    pub fn because(mut self, reasons: impl IntoIterator<Item = Self>) -> Self {
        self.because.extend(reasons);
        self
    }
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
    /// What is needed and not at hand.
    pub missing: Vec<Missing>,
    /// What to choose from.
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
    /// What differs between sources, or is not known.
    pub warnings: Vec<String>,
    /// As of when the knowledge tables are.
    pub knowledge_date: String,
    /// Their version.
    pub knowledge_version: String,
    /// How fresh the facts are.
    #[serde(flatten)]
    pub fresh: Freshness,
    /// The newest known update that replaces the KB.
    pub replaced_by: Option<Replacement>,
    /// The families that the set serves.
    #[serde(skip)]
    pub serves: Vec<FamilyName>,
    /// What was judged on the way, in order.
    #[serde(skip)]
    pub reasons: Vec<Reason>,
    /// Whether nobody knows the KB at all: neither the index nor the knowledge.
    #[serde(skip)]
    pub unheard_of: bool,
}
