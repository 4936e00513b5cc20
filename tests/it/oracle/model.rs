//! The rules as plain predicates, and the search that tries everything.

use std::collections::BTreeSet;

use serde_json::{Map, json};

/// What a file is in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A checkpoint that the target builds upon.
    Checkpoint { revision: u32 },
    /// A servicing stack of its own, by when it was published.
    Stack { rank: u32 },
    /// A servicing stack that an old machine needs once.
    Floor,
    /// An older cumulative update that lies about.
    Older { revision: u32 },
    /// Listed with the target, and nobody knows what it is.
    Companion,
    /// The update asked for.
    Target,
}

/// A file of a world.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) kb: u32,
    pub(super) name: String,
    pub(super) part: Part,
}

/// A small world with one update to ask for.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// The builds that a machine may state, and one of another family.
    pub(super) builds: Vec<u32>,
    pub(super) other_build: u32,
    pub(super) other_architecture: Option<&'static str>,
    pub(super) target: u32,
    /// The revision that the target brings, where anybody knows it.
    pub(super) revision: Option<u32>,
    pub(super) files: Vec<File>,
    /// The stack that goes with the target, of those in `files`.
    pub(super) stack: Option<u32>,
    /// Below which revision the floor is needed.
    pub(super) needed_below: Option<u32>,
    /// Whether a machine without Extended Security Updates is refused, and the package that prepares one.
    pub(super) preparation: Option<u32>,
}

/// What preparing itself needs on Windows 10: KB and revision.
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

/// A machine and a wish.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) architecture: &'static str,
    pub(super) baseline: Option<(u32, u32)>,
    pub(super) place: &'static str,
    pub(super) fod: bool,
    pub(super) esu: Option<bool>,
    pub(super) edition: Option<&'static str>,
    pub(super) installed: BTreeSet<u32>,
    /// The KBs whose files are at hand.
    pub(super) available: Option<BTreeSet<u32>>,
}

impl Question {
    /// As a line of a batch.
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

    /// Features go into an image: everything has to lie beside the target.
    fn is_folder(&self) -> bool {
        self.fod && self.place == "image"
    }

    /// A mirror keeps everything, whatever the machine.
    fn is_mirror(&self) -> bool {
        self.place == "mirror"
    }

    fn revision(&self) -> Option<u32> {
        self.baseline.map(|(_, revision)| revision).filter(|_| !self.is_mirror())
    }
}

/// What is to be answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Answer {
    pub(super) status: String,
    pub(super) order: Vec<u32>,
    pub(super) beside: Vec<u32>,
    pub(super) missing: Vec<u32>,
}

/// A machine on the way.
#[derive(Debug, Clone)]
struct State {
    revision: u32,
    has: BTreeSet<u32>,
    put: BTreeSet<u32>,
}

impl State {
    fn before(question: &Question) -> Self {
        let has = if question.is_mirror() { BTreeSet::new() } else { question.installed.clone() };
        // Of a machine at an unknown build the least is assumed.
        Self { revision: question.revision().unwrap_or_default(), has, put: BTreeSet::new() }
    }

    /// Whether a file may be installed now.
    fn takes(&self, world: &World, question: &Question, file: &File) -> bool {
        let revision = match file.part {
            Part::Checkpoint { revision } | Part::Older { revision } => revision,
            Part::Target => u32::MAX,
            Part::Stack { .. } | Part::Floor | Part::Companion => return true,
        };
        let stands = |other: &File| match other.part {
            // It builds upon every checkpoint below it; beside an image they have to be put, else passed.
            Part::Checkpoint { revision: below } if below < revision => {
                self.put.contains(&other.kb) || (!question.is_folder() && self.revision >= below)
            }
            // Beside an image it comes before the target, wherever that stands.
            _ => true,
        };
        let target = file.part == Part::Target;
        world.files.iter().all(stands)
            && (!target || (self.has_stack(world) && self.has_floor(world, question)))
    }

    /// Whether a servicing stack is there that serves: the one that goes with the target, or one published later.
    fn has_stack(&self, world: &World) -> bool {
        let Some(stack) = world.stack else { return true };
        let rank = |kb: u32| match world.files.iter().find(|file| file.kb == kb).map(|file| file.part) {
            Some(Part::Stack { rank }) => Some(rank),
            _ => None,
        };
        let serves = |kb: u32| kb == stack || rank(kb) > rank(stack);
        self.has.iter().chain(&self.put).any(|kb| serves(*kb))
    }

    /// Whether the machine is past the floor or has it.
    fn has_floor(&self, world: &World, question: &Question) -> bool {
        let Some(below) = world.needed_below else { return true };
        let floor = world.files.iter().find(|file| file.part == Part::Floor).unwrap().kb;
        question.revision().is_some_and(|revision| revision >= below)
            || self.has.contains(&floor)
            || self.put.contains(&floor)
    }

