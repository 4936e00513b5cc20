//! Several files at once: each file has its own result, and a failing file fails only its set.

use std::time::Duration;

use serde_json::json;

use super::super::harness::{Bench, field_texts, items, names_in, text_of};
use super::super::support::{Action, FileFault, FileSpec, Hook, Loopback, Rule, World};
use super::{
    check_all_published, check_final_names, fetch, kb, package, published, run_against, update, world_of,
};

const LENGTH: usize = 40_000;
const COUNT: u32 = 8;

fn packages() -> Vec<FileSpec> {
    (0..COUNT).map(|number| package(number, LENGTH)).collect()
}

fn fault(number: u32, action: Action) -> Rule {
    Rule::once(&kb(number).to_lowercase(), action)
}

#[test]
fn each_of_several_files_has_its_own_result() {
    for parallel in [&[][..], &["--parallel", "1"], &["--parallel", "8"]] {
        let files = packages();
        let (bench, loopback) = (Bench::new(), Loopback::start(world_of(&files)));
        let clock = bench.clock.clone();
        let passes = Hook::new(move || clock.advance(Duration::from_secs(7)));
        let cut = || FileFault::CutAfter(LENGTH / 2);
        loopback.rule(fault(0, Action::File(vec![cut()])));
        loopback.rule(fault(1, Action::File(vec![FileFault::ResetAfter(LENGTH / 2)])));
        loopback.rule(fault(2, Action::File(vec![FileFault::StallAfter(LENGTH / 2, passes)])));
        loopback.rule(fault(3, Action::Status(503, vec![("Retry-After".to_owned(), "2".to_owned())])));
        loopback.rule(fault(4, Action::File(vec![FileFault::Flipped])));
        loopback.rule(fault(5, Action::File(vec![cut()])));
        loopback.rule(fault(5, Action::File(vec![FileFault::WrongStart])));
        loopback.rule(fault(6, Action::File(vec![FileFault::CloseDelimited, cut()])));
        let options = [parallel, &["--patience", "1h"]].concat();
        let document = fetch(&bench, &loopback, COUNT, &options).exits(0).json();
        assert_eq!(
            field_texts(&document["sets"], "status"),
            vec!["published"; COUNT as usize],
            "{parallel:?}"
        );
        assert_eq!(document["failures"], json!([]));
        check_all_published(&bench, &files).unwrap();
        assert_eq!(names_in(&bench.mirror().join("quarantine")), Vec::<String>::new());
        let requests: Vec<usize> =
            (0..COUNT).map(|number| loopback.ranges_of(&kb(number).to_lowercase()).len()).collect();
        // All transfers share the clock, so a jump may abort another transfer too.
        for (number, least) in [2, 2, 2, 2, 2, 3, 2, 1].into_iter().enumerate() {
            assert!((least..least + 6).contains(&requests[number]), "{parallel:?}: {requests:?}");
        }
    }
}

#[test]
fn one_failed_file_fails_its_set_and_is_requested_again() {
    let faults: [(Action, u8, &str); 4] = [
        (Action::File(vec![FileFault::CutAfter(0)]), 4, "unreachable"),
        (Action::Status(404, Vec::new()), 4, "unreachable"),
        (Action::Status(503, vec![("Retry-After".to_owned(), "4000".to_owned())]), 4, "unreachable"),
        (Action::File(vec![FileFault::Flipped]), 5, "integrity"),
    ];
    for (action, code, kind) in faults {
        let files = packages();
        let (bench, loopback) = (Bench::new(), Loopback::start(world_of(&files)));
        loopback.rule(Rule::always(&kb(3).to_lowercase(), action.clone()));
        let document = fetch(&bench, &loopback, COUNT, &[]).exits(code).json();
        let mut expected = vec!["published"; COUNT as usize];
        expected[3] = "failed";
        assert_eq!(field_texts(&document["sets"], "status"), expected, "{action:?}");
        assert_eq!(field_texts(&document["failures"], "what"), [files[3].name.clone()]);
        assert_eq!(field_texts(&document["failures"], "kind"), [kind]);
        check_final_names(&bench, &files).unwrap();
        assert!(!published(&bench, 3).exists() && published(&bench, 2).exists());

        loopback.clear_rules();
        let before = loopback.requests().len();
        let document = fetch(&bench, &loopback, COUNT, &[]).exits(0).json();
        let mut expected = vec!["unchanged"; COUNT as usize];
        expected[3] = "published";
        assert_eq!(field_texts(&document["sets"], "status"), expected, "{action:?}");
        let requests = loopback.requests().split_off(before);
        let requests = requests.iter().filter(|seen| seen.path_and_query.contains("/files/"));
        assert_eq!(requests.count(), 1, "{action:?}");
        check_all_published(&bench, &files).unwrap();
    }
}

