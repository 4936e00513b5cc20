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

use kbmirror::facts::{Facts, Role};
use kbmirror::lint::{LintCode, LintFolder, LintRequest, lint};
use kbmirror::resolve::{
    EdgeKind, Graph, Library as _, Machine, PackageSet, Place, Shelf, closure, families_without_pair,
    read_line, resolve,
};
use kbmirror::servicing::Knowledge;
use kbmirror::update::{Architecture, Build, Kb};
use serde_json::Value;

use model::{Answer, Part, Question, World};
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

fn kb(number: u32) -> Kb {
    format!("KB{number}").parse().unwrap()
}

/// The set of the target.
fn target_set(world: &World, library: &Shelf<'_>) -> PackageSet {
    library.sets(kb(world.target)).unwrap().iter().find(|set| !set.is_dynamic_variant).cloned().unwrap()
}

/// Returns the KBs that files of the target need by the graph, over all edges.
fn reached(graph: &Graph, world: &World) -> BTreeSet<Kb> {
    let target = kb(world.target);
    // The name of a file need not have its KB.
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

/// Returns the codes of missing and foreign packages that a folder of these files gets.
fn folder_codes(
    world: &World,
    question: &Question,
    kbs: &[u32],
    known: &(Facts, Knowledge),
) -> Vec<LintCode> {
    let names = world.files.iter().filter(|file| kbs.contains(&file.kb)).map(|file| file.name.as_str());
    let machine = Machine {
        architecture: Some(Architecture::X64),
        baseline: question.baseline.map(|(number, revision)| Build::new(number, revision)),
        place: match question.place {
            "online" => Place::Online,
            "image" => Place::Image,
            "winpe" => Place::Winpe,
            "mirror" => Place::Mirror,
            other => panic!("no plan is for {other}"),
        },
        // On a running machine, features ask for no checkpoint that it is past.
        features_on_demand: question.fod && question.place == "image",
        installed: question.installed.iter().copied().map(kb).collect(),
        ..Machine::default()
    };
    let ask = LintRequest { target: Some(kb(world.target)), machine };
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

/// Judges the folder of a plan, and the same folder without each of its files.
fn check_folders(world: &World, question: &Question, order: &[u32], known: &(Facts, Knowledge)) -> u32 {
    // A file whose name has no KB is identified by tables that a world does not have.
    let is_named = |kb: &u32| world.file(*kb).name.contains(&kb.to_string());
    if !order.iter().all(is_named) {
        return 0;
    }
    let found = folder_codes(world, question, order, known);
    assert_eq!(found, [], "the folder of a plan: {order:?}\n{question:#?}\n{world:#?}");
    let mut removed = 0;
    for kb in order {
        // A mirror keeps floors for every machine, and of a machine at an unknown build nothing is known.
        let is_open = world.file(*kb).part == Part::Floor
            && (question.baseline.is_none() || question.place == "mirror");
        if is_open {
            continue;
        }
        let rest: Vec<u32> = order.iter().copied().filter(|other| other != kb).collect();
        let found = folder_codes(world, question, &rest, known);
        assert_ne!(found, [], "the folder of {order:?} without {kb}\n{question:#?}\n{world:#?}");
        removed += 1;
    }
    removed
}

#[test]
fn closure_graph_folders_and_fetch_agree_with_the_model() {
    let (mut elsewhere, mut searches, mut removed) = (0, 0, 0);
    for seed in 0..WORLDS {
        let mut random = Rng::new(0x6b62_6d69_7272_6f72 ^ seed);
        let (world, facts, knowledge) = worlds::make(&mut random);
        let library = Shelf::new(facts.clone(), &knowledge);
        let set = target_set(&world, &library);
        // Machines that never installed it need a stack; only some need a floor or a preparation.
        let floor = world.files.iter().find(|file| file.part == Part::Floor).map(|file| file.kb);
        let expected: BTreeSet<(Kb, Role, bool)> = [
            world.stack.map(|stack| (kb(stack), Role::Ssu, true)),
            floor.map(|floor| (kb(floor), Role::Ssu, false)),
            world.preparation.map(|row| (kb(row), Role::EsuPreparation, false)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let along = closure(&set, &library, &knowledge).unwrap();
        let along: BTreeSet<_> = along.into_iter().map(|one| (one.kb, one.role, one.always)).collect();
        assert_eq!(along, expected, "closure of world {seed}: {world:#?}");
        elsewhere += along.len();
        let graph = Graph::of(&[kb(world.target)], &library, &knowledge).unwrap();
        let checkpoints = world.files.iter().filter(|file| matches!(file.part, Part::Checkpoint { .. }));
        let needed: BTreeSet<Kb> =
            expected.iter().map(|one| one.0).chain(checkpoints.map(|file| kb(file.kb))).collect();
        assert_eq!(reached(&graph, &world), needed, "graph of world {seed}: {world:#?}");
        let searched: Vec<u32> =
            families_without_pair(&set, &knowledge).into_iter().map(|family| family.id).collect();
        let family = world.builds[0];
        let is_paired = knowledge.packages().paired_stack(kb(world.target), family).is_some();
        // Before 2021-08 Windows 10 1809 took separate stacks, and had no floor yet.
        let is_early = world.builds == [17763] && world.needed_below.is_none();
        let takes_one = (world.kind() == "stacks" || is_early) && !is_paired;
        assert_eq!(searched, if takes_one { vec![family] } else { vec![] }, "world {seed}: {world:#?}");
        searches += searched.len();
        let known = (facts, knowledge);
        for _ in 0..QUESTIONS / 4 {
            let question = worlds::ask(&world, &mut random);
            let answer = model::answer(&world, &question);
            if answer.status == "install" && answer.beside.is_empty() {
                removed += check_folders(&world, &question, &answer.order, &known);
            }
        }
    }
    println!("{elsewhere} requirements under other KBs, {searches} searches, {removed} files left out");
    assert!(elsewhere > 50 && searches > 20 && removed > 500, "{elsewhere} {searches} {removed}");
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
