//! The resolver against collected requests with their expected answers: on knowledge alone, and on an index that was
//! crawled from a Catalog which the test builds from the facts. Each difference is printed.
#![expect(clippy::print_stdout, reason = "the differences are for people to judge")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use kbmirror::resolve::{Library, Shelf, read_line, resolve};
use kbmirror::servicing::Knowledge;
use kbmirror::update::Build;
use serde_json::{Value, json};

/// Cases that are held wrong, with the source that says so.
const HELD_WRONG: &[(&str, &str)] = &[(
    "ekb-03",
    "design §10: the cumulative update before an enablement package has the role `prerequisite`, as in ekb-02",
)];

/// The lines of a facts file; `None` where there are no facts beside the project.
pub(crate) fn facts(name: &str) -> Option<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/facts").join(name);
    #[expect(clippy::disallowed_methods, reason = "the facts are read in place, outside of the project")]
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: ../shared/facts/{name} is not there");
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Where an answer is not what a case expects, as sentences.
pub(crate) fn differences(expect: &Value, answer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for key in ["status", "successor", "expected_build"] {
        if !expect[key].is_null() && expect[key] != answer[key] {
            found.push(format!("{key}: {} expected, {} found", expect[key], answer[key]));
        }
    }
    for key in ["steps", "missing"] {
        let Some(wanted) = expect[key].as_array() else { continue };
        let given = answer[key].as_array().cloned().unwrap_or_default();
        if wanted.len() != given.len() {
            found.push(format!("{key}: {} expected, {} found: {:#}", wanted.len(), given.len(), answer[key]));
            continue;
        }
        for (place, (wanted, given)) in wanted.iter().zip(&given).enumerate() {
            let what = format!("{key} {}", place + 1);
            found.extend(step_differences(wanted, given).map(|text| format!("{what}: {text}")));
        }
    }
    if let Some(wanted) = expect["choices"].as_array() {
        let given: Vec<&Value> =
            answer["choices"].as_array().into_iter().flatten().map(|choice| &choice["kb"]).collect();
        for kb in wanted.iter().map(|choice| choice.get("kb").unwrap_or(choice)) {
            if !given.contains(&kb) {
                found.push(format!("choices: {kb} is not among {given:?}"));
            }
        }
    }
    found
}

fn step_differences(wanted: &Value, given: &Value) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    for key in ["kb", "role", "name", "restart_after"] {
        // A KB of null is any; what a case does not give is not compared.
        if !wanted[key].is_null() && wanted[key] != given[key] {
            found.push(format!("{key}: {} expected, {} found", wanted[key], given[key]));
        }
    }
    if let Some(least) = wanted["build_min"].as_str() {
        let least: Build = least.parse().unwrap();
        let knowledge = Knowledge::built_in().unwrap();
        let kb = given["kb"].as_str().unwrap().parse().unwrap();
        if !knowledge.releases_of_kb(kb).iter().any(|release| release.build >= least) {
            found.push(format!("{kb} does not bring {least}"));
        }
    }
    found.into_iter()
}

/// Answers every case and holds what agrees; cases that are held wrong have to differ still.
fn hold(cases: &[Value], library: &dyn Library, knowledge: &Knowledge) {
    let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut failed = Vec::new();
    for case in cases {
        let (id, group) = (case["id"].as_str().unwrap(), case["group"].as_str().unwrap());
        let request = read_line(&case.to_string()).1.unwrap();
        let answer = serde_json::to_value(resolve(&request, library, knowledge).unwrap()).unwrap();
        let differences = differences(&case["expect"], &answer);
        let counts = groups.entry(group).or_default();
        counts.1 += 1;
        counts.0 += usize::from(differences.is_empty());
        let held_wrong = HELD_WRONG.iter().find(|(wrong, _)| *wrong == id);
        if let Some((_, why)) = held_wrong {
            println!("{id} is held wrong: {why}");
        }
        for difference in &differences {
            println!("{id}: {difference}");
        }
        if differences.is_empty() == held_wrong.is_some() {
            failed.push(id);
        }
    }
    let agreeing: usize = groups.values().map(|(agreeing, _)| agreeing).sum();
    println!("resolver cases: {agreeing} of {} agree ({groups:?})", cases.len());
    assert_eq!(failed, Vec::<&str>::new());
    assert!(agreeing >= 60, "{agreeing}");
}

#[test]
fn the_cases_agree_on_knowledge_alone() {
    let Some(cases) = facts("resolver-cases.jsonl") else { return };
    let knowledge = Knowledge::built_in().unwrap();
    hold(&cases, &Shelf::of_knowledge(&knowledge), &knowledge);
}

#[test]
fn a_difference_would_be_found() {
    let expect = json!({"status": "install", "steps": [{"kb": null, "role": "prerequisite", "build_min": "26100.5074"}]});
    let same = json!({"status": "install", "steps": [{"kb": "KB5064081", "role": "prerequisite"}]});
    assert_eq!(differences(&expect, &same), Vec::<String>::new());
    for other in [
        json!({"status": "unknown", "steps": [{"kb": "KB5064081", "role": "prerequisite"}]}),
        json!({"status": "install", "steps": [{"kb": "KB5064081", "role": "target"}]}),
        json!({"status": "install", "steps": [{"kb": "KB5043080", "role": "prerequisite"}]}),
        json!({"status": "install", "steps": []}),
    ] {
        assert!(!differences(&expect, &other).is_empty(), "{other}");
    }
}