#[test]
fn a_failed_file_fails_its_set_and_the_other_file_is_kept() {
    let files = [
        package(0, LENGTH),
        FileSpec::package("windows11.0-kb5000000-arm64", "cab", super::noise(77, LENGTH)),
    ];
    let world = World::new().update(update(0, files.to_vec()));
    let (bench, loopback) = (Bench::new(), Loopback::start(world));
    loopback.rule(Rule::always("kb5100001", Action::File(vec![FileFault::CutAfter(0)])));
    let document = fetch(&bench, &loopback, 1, &[]).exits(6).json();
    assert_eq!(field_texts(&document["sets"], "status"), ["failed"]);
    assert!(!bench.mirror().join("kb").exists());
    loopback.clear_rules();
    let neighbour = loopback.ranges_of("kb5000000").len();
    fetch(&bench, &loopback, 1, &[]).exits(0);
    assert_eq!(loopback.ranges_of("kb5000000").len(), neighbour, "the file must not be downloaded again");
    check_all_published(&bench, &files).unwrap();
}

#[test]
fn failures_are_grouped_by_cause() {
    let files = packages();
    let (bench, loopback) = (Bench::new(), Loopback::start(world_of(&files)));
    for number in [0, 1, 2] {
        let cut = Action::File(vec![FileFault::CutAfter(0)]);
        loopback.rule(Rule { times: usize::MAX, ..fault(number, cut) });
    }
    loopback.rule(Rule { times: usize::MAX, ..fault(5, Action::Status(404, Vec::new())) });
    let document = fetch(&bench, &loopback, COUNT, &[]).exits(4).json();
    let failures = items(&document["failures"]);
    assert_eq!(failures.len(), 4, "{document:#}");
    for (number, word) in [(0, "was interrupted"), (1, "was interrupted"), (2, "was interrupted"), (5, "404")]
    {
        let name = files[number].name.as_str();
        let failure = failures.iter().find(|failure| failure["what"] == name).unwrap();
        assert!(text_of(&failure["message"]).contains(word), "{failure:#}");
    }
    // The text output groups three equal failures under one heading and prints the hint once.
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000", "--patience", "0"];
    let kbs: Vec<String> = (0..3).map(kb).collect();
    let kbs: Vec<&str> = kbs.iter().map(String::as_str).collect();
    let stderr = bench.run(&[&network[..], &["fetch"], &kbs].concat()).exits(6).stderr;
    assert_eq!(
        stderr.matches("error: 3 items failed for the same reason (unreachable):").count(),
        1,
        "{stderr}"
    );
    assert!(files[..3].iter().all(|file| stderr.contains(&format!("  {}: ", file.name))), "{stderr}");
}

