//! Bodies that are too short or too long, and bodies without a stated length.

use super::super::harness::{Bench, names_in};
use super::super::support::{Action, FileFault, FileSpec, Loopback, Rule, UpdateSpec, id};
use super::case::{ALL, Case, HALF, LENGTH, always, once, run_all};

/// The unit in every message about a length.
const BYTES: &[&str] = &["bytes"];
const MIB: u64 = 1024 * 1024;

#[test]
fn without_a_stated_length_the_known_size_marks_the_end() {
    let mut cases = Vec::new();
    for (name, framing) in [("chunks", FileFault::Chunked), ("the end", FileFault::CloseDelimited)] {
        let bare = [framing.clone()];
        cases.push(Case::passes(&format!("{name} once"), vec![once(&bare)], 1));
        cases.push(Case::passes(&format!("{name} always"), vec![always(&bare)], 1));
        cases.push(Case::passes(&format!("{name}, size unknown"), vec![always(&bare)], 1).paired());
        for place in [1, HALF, LENGTH - 1] {
            let cut = [framing.clone(), FileFault::CutAfter(place)];
            cases.push(Case::passes(&format!("{name}, cut at {place} once"), vec![once(&cut)], 2));
        }
        let cut = [framing.clone(), FileFault::CutAfter(HALF)];
        cases.push(Case::passes(&format!("{name}, cut at half always"), vec![always(&cut)], 2));
    }
    run_all(&cases);
}

#[test]
fn a_silently_truncated_body_is_resumed() {
    let short = [FileFault::CloseDelimited, FileFault::Shorter(100)];
    run_all(&[
        Case::passes("short once", vec![once(&short)], 2),
        // The rest never arrives.
        Case::fails("short always", vec![always(&short)], &[5, 6], &[], 2..=12),
    ]);
}

#[test]
fn a_wrong_stated_length_is_refused_before_the_bytes() {
    let mut cases = Vec::new();
    for (name, fault) in [
        ("a byte shorter", FileFault::Shorter(1)),
        ("half as long", FileFault::Shorter(HALF)),
        ("a byte longer", FileFault::Longer(1)),
        ("twice as long", FileFault::Longer(LENGTH)),
    ] {
        for (frequency, rule) in
            [("once", once(std::slice::from_ref(&fault))), ("always", always(std::slice::from_ref(&fault)))]
        {
            let case = Case::fails(&format!("{name} {frequency}"), vec![rule], &[5], BYTES, 1..=1);
            cases.push(case.bytes(0..=2 * ALL).waits(0..=0).nothing_kept());
        }
    }
    run_all(&cases);
}

#[test]
fn excess_bytes_abort_the_transfer_and_are_not_kept() {
    let mut cases = Vec::new();
    for (name, faults) in [
        ("a byte longer in chunks", vec![FileFault::Chunked, FileFault::Longer(1)]),
        ("a byte longer to the end", vec![FileFault::CloseDelimited, FileFault::Longer(1)]),
        ("much longer in chunks", vec![FileFault::Chunked, FileFault::Longer(10 * LENGTH)]),
        ("endless", vec![FileFault::Endless]),
    ] {
        for (frequency, rule) in [("once", once(&faults)), ("always", always(&faults))] {
            let case = Case::fails(&format!("{name} {frequency}"), vec![rule.clone()], &[5], BYTES, 1..=2);
            cases.push(case.bytes(0..=ALL + MIB).nothing_kept());
        }
    }
    // The Catalog does not state the size of each of two files, but it states their sum.
    let endless = vec![always(&[FileFault::Endless])];
    let case = Case::fails("endless, size unknown", endless, &[5], BYTES, 1..=2);
    cases.push(case.bytes(0..=ALL + MIB).paired().nothing_kept());
    run_all(&cases);
}

/// The Catalog states no sum for a set whose checkpoint is in no dialog. The entry of each update has a size, which
/// bounds its files.
#[test]
fn a_set_without_a_total_size_is_bounded_by_its_entries() {
    let [target, checkpoint] = [("kb5086672", 21), ("kb5043080", 22)].map(|(kb, seed)| {
        FileSpec::package(&format!("windows11.0-{kb}-arm64"), "msu", super::noise(seed, LENGTH))
    });
    let entry = |number, month: &str, tail: &str, file: &FileSpec| {
        let title =
            format!("{month} Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems {tail}");
        UpdateSpec { files: vec![file.clone()], ..UpdateSpec::new(&id(number), &title) }
    };
    let world = super::World::new()
        .update(entry(11, "2026-03", "(KB5086672) (26100.8117)", &target))
        .update(entry(12, "2024-09", "(KB5043080)", &checkpoint));
    let (bench, loopback) = (Bench::new(), Loopback::start(world));
    loopback.rule(Rule::always("/files/", Action::File(vec![FileFault::Endless])));
    let ran = super::run_against(&bench, &loopback, &["fetch", "KB5086672"]).exits(5);
    assert!(ran.stdout.contains(&format!("more than {LENGTH} bytes arrived")), "{}", ran.stdout);
    assert!(loopback.bytes_served() < 2 * (ALL + MIB), "{}", loopback.bytes_served());
    for folder in ["quarantine", "partial"] {
        assert_eq!(names_in(&bench.mirror().join(folder)), [""; 0], "{folder}");
    }
    loopback.clear_rules();
    super::run_against(&bench, &loopback, &["fetch", "KB5086672"]).exits(0);
}
