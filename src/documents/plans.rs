//! The documents of the commands that resolve: `why`, `graph`, `lint`, `script`, and `stage`. The document of
//! `resolve` is the [`Plan`] itself.

use camino::Utf8PathBuf;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use crate::lint::LintReport;
use crate::resolve::{Edge, Freshness, Node, Plan, Reason, Replacement, Status};
use crate::update::schema::DateText;
use crate::update::{Architecture, Build, Kb};

/// The document of `why`. Below the top level, every reason has its conclusion, its evidence, and the reasons that
/// it follows from.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WhyDocument<'a> {
    /// The KB.
    pub kb: Option<Kb>,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The requested baseline.
    pub baseline: Option<Build>,
    /// The status of the plan.
    pub status: Status,
    /// The conclusion, as a sentence.
    pub conclusion: &'a str,
    /// The sources of the conclusion.
    pub evidence: &'a [String],
    /// The reasons from which the conclusion follows.
    pub because: &'a [Reason],
    /// The date of the knowledge tables.
    pub knowledge_date: &'a str,
    /// The version of the knowledge tables.
    pub knowledge_version: &'a str,
    /// The age of the facts.
    #[serde(flatten)]
    pub fresh: &'a Freshness,
    /// The newest known update that replaces the KB.
    pub replaced_by: Option<&'a Replacement>,
}

impl<'a> WhyDocument<'a> {
    /// Returns the document of a plan and its reasons.
    pub fn of(plan: &'a Plan, reason: &'a Reason) -> Self {
        Self {
            kb: plan.kb,
            architecture: plan.architecture,
            baseline: plan.baseline,
            status: plan.status,
            conclusion: &reason.conclusion,
            evidence: &reason.evidence,
            because: &reason.because,
            knowledge_date: &plan.knowledge_date,
            knowledge_version: &plan.knowledge_version,
            fresh: &plan.freshness,
            replaced_by: plan.replaced_by.as_ref(),
        }
    }
}

/// The document of `graph`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GraphDocument<'a> {
    /// The files and the updates.
    pub nodes: Vec<&'a Node>,
    /// The edges between the nodes.
    pub edges: Vec<&'a Edge>,
    /// The date of the knowledge tables.
    #[schemars(with = "DateText")]
    pub knowledge_date: Date,
    /// The version of the knowledge tables.
    pub knowledge_version: &'a str,
}

/// The document of `lint`: the report, and the age of the facts on which it is based.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LintDocument<'a> {
    /// The report.
    #[serde(flatten)]
    pub report: &'a LintReport,
    /// The age of the facts.
    #[serde(flatten)]
    pub fresh: &'a Freshness,
}

/// The document of `script`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ScriptDocument<'a> {
    /// The KB; null for the script that collects the facts of a machine.
    pub kb: Option<Kb>,
    /// The path to which the script was written.
    #[schemars(with = "Option<String>")]
    pub path: Option<Utf8PathBuf>,
    /// The text of the script.
    pub script: &'a str,
    /// The day of the newest known release of the family.
    #[schemars(with = "Option<DateText>")]
    pub known_through: Option<Date>,
    /// The number of Patch Tuesdays after the newest known cumulative update.
    pub patch_tuesdays_since: Option<u32>,
    /// The newest known update that replaces the KB.
    pub replaced_by: Option<&'a Replacement>,
}

impl<'a> ScriptDocument<'a> {
    /// Returns the document of a script and its plan, if it has one.
    pub fn of(script: &'a str, plan: Option<&'a Plan>, path: Option<Utf8PathBuf>) -> Self {
        Self {
            kb: plan.and_then(|plan| plan.kb),
            path,
            script,
            known_through: plan.and_then(|plan| plan.freshness.known_through),
            patch_tuesdays_since: plan.and_then(|plan| plan.freshness.patch_tuesdays_since),
            replaced_by: plan.and_then(|plan| plan.replaced_by.as_ref()),
        }
    }
}

/// The document of `stage`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StageDocument<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The staged files.
    pub staged: &'a StagedDocument,
}

/// The files of a plan in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StagedDocument {
    /// The folder.
    #[schemars(with = "String", extend("deprecated" = true))]
    pub folder: Utf8PathBuf,
    /// The path of the folder.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// The files, relative to the folder.
    #[schemars(with = "Vec<String>", extend("deprecated" = true))]
    pub files: Vec<Utf8PathBuf>,
    /// The files.
    pub file_list: Vec<StagedFileDocument>,
    /// The bytes of all files.
    pub bytes: u64,
    /// The script beside the folder; null if no script can install the plan.
    #[schemars(with = "Option<String>")]
    pub script: Option<Utf8PathBuf>,
    /// The reason why no script can install the plan; null with a script.
    pub no_script: Option<String>,
    /// The folders that were checked in the same way as by `lint`.
    pub linted: Vec<LintedPart>,
}

/// A staged file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StagedFileDocument {
    /// The name.
    pub name: String,
    /// The path, relative to the folder.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
}

/// A staged folder that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LintedPart {
    /// The part; null if one folder holds all files.
    pub part: Option<String>,
    /// The checks, for people.
    pub checked: String,
    /// The properties that could not be compared, for people.
    pub unchecked: Vec<String>,
}
