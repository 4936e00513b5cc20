//! A Catalog with the faults of the real one. Each fault occurs once or permanently. The tests check the requests that
//! follow, and the answers that are accepted.
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

mod searches;

use std::sync::Arc;
use std::time::Duration;

use kbmirror::clock::Clock as _;
use serde_json::{Value, json};

use super::harness::{Bench, RunOutput, field_texts, items, names_in, read_tree, text_of};
use super::support::{Action, FileSpec, Hook, Loopback, Rule, UpdateSpec, World, id};

fn run_with(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> RunOutput {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    bench.json(&[&network[..], arguments].concat())
}

fn package(kb: &str, bytes: &str) -> FileSpec {
    FileSpec::package(&format!("windows11.0-{}-arm64", kb.to_lowercase()), "msu", bytes)
}

fn lcu(number: u32, month: &str, kb: &str, tail: &str) -> UpdateSpec {
    let title =
        format!("{month} Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems ({kb}){tail}");
    UpdateSpec { files: vec![package(kb, kb)], ..UpdateSpec::new(&id(number), &title) }
}

const KB: &str = "KB5041865";
const CRAWL: [&str; 2] = ["crawl", KB];

/// Creates a Catalog with the KB and the KB of the control query.
fn world() -> World {
    control().update(lcu(1, "2024-08", KB, " (26100.1457)"))
}

/// Creates a Catalog with only the KB of the control query, which the real Catalog always lists.
fn control() -> World {
    World::new().update(lcu(9, "2024-09", "KB5043080", " (26100.1742)"))
}

fn request_count(loopback: &Loopback, part: &str) -> usize {
    loopback.requests().iter().filter(|seen| seen.path_and_query.contains(part)).count()
}

/// Encodes a page in Latin-1 that declares UTF-8.
fn in_latin_1(page: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(page).unwrap();
    let other = text.replace("Systems", "Syst\u{e8}mes").replace("Last Modified", "Modifi\u{e9}");
    other.chars().map(|sign| u8::try_from(u32::from(sign)).unwrap_or(b'?')).collect()
}

fn without_last_row(page: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(page).unwrap();
    text.replace("1 - 1 of 1 ", "1 - 2 of 2 ").into_bytes()
}

fn with_other_date(page: Vec<u8>) -> Vec<u8> {
    String::from_utf8(page).unwrap().replace("9/10/2024", "10. Sept. 2024").into_bytes()
}

fn with_other_ids(page: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(page).unwrap();
    text.replace("ctl00_catalogBody_updateMatches", "results").replace("searchDuration", "range").into_bytes()
}

/// Returns all faults: the path, the fault, the exit code of a crawl if the fault is permanent, and the number of
/// requests to the path that the retry policy allows.
fn faults() -> Vec<(&'static str, Action, u8, std::ops::RangeInclusive<usize>)> {
    let wait = |seconds: &str| Action::Status(503, vec![("Retry-After".to_owned(), seconds.to_owned())]);
    let (search, details, dialog) = ("/Search.aspx", "/ScopedViewInline.aspx", "/DownloadDialog.aspx");
    // Within ten minutes: waits of 1, 2, 4, 8, 15, 60, and 120 s, and of 300 s depending on the jitter.
    let within_budget = 6..=10;
    vec![
        (search, Action::ErrorPage, 6, within_budget.clone()),
        (details, Action::ErrorPage, 4, within_budget.clone()),
        (dialog, Action::ErrorPage, 4, within_budget.clone()),
        (search, Action::WithoutRows, 6, within_budget.clone()),
        (search, Action::Close, 6, within_budget.clone()),
        (details, Action::CutAfter(900), 4, within_budget.clone()),
        (search, Action::Status(503, Vec::new()), 6, within_budget.clone()),
        (search, wait("7"), 6, within_budget.clone()),
        (search, wait("4000"), 6, 1..=1),
        (dialog, Action::EmptyDialog, 7, 3..=3),
        (search, Action::Edited(without_last_row), 7, 3..=3),
        (search, Action::Edited(with_other_date), 7, 3..=3),
        (search, Action::Edited(with_other_ids), 7, within_budget),
        (search, Action::Edited(in_latin_1), 7, 3..=3),
        (details, Action::Edited(in_latin_1), 7, 3..=3),
        (search, Action::Redirect("http://elsewhere.invalid/login".to_owned()), 5, 1..=1),
    ]
}

#[test]
fn a_transient_fault_changes_nothing_and_costs_one_request() {
    let undisturbed = {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        run_with(&bench, &loopback, &CRAWL).exits(0);
        (loopback.requests().len(), bench.dump_index(|_| false).len())
    };
    for (path, action, code, _) in faults() {
        // A host that is not allowed is refused at once. The same holds for a wait that exceeds the retry budget.
        if code == 5
            || matches!(&action, Action::Status(_, headers) if headers.iter().any(|(_, value)| value == "4000"))
        {
            continue;
        }
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        loopback.rule(Rule::once(path, action.clone()));
        let document = run_with(&bench, &loopback, &CRAWL).exits(0).json();
        assert_eq!(document["failures"], json!([]), "{path} {action:?}");
        // The error page is a redirect, and its target is a separate request.
        let extra = 1 + usize::from(matches!(action, Action::ErrorPage));
        assert_eq!(loopback.requests().len(), undisturbed.0 + extra, "{path} {action:?}");
        assert_eq!(bench.dump_index(|_| false).len(), undisturbed.1);
        assert_eq!(names_in(&bench.mirror().join("runs")), Vec::<String>::new(), "{path} {action:?}");
    }
}

#[test]
fn a_permanent_fault_ends_within_the_retry_budget() {
    for (path, action, code, requests) in faults() {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        loopback.rule(Rule::always(path, action.clone()));
        let document = run_with(&bench, &loopback, &CRAWL).exits(code).json();
        let request_count = request_count(&loopback, path);
        assert!(
            requests.contains(&request_count),
            "{path} {action:?}: {request_count} requests, the policy allows {requests:?}"
        );
        // The retry budget plus the short waits of the rate limit.
        assert!(
            bench.clock.waited() <= Duration::from_secs(601),
            "{path} {action:?}: {:?}",
            bench.clock.waited()
        );
        let text = document.to_string();
        if code == 7 {
            let saved = names_in(&bench.mirror().join("runs"));
            assert_eq!(saved.len(), 1, "{path} {action:?}");
            assert!(text.contains("expected"), "{text}");
        }
        if matches!(action, Action::ErrorPage) {
            assert!(text.contains("8DDD0010"), "{text}");
        }
        if bench.mirror().join("mirror.db").exists() {
            assert_eq!(bench.rows("SELECT count(*) FROM absences"), [["0"]], "{path} {action:?}");
        }
    }
}

#[test]
fn a_changed_page_is_reported_with_the_unexpected_element() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::always("/Search.aspx", Action::Edited(with_other_date)));
    let document = run_with(&bench, &loopback, &CRAWL).exits(7).json();
    let failure = &document["failures"][0];
    let message = text_of(&failure["message"]);
    for part in ["search page", "_C4_R0", "a date such as", "10. Sept. 2024"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let hints = document["error"]["hints"].to_string();
    let saved = names_in(&bench.mirror().join("runs"));
    assert!(hints.contains(&saved[0]) && hints.contains("--record"), "{hints}");
}

