//! An unlisted KB while the Catalog fails.

use serde_json::json;

use super::super::harness::field_texts;
use super::super::support::{Action, Rule};
use super::{Case, FETCH, KB, both, without_entry};

#[test]
fn knowledge_does_not_replace_an_unavailable_catalog() {
    for action in [Action::ErrorPage, Action::Close, Action::Status(503, Vec::new())] {
        let case = Case::new(without_entry(both()));
        case.loopback.rule(Rule::always("/Search.aspx", action.clone()));
        for command in ["fetch", "crawl"] {
            let ran = case.run_json(&[command, KB]).exits(6);
            assert!(!ran.stdout.contains("does not list"), "{action:?}: {}", ran.stdout);
        }
        assert_eq!(case.loopback.bytes_served(), 0, "{action:?}");
        assert!(!case.bench.mirror().exists(), "{action:?}");
    }
}

#[test]
fn a_complete_unlisted_set_survives_a_failing_catalog() {
    let case = Case::fetched();
    case.loopback.rule(Rule::always(".aspx", Action::ErrorPage));
    let document = case.run_json(&FETCH).exits(0).json();
    let status = field_texts(&document["sets"], "status");
    assert!(!status.is_empty() && status.iter().all(|one| one == "unchanged"), "{document:#}");
    let warning = "used the complete KB5054156 in the mirror without checking the Catalog for newer updates: \
         search for \"KB5054156\", 10 times: \
         the Catalog answered with its error page (error number 8DDD0010)";
    assert_eq!(document["warnings"], json!([warning]));
}
