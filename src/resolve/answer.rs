//! The question and the answer, as values. Their JSON form is a promise.

use serde::Serialize;

use super::roles::Role;
use crate::servicing::Installation;
use crate::update::{Architecture, Build, Kb, Sha1, Sha256};

/// Where the packages are to be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// A running machine.
    Online,
    /// An offline `install.wim`.
    Image,
    /// `boot.wim`.
    Winpe,
    /// `winre.wim`.
    Winre,
    /// Nowhere yet: the complete set, whatever the baseline.
    Mirror,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The KB.
    pub kb: Kb,
    /// The architecture; needed where the KB has several.
    pub architecture: Option<Architecture>,
    /// A product by any of its names; needed where the KB has different sets.
    pub product: Option<String>,
    /// The build that the device or image is at; unknown is a fine answer.
    pub baseline: Option<Build>,
    /// Client or server, where the build alone does not tell.
    pub installation: Option<Installation>,
    /// Where to.
    pub place: Place,
    /// Whether features on demand or language packs are being added.
    pub features_on_demand: bool,
}

impl Request {
    /// The complete plan for a KB, on a running machine at an unknown build.
    pub fn new(kb: Kb) -> Self {
        Self {
            kb,
            architecture: None,
            product: None,
            baseline: None,
            installation: None,
            place: Place::Online,
            features_on_demand: false,
        }
    }
}

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Install the steps, in order.
    Install,
    /// The baseline has it already.
    NothingToDo,
    /// It is not for this baseline.
    NotApplicable,
    /// Microsoft pulled it as faulty; `successor` names the one to take.
    Withdrawn,
    /// It exists and no Catalog has it; `advice` names the way out.
    UnavailableOffline,
    /// Several sets match; `choices` names them.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// 1 is first; `None` where the order cannot be known.
    pub order: Option<usize>,
    /// What the file is.
    pub role: Role,
    /// The KB in its name.
    pub kb: Option<Kb>,
    /// Its name.
    pub name: String,
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
    pub needed_if: Option<String>,
    /// What the statement rests on.
    pub evidence: Vec<String>,
    /// Whether a restart must come before the next step.
    pub restart_after: bool,
}

/// One of several sets that match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What to pass as `--product`.
    pub product: String,
    /// What to pass as `--arch`.
    pub architecture: Option<Architecture>,
    /// The set's folder.
    pub folder: String,
}

/// Something that is not here and must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Its KB.
    pub kb: Option<Kb>,
    /// What it is.
    pub role: Role,
    /// Its file name.
    pub name: String,
}

/// The answer. The field names are a promise of the JSON output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The caller's own name of the request.
    pub id: Option<String>,
    /// The KB asked for.
    pub kb: Kb,
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
    /// The update to take instead.
    pub successor: Option<Kb>,
    /// What differs between sources, or is not known.
    pub warnings: Vec<String>,
    /// As of when the knowledge tables are.
    pub knowledge_date: String,
}