    fn put(&self, file: &File) -> Self {
        let mut next = self.clone();
        next.put.insert(file.kb);
        if let Part::Checkpoint { revision } | Part::Older { revision } = file.part {
            next.revision = next.revision.max(revision);
        }
        next
    }
}

/// Whether files can be installed in this order and bring the target.
pub(super) fn is_valid(world: &World, question: &Question, order: &[u32]) -> bool {
    let mut state = State::before(question);
    for kb in order {
        let file = world.file(*kb);
        if !state.takes(world, question, file) {
            return false;
        }
        state = state.put(file);
    }
    order.contains(&world.target)
}

/// What of an order counts, least first: files that are not at hand, files at all, and whether its stack is another
/// than the known good one, or an older one than could be had.
type Cost = (usize, usize, bool, u32);

/// The best order of all that bring the target.
fn best(world: &World, question: &Question) -> Vec<u32> {
    let mut found: Option<(Cost, Vec<u32>)> = None;
    search(world, question, &State::before(question), &mut Vec::new(), &mut found);
    found.unwrap().1
}

fn search(
    world: &World,
    question: &Question,
    state: &State,
    order: &mut Vec<u32>,
    found: &mut Option<(Cost, Vec<u32>)>,
) {
    if order.contains(&world.target) {
        let cost = cost(world, question, order);
        if found.as_ref().is_none_or(|(least, _)| cost < *least) {
            *found = Some((cost, order.clone()));
        }
        return;
    }
    for file in world.files.iter().filter(|file| file.part != Part::Companion) {
        if !order.contains(&file.kb) && state.takes(world, question, file) {
            order.push(file.kb);
            search(world, question, &state.put(file), order, found);
            order.pop();
        }
    }
}

fn cost(world: &World, question: &Question, order: &[u32]) -> Cost {
    let at_hand = |kb: &u32| question.available.as_ref().is_none_or(|kbs| kbs.contains(kb));
    let absent = order.iter().filter(|kb| !at_hand(kb)).count();
    let stack = order.iter().find_map(|kb| match world.file(*kb).part {
        Part::Stack { rank } => Some((*kb, rank)),
        _ => None,
    });
    let other = stack.is_some_and(|(kb, _)| world.stack != Some(kb));
    (absent, order.len(), other, stack.map_or(0, |(_, rank)| u32::MAX - rank))
}

/// The answer by the rules, judged in the fixed order: architecture and family, place, nothing to do, Extended
/// Security Updates, and then the files.
pub(super) fn answer(world: &World, question: &Question) -> Answer {
    let only = |status: &str| Answer { status: status.to_owned(), ..Answer::default() };
    let foreign = question.baseline.is_some_and(|(number, _)| !world.builds.contains(&number));
    if world.other_architecture == Some(question.architecture) || foreign {
        return only("not_applicable");
    }
    if ["winre", "media"].contains(&question.place) {
        return only("not_applicable");
    }
    if has_it(world, question) {
        return only("nothing_to_do");
    }
    if let Some(missing) = lacks_preparation(world, question) {
        return Answer { missing, ..only("needs_prerequisite") };
    }
    let order = best(world, question);
    let companions = world.files.iter().filter(|file| file.part == Part::Companion);
    let beside: Vec<u32> = companions.map(|file| file.kb).collect();
    let at_hand = |kb: &u32| question.available.as_ref().is_none_or(|kbs| kbs.contains(kb));
    let missing: Vec<u32> = order.iter().chain(&beside).copied().filter(|kb| !at_hand(kb)).collect();
    if missing.is_empty() {
        Answer { order, beside, ..only("install") }
    } else {
        Answer { missing, ..only("needs_prerequisite") }
    }
}

/// Whether the machine has the target, or more.
fn has_it(world: &World, question: &Question) -> bool {
    if question.is_mirror() {
        return false;
    }
    match question.revision().zip(world.revision) {
        Some((at, target)) if at > target => true,
        Some((at, target)) if at == target => !question.is_folder(),
        // Rollups are not applied again beside added features; cumulative updates are.
        _ => question.installed.contains(&world.target) && (world.builds == [9600] || !question.is_folder()),
    }
}

/// What a machine without Extended Security Updates lacks, where the update is for those alone.
fn lacks_preparation(world: &World, question: &Question) -> Option<Vec<u32>> {
    // The one that replaced the other.
    const NEWEST: u32 = 5_126_256;
    let preparation = world.preparation?;
    let long_term = question.edition == Some("EnterpriseS")
        && question.baseline.is_none_or(|(number, _)| number == 19044);
    let prepared = [preparation, NEWEST].iter().any(|kb| question.installed.contains(kb));
    if question.is_mirror() || question.esu != Some(false) || long_term || prepared {
        return None;
    }
    let (kb, revision) = BEFORE_PREPARATION;
    let below = question.revision().is_some_and(|at| at < revision) && !question.installed.contains(&kb);
    Some([kb].into_iter().filter(|_| below).chain([preparation]).collect())
}
