//! Tests of the resolver against a model that shares no code with it. The model tries every order of every subset of
//! a small random world's files. The plan must be the shortest order that the rules of `oracle/model.rs` allow.
//!
//! The seed is fixed, so every run is the same. The tests count each kind of outcome and require a minimum of each,
//! so that the property is never vacuous.
#![expect(clippy::print_stdout, reason = "how often each answer came up is for people to see")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

mod entries;
mod model;
mod reissues;
mod undecided;
mod unknown_windows;
mod worlds;

use std::collections::{BTreeMap, BTreeSet};

use kbmirror::facts::{Facts, Role};
use kbmirror::lint::{LintCode, LintFolder, LintRequest, lint};
use kbmirror::resolve::{
    EdgeKind, FactsLibrary, Graph, Library as _, Machine, PackageSet, Place, closure, families_without_pair,
    read_line, resolve,
};
use kbmirror::servicing::Knowledge;
use kbmirror::update::{Architecture, Build, Kb};
use serde_json::Value;

use model::{Outcome, Part, Scenario, World};
use worlds::Rng;

const WORLDS: u64 = 240;
const SCENARIOS: u64 = 40;

/// Returns the content of a plan in the terms of the model.
fn outcome_of(plan: &Value) -> Outcome {
    let kbs = |key: &str| -> Vec<(Option<u64>, u32)> {
        let items = plan[key].as_array().unwrap().iter();
        items.map(|item| (item["order"].as_u64(), number(&item["kb"]))).collect()
    };
    let (steps, missing) = (kbs("steps"), kbs("missing"));
    let ordered: Vec<u64> = steps.iter().filter_map(|(order, _)| *order).collect();
    assert!(ordered.iter().copied().eq(1..=ordered.len() as u64), "the places are 1, 2, 3, …: {plan:#}");
    Outcome {
        status: plan["status"].as_str().unwrap().to_owned(),
        order: steps.iter().filter(|(order, _)| order.is_some()).map(|(_, kb)| *kb).collect(),
        beside: steps.iter().filter(|(order, _)| order.is_none()).map(|(_, kb)| *kb).collect(),
        missing: missing.into_iter().map(|(_, kb)| kb).collect(),
    }
}

fn number(kb: &Value) -> u32 {
    kb.as_str().unwrap().trim_start_matches("KB").parse().unwrap()
}

/// Returns a description of the first difference between the two outcomes, or `None` if they are equal.
fn difference(world: &World, scenario: &Scenario, expected: &Outcome, found: &Outcome) -> Option<String> {
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
    let fails = found.status == "install" && !model::is_valid(world, scenario, &found.order);
    fails.then(|| format!("{:?} cannot be installed in this order", found.order))
}

fn kb(number: u32) -> Kb {
    format!("KB{number}").parse().unwrap()
}

/// Returns the package set of the target.
fn target_set(world: &World, library: &FactsLibrary<'_>) -> PackageSet {
    library.sets(kb(world.target)).unwrap().iter().find(|set| !set.is_dynamic_variant).cloned().unwrap()
}

/// Returns the KBs that files of the target need by the graph, over all edges.
fn needed_kbs(graph: &Graph, world: &World) -> BTreeSet<Kb> {
    let target = kb(world.target);
    // The file name may have no KB.
    let named = |name: &str| world.files.iter().find(|file| file.name == name).map(|file| kb(file.kb));
    let nodes: BTreeMap<&str, Kb> = graph
        .nodes()
        .filter_map(|node| Some((node.id.as_str(), node.kb.or_else(|| named(node.name.as_deref()?))?)))
        .collect();
    let mut found = BTreeSet::from([target]);
    loop {
        let before = found.len();
        for edge in graph.edges().filter(|edge| edge.kind == EdgeKind::Needs) {
            if nodes.get(edge.from.as_str()).is_some_and(|from| found.contains(from)) {
                found.extend(nodes.get(edge.to.as_str()));
            }
        }
        if found.len() == before {
            found.remove(&target);
            return found;
        }
    }
}

