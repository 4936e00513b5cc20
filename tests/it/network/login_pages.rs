//! Pages of proxies and captive portals in place of what was asked for.

use std::time::Duration;

use super::super::harness::{Bench, names_in, tree};
use super::super::support::{Action, Loopback, Rule};
use super::{FETCH, KB, LOGIN, ask, hints, published, told, world};

#[test]
fn a_login_page_in_place_of_a_page_of_the_catalog_is_named() {
    for path in ["/Search.aspx", "/ScopedViewInline.aspx", "/DownloadDialog.aspx"] {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        loopback.rule(Rule::always(path, Action::Body("text/html", LOGIN.as_bytes().to_vec())));
        // Without its details an update can still be published, which is an incomplete run.
        let has_details = path != "/ScopedViewInline.aspx";
        let ran = ask(&bench, &loopback, &[], &FETCH).exits(if has_details { 6 } else { 4 });
        let message = told(&ran);
        for word in ["127.0.0.1", "a proxy's page, not a page of the Catalog", "Company Web Access"] {
            assert!(message.contains(word), "{word} in {message}");
        }
        assert_eq!(bench.clock.waited().as_secs(), 0, "{path}");
        assert_eq!(published(&bench).is_empty(), has_details, "{path}");
        assert!(!bench.mirror().join("runs").exists(), "it says nothing about the Catalog");
    }
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::always("/Search.aspx", Action::Status(511, Vec::new())));
    let ran = ask(&bench, &loopback, &[], &["search", KB]).exits(6);
    assert!(told(&ran).contains("a proxy's page, not a page of the Catalog (status 511)"), "{}", told(&ran));
    assert!(hints(&ran).contains("captive portal"), "{}", hints(&ran));
    assert_eq!((loopback.requests().len(), bench.clock.waited()), (1, Duration::ZERO));
}

#[test]
fn a_page_of_nobody_stays_a_page_that_is_not_understood() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::always("/Search.aspx", Action::Body("text/html", b"<html>hello</html>".to_vec())));
    ask(&bench, &loopback, &["--patience", "0"], &["search", KB]).exits(7);
    assert_eq!(names_in(&bench.mirror().join("runs")).len(), 1);
}

#[test]
fn a_page_in_place_of_a_package_is_named() {
    let portal = b"\r\n<!DOCTYPE HTML><html><title>Download blocked</title></html>".to_vec();
    for (action, words) in [
        (Action::Body("text/html; charset=utf-8", LOGIN.as_bytes().to_vec()), "Company Web Access"),
        // It may call itself something else.
        (Action::Body("application/octet-stream", portal), "Download blocked"),
        (Action::Status(511, Vec::new()), "status 511"),
    ] {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        loopback.rule(Rule::always("/files/", action.clone()));
        let ran = ask(&bench, &loopback, &[], &FETCH).exits(6);
        let message = told(&ran);
        for word in ["127.0.0.1", "a proxy's page, not a package", words, "windows11.0-kb5041865-arm64"] {
            assert!(message.contains(word), "{word} in {message}");
        }
        assert_eq!((published(&bench).len(), tree(&bench.mirror().join("quarantine")).len()), (0, 0));
        assert_eq!(bench.clock.waited().as_secs(), 0, "{action:?}");
    }
}
