//! Tests of `show --catalog`, which compares the current state of the Catalog with the index, over sockets and from
//! recordings.

use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{Bench, RunOutput, failure, field_texts, items, read_tree, recording, text_of};
use super::support::{Action, FileSpec, Loopback, Rule, UpdateSpec, World, id};

fn run_json(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> RunOutput {
    run(bench, loopback, &[&["--json"], arguments].concat())
}

fn run(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> RunOutput {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000", "--patience", "0"];
    bench.run(&[&network, arguments].concat())
}

fn title(kb: &str, arch: &str) -> String {
    format!(
        "2024-08 Cumulative Update for Windows 11 Version 24H2 for {arch}-based Systems ({kb}) (26100.1457)"
    )
}

fn lcu(number: u32, arch: &str, bytes: &str) -> UpdateSpec {
    let file = FileSpec::package(&format!("windows11.0-kb5041865-{arch}"), "msu", bytes);
    UpdateSpec { files: vec![file], ..UpdateSpec::new(&id(number), &title("KB5041865", arch)) }
}

fn world() -> World {
    World::new().update(lcu(1, "arm64", "one")).update(lcu(2, "x64", "two"))
}

/// Returns the update of a document without the time and place of its observation.
fn entry(update: &Value) -> Value {
    let mut entry = update.clone();
    for key in ["first_seen", "last_seen", "size_text"] {
        entry[key] = Value::Null;
    }
    entry
}

#[test]
fn show_catalog_has_the_format_of_show_and_writes_nothing() {
    let (bench, without_mirror, loopback) = (Bench::new(), Bench::new(), Loopback::start(world()));
    run_json(&bench, &loopback, &["fetch", "KB5041865"]).exits(0);
    let of_index = bench.json(&["show", "KB5041865"]).exits(0).json();
    assert_eq!(of_index["from"], "index");
    let before = read_tree(&bench.mirror());
    let requests = loopback.requests().len();
    let of_catalog = run_json(&bench, &loopback, &["show", "KB5041865", "--catalog"]).exits(0).json();
    assert_eq!(loopback.requests().len() - requests, 1 + 2 * 2, "one search, and two pages per update");
    assert_eq!(of_catalog["from"], "catalog");
    assert_eq!(of_catalog["index_differences"], json!([]));
    assert_eq!(of_catalog["sets"], of_index["sets"]);
    for (from_catalog, from_index) in items(&of_catalog["updates"]).iter().zip(items(&of_index["updates"])) {
        assert_eq!(entry(from_catalog), entry(from_index));
        assert_eq!(from_catalog["first_seen"], from_index["first_seen"]);
    }
    assert_eq!(read_tree(&bench.mirror()).len(), before.len());
    assert_eq!(bench.rows("SELECT count(*) FROM runs"), [["1"]], "no run may be recorded");

    let none = run_json(&without_mirror, &loopback, &["show", "KB5041865", "--catalog"]).exits(0).json();
    assert_eq!(
        field_texts(&none["updates"], "title"),
        [title("KB5041865", "arm64"), title("KB5041865", "x64")]
    );
    let file = &none["updates"][0]["files"][0];
    assert_eq!((&file["size"], &file["present"]), (&json!(3), &json!(false)));
    assert_eq!(text_of(&file["sha256"]).len(), 64);
    assert_eq!((&none["updates"][0]["first_seen"], &none["sets"]), (&Value::Null, &json!([])));
    assert!(!without_mirror.mirror().exists());
}

#[test]
fn one_update_takes_two_requests_and_is_shown_as_text() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    let update = run_json(&bench, &loopback, &["show", &id(1), "--catalog"]).exits(0).json();
    assert_eq!(loopback.requests().len(), 2);
    assert_eq!((&update["kb"], &update["updates"][0]["size"]), (&json!("KB5041865"), &Value::Null));
    assert!(update["updates"][0]["size_text"].is_string(), "{update:#}");
    let stdout = run(&bench, &loopback, &["show", &id(1), "--catalog"]).exits(0).stdout;
    let host = loopback.file_host();
    for part in [
        "kind           lcu",
        "build          26100.1457",
        "last updated   2024-09-10",
        "sha1   ",
        "sha256 ",
        &host,
    ] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
}

#[test]
fn changes_since_the_last_crawl_are_reported() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    run_json(&bench, &loopback, &["crawl", "KB5041865"]).exits(0);
    bench.clock.advance(Duration::from_hours(24 * 10));
    let newer = (id(9), title("KB5043080", "arm64"));
    let revised = UpdateSpec {
        last_updated: "12/1/2026".to_owned(),
        superseded_by: vec![newer.clone()],
        ..lcu(1, "arm64", "anew")
    };
    loopback.replace(World::new().update(revised).update(lcu(3, "x86", "three")));
    let shown = run_json(&bench, &loopback, &["show", "KB5041865", "--catalog"]).exits(0).json();
    let differ = &shown["index_differences"];
    let changes: Vec<(String, String)> =
        field_texts(differ, "update_id").into_iter().zip(field_texts(differ, "what")).collect();
    let of = |number: u32, what: &str| (id(number), what.to_owned());
    assert_eq!(
        changes,
        [
            of(1, "date"),
            of(1, "size"),
            of(1, "files"),
            of(1, "superseded_by"),
            of(3, "update"),
            of(2, "update"),
        ]
    );
    assert_eq!(
        (&differ[0]["index"], &differ[0]["catalog"]),
        (&json!(["2024-09-10"]), &json!(["2026-12-01"]))
    );
    assert_eq!((&differ[3]["index"], &differ[3]["catalog"]), (&json!([]), &json!([newer.1])));
    assert_eq!(
        (&differ[5]["index"], &differ[5]["catalog"]),
        (&json!([title("KB5041865", "x64")]), &json!([]))
    );
    let stdout = run(&bench, &loopback, &["show", &id(1), "--catalog"]).exits(0).stdout;
    let date =
        format!("the index differs: {}, date: the index has 2024-09-10, the Catalog 2026-12-01\n", id(1));
    assert!(stdout.contains(&date), "{stdout}");
    assert!(stdout.contains("seen           2026-11-23 to 2026-11-23\n"), "{stdout}");
    // The index is unchanged.
    let index = bench.json(&["show", &id(1)]).exits(0).json();
    assert_eq!(index["updates"][0]["last_updated"], "2024-09-10");
}

