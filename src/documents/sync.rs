//! The report of a scheduled run, and the news that it brings.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{ErrorBody, FailedItem};
use super::health::Expected;
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
    /// The time of the beginning.
    #[schemars(with = "TimeText")]
    pub started: Time,
    /// The time of the end.
    #[schemars(with = "TimeText")]
    pub finished: Time,
    /// The day that the run took for today.
    #[schemars(with = "DateText")]
    pub today: Date,
    /// `true` if nothing was downloaded or published.
    pub dry_run: bool,
    /// The exit code.
    pub exit_code: u8,
    /// The queries to the Catalog.
    pub searches: &'a [Searched],
    /// The updates that the Catalog shows for the profiles.
    pub found: Vec<FoundForProfile<'a>>,
    /// The package sets.
    pub sets: Vec<SyncedSet<'a>>,
    /// The number of sets that were published.
    pub published: usize,
    /// The number of sets that were published before.
    pub unchanged: usize,
    /// The downloads of the plan.
    pub planned: PlannedDownload,
    /// The items that failed, by kind.
    #[schemars(extend("deprecated" = true))]
    pub failures: BTreeMap<&'static str, Vec<HintedItem<'a>>>,
    /// The items that failed.
    pub failure_list: Vec<FailedItem>,
    /// The updates that the profiles expect and the Catalog does not show.
    pub expected: &'a [Expected],
    /// The sets outside of the window, which are kept.
    pub outside: &'a [Outside],
    /// The KBs that are published here and that Microsoft withdrew.
    pub withdrawn: &'a [Kb],
    /// The KBs that are published here and that the Catalog does not show.
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
    /// The time of the beginning.
    #[schemars(with = "TimeText")]
    pub started: Time,
    /// The time of the end.
    #[schemars(with = "TimeText")]
    pub finished: Time,
    /// The exit code.
    pub exit_code: u8,
    /// The error.
    pub error: ErrorBody,
}

/// An update that the Catalog shows for a profile.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundForProfile<'a> {
    /// The profile.
    pub profile: &'a str,
    /// The KB.
    pub kb: Kb,
    /// The kind.
    pub kind: Kind,
    /// The month of its title.
    pub month: Month,
    /// The day of its release, as far as it is known.
    #[schemars(with = "DateText")]
    pub date: Date,
    /// The kind of release: `security`, `oob`, or `preview`.
    pub release: &'static str,
    /// The architectures that the Catalog shows.
    pub architectures: &'a BTreeSet<Architecture>,
    /// `true` if the run fetches it.
    pub wanted: bool,
    /// The reason for which it is not fetched.
    pub because: Option<Unwanted>,
}

/// A package set of a scheduled run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SyncedSet<'a> {
    /// The KB.
    pub kb: Kb,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// The word of the family with which the folder begins.
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
    /// The KBs with which it comes along; none if it was asked for itself.
    pub needed_by: &'a BTreeSet<Kb>,
    /// The reason for which it failed.
    pub error: Option<&'a str>,
}

/// The downloads of a plan.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlannedDownload {
    /// The number of files.
    #[schemars(extend("deprecated" = true))]
    pub files: usize,
    /// The number of files.
    pub file_count: usize,
    /// The bytes; null where a size is unknown.
    pub bytes: Option<u64>,
    /// The most bytes that it can be; null where the Catalog states no limit.
    pub bytes_at_most: Option<u64>,
}

/// A failed item with its next steps.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HintedItem<'a> {
    /// The KB, the update, or the file.
    pub what: &'a str,
    /// The message with its causes.
    pub message: &'a str,
    /// The next steps.
    pub hints: &'a [String],
}

/// The reason for which a candidate is not fetched. The words are a promise of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unwanted {
    /// The policy leaves such releases out.
    Policy,
    /// It is not there yet for an architecture of the profile.
    Architecture,
    /// It was published after the day that the run takes for today.
    Later,
    /// Microsoft withdrew it.
    Withdrawn,
    /// It was removed from this mirror on purpose.
    Removed,
}

/// A question to the Catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Searched {
    /// For which profile.
    pub profile: String,
    /// The words.
    pub query: String,
    /// The number of rows; null if the search failed.
    pub rows: Option<usize>,
    /// `true` if these are all.
    pub complete: bool,
}

/// A published set that no profile would fetch any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outside {
    /// The KB.
    pub kb: Kb,
    /// Its folder, relative to the mirror.
    pub folder: String,
    /// Its month.
    pub month: Month,
}

/// A set that was published anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewsItem {
    /// The KB.
    pub kb: Kb,
    /// The month of its title.
    pub month: Option<Month>,
    /// The products, as titles name them.
    #[schemars(extend("deprecated" = true))]
    pub products: Vec<String>,
    /// The products, as titles name them, absent in older files.
    #[serde(default)]
    pub product_list: Vec<String>,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// Its path, relative to the mirror.
    pub folder: String,
    /// The bytes of its files.
    pub size: Option<u64>,
    /// The KBs that its details page says it replaces.
    pub replaces: Vec<Kb>,
    /// The KBs with which it came along.
    pub needed_by: BTreeSet<Kb>,
}

/// The news of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct News {
    /// The format of the file.
    pub format: u32,
    /// The time of the run, RFC 3339.
    pub time: String,
    /// KBs that were not here before.
    pub new: Vec<NewsItem>,
    /// KBs that were here with other files.
    pub reissued: Vec<NewsItem>,
    /// KBs that are here and that are known as withdrawn since then.
    pub withdrawn: Vec<Kb>,
    /// KBs that are here and that the Catalog shows no more since then.
    pub unlisted: Vec<Kb>,
    /// The items that failed.
    pub failed: Vec<String>,
}
