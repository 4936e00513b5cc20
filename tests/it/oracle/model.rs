//! The servicing rules as plain predicates, and an exhaustive search over install orders.

use std::collections::BTreeSet;

use serde_json::{Map, json};

/// The function of a file in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A checkpoint that the target requires.
    Checkpoint { revision: u32 },
    /// A separate servicing stack, ranked by its publication date.
    Stack { rank: u32 },
    /// A servicing stack that only machines at an old build need, once.
    Floor,
    /// An update that machines below a revision need, after another one.
    Level { below: u32, after: u32 },
    /// An update that only a level needs.
    BeforeLevel,
    /// An older cumulative update that is not needed.
    Older { revision: u32 },
    /// A file listed with the target, of unknown function.
    Companion,
    /// The requested update.
    Target,
}

/// A file of a world.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) kb: u32,
    pub(super) name: String,
    pub(super) part: Part,
}

/// A small world with one update to request.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// The builds that a machine of the family may report. `other_build` belongs to another family.
    pub(super) builds: Vec<u32>,
    pub(super) other_build: u32,
    pub(super) other_architecture: Option<&'static str>,
    pub(super) target: u32,
    /// The revision that the target installs, if it is known.
    pub(super) revision: Option<u32>,
    pub(super) files: Vec<File>,
    /// The servicing stack in `files` that belongs to the target.
    pub(super) stack: Option<u32>,
    /// The revision below which the floor is needed.
    pub(super) needed_below: Option<u32>,
    /// The package that prepares a machine for Extended Security Updates. If present, machines without them are
    /// refused.
    pub(super) preparation: Option<u32>,
}

/// The prerequisite of the preparation on Windows 10: KB and revision.
pub(super) const BEFORE_PREPARATION: (u32, u32) = (5_066_791, 6456);

impl World {
    pub(super) fn kind(&self) -> &'static str {
        match (self.builds[0], self.stack) {
            (28000, _) => "chain",
            (14393 | 9600, _) => "stacks",
            _ => "floors",
        }
    }

    pub(super) fn file(&self, kb: u32) -> &File {
        self.files.iter().find(|file| file.kb == kb).unwrap()
    }
}

/// A machine and a request.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) architecture: &'static str,
    pub(super) baseline: Option<(u32, u32)>,
    pub(super) place: &'static str,
    pub(super) fod: bool,
    pub(super) esu: Option<bool>,
    pub(super) edition: Option<&'static str>,
    pub(super) installed: BTreeSet<u32>,
    /// The KBs whose files are available.
    pub(super) available: Option<BTreeSet<u32>>,
}

impl Scenario {
    /// Returns the scenario as a line of a batch.
    pub(super) fn line(&self, world: &World) -> String {
        let kb = |number: &u32| format!("KB{number}");
        let mut request = Map::new();
        request.insert("kb".into(), json!(kb(&world.target)));
        if let Some(kbs) = &self.available {
            let names: Vec<&str> = kbs.iter().map(|kb| world.file(*kb).name.as_str()).collect();
            request.insert("available".into(), json!(names));
        }
        let build = self.baseline.map(|(number, revision)| format!("{number}.{revision}"));
        let installed: Vec<String> = self.installed.iter().map(kb).collect();
        json!({"request": request, "baseline": {
            "architecture": self.architecture, "build": build, "for": self.place, "fod": self.fod, "esu": self.esu,
            "edition": self.edition, "installed": installed,
        }})
        .to_string()
    }

    /// Returns `true` if the plan is a folder for an image with added features: every checkpoint must be beside the
    /// target.
    fn is_folder(&self) -> bool {
        self.fod && self.place == "image"
    }

    /// Returns `true` if the plan is for a mirror, which keeps everything for every machine.
    fn is_mirror(&self) -> bool {
        self.place == "mirror"
    }

    fn revision(&self) -> Option<u32> {
        self.baseline.map(|(_, revision)| revision).filter(|_| !self.is_mirror())
    }
}

/// The expected or actual outcome of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Outcome {
    pub(super) status: String,
    pub(super) order: Vec<u32>,
    pub(super) beside: Vec<u32>,
    pub(super) missing: Vec<u32>,
}

