//! `crawl` from recordings: shared files, shared sets, and repeated crawls.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::harness::{Bench, field_texts, items, read_tree, recording};

#[test]
fn three_releases_store_their_files_once() {
    let bench = Bench::new();
    let document = bench.replay(&recording("catalog"), &["crawl", "KB5129195"]).exits(0).json();
    assert_eq!(
        field_texts(&document["sets"], "folder"),
        ["kb/KB5129195/windows-11-24h2-arm64", "kb/KB5129195/windows-11-24h2-x64"]
    );
    assert_eq!(document["bytes_downloaded"], 0);
    for set in items(&document["sets"]) {
        assert_eq!(
            field_texts(&set["files"], "role"),
            ["checkpoint", "target"],
            "the order of the dialog must not matter"
        );
        assert_eq!(field_texts(&set["files"], "kb"), ["KB5043080", "KB5129195"]);
        assert_eq!(items(&set["products"]).len(), 3);
    }
    let count = |query: &str| bench.rows(query)[0][0].clone();
    assert_eq!(count("SELECT count(*) FROM v_updates WHERE kb = 'KB5129195'"), "6");
    assert_eq!(count("SELECT count(*) FROM files"), "4");
    assert_eq!(count("SELECT count(*) FROM needs"), "2");
    assert_eq!(count("SELECT count(*) FROM sets"), "2");
    let listed_first = bench.rows(
        "SELECT DISTINCT name LIKE '%kb5129195%' FROM v_update_files WHERE update_kb = 'KB5129195' AND position = \
         (SELECT min(position) FROM update_files)",
    );
    assert_eq!(listed_first, [["1"]], "the index keeps the dialog's own order");
    assert!(!bench.mirror().join("kb").exists() && !bench.mirror().join("pool").exists());
}

#[test]
fn client_and_server_of_one_month_share_a_set() {
    let bench = Bench::new();
    let document = bench.replay(&recording("catalog"), &["crawl", "KB5046617"]).exits(0).json();
    let products: Vec<&Value> = items(&document["sets"]).iter().map(|set| &set["products"]).collect();
    assert_eq!(field_texts(&document["sets"], "architecture"), ["arm64", "x64"]);
    let server = "Microsoft server operating system, version 24H2";
    assert_eq!(products[0], &json!(["Windows 11, version 24H2"]));
    assert_eq!(products[1], &json!([server, "Windows 11, version 24H2"]));
    for product in ["Windows 11 24H2", "server-2025", server] {
        let plan =
            bench.json(&["resolve", "KB5046617", "--arch", "x64", "--product", product]).exits(0).json();
        assert_eq!(field_texts(&plan["steps"], "role"), ["checkpoint", "target"], "{product}");
    }
}

#[test]
fn a_second_crawl_changes_only_last_seen() {
    for (name, kb) in [("catalog", "KB5129195"), ("demo", "KB5086672"), ("catalog", "KB5050182")] {
        let bench = Bench::new();
        bench.replay(&recording(name), &["crawl", kb]).exits(0);
        let is_volatile = |column: &str| column.ends_with("last_seen") || column == "last_asked";
        let (all_columns, stable_columns) = (bench.dump_index(|_| false), bench.dump_index(is_volatile));
        bench.clock.advance(Duration::from_hours(24));
        bench.replay(&recording(name), &["crawl", kb]).exits(0);
        assert_eq!(bench.dump_index(is_volatile), stable_columns, "{kb}");
        assert_ne!(bench.dump_index(|_| false), all_columns, "{kb}: last_seen must have changed");
    }
}

#[test]
fn crawl_then_fetch_publishes_the_same_files_as_fetch() {
    let crawled = Bench::new();
    crawled.replay(&recording("demo"), &["crawl", "KB5086672"]).exits(0);
    crawled.replay(&recording("demo"), &["fetch", "KB5086672"]).exits(0);
    let alone = Bench::new();
    alone.replay(&recording("demo"), &["fetch", "KB5086672"]).exits(0);
    let published = |bench: &Bench| read_tree(&bench.mirror().join("kb"));
    assert_eq!(published(&crawled), published(&alone));
}