/// Returns the lint codes about missing and foreign packages for a folder of these files.
fn folder_codes(
    world: &World,
    scenario: &Scenario,
    kbs: &[u32],
    known: &(Facts, Knowledge),
) -> Vec<LintCode> {
    let names = world.files.iter().filter(|file| kbs.contains(&file.kb)).map(|file| file.name.as_str());
    let machine = Machine {
        architecture: Some(Architecture::X64),
        baseline: scenario.baseline.map(|(number, revision)| Build::new(number, revision)),
        place: match scenario.place {
            "online" => Place::Online,
            "image" => Place::Image,
            "winpe" => Place::Winpe,
            "mirror" => Place::Mirror,
            other => panic!("a plan cannot be made for {other}"),
        },
        // On a running machine, features on demand do not require checkpoints below the machine's build.
        features_on_demand: scenario.fod && scenario.place == "image",
        installed: scenario.installed.iter().copied().map(kb).collect(),
        ..Machine::default()
    };
    let ask = LintRequest { target: Some(kb(world.target)), ..LintRequest::from(machine) };
    let report = lint(&LintFolder::of_names(names), &ask, &known.1, &known.0);
    let of_members = [
        LintCode::MissingCheckpoint,
        LintCode::MissingTarget,
        LintCode::MissingServicingStack,
        LintCode::MissingPrerequisite,
        LintCode::ForeignUpdate,
        LintCode::CheckpointPastImage,
    ];
    report.findings.iter().map(|finding| finding.code).filter(|code| of_members.contains(code)).collect()
}

/// Checks the folder of a plan, and the same folder without each of its files. Returns the number of files left out.
fn check_folders(world: &World, scenario: &Scenario, order: &[u32], known: &(Facts, Knowledge)) -> u32 {
    // A file whose name has no KB is identified by tables that a world does not have.
    let is_named = |kb: &u32| world.file(*kb).name.contains(&kb.to_string());
    if !order.iter().all(is_named) {
        return 0;
    }
    let found = folder_codes(world, scenario, order, known);
    assert_eq!(found, [], "the folder of a plan: {order:?}\n{scenario:#?}\n{world:#?}");
    let mut removed = 0;
    for kb in order {
        // A mirror keeps floors for every machine. A floor cannot be judged for a machine at an unknown build.
        let of_old_machines =
            matches!(world.file(*kb).part, Part::Floor | Part::Level { .. } | Part::BeforeLevel);
        let is_open = of_old_machines && (scenario.baseline.is_none() || scenario.place == "mirror");
        if is_open {
            continue;
        }
        let rest: Vec<u32> = order.iter().copied().filter(|other| other != kb).collect();
        let found = folder_codes(world, scenario, &rest, known);
        assert_ne!(found, [], "the folder of {order:?} without {kb}\n{scenario:#?}\n{world:#?}");
        removed += 1;
    }
    removed
}

