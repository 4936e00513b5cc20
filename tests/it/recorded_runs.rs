//! Complete runs that are recorded and replayed: the index, the folders, and the JSON must be the same, for
//! successful and failed runs.
#![expect(clippy::disallowed_methods, reason = "recordings are read and spoiled as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::BTreeMap;
use std::fs;

use camino::Utf8Path;
use serde_json::Value;

use super::harness::{Bench, RunOutput, failure, field_texts, items, read_tree, recording, sha256_hex};
use super::support::{Action, FileSpec, Loopback, Rule, UpdateSpec, World, id};

/// Returns a server with the demo recording.
fn demo() -> Loopback {
    Loopback::from_recording(recording("demo").as_std_path())
}

/// Runs a command with `--record` or `--replay`, and with the network options that both need.
fn run(bench: &Bench, loopback: &Loopback, option: &str, folder: &Utf8Path, command: &[&str]) -> RunOutput {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    bench.json(&[&network[..], &[option, folder.as_str()], command].concat())
}

/// Returns the rows of the index without timestamps and without the origin of the content.
fn index(bench: &Bench) -> BTreeMap<String, Vec<Vec<String>>> {
    if !bench.mirror().join("mirror.db").exists() {
        return BTreeMap::new();
    }
    let times = ["added", "checked", "since"];
    let mut dump = bench.dump_index(|column| column.ends_with("_seen") || times.contains(&column));
    dump.retain(|table, _| !table.starts_with("meta "));
    dump
}

/// Returns stdout without the test folder, and without the time in the name of a saved page.
fn normalized_stdout(ran: &RunOutput, bench: &Bench) -> String {
    let time = regex::Regex::new(r"\d{4}-\d\d-\d\dT\d{6}Z").unwrap();
    time.replace_all(&ran.stdout.replace(bench.path("").as_str(), ""), "TIME").into_owned()
}

/// Returns the lines of a recording after its header.
fn lines(folder: &Utf8Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("index.jsonl")).unwrap();
    text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Records a run, replays it on another mirror, and compares the output, the index, and the published files.
#[track_caller]
fn expect_replay(loopback: &Loopback, command: &[&str], code: u8) -> Vec<Value> {
    let (live, again) = (Bench::new(), Bench::new());
    let kept = live.path("kept");
    let recorded = run(&live, loopback, "--record", &kept, command).exits(code);
    let requests = loopback.requests().len();
    loopback.clear_rules();
    let replayed = run(&again, loopback, "--replay", &kept, command).exits(code);
    assert_eq!(loopback.requests().len(), requests, "a replay must not send requests");
    assert_eq!(normalized_stdout(&replayed, &again), normalized_stdout(&recorded, &live), "{command:?}");
    let (replayed_index, recorded_index) = (index(&again), index(&live));
    assert_eq!(replayed_index.keys().collect::<Vec<_>>(), recorded_index.keys().collect::<Vec<_>>());
    for (table, rows) in recorded_index {
        assert_eq!(replayed_index[&table], rows, "{command:?}: {table}");
    }
    // Scripts and pages of a replay mention the replay, so they are not compared.
    let files = |bench: &Bench| -> BTreeMap<String, String> {
        let files = read_tree(&bench.mirror().join("kb")).into_iter();
        let same = files.filter(|(path, _)| path.contains(".msu") || path.ends_with("SHA256SUMS"));
        same.map(|(path, bytes)| (path, sha256_hex(&bytes))).collect()
    };
    assert_eq!(files(&again), files(&live), "{command:?}");
    // The recording has every exchange and nothing else.
    let lines = lines(&kept);
    let seen = loopback.requests();
    let hops = seen.iter().filter(|seen| seen.path_and_query.contains("Error.aspx?")).count();
    assert_eq!(lines.len(), requests - hops, "{command:?}");
    lines
}

#[test]
fn a_successful_run_is_replayed() {
    for command in [
        &["search", "KB5086672"][..],
        &["crawl", "KB5086672", "KB5094141"],
        &["fetch", "KB5086672", "KB5050182", "--arch", "x64"],
        &["fetch", "KB5086672", "--dry-run"],
    ] {
        let lines = expect_replay(&demo(), command, 0);
        assert!(lines.iter().all(|line| line.get("failure").is_none() && line.get("cut").is_none()));
    }
    expect_replay(&demo(), &["fetch", "KB9999999"], 3);
}

