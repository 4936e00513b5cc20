//! Kills the program at exact system calls during each job. Checks that no wrong file is left, and that the next run
//! completes the job.
//!
//! `benches/kill_points.rs` does the same with 200 kills.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;

use super::harness::{Bench, skip};
use super::support::{Job, can_trace};

/// Kills a job `kills` times. Each kill must interrupt the running job and must not leave anything wrong.
#[track_caller]
fn kill_and_check(job: Job, kills: usize) {
    if !can_trace() {
        let _none: Option<()> = skip("strace is missing or not allowed to trace");
        return;
    }
    let bench = Bench::new();
    let results = job.kill(kills, &bench.path(""));
    let wrong: Vec<_> = results.iter().filter(|kill| !kill.wrong.is_empty()).collect();
    assert!(wrong.is_empty(), "{job:?}: {wrong:#?}");
    let interrupted = results.iter().filter(|kill| kill.was_running).count();
    assert_eq!(interrupted, kills, "{job:?}: {results:#?}");
    // All places differ, and they cover the job from its start to its end.
    let places: BTreeSet<(&str, usize)> =
        results.iter().map(|kill| (kill.call.as_str(), kill.number)).collect();
    assert_eq!(places.len(), kills, "{job:?}: {results:#?}");
    assert!(results[0].percent < 5 && results[kills - 1].percent >= 95, "{job:?}: {results:#?}");
}

// 64 kills in total.

#[test]
fn a_killed_fetch_is_completed() {
    kill_and_check(Job::Fetch, 20);
}

#[test]
fn a_killed_export_is_completed() {
    kill_and_check(Job::Export, 12);
}

#[test]
fn a_killed_update_of_a_medium_is_completed() {
    kill_and_check(Job::Update, 12);
}

#[test]
fn a_killed_import_is_completed() {
    kill_and_check(Job::Import, 20);
}
