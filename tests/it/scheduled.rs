//! Scheduled runs over real sockets: requests of a second run, state after a killed run, and two runs at once.
#![expect(clippy::disallowed_methods, reason = "mirrors are read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use camino::Utf8Path;
use kbmirror::mirror::Lock;
use serde_json::{Value, json};

use super::harness::{Bench, RunOutput, failure, field_texts, items, read_tree};
use super::support::{Action, FileSpec, Loopback, Rule, UpdateSpec, World, id};

const CONFIG: &str = "format = 1\n[[profile]]\nname = 'all'\nfamily = 'windows-11-24h2'\nmonths = 1\n";
const TODAY: &str = "2027-03-31";

fn arguments(loopback: &Loopback, command: &[&str]) -> Vec<String> {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--json", "--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    network.iter().chain(command).map(|&word| word.to_owned()).collect()
}

fn sync_as_of(bench: &Bench, loopback: &Loopback, today: &str) -> RunOutput {
    let arguments = arguments(loopback, &["--patience", "0", "sync", "--as-of", today]);
    bench.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn sync(bench: &Bench, loopback: &Loopback) -> RunOutput {
    sync_as_of(bench, loopback, TODAY)
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.configure(CONFIG);
    bench
}

/// Returns filler bytes that differ for each word.
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

/// Returns the checkpoint of 24H2, which every later update lists.
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

/// Returns the checkpoint's own entries. A Catalog that shows no entries for the checkpoint counts as unavailable.
fn checkpoints() -> World {
    [(10, "x64"), (20, "arm64")].into_iter().fold(World::new(), |world, (number, arch)| {
        let title = format!(
            "2024-09 Cumulative Update for Windows 11 Version 24H2 for {arch}-based Systems (KB5043080)"
        );
        world.update(UpdateSpec { files: vec![checkpoint(arch)], ..UpdateSpec::new(&id(number), &title) })
    })
}

/// Returns three cumulative updates for two architectures, and the checkpoint's own entries.
fn spring() -> World {
    [(10, "x64"), (20, "arm64")].into_iter().fold(checkpoints(), |world, (number, arch)| {
        world
            .update(lcu(number + 1, "KB5990002", arch, LATER_IN_MARCH, "26100.20002", "second"))
            .update(lcu(number + 2, "KB5990001", arch, MARCH, "26100.20001", "first"))
            .update(lcu(number + 3, "KB5980001", arch, ("2027-02", "2/9/2027"), "26100.19001", "february"))
    })
}

/// Returns the number of searches, details, dialogs, and files requested since a number of requests.
fn requests_since(loopback: &Loopback, before: usize) -> [usize; 4] {
    let seen = &loopback.requests()[before..];
    ["/Search.aspx", "/ScopedViewInline.aspx", "/DownloadDialog.aspx", ".msu"]
        .map(|part| seen.iter().filter(|seen| seen.path_and_query.contains(part)).count())
}

#[test]
fn a_second_run_sends_only_searches() {
    let (bench, loopback) = (bench(), Loopback::start(spring()));
    let first = sync(&bench, &loopback).exits(0).json();
    assert_eq!(field_texts(&first["sets"], "status"), ["published"; 6]);
    assert_eq!(requests_since(&loopback, 0), [6 + 4, 8, 8, 8]);
    let before = loopback.requests().len();
    let state = (read_tree(&bench.mirror().join("kb")), read_tree(&bench.mirror().join("pool")));
    bench.clock.advance(Duration::from_hours(24));
    let second = sync(&bench, &loopback).exits(0).json();
    assert_eq!(field_texts(&second["sets"], "status"), ["unchanged"; 6]);
    assert_eq!(requests_since(&loopback, before), [6 + 4, 0, 0, 0]);
    assert_eq!((read_tree(&bench.mirror().join("kb")), read_tree(&bench.mirror().join("pool"))), state);

    // A lost folder is published again from the pool, and this is not news.
    fs::remove_dir_all(bench.set_folder("KB5990001", "windows-11-24h2-x64")).unwrap();
    bench.clock.advance(Duration::from_hours(24));
    let restored = sync(&bench, &loopback).exits(0).json();
    assert_eq!((restored["published"].as_u64(), &restored["news"]["new"]), (Some(1), &json!([])));
}

#[test]
fn revised_entries_are_read_again_and_a_reissue_is_news() {
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
    // The dialog fails: the old folder stays, and the next run retries although the date is in the index.
    loopback.rule(Rule::always("/DownloadDialog.aspx", Action::Status(503, Vec::new())));
    bench.clock.advance(Duration::from_hours(24));
    let before = loopback.requests().len();
    let failed = sync(&bench, &loopback).exits(4).json();
    assert_eq!(requests_since(&loopback, before)[2], 1, "{failed:#}");
    assert!(items(&failed["failures"]["unreachable"]).len() == 1, "{failed:#}");

    loopback.clear_rules();
    bench.clock.advance(Duration::from_hours(24));
    let before = loopback.requests().len();
    let document = sync(&bench, &loopback).exits(0).json();
    assert_eq!(requests_since(&loopback, before)[1..], [1, 1, 1], "{document:#}");
    assert_eq!(field_texts(&document["news"]["reissued"], "kb"), ["KB5990001"]);
    assert_eq!(document["news"]["reissued"][0]["architecture"], "x64");
    assert_eq!(document["news"]["new"], json!([]));
    // February's update is no longer in the Catalog. Its month is in the window, so the disappearance is reported
    // once.
    assert_eq!(document["unlisted"], json!(["KB5980001"]));
    assert!(bench.set_folder("KB5980001", "windows-11-24h2-x64").exists());
}

#[test]
fn an_arm64_update_hours_later_is_reported_as_expected() {
    let (bench, loopback) = (bench(), Loopback::start(World::new()));
    let x64 = || World::new().update(lcu(1, "KB5990001", "x64", MARCH, "26100.20001", "first"));
    loopback.replace(x64());
    let early = sync_as_of(&bench, &loopback, "2027-03-10").exits(0).json();
    assert_eq!(field_texts(&early["expected"], "architecture"), ["arm64"]);
    assert_eq!(field_texts(&early["sets"], "architecture"), ["x64"]);
    assert_eq!(bench.json(&["status"]).exits(0).json()["health"]["expected"], early["expected"]);
    loopback.replace(x64().update(lcu(2, "KB5990001", "arm64", MARCH, "26100.20001", "first")));
    bench.clock.advance(Duration::from_hours(12));
    let before = loopback.requests().len();
    let late = sync_as_of(&bench, &loopback, "2027-03-10").exits(0).json();
    assert_eq!(late["expected"], json!([]));
    assert_eq!(field_texts(&late["news"]["new"], "architecture"), ["arm64"]);
    assert_eq!(requests_since(&loopback, before)[1..], [1, 1, 2], "x64 must not be queried again");
    // After more than a month, the next update is overdue.
    let missed = sync_as_of(&bench, &loopback, "2027-04-14").exits(0).json();
    assert_eq!(
        missed["expected"][0]["message"],
        "the Catalog does not show the cumulative update of 2027-04 for Windows 11 24H2, 25H2, 26H2 yet; \
         the second Tuesday was 2027-04-13"
    );
}

#[test]
fn configured_kbs_are_not_reported_as_unlisted() {
    let (bench, loopback) = (bench(), Loopback::start(spring()));
    let title =
        "2027-03 Servicing Stack Update for Windows 11, version 24H2 for x64-based Systems (KB5990009)";
    let stack =
        UpdateSpec { files: vec![package("KB5990009", "x64", "stack")], ..UpdateSpec::new(&id(9), title) };
    loopback.replace(spring().update(stack));
    bench.configure(&CONFIG.replace("format = 1\n", "format = 1\nkbs = ['KB5990009']\n"));
    let first = sync(&bench, &loopback).exits(0).json();
    assert_eq!(first["sets"][0]["kb"], "KB5990009", "configured KBs come first");
    bench.clock.advance(Duration::from_hours(1));
    let second = sync(&bench, &loopback).exits(0).json();
    assert_eq!((&second["unlisted"], &second["published"]), (&json!([]), &json!(0)));
}

#[test]
fn a_withdrawn_update_is_reported_once_and_kept() {
    // The date is chosen so that the newest release in the tables is not overdue.
    let (bench, loopback) = (Bench::starting_at("2026-10-02T08:00:00Z"), Loopback::start(spring()));
    // The configuration names the KB, so it is mirrored although it is withdrawn.
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
    assert!(status.contains("withdrawn by Microsoft but still here: KB5079391"), "{status}");
}

#[test]
fn one_failed_update_does_not_stop_the_rest_and_is_retried() {
    let (bench, loopback) = (bench(), Loopback::start(spring()));
    loopback.rule(Rule::always("kb5990002-x64", Action::CutAfter(1000)));
    let document = sync(&bench, &loopback).exits(4).json();
    assert_eq!((&document["published"], items(&document["news"]["failed"]).len()), (&json!(5), 1));
    assert!(!bench.set_folder("KB5990002", "windows-11-24h2-x64").exists());
    assert_eq!(bench.json(&["status"]).exits(10).json()["health"]["items_failed"], 1);
    loopback.clear_rules();
    bench.clock.advance(Duration::from_hours(1));
    let before = loopback.requests().len();
    let again = sync(&bench, &loopback).exits(0).json();
    assert_eq!((&again["published"], &again["unchanged"]), (&json!(1), &json!(5)));
    // The URLs may have changed, so the entry of the failed file is read again.
    assert_eq!(requests_since(&loopback, before)[3], 1);
    assert_eq!(requests_since(&loopback, before)[2], 1);
}

#[test]
fn an_unavailable_catalog_stops_the_run_after_two_queries() {
    let (bench, loopback) = (bench(), Loopback::start(spring()));
    loopback.rule(Rule::always("/Search.aspx", Action::Status(503, Vec::new())));
    sync(&bench, &loopback).exits(6);
    assert_eq!(loopback.requests().len(), 2, "two queries, not six");
    assert_eq!(bench.json(&["status"]).exits(10).json()["health"]["last_success"], Value::Null);
}

#[test]
fn a_concurrent_second_run_ends_at_once() {
    let (bench, loopback) = (bench(), Loopback::start(spring()));
    let lock = Lock::acquire(&bench.mirror().join("lock"), "now").unwrap();
    let message =
        format!("another process (process {}, since now) has locked the mirror", std::process::id());
    assert_eq!(sync(&bench, &loopback).exits(8).error(), failure("busy", message));
    assert_eq!(loopback.requests().len(), 0);
    assert!(!bench.mirror().join("health.json").exists(), "only the process with the lock writes the state");
    drop(lock);
    sync(&bench, &loopback).exits(0);
}

/// Returns the state of a mirror: its files and the content of the index, without times.
fn state(bench: &Bench) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    for (path, bytes) in read_tree(&bench.mirror()) {
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

/// Starts the program as a process, which can be killed.
fn spawn(mirror: &Utf8Path, loopback: &Loopback) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbmirror"));
    command.arg("--mirror").arg(mirror).args(arguments(loopback, &["sync", "--as-of", TODAY]));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Runs the program until the condition holds, and kills it. Returns `true` if it was still running then.
fn kill_when(bench: &Bench, loopback: &Loopback, condition: impl Fn() -> bool) -> bool {
    let mut child = spawn(&bench.mirror(), loopback);
    while !condition() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    // The child gets SIGKILL, so it does not run any cleanup.
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

/// Checks that no partial file is visible after a kill, and that the next run completes the same state.
fn expect_continued(bench: &Bench, loopback: &Loopback, expected: &BTreeMap<String, String>, killed: &str) {
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
fn a_killed_run_is_continued_by_the_next_run() {
    let loopback = Loopback::start(spring());
    let reference = bench();
    sync(&reference, &loopback).exits(0);
    let requests = loopback.requests().len();
    let expected = state(&reference);
    // The kill happens during searches, while entries are read, and between and during downloads.
    let mut killed = 0;
    for kill in 1..=10 {
        let after = 1 + (requests - 2) * kill / 10;
        let bench = bench();
        let until = loopback.requests().len() + after;
        killed += usize::from(kill_when(&bench, &loopback, || loopback.requests().len() >= until));
        expect_continued(&bench, &loopback, &expected, &format!("after {after} requests"));
    }
    assert!(killed >= 5, "the runs ended before they were killed: {killed}");
    // The kill happens during publication: a folder is being written, exists, and has its neighbours.
    for (number, part) in
        ["partial/publish-", "kb/KB5990002/windows-11-24h2-arm64/", "SHA256SUMS", "KB5990001.json"]
            .into_iter()
            .enumerate()
    {
        let bench = bench();
        let is_present = || names_below(&bench.mirror()).iter().any(|path| path.contains(part));
        kill_when(&bench, &loopback, is_present);
        expect_continued(&bench, &loopback, &expected, &format!("when {part} was seen ({number})"));
    }
}

/// Returns the paths of all files below a folder while another process changes it.
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

/// Returns the package files under their final names.
fn published(bench: &Bench) -> Vec<String> {
    let is_package = |path: &String| {
        path.starts_with("pool/")
            || path.starts_with("kb/") && (path.contains("-x64/") || path.contains("-arm64/"))
    };
    read_tree(&bench.mirror()).into_keys().filter(is_package).collect()
}
