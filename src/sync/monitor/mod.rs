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

use self::model::check;
pub use self::model::{Facts, Medium, Mirrored, Unfinished};
use crate::documents::{Check, CheckResult, Checks, Content, Filled, OpenFindings, Verdict};
use crate::update::count;

/// The age that a mirror may have where nothing else is said: a week between two runs, and a day for a run that is late.
pub const DEFAULT_MAX_AGE: Duration = Duration::from_hours(8 * 24);

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
fn damage(facts: &Facts<'_>) -> Check<OpenFindings> {
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
    let numbers = OpenFindings {
        findings_open: open,
        first: first.cloned(),
        last_verify: verify.map(|verify| verify.time.clone()),
        last_verify_findings: verify.map(|verify| verify.findings),
    };
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
    check(compares, verdict, reason, Some(next), numbers)
}

/// Looks for anything at all.
fn content(facts: &Facts<'_>) -> Check<Content> {
    let (verdict, reason) = match facts.sets {
        0 => (Verdict::Alarm, "the mirror is empty: no package set is published".to_owned()),
        sets => (Verdict::Ok, format!("{} published", count(sets, "package set"))),
    };
    let next = match facts.filled {
        Filled::BySync => "run kbmirror sync",
        Filled::ByImport => "import a medium: kbmirror import DIR",
        Filled::ByHand => "run kbmirror fetch KB, or kbmirror import DIR",
    };
    check("package sets, and none", verdict, reason, Some(next), Content { sets: facts.sets })
}

#[cfg(test)]
mod tests;
