//! Files with several URLs, and URLs that expire.

use super::super::harness::{Bench, items, names_in, text_of};
use super::super::support::{Action, FileFault, FileSpec, Loopback, Rule, World};
use super::{check_all_published, fetch, kb, package, update};

const LENGTH: usize = 40_000;

fn with_url(file: &FileSpec, folder: &str) -> FileSpec {
    FileSpec { url: Some(format!("http://{{cdn}}/{folder}/{}", file.name)), ..file.clone() }
}

/// Returns a Catalog with one file, listed by two updates of one KB with a URL each.
fn twice_listed(file: &FileSpec) -> World {
    let first = update(0, vec![with_url(file, "one")]);
    let mut second = update(1, vec![with_url(file, "two")]);
    second.title = first.title.replace("24H2", "25H2").replace("26100", "26200");
    second.kbs.clone_from(&first.kbs);
    World::new().update(first).update(second)
}

#[test]
fn a_second_url_of_the_same_digest_is_used_after_a_failure() {
    let busy = vec![("Retry-After".to_owned(), "4000".to_owned())];
    let faults = [
        Action::Status(404, Vec::new()),
        Action::Status(403, Vec::new()),
        Action::Status(503, busy),
        Action::Close,
        Action::File(vec![FileFault::CutAfter(0)]),
        Action::File(vec![FileFault::Flipped]),
        Action::File(vec![FileFault::Shorter(1)]),
        Action::File(vec![FileFault::Longer(1)]),
        Action::File(vec![FileFault::Endless]),
        Action::File(vec![FileFault::GzipHeaderOnly]),
        Action::Body("text/html", b"<html>please log in</html>".to_vec()),
        Action::Redirect("http://elsewhere.invalid/x".to_owned()),
    ];
    let file = package(0, LENGTH);
    for action in &faults {
        let mut tried = 0;
        for (bad, good) in [("/one/", "/two/"), ("/two/", "/one/")] {
            let (bench, loopback) = (Bench::new(), Loopback::start(twice_listed(&file)));
            loopback.rule(Rule::always(bad, action.clone()));
            let ran = fetch(&bench, &loopback, 1, &[]);
            assert_eq!(ran.code, 0, "{bad} {action:?}: {ran:?}");
            check_all_published(&bench, std::slice::from_ref(&file))
                .unwrap_or_else(|why| panic!("{bad} {action:?}: {why}"));
            let quarantined = names_in(&bench.mirror().join("quarantine")).len();
            let wrong_bytes =
                matches!(action, Action::File(faults) if matches!(faults[..], [FileFault::Flipped]));
            assert!(quarantined <= usize::from(wrong_bytes), "{action:?}");
            tried += loopback.ranges_of(bad).len();
            assert!(loopback.ranges_of(good).len() <= 2, "{action:?}");
        }
        assert!(tried > 0, "one of the two URLs must be tried first: {action:?}");
    }
}

#[test]
fn a_download_is_resumed_from_another_url() {
    // The same digest means the same bytes at any URL, but an entity tag of one server has no meaning for the other.
    let file = package(0, LENGTH);
    for bad in ["/one/", "/two/"] {
        let (bench, loopback) = (Bench::new(), Loopback::start(twice_listed(&file)));
        loopback.rule(Rule::once(bad, Action::File(vec![FileFault::CutAfter(LENGTH / 2)])));
        loopback.rule(Rule::always(bad, Action::Status(404, Vec::new())));
        fetch(&bench, &loopback, 1, &[]).exits(0);
        check_all_published(&bench, std::slice::from_ref(&file)).unwrap();
        assert!(loopback.bytes_served() <= (LENGTH + LENGTH / 2) as u64);
    }
}

#[test]
fn failures_of_all_urls_are_reported_as_one() {
    let file = package(0, LENGTH);
    let (bench, loopback) = (Bench::new(), Loopback::start(twice_listed(&file)));
    loopback.rule(Rule::always("/one/", Action::Status(404, Vec::new())));
    loopback.rule(Rule::always("/two/", Action::File(vec![FileFault::CutAfter(0)])));
    let document = fetch(&bench, &loopback, 1, &[]).exits(6).json();
    assert_eq!(items(&document["failures"]).len(), 1, "{document:#}");
    assert_eq!(text_of(&document["failures"][0]["what"]), file.name);
    assert!(!bench.mirror().join("kb").exists());
}

#[test]
fn wrong_bytes_at_every_url_are_quarantined_once() {
    let file = package(0, LENGTH);
    let (bench, loopback) = (Bench::new(), Loopback::start(twice_listed(&file)));
    loopback.rule(Rule::always(&kb(0).to_lowercase(), Action::File(vec![FileFault::Flipped])));
    let document = fetch(&bench, &loopback, 1, &[]).exits(5).json();
    let message = text_of(&document["failures"][0]["message"]);
    assert!(message.to_lowercase().contains("sha"), "{message}");
    assert_eq!(names_in(&bench.mirror().join("quarantine")).len(), 1, "the same bytes must be kept once");
    let requests = loopback.ranges_of("kb5100001").len();
    assert!((2..=4).contains(&requests), "{requests}");
}

#[test]
fn an_expired_link_is_refreshed_from_the_dialog() {
    let file = package(0, LENGTH);
    let world = |folder: &str| World::new().update(update(0, vec![with_url(&file, folder)]));
    for (status, half) in [(403, false), (404, false), (410, false), (403, true)] {
        let (bench, loopback) = (Bench::new(), Loopback::start(world("old")));
        if half {
            loopback.rule(Rule::once("/old/", Action::File(vec![FileFault::CutAfter(LENGTH / 2)])));
        }
        // After the first request for the expired URL, the dialog has a new URL.
        loopback.rule(Rule::once("/old/", Action::Expired(status, Box::new(world("new")))));
        loopback.rule(Rule::always("/old/", Action::Status(status, Vec::new())));
        fetch(&bench, &loopback, 1, &[]).exits(0);
        check_all_published(&bench, std::slice::from_ref(&file)).unwrap();
        assert_eq!(loopback.ranges_of("/new/").len(), 1);
        assert_eq!(
            loopback.ranges_of("/DownloadDialog.aspx").len(),
            2,
            "once for the crawl, once for the new link"
        );
        let bytes = if half { LENGTH + LENGTH / 2 } else { LENGTH };
        assert!(loopback.bytes_served() <= bytes as u64);
        assert!(bench.clock.waited().as_secs() <= 1);
    }
}