#[test]
fn a_wrong_content_type_changes_nothing() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::always(".aspx", Action::ContentType("text/html; charset=iso-8859-1")));
    run_with(&bench, &loopback, &CRAWL).exits(0);
    assert_eq!(loopback.requests().len(), 3);
}

/// A failing Catalog answers every search with its page for "nothing found".
#[test]
fn a_false_empty_answer_is_detected_and_removes_nothing() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    run_with(&bench, &loopback, &CRAWL).exits(0);
    let before = bench.dump_index(|_| false);

    // A permanent fault is an error, and no update is marked as missing.
    bench.clock.advance(Duration::from_hours(48));
    loopback.rule(Rule::always("/Search.aspx", Action::NothingFound));
    let document = run_with(&bench, &loopback, &CRAWL).exits(6).json();
    assert_eq!(
        document["failures"][0]["message"],
        "the Catalog finds nothing for \"KB5041865\", and nothing for the control queries either: \
         it is failing"
    );
    assert_eq!(bench.dump_index(|_| false), before);

    // The fault occurs once. The repeated query gives the right answer, so the control query is not needed.
    loopback.clear_rules();
    loopback.rule(Rule::once("/Search.aspx", Action::NothingFound));
    let requests_before = loopback.requests().len();
    run_with(&bench, &loopback, &CRAWL).exits(0);
    let targets: Vec<String> =
        loopback.requests()[requests_before..].iter().map(|seen| seen.path_and_query.clone()).collect();
    assert_eq!(targets[..2], ["/Search.aspx?p=0&q=KB5041865", "/Search.aspx?p=0&q=KB5041865"]);
    assert!(!targets.iter().any(|target| target.contains("KB5043080")), "{targets:?}");

    // The empty answer of a healthy Catalog is accepted, and the known updates stay.
    loopback.replace(control());
    let requests_before = loopback.requests().len();
    let document = run_with(&bench, &loopback, &CRAWL).exits(0).json();
    assert_eq!(items(&document["sets"]).len(), 1, "{document:#}");
    let targets: Vec<String> =
        loopback.requests()[requests_before..].iter().map(|seen| seen.path_and_query.clone()).collect();
    assert_eq!(targets[..3].iter().filter(|target| target.contains(KB)).count(), 2, "{targets:?}");
    assert!(targets[2].contains("KB5043080"), "{targets:?}");

    // An unknown KB with a fast response: one request.
    let requests_before = loopback.requests().len();
    run_with(&bench, &loopback, &["crawl", "KB5999999"]).exits(3);
    assert_eq!(loopback.requests().len(), requests_before + 1);
    // An unknown KB with a slow response: the query is repeated, and the control query follows.
    let clock = Arc::clone(&bench.clock);
    let late = Hook(Arc::new(move || clock.advance(Duration::from_secs(100))));
    loopback.rule(Rule::once("KB5999999", Action::RunBefore(late)));
    let requests_before = loopback.requests().len();
    run_with(&bench, &loopback, &["crawl", "KB5999999"]).exits(3);
    assert_eq!(loopback.requests().len(), requests_before + 3);
}

