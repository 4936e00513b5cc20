//! At least one failure for each exit code of README.md, with its hints.

use std::sync::Arc;

use kbmirror::mirror::Lock;
use kbmirror::net::{Signal, StopRequest};

use super::super::air_gap::KB;
use super::super::harness::{Bench, read_tree};
use super::super::support::{Action, FileSpec, Hook, Loopback, Rule, UpdateSpec, World, id};
use super::{
    bench, command_line, compare, copy_folder, fetched, fs, run, section, snap, snap_failure, snap_steps,
};

const FETCH: [&str; 6] = ["--replay", "@/demo", "fetch", KB, "--arch", "arm64"];

#[test]
fn internal_1() {
    let origin = fetched(&[KB, "--arch", "arm64"]);
    let health = origin.mirror().join("health.json");
    if health.exists() {
        fs::remove_file(&health).unwrap();
    }
    fs::create_dir(&health).unwrap();
    snap_failure("fail-1-unreadable", &origin, &["status"], 1);
}

#[test]
fn usage_2() {
    let empty = Bench::in_short_folder();
    snap_failure("fail-2-no-kb", &empty, &["fetch", "notakb"], 2);
    snap_failure("fail-2-missing-argument", &empty, &["fetch"], 2);
    snap_failure("fail-2-unknown-command", &empty, &["frobnicate"], 2);
    snap_failure("fail-2-unknown-option", &empty, &["list", "--nothing"], 2);
    snap_failure("fail-2-architecture", &empty, &["fetch", KB, "--arch", "vax"], 2);
    snap_failure("fail-2-product", &empty, &["resolve", KB, "--product", "Windows 11"], 2);
    snap_failure("fail-2-no-product", &empty, &["resolve", KB, "--product", "Windows 12"], 2);
    snap_failure("fail-2-age", &empty, &["status", "--max-age", "30"], 2);
    snap_failure("fail-2-offline", &empty, &["--offline", "fetch", KB], 2);
    snap_failure("fail-2-no-recording", &empty, &["--replay", "@/nowhere", "search", KB], 2);
    snap_failure("fail-2-url", &empty, &["--catalog-url", "ftp://x", "search", KB], 2);
    snap_failure("fail-2-no-config", &empty, &["sync"], 2);
    empty.configure("format = 1\n[network]\npatients = \"1h\"\n");
    snap_failure("fail-2-config", &empty, &["list"], 2);
    let origin = fetched(&[KB, "--arch", "arm64"]);
    snap_failure(
        "fail-2-other-origin",
        &origin,
        &["--catalog-url", "https://mirror.example/", "fetch", KB],
        2,
    );
    snap_failure("fail-2-no-keys", &origin, &["export", KB, "--to", "@/stick"], 2);
}

#[test]
fn not_found_3_and_incomplete_4() {
    let bench = bench();
    snap_failure("fail-3-no-mirror", &bench, &["list"], 3);
    snap_failure("fail-3-catalog", &bench, &["--replay", "@/demo", "fetch", "KB9999999"], 3);
    snap_failure("fail-3-search", &bench, &["--replay", "@/demo", "search", "KB9999999"], 3);
    snap_steps(
        "fail-4-one-of-two",
        super::bench,
        &[&["--replay", "@/demo", "fetch", "KB9999999", "KB5094141"]],
    );
}

#[test]
fn integrity_5() {
    let wrong = bench();
    let files = wrong.path("demo/files");
    let name = read_tree(&files).into_keys().find(|name| name.contains("kb5086672-arm64")).unwrap();
    let mut bytes = fs::read(files.join(&name)).unwrap();
    bytes[200] ^= 1;
    fs::write(files.join(&name), bytes).unwrap();
    // With several transfers, the warning stands at any place among the lines of the others.
    snap_failure("fail-5-digest", &wrong, &[&["--parallel", "1"][..], &FETCH].concat(), 5);
}

/// The arguments for a Catalog on the loopback interface.
fn network<'a>(url: &'a str, host: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--catalog-url", url, "--allow-host", host, "--catalog-rate", "1000", "--patience", "30s"], more]
        .concat()
}

/// Compares what a run against a Catalog on the loopback interface prints.
#[track_caller]
fn snap_live(name: &str, bench: &Bench, loopback: &Loopback, arguments: &[&str], code: u8) {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let ran = run(bench, Some(80), &network(&url, &host, arguments)).exits(code);
    let mut text = command_line(arguments);
    section(&mut text, "80 columns", &ran);
    compare(name, &text);
}

/// A Catalog with one update.
fn one_update() -> World {
    let title = "2024-08 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5041865) (26100.1457)";
    let files = vec![FileSpec::package("windows11.0-kb5041865-arm64", "msu", "the bytes")];
    World::new().update(UpdateSpec { files, ..UpdateSpec::new(&id(1), title) })
}

