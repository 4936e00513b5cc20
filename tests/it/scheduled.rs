//! Scheduled runs over real sockets: what a second run asks, what a run that was killed leaves, and two runs at once.
#![expect(clippy::disallowed_methods, reason = "mirrors are read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use camino::Utf8Path;
use kbmirror::mirror::Lock;
use serde_json::{Value, json};

use super::harness::{Bench, Ran, each, items, text_of, tree};
use super::support::{Action, FileSpec, Loopback, Rule, UpdateSpec, World, id};

const CONFIG: &str = "format = 1\n[[profile]]\nname = 'all'\nfamily = 'windows-11-24h2'\nmonths = 1\n";
const TODAY: &str = "2027-03-31";

fn arguments(loopback: &Loopback, command: &[&str]) -> Vec<String> {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--json", "--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    network.iter().chain(command).map(|&word| word.to_owned()).collect()
}

fn sync_as_of(bench: &Bench, loopback: &Loopback, today: &str) -> Ran {
    let arguments = arguments(loopback, &["--patience", "0", "sync", "--as-of", today]);
    bench.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn sync(bench: &Bench, loopback: &Loopback) -> Ran {
    sync_as_of(bench, loopback, TODAY)
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.configure(CONFIG);
    bench
}

/// Bytes that no other file has.
fn filler(word: &str, length: usize) -> Vec<u8> {
    word.bytes().cycle().take(length).collect()
}

fn package(kb: &str, arch: &str, content: &str) -> FileSpec {
    FileSpec::package(
        &format!("windows11.0-{}-{arch}", kb.to_lowercase()),
        "msu",
        filler(&format!("{content} {arch}"), 300_000),
    )
}

/// The checkpoint of 24H2, as every later update lists it.
fn checkpoint(arch: &str) -> FileSpec {
    package("KB5043080", arch, "checkpoint")
}

fn lcu(number: u32, kb: &str, arch: &str, date: (&str, &str), build: &str, content: &str) -> UpdateSpec {
    let (month, day) = date;
    let title = format!(
        "{month} Cumulative Update for Windows 11, version 24H2 for {arch}-based Systems ({kb}) ({build})"
    );
    UpdateSpec {
        last_updated: day.to_owned(),
        files: vec![package(kb, arch, content), checkpoint(arch)],
        ..UpdateSpec::new(&id(number), &title)
    }
}

const MARCH: (&str, &str) = ("2027-03", "3/9/2027");
const LATER_IN_MARCH: (&str, &str) = ("2027-03", "3/20/2027");

/// The checkpoint's own entries. A Catalog that shows nothing for it is ill.
fn checkpoints() -> World {
    [(10, "x64"), (20, "arm64")].into_iter().fold(World::new(), |world, (number, arch)| {
        let title = format!(
            "2024-09 Cumulative Update for Windows 11 Version 24H2 for {arch}-based Systems (KB5043080)"
        );
        world.update(UpdateSpec { files: vec![checkpoint(arch)], ..UpdateSpec::new(&id(number), &title) })
    })
}

/// Three cumulative updates for two architectures, and the checkpoint's own entries.
fn spring() -> World {
    [(10, "x64"), (20, "arm64")].into_iter().fold(checkpoints(), |world, (number, arch)| {
        world
            .update(lcu(number + 1, "KB5990002", arch, LATER_IN_MARCH, "26100.20002", "second"))
            .update(lcu(number + 2, "KB5990001", arch, MARCH, "26100.20001", "first"))
            .update(lcu(number + 3, "KB5980001", arch, ("2027-02", "2/9/2027"), "26100.19001", "february"))
    })
}

/// What was asked since a number of requests: searches, details, dialogs, and files.
fn asked_since(loopback: &Loopback, before: usize) -> [usize; 4] {
    let seen = &loopback.requests()[before..];
    ["/Search.aspx", "/ScopedViewInline.aspx", "/DownloadDialog.aspx", ".msu"]
        .map(|part| seen.iter().filter(|seen| seen.path_and_query.contains(part)).count())
}

#[test]
fn a_second_run_searches_and_asks_nothing_else() {
    let (bench, loopback) = (bench(), Loopback::start(spring()));
    let first = sync(&bench, &loopback).exits(0).json();
    assert_eq!(each(&first["sets"], "status"), ["published"; 6]);
    assert_eq!(asked_since(&loopback, 0), [6 + 4, 8, 8, 8]);
    let before = loopback.requests().len();
    let state = (tree(&bench.mirror().join("kb")), tree(&bench.mirror().join("pool")));
    bench.clock.advance(Duration::from_hours(24));
    let second = sync(&bench, &loopback).exits(0).json();
    assert_eq!(each(&second["sets"], "status"), ["unchanged"; 6]);
    assert_eq!(asked_since(&loopback, before), [6 + 4, 0, 0, 0]);
    assert_eq!((tree(&bench.mirror().join("kb")), tree(&bench.mirror().join("pool"))), state);

    // A folder that was lost is made again from the pool, and that is no news.
    fs::remove_dir_all(bench.set("KB5990001", "windows-11-24h2-x64")).unwrap();
    bench.clock.advance(Duration::from_hours(24));
    let mended = sync(&bench, &loopback).exits(0).json();
    assert_eq!((mended["published"].as_u64(), &mended["news"]["new"]), (Some(1), &json!([])));
}

#[test]
fn what_was_revised_is_read_again_and_a_reissue_is_news() {
    let (bench, loopback) = (bench(), Loopback::start(spring()));
    sync(&bench, &loopback).exits(0);
    let revised = |content: &str| {
        let mut world = checkpoints();
        for (number, arch) in [(10, "x64"), (20, "arm64")] {
            world = world.update(lcu(number + 1, "KB5990002", arch, LATER_IN_MARCH, "26100.20002", "second"));
        }
        world
            .update(lcu(12, "KB5990001", "x64", ("2027-03", "3/24/2027"), "26100.20001", content))
            .update(lcu(22, "KB5990001", "arm64", MARCH, "26100.20001", "first"))
    };
    loopback.replace(revised("first, mended"));
    // The dialog fails: the old folder stays, and the next run asks again although the date is in the index.
    loopback.rule(Rule::always("/DownloadDialog.aspx", Action::Status(503, Vec::new())));
    bench.clock.advance(Duration::from_hours(24));
    let before = loopback.requests().len();
    let failed = sync(&bench, &loopback).exits(4).json();
    assert_eq!(asked_since(&loopback, before)[2], 1, "{failed:#}");
    assert!(items(&failed["failures"]["unreachable"]).len() == 1, "{failed:#}");

    loopback.clear_rules();
    bench.clock.advance(Duration::from_hours(24));
    let before = loopback.requests().len();
    let document = sync(&bench, &loopback).exits(0).json();
    assert_eq!(asked_since(&loopback, before)[1..], [1, 1, 1], "{document:#}");
    assert_eq!(each(&document["news"]["reissued"], "kb"), ["KB5990001"]);
    assert_eq!(document["news"]["reissued"][0]["architecture"], "x64");
    assert_eq!(document["news"]["new"], json!([]));
    // February left the Catalog. The month of February is in the window: that is told once.
    assert_eq!(document["unlisted"], json!(["KB5980001"]));
    assert!(bench.set("KB5980001", "windows-11-24h2-x64").exists());
}

#[test]
fn arm64_comes_hours_later_and_the_run_says_so() {
    let (bench, loopback) = (bench(), Loopback::start(World::new()));
    let x64 = || World::new().update(lcu(1, "KB5990001", "x64", MARCH, "26100.20001", "first"));
    loopback.replace(x64());
    let early = sync_as_of(&bench, &loopback, "2027-03-10").exits(0).json();
    assert_eq!(each(&early["expected"], "architecture"), ["arm64"]);
    assert_eq!(each(&early["sets"], "architecture"), ["x64"]);
    assert_eq!(bench.json(&["status"]).exits(0).json()["health"]["expected"], early["expected"]);
    loopback.replace(x64().update(lcu(2, "KB5990001", "arm64", MARCH, "26100.20001", "first")));
    bench.clock.advance(Duration::from_hours(12));
    let before = loopback.requests().len();
    let late = sync_as_of(&bench, &loopback, "2027-03-10").exits(0).json();
    assert_eq!(late["expected"], json!([]));
    assert_eq!(each(&late["news"]["new"], "architecture"), ["arm64"]);
    assert_eq!(asked_since(&loopback, before)[1..], [1, 1, 2], "x64 is not asked for again");
    // Over a month later the next one is missed.
    let missed = sync_as_of(&bench, &loopback, "2027-04-14").exits(0).json();
    assert!(text_of(&missed["expected"][0]["message"]).contains("2027-04"), "{missed:#}");
}

#[test]
fn what_no_search_asks_for_is_not_missed_in_the_answers() {
    let (bench, loopback) = (bench(), Loopback::start(spring()));
    let title =
        "2027-03 Servicing Stack Update for Windows 11, version 24H2 for x64-based Systems (KB5990009)";
    let stack =
        UpdateSpec { files: vec![package("KB5990009", "x64", "stack")], ..UpdateSpec::new(&id(9), title) };
    loopback.replace(spring().update(stack));
    bench.configure(&CONFIG.replace("format = 1\n", "format = 1\nkbs = ['KB5990009']\n"));
    let first = sync(&bench, &loopback).exits(0).json();
    assert_eq!(first["sets"][0]["kb"], "KB5990009", "what is named comes first");
    bench.clock.advance(Duration::from_hours(1));
    let second = sync(&bench, &loopback).exits(0).json();
    assert_eq!((&second["unlisted"], &second["published"]), (&json!([]), &json!(0)));
}

#[test]
fn what_microsoft_withdrew_is_told_once_and_kept() {
    // A day on which the newest release that the tables know is not behind.
    let (bench, loopback) = (Bench::starting("2026-10-02T08:00:00Z"), Loopback::start(spring()));
    // Named in the configuration, so it is wanted in spite of that.
    bench.configure("format = 1\nkbs = ['KB5079391']\n");
    let pulled = lcu(1, "KB5079391", "x64", ("2026-03", "3/26/2026"), "26100.8116", "pulled");
    loopback.replace(World::new().update(pulled));
    let first = sync(&bench, &loopback).exits(0).json();
    assert_eq!(
        (&first["withdrawn"], &first["news"]["withdrawn"]),
        (&json!(["KB5079391"]), &json!(["KB5079391"]))
    );
    bench.clock.advance(Duration::from_hours(1));
    let second = sync(&bench, &loopback).exits(0).json();
    assert_eq!((&second["withdrawn"], &second["news"]["withdrawn"]), (&json!(["KB5079391"]), &json!([])));
    let status = bench.run(&["status"]).exits(0).stdout;
    assert!(status.contains("withdrawn by Microsoft and still here: KB5079391"), "{status}");
}

#[test]
fn one_bad_update_does_not_stop_the_rest_and_is_tried_again() {
    let (bench, loopback) = (bench(), Loopback::start(spring()));
    loopback.rule(Rule::always("kb5990002-x64", Action::CutAfter(1000)));
    let document = sync(&bench, &loopback).exits(4).json();
    assert_eq!((&document["published"], items(&document["news"]["failed"]).len()), (&json!(5), 1));
    assert!(!bench.set("KB5990002", "windows-11-24h2-x64").exists());
    assert_eq!(bench.json(&["status"]).exits(10).json()["health"]["items_failed"], 1);
    loopback.clear_rules();
    bench.clock.advance(Duration::from_hours(1));
    let before = loopback.requests().len();
    let again = sync(&bench, &loopback).exits(0).json();
    assert_eq!((&again["published"], &again["unchanged"]), (&json!(1), &json!(5)));
    // Addresses may have changed, so the entry whose file failed is read anew.
    assert_eq!(asked_since(&loopback, before)[3], 1);
    assert_eq!(asked_since(&loopback, before)[2], 1);
}

#[test]
fn a_catalog_that_is_down_is_not_asked_on_and_on() {
    let (bench, loopback) = (bench(), Loopback::start(spring()));
    loopback.rule(Rule::always("/Search.aspx", Action::Status(503, Vec::new())));
    sync(&bench, &loopback).exits(6);
    assert_eq!(loopback.requests().len(), 2, "two questions, not six");
    assert_eq!(bench.json(&["status"]).exits(10).json()["health"]["last_success"], Value::Null);
}

#[test]
fn a_second_run_at_the_same_time_ends_at_once() {
    let (bench, loopback) = (bench(), Loopback::start(spring()));
    let lock = Lock::take(&bench.mirror().join("lock"), "now").unwrap();
    let (kind, message) = sync(&bench, &loopback).exits(8).error();
    assert_eq!(kind, "busy");
    assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    assert_eq!(loopback.requests().len(), 0);
    assert!(!bench.mirror().join("health.json").exists(), "the state is the other one's to write");
    drop(lock);
    sync(&bench, &loopback).exits(0);
}

/// What of a mirror is its state: files, and what the index says of them, without times.
fn state(bench: &Bench) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    for (path, bytes) in tree(&bench.mirror()) {
        let kept = ["kb/", "pool/", "partial/", "quarantine/"].iter().any(|folder| path.starts_with(folder));
        if kept {
            let text = String::from_utf8_lossy(&bytes);
            let lines = text.lines().filter(|line| !line.contains("\"first_seen\""));
            state.insert(path, lines.collect::<Vec<_>>().join("\n"));
        }
    }
    for query in [
        "SELECT kb, folder, place, architecture, products, role, name, sha256, present, state FROM v_sets",
        "SELECT name, sha1, sha256, size, present FROM v_files",
        "SELECT kb, architecture, name, role, needs_kb, needs_name, source FROM v_needs",
        "SELECT name, what, against FROM checks JOIN files ON files.id = checks.file",
        "SELECT update_id, title, last_updated, size FROM v_updates",
    ] {
        let rows = bench.rows(&format!("SELECT * FROM ({query}) ORDER BY 1, 2, 3"));
        assert!(!rows.is_empty(), "{query}");
        state.insert(query.to_owned(), format!("{rows:#?}"));
    }
    state
}

