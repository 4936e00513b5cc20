//! Stop requests: the requests after them, the output, the partial files, and the next run.
#![expect(clippy::disallowed_methods, reason = "mirrors are read and prepared as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::sync::{Arc, Mutex};

use kbmirror::net::{Signal, StopRequest};
use serde_json::json;

use super::harness::{Bench, RunOutput, field_texts, items, names_in, sha256_hex};
use super::support::{Action, FileFault, FileSpec, Hook, Loopback, Rule, UpdateSpec, World, id};

const KBS: [&str; 3] = ["KB5041865", "KB5042000", "KB5042999"];

fn update(number: u32, kb: &str) -> UpdateSpec {
    let title = format!(
        "2024-0{number} Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems ({kb}) (26100.{number}00)"
    );
    let package = FileSpec::package(&format!("windows11.0-{}-arm64", kb.to_lowercase()), "msu", kb);
    UpdateSpec { files: vec![package], ..UpdateSpec::new(&id(number), &title) }
}

/// Returns three KBs that do not require each other.
fn world() -> World {
    (1..).zip(KBS).fold(World::new(), |world, (number, kb)| world.update(update(number, kb)))
}

fn run_against(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> RunOutput {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    bench.run(&[&network[..], arguments].concat())
}

fn count_requests(loopback: &Loopback, part: &str) -> usize {
    loopback.requests().iter().filter(|seen| seen.path_and_query.contains(part)).count()
}

/// Returns a bench whose run gets a stop request during the next request to the path.
fn stopped_at(loopback: &Loopback, path: &str, signal: Signal) -> Bench {
    let (stopper, stop) = StopRequest::pair();
    let hook = Hook(Arc::new(move || stopper.stop(signal)));
    loopback.rule(Rule::once(path, Action::RunBefore(hook)));
    Bench::new().stopped_by(stop)
}

const ALL: [&str; 5] = ["fetch", KBS[0], KBS[1], KBS[2], "--no-closure"];

#[test]
fn no_request_follows_a_stop_request() {
    for (path, signal, code) in [
        ("/Search.aspx", Signal::Interrupt, 130),
        ("/ScopedViewInline.aspx", Signal::Terminate, 143),
        ("/DownloadDialog.aspx", Signal::Interrupt, 130),
        ("/files/", Signal::Terminate, 143),
    ] {
        let loopback = Loopback::start(world());
        let bench = stopped_at(&loopback, path, signal);
        let ran = run_against(&bench, &loopback, &ALL).exits(code);
        let last = loopback.requests().pop().unwrap();
        assert!(last.path_and_query.starts_with(path), "{path}: {last:?}");
        // Files are downloaded in parallel.
        assert_eq!(
            count_requests(&loopback, path),
            count_requests(&loopback, path).min(if path == "/files/" { 3 } else { 1 }),
            "{path}"
        );
        let is_of_run = |line: &&str| line.starts_with("stopping") || line.starts_with("error");
        let lines: Vec<&str> = ran.stderr.lines().filter(is_of_run).collect();
        assert_eq!(
            lines,
            [
                "stopping: partial files are kept; press Ctrl-C again to end at once",
                "error: stopped: kept all complete files; no partial files remain",
            ],
            "{path}: {}",
            ran.stderr
        );
        assert!(ran.stderr.ends_with("  hint: run the same command again to resume\n"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
        if path != "/Search.aspx" {
            let runs = bench.rows("SELECT exit_code FROM runs WHERE finished IS NOT NULL");
            assert_eq!(runs, [[code.to_string()]], "{path}");
        }

        // The next run is not affected.
        let again = bench.stopped_by(StopRequest::never());
        run_against(&again, &loopback, &ALL).exits(0);
        for kb in KBS {
            assert_eq!(names_in(&again.set_folder(kb, "windows-11-24h2-arm64")).len(), 1, "{path} {kb}");
        }
    }
}

/// The partial files are counted only for the message: if this fails, the run still counts as stopped and its end is
/// recorded.
#[test]
fn a_stopped_run_ends_properly_without_a_readable_partial() {
    let loopback = Loopback::start(world());
    let bench = Bench::new();
    let (stopper, stop) = StopRequest::pair();
    let partial = bench.mirror().join("partial");
    let hook = Hook(Arc::new(move || {
        if partial.exists() {
            std::fs::remove_dir_all(&partial).unwrap();
        }
        std::fs::write(&partial, "not a folder").unwrap();
        stopper.stop(Signal::Interrupt);
    }));
    loopback.rule(Rule::once("/DownloadDialog.aspx", Action::RunBefore(hook)));
    let bench = bench.stopped_by(stop);
    let ran = run_against(&bench, &loopback, &ALL).exits(130);
    assert!(ran.stderr.contains("error: stopped: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("partial"), "{}", ran.stderr);
    assert_eq!(bench.rows("SELECT exit_code FROM runs WHERE finished IS NOT NULL"), [["130".to_owned()]]);
}

/// A stop during a body: the received bytes are kept as a durable partial file and reported, and the next run
/// requests only the rest.
#[test]
fn an_interrupted_download_is_kept_and_resumed() {
    const SIZE: usize = 400_000;
    let package = FileSpec::package("windows11.0-kb5041865-arm64", "msu", vec![7; SIZE]);
    let update = UpdateSpec { files: vec![package.clone()], ..update(1, KBS[0]) };
    let loopback = Loopback::start(World::new().update(update));
    let (stopper, stop) = StopRequest::pair();
    let pieces = Mutex::new(0);
    let hook = Hook(Arc::new(move || {
        let mut pieces = pieces.lock().unwrap();
        *pieces += 1;
        if *pieces == 10 {
            stopper.stop(Signal::Interrupt);
        }
    }));
    loopback.rule(Rule::once("/files/", Action::File(vec![FileFault::StallAfter(SIZE / 2, hook)])));
    let bench = Bench::new().stopped_by(stop);
    let fetch = ["fetch", KBS[0], "--no-closure"];
    let ran = run_against(&bench, &loopback, &fetch).exits(130);
    let error = "error: stopped: kept 1 partial file with 195.3 KB under partial/";
    assert!(ran.stderr.lines().any(|line| line == error), "{}", ran.stderr);
    let sha256 = sha256_hex(&package.bytes);
    assert_eq!(names_in(&bench.mirror().join("partial")), [sha256.clone(), format!("{sha256}.json")]);
    let journal = std::fs::read_to_string(bench.mirror().join(format!("partial/{sha256}.json"))).unwrap();
    let journal: serde_json::Value = serde_json::from_str(&journal).unwrap();
    assert_eq!((&journal["durable"], &journal["size"]), (&json!(SIZE / 2), &json!(SIZE)));

    let again = bench.stopped_by(StopRequest::never());
    run_against(&again, &loopback, &fetch).exits(0);
    let last = loopback.requests().pop().unwrap();
    assert_eq!(last.range.as_deref(), Some("bytes=200000-"));
    assert_eq!(names_in(&again.set_folder(KBS[0], "windows-11-24h2-arm64")), [package.name]);
    assert_eq!(names_in(&again.mirror().join("partial")), Vec::<String>::new());
}

#[test]
fn published_sets_stay_and_the_json_document_is_complete() {
    let loopback = Loopback::start(world());
    let bench = Bench::new();
    run_against(&bench, &loopback, &["fetch", KBS[0], "--no-closure"]).exits(0);
    let parked = bench.mirror().join("partial").join("0".repeat(64));
    std::fs::write(&parked, vec![0; 3 << 20]).unwrap();
    std::fs::write(format!("{parked}.json"), "{}").unwrap();

    let (stopper, stop) = StopRequest::pair();
    let hook = Hook(Arc::new(move || stopper.stop(Signal::Terminate)));
    loopback.rule(Rule::once(&format!("q={}", KBS[1]), Action::RunBefore(hook)));
    let bench = bench.stopped_by(stop);
    let ran = run_against(&bench, &loopback, &[&["--json"], &ALL[..]].concat()).exits(143);
    let document = ran.json();
    assert_eq!(field_texts(&document["sets"], "kb"), [KBS[0]]);
    assert_eq!(field_texts(&document["sets"], "status"), ["unchanged"]);
    let message = "stopped: kept 1 partial file with 3.0 MB under partial/";
    assert_eq!(document["failures"], json!([{ "what": message, "kind": "interrupted", "message": message }]));
    assert!(parked.exists());
}

#[test]
fn a_stopped_run_without_results_reports_the_interruption() {
    let loopback = Loopback::start(world());
    for arguments in [
        &["fetch", KBS[0]][..],
        &["crawl", "Cumulative"],
        &["search", KBS[0]],
        &["show", "--catalog", KBS[0]],
    ] {
        let bench = stopped_at(&loopback, "/Search.aspx", Signal::Terminate);
        let ran = run_against(&bench, &loopback, &[&["--json"], arguments].concat()).exits(143);
        let (kind, message) = ran.error();
        assert_eq!(kind, "interrupted", "{arguments:?}");
        assert!(message.contains("stopped"), "{message}");
        assert!(!bench.mirror().join("mirror.db").exists(), "{arguments:?}");
    }
    // An incomplete answer of the Catalog is not shown as complete.
    let bench = stopped_at(&loopback, "/DownloadDialog.aspx", Signal::Interrupt);
    let shown = run_against(&bench, &loopback, &["--json", "show", "--catalog", KBS[0]]).exits(130);
    assert_eq!(shown.error().0, "interrupted");
}

const CONFIG: &str = "format = 1\nkbs = ['KB5041865', 'KB5042000', 'KB5042999']\n";

#[test]
fn a_stopped_scheduled_run_writes_its_report_and_health() {
    let loopback = Loopback::start(world());
    let bench = stopped_at(&loopback, "q=KB5042000", Signal::Terminate);
    bench.configure(CONFIG);
    run_against(&bench, &loopback, &["sync"]).exits(143);
    assert_eq!(count_requests(&loopback, "q=KB5042999"), 0);
    assert_eq!(
        names_in(&bench.set_folder(KBS[0], "windows-11-24h2-arm64")).len(),
        1,
        "it was published before the stop"
    );
    let runs = names_in(&bench.mirror().join("runs"));
    let report = runs.iter().find(|name| name.ends_with("-sync.json")).unwrap();
    let report = std::fs::read_to_string(bench.mirror().join("runs").join(report)).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["exit_code"], &report["published"]), (&json!(143), &json!(1)));
    assert_eq!(items(&report["failures"]["interrupted"]).len(), 1, "{report:#}");
    let health = std::fs::read_to_string(bench.mirror().join("health.json")).unwrap();
    let health: serde_json::Value = serde_json::from_str(&health).unwrap();
    assert_eq!((&health["last_exit_code"], &health["last_success"]), (&json!(143), &json!(null)));
    let status = run_against(&bench, &loopback, &["status"]).exits(10);
    assert!(status.stdout.contains("was stopped"), "{}", status.stdout);

    let again = bench.stopped_by(StopRequest::never());
    run_against(&again, &loopback, &["sync"]).exits(0);
    assert_eq!(count_requests(&loopback, "q=KB5042999"), 1);
}

#[test]
fn a_stop_request_ends_a_wait() {
    let loopback = Loopback::start(world());
    // The test clock does not wait, so the test requests the stop before the wait.
    let (stopper, stop) = StopRequest::pair();
    stopper.stop(Signal::Interrupt);
    let bench = Bench::new().stopped_by(stop);
    loopback.rule(Rule::always("/Search.aspx", Action::ErrorPage));
    run_against(&bench, &loopback, &["search", KBS[0]]).exits(130);
    assert_eq!(loopback.requests().len(), 0, "no request may follow the stop request");
    assert_eq!(bench.clock.waited(), std::time::Duration::ZERO);
}

/// Tests with the program as a process and signals of the system.
#[cfg(unix)]
mod with_signals {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{Child, Command, Stdio};
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn send(signal: &str, pid: u32) {
        assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
    }

    fn start(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> Child {
        let (url, host) = (loopback.catalog_url(), loopback.file_host());
        let mut command = Command::new(env!("CARGO_BIN_EXE_kbmirror"));
        command.args(["--catalog-rate", "1000", "--catalog-url", &url, "--allow-host", &host]);
        command.arg("--mirror").arg(bench.mirror()).args(arguments).env_remove("KBMIRROR_DIR");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Delays the server's answer. Returns a receiver that reports the request, and a sender that releases the
    /// answer.
    fn hold_answer(loopback: &Loopback, path: &str) -> (Receiver<()>, std::sync::mpsc::Sender<()>) {
        let ((arrive, arrived), (go, may_go)) = (channel(), channel());
        let (arrive, may_go) = (Mutex::new(arrive), Mutex::new(may_go));
        let hook = Hook(Arc::new(move || {
            arrive.lock().unwrap().send(()).unwrap();
            let _gone = may_go.lock().unwrap().recv();
        }));
        loopback.rule(Rule::once(path, Action::RunBefore(hook)));
        (arrived, go)
    }

    #[test]
    fn the_first_signal_ends_the_run_in_order() {
        for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
            let (bench, loopback) = (Bench::new(), Loopback::start(world()));
            let (arrived, go) = hold_answer(&loopback, "/DownloadDialog.aspx");
            let mut child = start(&bench, &loopback, &ALL);
            arrived.recv().unwrap();
            send(signal, child.id());
            // The program ends although the answer never arrives.
            let (mut stdout, mut stderr) = (String::new(), String::new());
            child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
            child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(code), "{stderr}");
            drop(go);
            assert!(stderr.contains("stopping: ") && stderr.contains("error: stopped: "), "{stderr}");
            assert_eq!(bench.rows("SELECT exit_code FROM runs"), [[code.to_string()]]);
            assert_eq!(count_requests(&loopback, "q=KB5042000"), 0);
        }
    }

    #[test]
    fn the_second_signal_ends_at_once() {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        let (arrived, go) = hold_answer(&loopback, "/DownloadDialog.aspx");
        let mut child = start(&bench, &loopback, &ALL);
        arrived.recv().unwrap();
        // Another connection locks the index, so the run cannot end by itself.
        let other = rusqlite::Connection::open(bench.mirror().join("mirror.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        send("-INT", child.id());
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().starts_with("stopping: ")));
        send("-TERM", child.id());
        let status = child.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (Some(143), None));
        assert!(!lines.any(|line| line.unwrap().contains("stopped")), "the run must not print its summary");
        drop(go);
        other.execute_batch("ROLLBACK").unwrap();
        drop(other);

        run_against(&bench, &loopback, &ALL).exits(0);
    }
}
