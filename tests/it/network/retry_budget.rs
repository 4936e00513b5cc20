//! Retry budget for an unavailable Catalog, `Retry-After`, and time limits of slow answers.

use std::sync::Arc;
use std::time::Duration;

use super::super::harness::Bench;
use super::super::support::{Action, Hook, Loopback, Rule};
use super::{FETCH, KB, failure_text, hints, published, run_against, world};

fn retry_after(text: &str) -> Action {
    Action::Status(503, vec![("Retry-After".to_owned(), text.to_owned())])
}

#[test]
fn default_retry_budget_is_10_minutes_and_45_for_sync() {
    let config = format!("format = 1\nkbs = [\"{KB}\"]\n");
    for (command, options, minutes, requests) in [
        (&["search", KB][..], &[][..], 10, 10),
        (&["sync"], &[], 45, 12),
        (&["sync"], &["--patience", "10m"], 10, 10),
        (&["search", KB], &["--patience", "45m"], 45, 12),
    ] {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        bench.configure(&config);
        loopback.rule(Rule::always("/Search.aspx", Action::ErrorPage));
        let ran = run_against(&bench, &loopback, options, command).exits(6);
        let (waited, whole) = (bench.clock.waited(), Duration::from_mins(minutes));
        // The pacing of the request rate is added: one millisecond per request.
        assert!(waited + Duration::from_secs(1) > whole, "{command:?} {waited:?}");
        assert!(waited <= whole + Duration::from_secs(1), "{command:?} {waited:?}");
        let searches =
            loopback.requests().iter().filter(|seen| seen.path_and_query.contains("Search")).count();
        assert_eq!(searches, requests, "{command:?}");
        let lines: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("waiting ")).collect();
        assert_eq!(lines.len(), requests - 1, "{}", ran.stderr);
        let first = lines[0];
        for word in
            ["waiting 1s, then", "of the retry budget are left: search for", KB, "error page", "8DDD0010"]
        {
            assert!(first.contains(word), "{word} in {first}");
        }
        assert!(lines[requests - 2].contains(", then the retry budget ends: "), "{lines:?}");
    }
}

#[test]
fn retry_after_is_respected() {
    // The clock starts at 08:00:00.
    for (text, least) in
        [("90", 90), ("Mon, 23 Nov 2026 08:02:00 GMT", 119), ("Mon, 23 Nov 2026 07:00:00 GMT", 0)]
    {
        for path in ["/Search.aspx", "/files/"] {
            let (bench, loopback) = (Bench::new(), Loopback::start(world()));
            loopback.rule(Rule::once(path, retry_after(text)));
            run_against(&bench, &loopback, &[], &FETCH).exits(0);
            let waited = bench.clock.waited();
            assert!(waited >= Duration::from_secs(least), "{text} {path} {waited:?}");
            assert!(waited <= Duration::from_secs(least + 2), "{text} {path} {waited:?}");
        }
    }
}

#[test]
fn retry_after_beyond_the_retry_budget_fails_at_once() {
    for (text, wait) in [("4000", "4000 s"), ("Mon, 23 Nov 2026 09:00:00 GMT", "3600 s")] {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        loopback.rule(Rule::always("/Search.aspx", retry_after(text)));
        let ran = run_against(&bench, &loopback, &[], &["search", KB]).exits(6);
        assert!(
            failure_text(&ran).contains(&format!("requests a retry after {wait}")),
            "{}",
            failure_text(&ran)
        );
        let longer = format!(
            "raise --patience: the server requests a retry after {wait}, longer than the retry budget of 10m"
        );
        assert!(hints(&ran).contains(&longer), "{}", hints(&ran));
        assert_eq!((loopback.requests().len(), bench.clock.waited()), (1, Duration::ZERO));
        // A larger retry budget allows the wait.
        loopback.clear_rules();
        loopback.rule(Rule::once("/Search.aspx", retry_after(text)));
        run_against(&bench, &loopback, &["--patience", "2h"], &["search", KB]).exits(0);
        assert!(bench.clock.waited() >= Duration::from_secs(3590));
    }
}

#[test]
fn permanent_errors_are_not_retried() {
    for status in [400, 401, 403, 404, 410] {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        loopback.rule(Rule::always("/Search.aspx", Action::Status(status, Vec::new())));
        let ran = run_against(&bench, &loopback, &[], &["search", KB]).exits(6);
        assert!(failure_text(&ran).contains(&format!("status {status}")), "{}", failure_text(&ran));
        assert_eq!((loopback.requests().len(), bench.clock.waited()), (1, Duration::ZERO), "{status}");
    }
}

/// Returns a hook that advances the clock by 20 s per byte.
fn advance_per_byte(bench: &Bench) -> Hook {
    let clock = Arc::clone(&bench.clock);
    Hook::new(move || clock.advance(Duration::from_secs(20)))
}

/// An answer of one byte per 20 s never ends, although each single read is fast enough.
#[test]
fn a_slow_page_fails_within_the_retry_budget() {
    let of_fetch = ["/Search.aspx", "/ScopedViewInline.aspx", "/DownloadDialog.aspx"];
    for (command, pages) in [(&["search", KB], &of_fetch[..1]), (&FETCH, &of_fetch)] {
        for (page, body_alone) in pages.iter().flat_map(|page| [(page, false), (page, true)]) {
            let (bench, loopback) = (Bench::new(), Loopback::start(world()));
            let hook = advance_per_byte(&bench);
            let action = if body_alone { Action::DribbleBody(hook) } else { Action::DribbleHead(hook) };
            loopback.rule(Rule::always(page, action));
            let ran = run_against(&bench, &loopback, &["--patience", "3s"], command);
            assert_ne!(ran.code, 0, "{page} {body_alone}");
            let wanted = "the response of 127.0.0.1 was not complete within 5s";
            assert!(failure_text(&ran).contains(wanted), "{page} {body_alone} {}", failure_text(&ran));
            let requests = loopback.requests().into_iter().filter(|seen| seen.path_and_query.contains(page));
            assert_eq!(requests.count(), 1, "{page} {body_alone}");
        }
    }
}

/// The time limit applies to each page, not to the run: slow pages that arrive in time are accepted.
#[test]
fn slow_pages_within_the_time_limit_are_accepted() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    let clock = Arc::clone(&bench.clock);
    let hook = Hook::new(move || clock.advance(Duration::from_secs(110)));
    loopback.rule(Rule::always("", Action::RunBefore(hook)));
    run_against(&bench, &loopback, &["--stall-after", "3m"], &FETCH).exits(0);
    assert_eq!(published(&bench).len(), 1);
}

/// The headers of a package arrive byte by byte: the transfer counts as stalled, as it does for a slow body.
#[test]
fn slow_headers_of_a_package_fail_as_a_stall() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::always("/files/", Action::DribbleHead(advance_per_byte(&bench))));
    let ran = run_against(&bench, &loopback, &["--patience", "3s"], &FETCH).exits(6);
    assert!(
        failure_text(&ran).contains("the response of 127.0.0.1 was not complete within 1m"),
        "{}",
        failure_text(&ran)
    );
}
