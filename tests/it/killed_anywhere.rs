//! The program, killed at exact places all over its work: nothing wrong is left, and the next run completes it.
//!
//! `benches/kill_points.rs` is the same with 200 kills.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;

use super::harness::{Bench, skipped};
use super::support::{Job, can_trace};

/// Kills a work so many times. Every kill has to meet it at work, and nothing may be wrong after it.
#[track_caller]
fn kill(job: Job, kills: usize) {
    if !can_trace() {
        let _none: Option<()> = skipped("strace is not here, or may not trace");
        return;
    }
    let bench = Bench::new();
    let found = job.kill(kills, &bench.path(""));
    let wrong: Vec<_> = found.iter().filter(|kill| !kill.wrong.is_empty()).collect();
    assert!(wrong.is_empty(), "{job:?}: {wrong:#?}");
    let at_work = found.iter().filter(|kill| kill.was_at_work).count();
    assert_eq!(at_work, kills, "{job:?}: {found:#?}");
    // No place twice, from the beginning to the end.
    let places: BTreeSet<(&str, usize)> =
        found.iter().map(|kill| (kill.call.as_str(), kill.number)).collect();
    assert_eq!(places.len(), kills, "{job:?}: {found:#?}");
    assert!(found[0].percent < 5 && found[kills - 1].percent >= 95, "{job:?}: {found:#?}");
}

// Together 64.

#[test]
fn a_fetch_that_is_killed_anywhere_is_completed() {
    kill(Job::Fetch, 20);
}

#[test]
fn an_export_that_is_killed_anywhere_is_completed() {
    kill(Job::Export, 12);
}

#[test]
fn an_update_of_a_medium_killed_anywhere_is_completed() {
    kill(Job::Update, 12);
}

#[test]
fn an_import_that_is_killed_anywhere_is_completed() {
    kill(Job::Import, 20);
}
