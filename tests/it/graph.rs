//! `graph`: both kinds of edges, from the index and from knowledge only, for Graphviz and as JSON.
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use rusqlite::Connection;
use serde_json::{Value, json};

use super::harness::{Bench, failure, items, recording, run_judge, text_of};

const CHECKPOINT: &str = "windows11.0-kb5043080-arm64_bb800093cb8846441c8e3da16122f5bb4bcf9bed.msu";
const TARGET: &str = "windows11.0-kb5086672-arm64_1095dd7b2d5593b955bd7bd0059c8af7e8ba593a.msu";

/// Creates a mirror that has crawled a KB of the demo for arm64.
fn crawled() -> Bench {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &["crawl", "KB5086672", "--arch", "arm64"]).exits(0);
    bench
}

/// Returns a short name of a node: its file or title, or else its KB.
fn name(graph: &Value, id: &Value) -> String {
    let node = items(&graph["nodes"]).iter().find(|node| node["id"] == *id).unwrap();
    let short = |name: &str| name.split('_').next().unwrap().to_owned();
    match node["name"].as_str() {
        Some(name) => short(name),
        None => format!("{} {}", text_of(&node["kb"]), node["architecture"].as_str().unwrap_or("-")),
    }
}

/// Returns the edges of a kind as sorted texts.
fn edges(graph: &Value, kind: &str) -> Vec<String> {
    let of_kind = items(&graph["edges"]).iter().filter(|edge| edge["kind"] == kind);
    let mut found: Vec<String> = of_kind
        .map(|edge| {
            let condition = edge["condition"].as_str().map(|text| format!(", {text}")).unwrap_or_default();
            format!(
                "{} -> {} ({} by {}{condition})",
                name(graph, &edge["from"]),
                name(graph, &edge["to"]),
                edge["role"].as_str().unwrap_or("-"),
                text_of(&edge["source"]),
            )
        })
        .collect();
    found.sort();
    found
}

#[test]
fn edges_of_the_index_have_their_source_and_date() {
    let bench = crawled();
    let graph = bench.json(&["graph", "KB5086672"]).exits(0).json();
    let needs = items(&graph["edges"]).iter().find(|edge| edge["source"] == "dialog").unwrap();
    assert_eq!(needs["role"], "checkpoint");
    for key in ["first_seen", "last_seen"] {
        assert!(text_of(&needs[key]).starts_with("2026-11-23T08:00:"), "{needs:#}");
    }
    let node = |id: &Value| items(&graph["nodes"]).iter().find(|node| node["id"] == *id).unwrap();
    assert_eq!(node(&needs["from"])["name"], TARGET);
    assert_eq!(
        (&node(&needs["to"])["name"], &node(&needs["to"])["build"]),
        (&json!(CHECKPOINT), &json!("26100.1742"))
    );
    assert!(edges(&graph, "needs").contains(
        &"windows11.0-kb5086672-arm64 -> windows11.0-kb5043080-arm64 (checkpoint by dialog)".to_owned()
    ));

    let supersedes = edges(&graph, "supersedes");
    let of_page = supersedes.iter().filter(|edge| edge.ends_with("(- by details page)")).count();
    assert_eq!(of_page, 8, "{supersedes:#?}");
    assert!(supersedes.contains(&"KB5086672 - -> KB5079391 - (- by knowledge)".to_owned()));
    let replaced =
        "2024-09 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5043080)";
    let checkpoint = items(&graph["nodes"]).iter().find(|node| node["name"] == replaced).unwrap();
    assert!(
        items(&graph["edges"])
            .iter()
            .any(|edge| edge["kind"] == "supersedes" && edge["to"] == checkpoint["id"]),
        "a checkpoint is replaced and needed"
    );
    assert_eq!(bench.json(&["graph", "KB5086672"]).exits(0).json(), graph, "the same on every run");
    assert_eq!(graph["knowledge_date"], "2026-10-05");
}

