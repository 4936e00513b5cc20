//! Monitoring: the facts about a mirror, and the results of the checks. Pure: facts in, checks out.
//!
//! A check makes one comparison and returns a verdict, the numbers, and, on failure, the reason and the next step. An
//! unknown age is never `ok`. The mirror is current if no check returns `alarm` or `unknown`.
//!
//! - The way in which the mirror is filled decides which checks apply. The age of a synced mirror is that of its last
//!   complete sync. The age of an imported mirror is that of its last import and of its newest medium; its advice never
//!   needs a network. The age of a mirror filled by hand is that of its last complete fetch.
//! - On an imported mirror, Patch Tuesdays are counted up to the date of its newest medium. They show whether the
//!   connected side was current at that time. The age of the medium covers the time since. A quarterly courier with a
//!   matching limit therefore raises no alarm between two deliveries.

mod ages;
mod model;
mod releases;

use std::time::Duration;

use self::model::check;
pub use self::model::{AppliedMedium, MirroredFamily, MonitorFacts, UnfinishedRun};
use crate::documents::{
    CheckResult, CheckVerdict, Checks, ContentCount, ContentRoute, OpenFindings, StatusCheck,
};
use crate::update::count;

/// The default maximum age: one week between two runs, and one day for a late run.
pub const DEFAULT_MAX_AGE: Duration = Duration::from_hours(8 * 24);

impl Checks {
    /// Runs every check.
    pub fn of(facts: &MonitorFacts<'_>) -> Self {
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

    /// Returns all checks with their names, in order.
    pub fn all(&self) -> [(&'static str, &CheckResult); 8] {
        [
            ("last_run", &self.last_run.result),
            ("update_age", &self.update_age.result),
            ("medium_age", &self.medium_age.result),
            ("damage", &self.damage.result),
            ("profiles", &self.profiles.result),
            ("releases", &self.releases.result),
            ("content", &self.content.result),
            ("clock", &self.clock.result),
        ]
    }

    /// Returns `true` if no check failed.
    pub fn is_current(&self) -> bool {
        self.all().iter().all(|(_, check)| !check.verdict.is_wrong())
    }

    /// Returns the reasons of the failed checks.
    pub fn complaints(&self) -> Vec<&str> {
        let wrong = self.all().into_iter().filter(|(_, check)| check.verdict.is_wrong());
        wrong.map(|(_, check)| check.reason.as_str()).collect()
    }
}

/// Compares the findings of `verify` with later repairs.
fn damage(facts: &MonitorFacts<'_>) -> StatusCheck<OpenFindings> {
    let verify = facts.health.and_then(|health| health.last_verify.as_ref());
    let recorded = facts.damage.as_slice();
    // A finding without a recorded path, such as a foreign file, stays open until a later verify does not find it.
    let unrecorded = verify.map_or(0, |verify| match verify.foreign {
        Some(foreign) if verify.recorded => foreign,
        _ => verify.findings,
    });
    // A path may be in both lists.
    let open = unrecorded.max(recorded.len());
    let first = recorded.first();
    let numbers = OpenFindings {
        findings_open: open,
        first: first.cloned(),
        last_verify: verify.map(|verify| verify.time.clone()),
        last_verify_findings: verify.map(|verify| verify.findings),
    };
    let compares = "findings of verify, compared with later repairs";
    let (verdict, reason) = match (open, verify) {
        (0, None) => (CheckVerdict::NotApplicable, "the complete mirror was never verified".to_owned()),
        (0, Some(verify)) => {
            (CheckVerdict::Ok, format!("no finding is open since the verify of {}", verify.time))
        }
        (open, _) => {
            let named = first.map_or_else(String::new, |path| format!(", the first is {path}"));
            (CheckVerdict::Alarm, format!("{} not repaired{named}", count(open, "finding")))
        }
    };
    let next = match facts.filled {
        ContentRoute::ByImport => {
            "run kbmirror verify for the list, and kbmirror repair --from MEDIUM to restore the files"
        }
        ContentRoute::BySync | ContentRoute::ByHand => {
            "run kbmirror verify for the list, and kbmirror repair to restore the files"
        }
    };
    check(compares, verdict, reason, Some(next), numbers)
}

/// Checks that the mirror is not empty.
fn content(facts: &MonitorFacts<'_>) -> StatusCheck<ContentCount> {
    let (verdict, reason) = match facts.sets {
        0 => (CheckVerdict::Alarm, "the mirror is empty: no package set is published".to_owned()),
        sets => (CheckVerdict::Ok, format!("{} published", count(sets, "package set"))),
    };
    let next = match facts.filled {
        ContentRoute::BySync => "run kbmirror sync",
        ContentRoute::ByImport => "import a medium: kbmirror import DIR",
        ContentRoute::ByHand => "run kbmirror fetch KB, or kbmirror import DIR",
    };
    check("the number of package sets", verdict, reason, Some(next), ContentCount { sets: facts.sets })
}

#[cfg(test)]
mod tests;
