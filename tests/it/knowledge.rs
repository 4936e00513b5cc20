//! `knowledge show` prints the tables. `knowledge check` reports every contradiction.
#![expect(clippy::disallowed_methods, reason = "tests change tables directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::fs;

use kbmirror::servicing::Tables;
use serde_json::{Value, json};

use super::harness::{Bench, RunOutput, field_texts, items, text_of};

/// An error in a table: the table, the right text, the wrong text, and the code and row of the finding.
type TableError = (&'static str, &'static str, &'static str, &'static str, &'static str);

const TABLE_ERRORS: [TableError; 22] = [
    ("checkpoints.toml", "26100.1742", "26100.1743", "build_differs", "KB5043080"),
    ("checkpoints.toml", "2024-09-10", "2024-09-11", "date_differs", "KB5043080"),
    ("checkpoints.toml", "-arm64_df54", "-arm64_ef54", "file_differs", "KB5043080"),
    ("prerequisites.toml", "\"17763.2114\"", "\"17763.2115\"", "floor_unknown", "KB5005112"),
    ("prerequisites.toml", "from = \"2023-10-10\"", "from = \"2023-10-09\"", "stack_later", "KB5031539"),
    ("prerequisites.toml", "family = 9600", "family = 9601", "family_unknown", "KB2919355"),
    ("prerequisites.toml", "needs = \"KB2919442\"", "needs = \"KB2919355\"", "circle", "KB2919355"),
    ("enablement.toml", "floor = 5074", "floor = 5075", "minimum_below", "KB5054156"),
    ("enablement.toml", "floor = 5074", "floor = 5073", "minimum_differs", "KB5054156"),
    ("packages.txt", "05043124 14393 x64   b ssu", "05043124 14393 x64   b lcu", "two_kinds", "KB5043124"),
    ("releases.txt", "05086672 26100 008117", "05086672 26100 008116", "same_build", "KB5086672"),
    ("releases.txt", "05086672 26100 008117", "05086672 26100 001117", "backwards", "KB5086672"),
    ("releases.txt", "2026-03-31 r o c h", "2026-03-31 r o c q", "source_undeclared", "05086672"),
    (
        "releases.txt",
        "2026-03-31 r o c h",
        "2026-03-31 r x c h",
        "no_line",
        "05086672 26100 008117 2026-03-31 r x c h",
    ),
    ("releases.txt", "2026-07-28 s - b l", "2026-07-28 s - s l", "installation_differs", "KB5101681"),
    ("stacks.txt", "05094122 14393 05094141", "05094122 14393 05094142", "stack_unknown", "KB5094122"),
    ("stacks.txt", "05029242 14393 05023788", "05029242 14393 05043124", "stack_later", "KB5029242"),
    (
        "withdrawn.toml",
        "successor = \"KB5086672\"",
        "successor = \"KB5079473\"",
        "successor_older",
        "KB5079391",
    ),
    (
        "withdrawn.toml",
        "source = \"KB article of KB5086672\"",
        "source = \" \"",
        "source_missing",
        "KB5079391",
    ),
    ("withdrawn.toml", "kb = \"KB5120994\"", "kb = \"KB5086672\"", "hotpatch_has_files", "KB5086672"),
    (
        "dotnet.toml",
        "kb = \"KB5050182\"\nfamily = 17763",
        "kb = \"KB5050182\"\nfamily = 14393",
        "family_differs",
        "KB5050182",
    ),
    ("withdrawn.toml", "instead = \"KB5034770\"", "instead = \"KB5058411\"", "instead_unknown", "KB5034860"),
];

fn text(name: &str) -> &'static str {
    Tables::built_in().iter().find(|(own, _)| *own == name).unwrap().1
}

/// Runs `knowledge check` on tables with some errors.
fn check_with(bench: &Bench, table_errors: &[TableError]) -> RunOutput {
    let folder = bench.path("tables");
    let _absent = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (name, from, to, ..) in table_errors {
        let path = folder.join(name);
        let before = fs::read_to_string(&path).unwrap_or_else(|_| text(name).to_owned());
        assert!(before.contains(from), "{name} has no {from:?}");
        fs::write(path, before.replacen(from, to, 1)).unwrap();
    }
    bench.json(&["--knowledge", folder.as_str(), "knowledge", "check"])
}

fn has_finding(findings: &Value, (table, _, _, code, row): &TableError) -> bool {
    let matches =
        |finding: &&Value| finding["table"] == *table && finding["code"] == *code && finding["row"] == *row;
    items(findings).iter().any(|finding| matches(&finding))
}