#[test]
fn a_run_with_retries_is_replayed_with_its_retries() {
    let retry_after = vec![("Retry-After".to_owned(), "3".to_owned())];
    for (place, action) in [
        ("/Search.aspx", Action::ErrorPage),
        ("/ScopedViewInline.aspx", Action::ErrorPage),
        ("/DownloadDialog.aspx", Action::Close),
        ("/Search.aspx", Action::CutAfter(2_000)),
        ("/ScopedViewInline.aspx", Action::Status(503, retry_after)),
        ("/DownloadDialog.aspx", Action::Body("text/html", b"<html>try later</html>".to_vec())),
        ("kb5086672", Action::Close),
        ("kb5086672", Action::CutAfter(1_000)),
        ("kb5043080", Action::Status(500, Vec::new())),
    ] {
        let loopback = demo();
        loopback.rule(Rule::once(place, action.clone()));
        let lines = expect_replay(&loopback, &["fetch", "KB5086672", "--arch", "arm64"], 0);
        let failures = lines.iter().filter(|line| line.get("failure").is_some()).count();
        let expected = usize::from(matches!(action, Action::Close | Action::CutAfter(_)));
        assert_eq!(failures, expected, "{place} {action:?}");
    }
}

#[test]
fn a_failed_run_is_replayed_with_its_failure() {
    for (place, action, code) in [
        ("/Search.aspx", Action::ErrorPage, 6),
        ("/Search.aspx", Action::Close, 6),
        ("/Search.aspx", Action::CutAfter(500), 6),
        ("/Search.aspx", Action::Status(503, Vec::new()), 6),
        ("/Search.aspx", Action::Redirect("http://elsewhere.invalid/login".to_owned()), 5),
        ("/Search.aspx", Action::Body("text/html", b"<form>log in</form>".to_vec()), 7),
        ("/Search.aspx", Action::Body("text/html", vec![b'x'; 3 << 20]), 7),
        ("/DownloadDialog.aspx", Action::Close, 6),
        ("kb5086672", Action::Close, 6),
        ("kb5086672", Action::CutAfter(0), 6),
        ("kb5086672", Action::Body("application/octet-stream", b"short".to_vec()), 5),
        ("kb5086672", Action::Body("application/octet-stream", vec![0; 3 << 20]), 5),
    ] {
        let loopback = demo();
        loopback.rule(Rule::always(place, action));
        expect_replay(&loopback, &["--patience", "5s", "fetch", "KB5086672", "--arch", "arm64"], code);
    }
}

#[test]
fn a_replay_reports_a_package_too_large_for_the_recording() {
    let file = FileSpec::package("windows10.0-kb5100001-x64", "msu", vec![7; (2 << 20) + 1]);
    let name = file.name.clone();
    let title = "2025-09 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5100001)";
    let world = World::new().update(UpdateSpec { files: vec![file], ..UpdateSpec::new(&id(1), title) });
    let loopback = Loopback::start(world);
    let (live, again) = (Bench::new(), Bench::new());
    let kept = live.path("kept");
    run(&live, &loopback, "--record", &kept, &["fetch", "KB5100001"]).exits(0);
    let size: usize = read_tree(&kept).values().map(Vec::len).sum();
    assert!(size < 100_000, "the recording must not contain the package: {size}");

    let replayed = run(&again, &loopback, "--replay", &kept, &["fetch", "KB5100001"]).exits(6);
    let document = replayed.json();
    assert_eq!(field_texts(&document["failures"], "kind"), ["not_recorded"]);
    let message = document["failures"][0]["message"].as_str().unwrap();
    assert!(message.contains(&name) && message.contains("omits files larger than 2 MiB"), "{message}");
    assert!(!again.mirror().join("kb").exists());
    // Commands that need no package bytes can be replayed.
    run(&Bench::new(), &loopback, "--replay", &kept, &["fetch", "KB5100001", "--dry-run"]).exits(0);
    run(&Bench::new(), &loopback, "--replay", &kept, &["crawl", "KB5100001"]).exits(0);
}