/// The program itself, so that it can be killed.
fn spawn(mirror: &Utf8Path, loopback: &Loopback) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbmirror"));
    command.arg("--mirror").arg(mirror).args(arguments(loopback, &["sync", "--as-of", TODAY]));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Runs the program until something is so, and kills it; whether it was still running then.
fn kill_when(bench: &Bench, loopback: &Loopback, is_so: impl Fn() -> bool) -> bool {
    let mut child = spawn(&bench.mirror(), loopback);
    while !is_so() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    // SIGKILL: nothing of the program runs any more.
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

/// After a kill nothing half is visible, and one more run gives what an undisturbed one gives.
fn is_continued(bench: &Bench, loopback: &Loopback, expected: &BTreeMap<String, String>, killed: &str) {
    for name in published(bench) {
        let text = String::from_utf8(fs::read(bench.mirror().join(&name)).unwrap()).unwrap();
        assert_eq!(expected.get(&name), Some(&text), "killed {killed}: {name} is visible");
    }
    let document = sync(bench, loopback).exits(0).json();
    assert_eq!(items(&document["sets"]).len(), 6, "killed {killed}");
    let found = state(bench);
    for (name, text) in expected {
        assert_eq!(found.get(name), Some(text), "killed {killed}: {name}");
    }
    let more: Vec<&String> = found.keys().filter(|name| !expected.contains_key(*name)).collect();
    assert_eq!(more, Vec::<&String>::new(), "killed {killed}");
    bench.json(&["verify"]).exits(0);
}

#[test]
fn a_run_that_is_killed_anywhere_is_continued_by_the_next_one() {
    let loopback = Loopback::start(spring());
    let undisturbed = bench();
    sync(&undisturbed, &loopback).exits(0);
    let requests = loopback.requests().len();
    let expected = state(&undisturbed);
    // While searching, while reading entries, and between and within downloads.
    let mut killed = 0;
    for kill in 1..=10 {
        let after = 1 + (requests - 2) * kill / 10;
        let bench = bench();
        let until = loopback.requests().len() + after;
        killed += usize::from(kill_when(&bench, &loopback, || loopback.requests().len() >= until));
        is_continued(&bench, &loopback, &expected, &format!("after {after} requests"));
    }
    assert!(killed >= 5, "the runs ended before they were killed: {killed}");
    // While publishing: a folder is being made, is there, has its neighbours.
    for (number, part) in
        ["partial/publish-", "kb/KB5990002/windows-11-24h2-arm64/", "SHA256SUMS", "KB5990001.json"]
            .into_iter()
            .enumerate()
    {
        let bench = bench();
        let there = || names_below(&bench.mirror()).iter().any(|path| path.contains(part));
        kill_when(&bench, &loopback, there);
        is_continued(&bench, &loopback, &expected, &format!("when {part} was seen ({number})"));
    }
}

/// The paths of all files below a folder, while somebody changes it.
fn names_below(folder: &Utf8Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().into_iter().flatten().flatten() {
            names.push(entry.path().as_str().replace('\\', "/"));
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path().to_owned());
            }
        }
    }
    names
}

/// The package files that stand under their final names.
fn published(bench: &Bench) -> Vec<String> {
    let is_package = |path: &String| {
        path.starts_with("pool/")
            || path.starts_with("kb/") && (path.contains("-x64/") || path.contains("-arm64/"))
    };
    tree(&bench.mirror()).into_keys().filter(is_package).collect()
}
