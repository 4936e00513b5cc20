//! Pages of proxies and captive portals in place of the requested page or package.

use std::time::Duration;

use super::super::harness::{Bench, names_in, read_tree};
use super::super::support::{Action, Loopback, Rule};
use super::{FETCH, KB, LOGIN, failure_text, hints, published, run_against, world};

#[test]
fn a_login_page_instead_of_a_catalog_page_is_reported() {
    for path in ["/Search.aspx", "/ScopedViewInline.aspx", "/DownloadDialog.aspx"] {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        loopback.rule(Rule::always(path, Action::Body("text/html", LOGIN.as_bytes().to_vec())));
        // An update can be published without its details page, and then the run is incomplete.
        let has_details = path != "/ScopedViewInline.aspx";
        let ran = run_against(&bench, &loopback, &[], &FETCH).exits(if has_details { 6 } else { 4 });
        let message = failure_text(&ran);
        for word in ["127.0.0.1", "a proxy's page, not a page of the Catalog", "Company Web Access"] {
            assert!(message.contains(word), "{word} in {message}");
        }
        assert_eq!(bench.clock.waited().as_secs(), 0, "{path}");
        assert_eq!(published(&bench).is_empty(), has_details, "{path}");
        assert!(
            !bench.mirror().join("runs").exists(),
            "a proxy's page must not be kept as a page of the Catalog"
        );
    }
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::always("/Search.aspx", Action::Status(511, Vec::new())));
    let ran = run_against(&bench, &loopback, &[], &["search", KB]).exits(6);
    let answer = "127.0.0.1 answered with a proxy's page, not a page of the Catalog (status 511)";
    assert_eq!(failure_text(&ran), format!("search for \"{KB}\": {answer}"));
    assert!(hints(&ran).contains("captive portal"), "{}", hints(&ran));
    assert_eq!((loopback.requests().len(), bench.clock.waited()), (1, Duration::ZERO));
}

#[test]
fn an_unknown_page_is_reported_as_drift() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    loopback.rule(Rule::always("/Search.aspx", Action::Body("text/html", b"<html>hello</html>".to_vec())));
    run_against(&bench, &loopback, &["--patience", "0"], &["search", KB]).exits(7);
    assert_eq!(names_in(&bench.mirror().join("runs")).len(), 1);
}

#[test]
fn a_login_page_instead_of_a_package_is_reported() {
    let portal = b"\r\n<!DOCTYPE HTML><html><title>Download blocked</title></html>".to_vec();
    for (action, words) in [
        (Action::Body("text/html; charset=utf-8", LOGIN.as_bytes().to_vec()), "Company Web Access"),
        // The page may have another content type.
        (Action::Body("application/octet-stream", portal), "Download blocked"),
        (Action::Status(511, Vec::new()), "status 511"),
    ] {
        let (bench, loopback) = (Bench::new(), Loopback::start(world()));
        loopback.rule(Rule::always("/files/", action.clone()));
        let ran = run_against(&bench, &loopback, &[], &FETCH).exits(6);
        let message = failure_text(&ran);
        for word in ["127.0.0.1", "a proxy's page, not a package", words, "windows11.0-kb5041865-arm64"] {
            assert!(message.contains(word), "{word} in {message}");
        }
        assert_eq!((published(&bench).len(), read_tree(&bench.mirror().join("quarantine")).len()), (0, 0));
        assert_eq!(bench.clock.waited().as_secs(), 0, "{action:?}");
    }
}
