//! Progress reports during a run: lines on a pipe, and JSON for programs.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::harness::{Bench, RunOutput, recording, text_of};
use super::support::{Action, FileSpec, Hook, Loopback, Rule, UpdateSpec, World, id};

const KB: &str = "KB5041865";

fn world(bytes: Vec<u8>) -> World {
    let title = format!(
        "2024-08 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems ({KB}) (26100.1457)"
    );
    let files = vec![FileSpec::package("windows11.0-kb5041865-arm64", "msu", bytes)];
    World::new().update(UpdateSpec { files, ..UpdateSpec::new(&id(1), &title) })
}

fn run_against(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> RunOutput {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    bench.run(&[&network[..], arguments].concat())
}

/// Returns the events on stderr. Fails if a line is not an event.
#[track_caller]
fn events(ran: &RunOutput) -> Vec<Value> {
    let events = ran.stderr.lines().map(|line| {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(text_of(&event["time"]).parse::<Timestamp>().is_ok(), "{line}");
        event
    });
    events.collect()
}

fn names(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| text_of(&event["event"])).collect()
}

#[test]
fn every_event_is_a_json_object_on_its_own_line() {
    let loopback = Loopback::start(world(vec![7; 5 << 20]));
    loopback.rule(Rule::once("/Search.aspx", Action::Status(503, Vec::new())));
    let bench = Bench::new();
    let fetch = ["--log-format", "json", "fetch", KB, "--no-closure"];
    let events = events(&run_against(&bench, &loopback, &fetch).exits(0));
    let expected =
        ["phase", "catalog_request", "waiting", "catalog_request", "catalog_request", "catalog_request"];
    let of_files = ["transfers_planned", "transfer_started", "transfer_progress", "transfer_finished"];
    let mut seen = names(&events);
    // The event `transfer_answered` is optional here.
    seen.retain(|name| name != "transfer_answered");
    assert_eq!(seen, [&expected[..], &of_files].concat());
    let of = |name: &str| events.iter().find(|event| event["event"] == name).cloned().unwrap_or_default();
    let waiting = of("waiting");
    assert!(
        waiting["seconds"].as_f64() > Some(0.0) && waiting["patience_left"].as_u64() > Some(500),
        "{waiting}"
    );
    assert!(text_of(&waiting["why"]).contains("status 503"), "{waiting}");
    assert_eq!(of("transfers_planned")["bytes"], 5 << 20);
    let finished = of("transfer_finished");
    assert!(text_of(&finished["file"]).starts_with("windows11.0-kb5041865-arm64_"), "{finished}");
    assert_eq!((&finished["bytes"], &finished["failure"]), (&json!(5 << 20), &Value::Null));
    let progress = of("transfer_progress");
    assert_eq!((&progress["size"], progress["bytes_of_all"].is_u64()), (&json!(5 << 20), true), "{progress}");
    // The test clock does not advance during the transfer, so no rate can be computed.
    assert_eq!(progress["bytes_per_second"], Value::Null);
}

#[test]
fn failures_are_events_in_every_output_mode() {
    let loopback = Loopback::start(World::new());
    let bench = Bench::new();
    for (arguments, expected) in [
        (&["fetch", KB][..], &["phase", "catalog_request", "failure"][..]),
        (&["--json", "fetch", KB], &["phase", "catalog_request", "failure"]),
        (&["-q", "fetch", KB], &["failure"]),
        (&["search", "--limit", "1", "x"], &["catalog_request", "error"]),
    ] {
        let ran = run_against(&bench, &loopback, &[&["--log-format=json"], arguments].concat());
        let events = events(&ran);
        let mut seen = names(&events);
        seen.dedup();
        for name in expected {
            assert!(seen.iter().any(|one| one == name), "{arguments:?}: {name} in {seen:?}");
        }
        let last = events.last().cloned().unwrap_or_default();
        assert_eq!(Some(&text_of(&last["event"]).as_str()), expected.last(), "{last}");
        assert!(last["hints"].is_array() && last["message"].is_string(), "{last}");
        if arguments[0] == "-q" {
            assert_eq!(seen, expected, "no other event may be printed");
        }
    }
}

#[test]
fn usage_errors_are_events_too() {
    let mut bench = Bench::new();
    let last = |ran: RunOutput| events(&ran.exits(2)).pop().unwrap_or_default();
    for arguments in [
        &["--log-format", "json", "fetch"][..],
        &["--log-format=json", "--json", "fetch", "--nothing"],
        &["--log-format", "json", "--config", "nowhere.toml", "list"],
    ] {
        let error = last(bench.run(arguments));
        assert_eq!((&error["event"], &error["kind"]), (&json!("error"), &json!("usage")), "{arguments:?}");
    }
    let refused = bench.run(&["--log-format", "xml", "list"]).exits(2);
    insta::assert_snapshot!(refused.stderr, @r"
    error: invalid value 'xml' for '--log-format <FORMAT>'
      [possible values: text, json]

    For more information, try '--help'.
    ");
    bench.env.insert("KBMIRROR_LOG_FORMAT".to_owned(), "json".to_owned());
    assert_eq!(last(bench.run(&["fetch"]))["event"], "error");
    bench.configure("format = 1\n[log]\nformat = 'json'\n");
    bench.env.clear();
    let missing = bench.run(&["show", KB, "--catalog", "--offline"]).exits(2);
    assert_eq!(names(&events(&missing)), ["error"]);
}

#[test]
fn progress_lines_are_written_to_a_pipe_every_30_seconds() {
    let loopback = Loopback::start(world(vec![7; 5 << 20]));
    let bench = Bench::new();
    let clock = Arc::clone(&bench.clock);
    // The server answers after 40 s.
    let slow = Hook(Arc::new(move || clock.advance(Duration::from_secs(40))));
    loopback.rule(Rule::once("/files/", Action::RunBefore(slow)));
    let ran = run_against(&bench, &loopback, &["--no-progress", "fetch", KB, "--no-closure"]).exits(0);
    let line = ran.stderr.lines().find(|line| line.contains("; in progress: ")).unwrap_or(&ran.stderr);
    assert!(
        line.starts_with("downloading ")
            && line.contains(" of 5.0 MB (")
            && line.contains("; 0 of 1 files done; in progress: kb5041865-arm64 "),
        "{line}"
    );
    assert_eq!(ran.stderr.matches("in progress: ").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("\nfetched windows11.0-kb5041865-arm64_"), "{}", ran.stderr);
    // With `-q`, no progress is printed.
    let quiet = bench.run(&["--replay", recording("demo").as_str(), "-q", "search", "KB5086672"]);
    assert!(!quiet.stderr.contains("querying"), "{}", quiet.stderr);
}
