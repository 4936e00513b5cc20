//! Secrets in addresses: signatures and tokens in a query, credentials where none belong. None of them is shown or kept.

use std::fs;

use super::super::harness::{Bench, Ran, tree};
use super::super::support::{Action, Loopback, Rule};
use super::{FETCH, KB, ask, told, world};

/// Neither the output of a run nor a file of it has the secret.
fn without_secret(bench: &Bench, ran: &Ran) {
    let outputs = [ran.stdout.clone().into(), ran.stderr.clone().into()];
    for bytes in tree(&bench.path("")).into_values().chain(outputs) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn the_query_of_the_catalogs_address_is_kept_nowhere() {
    let (loopback, bench) = (Loopback::start(world()), Bench::new());
    let (url, record) = (format!("{}/?sig=s3cret", loopback.catalog_url()), bench.path("recording"));
    let host = loopback.file_host();
    let options = ["--json", "-v", "--catalog-rate", "1000", "--catalog-url", &url, "--allow-host", &host];
    let ran = bench.run(&[&options[..], &["--record", record.as_str(), "crawl", KB]].concat()).exits(0);
    without_secret(&bench, &ran);
    let command = bench.rows("SELECT command FROM runs").concat().concat();
    assert!(command.contains("/?***"), "{command}");
}

#[test]
fn a_redirect_to_a_signed_address_is_named_without_its_signature() {
    let elsewhere = "http://elsewhere.invalid/x?sig=s3cret".to_owned();
    let loopback = Loopback::start(world());
    loopback.rule(Rule::always("/files/", Action::Redirect(elsewhere)));
    let bench = Bench::new();
    let ran = ask(&bench, &loopback, &["-v"], &FETCH).exits(5);
    assert!(told(&ran).contains("http://elsewhere.invalid/x?***"), "{}", told(&ran));
    without_secret(&bench, &ran);
}

#[test]
fn a_recording_keeps_no_signature_of_a_redirect() {
    let loopback = Loopback::start(world());
    let moved = format!("http://{}/moved?sig=s3cret", loopback.file_host());
    loopback.rule(Rule::once("/files/", Action::Redirect(moved)));
    let bench = Bench::new();
    let record = bench.path("recording");
    // The loopback has nothing at that address: the transfer fails, and is recorded as it is.
    let ran = ask(&bench, &loopback, &["--patience", "0", "--record", record.as_str()], &FETCH);
    let lines = fs::read_to_string(record.join("index.jsonl")).unwrap();
    assert!(lines.contains("/moved\""), "{lines}");
    without_secret(&bench, &ran);
}

#[test]
fn a_host_with_credentials_is_refused_without_them() {
    for host in ["me:s3cret@h:1", "http://me:s3cret@h", "me:\"s3cret@h"] {
        let bench = Bench::new();
        let ran = bench.run(&["--json", "--allow-host", host, "search", KB]).exits(2);
        without_secret(&bench, &ran);
        bench.configure(&format!("format = 1\n[network]\nallow_host = ['{host}']\n"));
        let ran = bench.run(&["search", KB]).exits(2);
        without_secret_but_in_config(&ran);
    }
}

/// The configuration itself has the secret.
fn without_secret_but_in_config(ran: &Ran) {
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("s3cret"), "{}{}", ran.stdout, ran.stderr);
}
