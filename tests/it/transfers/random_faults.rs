//! Any faults of a CDN in any order: a published file has the right digests, or the file is not published. When the
//! CDN works again, the next run publishes all files.
//!
//! The unit tests of the download engine run longer scripts against its state machine; these tests include the
//! sockets, the files, and the index.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use super::super::harness::{Bench, read_tree};
use super::super::support::{Action, FileFault, FileSpec, Hook, Loopback, Rule, World};
use super::{check_all_published, check_final_names, fetch, package, update, world_of};

/// The lengths are small and not multiples of any block size.
const LENGTHS: [usize; 3] = [777, 5_003, 20_011];

/// An action of the CDN. A position in a file is in 256ths of its length, or one byte next to an end.
#[derive(Debug, Clone)]
enum ScriptedFault {
    Regular,
    Cut(u8),
    Reset(u8),
    Stall(u8),
    Chunked(u8),
    CloseDelimited(u8),
    Plain(FileFault),
    /// The fault, and a truncation.
    Both(FileFault, u8),
    Status(u16, Option<u64>),
    Close,
    Page,
    Foreign,
}

fn any_fault() -> impl Strategy<Value = ScriptedFault> {
    let faults = vec![
        FileFault::Shorter(1),
        FileFault::Longer(1),
        FileFault::Endless,
        FileFault::Flipped,
        FileFault::GzipHeaderOnly,
        FileFault::Gzipped,
        FileFault::NoRanges,
        FileFault::WrongStart,
        FileFault::WrongTotal,
        FileFault::EmptyRange,
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
        1 => Just(ScriptedFault::Regular),
        3 => any::<u8>().prop_map(ScriptedFault::Cut),
        2 => any::<u8>().prop_map(ScriptedFault::Reset),
        1 => any::<u8>().prop_map(ScriptedFault::Stall),
        2 => any::<u8>().prop_map(ScriptedFault::Chunked),
        2 => any::<u8>().prop_map(ScriptedFault::CloseDelimited),
        4 => select(faults.clone()).prop_map(ScriptedFault::Plain),
        4 => (select(faults), any::<u8>()).prop_map(|(fault, place)| ScriptedFault::Both(fault, place)),
        2 => (select(statuses), select(waits)).prop_map(|(status, wait)| ScriptedFault::Status(status, wait)),
        1 => Just(ScriptedFault::Close),
        1 => Just(ScriptedFault::Page),
        1 => Just(ScriptedFault::Foreign),
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

fn action(any_fault: &ScriptedFault, length: usize, passes: &Hook) -> Action {
    let at = |part: &u8| place(length, *part);
    let file = |faults: &[FileFault]| Action::File(faults.to_vec());
    match any_fault {
        ScriptedFault::Regular => file(&[]),
        ScriptedFault::Cut(part) => file(&[FileFault::CutAfter(at(part))]),
        ScriptedFault::Reset(part) => file(&[FileFault::ResetAfter(at(part))]),
        ScriptedFault::Stall(part) => file(&[FileFault::StallAfter(at(part), passes.clone())]),
        ScriptedFault::Chunked(part) => file(&[FileFault::Chunked, FileFault::CutAfter(at(part))]),
        ScriptedFault::CloseDelimited(part) => {
            file(&[FileFault::CloseDelimited, FileFault::CutAfter(at(part))])
        }
        ScriptedFault::Plain(fault) => file(std::slice::from_ref(fault)),
        // An endless body that is truncated becomes a long body.
        ScriptedFault::Both(FileFault::Endless, part) => {
            file(&[FileFault::Longer(length), FileFault::Chunked, FileFault::CutAfter(length + at(part))])
        }
        ScriptedFault::Both(fault, part) => file(&[fault.clone(), FileFault::CutAfter(at(part))]),
        ScriptedFault::Status(status, wait) => {
            let wait = wait.map(|seconds| ("Retry-After".to_owned(), seconds.to_string()));
            Action::Status(*status, wait.into_iter().collect())
        }
        ScriptedFault::Close => Action::Close,
        ScriptedFault::Page => Action::Body("text/html", b"<html><body>please log in</body></html>".to_vec()),
        ScriptedFault::Foreign => Action::Redirect("http://elsewhere.invalid/x".to_owned()),
    }
}

/// Returns several KBs with a file each, or one KB with all of the files, so that their sizes are not stated.
fn world(files: &[FileSpec], one_update: bool) -> World {
    if one_update { World::new().update(update(0, files.to_vec())) } else { world_of(files) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_published_file_is_right_or_not_published(
        script in prop::collection::vec(any_fault(), 1..=8),
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
        for any_fault in &script {
            loopback.rule(Rule::once("/files/", action(any_fault, LENGTHS[count - 1], &passes)));
        }
        let kbs = if one_update { 1 } else { u32::try_from(count).unwrap() };
        let options: &[&str] = if parallel { &[] } else { &["--parallel", "1"] };
        let ran = fetch(&bench, &loopback, kbs, options);
        let output = format!("{ran:?}");
        prop_assert!([0, 4, 5, 6].contains(&ran.code), "{}", output);
        if let Err(why) = check_final_names(&bench, &files) {
            prop_assert!(false, "{}: {}", why, output);
        }
        // The bound is much higher than any script requires.
        let requests = loopback.ranges_of("/files/").len();
        prop_assert!(requests <= script.len() + 8 * count, "{} requests: {}", requests, output);
        if ran.code == 0 && let Err(why) = check_all_published(&bench, &files) {
            prop_assert!(false, "{}: {}", why, output);
        }

        loopback.clear_rules();
        let again = fetch(&bench, &loopback, kbs, options);
        prop_assert_eq!(again.code, 0, "after {}: {:?}", output, again);
        if let Err(why) = check_all_published(&bench, &files) {
            prop_assert!(false, "the next run: {}: {:?}", why, again);
        }
        let total: usize = files.iter().map(|file| file.bytes.len()).sum();
        let pooled: usize = read_tree(&bench.mirror().join("pool")).values().map(Vec::len).sum();
        prop_assert_eq!(pooled, total);
    }
}
