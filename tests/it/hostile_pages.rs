//! Hostile pages. Each page is refused with exit code 7, is requested once, and leaves only a saved page within the
//! size limit. The bench `hostile-pages` measures time and memory.
#![expect(clippy::disallowed_methods, reason = "tests read saved pages directly")]

use std::fs;

use super::harness::{Bench, field_texts, names_in, text_of};
use super::support::{HOSTILE_KB, Loopback, Rule, hostile_pages, hostile_world};

/// The size limit of a page.
const SIZE_LIMIT: u64 = 2 * 1024 * 1024;

#[test]
fn every_hostile_page_is_refused_and_leaves_no_data() {
    for hostile in hostile_pages() {
        let name = hostile.name;
        let bench = Bench::new();
        let loopback = Loopback::start(hostile_world());
        loopback.rule(Rule::always(hostile.place.path(), hostile.action));
        let (url, host) = (loopback.catalog_url(), loopback.file_host());
        let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
        let ran = bench.json(&[&network[..], &["--patience", "0", "fetch", HOSTILE_KB]].concat());

        assert_eq!(ran.code, 7, "{name}: {} {}", ran.stdout, ran.stderr);
        let failures = ran.json()["failures"].clone();
        assert_eq!(field_texts(&failures, "kind"), ["page_changed"], "{name}");
        let message = text_of(&failures[0]["message"]);
        assert!(message.chars().count() < 1_000, "{name}: the excerpt of a page is truncated: {message}");
        if hostile.is_too_large {
            assert!(message.contains("expected at size: at most 2097152 bytes"), "{name}: {message}");
        }
        let requests = loopback.requests();
        let matching = requests.iter().filter(|seen| seen.path_and_query.contains(hostile.place.path()));
        assert_eq!(matching.count(), 1, "{name}: a request is not repeated without a retry budget");
        let runs = bench.mirror().join("runs");
        for saved in names_in(&runs) {
            let size = fs::metadata(runs.join(&saved)).unwrap().len();
            assert!(size <= SIZE_LIMIT, "{name}: {saved} has {size} bytes");
        }
        // No data of the page is in the index. Files are known without the details of an update, and are published.
        let is_details = hostile.place.path().contains("ScopedView");
        assert_eq!(bench.mirror().join("kb").exists(), is_details, "{name}");
        assert_eq!(loopback.bytes_served() > 0, is_details, "{name}");
        if bench.mirror().join("mirror.db").exists() {
            assert_eq!(bench.rows("SELECT * FROM titles"), Vec::<Vec<String>>::new(), "{name}");
            assert_eq!(bench.rows("SELECT count(*) FROM supersedes"), [["0"]], "{name}");
            assert_eq!(
                bench.rows("SELECT count(*) FROM files"),
                [[if is_details { "1" } else { "0" }]],
                "{name}"
            );
            let title =
                "2025-09 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5100001)";
            assert_eq!(bench.rows("SELECT title FROM updates"), [[title]], "{name}");
        }
    }
}

#[test]
fn a_truncated_saved_page_is_marked() {
    let bench = Bench::new();
    let loopback = Loopback::start(hostile_world());
    let hostile =
        hostile_pages().into_iter().find(|hostile| hostile.name == "bytes that are not text").unwrap();
    loopback.rule(Rule::always(hostile.place.path(), hostile.action));
    let url = loopback.catalog_url();
    bench.json(&["--catalog-url", &url, "--patience", "0", "search", HOSTILE_KB]).exits(7);
    let runs = bench.mirror().join("runs");
    let [name] = <[String; 1]>::try_from(names_in(&runs)).unwrap();
    let saved = fs::read_to_string(runs.join(name)).unwrap();
    assert!(saved.len() as u64 <= SIZE_LIMIT);
    assert!(saved.ends_with("<!-- cut here by kbmirror: a page of the Catalog has at most 2 MiB -->\n"));
}

#[test]
fn the_same_run_succeeds_without_a_hostile_page() {
    let bench = Bench::new();
    let loopback = Loopback::start(hostile_world());
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    bench.json(&[&network[..], &["fetch", HOSTILE_KB]].concat()).exits(0);
}