#[test]
fn closure_graph_and_folders_agree_with_the_model() {
    let (mut requirements, mut searches, mut removed) = (0, 0, 0);
    for seed in 0..WORLDS {
        let mut random = Rng::new(0x6b62_6d69_7272_6f72 ^ seed);
        let (world, facts, knowledge) = worlds::make(&mut random);
        let library = FactsLibrary::new(facts.clone(), &knowledge);
        let set = target_set(&world, &library);
        // Every machine needs the stack unless it is installed. Only some machines need a floor or a preparation.
        let floor = world.files.iter().find(|file| file.part == Part::Floor).map(|file| file.kb);
        let level =
            |part: fn(Part) -> bool| world.files.iter().find(|file| part(file.part)).map(|file| file.kb);
        let (level, before) =
            (level(|part| matches!(part, Part::Level { .. })), level(|part| part == Part::BeforeLevel));
        let expected: BTreeSet<(Kb, Role, bool)> = [
            level.map(|level| (kb(level), Role::Prerequisite, false)),
            before.map(|before| (kb(before), Role::Ssu, false)),
            world.stack.map(|stack| (kb(stack), Role::Ssu, true)),
            floor.map(|floor| (kb(floor), Role::Ssu, false)),
            world.preparation.map(|row| (kb(row), Role::EsuPreparation, false)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let companions = closure(&set, &library, &knowledge).unwrap();
        let companions: BTreeSet<_> =
            companions.into_iter().map(|one| (one.kb, one.role, one.always)).collect();
        assert_eq!(companions, expected, "closure of world {seed}: {world:#?}");
        requirements += companions.len();
        let graph = Graph::of(&[kb(world.target)], &library, &knowledge).unwrap();
        let checkpoints = world.files.iter().filter(|file| matches!(file.part, Part::Checkpoint { .. }));
        // The graph follows the preparation to the update that it needs.
        let before = world.preparation.map(|_| kb(model::BEFORE_PREPARATION.0));
        let before = before.filter(|kb| !knowledge.releases().of_kb(*kb).is_empty());
        let needed = expected.iter().map(|one| one.0).chain(checkpoints.map(|file| kb(file.kb)));
        let needed: BTreeSet<Kb> = needed.chain(before).collect();
        assert_eq!(needed_kbs(&graph, &world), needed, "graph of world {seed}: {world:#?}");
        let searched: Vec<u32> =
            families_without_pair(&set, &knowledge).into_iter().map(|family| family.id).collect();
        let family = world.builds[0];
        let is_paired = knowledge.packages().paired_stack(kb(world.target), family).is_some();
        // Windows 10 1809 had separate stacks and no floor before 2021-08.
        let is_early = world.builds == [17763] && world.needed_below.is_none();
        let takes_one = (world.kind() == "stacks" || is_early) && !is_paired;
        assert_eq!(searched, if takes_one { vec![family] } else { vec![] }, "world {seed}: {world:#?}");
        searches += searched.len();
        let known = (facts, knowledge);
        for _ in 0..SCENARIOS / 4 {
            let scenario = worlds::random_scenario(&world, &mut random);
            let outcome = model::outcome(&world, &scenario);
            if outcome.status == "install" && outcome.beside.is_empty() {
                removed += check_folders(&world, &scenario, &outcome.order, &known);
            }
        }
    }
    println!("{requirements} requirements under other KBs, {searches} searches, {removed} files left out");
    assert!(requirements > 50 && searches > 20 && removed > 500, "{requirements} {searches} {removed}");
}

#[test]
fn a_plan_is_the_shortest_valid_order() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut count = |label: String| *seen.entry(label).or_default() += 1;
    for seed in 0..WORLDS {
        let mut random = Rng::new(0x6b62_6d69_7272_6f72 ^ seed);
        let (world, facts, knowledge) = worlds::make(&mut random);
        let library = FactsLibrary::new(facts, &knowledge);
        for _ in 0..SCENARIOS {
            let scenario = worlds::random_scenario(&world, &mut random);
            let line = scenario.line(&world);
            let request = read_line(&line).1.unwrap();
            let plan = serde_json::to_value(resolve(&request, &library, &knowledge).unwrap()).unwrap();
            let (expected, found) = (model::outcome(&world, &scenario), outcome_of(&plan));
            if let Some(difference) = difference(&world, &scenario, &expected, &found) {
                panic!("world {seed}: {difference}\n{line}\n{world:#?}\n{plan:#}");
            }
            count(format!("{} {}", world.kind(), found.status));
            if found.status == "install" {
                count(format!("{} steps", found.order.len()));
                count(format!("for {}", scenario.place));
            }
            if scenario.available.is_some() && found.status == "install" {
                count("with available files".to_owned());
            }
            if !found.beside.is_empty() {
                count("companions".to_owned());
            }
        }
    }
    println!("{seen:#?}");
    // Every kind of world must reach every kind of outcome, with plans of every length.
    let statuses = ["install", "nothing_to_do", "needs_prerequisite", "not_applicable"];
    let kinds = ["chain", "stacks", "floors"];
    let of_kinds =
        kinds.iter().flat_map(|kind| statuses.iter().map(move |status| format!("{kind} {status}")));
    let lengths = (1..=5).map(|length| format!("{length} steps"));
    let places = ["online", "image", "winpe", "mirror"].map(|place| format!("for {place}"));
    let others = ["with available files", "companions"].map(str::to_owned);
    for label in of_kinds.chain(lengths).chain(places).chain(others) {
        let times = seen.get(&label).copied().unwrap_or_default();
        assert!(times >= 20, "{label} came up {times} times only");
    }
}