#[test]
fn received_bytes_are_kept_for_the_next_run() {
    let half = LENGTH / 2;
    for digest in ["sha256", "sha1"] {
        let mut file = package(0, LENGTH);
        if digest == "sha1" {
            file.sha256_stated = super::super::support::StatedDigest::NoLine;
        }
        let name = match digest {
            "sha256" => super::sha256_hex(&file.bytes),
            _ => super::super::harness::sha1_hex(&file.bytes),
        };
        let files = [file];
        let (bench, loopback) = (Bench::new(), Loopback::start(world_of(&files)));
        loopback.rule(Rule::once("/files/", Action::File(vec![FileFault::CutAfter(half)])));
        loopback.rule(Rule::always("/files/", Action::Close));
        fetch(&bench, &loopback, 1, &["--patience", "0"]);
        fetch(&bench, &loopback, 1, &["--patience", "0"]).exits(6);
        let partial = bench.mirror().join("partial");
        assert_eq!(names_in(&partial), [name.clone(), format!("{name}.json")]);
        assert_eq!(std::fs::read(partial.join(&name)).unwrap(), files[0].bytes[..half]);
        let journal = std::fs::read_to_string(partial.join(format!("{name}.json"))).unwrap();
        let journal: serde_json::Value = serde_json::from_str(&journal).unwrap();
        assert_eq!(journal["format"], 1, "{journal:#}");
        assert!(text_of(&journal["url"]).contains(&files[0].name), "{journal:#}");
        assert!(journal["etag"].is_string() && journal["last_modified"].is_string(), "{journal:#}");

        loopback.clear_rules();
        let document = fetch(&bench, &loopback, 1, &[]).exits(0).json();
        assert_eq!(document["bytes_downloaded"], half, "{digest}");
        assert_eq!(loopback.bytes_served(), LENGTH as u64);
        let ranges = loopback.ranges_of("/files/");
        assert_eq!(ranges.last().unwrap().as_deref(), Some(format!("bytes={half}-").as_str()));
        let requests = loopback.requests();
        let last = requests.iter().rfind(|seen| seen.path_and_query.contains("/files/")).unwrap();
        assert_eq!(last.if_range.as_deref(), journal["etag"].as_str(), "the strong tag");
        check_all_published(&bench, &files).unwrap();
    }
}

/// A change of a partial file and its journal.
type PartialChange = fn(&camino::Utf8Path, &camino::Utf8Path);

#[test]
fn kept_bytes_are_verified() {
    // The bytes on the disk changed, were truncated, or grew between the runs, or the journal is invalid.
    let half = LENGTH / 2;
    let changes: [(&str, PartialChange); 7] = [
        ("another byte", |partial, _| {
            let mut bytes = std::fs::read(partial).unwrap();
            bytes[100] ^= 1;
            std::fs::write(partial, bytes).unwrap();
        }),
        ("cut", |partial, _| {
            let bytes = std::fs::read(partial).unwrap();
            std::fs::write(partial, &bytes[..1000]).unwrap();
        }),
        ("longer than the file", |partial, _| std::fs::write(partial, super::noise(5, 3 * LENGTH)).unwrap()),
        ("as long as the file", |partial, _| std::fs::write(partial, super::noise(5, LENGTH)).unwrap()),
        ("no journal", |_, journal| std::fs::remove_file(journal).unwrap()),
        ("an invalid journal", |_, journal| std::fs::write(journal, "{\"format\":1,\"url\":7}").unwrap()),
        ("a journal of a later version", |_, journal| {
            let text = std::fs::read_to_string(journal).unwrap();
            std::fs::write(journal, text.replace("\"format\":1", "\"format\":99")).unwrap();
        }),
    ];
    for (name, change) in changes {
        let files = [package(0, LENGTH)];
        let (bench, loopback) = (Bench::new(), Loopback::start(world_of(&files)));
        loopback.rule(Rule::once("/files/", Action::File(vec![FileFault::CutAfter(half)])));
        fetch(&bench, &loopback, 1, &["--patience", "0"]);
        let kept = bench.mirror().join("partial").join(super::sha256_hex(&files[0].bytes));
        if kept.exists() {
            change(&kept, &kept.with_extension("json"));
        }
        let ran = fetch(&bench, &loopback, 1, &[]);
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
        check_all_published(&bench, &files).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(loopback.bytes_served() <= (half + 2 * LENGTH) as u64, "{name}");
        assert_eq!(names_in(&bench.mirror().join("quarantine")), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_index_has_the_digest_of_a_resumed_file() {
    let files = [package(0, LENGTH)];
    let (bench, loopback) = (Bench::new(), Loopback::start(world_of(&files)));
    loopback.rule(Rule::once("/files/", Action::File(vec![FileFault::CutAfter(LENGTH / 3)])));
    let document = fetch(&bench, &loopback, 1, &[]).exits(0).json();
    let file = &document["sets"][0]["files"][0];
    assert_eq!(file["sha256"], super::sha256_hex(&files[0].bytes));
    assert_eq!(file["size"], LENGTH);
    run_against(&bench, &loopback, &["verify"]).exits(0);
}
