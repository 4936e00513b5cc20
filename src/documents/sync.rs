//! The report of a scheduled run, and the news of the run.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{ErrorBody, FailedItem};
use super::health::ExpectedUpdate;
use super::set::SetStatus;
use crate::clock::Time;
use crate::update::schema::{DateText, TimeText};
use crate::update::{Architecture, Kb, Kind, Month};

/// The report of a scheduled run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SyncDocument<'a> {
    /// The format of the report.
    pub format: u32,
    /// The command: `sync`.
    pub command: &'static str,
    /// The start time.
    #[schemars(with = "TimeText")]
    pub started: Time,
    /// The end time.
    #[schemars(with = "TimeText")]
    pub finished: Time,
    /// The date that the run used as today.
    #[schemars(with = "DateText")]
    pub today: Date,
    /// `true` if nothing was downloaded or published.
    pub dry_run: bool,
    /// The exit code.
    pub exit_code: u8,
    /// The queries to the Catalog.
    pub searches: &'a [QueryRecord],
    /// The updates that the Catalog lists for the profiles.
    pub found: Vec<ProfileCandidate<'a>>,
    /// The package sets.
    pub sets: Vec<SyncedSet<'a>>,
    /// The number of sets that were published.
    pub published: usize,
    /// The number of sets that were published before.
    pub unchanged: usize,
    /// The planned downloads.
    pub planned: PlannedDownload,
    /// The items that failed, by kind.
    #[schemars(extend("deprecated" = true))]
    pub failures: BTreeMap<&'static str, Vec<FailureHints<'a>>>,
    /// The items that failed.
    pub failure_list: Vec<FailedItem>,
    /// The updates that the profiles expect and the Catalog does not list.
    pub expected: &'a [ExpectedUpdate],
    /// The sets outside of the window, which are kept.
    pub outside: &'a [OutsideSet],
    /// The published KBs that Microsoft has withdrawn.
    pub withdrawn: &'a [Kb],
    /// The published KBs that the Catalog does not list.
    pub unlisted: &'a [Kb],
    /// The news.
    pub news: &'a News,
    /// The number of requests.
    pub requests: u64,
    /// The bytes of package files that were downloaded.
    pub bytes_downloaded: u64,
    /// The warnings.
    pub warnings: Vec<&'a str>,
}

/// The report of a scheduled run that ended with an error.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SyncErrorDocument {
    /// The format of the report.
    pub format: u32,
    /// The command: `sync`.
    pub command: &'static str,
    /// The start time.
    #[schemars(with = "TimeText")]
    pub started: Time,
    /// The end time.
    #[schemars(with = "TimeText")]
    pub finished: Time,
    /// The exit code.
    pub exit_code: u8,
    /// The error.
    pub error: ErrorBody,
}

/// An update that the Catalog lists for a profile.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProfileCandidate<'a> {
    /// The profile.
    pub profile: &'a str,
    /// The KB.
    pub kb: Kb,
    /// The kind.
    pub kind: Kind,
    /// The month of its title.
    pub month: Month,
    /// The release date, as far as it is known.
    #[schemars(with = "DateText")]
    pub date: Date,
    /// The kind of release: `security`, `oob`, or `preview`.
    pub release: &'static str,
    /// The architectures that the Catalog lists.
    pub architectures: &'a BTreeSet<Architecture>,
    /// `true` if the run fetches it.
    pub wanted: bool,
    /// The reason why it is not fetched.
    pub because: Option<SkipReason>,
}

/// A package set of a scheduled run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SyncedSet<'a> {
    /// The KB.
    pub kb: Kb,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The folder name of the family, with which the set folder begins.
    pub family: Option<&'a str>,
    /// The folder, relative to the mirror.
    pub folder: String,
    /// The state of the set.
    pub status: SetStatus,
    /// The number of files.
    #[schemars(extend("deprecated" = true))]
    pub files: usize,
    /// The number of files.
    pub file_count: usize,
    /// The bytes of all files.
    pub size: Option<u64>,
    /// The KBs that require this set. Empty if the set was requested itself.
    pub needed_by: &'a BTreeSet<Kb>,
    /// The reason of the failure.
    pub error: Option<&'a str>,
}

/// The planned downloads of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlannedDownload {
    /// The number of files.
    #[schemars(extend("deprecated" = true))]
    pub files: usize,
    /// The number of files.
    pub file_count: usize,
    /// The bytes; null if a size is unknown or several sets share a file.
    pub bytes: Option<u64>,
    /// An upper bound of the bytes: a file that several sets share counts for each set. Null if a size is unknown.
    pub bytes_at_most: Option<u64>,
}

/// A failed item with its next steps.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FailureHints<'a> {
    /// The KB, the update, or the file.
    pub what: &'a str,
    /// The message with its causes.
    pub message: &'a str,
    /// The next steps.
    pub hints: &'a [String],
}

/// The reason why a candidate is not fetched. The values are part of the stable report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The policy excludes this kind of release.
    Policy,
    /// The update is missing for an architecture of the profile.
    Architecture,
    /// The update was published after the date that the run used as today.
    Later,
    /// Microsoft withdrew it.
    Withdrawn,
    /// The KB was removed from this mirror on purpose.
    Removed,
}

/// A query to the Catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QueryRecord {
    /// The profile of the query.
    pub profile: String,
    /// The words of the query.
    pub query: String,
    /// The number of rows; null if the search failed.
    pub rows: Option<usize>,
    /// `true` if the results are complete.
    pub complete: bool,
}

/// A published set that no profile would fetch any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutsideSet {
    /// The KB.
    pub kb: Kb,
    /// The folder of the set, relative to the mirror.
    pub folder: String,
    /// The month of its title.
    pub month: Month,
}

/// A set that was published in this run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewsItem {
    /// The KB.
    pub kb: Kb,
    /// The month of its title.
    pub month: Option<Month>,
    /// The products, as titles name them.
    #[schemars(extend("deprecated" = true))]
    pub products: Vec<String>,
    /// The products, as titles name them; absent in older files.
    #[serde(default)]
    pub product_list: Vec<String>,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The folder of the set, relative to the mirror.
    pub folder: String,
    /// The bytes of its files.
    pub size: Option<u64>,
    /// The KBs that this one replaces, by its details page.
    pub replaces: Vec<Kb>,
    /// The KBs that require this set.
    pub needed_by: BTreeSet<Kb>,
}

/// The news of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct News {
    /// The format of the file.
    pub format: u32,
    /// The time of the run, RFC 3339.
    pub time: String,
    /// The KBs that are new in the mirror.
    pub new: Vec<NewsItem>,
    /// The KBs whose files were replaced.
    pub reissued: Vec<NewsItem>,
    /// The KBs in the mirror whose withdrawal became known in this run.
    pub withdrawn: Vec<Kb>,
    /// The KBs in the mirror that the Catalog does not list any more since this run.
    pub unlisted: Vec<Kb>,
    /// The items that failed.
    pub failed: Vec<String>,
}