#[test]
fn unreachable_6_and_page_changed_7() {
    let always = |action: Action| {
        let loopback = Loopback::start(one_update());
        loopback.rule(Rule::always("/Search.aspx", action));
        loopback
    };
    let fetch = ["fetch", "KB5041865"];
    snap_live("fail-6-error-page", &Bench::in_short_folder(), &always(Action::ErrorPage), &fetch, 6);
    let unavailable = always(Action::Status(503, Vec::new()));
    snap_live("fail-6-status-503", &Bench::in_short_folder(), &unavailable, &fetch, 6);
    snap_live("fail-6-closed", &Bench::in_short_folder(), &always(Action::Close), &fetch, 6);
    let refused = Action::Redirect("https://portal.example/login".to_owned());
    snap_live("fail-5-redirect", &Bench::in_short_folder(), &always(refused), &fetch, 5);
    let page = b"<html><body><h1>Guest network</h1><form>please log in</form></body></html>";
    let portal = always(Action::Body("text/html", page.to_vec()));
    snap_live("fail-7-page-changed", &Bench::in_short_folder(), &portal, &fetch, 7);
    snap_failure("fail-6-not-recorded", &bench(), &["--replay", "@/demo", "fetch", "KB1234567"], 6);

    let no_files = Loopback::start(one_update());
    no_files.rule(Rule::always("/files/", Action::Status(404, Vec::new())));
    snap_live("fail-6-file-404", &Bench::in_short_folder(), &no_files, &fetch, 6);
}

#[test]
fn busy_8_no_space_9_and_budget_13() {
    let bench = fetched(&[KB, "--arch", "arm64"]);
    let lock = Lock::acquire(&bench.mirror().join("lock"), "2026-11-23T08:00:00Z").unwrap();
    snap_failure("fail-8-busy", &bench, &FETCH, 8);
    drop(lock);
    snap_failure("fail-13-budget", &super::bench(), &[&FETCH[..], &["--max-bytes", "20K"]].concat(), 13);
}

#[test]
fn unresolved_10() {
    let bench = fetched(&[KB]);
    snap("fail-10-stage", &bench, &["stage", KB, "--arch", "x64", "--for", "winre", "--to", "@/staged"]);
    snap("fail-10-script", &bench, &["script", "KB9999999", "--arch", "x64"]);
}

/// A medium beside a mirror that trusts its key.
fn medium() -> Bench {
    let connected = fetched(&[KB, "--arch", "arm64"]);
    run(&connected, None, &["keys", "init"]).exits(0);
    run(&connected, None, &["export", KB, "--to", "@/stick"]).exits(0);
    let root = fs::read_to_string(connected.mirror().join("keys/root.pub")).unwrap();
    let isolated = Bench::in_short_folder();
    copy_folder(&connected.path("stick"), &isolated.path("stick"));
    run(&isolated, None, &["keys", "trust", root.lines().last().unwrap()]).exits(0);
    isolated
}

#[test]
fn refused_11_and_medium_12() {
    let bench = medium();
    snap_failure("fail-12-no-medium", &bench, &["import", "@/elsewhere"], 12);
    let page = bench.path("stick/START-HERE.txt");
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, format!("{text}run this\n")).unwrap();
    snap_failure("fail-11-changed-page", &bench, &["import", "@/stick"], 11);
    fs::write(&page, text).unwrap();
    let name =
        read_tree(&bench.path("stick")).into_keys().find(|name| name.contains("/windows11.0-")).unwrap();
    let package = bench.path("stick").join(name);
    let mut bytes = fs::read(&package).unwrap();
    bytes[300] ^= 1;
    fs::write(&package, &bytes).unwrap();
    snap_failure("fail-11-changed-package", &bench, &["check-medium", "@/stick"], 11);
    snap_failure("fail-11-import", &bench, &["import", "@/stick"], 11);
    fs::remove_file(&package).unwrap();
    snap_failure("fail-11-missing-package", &bench, &["import", "@/stick"], 11);
    fs::write(bench.path("stick/more.txt"), "x").unwrap();
    fs::remove_file(bench.path("stick/set.json.minisig")).unwrap();
    snap_failure("fail-11-no-signature", &bench, &["import", "@/stick"], 11);
    let stranger = Bench::in_short_folder();
    copy_folder(&medium().path("stick"), &stranger.path("stick"));
    snap_failure("fail-11-untrusted", &stranger, &["import", "@/stick"], 11);
}

#[test]
fn interrupted_130_and_143() {
    for (signal, code) in [(Signal::Interrupt, 130), (Signal::Terminate, 143)] {
        let loopback = Loopback::start(one_update());
        let (stopper, stop) = StopRequest::pair();
        let hook = Hook(Arc::new(move || stopper.stop(signal)));
        loopback.rule(Rule::once("/files/", Action::RunBefore(hook)));
        let bench = Bench::in_short_folder().stopped_by(stop);
        snap_live(&format!("fail-{code}-interrupted"), &bench, &loopback, &["fetch", "KB5041865"], code);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn output_on_a_full_device_9() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_kbmirror"))
        .arg("--help")
        .stdout(std::process::Stdio::from(full))
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(9));
    compare("fail-9-output", &String::from_utf8(ran.stderr).unwrap());
}
