//! The facts by which a mirror is judged, and the outcome of a check.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::documents::{Check, CheckResult, Filled, Health, Verdict};
use crate::resolve::Newest;
use crate::servicing::{Family, Knowledge};
use crate::sync::config::Profile;

/// By how much a recorded time may be later than the clock: clocks of two machines differ by less than a day.
pub(super) const SKEW_SECONDS: i64 = 86_400;

/// The newest medium of a lineage that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Medium {
    /// The place of its set in its lineage.
    pub seq: u64,
    /// The number of its set for people.
    pub number: u64,
    /// When it was made, as it was signed.
    pub created: String,
    /// When it was imported, as far as that is recorded.
    pub imported: Option<String>,
}

/// A family of which something is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrored {
    /// The word with which its folders begin.
    pub folder: String,
    /// How many package sets there are.
    pub sets: usize,
    /// The newest known releases; `None` for a product that the knowledge has no family for.
    pub newest: Option<Newest>,
}

/// A run that began and of which no end is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// When it began, RFC 3339.
    pub started: String,
}

/// Everything by which a mirror is judged.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The time of the program's clock.
    pub now: Timestamp,
    /// The age that is allowed.
    pub max_age: Duration,
    /// The way in which content comes here.
    pub filled: Filled,
    /// `health.json`, where there is one.
    pub health: Option<&'a Health>,
    /// The end of the last complete `sync`, as the index has it.
    pub last_sync: Option<Timestamp>,
    /// The exit code of the last `sync` that ended, as the index has it.
    pub last_sync_code: Option<i64>,
    /// The end of the last complete `fetch`, as the index has it.
    pub last_fetch: Option<Timestamp>,
    /// The newest medium of each lineage.
    pub media: Vec<Medium>,
    /// Damaged and missing files that are recorded and not healed, or seen now, relative to the mirror.
    pub damage: Vec<String>,
    /// How many package sets are published.
    pub sets: usize,
    /// The profiles of the configuration.
    pub profiles: &'a [Profile],
    /// The families of the published sets.
    pub families: Vec<Mirrored>,
    /// A run of which no end is recorded.
    pub unfinished: Option<Unfinished>,
    /// The knowledge.
    pub knowledge: &'a Knowledge,
}

impl Facts<'_> {
    /// Returns the day of the clock, UTC.
    pub(super) fn today(&self) -> Date {
        Offset::UTC.to_datetime(self.now).date()
    }

    pub(super) fn family(&self, folder: &str) -> Option<&Family> {
        self.knowledge.families().iter().find(|family| family.folder == folder)
    }

    /// Returns the medium that was made last.
    pub(super) fn newest_medium(&self) -> Option<&Medium> {
        self.media.iter().max_by_key(|medium| (medium.created.parse::<Timestamp>().ok(), medium.seq))
    }
}

impl Verdict {
    /// Returns `true` if the operator has to act.
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

/// Returns a check; only a verdict that is wrong has a next step.
pub(super) fn check<N>(
    compares: &'static str,
    verdict: Verdict,
    reason: impl Into<String>,
    next: Option<&str>,
    numbers: N,
) -> Check<N> {
    let next = next.filter(|_| verdict.is_wrong()).map(str::to_owned);
    Check { result: CheckResult { compares, verdict, reason: reason.into(), next }, numbers }
}
