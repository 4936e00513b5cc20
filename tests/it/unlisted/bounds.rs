//! A file of which only knowledge tells, and knowledge has no size of it: the server's length is the bound.

use super::super::harness::{items, names_in, text_of};
use super::super::support::{Action, FileFault, Rule};
use super::{Case, FETCH, both, package, without_entry};

/// The path of the package for x64, whose rules leave the other one alone.
const PATH: &str = "kb5054156-x64";
const MIB: u64 = 1024 * 1024;

/// For every request of one method for the package.
fn always(method: &'static str, action: Action) -> Rule {
    Rule { method: Some(method), ..Rule::always(PATH, action) }
}

fn methods(case: &Case) -> Vec<String> {
    let seen = case.loopback.requests().into_iter().filter(|seen| seen.path_and_query.contains(PATH));
    seen.map(|seen| seen.method).collect()
}

#[test]
fn the_length_is_asked_for_before_the_bytes() {
    let case = Case::new(without_entry(both()));
    case.ask(&FETCH).exits(0);
    assert_eq!(methods(&case), ["HEAD", "GET"]);
}

#[test]
fn no_more_than_that_length_is_taken() {
    let length = package("x64").bytes.len() as u64;
    for faults in [vec![FileFault::Endless], vec![FileFault::Chunked, FileFault::Longer(5_000_000)]] {
        let case = Case::new(without_entry(both()));
        case.loopback.rule(always("GET", Action::File(faults.clone())));
        let document = case.ask(&FETCH).exits(5).json();
        let messages: Vec<String> =
            items(&document["failures"]).iter().map(|failure| text_of(&failure["message"])).collect();
        let told = format!("more than {length} bytes arrived, which is all that it can have");
        assert!(messages.iter().any(|message| message.contains(&told)), "{messages:?}");
        if matches!(faults.as_slice(), [FileFault::Endless]) {
            // Of an endless body alone, little is on its way.
            let served = case.loopback.bytes_served_of(PATH);
            assert!(served < length + 2 * MIB, "{served}");
        }
        for folder in ["quarantine", "partial"] {
            assert_eq!(names_in(&case.bench.mirror().join(folder)), [""; 0], "{folder} {faults:?}");
        }
    }
}

#[test]
fn a_server_that_does_not_answer_head_states_the_length_with_the_bytes() {
    let case = Case::new(without_entry(both()));
    case.loopback.rule(always("HEAD", Action::Status(405, Vec::new())));
    case.ask(&FETCH).exits(0);
    assert_eq!(methods(&case), ["HEAD", "GET"]);
}

#[test]
fn without_any_length_nothing_is_taken() {
    let case = Case::new(without_entry(both()));
    case.loopback.rule(always("HEAD", Action::Status(405, Vec::new())));
    case.loopback.rule(always("GET", Action::File(vec![FileFault::Chunked])));
    let document = case.ask(&FETCH).exits(5).json();
    let told = document["failures"].to_string();
    assert!(told.contains("its size is not stated"), "{told}");
    assert_eq!(names_in(&case.bench.mirror().join("partial")), [""; 0]);
}