/// A machine during the installation.
#[derive(Debug, Clone)]
struct State {
    revision: u32,
    has: BTreeSet<u32>,
    added: BTreeSet<u32>,
}

impl State {
    fn initial(scenario: &Scenario) -> Self {
        let has = if scenario.is_mirror() { BTreeSet::new() } else { scenario.installed.clone() };
        // The lowest revision is assumed for a machine at an unknown build.
        Self { revision: scenario.revision().unwrap_or_default(), has, added: BTreeSet::new() }
    }

    /// Returns `true` if the file can be installed in this state.
    fn can_install(&self, world: &World, scenario: &Scenario, file: &File) -> bool {
        let revision = match file.part {
            Part::Checkpoint { revision } | Part::Older { revision } => revision,
            Part::Target => u32::MAX,
            Part::Level { after, .. } => return self.has.contains(&after) || self.added.contains(&after),
            Part::Stack { .. } | Part::Floor | Part::Companion | Part::BeforeLevel => return true,
        };
        let is_satisfied = |other: &File| match other.part {
            // Every checkpoint below the update must be added, or already passed unless the plan is a folder for an
            // image.
            Part::Checkpoint { revision: below } if below < revision => {
                self.added.contains(&other.kb) || (!scenario.is_folder() && self.revision >= below)
            }
            Part::Level { below, .. } if file.part == Part::Target => {
                let is_past = scenario.revision().is_some_and(|revision| revision >= below);
                is_past || self.has.contains(&other.kb) || self.added.contains(&other.kb)
            }
            // The position of the target's other files does not matter here.
            _ => true,
        };
        let target = file.part == Part::Target;
        world.files.iter().all(is_satisfied)
            && (!target || (self.has_stack(world) && self.has_floor(world, scenario)))
    }

    /// Returns `true` if a suitable servicing stack is installed: the target's own stack or a stack published later.
    fn has_stack(&self, world: &World) -> bool {
        let Some(stack) = world.stack else { return true };
        let rank = |kb: u32| match world.files.iter().find(|file| file.kb == kb).map(|file| file.part) {
            Some(Part::Stack { rank }) => Some(rank),
            _ => None,
        };
        let serves = |kb: u32| kb == stack || rank(kb) > rank(stack);
        self.has.iter().chain(&self.added).any(|kb| serves(*kb))
    }

    /// Returns `true` if the machine is past the floor or has it.
    fn has_floor(&self, world: &World, scenario: &Scenario) -> bool {
        let Some(below) = world.needed_below else { return true };
        let floor = world.files.iter().find(|file| file.part == Part::Floor).unwrap().kb;
        scenario.revision().is_some_and(|revision| revision >= below)
            || self.has.contains(&floor)
            || self.added.contains(&floor)
    }

    fn with(&self, file: &File) -> Self {
        let mut next = self.clone();
        next.added.insert(file.kb);
        if let Part::Checkpoint { revision } | Part::Older { revision } = file.part {
            next.revision = next.revision.max(revision);
        }
        next
    }
}

/// Returns `true` if the files can be installed in this order and install the target.
pub(super) fn is_valid(world: &World, scenario: &Scenario, order: &[u32]) -> bool {
    let mut state = State::initial(scenario);
    for kb in order {
        let file = world.file(*kb);
        if !state.can_install(world, scenario, file) {
            return false;
        }
        state = state.with(file);
    }
    order.contains(&world.target)
}

/// The cost of an order, most significant part first: unavailable files, all files, `true` if the stack is not the
/// known good stack, and the age of the stack.
type Cost = (usize, usize, bool, u32);

/// Returns the cheapest of all orders that install the target.
fn best(world: &World, scenario: &Scenario) -> Vec<u32> {
    let mut found: Option<(Cost, Vec<u32>)> = None;
    search(world, scenario, &State::initial(scenario), &mut Vec::new(), &mut found);
    found.unwrap().1
}