#[test]
fn knowledge_alone_has_every_kind_of_need() {
    let bench = Bench::new();
    let needs = |kb: &str| edges(&bench.json(&["graph", kb]).exits(0).json(), "needs");
    assert_eq!(
        needs("KB5094122"),
        [
            "windows10.0-kb5094122-x64 -> windows10.0-kb5094141-x64 (ssu by knowledge)",
            "windows10.0-kb5094122-x86 -> windows10.0-kb5094141-x86 (ssu by knowledge)",
        ],
        "a paired servicing stack"
    );
    assert_eq!(
        needs("KB5121794")[2..],
        [
            "Windows11.0-KB5121794-arm64 -> KB5124010 arm64 (prerequisite by knowledge, build below 26100.9546)",
            "Windows11.0-KB5121794-x64 -> KB5124010 x64 (prerequisite by knowledge, build below 26100.9546)",
        ],
        "the floor of an enablement package, and below it the checkpoint"
    );
    assert_eq!(needs("KB5121794").len(), 4);
    assert_eq!(
        needs("KB5027397")[1],
        "windows11.0-kb5027397-x64 -> windows11.0-kb5031455-x64 (prerequisite by knowledge, build below 22621.2506)",
        "the lowest update that reaches a floor, if no row names the update"
    );
    assert_eq!(needs("KB2919355")[0], "KB2919355 x64 -> KB2919442 x64 (ssu by knowledge)");
    assert!(
        needs("KB5031356").iter().any(|edge| edge.ends_with("build below 19045.3271)")),
        "a floor under a combined update"
    );
    let withdrawn = bench.json(&["graph", "KB5079391"]).exits(0).json();
    assert_eq!(edges(&withdrawn, "supersedes"), ["KB5086672 - -> KB5079391 - (- by knowledge)"]);
    assert!(!bench.mirror().exists());
}

#[test]
fn graphviz_accepts_the_dot_output() {
    let bench = crawled();
    for kbs in [&["KB5086672"][..], &["KB5121794", "KB5094122", "KB2919355"]] {
        let dot = bench.run(&[&["graph"], kbs].concat()).exits(0).stdout;
        assert_eq!(bench.run(&[&["graph"], kbs, &["--format", "dot"]].concat()).exits(0).stdout, dot);
        assert!(dot.starts_with("digraph kbmirror {\n") && dot.ends_with("}\n"));
        assert!(dot.contains("style = solid, kind = \"needs\""), "{dot}");
        let path = bench.path("graph.dot");
        write_text(&path, &dot);
        let folder = bench.path("");
        let Some(output) = run_judge("dot", &["-Tplain", "graph.dot"], folder.as_std_path()) else { return };
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let plain = String::from_utf8(output.stdout).unwrap();
        let count = |word: &str| plain.lines().filter(|line| line.starts_with(word)).count();
        let graph = bench.json(&[&["graph"], kbs].concat()).exits(0).json();
        assert_eq!(count("node "), items(&graph["nodes"]).len());
        assert_eq!(count("edge "), items(&graph["edges"]).len());
        let dashed = |line: &&str| line.starts_with("edge ") && line.contains(" dashed ");
        assert_eq!(plain.lines().filter(dashed).count(), edges(&graph, "supersedes").len());
    }
}

#[expect(clippy::disallowed_methods, reason = "an external judge reads this file")]
fn write_text(path: &camino::Utf8Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_circle_of_required_files_is_refused_by_name() {
    let bench = crawled();
    let index = Connection::open(bench.mirror().join("mirror.db")).unwrap();
    let inserted = index
        .execute(
            "INSERT INTO needs SELECT needs_file, file, 'prerequisite', 'dialog', 0, 0 FROM needs WHERE source = 'dialog'",
            [],
        )
        .unwrap();
    assert_eq!(inserted, 1);
    drop(index);
    let ran = bench.json(&["graph", "KB5086672"]).exits(10);
    let message = format!("files need each other in a cycle: {TARGET} needs {CHECKPOINT} needs {TARGET}");
    assert_eq!(ran.error(), failure("unresolved", message));
}

#[test]
fn unknown_kbs_and_two_formats_at_once_are_refused() {
    let bench = Bench::new();
    bench.json(&["graph", "KB1234567"]).exits(3);
    bench.json(&["graph", "KB5086672", "--format", "dot"]).exits(2);
    bench.run(&["graph"]).exits(2);
    let by_word: Value = bench.run(&["graph", "KB5086672", "--format", "json"]).exits(0).json();
    assert_eq!(bench.json(&["graph", "KB5086672"]).exits(0).json(), by_word);
}
