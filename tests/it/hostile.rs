//! Hostile pages: every one of them is refused with exit code 7, is asked for once, and leaves nothing behind but a saved
//! page within the cap. How long they take and how much memory is shown by the bench `hostile-pages`.
#![expect(clippy::disallowed_methods, reason = "saved pages are read as they lie")]

use std::fs;

use super::harness::{Bench, each, names_in, text_of};
use super::support::{HOSTILE_KB, Loopback, Rule, hostile_pages, hostile_world};

/// The greatest page that is read.
const CAP: u64 = 2 * 1024 * 1024;

#[test]
fn every_hostile_page_is_refused_and_leaves_nothing() {
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
        assert_eq!(each(&failures, "kind"), ["page_changed"], "{name}");
        let message = text_of(&failures[0]["message"]);
        assert!(message.chars().count() < 1_000, "{name}: what is told of a page is cut: {message}");
        if hostile.is_too_large {
            assert!(message.contains("at most 2097152 bytes was expected at size"), "{name}: {message}");
        }
        let requests = loopback.requests();
        let asked = requests.iter().filter(|seen| seen.path_and_query.contains(hostile.place.path()));
        assert_eq!(asked.count(), 1, "{name}: a request is not repeated without patience");
        let runs = bench.mirror().join("runs");
        for saved in names_in(&runs) {
            let size = fs::metadata(runs.join(&saved)).unwrap().len();
            assert!(size <= CAP, "{name}: {saved} has {size} bytes");
        }
        // Nothing of the page is in the index. Files are known without the details of an update, and published.
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
            let sound =
                "2025-09 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5100001)";
            assert_eq!(bench.rows("SELECT title FROM updates"), [[sound]], "{name}");
        }
    }
}

#[test]
fn a_saved_page_that_is_cut_says_so() {
    let bench = Bench::new();
    let loopback = Loopback::start(hostile_world());
    let hostile =
        hostile_pages().into_iter().find(|hostile| hostile.name == "bytes that are no text").unwrap();
    loopback.rule(Rule::always(hostile.place.path(), hostile.action));
    let url = loopback.catalog_url();
    bench.json(&["--catalog-url", &url, "--patience", "0", "search", HOSTILE_KB]).exits(7);
    let runs = bench.mirror().join("runs");
    let [name] = <[String; 1]>::try_from(names_in(&runs)).unwrap();
    let saved = fs::read_to_string(runs.join(name)).unwrap();
    assert!(saved.len() as u64 <= CAP);
    assert!(saved.ends_with("<!-- cut here by kbmirror: a page of the Catalog has at most 2 MiB -->\n"));
}

#[test]
fn without_a_hostile_page_the_same_run_succeeds() {
    let bench = Bench::new();
    let loopback = Loopback::start(hostile_world());
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    bench.json(&[&network[..], &["fetch", HOSTILE_KB]].concat()).exits(0);
}