#[test]
fn the_built_in_tables_are_shown_and_have_no_contradictions() {
    let bench = Bench::new();
    let shown = bench.json(&["knowledge", "show"]).exits(0).json();
    assert_eq!((&shown["version"], &shown["date"]), (&json!("2026.10.1"), &json!("2026-10-05")));
    assert_eq!(field_texts(&shown["tables"], "name"), Tables::NAMES);
    let rows: u64 = items(&shown["tables"]).iter().map(|table| table["rows"].as_u64().unwrap()).sum();
    let checked = bench.json(&["knowledge", "check"]).exits(0).json();
    assert_eq!(checked["findings"], json!([]));
    assert_eq!(checked["tables"], shown["tables"]);
    let plain_output = bench.run(&["knowledge", "check"]).exits(0);
    let count = Tables::NAMES.len();
    assert!(
        plain_output.stdout.starts_with(&format!("{rows} rows in {count} tables, no contradictions")),
        "{}",
        plain_output.stdout
    );
    let plain = bench.run_at_width(80, &["knowledge", "show"]).exits(0).stdout;
    assert!(plain.lines().all(|line| line.chars().count() <= 80), "{plain}");

    assert_eq!(bench.run(&["knowledge", "show", "releases"]).exits(0).stdout, text("releases.txt"));
    let releases = bench.json(&["knowledge", "show", "releases"]).exits(0).json();
    assert!(items(&releases["rows"]).contains(&json!("05086672 26100 008117 2026-03-31 r o c h")));
    let checkpoints = bench.json(&["knowledge", "show", "checkpoints.toml"]).exits(0).json();
    let of_catalog = items(&checkpoints["rows"]).iter().find(|row| row["kb"] == "KB5043080").unwrap();
    assert_eq!((&of_catalog["table"], &of_catalog["build"]), (&json!("checkpoint"), &json!("26100.1742")));
    bench.json(&["knowledge", "show", "nothing"]).exits(2);
    assert!(!bench.mirror().exists());
}

#[test]
fn every_contradiction_is_reported_by_its_code() {
    let bench = Bench::new();
    let mut unreported = Vec::new();
    for table_error in &TABLE_ERRORS {
        let ran = check_with(&bench, &[*table_error]);
        let findings = ran.json()["findings"].clone();
        if ran.code != 10 || !has_finding(&findings, table_error) {
            unreported.push(format!("{table_error:?}: exit {}, {findings:#}", ran.code));
        }
    }
    assert!(unreported.is_empty(), "{}", unreported.join("\n"));
}

#[test]
fn all_contradictions_are_reported_in_one_run() {
    let bench = Bench::new();
    let table_errors = [
        TABLE_ERRORS[0],
        TABLE_ERRORS[3],
        TABLE_ERRORS[5],
        TABLE_ERRORS[7],
        TABLE_ERRORS[9],
        TABLE_ERRORS[10],
        TABLE_ERRORS[15],
        TABLE_ERRORS[17],
        TABLE_ERRORS[20],
    ];
    let checked = check_with(&bench, &table_errors).exits(10).json();
    for table_error in &table_errors {
        assert!(has_finding(&checked["findings"], table_error), "{table_error:?}: {:#}", checked["findings"]);
    }
    let folder = bench.path("tables");
    let plain_output = bench.run(&["--knowledge", folder.as_str(), "knowledge", "check"]).exits(10);
    assert!(
        plain_output.stdout.contains(
            "checkpoints.toml: KB5043080 has the build 26100.1743, but releases.txt has 26100.1742"
        ),
        "{}",
        plain_output.stdout
    );
    let last = plain_output.stdout.lines().last().unwrap();
    assert!(last.contains(&format!(" {} contradictions", items(&checked["findings"]).len())), "{last}");
}

#[test]
fn a_contradiction_is_reported_if_its_exception_is_removed() {
    let bench = Bench::new();
    let why = "code = \"minimum_differs\"";
    let table_error = ("contradictions.toml", why, "code = \"other\"", "minimum_differs", "KB5121794");
    let checked = check_with(&bench, &[table_error]).exits(10).json();
    assert_eq!(field_texts(&checked["findings"], "code"), ["minimum_differs"]);
    let message = text_of(&checked["findings"][0]["message"]);
    assert_eq!(message, "KB5121794 has the floor 26100.9546, but its minimum KB5124010 brings 26100.9550");
}

#[test]
fn an_unreadable_table_is_reported_with_its_line() {
    let bench = Bench::new();
    for (name, from, to, line) in [
        ("checkpoints.toml", "format = 1", "format =", "line 10: "),
        ("withdrawn.toml", "successor =", "sucessor =", "line 76: "),
        ("stacks.txt", "05029242 14393 05023788 l\n", "05029242 14393 05023788 ll\n", "line 5 "),
    ] {
        let (kind, message) = check_with(&bench, &[(name, from, to, "", "")]).exits(2).error();
        assert_eq!(kind, "usage");
        assert!(message.contains(name) && message.contains(line), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
}