#[test]
fn updates_removed_from_the_catalog_are_shown_from_the_index() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    run_json(&bench, &loopback, &["crawl", "KB5041865"]).exits(0);
    loopback.replace(World::new().update(lcu(7, "x64", "another")));
    let gone = run_json(&bench, &loopback, &["show", &id(1), "--catalog"]).exits(3);
    let (kind, message) = gone.error();
    assert_eq!(kind, "not_found");
    assert_eq!(message, format!("the Catalog does not list {} (any more)", id(1)));
    let document = gone.json();
    assert_eq!(
        (&document["from"], field_texts(&document["updates"], "update_id")),
        (&json!("index"), vec![id(1)])
    );
    let stdout = run(&bench, &loopback, &["show", &id(1), "--catalog"]).exits(3);
    assert!(stdout.stdout.starts_with(&title("KB5041865", "arm64")), "{stdout:?}");
    insta::assert_snapshot!(stdout.stderr, @r"
    querying the Catalog for 00000001-5eed-4000-8000-000000000001
    error: the Catalog does not list 00000001-5eed-4000-8000-000000000001 (any more)
      hint: see the facts of this side above
    ");

    // A KB known only to the knowledge, and an unknown update.
    let catalog = recording("catalog");
    let without_mirror = Bench::new();
    let withdrawn = without_mirror.replay(&catalog, &["show", "KB5079391", "--catalog"]).exits(3);
    assert_eq!(withdrawn.error().1, "the Catalog does not list an update of KB5079391");
    assert!(!items(&withdrawn.json()["knowledge"]["rows"]).is_empty());
    let removed = ["show", "cd8cbdec-e354-5a8d-a663-bf21b078b2bb", "--catalog"];
    let gone = without_mirror.replay(&catalog, &removed).exits(3);
    assert_eq!(gone.json().as_object().unwrap().len(), 1, "the document must have only the error");
}

#[test]
fn a_failed_page_does_not_prevent_the_rest() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::once("/ScopedViewInline.aspx", Action::ErrorPage));
    let shown = run_json(&bench, &loopback, &["show", "KB5041865", "--catalog"]).exits(4).json();
    assert_eq!(items(&shown["updates"]).len(), 2);
    assert_eq!(field_texts(&shown["failures"], "kind"), ["unreachable"]);
    assert_eq!(
        shown["updates"][0]["supersedes"],
        Value::Null,
        "a page that was not read must be null, not empty"
    );
    loopback.rule(Rule::always("", Action::ErrorPage));
    run_json(&bench, &loopback, &["show", &id(1), "--catalog"]).exits(6);
}

#[test]
fn a_mirror_of_another_origin_is_not_compared() {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &["crawl", "KB5086672"]).exits(0);
    let other = UpdateSpec::new(&id(1), &title("KB5086672", "arm64"));
    let other =
        UpdateSpec { files: vec![FileSpec::package("windows11.0-kb5086672-arm64", "msu", "1")], ..other };
    let loopback = Loopback::start(World::new().update(other));
    let ran = run_json(&bench, &loopback, &["show", "KB5086672", "--catalog"]).exits(0);
    insta::assert_snapshot!(ran.stderr, @r"
    querying the Catalog for KB5086672
    the mirror has content from another origin: did not compare it with this Catalog
    ");
    let shown = ran.json();
    assert_eq!((&shown["index_differences"], &shown["sets"]), (&json!([]), &json!([])));
    assert_eq!(field_texts(&shown["updates"], "update_id"), [id(1)]);
}

#[test]
fn unknown_subjects_get_hints_for_a_catalog_query() {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &["crawl", "KB5086672"]).exits(0);
    for (subject, other) in [("KB1234567", "kbmirror crawl KB1234567"), (&*id(5), "kbmirror crawl KB")] {
        let hints = bench.json(&["show", subject]).exits(3).json()["error"]["hints"].to_string();
        let command = format!("kbmirror show {subject} --catalog");
        assert!(hints.contains(&command) && hints.contains(other), "{hints}");
    }
    let ran = bench.json(&["--offline", "show", "KB1234567", "--catalog"]).exits(2);
    let message = "this command needs the Catalog and cannot run with --offline";
    assert_eq!(ran.error(), failure("usage", message));
}
