//! The results of commands that read: tables, plans, trees, and scripts.

use super::super::air_gap::KB;
use super::super::harness::Bench;
use super::super::inspect::small_package;
use super::{bench, fetched, run, snap};

const TARGET: [&str; 4] = ["--arch", "arm64", "--baseline", "26100.863"];

#[test]
fn search_results() {
    let bench = bench();
    snap("search", &bench, &["--replay", "@/demo", "search", KB]);
    snap(
        "search-filtered",
        &bench,
        &["--replay", "@/demo", "search", KB, "--arch", "arm64", "--kind", "lcu"],
    );
    snap("search-no-match", &bench, &["--replay", "@/demo", "search", KB, "--arch", "x86"]);
}

#[test]
fn plans() {
    let bench = fetched(&[KB]);
    let resolve = |more: &[&'static str]| -> Vec<&str> { [&["resolve", KB], more].concat() };
    snap("resolve-install", &bench, &resolve(&TARGET));
    snap("resolve-without-baseline", &bench, &resolve(&["--arch", "arm64"]));
    snap("resolve-past-the-checkpoint", &bench, &resolve(&["--arch", "arm64", "--baseline", "26100.8037"]));
    snap("resolve-nothing-to-do", &bench, &resolve(&["--arch", "arm64", "--baseline", "26100.9000"]));
    snap("resolve-not-applicable", &bench, &resolve(&["--arch", "arm64", "--baseline", "19045.5000"]));
    snap("resolve-ambiguous", &bench, &resolve(&[]));
    snap("resolve-for-winre", &bench, &resolve(&["--arch", "x64", "--for", "winre"]));
    snap(
        "resolve-for-image",
        &bench,
        &resolve(&["--arch", "x64", "--baseline", "26100.863", "--for", "image"]),
    );
    snap("resolve-latest", &bench, &["resolve", "--latest", "--arch", "x64", "--baseline", "26100.863"]);
    snap(
        "resolve-enable",
        &bench,
        &["resolve", "--enable", "25H2", "--arch", "x64", "--baseline", "26100.4652"],
    );
    snap(
        "resolve-withdrawn",
        &bench,
        &["resolve", "KB5079391", "--arch", "arm64", "--baseline", "26100.863"],
    );
    snap(
        "resolve-knowledge-only",
        &bench,
        &["resolve", "KB5046617", "--arch", "x64", "--baseline", "26100.863"],
    );
    snap("resolve-unknown", &bench, &["resolve", "KB9999999", "--arch", "x64"]);
    snap("resolve-too-old", &bench, &[&["resolve", KB, "--fail-if-older-than", "10d"][..], &TARGET].concat());
    let empty = Bench::in_short_folder();
    snap("resolve-offline", &empty, &["resolve", "KB5046617", "--arch", "x64", "--offline"]);
}

#[test]
fn reasons_and_graph() {
    let bench = fetched(&[KB]);
    snap("why", &bench, &[&["why", KB][..], &TARGET].concat());
    snap("why-without-baseline", &bench, &["why", KB, "--arch", "x64"]);
    snap("why-withdrawn", &bench, &["why", "KB5079391", "--arch", "arm64"]);
    snap("graph", &bench, &["graph", KB]);
}

#[test]
fn tables_of_the_mirror() {
    let bench = fetched(&[KB]);
    run(&bench, None, &["--replay", "@/demo", "fetch", "KB5085516"]).exits(0);
    snap("list", &bench, &["list"]);
    snap("show", &bench, &["show", KB]);
    snap("show-catalog", &bench, &["--replay", "@/demo", "show", KB, "--catalog"]);
    snap("show-unknown", &bench, &["show", "KB9999999"]);
    snap("verify", &bench, &["verify"]);
    snap("lint", &bench, &["lint", "@/mirror/kb/KB5086672/windows-11-24h2-arm64", "--baseline", "26100.863"]);
    snap("lint-refused", &bench, &["lint", "@/mirror/kb/KB5086672"]);
    snap("schema", &bench, &["schema"]);
}

#[test]
fn metadata_of_packages() {
    let bench = Bench::in_short_folder();
    let folder = bench.path("downloads");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.exe"), "MZ").unwrap();
    std::fs::write(folder.join("page.msu"), "<html>").unwrap();
    std::fs::write(folder.join("windows10.0-kb5030211-arm64.cab"), small_package()).unwrap();
    snap("inspect", &bench, &["inspect", "@/downloads", "@/missing.msu"]);
}

#[test]
fn scripts_and_units() {
    let bench = fetched(&[KB]);
    snap("script", &bench, &["script", KB, "--arch", "x64"]);
    snap("script-image", &bench, &["script", KB, "--arch", "arm64", "--for", "image"]);
    snap("script-collect", &bench, &["script", "--collect"]);
    for kind in ["systemd", "cron", "windows-task"] {
        snap(&format!("schedule-{kind}"), &bench, &["schedule", &format!("--{kind}")]);
    }
}

#[test]
fn knowledge_tables() {
    let bench = Bench::in_short_folder();
    snap("knowledge", &bench, &["knowledge", "show"]);
    snap("knowledge-check", &bench, &["knowledge", "check"]);
    for table in ["withdrawn", "families", "checkpoints", "enablement"] {
        let text = run(&bench, None, &["knowledge", "show", table]).exits(0).stdout;
        let comments: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        super::compare(&format!("knowledge-comments-{table}"), &comments.join("\n"));
    }
}
