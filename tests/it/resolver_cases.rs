//! The resolver against collected requests with their expected answers. The cases run on knowledge alone, and on an
//! index crawled from a Catalog that the test builds from the facts. Each difference is printed.
#![expect(clippy::print_stdout, reason = "the differences are for people to judge")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kbmirror::resolve::{FactsLibrary, read_line, resolve};
use kbmirror::servicing::Knowledge;
use kbmirror::update::Build;
use serde_json::{Value, json};

use super::facts_catalog::{catalog_from_facts, catalog_with_knowledge};
use super::harness::{Bench, RunOutput, items, text_of};
use super::support::{Loopback, World};

/// Returns the lines of a facts file, or `None` if the facts are not available beside the project.
pub(crate) fn facts(name: &str) -> Option<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/facts").join(name);
    #[expect(clippy::disallowed_methods, reason = "the facts are read in place, outside of the project")]
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: ../shared/facts/{name} is missing");
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Returns a sentence for each difference between an answer and the expectation of a case.
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
            let label = format!("{key} {}", place + 1);
            found.extend(step_differences(wanted, given).map(|text| format!("{label}: {text}")));
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
        // A KB of null matches any KB. Values that the case omits are not compared.
        if !wanted[key].is_null() && wanted[key] != given[key] {
            found.push(format!("{key}: {} expected, {} found", wanted[key], given[key]));
        }
    }
    if let Some(least) = wanted["build_min"].as_str() {
        let least: Build = least.parse().unwrap();
        let knowledge = Knowledge::built_in().unwrap();
        let kb = given["kb"].as_str().unwrap().parse().unwrap();
        if !knowledge.releases().of_kb(kb).iter().any(|release| release.build >= least) {
            found.push(format!("{kb} does not bring {least}"));
        }
    }
    found.into_iter()
}

/// Compares the answers, in the order of the cases, with the expected answers.
fn expect_agreement(cases: &[Value], answers: &[Value]) {
    let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut failed = Vec::new();
    assert_eq!(cases.len(), answers.len());
    for (case, answer) in cases.iter().zip(answers) {
        let (id, group) = (case["id"].as_str().unwrap(), case["group"].as_str().unwrap());
        let differences = differences(&case["expect"], answer);
        let counts = groups.entry(group).or_default();
        counts.1 += 1;
        counts.0 += usize::from(differences.is_empty());
        for difference in &differences {
            println!("{id}: {difference}");
        }
        if !differences.is_empty() {
            failed.push(id);
        }
    }
    let agreeing: usize = groups.values().map(|(agreeing, _)| agreeing).sum();
    println!("resolver cases: {agreeing} of {} agree ({groups:?})", cases.len());
    assert_eq!(failed, Vec::<&str>::new());
}

#[test]
fn cases_agree_on_knowledge_alone() {
    let Some(cases) = facts("resolver-cases.jsonl") else { return };
    let knowledge = Knowledge::built_in().unwrap();
    let library = FactsLibrary::of_knowledge(&knowledge);
    let answer = |case: &Value| {
        let request = read_line(&case.to_string()).1.unwrap();
        serde_json::to_value(resolve(&request, &library, &knowledge).unwrap()).unwrap()
    };
    expect_agreement(&cases, &cases.iter().map(answer).collect::<Vec<_>>());
}

/// Returns the answers of a batch, one per line.
fn batch(bench: &Bench, lines: &[String]) -> (RunOutput, Vec<Value>) {
    let file = bench.path("requests.jsonl");
    #[expect(clippy::disallowed_methods, reason = "the requests lie outside of the mirror")]
    std::fs::write(&file, lines.join("\n")).unwrap();
    let ran = bench.run(&["resolve", "--batch", file.as_str()]);
    let answers = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (ran, answers)
}

/// Returns `true` if the Catalog's download dialog is among the evidence of a step.
fn has_catalog_evidence(step: &Value) -> bool {
    items(&step["evidence"]).iter().any(|evidence| text_of(evidence).contains("download dialog"))
}

/// Crawls all KBs of a Catalog, and stops the Catalog, so that later answers rest on the mirror.
fn crawl_all(bench: &Bench, world: World, kbs: &[String]) {
    let loopback = Loopback::start(world);
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let mut crawl = vec!["--catalog-url", &url, "--allow-host", &host, "crawl"];
    crawl.extend(kbs.iter().map(String::as_str));
    let crawled = bench.json(&crawl).exits(0).json();
    assert_eq!(crawled["failures"], json!([]));
    println!(
        "crawled: {} KBs, {} requests, {} sets",
        kbs.len(),
        crawled["requests"],
        items(&crawled["sets"]).len()
    );
}