fn search(
    world: &World,
    scenario: &Scenario,
    state: &State,
    order: &mut Vec<u32>,
    found: &mut Option<(Cost, Vec<u32>)>,
) {
    if order.contains(&world.target) {
        let cost = cost(world, scenario, order);
        if found.as_ref().is_none_or(|(least, _)| cost < *least) {
            *found = Some((cost, order.clone()));
        }
        return;
    }
    for file in world.files.iter().filter(|file| file.part != Part::Companion) {
        if !order.contains(&file.kb) && state.can_install(world, scenario, file) {
            order.push(file.kb);
            search(world, scenario, &state.with(file), order, found);
            order.pop();
        }
    }
}

fn cost(world: &World, scenario: &Scenario, order: &[u32]) -> Cost {
    let is_available = |kb: &u32| scenario.available.as_ref().is_none_or(|kbs| kbs.contains(kb));
    let absent = order.iter().filter(|kb| !is_available(kb)).count();
    let stack = order.iter().find_map(|kb| match world.file(*kb).part {
        Part::Stack { rank } => Some((*kb, rank)),
        _ => None,
    });
    let other = stack.is_some_and(|(kb, _)| world.stack != Some(kb));
    (absent, order.len(), other, stack.map_or(0, |(_, rank)| u32::MAX - rank))
}

/// Returns the outcome by the rules, judged in a fixed order: architecture and family, place, nothing to do, Extended
/// Security Updates, and then the files.
pub(super) fn outcome(world: &World, scenario: &Scenario) -> Outcome {
    let only = |status: &str| Outcome { status: status.to_owned(), ..Outcome::default() };
    let foreign = scenario.baseline.is_some_and(|(number, _)| !world.builds.contains(&number));
    if world.other_architecture == Some(scenario.architecture) || foreign {
        return only("not_applicable");
    }
    if ["winre", "media"].contains(&scenario.place) {
        return only("not_applicable");
    }
    if has_target(world, scenario) {
        return only("nothing_to_do");
    }
    if let Some(missing) = missing_preparation(world, scenario) {
        return Outcome { missing, ..only("needs_prerequisite") };
    }
    let order = best(world, scenario);
    let companions = world.files.iter().filter(|file| file.part == Part::Companion);
    let beside: Vec<u32> = companions.map(|file| file.kb).collect();
    let is_available = |kb: &u32| scenario.available.as_ref().is_none_or(|kbs| kbs.contains(kb));
    let missing: Vec<u32> = order.iter().chain(&beside).copied().filter(|kb| !is_available(kb)).collect();
    if missing.is_empty() {
        Outcome { order, beside, ..only("install") }
    } else {
        Outcome { missing, ..only("needs_prerequisite") }
    }
}

/// Returns `true` if the machine has the target or a later update.
fn has_target(world: &World, scenario: &Scenario) -> bool {
    if scenario.is_mirror() {
        return false;
    }
    match scenario.revision().zip(world.revision) {
        Some((at, target)) if at > target => true,
        Some((at, target)) if at == target => !scenario.is_folder(),
        // Rollups are not applied again after features are added; cumulative updates are.
        _ => scenario.installed.contains(&world.target) && (world.builds == [9600] || !scenario.is_folder()),
    }
}

/// Returns the missing preparation of a machine without Extended Security Updates, or `None` if the update does not
/// require it.
fn missing_preparation(world: &World, scenario: &Scenario) -> Option<Vec<u32>> {
    // The newer preparation, which replaced the other one.
    const NEWEST: u32 = 5_126_256;
    let preparation = world.preparation?;
    let long_term = scenario.edition == Some("EnterpriseS")
        && scenario.baseline.is_none_or(|(number, _)| number == 19044);
    let prepared = [preparation, NEWEST].iter().any(|kb| scenario.installed.contains(kb));
    if scenario.is_mirror() || scenario.esu != Some(false) || long_term || prepared {
        return None;
    }
    let (kb, revision) = BEFORE_PREPARATION;
    let below = scenario.revision().is_some_and(|at| at < revision) && !scenario.installed.contains(&kb);
    Some([kb].into_iter().filter(|_| below).chain([preparation]).collect())
}
