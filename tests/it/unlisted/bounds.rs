//! The size limit of a file known only from the knowledge: the tables have no size, so the server's Content-Length is
//! the limit.

use super::super::harness::{field_texts, items, names_in, text_of};
use super::super::support::{Action, FileFault, Rule};
use super::{Case, FETCH, both, package, without_entry};

/// The path of the package for x64. Rules with this path do not affect the other package.
const PATH: &str = "kb5054156-x64";
const MIB: u64 = 1024 * 1024;

/// Returns a rule for every request for the package with one method.
fn always(method: &'static str, action: Action) -> Rule {
    Rule { method: Some(method), ..Rule::always(PATH, action) }
}

fn methods(case: &Case) -> Vec<String> {
    let seen = case.loopback.requests().into_iter().filter(|seen| seen.path_and_query.contains(PATH));
    seen.map(|seen| seen.method).collect()
}

#[test]
fn the_length_is_requested_before_the_bytes() {
    let case = Case::new(without_entry(both()));
    case.run_json(&FETCH).exits(0);
    assert_eq!(methods(&case), ["HEAD", "GET"]);
}

#[test]
fn no_more_than_the_stated_length_is_accepted() {
    let length = package("x64").bytes.len() as u64;
    for faults in [vec![FileFault::Endless], vec![FileFault::Chunked, FileFault::Longer(5_000_000)]] {
        let case = Case::new(without_entry(both()));
        case.loopback.rule(always("GET", Action::File(faults.clone())));
        let document = case.run_json(&FETCH).exits(5).json();
        let messages: Vec<String> =
            items(&document["failures"]).iter().map(|failure| text_of(&failure["message"])).collect();
        let failures = format!("more than {length} bytes arrived, the maximum size of the file");
        assert!(messages.iter().any(|message| message.contains(&failures)), "{messages:?}");
        if matches!(faults.as_slice(), [FileFault::Endless]) {
            // The server counts only the bytes it sent, and few of an endless body are in transit.
            let served = case.loopback.bytes_served_of(PATH);
            assert!(served < length + 2 * MIB, "{served}");
        }
        for folder in ["quarantine", "partial"] {
            assert_eq!(names_in(&case.bench.mirror().join(folder)), [""; 0], "{folder} {faults:?}");
        }
    }
}

#[test]
fn without_head_the_length_of_the_get_answer_is_the_limit() {
    let case = Case::new(without_entry(both()));
    case.loopback.rule(always("HEAD", Action::Status(405, Vec::new())));
    case.run_json(&FETCH).exits(0);
    assert_eq!(methods(&case), ["HEAD", "GET"]);
}

#[test]
fn without_a_length_nothing_is_accepted() {
    let case = Case::new(without_entry(both()));
    case.loopback.rule(always("HEAD", Action::Status(405, Vec::new())));
    case.loopback.rule(always("GET", Action::File(vec![FileFault::Chunked])));
    let document = case.run_json(&FETCH).exits(5).json();
    let message = "the size of the file is not stated by the Catalog, the knowledge tables, or the server";
    assert_eq!(
        field_texts(&document["failures"], "message"),
        [format!("{}: {message}", package("x64").name)]
    );
    assert_eq!(names_in(&case.bench.mirror().join("partial")), [""; 0]);
}
