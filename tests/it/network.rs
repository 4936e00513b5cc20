//! Networks of companies and hotels: retry budget, proxies, private certificate authorities, TLS faults, and login
//! pages. The tests use real sockets and a stepped clock.
#![expect(clippy::disallowed_methods, reason = "certificates are written and mirrors are read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;

use camino::Utf8PathBuf;

use super::harness::{Bench, RunOutput, names_in, text_of};
use super::support::{Authority, FileSpec, Loopback, Proxy, UpdateSpec, World, id};

mod login_pages;
mod proxies;
mod retry_budget;
mod secrets;
mod tls;

const KB: &str = "KB5041865";
const FETCH: [&str; 2] = ["fetch", KB];
/// A login page as proxies return it.
const LOGIN: &str = "<html><head><title>Company Web Access</title></head><body><form action=/login>\
                     <input name=user><input type=password name=word></form></body></html>";

/// Returns a Catalog with one KB that has one file.
fn world() -> World {
    let title = format!(
        "2024-08 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems ({KB}) (26100.1457)"
    );
    let file = FileSpec::package("windows11.0-kb5041865-arm64", "msu", "the only file");
    World::new().update(UpdateSpec { files: vec![file], ..UpdateSpec::new(&id(1), &title) })
}

/// Runs a command against a loopback Catalog, with options before the command.
fn run_against(bench: &Bench, loopback: &Loopback, options: &[&str], command: &[&str]) -> RunOutput {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--json", "--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    bench.run(&[&network, options, command].concat())
}

/// Returns the messages of all failures, of the complete run or of parts of it.
fn failure_text(ran: &RunOutput) -> String {
    let document = ran.json();
    let failures = document["failures"].as_array().into_iter().flatten();
    let messages = failures.map(|failure| text_of(&failure["message"]));
    let whole = document["error"]["message"].as_str().map(str::to_owned);
    whole.into_iter().chain(messages).collect::<Vec<_>>().join("\n")
}

fn hints(ran: &RunOutput) -> String {
    ran.json()["error"]["hints"].to_string()
}

fn published(bench: &Bench) -> Vec<String> {
    names_in(&bench.set_folder(KB, "windows-11-24h2-arm64"))
}

fn pem(bench: &Bench, authority: &Authority) -> Utf8PathBuf {
    let path = bench.path("authority.pem");
    fs::write(&path, &authority.pem).unwrap();
    path
}

#[test]
#[expect(clippy::print_stdout, reason = "a test says what it skips")]
fn ipv6_urls_work_in_brackets() {
    let Some(loopback) = Loopback::start_ipv6(world()) else {
        println!("skipped: this machine has no [::1]");
        return;
    };
    assert!(loopback.catalog_url().starts_with("http://[::1]:"), "{}", loopback.catalog_url());
    let bench = Bench::new();
    run_against(&bench, &loopback, &[], &FETCH).exits(0);
    assert_eq!(published(&bench).len(), 1);
    // The proxy at an IPv6 URL works too, with a request for another IPv6 URL.
    let (bench, proxy) = (Bench::new(), Proxy::start_ipv6());
    assert!(proxy.host().starts_with("[::1]:"), "{}", proxy.host());
    run_against(&bench, &loopback, &["--proxy", &proxy.host()], &FETCH).exits(0);
    assert_eq!(proxy.requests().last().unwrap().host, loopback.file_host());
}
