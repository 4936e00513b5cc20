//! Certificates: trusted in addition to those of the system, and invalid certificates.

use std::fs;
use std::time::Duration;

use super::super::harness::{Bench, field_texts};
use super::super::support::{Action, Authority, Loopback, Rule};
use super::{FETCH, KB, failure_text, hints, pem, published, run_against, world};

#[test]
fn a_configured_authority_is_trusted() {
    let authority = Authority::new();
    let loopback = Loopback::start_tls(world(), &authority.server("127.0.0.1"));
    let by_flag = Bench::new();
    let other = by_flag.path("other.pem");
    fs::write(&other, Authority::new().pem).unwrap();
    let roots = pem(&by_flag, &authority);
    let mut by_variable = Bench::new();
    let path = pem(&by_variable, &authority).into_string();
    by_variable.env.insert("KBMIRROR_CA_CERT".to_owned(), path);
    let by_file = Bench::new();
    by_file.configure("format = 1\n[network]\nca_cert = [\"../authority.pem\"]\n");
    pem(&by_file, &authority);
    let flags = ["--ca-cert", other.as_str(), "--ca-cert", roots.as_str()];
    for (bench, options) in [(&by_flag, &flags[..]), (&by_variable, &[]), (&by_file, &[])] {
        let document = run_against(bench, &loopback, options, &FETCH).exits(0).json();
        assert_eq!(field_texts(&document["sets"], "status"), ["published"]);
        assert_eq!(published(bench).len(), 1);
        assert_eq!(bench.clock.waited().as_secs(), 0);
    }
    assert_eq!(loopback.requests().len(), 12);
}

#[test]
fn an_invalid_certificate_fails_at_once_and_is_reported() {
    let (authority, namesake) = (Authority::new(), Authority::new());
    let other = Authority::named("another authority");
    for (server, fragment, advice) in [
        (
            other.server("127.0.0.1"),
            "the certificate of 127.0.0.1 was issued by an authority that this machine does not trust",
            "--ca-cert",
        ),
        (
            namesake.server("127.0.0.1"),
            "the certificate of 127.0.0.1 was issued by an authority that this machine does not trust",
            "--ca-cert",
        ),
        (
            authority.server("somewhere.example"),
            "the certificate of 127.0.0.1 is for another name",
            "captive portal",
        ),
        (
            authority.expired_server("127.0.0.1"),
            "the certificate of 127.0.0.1 has expired",
            "clock of this machine",
        ),
    ] {
        let loopback = Loopback::start_tls(world(), &server);
        for command in [&["search", KB][..], &FETCH] {
            let (bench, before) = (Bench::new(), loopback.connections());
            let roots = pem(&bench, &authority);
            let ran = run_against(&bench, &loopback, &["--ca-cert", roots.as_str()], command).exits(6);
            assert!(failure_text(&ran).contains(fragment), "{}", failure_text(&ran));
            if command[0] == "search" {
                assert!(hints(&ran).contains(advice), "{}", hints(&ran));
            }
            assert_eq!(
                (loopback.connections() - before, bench.clock.waited()),
                (1, Duration::ZERO),
                "{fragment}"
            );
            assert_eq!(loopback.requests().len(), 0, "no request may reach an unknown server");
            assert!(!bench.mirror().exists());
        }
    }
    // The real cause is reported with the name in the certificate.
    let wrong = Loopback::start_tls(world(), &authority.server("somewhere.example"));
    let bench = Bench::new();
    let roots = pem(&bench, &authority);
    let ran = run_against(&bench, &wrong, &["--ca-cert", roots.as_str()], &["search", KB]).exits(6);
    assert!(failure_text(&ran).contains("somewhere.example"), "{}", failure_text(&ran));
}

#[test]
fn an_invalid_certificate_file_is_a_usage_error() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    let wrong = bench.path("wrong.pem");
    fs::write(&wrong, "this is not a certificate").unwrap();
    let binary = bench.path("binary.cer");
    fs::write(&binary, [0x30, 0x82, 0x01, 0x0a, 0xff, 0x00]).unwrap();
    for path in [bench.path("missing.pem"), wrong, binary, bench.path("")] {
        let ran = run_against(&bench, &loopback, &["--ca-cert", path.as_str()], &["search", KB]).exits(2);
        assert!(ran.error().1.contains(path.as_str()), "{}", ran.stdout);
    }
    assert_eq!(loopback.connections(), 0);
}

#[test]
fn redirects_stay_on_https_and_allowed_hosts() {
    let authority = Authority::new();
    let secure = Loopback::start_tls(world(), &authority.server("127.0.0.1"));
    let plain = Loopback::start(world());
    for (path, target) in [
        ("/Search.aspx", format!("{}/Search.aspx?q={KB}", plain.catalog_url())),
        ("/Search.aspx", "https://portal.example/login?user=you".to_owned()),
        ("/files/", format!("http://{}/files/x", plain.file_host())),
        ("/files/", "https://portal.example/login".to_owned()),
    ] {
        let bench = Bench::new();
        let roots = pem(&bench, &authority);
        secure.clear_rules();
        secure.rule(Rule::always(path, Action::Redirect(target.clone())));
        let options = ["--ca-cert", roots.as_str(), "--allow-host", &plain.file_host()];
        let ran = run_against(&bench, &secure, &options, &FETCH).exits(5);
        let message = failure_text(&ran);
        for word in
            ["refused", "a proxy or its login page may have answered", target.split('?').next().unwrap()]
        {
            assert!(message.contains(word), "{word} in {message}");
        }
        assert_eq!((published(&bench).len(), bench.clock.waited().as_secs()), (0, 0));
    }
    assert_eq!(plain.connections(), 0);
}
