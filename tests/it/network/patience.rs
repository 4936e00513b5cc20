//! How long an ill Catalog is asked, and what a server that says when to come back gets.

use std::sync::Arc;
use std::time::Duration;

use super::super::harness::Bench;
use super::super::support::{Action, Hook, Loopback, Rule};
use super::{FETCH, KB, ask, hints, published, told, world};

fn retry_after(text: &str) -> Action {
    Action::Status(503, vec![("Retry-After".to_owned(), text.to_owned())])
}

#[test]
fn patience_is_ten_minutes_and_forty_five_for_a_scheduled_run() {
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
        let ran = ask(&bench, &loopback, options, command).exits(6);
        let (waited, whole) = (bench.clock.waited(), Duration::from_mins(minutes));
        // The pacing of the fast rate comes on top: a thousandth of a second a request.
        assert!(waited + Duration::from_secs(1) > whole, "{command:?} {waited:?}");
        assert!(waited <= whole + Duration::from_secs(1), "{command:?} {waited:?}");
        let searches =
            loopback.requests().iter().filter(|seen| seen.path_and_query.contains("Search")).count();
        assert_eq!(searches, requests, "{command:?}");
        let lines: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("waiting ")).collect();
        assert_eq!(lines.len(), requests - 1, "{}", ran.stderr);
        let first = lines[0];
        for word in ["waiting 1s, then", "of the patience are left: search for", KB, "error page", "8DDD0010"]
        {
            assert!(first.contains(word), "{word} in {first}");
        }
        assert!(lines[requests - 2].contains(", the patience ends then: "), "{lines:?}");
    }
}

#[test]
fn a_server_that_says_when_is_not_asked_earlier() {
    // The clock begins at 08:00:00.
    for (text, least) in
        [("90", 90), ("Mon, 23 Nov 2026 08:02:00 GMT", 119), ("Mon, 23 Nov 2026 07:00:00 GMT", 0)]
    {
        for path in ["/Search.aspx", "/files/"] {
            let (bench, loopback) = (Bench::new(), Loopback::start(world()));
            loopback.rule(Rule::once(path, retry_after(text)));
            ask(&bench, &loopback, &[], &FETCH).exits(0);
            let waited = bench.clock.waited();
            assert!(waited >= Duration::from_secs(least), "{text} {path} {waited:?}");
            assert!(waited <= Duration::from_secs(least + 2), "{text} {path} {waited:?}");
        }
    }
}

#[test]
fn a_server_that_wants_more_than_the_patience_is_left_alone_at_once() {
    for (text, wish) in [("4000", "4000 s"), ("Mon, 23 Nov 2026 09:00:00 GMT", "3600 s")] {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        loopback.rule(Rule::always("/Search.aspx", retry_after(text)));
        let ran = ask(&bench, &loopback, &[], &["search", KB]).exits(6);
        assert!(told(&ran).contains(&format!("asks to come back in {wish}")), "{}", told(&ran));
        let longer = format!("the server asks to come back in {wish}, longer than the patience of 10m");
        assert!(hints(&ran).contains(&longer), "{}", hints(&ran));
        assert_eq!((loopback.requests().len(), bench.clock.waited()), (1, Duration::ZERO));
        // Who has that much patience gets the answer.
        loopback.clear_rules();
        loopback.rule(Rule::once("/Search.aspx", retry_after(text)));
        ask(&bench, &loopback, &["--patience", "2h"], &["search", KB]).exits(0);
        assert!(bench.clock.waited() >= Duration::from_secs(3590));
    }
}

#[test]
fn what_cannot_pass_is_asked_once() {
    for status in [400, 401, 403, 404, 410] {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        loopback.rule(Rule::always("/Search.aspx", Action::Status(status, Vec::new())));
        let ran = ask(&bench, &loopback, &[], &["search", KB]).exits(6);
        assert!(told(&ran).contains(&format!("status {status}")), "{}", told(&ran));
        assert_eq!((loopback.requests().len(), bench.clock.waited()), (1, Duration::ZERO), "{status}");
    }
}

/// Lets 20 s pass with each byte.
fn slowly(bench: &Bench) -> Hook {
    let clock = Arc::clone(&bench.clock);
    Hook::new(move || clock.advance(Duration::from_secs(20)))
}

/// A byte in 20 s is an answer that comes for ever, although no read of it takes long.
#[test]
fn a_page_that_dribbles_is_given_up_within_the_patience() {
    let of_fetch = ["/Search.aspx", "/ScopedViewInline.aspx", "/DownloadDialog.aspx"];
    for (command, pages) in [(&["search", KB], &of_fetch[..1]), (&FETCH, &of_fetch)] {
        for (page, body_alone) in pages.iter().flat_map(|page| [(page, false), (page, true)]) {
            let (bench, loopback) = (Bench::new(), Loopback::start(world()));
            let hook = slowly(&bench);
            let action = if body_alone { Action::DribbleBody(hook) } else { Action::DribbleHead(hook) };
            loopback.rule(Rule::always(page, action));
            let ran = ask(&bench, &loopback, &["--patience", "3s"], command);
            assert_ne!(ran.code, 0, "{page} {body_alone}");
            let wanted = "the answer of 127.0.0.1 did not arrive within 5s";
            assert!(told(&ran).contains(wanted), "{page} {body_alone} {}", told(&ran));
            let asked = loopback.requests().into_iter().filter(|seen| seen.path_and_query.contains(page));
            assert_eq!(asked.count(), 1, "{page} {body_alone}");
        }
    }
}

/// The time limit belongs to a page and not to the run: slow pages that end in time are answers.
#[test]
fn slow_pages_that_end_in_time_are_answers() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    let clock = Arc::clone(&bench.clock);
    let hook = Hook::new(move || clock.advance(Duration::from_secs(110)));
    loopback.rule(Rule::always("", Action::After(hook)));
    ask(&bench, &loopback, &["--stall-after", "3m"], &FETCH).exits(0);
    assert_eq!(published(&bench).len(), 1);
}

/// The headers of a package dribble: the transfer has stalled, as it has when its bytes do.
#[test]
fn the_headers_of_a_package_have_the_time_of_a_stall() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::always("/files/", Action::DribbleHead(slowly(&bench))));
    let ran = ask(&bench, &loopback, &["--patience", "3s"], &FETCH).exits(6);
    assert!(told(&ran).contains("the answer of 127.0.0.1 did not arrive within 1m"), "{}", told(&ran));
}
