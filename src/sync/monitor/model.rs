//! The facts by which a mirror is judged, and the result of a check.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::documents::{CheckResult, CheckVerdict, ContentRoute, Health, StatusCheck};
use crate::resolve::NewestReleases;
use crate::servicing::{Family, Knowledge};
use crate::sync::config::Profile;

/// The tolerance for a recorded time later than the clock. Clocks of two machines differ by less than a day.
pub(super) const SKEW_SECONDS: i64 = 86_400;

/// The newest imported medium of a lineage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedMedium {
    /// The position of its set in its lineage.
    pub seq: u64,
    /// The number of its set for people.
    pub number: u64,
    /// The time of its creation, which is signed.
    pub created: String,
    /// The time of the import, as far as it is recorded.
    pub imported: Option<String>,
}

/// A family with published sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirroredFamily {
    /// The folder name of the family, with which its set folders begin.
    pub folder: String,
    /// The number of package sets.
    pub sets: usize,
    /// The newest known releases; `None` for a product without a family in the knowledge.
    pub newest: Option<NewestReleases>,
}

/// A run whose end is not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedRun {
    /// The start time, RFC 3339.
    pub started: String,
}

/// The input of all checks.
#[derive(Debug)]
pub struct MonitorFacts<'a> {
    /// The time of the program's clock.
    pub now: Timestamp,
    /// The maximum age.
    pub max_age: Duration,
    /// The way in which the mirror is filled.
    pub filled: ContentRoute,
    /// The content of `health.json`, if the file exists.
    pub health: Option<&'a Health>,
    /// The end of the last complete `sync`, from the index.
    pub last_sync: Option<Timestamp>,
    /// The exit code of the last finished `sync`, from the index.
    pub last_sync_code: Option<i64>,
    /// The end of the last complete `fetch`, from the index.
    pub last_fetch: Option<Timestamp>,
    /// The newest medium of each lineage.
    pub media: Vec<AppliedMedium>,
    /// The damaged and missing files, recorded or just found, that are not repaired. Paths are relative to the mirror.
    pub damage: Vec<String>,
    /// The number of published package sets.
    pub sets: usize,
    /// The profiles of the configuration.
    pub profiles: &'a [Profile],
    /// The families of the published sets.
    pub families: Vec<MirroredFamily>,
    /// A run whose end is not recorded.
    pub unfinished: Option<UnfinishedRun>,
    /// The knowledge.
    pub knowledge: &'a Knowledge,
}

impl MonitorFacts<'_> {
    /// Returns the day of the clock in UTC.
    pub(super) fn today(&self) -> Date {
        Offset::UTC.to_datetime(self.now).date()
    }

    pub(super) fn family(&self, folder: &str) -> Option<&Family> {
        self.knowledge.families().iter().find(|family| family.folder == folder)
    }

    /// Returns the medium with the latest date, or `None` if no medium is recorded.
    pub(super) fn newest_medium(&self) -> Option<&AppliedMedium> {
        self.media.iter().max_by_key(|medium| (medium.created.parse::<Timestamp>().ok(), medium.seq))
    }
}

impl CheckVerdict {
    /// Returns `true` if the operator must act.
    pub fn is_wrong(self) -> bool {
        matches!(self, Self::Alarm | Self::Unknown)
    }

    /// Returns the word in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotApplicable => "not applicable",
            Self::Unknown => "UNKNOWN",
            Self::Alarm => "ALARM",
        }
    }
}

/// Makes a check. Only a failed check has a next step.
pub(super) fn check<N>(
    compares: &'static str,
    verdict: CheckVerdict,
    reason: impl Into<String>,
    next: Option<&str>,
    numbers: N,
) -> StatusCheck<N> {
    let next = next.filter(|_| verdict.is_wrong()).map(str::to_owned);
    StatusCheck { result: CheckResult { compares, verdict, reason: reason.into(), next }, numbers }
}
