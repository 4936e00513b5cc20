//! Answers without a file: overload, refusals, and redirects.

use super::super::harness::{Bench, text_of};
use super::super::support::{Action, Loopback, Rule, World};
use super::case::{Case, TRIES, WAITS, always_instead, once_instead, run_all};
use super::{check_all_published, fetch, package, world_of};

fn busy(seconds: u64) -> Action {
    Action::Status(503, vec![("Retry-After".to_owned(), seconds.to_string())])
}

#[test]
fn retry_after_is_respected_within_the_retry_budget() {
    let plain = || Action::Status(503, Vec::new());
    run_all(&[
        Case::passes("503 once", vec![once_instead(plain())], 2).waits(0..=2),
        Case::fails("503 always", vec![always_instead(plain())], &[6], &["503"], TRIES)
            .bytes(0..=0)
            .waits(WAITS),
        Case::passes("429 once", vec![once_instead(Action::Status(429, Vec::new()))], 2).waits(0..=2),
        Case::passes("503 for 2 s once", vec![once_instead(busy(2))], 2).waits(2..=4),
        Case::fails("503 for 2 s always", vec![always_instead(busy(2))], &[6], &["503"], 2..=8).bytes(0..=0),
        Case::fails("503 for 4000 s", vec![once_instead(busy(4000))], &[6], &["503"], 1..=1)
            .bytes(0..=0)
            .waits(0..=0),
        Case::passes("503 for 4000 s, with patience", vec![once_instead(busy(4000))], 2)
            .options(&["--patience", "2h"])
            .waits(4000..=5000),
        Case::fails("503 always, without patience", vec![always_instead(plain())], &[6], &["503"], 1..=1)
            .options(&["--patience", "0"])
            .bytes(0..=0)
            .waits(0..=0),
    ]);
}

#[test]
fn links_of_a_missing_file_are_read_once_more() {
    for (status, word) in [(403, "403"), (404, "404"), (410, "410")] {
        let files = [package(0, 5000)];
        let (bench, loopback) = (Bench::new(), Loopback::start(world_of(&files)));
        loopback.rule(Rule::always("/files/", Action::Status(status, Vec::new())));
        let document = fetch(&bench, &loopback, 1, &[]).exits(6).json();
        let failure = &document["failures"][0];
        assert_eq!(failure["what"], files[0].name.as_str());
        assert!(text_of(&failure["message"]).contains(word), "{failure:#}");
        let dialogs = loopback.ranges_of("/DownloadDialog.aspx").len();
        assert_eq!(dialogs, 2, "{status}: read for the crawl, and again for the links");
        let requests = loopback.ranges_of("/files/").len();
        assert!((1..=2).contains(&requests), "{status}: {requests}");
        assert_eq!(bench.clock.waited().as_secs(), 0, "{status}: a retry would not help");
        loopback.clear_rules();
        fetch(&bench, &loopback, 1, &[]).exits(0);
        check_all_published(&bench, &files).unwrap();
    }
}

#[test]
fn a_redirect_to_a_foreign_host_is_refused() {
    let foreign = || Action::Redirect("http://elsewhere.invalid/package.msu".to_owned());
    run_all(&[
        Case::fails("foreign always", vec![always_instead(foreign())], &[5], &["elsewhere.invalid"], 1..=1)
            .bytes(0..=0)
            .waits(0..=0),
        Case::fails("foreign once", vec![once_instead(foreign())], &[5], &["elsewhere.invalid"], 1..=1)
            .bytes(0..=0)
            .waits(0..=0),
    ]);
}

/// Adds a chain of `count` redirects before the file.
fn redirect_chain(loopback: &Loopback, count: usize, bytes: &[u8]) {
    let host = loopback.file_host();
    let to = |step: usize| Action::Redirect(format!("http://{host}/hop-{step}/x"));
    loopback.rule(Rule::always("/files/", to(1)));
    for step in 1..count {
        loopback.rule(Rule::always(&format!("/hop-{step}/"), to(step + 1)));
    }
    let last = Action::Body("application/octet-stream", bytes.to_vec());
    loopback.rule(Rule::always(&format!("/hop-{count}/"), last));
}

#[test]
fn five_redirects_are_followed_and_six_are_not() {
    let files = [package(0, 5000)];
    for (count, code) in [(1, 0), (5, 0), (6, 6)] {
        let (bench, loopback) = (Bench::new(), Loopback::start(world_of(&files)));
        redirect_chain(&loopback, count, &files[0].bytes);
        let ran = fetch(&bench, &loopback, 1, &["--patience", "0"]).exits(code);
        if code == 0 {
            check_all_published(&bench, &files).unwrap();
        } else {
            let message = text_of(&ran.json()["failures"][0]["message"]);
            assert!(message.contains("redirects more than 5 times"), "{message}");
            assert!(loopback.ranges_of("/hop-6/").is_empty(), "the sixth redirect must not be followed");
            assert!(!bench.mirror().join("kb").exists());
        }
    }
}

#[test]
fn a_file_removed_from_the_catalog_ends_the_retries() {
    // The Catalog lost the file between the crawl and the download.
    let files = [package(0, 5000)];
    let (bench, loopback) = (Bench::new(), Loopback::start(world_of(&files)));
    loopback.rule(Rule::once("/files/", Action::ReplaceWorld(Box::new(World::new()))));
    let ran = fetch(&bench, &loopback, 1, &[]);
    assert!([3, 6].contains(&ran.code), "{ran:?}");
    assert!(loopback.requests().len() < 40, "{}", loopback.requests().len());
    assert!(!bench.mirror().join("kb").exists());
}
