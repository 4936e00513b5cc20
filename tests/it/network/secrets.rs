//! Secrets in URLs: signatures and tokens in the query, and credentials in a host. None of them may be printed or
//! stored.

use std::fs;

use super::super::harness::{Bench, RunOutput, read_tree};
use super::super::support::{Action, Loopback, Rule};
use super::{FETCH, KB, failure_text, run_against, world};

/// Asserts that neither the output of a run nor its files contain the secret.
fn expect_no_secret(bench: &Bench, ran: &RunOutput) {
    let outputs = [ran.stdout.clone().into(), ran.stderr.clone().into()];
    for bytes in read_tree(&bench.path("")).into_values().chain(outputs) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn the_query_of_the_catalog_url_is_not_stored() {
    let (loopback, bench) = (Loopback::start(world()), Bench::new());
    let (url, record) = (format!("{}/?sig=s3cret", loopback.catalog_url()), bench.path("recording"));
    let host = loopback.file_host();
    let options = ["--json", "-v", "--catalog-rate", "1000", "--catalog-url", &url, "--allow-host", &host];
    let ran = bench.run(&[&options[..], &["--record", record.as_str(), "crawl", KB]].concat()).exits(0);
    expect_no_secret(&bench, &ran);
    let command = bench.rows("SELECT command FROM runs").concat().concat();
    assert!(command.contains("/?***"), "{command}");
}

#[test]
fn a_signed_redirect_url_is_reported_without_its_signature() {
    let elsewhere = "http://elsewhere.invalid/x?sig=s3cret".to_owned();
    let loopback = Loopback::start(world());
    loopback.rule(Rule::always("/files/", Action::Redirect(elsewhere)));
    let bench = Bench::new();
    let ran = run_against(&bench, &loopback, &["-v"], &FETCH).exits(5);
    assert!(failure_text(&ran).contains("http://elsewhere.invalid/x?***"), "{}", failure_text(&ran));
    expect_no_secret(&bench, &ran);
}

#[test]
fn a_recording_omits_the_signature_of_a_redirect() {
    let loopback = Loopback::start(world());
    let moved = format!("http://{}/moved?sig=s3cret", loopback.file_host());
    loopback.rule(Rule::once("/files/", Action::Redirect(moved)));
    let bench = Bench::new();
    let record = bench.path("recording");
    // The loopback does not serve that URL: the transfer fails and is recorded as a failure.
    let ran = run_against(&bench, &loopback, &["--patience", "0", "--record", record.as_str()], &FETCH);
    let lines = fs::read_to_string(record.join("index.jsonl")).unwrap();
    assert!(lines.contains("/moved\""), "{lines}");
    expect_no_secret(&bench, &ran);
}

#[test]
fn a_host_with_credentials_is_refused_and_not_shown() {
    for host in ["me:s3cret@h:1", "http://me:s3cret@h", "me:\"s3cret@h"] {
        let bench = Bench::new();
        let ran = bench.run(&["--json", "--allow-host", host, "search", KB]).exits(2);
        expect_no_secret(&bench, &ran);
        bench.configure(&format!("format = 1\n[network]\nallow_host = ['{host}']\n"));
        let ran = bench.run(&["search", KB]).exits(2);
        expect_no_secret_in_output(&ran);
    }
}

/// Asserts that the output does not contain the secret. The configuration file does contain it.
fn expect_no_secret_in_output(ran: &RunOutput) {
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("s3cret"), "{}{}", ran.stdout, ran.stderr);
}
