//! The resolver against a model that shares no code with it: random small worlds, every order of every subset of their
//! files tried, and the shortest one that the plain rules of `oracle/model.rs` allow has to be the plan.
//!
//! The seed is fixed, so a run is the same every time; how often each kind of answer came up is counted and held, so
//! that the property is not an empty one.
#![expect(clippy::print_stdout, reason = "how often each answer came up is for people to see")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

mod model;
mod worlds;

use std::collections::{BTreeMap, BTreeSet};

use kbmirror::resolve::{Shelf, read_line, resolve};
use serde_json::Value;

use model::{Answer, Question, World};
use worlds::Rng;

const WORLDS: u64 = 240;
const QUESTIONS: u64 = 40;

/// What a plan says, in the model's words.
fn said(plan: &Value) -> Answer {
    let kbs = |key: &str| -> Vec<(Option<u64>, u32)> {
        let items = plan[key].as_array().unwrap().iter();
        items.map(|item| (item["order"].as_u64(), number(&item["kb"]))).collect()
    };
    let (steps, missing) = (kbs("steps"), kbs("missing"));
    let ordered: Vec<u64> = steps.iter().filter_map(|(order, _)| *order).collect();
    assert!(ordered.iter().copied().eq(1..=ordered.len() as u64), "the places are 1, 2, 3, …: {plan:#}");
    Answer {
        status: plan["status"].as_str().unwrap().to_owned(),
        order: steps.iter().filter(|(order, _)| order.is_some()).map(|(_, kb)| *kb).collect(),
        beside: steps.iter().filter(|(order, _)| order.is_none()).map(|(_, kb)| *kb).collect(),
        missing: missing.into_iter().map(|(_, kb)| kb).collect(),
    }
}

fn number(kb: &Value) -> u32 {
    kb.as_str().unwrap().trim_start_matches("KB").parse().unwrap()
}

/// Where the two differ, as a sentence.
fn difference(world: &World, question: &Question, expected: &Answer, found: &Answer) -> Option<String> {
    let set = |kbs: &[u32]| kbs.iter().copied().collect::<BTreeSet<u32>>();
    if expected.status != found.status {
        return Some(format!("{} expected, {} found", expected.status, found.status));
    }
    if set(&expected.order) != set(&found.order) || expected.order.len() != found.order.len() {
        return Some(format!("{:?} expected, {:?} found", expected.order, found.order));
    }
    if expected.beside != found.beside || expected.missing != found.missing {
        return Some(format!("{expected:?} expected, {found:?} found"));
    }
    let fails = found.status == "install" && !model::is_valid(world, question, &found.order);
    fails.then(|| format!("{:?} cannot be installed in this order", found.order))
}

#[test]
fn a_plan_is_the_shortest_order_that_the_rules_allow() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut count = |what: String| *seen.entry(what).or_default() += 1;
    for seed in 0..WORLDS {
        let mut random = Rng::new(0x6b62_6d69_7272_6f72 ^ seed);
        let (world, facts, knowledge) = worlds::make(&mut random);
        let library = Shelf::new(facts, &knowledge);
        for _ in 0..QUESTIONS {
            let question = worlds::ask(&world, &mut random);
            let line = question.line(&world);
            let request = read_line(&line).1.unwrap();
            let plan = serde_json::to_value(resolve(&request, &library, &knowledge).unwrap()).unwrap();
            let (expected, found) = (model::answer(&world, &question), said(&plan));
            if let Some(difference) = difference(&world, &question, &expected, &found) {
                panic!("world {seed}: {difference}\n{line}\n{world:#?}\n{plan:#}");
            }
            count(format!("{} {}", world.kind(), found.status));
            if found.status == "install" {
                count(format!("{} steps", found.order.len()));
                count(format!("for {}", question.place));
            }
            if question.available.is_some() && found.status == "install" {
                count("with files at hand".to_owned());
            }
            if !found.beside.is_empty() {
                count("companions".to_owned());
            }
        }
    }
    println!("{seen:#?}");
    // Every kind of world came to every kind of answer, and to plans of every length.
    let statuses = ["install", "nothing_to_do", "needs_prerequisite", "not_applicable"];
    let kinds = ["chain", "stacks", "floors"];
    let of_kinds =
        kinds.iter().flat_map(|kind| statuses.iter().map(move |status| format!("{kind} {status}")));
    let lengths = (1..=5).map(|length| format!("{length} steps"));
    let places = ["online", "image", "winpe", "mirror"].map(|place| format!("for {place}"));
    let others = ["with files at hand", "companions"].map(str::to_owned);
    for what in of_kinds.chain(lengths).chain(places).chain(others) {
        let times = seen.get(&what).copied().unwrap_or_default();
        assert!(times >= 20, "{what} came up {times} times only");
    }
}
