//! The answer, as a value. Its JSON form is stable: fields are added, never changed.

use serde::Serialize;

use super::condition::Condition;
use super::freshness::Freshness;
use super::judgement::Judgement;
use super::package_set::{FamilyName, PackageSet};
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
    /// The machine has the update already.
    NothingToDo,
    /// The update is not for this machine.
    NotApplicable,
    /// Something else must be installed or available first; `missing` lists it.
    NeedsPrerequisite,
    /// Microsoft withdrew the update as faulty; `successor` names the replacement.
    Withdrawn,
    /// The update exists, but the Catalog does not have it; `advice` names the way out.
    UnavailableOffline,
    /// Several sets or updates match; `choices` lists them.
    Ambiguous,
    /// A fact about the machine or the KB is unknown.
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

    /// Returns `true` if the answer is a plan. The other answers are findings (exit code 10).
    pub fn is_plan(self) -> bool {
        matches!(self, Self::Install | Self::NothingToDo)
    }
}

/// A file to install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Step {
    /// The position, from 1; `None` if the order is unknown.
    pub order: Option<usize>,
    /// The role of the file.
    pub role: Role,
    /// The KB of the file.
    pub kb: Option<Kb>,
    /// The file name, if it is known.
    pub name: Option<String>,
    /// The SHA-1.
    pub sha1: Option<Sha1>,
    /// The SHA-256.
    pub sha256: Option<Sha256>,
    /// The size in bytes.
    pub size: Option<u64>,
    /// The URL.
    pub url: Option<String>,
    /// `true` if the pool has the file.
    pub present: bool,
    /// The reason for the step, as a sentence.
    pub because: String,
    /// The machines that need the file, if the baseline is unknown.
    pub needed_if: Option<Condition>,
    /// The sources of the reason; sentences in JSON.
    pub evidence: Vec<Evidence>,
    /// `true` if a restart must come before the next step.
    pub restart_after: bool,
    /// The file's key in the index.
    #[serde(skip)]
    pub file: Option<FileKey>,
    /// The architecture of the file, if it is known.
    #[serde(skip)]
    pub architecture: Option<Architecture>,
    /// The build that the file brings, in the numbering of its family.
    #[serde(skip)]
    pub brings: Option<Build>,
    /// `true` if the position in the order is known.
    #[serde(skip)]
    pub is_ordered: bool,
    /// The build from whose revision on a machine does not need the step.
    #[serde(skip)]
    pub needed_below: Option<Build>,
    /// The location of the content in the mirror: the KB that it is published under, and the set's folder.
    #[serde(skip)]
    pub set: Option<(Kb, SetFolder)>,
}

/// A choice between several matching sets or updates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct Choice {
    /// The KB to request.
    pub kb: Option<Kb>,
    /// The value for `--product`.
    pub product: String,
    /// The value for `--arch`.
    pub architecture: Option<Architecture>,
    /// The set's folder.
    pub folder: String,
    /// The value for `--generation`, if the KB has several issues.
    pub generation: Option<usize>,
}

impl Choice {
    /// Returns the choice of a package set.
    pub(super) fn of_set(set: &PackageSet) -> Self {
        Self {
            kb: Some(set.kb),
            product: set.products.first().cloned().unwrap_or_else(|| set.folder.to_string()),
            architecture: set.architecture,
            folder: set.folder.to_string(),
            generation: set.generation.map(|own| own.number),
        }
    }

    /// Returns the options that select it, for a plan with or without a KB of its own.
    pub(crate) fn options(&self, plan_kb: Option<Kb>) -> String {
        let kb = self.kb.filter(|_| plan_kb.is_none()).map(|kb| kb.to_string());
        let architecture = self.architecture.map(|architecture| format!("--arch {architecture}"));
        let product = format!("--product {:?}", self.product);
        let generation = self.generation.map(|number| format!("--generation {number}"));
        let all = [kb, architecture, Some(product), generation];
        all.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Returns the choice of a family, with the KB for it if one is known.
    pub(super) fn of_family(family: &Family, kb: Option<Kb>) -> Self {
        Self {
            kb,
            product: family.name.clone(),
            architecture: None,
            folder: family.folder.clone(),
            generation: None,
        }
    }
}

/// A package that is missing and required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct MissingPackage {
    /// The KB.
    pub kb: Option<Kb>,
    /// The role.
    pub role: Role,
    /// The file name, if it is known.
    pub name: Option<String>,
}

/// The newest update that replaces another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Replacement {
    /// The KB.
    pub kb: Kb,
    /// `true` if the mirror has all files of the update.
    pub present: bool,
    /// The evidence for the replacement.
    pub evidence: String,
}

/// The answer. The field names are part of the JSON output and do not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Plan {
    /// The caller's own name of the request.
    pub id: Option<serde_json::Value>,
    /// The requested KB, or the KB that was found for a goal.
    pub kb: Option<Kb>,
    /// The architecture of the answer.
    pub architecture: Option<Architecture>,
    /// The products of the set, as titles name them.
    pub product: Option<String>,
    /// The family's folder word, `windows-11-24h2`.
    pub family: Option<String>,
    /// The requested baseline.
    pub baseline: Option<Build>,
    /// The kind of answer.
    pub status: Status,
    /// The files, in order.
    pub steps: Vec<Step>,
    /// The files that are required and not available.
    pub missing: Vec<MissingPackage>,
    /// The matching sets or updates to choose from.
    pub choices: Vec<Choice>,
    /// The way out of a refusal, or a note for a plan.
    pub advice: Option<String>,
    /// The bytes of all steps.
    pub total_bytes: Option<u64>,
    /// The bytes of the files that the pool does not have.
    pub missing_bytes: Option<u64>,
    /// The build after the last step.
    pub expected_build: Option<Build>,
    /// The update to install instead, or the one that replaces the KB.
    pub successor: Option<Kb>,
    /// The differences between sources, and the unknown facts.
    pub warnings: Vec<String>,
    /// The date of the knowledge tables.
    pub knowledge_date: String,
    /// The version of the knowledge tables.
    pub knowledge_version: String,
    /// The age of the facts.
    #[serde(flatten)]
    pub freshness: Freshness,
    /// The newest known update that replaces the KB.
    pub replaced_by: Option<Replacement>,
    /// The needs of an image or of media beside the packages. A plan for media has them as its advice, other plans as
    /// warnings.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// The families that the set serves.
    #[serde(skip)]
    pub serves: Vec<FamilyName>,
    /// The judgements that led to the answer, in order.
    #[serde(skip)]
    pub judgements: Vec<Judgement>,
    /// `true` if neither the index nor the knowledge has the KB.
    #[serde(skip)]
    pub is_unknown_kb: bool,
}
