//! The results of commands that change a mirror, and what a pipe is shown while they run.

use std::sync::Arc;
use std::time::Duration;

use super::super::air_gap::KB;
use super::super::harness::Bench;
use super::super::support::{Action, FileSpec, Hook, Loopback, Rule, UpdateSpec, World, id};
use super::{bench, compare, fetched, fs, run, section, snap, snap_steps};

const FETCH: [&str; 6] = ["--replay", "@/demo", "fetch", KB, "--arch", "arm64"];
const SYNC: [&str; 5] = ["--replay", "@/demo", "sync", "--as-of", "2026-03-31"];

#[test]
fn fetch_and_crawl() {
    let dry = [&FETCH[..], &["--dry-run"]].concat();
    snap_steps("fetch", bench, &[&dry, &FETCH, &FETCH]);
    snap_steps("crawl", bench, &[&["--replay", "@/demo", "crawl", KB], &["--replay", "@/demo", "crawl", KB]]);
    snap_steps("fetch-budget", bench, &[&[&FETCH[..], &["--max-bytes", "20K"]].concat()]);
    snap_steps("fetch-not-found", bench, &[&["--replay", "@/demo", "fetch", "KB5086672", "--arch", "x86"]]);
}

#[test]
fn a_kept_mirror() {
    let dry = [&SYNC[..], &["--dry-run"]].concat();
    snap_steps(
        "sync",
        bench,
        &[
            &["init", "--arch", "x64"],
            &["status"],
            &dry,
            &SYNC,
            &SYNC,
            &["status"],
            &["status", "--news"],
            &["verify"],
        ],
    );
    let bench = bench();
    run(&bench, None, &["init", "--arch", "x64", "--arch", "arm64"]).exits(0);
    compare("kbmirror.toml", &fs::read_to_string(bench.mirror().join("kbmirror.toml")).unwrap());
    run(&bench, None, &SYNC).exits(0);
    bench.clock.advance(Duration::from_hours(24 * 60));
    snap("status-not-current", &bench, &["status"]);
    snap("status-empty", &Bench::in_short_folder(), &["status"]);
}

/// A mirror with one damaged pool file.
fn damaged() -> Bench {
    let bench = fetched(&[KB, "--arch", "arm64"]);
    let pool = super::super::harness::read_tree(&bench.mirror().join("pool"));
    let name = pool.keys().next().unwrap();
    let path = bench.mirror().join("pool").join(name);
    // A new file: the old one may share its bytes with the set folder.
    let mut bytes = pool[name].clone();
    bytes[100] ^= 1;
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    bench
}

#[test]
fn damage_and_repair() {
    snap_steps(
        "repair",
        damaged,
        &[&["verify"], &["list"], &["status"], &["repair", "--dry-run"], &["repair"], &["verify"]],
    );
    let no_index = || {
        let bench = fetched(&[KB, "--arch", "arm64"]);
        fs::write(bench.mirror().join("mirror.db"), "not a database").unwrap();
        bench
    };
    snap_steps("repair-index", no_index, &[&["list"], &["repair", "--rebuild-index"], &["list"]]);
}

#[test]
fn forget_and_undo() {
    snap_steps(
        "forget",
        || fetched(&[KB]),
        &[
            &["forget", KB, "--dry-run"],
            &["forget", KB, "--arch", "arm64"],
            &["list"],
            &["forget", KB, "--undo"],
            &["forget", "KB9999999"],
        ],
    );
}

#[test]
fn stage_a_plan() {
    snap_steps(
        "stage",
        || fetched(&[KB]),
        &[
            &["stage", KB, "--arch", "arm64", "--baseline", "26100.863", "--to", "@/staged"],
            &["lint", "@/staged"],
            &["stage", KB, "--arch", "arm64", "--to", "@/staged"],
        ],
    );
}

/// The streams of a run on a pipe against a Catalog on the loopback interface.
fn on_a_pipe(loopback: &Loopback, bench: &Bench, arguments: &[&str]) -> String {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000", "--parallel", "1"];
    let ran = run(bench, None, &[&network[..], arguments].concat());
    let mut text = super::command_line(arguments);
    section(&mut text, "a pipe", &ran);
    text
}

/// A Catalog with one package of 5 MiB.
fn one_package() -> Loopback {
    let title = "2024-08 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5041865) (26100.1457)";
    let files = vec![FileSpec::package("windows11.0-kb5041865-arm64", "msu", vec![7; 5 << 20])];
    Loopback::start(World::new().update(UpdateSpec { files, ..UpdateSpec::new(&id(1), title) }))
}

#[test]
fn progress_on_a_pipe() {
    let (loopback, bench) = (one_package(), Bench::in_short_folder());
    let clock = Arc::clone(&bench.clock);
    loopback.rule(Rule::once(
        "/files/",
        Action::RunBefore(Hook(Arc::new(move || clock.advance(Duration::from_secs(40))))),
    ));
    compare("progress-on-a-pipe", &on_a_pipe(&loopback, &bench, &["fetch", "KB5041865", "--no-closure"]));

    let (loopback, bench) = (one_package(), Bench::in_short_folder());
    loopback.rule(Rule::once("/Search.aspx", Action::Status(503, Vec::new())));
    compare("progress-with-a-retry", &on_a_pipe(&loopback, &bench, &["fetch", "KB5041865", "--no-closure"]));
    let quiet =
        on_a_pipe(&loopback, &Bench::in_short_folder(), &["-q", "fetch", "KB5041865", "--no-closure"]);
    compare("progress-quiet", &quiet);
}
