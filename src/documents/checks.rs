//! The document of `status`: the checks of a mirror with their numbers.

use camino::Utf8PathBuf;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::damage::DamagedSet;
use super::health::Health;
use crate::servicing::Servicing;
use crate::update::schema::DateText;
use crate::update::{Month, Sha256};

/// The document of `status`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusDocument<'a> {
    /// The folder of the mirror.
    #[schemars(with = "String")]
    pub mirror: Utf8PathBuf,
    /// `true` if no check reports a problem.
    pub current: bool,
    /// The reasons of the reported problems.
    pub complaints: Vec<&'a str>,
    /// The checks.
    pub checks: &'a Checks,
    /// The way in which the mirror gets its content.
    pub filled: ContentRoute,
    /// The number of published package sets.
    pub sets: usize,
    /// The number of published KBs.
    pub kbs: usize,
    /// The bytes of the pool.
    pub pool_bytes: u64,
    /// The free bytes of the disk.
    pub bytes_free: Option<u64>,
    /// The maximum age in seconds.
    pub max_age_seconds: u64,
    /// The date of the newest published update.
    pub newest_content: Option<&'a str>,
    /// The damaged package sets.
    pub damaged_sets: &'a [DamagedSet],
    /// The newest imported medium of each lineage.
    pub imports: Vec<ImportedMedium<'a>>,
    /// `true` if the secret export key has a passphrase; null if the key is missing.
    pub export_key_passphrase: Option<bool>,
    /// Advice. It does not affect `current`.
    pub advice: Vec<String>,
    /// The record of the last runs.
    pub health: Option<&'a Health>,
}

/// A medium that was imported.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ImportedMedium<'a> {
    /// The sequence number of its set in its lineage.
    pub seq: u64,
    /// The number of its set, for people.
    pub number: u64,
    /// The digest that identifies its set.
    pub set_id: Sha256,
    /// The time of its export, RFC 3339.
    pub created: &'a str,
    /// The time of the import, RFC 3339.
    pub imported: Option<&'a str>,
}

/// The way in which a mirror gets its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentRoute {
    /// By `sync`, from a configuration.
    BySync,
    /// By `import`, from media only.
    ByImport,
    /// By `fetch`, when the operator runs it.
    ByHand,
}

/// The verdict of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// The compared values are as expected.
    Ok,
    /// The mirror has nothing to compare.
    NotApplicable,
    /// The check applies, but the values cannot be compared. Treat it like an alarm.
    Unknown,
    /// The compared values are wrong.
    Alarm,
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CheckResult {
    /// The two compared values.
    pub compares: &'static str,
    /// The verdict.
    pub verdict: CheckVerdict,
    /// The reason of the verdict, for people.
    pub reason: String,
    /// The next step, if the operator must act.
    pub next: Option<String>,
}

/// A check with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "{Numbers}Check")]
pub struct StatusCheck<Numbers> {
    /// The outcome.
    #[serde(flatten)]
    pub result: CheckResult,
    /// The numbers.
    #[serde(flatten)]
    pub numbers: Numbers,
}

/// Every check by its name. The names are part of the stable JSON output.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Checks {
    /// The end of the last sync.
    pub last_run: StatusCheck<LastRun>,
    /// The age of the last complete sync, import, or fetch.
    pub update_age: StatusCheck<UpdateAge>,
    /// The age of the newest medium.
    pub medium_age: StatusCheck<MediumAge>,
    /// The findings of `verify` that are not healed.
    pub damage: StatusCheck<OpenFindings>,
    /// The profiles that matched nothing.
    pub profiles: StatusCheck<ProfileMatches>,
    /// The families whose newest known release is old.
    pub releases: StatusCheck<FamilyReleases>,
    /// The number of package sets.
    pub content: StatusCheck<ContentCount>,
    /// The recorded times compared with the clock.
    pub clock: StatusCheck<ClockTimes>,
}

/// The end of the last sync.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LastRun {
    /// The time when the last sync ended.
    pub last_attempt: Option<String>,
    /// Its exit code.
    pub exit_code: Option<i64>,
    /// The number of items that failed.
    pub items_failed: Option<usize>,
    /// The start time of a run whose end is not recorded.
    pub unfinished_since: Option<String>,
}

/// The age of the content.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct UpdateAge {
    /// The way in which the mirror gets its content.
    pub filled: ContentRoute,
    /// The end of the last complete sync.
    pub last_sync: Option<String>,
    /// The time of the last import.
    pub last_import: Option<String>,
    /// The end of the last complete fetch.
    pub last_fetch: Option<String>,
    /// The age in seconds.
    pub age_seconds: Option<u64>,
    /// The maximum age in seconds.
    pub max_age_seconds: u64,
}

/// The age of the newest medium; without fields if no medium was imported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct MediumAge {
    /// The medium.
    #[serde(flatten)]
    pub medium: Option<MediumNumbers>,
}

/// The numbers of a medium.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MediumNumbers {
    /// The sequence number of its set in its lineage.
    pub seq: u64,
    /// The number of its set, for people.
    pub number: u64,
    /// The time of its export.
    pub created: String,
    /// The time of the import.
    pub imported: Option<String>,
    /// The age in seconds.
    pub age_seconds: Option<u64>,
    /// The maximum age in seconds.
    pub max_age_seconds: u64,
}

/// The findings of `verify` that are not healed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OpenFindings {
    /// The number of findings.
    pub findings_open: usize,
    /// The path of the first finding.
    pub first: Option<String>,
    /// The time of the last verification.
    pub last_verify: Option<String>,
    /// The number of its findings.
    pub last_verify_findings: Option<usize>,
}

/// The matches of the profiles.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProfileMatches {
    /// The profiles.
    pub profiles: Vec<ProfileMatch>,
}

/// The matches of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProfileMatch {
    /// The profile.
    pub profile: String,
    /// The folder name of its family.
    pub family: String,
    /// The day of the last search.
    #[schemars(with = "Option<DateText>")]
    pub searched_for: Option<Date>,
    /// The number of updates that matched.
    pub matched: Option<usize>,
    /// The newest month among them.
    pub newest_month: Option<Month>,
    /// The newest month whose release was due; absent if no release was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_month: Option<Month>,
}

/// The newest releases of the mirrored families.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FamilyReleases {
    /// The families.
    pub families: Vec<FamilyRelease>,
}

/// The newest release of a mirrored family.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FamilyRelease {
    /// The folder name of the family.
    pub family: String,
    /// The number of package sets.
    pub sets: usize,
    /// The day of the newest known release.
    #[schemars(with = "Option<DateText>")]
    pub known_through: Option<Date>,
    /// The day of the newest known cumulative update.
    #[schemars(with = "Option<DateText>")]
    pub known_cumulative: Option<Date>,
    /// The day up to which Patch Tuesdays are counted.
    #[schemars(with = "DateText")]
    pub counted_until: Date,
    /// The comparison; absent for a family that is not in the tables.
    #[serde(flatten)]
    pub compared: Option<ReleaseAge>,
}

/// The age of the newest release of a family.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReleaseAge {
    /// The number of Patch Tuesdays after the newest known cumulative update.
    pub patch_tuesdays_since: Option<usize>,
    /// The servicing of the family.
    pub servicing: Servicing,
}

/// The number of package sets.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ContentCount {
    /// The number of published package sets.
    pub sets: usize,
}

/// The times by which the clock is checked.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClockTimes {
    /// The time of the clock.
    pub now: String,
    /// The newest recorded time.
    pub newest_recorded: Option<String>,
}