/// The Catalog sends pages without rows for 25 minutes, with and without the text that nothing was found.
#[test]
fn a_stall_of_25_minutes_loses_nothing() {
    for action in [Action::WithoutRows, Action::NothingFound] {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        run_with(&bench, &loopback, &CRAWL).exits(0);
        bench.clock.advance(Duration::from_hours(24));
        let (clock, begin) = (Arc::clone(&bench.clock), bench.clock.elapsed());
        let until = begin + Duration::from_mins(25);
        loopback.rule(Rule::during("/Search.aspx", action.clone(), move || clock.elapsed() < until));
        let before = bench.dump_index(|_| false);

        // A run with a retry budget of ten minutes fails.
        run_with(&bench, &loopback, &CRAWL).exits(6);
        assert_eq!(bench.dump_index(|_| false), before, "{action:?}");
        // A retry budget of 45 minutes is enough.
        let document = run_with(&bench, &loopback, &["--patience", "45m", "crawl", KB]).exits(0).json();
        assert!(bench.clock.elapsed() >= until && bench.clock.elapsed() < begin + Duration::from_hours(1));
        assert_eq!((items(&document["sets"]).len(), &document["failures"]), (1, &json!([])), "{action:?}");
        assert_eq!(bench.rows("SELECT count(*) FROM absences"), [["0"]]);
        assert_eq!(bench.rows("SELECT count(*) FROM v_updates WHERE expired IS NULL"), [["1"]]);
        // Each attempt sends the query twice and both control queries.
        assert!(request_count(&loopback, ".aspx") < 90, "{}", request_count(&loopback, ".aspx"));
    }
}

