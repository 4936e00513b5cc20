//! Answers that break off, stall, or arrive slowly.

use std::time::Duration;

use super::super::support::{Action, FileFault};
use super::case::{
    ALL, Case, HALF, LENGTH, TRIES, WAITS, always, always_instead, once, once_instead, run_all, run_with_time,
};

const INTERRUPTED: &[&str] = &["was interrupted"];

#[test]
fn a_cut_transfer_is_resumed_without_repeated_bytes() {
    let mut cases = Vec::new();
    for place in [0, 1, HALF, LENGTH - 1] {
        let cut = [FileFault::CutAfter(place)];
        cases.push(Case::passes(&format!("cut at {place} once"), vec![once(&cut)], 2));
    }
    for place in [HALF, LENGTH - 1] {
        let cut = [FileFault::CutAfter(place)];
        cases.push(Case::passes(&format!("cut at {place} always"), vec![always(&cut)], 2));
    }
    let one = vec![always(&[FileFault::CutAfter(1)])];
    cases.push(Case::passes("cut at 1 always: each byte is progress", one, 48).length(48).waits(0..=120));
    let none = vec![always(&[FileFault::CutAfter(0)])];
    cases.push(Case::fails("cut at 0 always", none, &[6], INTERRUPTED, TRIES).bytes(0..=0).waits(WAITS));
    let none = vec![always_instead(Action::Close)];
    cases.push(Case::fails("no answer always", none, &[6], INTERRUPTED, TRIES).bytes(0..=0).waits(WAITS));
    cases.push(Case::passes("no answer once", vec![once_instead(Action::Close)], 2));
    run_all(&cases);
}

#[test]
fn a_cut_transfer_of_unknown_size_is_resumed() {
    let cases = [1, HALF, LENGTH - 1].map(|place| {
        let cut = vec![once(&[FileFault::CutAfter(place)])];
        Case::passes(&format!("cut at {place} once, beside another file"), cut, 2).paired()
    });
    run_all(&cases);
}

#[test]
fn a_reset_connection_is_handled_like_a_cut() {
    let mut cases = Vec::new();
    for place in [0, 1, HALF, LENGTH - 1] {
        let reset = [FileFault::ResetAfter(place)];
        // The kernel drops bytes that were not read before the reset.
        let name = format!("reset at {place}");
        cases.push(Case::passes(&format!("{name} once"), vec![once(&reset)], 2).bytes(ALL..=2 * ALL));
    }
    let reset = vec![always(&[FileFault::ResetAfter(HALF)])];
    cases.push(Case::passes("reset at half always", reset, 2).requests(2..=6).bytes(ALL..=3 * ALL));
    let reset = vec![always(&[FileFault::ResetAfter(0)])];
    cases.push(Case::fails("reset at 0 always", reset, &[6], INTERRUPTED, TRIES).bytes(0..=0).waits(WAITS));
    run_all(&cases);
}

#[test]
fn a_stalled_transfer_is_aborted_and_resumed() {
    run_with_time(|passes| {
        let stall = |place| [FileFault::StallAfter(place, passes(Duration::from_secs(7)))];
        let hour = [FileFault::StallAfter(HALF, passes(Duration::from_mins(2)))];
        // The number of requests after a stall depends on timing, so it is not checked exactly.
        let cases = [
            Case::passes("silent at half once", vec![once(&stall(HALF))], 2),
            Case::passes("silent at half always", vec![always(&stall(HALF))], 2),
            Case::passes("silent before the last byte once", vec![once(&stall(LENGTH - 1))], 2),
            Case::passes("silent at 0 once", vec![once(&stall(0))], 2).options(&["--patience", "1h"]),
            Case::fails("silent at 0 always", vec![always(&stall(0))], &[6], &[], 1..=8).bytes(0..=0),
            Case::passes("silent for an hour, as long as is asked for", vec![once(&hour)], 2).options(&[
                "--stall-after",
                "1h",
                "--patience",
                "4h",
            ]),
        ];
        cases.map(|case| case.waits(0..=u64::MAX)).to_vec()
    });
}

#[test]
fn a_slow_transfer_with_progress_is_completed() {
    run_with_time(|passes| {
        let drip = |size| [FileFault::Drip(size, passes(Duration::from_secs(1)))];
        vec![
            Case::passes("4 KiB a second once", vec![once(&drip(4096))], 1),
            Case::passes("4 KiB a second always", vec![always(&drip(4096))], 1),
            // The client reads a varying number of bytes at a time, so only the end of the download is checked.
            Case::passes("200 bytes a second once", vec![once(&drip(200))], 2)
                .requests(1..=3)
                .bytes(ALL..=2 * ALL)
                .waits(0..=120),
            Case::passes("200 bytes a second always", vec![always(&drip(200))], 2)
                .requests(1..=20)
                .bytes(ALL..=4 * ALL)
                .waits(0..=120),
        ]
    });
}
