//! `show --catalog`: what the Catalog says now, beside what the index has of it, over sockets and from recordings.

use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{Bench, Ran, each, items, recording, text_of, tree};
use super::support::{Action, FileSpec, Loopback, Rule, UpdateSpec, World, id};

fn ask(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> Ran {
    run(bench, loopback, &[&["--json"], arguments].concat())
}

fn run(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> Ran {
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

/// The update of a document without what tells when and where it was seen.
fn entry(update: &Value) -> Value {
    let mut entry = update.clone();
    for key in ["first_seen", "last_seen", "size_text"] {
        entry[key] = Value::Null;
    }
    entry
}

#[test]
fn the_catalog_is_shown_in_the_words_of_the_index_and_nothing_is_written() {
    let (bench, nowhere, loopback) = (Bench::new(), Bench::new(), Loopback::start(world()));
    ask(&bench, &loopback, &["fetch", "KB5041865"]).exits(0);
    let of_index = bench.json(&["show", "KB5041865"]).exits(0).json();
    assert_eq!(of_index["from"], "index");
    let before = tree(&bench.mirror());
    let asked = loopback.requests().len();
    let of_catalog = ask(&bench, &loopback, &["show", "KB5041865", "--catalog"]).exits(0).json();
    assert_eq!(loopback.requests().len() - asked, 1 + 2 * 2, "a search, and two pages an update");
    assert_eq!(of_catalog["from"], "catalog");
    assert_eq!(of_catalog["index_differences"], json!([]));
    assert_eq!(of_catalog["sets"], of_index["sets"]);
    for (own, other) in items(&of_catalog["updates"]).iter().zip(items(&of_index["updates"])) {
        assert_eq!(entry(own), entry(other));
        assert_eq!(own["first_seen"], other["first_seen"]);
    }
    assert_eq!(tree(&bench.mirror()).len(), before.len());
    assert_eq!(bench.rows("SELECT count(*) FROM runs"), [["1"]], "no run is noted");

    let none = ask(&nowhere, &loopback, &["show", "KB5041865", "--catalog"]).exits(0).json();
    assert_eq!(each(&none["updates"], "title"), [title("KB5041865", "arm64"), title("KB5041865", "x64")]);
    let file = &none["updates"][0]["files"][0];
    assert_eq!((&file["size"], &file["present"]), (&json!(3), &json!(false)));
    assert_eq!(text_of(&file["sha256"]).len(), 64);
    assert_eq!((&none["updates"][0]["first_seen"], &none["sets"]), (&Value::Null, &json!([])));
    assert!(!nowhere.mirror().exists());
}

#[test]
fn one_update_takes_two_requests_and_is_told_to_people_too() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    let update = ask(&bench, &loopback, &["show", &id(1), "--catalog"]).exits(0).json();
    assert_eq!(loopback.requests().len(), 2);
    assert_eq!((&update["kb"], &update["updates"][0]["size"]), (&json!("KB5041865"), &Value::Null));
    assert!(update["updates"][0]["size_text"].is_string(), "{update:#}");
    let told = run(&bench, &loopback, &["show", &id(1), "--catalog"]).exits(0).stdout;
    let host = loopback.file_host();
    for part in [
        "kind           lcu",
        "build          26100.1457",
        "last updated   2024-09-10",
        "sha1   ",
        "sha256 ",
        &host,
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn what_was_revised_since_is_marked() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    ask(&bench, &loopback, &["crawl", "KB5041865"]).exits(0);
    bench.clock.advance(Duration::from_hours(24 * 10));
    let newer = (id(9), title("KB5043080", "arm64"));
    let revised = UpdateSpec {
        last_updated: "12/1/2026".to_owned(),
        superseded_by: vec![newer.clone()],
        ..lcu(1, "arm64", "anew")
    };
    loopback.replace(World::new().update(revised).update(lcu(3, "x86", "three")));
    let shown = ask(&bench, &loopback, &["show", "KB5041865", "--catalog"]).exits(0).json();
    let differ = &shown["index_differences"];
    let whats: Vec<(String, String)> =
        each(differ, "update_id").into_iter().zip(each(differ, "what")).collect();
    let of = |number: u32, what: &str| (id(number), what.to_owned());
    assert_eq!(
        whats,
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
    let told = run(&bench, &loopback, &["show", &id(1), "--catalog"]).exits(0).stdout;
    let date =
        format!("the index differs: date of {}: the index has 2024-09-10, the Catalog 2026-12-01\n", id(1));
    assert!(told.contains(&date), "{told}");
    assert!(told.contains("seen           2026-11-23 to 2026-11-23\n"), "{told}");
    // The index is as it was.
    let index = bench.json(&["show", &id(1)]).exits(0).json();
    assert_eq!(index["updates"][0]["last_updated"], "2024-09-10");
}

#[test]
fn what_the_catalog_forgot_is_shown_as_it_was_known() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    ask(&bench, &loopback, &["crawl", "KB5041865"]).exits(0);
    loopback.replace(World::new().update(lcu(7, "x64", "another")));
    let gone = ask(&bench, &loopback, &["show", &id(1), "--catalog"]).exits(3);
    let (kind, message) = gone.error();
    assert_eq!(kind, "not_found");
    assert_eq!(message, format!("the Catalog says that it does not know {} (any more)", id(1)));
    let document = gone.json();
    assert_eq!((&document["from"], each(&document["updates"], "update_id")), (&json!("index"), vec![id(1)]));
    let told = run(&bench, &loopback, &["show", &id(1), "--catalog"]).exits(3);
    assert!(told.stdout.starts_with(&title("KB5041865", "arm64")), "{told:?}");
    assert!(told.stderr.contains("does not know"), "{told:?}");

    // Known to knowledge alone, and known to nobody.
    let catalog = recording("catalog");
    let nowhere = Bench::new();
    let withdrawn = nowhere.replay(&catalog, &["show", "KB5079391", "--catalog"]).exits(3);
    assert_eq!(withdrawn.error().1, "the Catalog knows no update of KB5079391");
    assert!(!items(&withdrawn.json()["knowledge"]["rows"]).is_empty());
    let removed = ["show", "cd8cbdec-e354-5a8d-a663-bf21b078b2bb", "--catalog"];
    let gone = nowhere.replay(&catalog, &removed).exits(3);
    assert_eq!(gone.json().as_object().unwrap().len(), 1, "the error alone");
}

#[test]
fn a_page_that_fails_leaves_the_rest() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::once("/ScopedViewInline.aspx", Action::ErrorPage));
    let shown = ask(&bench, &loopback, &["show", "KB5041865", "--catalog"]).exits(4).json();
    assert_eq!(items(&shown["updates"]).len(), 2);
    assert_eq!(each(&shown["failures"], "kind"), ["unreachable"]);
    assert_eq!(shown["updates"][0]["supersedes"], Value::Null, "not read is not none");
    loopback.rule(Rule::always("", Action::ErrorPage));
    ask(&bench, &loopback, &["show", &id(1), "--catalog"]).exits(6);
}

#[test]
fn a_mirror_of_elsewhere_is_not_compared() {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &["crawl", "KB5086672"]).exits(0);
    let other = UpdateSpec::new(&id(1), &title("KB5086672", "arm64"));
    let other =
        UpdateSpec { files: vec![FileSpec::package("windows11.0-kb5086672-arm64", "msu", "1")], ..other };
    let loopback = Loopback::start(World::new().update(other));
    let ran = ask(&bench, &loopback, &["show", "KB5086672", "--catalog"]).exits(0);
    assert!(ran.stderr.contains("content from elsewhere"), "{}", ran.stderr);
    let shown = ran.json();
    assert_eq!((&shown["index_differences"], &shown["sets"]), (&json!([]), &json!([])));
    assert_eq!(each(&shown["updates"], "update_id"), [id(1)]);
}

#[test]
fn what_nobody_knows_here_names_the_way_to_ask() {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &["crawl", "KB5086672"]).exits(0);
    for (subject, other) in [("KB1234567", "kbmirror crawl KB1234567"), (&*id(5), "kbmirror crawl KB")] {
        let hints = bench.json(&["show", subject]).exits(3).json()["error"]["hints"].to_string();
        let ask = format!("kbmirror show {subject} --catalog");
        assert!(hints.contains(&ask) && hints.contains(other), "{hints}");
    }
    let (kind, message) = bench.json(&["--offline", "show", "KB1234567", "--catalog"]).exits(2).error();
    assert_eq!(kind, "usage");
    assert!(message.contains("--offline"), "{message}");
}