#[test]
fn an_update_expires_after_two_answers_a_day_apart() {
    let two = || world().update(lcu(2, "2024-08", KB, " (26100.1458)"));
    let absent = |bench: &Bench| {
        bench.rows(
            "SELECT update_id, missing_since IS NOT NULL, expired IS NOT NULL FROM v_updates
        WHERE missing_since IS NOT NULL",
        )
    };
    let missing = id(2);

    // The search omits the update, but its details page still exists.
    let (bench, loopback) = (Bench::new(), Loopback::start(two()));
    run_with(&bench, &loopback, &CRAWL).exits(0);
    let omit_update = |loopback: &Loopback| {
        loopback.rule(Rule::during(
            "/Search.aspx?p=0&q=KB5041865",
            Action::Edited(without_second_row),
            || true,
        ));
    };
    omit_update(&loopback);
    let first = run_with(&bench, &loopback, &CRAWL).exits(0).json();
    let update = format!(
        "\"2024-08 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5041865) \
         (26100.1458)\" ({missing})"
    );
    let warning = format!(
        "the Catalog no longer shows {update}; kept its records, and a search after a day decides whether it \
         has expired"
    );
    assert_eq!(first["warnings"], json!([warning]));
    assert_eq!(absent(&bench), [[missing.as_str(), "1", "0"]]);
    // More queries on the same day do not add evidence.
    bench.clock.advance(Duration::from_hours(23));
    run_with(&bench, &loopback, &CRAWL).exits(0);
    assert_eq!(absent(&bench), [[missing.as_str(), "1", "0"]]);
    bench.clock.advance(Duration::from_hours(2));
    run_with(&bench, &loopback, &CRAWL).exits(0);
    assert_eq!(absent(&bench), [[missing.as_str(), "1", "1"]]);
    let shown = bench.json(&["show", KB]).exits(0).json();
    let expired: Vec<&Value> = items(&shown["updates"]).iter().map(|update| &update["expired"]).collect();
    assert_eq!(expired, [&Value::Null, &json!("2026-11-24")], "{shown:#}");
    // The update is listed again.
    loopback.clear_rules();
    run_with(&bench, &loopback, &CRAWL).exits(0);
    assert_eq!(absent(&bench), Vec::<Vec<String>>::new());

    // The details page states that the update does not exist. One answer is enough.
    let (bench, loopback) = (Bench::new(), Loopback::start(two()));
    run_with(&bench, &loopback, &CRAWL).exits(0);
    loopback.replace(world());
    run_with(&bench, &loopback, &CRAWL).exits(0);
    assert_eq!(absent(&bench), [[missing.as_str(), "1", "1"]]);
    assert_eq!(bench.rows("SELECT count(*) FROM v_update_files"), [["2"]], "the listed files stay");
}

fn without_second_row(page: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(page).unwrap();
    let begin = text.find(&format!("<tr id=\"{}_R1\"", id(2))).unwrap();
    let end = begin + text[begin..].find("</tr>").unwrap() + "</tr>".len();
    format!("{}{}", &text[..begin], &text[end..]).replace("1 - 2 of 2 ", "1 - 1 of 1 ").into_bytes()
}

#[test]
fn a_second_crawl_on_a_day_requests_only_the_search_page() {
    let checkpoint = || package("KB5043080", "KB5043080");
    let later = |file: FileSpec, date: &str| UpdateSpec {
        files: vec![file, checkpoint()],
        last_updated: date.to_owned(),
        ..lcu(3, "2026-03", "KB5086672", " (26100.8117)")
    };
    let other = || lcu(4, "2026-03", "KB5086672", " (26200.8117)");
    let world = |file: FileSpec, date: &str| control().update(later(file, date)).update(other());
    let (bench, loopback) = (Bench::new(), Loopback::start(world(package("KB5086672", "one"), "3/31/2026")));
    let crawl = ["crawl", "KB5086672"];
    let targets = |since: usize| -> Vec<String> {
        loopback.requests()[since..].iter().map(|seen| seen.path_and_query.clone()).collect()
    };
    run_with(&bench, &loopback, &crawl).exits(0);
    let first = loopback.requests().len();
    bench.clock.advance(Duration::from_hours(23));
    run_with(&bench, &loopback, &crawl).exits(0);
    assert_eq!(targets(first), ["/Search.aspx?p=0&q=KB5086672"]);

    // `--refresh` reads everything again.
    let before = loopback.requests().len();
    run_with(&bench, &loopback, &["crawl", "KB5086672", "--refresh"]).exits(0);
    assert_eq!(loopback.requests().len(), before + first);

    // An entry was revised and has other bytes. Only this entry is read again and reported as re-issued.
    loopback.replace(world(package("KB5086672", "two"), "4/1/2026"));
    let before = loopback.requests().len();
    let document = run_with(&bench, &loopback, &crawl).exits(0).json();
    let requested = targets(before);
    assert_eq!(requested.len(), 3, "{requested:?}");
    assert_eq!(
        document["warnings"][0],
        "\"2026-03 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5086672) \
         (26100.8117)\" (00000003-5eed-4000-8000-000000000003) was re-issued with other files; \
         kept the old files, and used the new ones"
    );
    let shown = bench.json(&["show", "KB5086672"]).exits(0).json();
    let flags: Vec<&Value> = items(&shown["updates"]).iter().map(|update| &update["reissued"]).collect();
    assert_eq!(flags, [&json!("2026-11-24"), &Value::Null]);
    assert_eq!(bench.rows("SELECT count(*) FROM v_files WHERE kb = 'KB5086672'"), [["3"]], "both are kept");

    // The next day everything is read again.
    bench.clock.advance(Duration::from_hours(25));
    let before = loopback.requests().len();
    run_with(&bench, &loopback, &crawl).exits(0);
    assert_eq!(targets(before).len(), first);
}