#[test]
fn a_truncated_recording_is_used_up_to_its_last_complete_line() {
    let loopback = demo();
    let live = Bench::new();
    let kept = live.path("kept");
    run(&live, &loopback, "--record", &kept, &["crawl", "KB5094141", "KB5031539"]).exits(0);
    let index = kept.join("index.jsonl");
    let complete = fs::read(&index).unwrap();
    let last = complete[..complete.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    for end in [last, last + 1, last + 40, complete.len() - 1, complete.len()] {
        fs::write(&index, &complete[..end]).unwrap();
        let again = Bench::new();
        // The last line is also used without its line break if it is complete.
        let is_complete = end >= complete.len() - 1;
        let ran = run(&again, &loopback, "--replay", &kept, &["crawl", "KB5094141", "KB5031539"]);
        if is_complete {
            ran.exits(0);
        } else {
            let document = ran.exits(4).json();
            assert_eq!(field_texts(&document["failures"], "kind"), ["not_recorded"], "{document:#}");
            assert!(items(&document["sets"]).iter().any(|set| set["kb"] == "KB5094141"), "{document:#}");
        }
    }
    // A truncated line in the middle is damage.
    fs::write(&index, [&complete[..last - 10], b"\n", &complete[last..]].concat()).unwrap();
    let (kind, message) =
        run(&Bench::new(), &loopback, "--replay", &kept, &["crawl", "KB5094141"]).exits(2).error();
    assert_eq!(kind, "usage");
    assert!(message.contains("index.jsonl cannot be read"), "{message}");
}

#[test]
fn newer_recording_formats_are_refused() {
    let bench = Bench::new();
    let kept = bench.path("kept");
    let loopback = demo();
    run(&bench, &loopback, "--record", &kept, &["search", "KB5086672"]).exits(0);
    let index = kept.join("index.jsonl");
    let text = fs::read_to_string(&index).unwrap();
    assert!(text.starts_with("{\"format\":2,"), "{text}");
    fs::write(&index, text.replacen("\"format\":2", "\"format\":1", 1)).unwrap();
    run(&bench, &loopback, "--replay", &kept, &["search", "KB5086672"]).exits(0);
    fs::write(&index, text.replacen("\"format\":2", "\"format\":3", 1)).unwrap();
    let ran = run(&bench, &loopback, "--replay", &kept, &["search", "KB5086672"]).exits(2);
    let message = format!("{index} has format 3; this program reads formats up to 2");
    assert_eq!(ran.error(), failure("usage", message));
    // A line with neither an answer nor a failure.
    let empty = text.replacen("\"status\":200", "\"status\":null", 1);
    fs::write(&index, empty).unwrap();
    let ran = run(&bench, &loopback, "--replay", &kept, &["search", "KB5086672"]).exits(2);
    let message = format!("line 2 of {index} has neither a response nor a failure");
    assert_eq!(ran.error(), failure("usage", message));
}

#[test]
fn a_recording_omits_details_of_the_recording_machine() {
    let bench = Bench::new();
    let kept = bench.path("kept");
    let loopback = demo();
    loopback.rule(Rule::once("/Search.aspx", Action::Close));
    loopback.rule(Rule::once(
        "/Search.aspx",
        Action::Status(
            503,
            vec![("Set-Cookie".to_owned(), "secret".to_owned()), ("Via".to_owned(), "secret".to_owned())],
        ),
    ));
    bench.configure("format = 1\n");
    let config = bench.mirror().join("kbmirror.toml");
    let command = ["--config", config.as_str(), "fetch", "KB5086672", "--arch", "arm64"];
    run(&bench, &loopback, "--record", &kept, &command).exits(0);
    let text = fs::read_to_string(kept.join("index.jsonl")).unwrap();
    let header: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(header["recording"], "fetch KB5086672 --arch arm64");
    for secret in [bench.path("").as_str(), "kbmirror.toml", "secret", "cookie", "user-agent"] {
        for (path, bytes) in read_tree(&kept) {
            assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{secret} in {path}");
        }
    }
}
