//! Bytes that differ from the package: changed, compressed, or a login page.

use std::time::Duration;

use super::super::harness::{Bench, names_in};
use super::super::support::{Action, FileFault, Loopback, Rule};
use super::case::{ALL, Case, HALF, TRIES, always, always_instead, once, once_instead, run_all};
use super::{fetch, package, world_of};

const CODING: &[&str] = &["gzip", "encoding", "compress"];
const PAGE: &[&str] = &["a proxy's page, not a package"];

fn page() -> Action {
    let text = "<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>please</body></html>\n";
    Action::Body("text/html; charset=utf-8", text.as_bytes().to_vec())
}

/// Returns a page with the same length as the file.
fn long_page() -> Action {
    let Action::Body(kind, mut text) = page() else { unreachable!("a page is a body") };
    text.resize(usize::try_from(ALL).unwrap(), b' ');
    Action::Body(kind, text)
}

#[test]
fn wrong_bytes_are_retried_once_and_then_quarantined() {
    let wrong = [FileFault::Flipped];
    run_all(&[
        Case::passes("wrong bytes once", vec![once(&wrong)], 2).bytes(2 * ALL..=2 * ALL),
        Case::fails("wrong bytes always", vec![always(&wrong)], &[5], &["sha"], 2..=2)
            .bytes(2 * ALL..=2 * ALL)
            .quarantined(1)
            .nothing_kept(),
        Case::fails("wrong bytes always, size unknown", vec![always(&wrong)], &[5], &["sha"], 2..=2)
            .bytes(2 * ALL..=2 * ALL)
            .quarantined(1)
            .paired()
            .nothing_kept(),
    ]);
}

#[test]
fn quarantined_files_are_deleted_after_thirty_days() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world_of(&[package(0, 5000)])));
    loopback.rule(Rule::once("/files/", Action::File(vec![FileFault::Flipped])));
    loopback.rule(Rule::once("/files/", Action::File(vec![FileFault::Flipped])));
    fetch(&bench, &loopback, 1, &[]).exits(5);
    let kept = || names_in(&bench.mirror().join("quarantine")).len();
    assert_eq!(kept(), 1);
    let days = |days: u64| bench.clock.advance(Duration::from_hours(24 * days));
    days(30);
    fetch(&bench, &loopback, 1, &[]).exits(0);
    assert_eq!(kept(), 1, "the 30 days are not over");
    days(1);
    fetch(&bench, &loopback, 1, &["--dry-run"]).exits(0);
    assert_eq!(kept(), 1, "a dry run must not delete files");
    fetch(&bench, &loopback, 1, &[]).exits(0);
    assert_eq!(kept(), 0);
}

#[test]
fn files_are_requested_without_content_coding() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world_of(&[package(0, 5000)])));
    loopback.rule(Rule::once("/files/", Action::File(vec![FileFault::CutAfter(2000)])));
    fetch(&bench, &loopback, 1, &[]).exits(0);
    let requests = loopback.requests().into_iter().filter(|seen| seen.path_and_query.contains("/files/"));
    let codings: Vec<Option<String>> = requests.map(|seen| seen.accept_encoding).collect();
    assert_eq!(codings, [Some("identity".to_owned()), Some("identity".to_owned())]);
}

#[test]
fn compressed_answers_are_refused() {
    let mut cases = Vec::new();
    for (name, fault) in
        [("gzip said of plain bytes", FileFault::GzipHeaderOnly), ("gzip", FileFault::Gzipped)]
    {
        let fault = [fault];
        let stays = Case::fails(&format!("{name} always"), vec![always(&fault)], &[5, 6], CODING, 1..=8);
        cases.push(stays.bytes(0..=8 * 2 * ALL));
        let rules = vec![once(&[FileFault::CutAfter(HALF)]), once(&fault)];
        cases.push(Case::either(&format!("{name} once, on a range"), rules, &[5, 6], 2..=4));
        // Some content gets longer by compression.
        let passes = Case::either(&format!("{name} once"), vec![once(&fault)], &[5, 6], 1..=2);
        cases.push(passes.bytes(0..=2 * ALL + 1000));
    }
    run_all(&cases);
}

#[test]
fn a_login_page_instead_of_a_package_is_reported() {
    let mut cases = Vec::new();
    for (name, page) in [("a page", page()), ("a page of the file's length", long_page())] {
        let stays =
            Case::fails(&format!("{name} always"), vec![always_instead(page.clone())], &[6], PAGE, 1..=8);
        cases.push(stays.bytes(0..=0));
        let alone = Case::fails(
            &format!("{name} always, size unknown"),
            vec![always_instead(page.clone())],
            &[6],
            PAGE,
            1..=8,
        );
        cases.push(alone.bytes(0..=0).paired());
        let half = vec![once(&[FileFault::CutAfter(HALF)]), always_instead(page.clone())];
        cases.push(Case::fails(&format!("{name} on a range always"), half, &[6], PAGE, 2..=*TRIES.end() + 1));
        let passes = vec![once_instead(page.clone())];
        cases.push(Case::either(&format!("{name} once"), passes, &[6], 1..=2));
    }
    run_all(&cases);
}
