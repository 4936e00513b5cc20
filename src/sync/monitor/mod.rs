//! Monitoring: what is known of a mirror, as facts, and what each check says of it. Pure: facts in, checks out.
//!
//! A check compares one thing and gives a verdict, the numbers, and, where something is wrong, the reason and the next
//! step. An age that is not known is never `ok`. The mirror is current when no check gives `alarm` or `unknown`.
//!
//! - The mirror's kind decides what applies. A mirror that is synced is as old as its last complete sync. A mirror that is
//!   imported is as old as its last import and as its newest medium, and gets no advice that needs a network. A mirror
//!   that is filled by hand is as old as its last complete fetch.
//! - On an imported mirror, Patch Tuesdays are counted until its newest medium was made. They say then whether the
//!   connected side was current. The time since is what the medium's own age is compared for, so that a courier who comes
//!   every quarter, with a limit to match, raises no alarm in between.

mod ages;
mod releases;

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::config::Profile;
use super::health::Health;
use crate::resolve::Newest;
use crate::servicing::{Family, Knowledge};
use crate::update::count;

/// The age that a mirror may have where nothing else is said: a week between two runs, and a day for a run that is late.
pub const DEFAULT_MAX_AGE: Duration = Duration::from_hours(8 * 24);

/// By how much a recorded time may be later than the clock: clocks of two machines differ by less than a day.
const SKEW_SECONDS: i64 = 86_400;

/// The way in which content comes into a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Filled {
    /// By `sync`, from a configuration.
    BySync,
    /// By `import`, from media alone.
    ByImport,
    /// By `fetch`, when the operator runs it.
    ByHand,
}

/// The newest medium of a lineage that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Medium {
    /// The number of its set.
    pub seq: u64,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    fn today(&self) -> Date {
        Offset::UTC.to_datetime(self.now).date()
    }

    fn family(&self, folder: &str) -> Option<&Family> {
        self.knowledge.families().iter().find(|family| family.folder == folder)
    }

    /// Returns the medium that was made last.
    fn newest_medium(&self) -> Option<&Medium> {
        self.media.iter().max_by_key(|medium| (medium.created.parse::<Timestamp>().ok(), medium.seq))
    }
}

/// The verdict of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Compared, and as it should be.
    Ok,
    /// The mirror has nothing to compare.
    NotApplicable,
    /// It applies and cannot be compared; no better than an alarm.
    Unknown,
    /// Compared, and wrong.
    Alarm,
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

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// The two things that are compared.
    pub compares: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// The reason of the verdict, for people.
    pub reason: String,
    /// The next step, where the operator has to act.
    pub next: Option<String>,
    /// The numbers.
    #[serde(flatten)]
    pub numbers: Map<String, Value>,
}

impl Check {
    fn new(
        compares: &'static str,
        verdict: Verdict,
        reason: impl Into<String>,
        next: Option<&str>,
        numbers: Value,
    ) -> Self {
        let numbers = match numbers {
            Value::Object(numbers) => numbers,
            _ => Map::new(),
        };
        let next = next.filter(|_| verdict.is_wrong()).map(str::to_owned);
        Self { compares, verdict, reason: reason.into(), next, numbers }
    }
}

/// Every check by its name; the names are a promise of the JSON output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checks {
    /// How the last sync ended.
    pub last_run: Check,
    /// The age of the last complete sync, import, or fetch.
    pub update_age: Check,
    /// The age of the newest medium.
    pub medium_age: Check,
    /// Findings of `verify` that are not healed.
    pub damage: Check,
    /// Profiles that matched nothing.
    pub profiles: Check,
    /// Families whose newest known release is old.
    pub releases: Check,
    /// An empty mirror.
    pub content: Check,
    /// Recorded times against the clock.
    pub clock: Check,
}

impl Checks {
    /// Makes every check.
    pub fn of(facts: &Facts<'_>) -> Self {
        Self {
            last_run: ages::last_run(facts),
            update_age: ages::update_age(facts),
            medium_age: ages::medium_age(facts),
            damage: damage(facts),
            profiles: releases::profiles(facts),
            releases: releases::releases(facts),
            content: content(facts),
            clock: ages::clock(facts),
        }
    }

    /// Returns every check with its name, in order.
    pub fn all(&self) -> [(&'static str, &Check); 8] {
        [
            ("last_run", &self.last_run),
            ("update_age", &self.update_age),
            ("medium_age", &self.medium_age),
            ("damage", &self.damage),
            ("profiles", &self.profiles),
            ("releases", &self.releases),
            ("content", &self.content),
            ("clock", &self.clock),
        ]
    }

    /// Returns `true` if no check has anything against the mirror.
    pub fn is_current(&self) -> bool {
        self.all().iter().all(|(_, check)| !check.verdict.is_wrong())
    }

    /// Returns the reasons of what is wrong.
    pub fn complaints(&self) -> Vec<&str> {
        let wrong = self.all().into_iter().filter(|(_, check)| check.verdict.is_wrong());
        wrong.map(|(_, check)| check.reason.as_str()).collect()
    }
}

/// Compares what `verify` found with what was healed since.
fn damage(facts: &Facts<'_>) -> Check {
    let verify = facts.health.and_then(|health| health.last_verify.as_ref());
    let recorded = facts.damage.as_slice();
    // A finding that is not recorded by its path, such as a file of others, stays until a verify finds none.
    let unrecorded = verify.map_or(0, |verify| match verify.foreign {
        Some(foreign) if verify.recorded => foreign,
        _ => verify.findings,
    });
    // A path may be among both.
    let open = unrecorded.max(recorded.len());
    let first = recorded.first();
    let numbers = json!({
        "findings_open": open,
        "first": first,
        "last_verify": verify.map(|verify| &verify.time),
        "last_verify_findings": verify.map(|verify| verify.findings),
    });
    let compares = "findings of verify, and what was healed since";
    let (verdict, reason) = match (open, verify) {
        (0, None) => (Verdict::NotApplicable, "the whole mirror was never verified".to_owned()),
        (0, Some(verify)) => (Verdict::Ok, format!("nothing open since the verify of {}", verify.time)),
        (open, _) => {
            let named = first.map_or_else(String::new, |path| format!(", the first is {path}"));
            (Verdict::Alarm, format!("{} not healed{named}", count(open, "finding")))
        }
    };
    let next = match facts.filled {
        Filled::ByImport => "run kbmirror verify for the list, and import a medium that has the files",
        Filled::BySync | Filled::ByHand => {
            "run kbmirror verify for the list, and kbmirror fetch KB for each KB in it"
        }
    };
    Check::new(compares, verdict, reason, Some(next), numbers)
}

/// Looks for anything at all.
fn content(facts: &Facts<'_>) -> Check {
    let (verdict, reason) = match facts.sets {
        0 => (Verdict::Alarm, "the mirror is empty: no package set is published".to_owned()),
        sets => (Verdict::Ok, format!("{} published", count(sets, "package set"))),
    };
    let next = match facts.filled {
        Filled::BySync => "run kbmirror sync",
        Filled::ByImport => "import a medium: kbmirror import DIR",
        Filled::ByHand => "run kbmirror fetch KB, or kbmirror import DIR",
    };
    Check::new("package sets, and none", verdict, reason, Some(next), json!({ "sets": facts.sets }))
}

#[cfg(test)]
mod tests;
