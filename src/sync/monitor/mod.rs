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
mod model;
mod releases;

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

pub use model::{Check, Facts, Filled, Medium, Mirrored, Unfinished, Verdict};

use crate::update::count;

/// The age that a mirror may have where nothing else is said: a week between two runs, and a day for a run that is late.
pub const DEFAULT_MAX_AGE: Duration = Duration::from_hours(8 * 24);

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
