//! Whatever a CDN does, in whatever order: a published file has the right digests, or nothing is published; and once the
//! CDN is well, the next run publishes all.
//!
//! The engine's own state machine is put through longer scripts where it lives; here the sockets, the files, and the
//! index take part.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use super::super::harness::{Bench, tree};
use super::super::support::{Action, FileFault, FileSpec, Hook, Loopback, Rule, World};
use super::{check_all_published, check_final_names, fetch, package, update, world_of};

/// Small, and none of a round number of anything.
const LENGTHS: [usize; 3] = [777, 5_003, 20_011];

/// One thing that the CDN does; places in a file are in 256ths of its length, and one byte beside its ends.
#[derive(Debug, Clone)]
enum Deed {
    Regular,
    Cut(u8),
    Reset(u8),
    Stall(u8),
    Chunked(u8),
    CloseDelimited(u8),
    Plain(FileFault),
    /// The fault and a cut.
    Both(FileFault, u8),
    Status(u16, Option<u64>),
    Close,
    Page,
    Foreign,
}

fn deed() -> impl Strategy<Value = Deed> {
    let faults = vec![
        FileFault::Shorter(1),
        FileFault::Longer(1),
        FileFault::Endless,
        FileFault::Flipped,
        FileFault::GzipSaid,
        FileFault::Gzipped,
        FileFault::NoRanges,
        FileFault::WrongStart,
        FileFault::WrongTotal,
        FileFault::Inverted,
        FileFault::NoContentRange,
        FileFault::Unsatisfiable,
        FileFault::NewTag,
        FileFault::OtherTag,
        FileFault::WeakTag,
        FileFault::DateOnly,
        FileFault::NoValidators,
    ];
    let statuses = vec![403, 404, 410, 416, 429, 500, 503];
    let waits = vec![None, Some(2), Some(4000)];
    prop_oneof![
        1 => Just(Deed::Regular),
        3 => any::<u8>().prop_map(Deed::Cut),
        2 => any::<u8>().prop_map(Deed::Reset),
        1 => any::<u8>().prop_map(Deed::Stall),
        2 => any::<u8>().prop_map(Deed::Chunked),
        2 => any::<u8>().prop_map(Deed::CloseDelimited),
        4 => select(faults.clone()).prop_map(Deed::Plain),
        4 => (select(faults), any::<u8>()).prop_map(|(fault, place)| Deed::Both(fault, place)),
        2 => (select(statuses), select(waits)).prop_map(|(status, wait)| Deed::Status(status, wait)),
        1 => Just(Deed::Close),
        1 => Just(Deed::Page),
        1 => Just(Deed::Foreign),
    ]
}

fn place(length: usize, part: u8) -> usize {
    match part {
        0 => 0,
        1 => 1,
        254 => length - 1,
        255 => length,
        part => length * usize::from(part) / 256,
    }
}

fn action(deed: &Deed, length: usize, passes: &Hook) -> Action {
    let at = |part: &u8| place(length, *part);
    let file = |faults: &[FileFault]| Action::File(faults.to_vec());
    match deed {
        Deed::Regular => file(&[]),
        Deed::Cut(part) => file(&[FileFault::CutAfter(at(part))]),
        Deed::Reset(part) => file(&[FileFault::ResetAfter(at(part))]),
        Deed::Stall(part) => file(&[FileFault::StallAfter(at(part), passes.clone())]),
        Deed::Chunked(part) => file(&[FileFault::Chunked, FileFault::CutAfter(at(part))]),
        Deed::CloseDelimited(part) => file(&[FileFault::CloseDelimited, FileFault::CutAfter(at(part))]),
        Deed::Plain(fault) => file(std::slice::from_ref(fault)),
        // An endless body that is cut is a long one.
        Deed::Both(FileFault::Endless, part) => {
            file(&[FileFault::Longer(length), FileFault::Chunked, FileFault::CutAfter(length + at(part))])
        }
        Deed::Both(fault, part) => file(&[fault.clone(), FileFault::CutAfter(at(part))]),
        Deed::Status(status, wait) => {
            let wait = wait.map(|seconds| ("Retry-After".to_owned(), seconds.to_string()));
            Action::Status(*status, wait.into_iter().collect())
        }
        Deed::Close => Action::Close,
        Deed::Page => Action::Body("text/html", b"<html><body>please log in</body></html>".to_vec()),
        Deed::Foreign => Action::Redirect("http://elsewhere.invalid/x".to_owned()),
    }
}

/// Several KBs with a file each, or one KB with all of them, so that the size of none is stated.
fn world(files: &[FileSpec], one_update: bool) -> World {
    if one_update { World::new().update(update(0, files.to_vec())) } else { world_of(files) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_published_is_right_or_nothing_is(
        script in prop::collection::vec(deed(), 1..=8),
        count in 1_usize..=3,
        one_update in any::<bool>(),
        parallel in prop::bool::ANY,
    ) {
        let one_update = one_update && count > 1;
        let files: Vec<FileSpec> = (0_u32..).zip(LENGTHS).take(count).map(|(number, length)| package(number, length)).collect();
        let bench = Bench::new();
        let loopback = Loopback::start(world(&files, one_update));
        let clock = bench.clock.clone();
        let passes = Hook::new(move || clock.advance(Duration::from_secs(7)));
        for deed in &script {
            loopback.rule(Rule::once("/files/", action(deed, LENGTHS[count - 1], &passes)));
        }
        let kbs = if one_update { 1 } else { u32::try_from(count).unwrap() };
        let options: &[&str] = if parallel { &[] } else { &["--parallel", "1"] };
        let ran = fetch(&bench, &loopback, kbs, options);
        let told = format!("{ran:?}");
        prop_assert!([0, 4, 5, 6].contains(&ran.code), "{}", told);
        if let Err(why) = check_final_names(&bench, &files) {
            prop_assert!(false, "{}: {}", why, told);
        }
        // Far more than any script gives reason for.
        let requests = loopback.ranges_of("/files/").len();
        prop_assert!(requests <= script.len() + 8 * count, "{} requests: {}", requests, told);
        if ran.code == 0 && let Err(why) = check_all_published(&bench, &files) {
            prop_assert!(false, "{}: {}", why, told);
        }

        loopback.clear_rules();
        let again = fetch(&bench, &loopback, kbs, options);
        prop_assert_eq!(again.code, 0, "after {}: {:?}", told, again);
        if let Err(why) = check_all_published(&bench, &files) {
            prop_assert!(false, "the next run: {}: {:?}", why, again);
        }
        let whole: usize = files.iter().map(|file| file.bytes.len()).sum();
        let pooled: usize = tree(&bench.mirror().join("pool")).values().map(Vec::len).sum();
        prop_assert_eq!(pooled, whole);
    }
}
