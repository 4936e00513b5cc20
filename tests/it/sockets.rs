//! The main job over real sockets, against a loopback Catalog and CDN with injected faults.
#![expect(clippy::disallowed_methods, reason = "mirrors are read as they lie")]

mod checkpoints;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{
    Bench, RunOutput, field_texts, items, names_in, read_tree, recording, sha256_hex, text_of,
};
use super::support::{Action, FileSpec, Loopback, Rule, SeenRequest, UpdateSpec, World, id};

/// Returns the options for a loopback Catalog whose CDN is allowed.
fn network(loopback: &Loopback) -> Vec<String> {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"].map(str::to_owned).to_vec()
}

/// Runs a command against a loopback Catalog.
fn run_against(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> RunOutput {
    let network = network(loopback);
    let network: Vec<&str> = network.iter().map(String::as_str).collect();
    bench.json(&[&network, arguments].concat())
}

/// Returns a server with the demo recording.
fn demo() -> Loopback {
    Loopback::from_recording(recording("demo").as_std_path())
}

/// Returns a package for arm64 with a name as Microsoft's.
fn package(kb: &str, bytes: &str) -> FileSpec {
    FileSpec::package(&format!("windows11.0-{}-arm64", kb.to_lowercase()), "msu", bytes)
}

/// Returns a cumulative update of 24H2 for arm64. `tail` is the build after the KB in its title, if any.
fn lcu(number: u32, month: &str, kb: &str, tail: &str, files: Vec<FileSpec>) -> UpdateSpec {
    let title =
        format!("{month} Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems ({kb}){tail}");
    UpdateSpec { files, ..UpdateSpec::new(&id(number), &title) }
}

/// Returns a Catalog with one KB that has one file.
fn small_world() -> World {
    World::new().update(lcu(
        1,
        "2024-08",
        "KB5041865",
        " (26100.1457)",
        vec![package("KB5041865", "the only file")],
    ))
}

const FETCH_SMALL: [&str; 2] = ["fetch", "KB5041865"];
const SMALL_FOLDER: &str = "kb/KB5041865/windows-11-24h2-arm64";

fn requests_for(loopback: &Loopback, part: &str) -> usize {
    loopback.requests().iter().filter(|seen| seen.path_and_query.contains(part)).count()
}

/// Removes the URLs of a document, which differ by the port.
fn without_urls(mut document: Value) -> Value {
    for set in document["sets"].as_array_mut().into_iter().flatten() {
        for file in set["files"].as_array_mut().into_iter().flatten() {
            file["urls"] = Value::Null;
        }
    }
    document
}

#[test]
fn the_demo_over_sockets_gives_the_same_result_as_its_replay() {
    let loopback = demo();
    for command in [
        &["fetch", "KB5086672", "--arch", "arm64"][..],
        &["fetch", "KB5086672", "KB5050182", "KB5030211", "KB5094122"],
        &["crawl", "KB5085516"],
        &["search", "KB5086672", "--arch", "x64"],
    ] {
        let (live, replayed) = (Bench::new(), Bench::new());
        let live_document = run_against(&live, &loopback, command).exits(0).json();
        let replayed_document = replayed.replay(&recording("demo"), command).exits(0).json();
        assert_eq!(without_urls(live_document), without_urls(replayed_document), "{command:?}");
        let files = |bench: &Bench| -> BTreeMap<String, Vec<u8>> {
            let mut files = read_tree(&bench.mirror());
            files.retain(|path, _| {
                path.starts_with("pool/") || path.contains("-x64/") || path.contains("-arm64/")
            });
            files
        };
        assert_eq!(files(&live), files(&replayed));
    }
}

#[test]
fn a_second_fetch_downloads_no_file() {
    let (bench, loopback) = (Bench::new(), demo());
    let fetch = ["fetch", "KB5086672", "--arch", "arm64"];
    let first = run_against(&bench, &loopback, &fetch).exits(0).json();
    assert_eq!(first["bytes_downloaded"], loopback.bytes_served());
    let requests = loopback.requests().len();
    assert_eq!(first["requests"], requests, "every request must be counted");
    let second = run_against(&bench, &loopback, &fetch).exits(0).json();
    assert_eq!(field_texts(&second["sets"], "status"), ["unchanged"]);
    assert_eq!(loopback.bytes_served(), 15_387 + 46_111);
    assert_eq!(
        loopback.requests()[requests..].iter().filter(|seen| seen.path_and_query.contains(".msu")).count(),
        0
    );
}

#[test]
fn a_file_host_that_is_not_allowed_is_refused() {
    let (bench, loopback) = (Bench::new(), demo());
    let url = loopback.catalog_url();
    let arguments =
        ["--catalog-url", &url, "--catalog-rate", "1000", "fetch", "KB5086672", "--arch", "arm64"];
    let document = bench.json(&arguments).exits(5).json();
    let failures = items(&document["failures"]);
    assert!(!failures.is_empty());
    for failure in failures {
        assert_eq!(failure["kind"], "host_not_allowed", "{failure:#}");
        let message = text_of(&failure["message"]);
        assert!(message.contains(&loopback.file_host()) && message.contains("--allow-host"), "{message}");
    }
    assert_eq!(loopback.bytes_served(), 0);
    assert!(!bench.mirror().join("kb").exists());
}

#[test]
fn requests_have_the_form_that_the_catalog_accepts() {
    let (bench, loopback) = (Bench::new(), demo());
    run_against(&bench, &loopback, &["fetch", "KB5086672"]).exits(0);
    let seen = loopback.requests();
    for request in &seen {
        assert_eq!(request.user_agent.as_deref(), Some("Mozilla/5.0 (compatible; kbmirror)"), "{request:?}");
        assert_eq!(request.accept_language.as_deref(), Some("en-US"), "{request:?}");
    }
    let (posts, gets): (Vec<&SeenRequest>, Vec<&SeenRequest>) =
        seen.iter().partition(|request| request.method == "POST");
    assert!(gets.iter().all(|request| request.method == "GET" && request.form.is_empty()));

    let searches: Vec<&str> = gets
        .iter()
        .map(|request| request.path_and_query.as_str())
        .filter(|target| target.starts_with("/Search.aspx"))
        .collect();
    assert_eq!(searches, ["/Search.aspx?p=0&q=KB5086672", "/Search.aspx?p=0&q=KB5043080"]);

    // The KB has four updates and its checkpoint two, each requested once. Forms of search pages are never posted
    // back.
    let mut updates = BTreeSet::new();
    for post in &posts {
        assert_eq!(post.path_and_query, "/DownloadDialog.aspx");
        let [(name, form)] = post.form.as_slice() else { panic!("{post:?}") };
        assert_eq!(name, "updateIDs");
        let update = text_of(&serde_json::from_str::<Value>(form).unwrap()[0]["updateID"]);
        assert_eq!(
            *form,
            format!(r#"[{{"size":0,"languages":"","uidInfo":"{update}","updateID":"{update}"}}]"#)
        );
        assert!(updates.insert(update), "requested twice: {post:?}");
    }
    assert_eq!(updates.len(), 6);
    for update in updates {
        let target = format!("/ScopedViewInline.aspx?updateid={update}");
        assert_eq!(gets.iter().filter(|request| request.path_and_query == target).count(), 1, "{target}");
    }
}

#[test]
fn each_page_of_a_search_is_requested_once() {
    let shared = package("KB5100001", "the same bytes for all");
    let world = (0..60).fold(World::new(), |world, number| {
        world.update(lcu(number, "2024-08", "KB5100001", " (26100.1500)", vec![shared.clone()]))
    });
    let loopback = Loopback::start(world);
    let bench = Bench::new();
    let found = run_against(&bench, &loopback, &["search", "KB5100001"]).exits(0).json();
    assert_eq!((&found["total"], &found["complete"]), (&json!(60), &json!(true)));
    let ids: BTreeSet<String> = field_texts(&found["updates"], "update_id").into_iter().collect();
    assert_eq!(ids, (0..60).map(id).collect());
    assert_eq!(items(&found["updates"]).len(), 60);
    let targets: Vec<String> = loopback
        .requests()
        .into_iter()
        .map(|seen| format!("{} {}", seen.method, seen.path_and_query))
        .collect();
    assert_eq!(targets, [0, 1, 2].map(|page| format!("GET /Search.aspx?p={page}&q=KB5100001")));

    let some = run_against(&bench, &loopback, &["search", "KB5100001", "--limit", "10"]).exits(0).json();
    assert_eq!((items(&some["updates"]).len(), &some["complete"]), (10, &json!(false)));
    assert_eq!(loopback.requests().len(), 4, "a limit must not request more pages than needed");

    let crawled = run_against(&bench, &loopback, &["crawl", "KB5100001"]).exits(0).json();
    assert_eq!(items(&crawled["sets"]).len(), 1);
    assert_eq!(bench.rows("SELECT count(*) FROM v_updates"), [["60"]]);
    assert_eq!(bench.rows("SELECT count(*) FROM files"), [["1"]]);
    assert_eq!(requests_for(&loopback, "/DownloadDialog.aspx"), 60);
}

#[test]
fn requests_to_a_failing_catalog_are_retried() {
    let wait = vec![("Retry-After".to_owned(), "7".to_owned())];
    let login_page = b"<html><body>please log in</body></html>".to_vec();
    // The shortest wait in milliseconds: one second, or a quarter less by jitter.
    let faults: [(&str, Action, u64); 7] = [
        ("/Search.aspx", Action::ErrorPage, 750),
        ("/ScopedViewInline.aspx", Action::ErrorPage, 750),
        ("/DownloadDialog.aspx", Action::ErrorPage, 750),
        ("/Search.aspx", Action::Close, 750),
        ("/DownloadDialog.aspx", Action::CutAfter(400), 750),
        ("/Search.aspx", Action::Body("text/html", login_page), 750),
        ("/Search.aspx", Action::Status(503, wait), 7000),
    ];
    for (path, action, least) in faults {
        let (bench, loopback) = (Bench::new(), Loopback::start(small_world()));
        loopback.rule(Rule::once(path, action.clone()));
        let document = run_against(&bench, &loopback, &FETCH_SMALL).exits(0).json();
        assert_eq!(field_texts(&document["sets"], "status"), ["published"], "{path} {action:?}");
        assert_eq!(document["failures"], json!([]));
        assert!(bench.clock.waited() >= Duration::from_millis(least), "{path} {action:?}");
        assert!(
            !bench.mirror().join("runs").exists(),
            "a transient fault must not be kept: {path} {action:?}"
        );
    }
}

#[test]
fn retries_end_with_the_retry_budget() {
    let faults = [Action::ErrorPage, Action::Close, Action::Status(503, Vec::new())];
    for action in faults {
        let (bench, loopback) = (Bench::new(), Loopback::start(small_world()));
        loopback.rule(Rule::always("/Search.aspx", action.clone()));
        let (kind, _) = run_against(&bench, &loopback, &FETCH_SMALL).exits(6).error();
        assert_eq!(kind, "unreachable", "{action:?}");
        let waited = bench.clock.waited();
        // The default retry budget of ten minutes allows ten requests.
        assert!(waited > Duration::from_secs(599) && waited <= Duration::from_mins(10), "{waited:?}");
        assert_eq!(requests_for(&loopback, "/Search.aspx"), 10, "{action:?}");
        assert!(!bench.mirror().exists(), "the mirror must not be written");

        let (bench, loopback) = (Bench::new(), Loopback::start(small_world()));
        loopback.rule(Rule::always("/Search.aspx", action.clone()));
        run_against(&bench, &loopback, &["fetch", "KB5041865", "--patience", "0"]).exits(6);
        assert_eq!(requests_for(&loopback, "/Search.aspx"), 1, "{action:?}");
        assert_eq!(bench.clock.waited(), Duration::ZERO, "{action:?}");
    }
}

#[test]
fn a_complete_mirror_survives_a_failing_catalog() {
    let (bench, loopback) = (Bench::new(), Loopback::start(small_world()));
    run_against(&bench, &loopback, &FETCH_SMALL).exits(0);
    let before = read_tree(&bench.mirror().join("kb"));
    loopback.rule(Rule::always("", Action::ErrorPage));
    let document = run_against(&bench, &loopback, &FETCH_SMALL).exits(0).json();
    assert_eq!(field_texts(&document["sets"], "status"), ["unchanged"]);
    assert!(
        !items(&document["warnings"]).is_empty(),
        "a warning must report that the Catalog was not queried: {document:#}"
    );
    assert_eq!(read_tree(&bench.mirror().join("kb")), before);
}

#[test]
fn an_interrupted_transfer_is_repeated() {
    for action in [Action::CutAfter(5), Action::CutAfter(0), Action::Close, Action::Status(503, Vec::new())] {
        let (bench, loopback) = (Bench::new(), Loopback::start(small_world()));
        loopback.rule(Rule::once("/files/", action.clone()));
        let document = run_against(&bench, &loopback, &FETCH_SMALL).exits(0).json();
        assert_eq!(field_texts(&document["sets"], "status"), ["published"], "{action:?}");
        assert_eq!(requests_for(&loopback, "/files/"), 2, "{action:?}");
        let names = names_in(&bench.mirror().join(SMALL_FOLDER));
        let bytes = fs::read(bench.mirror().join(SMALL_FOLDER).join(&names[0])).unwrap();
        assert_eq!(bytes, b"the only file");
        assert_eq!(document["sets"][0]["files"][0]["sha256"], sha256_hex(&bytes));
        assert_eq!(document["bytes_downloaded"], bytes.len());
        assert_eq!(names_in(&bench.mirror().join("quarantine")), Vec::<String>::new());
    }
}

#[test]
fn a_transfer_that_always_breaks_publishes_nothing() {
    for patience in ["0", "30"] {
        let (bench, loopback) = (Bench::new(), Loopback::start(small_world()));
        loopback.rule(Rule::always("/files/", Action::CutAfter(0)));
        let fetch = ["fetch", "KB5041865", "--patience", patience];
        let document = run_against(&bench, &loopback, &fetch).exits(6).json();
        assert_eq!(field_texts(&document["sets"], "status"), ["failed"]);
        assert_eq!(field_texts(&document["failures"], "kind"), ["unreachable"]);
        assert!(!bench.mirror().join("kb").exists());
        assert_eq!(read_tree(&bench.mirror().join("pool")).len(), 0);
        assert_eq!(
            names_in(&bench.mirror().join("quarantine")),
            Vec::<String>::new(),
            "a partial file does not belong in quarantine"
        );
        let tries = requests_for(&loopback, "/files/");
        assert_eq!(tries == 1, patience == "0", "{tries}");
    }

    // Another KB is complete, so the run is incomplete, and the next run completes it.
    let other_update =
        lcu(2, "2024-07", "KB5040529", " (26100.1301)", vec![package("KB5040529", "another file")]);
    let (bench, loopback) = (Bench::new(), Loopback::start(small_world().update(other_update)));
    loopback.rule(Rule { times: 1, ..Rule::always("kb5041865", Action::CutAfter(0)) });
    let fetch = ["fetch", "KB5041865", "KB5040529", "--patience", "0"];
    let document = run_against(&bench, &loopback, &fetch).exits(4).json();
    assert_eq!(field_texts(&document["sets"], "status"), ["failed", "published"]);
    let document = run_against(&bench, &loopback, &fetch).exits(0).json();
    assert_eq!(field_texts(&document["sets"], "status"), ["published", "unchanged"]);
}

#[test]
fn bytes_with_a_wrong_digest_go_to_quarantine() {
    let wrong_bytes =
        FileSpec { served: Some(b"THE only file".to_vec()), ..package("KB5041865", "the only file") };
    let world = World::new().update(lcu(1, "2024-08", "KB5041865", " (26100.1457)", vec![wrong_bytes]));
    let (bench, loopback) = (Bench::new(), Loopback::start(world));
    let document = run_against(&bench, &loopback, &FETCH_SMALL).exits(5).json();
    assert_eq!(field_texts(&document["sets"], "status"), ["failed"]);
    assert_eq!(field_texts(&document["failures"], "kind"), ["integrity"]);
    assert_eq!(
        read_tree(&bench.mirror().join("quarantine")).values().collect::<Vec<_>>(),
        [b"THE only file"]
    );
    assert!(!bench.mirror().join("kb").exists());
    // The CDN serves the right bytes on the next day.
    loopback.replace(small_world());
    run_against(&bench, &loopback, &FETCH_SMALL).exits(0);
    assert_eq!(names_in(&bench.mirror().join(SMALL_FOLDER)).len(), 1);
}

#[test]
fn a_redirect_to_a_host_not_allowed_is_not_followed() {
    for path in ["/Search.aspx", "/files/"] {
        let (bench, loopback) = (Bench::new(), Loopback::start(small_world()));
        loopback.rule(Rule::always(path, Action::Redirect("http://elsewhere.invalid/evil".to_owned())));
        let document = run_against(&bench, &loopback, &FETCH_SMALL).exits(5).json();
        let message = text_of(&document["failures"][0]["message"]);
        assert!(message.contains("elsewhere.invalid"), "{message}");
        assert!(!bench.mirror().join("kb").exists());
    }
    // A redirect between allowed hosts is followed, with a limit on the number of redirects.
    let (bench, loopback) = (Bench::new(), Loopback::start(small_world()));
    let at_the_cdn = format!("http://{}/moved", loopback.file_host());
    loopback.rule(Rule::always("/files/", Action::Redirect(at_the_cdn.clone())));
    loopback.rule(Rule::always("/moved", Action::Redirect(at_the_cdn)));
    run_against(&bench, &loopback, &["fetch", "KB5041865", "--patience", "0"]).exits(6);
    assert_eq!(requests_for(&loopback, "/moved"), 5);
    let (bench, loopback) = (Bench::new(), Loopback::start(small_world()));
    let at_the_cdn = format!("http://{}/moved", loopback.file_host());
    loopback.rule(Rule::once("/files/", Action::Redirect(at_the_cdn)));
    loopback.rule(Rule::once("/moved", Action::Body("application/octet-stream", b"the only file".to_vec())));
    run_against(&bench, &loopback, &FETCH_SMALL).exits(0);
}

#[test]
fn catalog_requests_are_limited_to_one_per_second() {
    let (bench, loopback) = (Bench::new(), demo());
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let fetch = ["fetch", "KB5086672", "--arch", "arm64"];
    let of_catalog =
        || loopback.requests().iter().filter(|seen| seen.path_and_query.contains(".aspx")).count() as u64;

    bench
        .json(&[&["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1"], &fetch[..]].concat())
        .exits(0);
    let requests = of_catalog();
    assert_eq!(bench.clock.waited(), Duration::from_secs(requests - 1), "file downloads must not be paced");

    // The rate is the same without the option, and lower with another value.
    for (rate, seconds) in [(&[][..], 1), (&["--catalog-rate", "0.25"][..], 4)] {
        let (bench, before) = (Bench::new(), of_catalog());
        bench.json(&[&["--catalog-url", &url, "--allow-host", &host], rate, &fetch[..]].concat()).exits(0);
        let requests = of_catalog() - before;
        assert_eq!(bench.clock.waited(), Duration::from_secs(seconds * (requests - 1)));
    }
}

#[test]
fn a_later_fetch_adds_and_deletes_nothing() {
    let (bench, loopback) = (Bench::new(), Loopback::start(small_world()));
    run_against(&bench, &loopback, &FETCH_SMALL).exits(0);
    let kept = read_tree(&bench.mirror().join(SMALL_FOLDER));

    // A healthy Catalog no longer has the entry: the index and the mirror keep everything.
    bench.clock.advance(Duration::from_hours(24));
    let checkpoint = || {
        let own = UpdateSpec {
            files: vec![package("KB5043080", "x")],
            ..lcu(9, "2024-09", "KB5043080", "", vec![])
        };
        World::new().update(own)
    };
    loopback.replace(checkpoint());
    let gone = run_against(&bench, &loopback, &FETCH_SMALL).exits(0).json();
    assert_eq!(field_texts(&gone["sets"], "status"), ["unchanged"]);
    assert_eq!(
        gone["warnings"][0],
        "the Catalog has not listed KB5041865 since 2026-11-24; its files are still valid"
    );
    assert_eq!(read_tree(&bench.mirror().join(SMALL_FOLDER)), kept);
    assert_eq!(items(&bench.json(&["list"]).exits(0).json()["sets"]).len(), 1);
    assert_eq!(items(&bench.json(&["show", "KB5041865"]).exits(0).json()["updates"]).len(), 1);
    let plan = bench.json(&["resolve", "KB5041865", "--baseline", "26100.863"]).exits(0).json();
    assert_eq!(field_texts(&plan["steps"], "role"), ["target"]);

    // The KB is reissued with another file: the folder has the newest file, the pool has both.
    bench.clock.advance(Duration::from_hours(24));
    let reissued = package("KB5041865", "the file anew");
    loopback.replace(checkpoint().update(lcu(
        1,
        "2024-08",
        "KB5041865",
        " (26100.1457)",
        vec![reissued.clone()],
    )));
    let document = run_against(&bench, &loopback, &FETCH_SMALL).exits(0).json();
    assert_eq!(field_texts(&document["sets"], "status"), ["published"]);
    assert_eq!(names_in(&bench.mirror().join(SMALL_FOLDER)), [reissued.name]);
    assert_eq!(read_tree(&bench.mirror().join("pool")).len(), 2);
    assert_eq!(items(&bench.json(&["list"]).exits(0).json()["sets"]).len(), 1);
}

#[test]
fn a_crawl_of_words_goes_by_kb_and_reports_other_failures() {
    // A driver names no KB. The name of its only file is a path.
    let hostile = FileSpec { name: "..\\driver.cab".to_owned(), ..package("KB5041865", "a driver") };
    let x64 = UpdateSpec {
        files: vec![FileSpec::package("windows11.0-kb5041571-x64", "msu", "another architecture")],
        ..UpdateSpec::new(
            &id(3),
            "2024-08 Cumulative Update for Windows 11 Version 24H2 for x64-based Systems (KB5041571)",
        )
    };
    let world = small_world()
        .update(UpdateSpec { files: vec![hostile], ..UpdateSpec::new(&id(2), "Example - Net - Windows 11") })
        .update(x64);
    let loopback = Loopback::start(world);
    let bench = Bench::new();
    let document =
        run_against(&bench, &loopback, &["crawl", "Windows", "11", "--arch", "arm64"]).exits(5).json();
    let failures = items(&document["failures"]);
    assert_eq!(failures.len(), 1, "{document:#}");
    assert!(
        text_of(&failures[0]["what"]).contains(&id(2))
            && text_of(&failures[0]["message"]).contains("refused")
    );
    assert_eq!(
        field_texts(&document["sets"], "kb"),
        ["KB5041865"],
        "the other architecture was not requested"
    );
    assert_eq!(bench.rows("SELECT count(*) FROM v_updates"), [["3"]]);
}