#[test]
fn cases_agree_on_a_crawled_index() {
    let Some(cases) = facts("resolver-cases.jsonl") else { return };
    let Some(catalog) = catalog_from_facts(&cases) else { return };
    let bench = Bench::new();
    crawl_all(&bench, catalog.world, &catalog.kbs);

    let lines: Vec<String> = cases.iter().map(Value::to_string).collect();
    let (first, answers) = batch(&bench, &lines);
    let (second, _) = batch(&bench, &lines);
    assert_eq!(first.stdout, second.stdout, "the same state must give the same bytes");
    assert_eq!((first.code, second.code), (0, 0), "{}", first.stderr);
    let ids = |values: &[Value]| values.iter().map(|value| value["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&answers), ids(&cases));
    expect_agreement(&cases, &answers);

    // Classifies the answers: from the index, from both the index and knowledge, or from knowledge alone.
    let (mut of_index, mut of_both, mut of_knowledge) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for answer in &answers {
        let (id, steps) = (text_of(&answer["id"]), items(&answer["steps"]));
        let catalog_steps = steps.iter().filter(|step| has_catalog_evidence(step)).count();
        let listed = answer["kb"].as_str().is_some_and(|kb| catalog.kbs.iter().any(|listed| listed == kb));
        let warned = items(&answer["warnings"]).iter().any(|text| text_of(text).contains("used knowledge"));
        match (steps.is_empty(), catalog_steps) {
            (true, _) if listed && !warned => of_index.insert(id),
            (true, _) | (false, 0) => of_knowledge.insert(id),
            (false, catalog_steps) if catalog_steps < steps.len() || warned => of_both.insert(id),
            _ => of_index.insert(id),
        };
    }
    println!("{} on the index; on both: {of_both:?}; on knowledge: {of_knowledge:?}", of_index.len());
    // The Catalog of these facts has no current enablement packages, hotpatches, preview channel updates, or
    // withdrawn updates.
    assert_eq!(of_both, ["ekb-02", "ekb-03"].map(str::to_owned).into());
    let unlisted = ["ekb-01", "hp-01", "ins-01", "w10-05", "w23-01", "wd-01"];
    assert_eq!(of_knowledge, unlisted.map(str::to_owned).into());

    // Only the Catalog has this release: the knowledge of that day has no update of the second Tuesday of 2026-09.
    let latest = json!({"request": {"latest": true, "policy": "security", "as_of": "2026-10-04"},
        "baseline": {"architecture": "x64", "build": "26200.8655", "installation": "client"}});
    assert_eq!(batch(&bench, &[latest.to_string()]).1[0]["kb"], "KB5124008");

    let evidence = answers.iter().find(|answer| answer["id"] == "ck-01").unwrap();
    assert!(items(&evidence["steps"]).iter().all(has_catalog_evidence), "{evidence:#}");
}

#[test]
fn crawling_true_rows_keeps_every_right_answer() {
    let (Some(mut cases), Some(second)) = (facts("resolver-cases.jsonl"), facts("resolver-cases-2.jsonl"))
    else {
        return;
    };
    cases.extend(second);
    let knowledge = Knowledge::built_in().unwrap();
    let Some(catalog) = catalog_with_knowledge(&cases, &knowledge) else { return };
    let bench = Bench::new();
    let lines: Vec<String> = cases.iter().map(Value::to_string).collect();
    let (_, before) = batch(&bench, &lines);
    crawl_all(&bench, catalog.world, &catalog.kbs);
    let (_, after) = batch(&bench, &lines);
    let (mut right, mut worse, mut better) = (0, Vec::new(), Vec::new());
    for ((case, before), after) in cases.iter().zip(&before).zip(&after) {
        let was = differences(&case["expect"], before);
        let is = differences(&case["expect"], after);
        right += usize::from(was.is_empty());
        match (was.is_empty(), is.is_empty()) {
            (true, false) => {
                for text in &is {
                    println!("{}: {text}", case["id"]);
                }
                worse.push(text_of(&case["id"]));
            }
            (false, true) => better.push(text_of(&case["id"])),
            _ => {}
        }
    }
    println!(
        "{right} of {} are right on knowledge alone; crawled: {worse:?} worse, {better:?} better",
        cases.len()
    );
    let unlisted: Vec<&Value> =
        cases.iter().map(|case| &case["request"]["kb"]).filter(|kb| kb.is_string()).collect();
    let crawled =
        unlisted.iter().filter(|kb| catalog.kbs.iter().any(|own| Some(own.as_str()) == kb.as_str())).count();
    println!("{crawled} of {} requested KBs are in the Catalog", unlisted.len());
    assert!(right >= 85, "{right}");
    assert_eq!(worse, Vec::<String>::new());
}

#[test]
fn an_invalid_batch_line_is_answered_in_its_place() {
    let bench = Bench::new();
    let request_line = |id: u32| json!({"id": id, "request": {"kb": "KB5086672"}, "baseline": {"architecture": "x64", "build": "26100.8037"}});
    let mut lines: Vec<String> = (1..=5).map(|id| request_line(id).to_string()).collect();
    let (ran, answers) = batch(&bench, &lines);
    assert_eq!((ran.code, answers.len()), (0, 5));
    for wrong in [
        "{\"id\":3,\"request\":{}}",
        "{\"id\":3,\"request\":{\"kb\":\"KB5086672\",\"latest\":true}}",
        "{\"id\":3",
    ] {
        wrong.clone_into(&mut lines[2]);
        let (ran, with_error) = batch(&bench, &lines);
        assert_eq!(ran.code, 2, "{wrong}");
        assert_eq!(with_error.len(), 5, "{wrong}");
        for place in [0, 1, 3, 4] {
            assert_eq!(with_error[place], answers[place], "{wrong}");
        }
        assert_eq!(with_error[2]["error"]["kind"], "usage", "{}", with_error[2]);
        let id = if wrong.ends_with('}') { json!(3) } else { Value::Null };
        assert_eq!(with_error[2]["id"], id, "{wrong}");
        assert!(with_error[2].get("status").is_none());
    }
}

#[test]
fn differences_are_detected() {
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