#[test]
fn superseded_titles_are_linked_when_their_updates_appear() {
    let older = "2024-08 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5041865) (26100.1457)";
    let newer = |titles: &[&str]| UpdateSpec {
        supersedes: titles.iter().map(|&title| title.to_owned()).collect(),
        ..lcu(3, "2024-10", "KB5044284", " (26100.2033)")
    };
    let never_listed =
        "2024-07 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5040435)";
    let uup = format!("{older} UUP");
    let (bench, loopback) = (Bench::new(), Loopback::start(control().update(newer(&[&uup, never_listed]))));
    let crawl = ["crawl", "KB5044284", "--refresh"];
    let edges = || bench.rows("SELECT older_update_id, older_title FROM v_supersedes ORDER BY older_title");
    run_with(&bench, &loopback, &crawl).exits(0);
    assert_eq!(edges(), [["null", never_listed], ["null", uup.as_str()]]);
    // The older update appears in two products. The title refers to the product of the newer update.
    let for_server = UpdateSpec {
        products: "Microsoft Server Operating System-24H2".to_owned(),
        ..lcu(8, "2024-08", KB, " (26100.1457)")
    };
    loopback.replace(world().update(newer(&[&uup, never_listed])).update(for_server));
    run_with(&bench, &loopback, &CRAWL).exits(0);
    assert_eq!(edges(), [["null", never_listed], [id(1).as_str(), uup.as_str()]]);
    // A shorter list does not remove known edges.
    loopback.replace(world().update(newer(&[])));
    bench.clock.advance(Duration::from_hours(25));
    run_with(&bench, &loopback, &crawl).exits(0);
    assert_eq!(edges().len(), 2);
}

#[test]
fn a_dialog_without_updates_is_an_error() {
    // The redirect to HTTPS drops the form, so the response is a dialog without updates with status 200.
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    let again = format!("{}/DownloadDialog.aspx?again", loopback.catalog_url());
    loopback
        .rule(Rule { method: Some("POST"), ..Rule::always("/DownloadDialog.aspx", Action::Redirect(again)) });
    let document = run_with(&bench, &loopback, &CRAWL).exits(7).json();
    assert_eq!(
        document["failures"][0]["message"],
        "files of 00000001-5eed-4000-8000-000000000001, 3 times: the download dialog is not understood: \
         expected at downloadInformation: at least one update; found: an empty array"
    );
    assert_eq!(bench.rows("SELECT count(*) FROM update_files"), [["0"]]);
    assert!(!read_tree(&bench.mirror().join("runs")).is_empty(), "the page is saved");
}

#[test]
fn a_listed_update_without_details_keeps_its_files() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::always("/ScopedViewInline.aspx", Action::Redirect("/Thanks.aspx?id=190".to_owned())));
    let document = run_with(&bench, &loopback, &CRAWL).exits(0).json();
    let update = "\"2024-08 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems \
         (KB5041865) (26100.1457)\" (00000001-5eed-4000-8000-000000000001)";
    let warning = format!("the Catalog lists {update} without a details page");
    assert_eq!(document["warnings"], json!([warning]));
    assert_eq!(bench.rows("SELECT count(*) FROM v_update_files"), [["1"]]);
    assert_eq!(bench.rows("SELECT count(*) FROM absences"), [["0"]], "the search lists the update");
}

/// A recorded error page of the real Catalog in place of a search page.
#[test]
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test reads its input and reports the check that it skips"
)]
fn the_recorded_error_page_is_retried_or_reported() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/recorded-pages/error-8DDD0010-2023.html");
    let Ok(page) = std::fs::read(path) else {
        println!("skipped: ../shared/recorded-pages is missing");
        return;
    };
    let body = Action::Body("text/html; charset=utf-8", page);
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::always("/Search.aspx", body.clone()));
    let document = run_with(&bench, &loopback, &CRAWL).exits(6).json();
    assert_eq!(
        document["failures"][0]["message"],
        "search for \"KB5041865\", 10 times: the Catalog answered with its error page (error number 8DDD0010)"
    );
    assert!(!bench.mirror().exists(), "nothing is written");

    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::once("/Search.aspx", body));
    run_with(&bench, &loopback, &CRAWL).exits(0);
}
