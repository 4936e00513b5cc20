//! KBs that were issued again, against a model that tries every order of the issues.
//!
//! A world is two to four entries of one KB with different bytes, and random proofs of their order. An order is right
//! if each issue is proven older than each later one. The plan must be for the last issue of the only right order, or
//! ambiguous if none exists.

use kbmirror::resolve::{FactsLibrary, GenerationChoice, Machine, Plan, Request, Status, resolve};
use kbmirror::servicing::Knowledge;
use kbmirror::update::Architecture;

use super::entries::{Entry, Tally, facts_of};
use super::worlds::Rng;

const WORLDS: u64 = 600;

/// An issue of the KB. Each property may prove its place.
#[derive(Debug, Clone)]
struct Issue {
    /// The version in the file name; the first has none.
    tag: u32,
    revision: Option<u32>,
    folder_month: Option<u32>,
    title_month: u32,
    day: Option<u32>,
    digest: String,
}

impl Issue {
    fn random(random: &mut Rng, nth: usize) -> Self {
        let some = |random: &mut Rng, percent, most| random.chance(percent).then(|| random.between(1, most));
        Self {
            tag: if random.chance(40) { random.between(2, 3) } else { 1 },
            revision: some(random, 40, 3),
            folder_month: some(random, 60, 4),
            title_month: random.between(1, 2),
            day: some(random, 80, 9),
            digest: format!("{}{nth}", random.between(1, 9)).repeat(20),
        }
    }

    fn title(&self) -> String {
        let build =
            self.revision.map_or_else(String::new, |revision| format!(" (22631.{})", 9000 + revision));
        format!(
            "2026-0{} Cumulative Update for Windows 11 Version 23H2 for x64-based Systems (KB5990000){build}",
            self.title_month
        )
    }

    fn name(&self) -> String {
        let tag = if self.tag == 1 { String::new() } else { format!("-v{}", self.tag) };
        format!("windows11.0-kb5990000{tag}-x64_{}.msu", self.digest)
    }

    fn entry(&self) -> Entry {
        Entry {
            title: self.title(),
            name: self.name(),
            folder: self.folder_month.map(|month| format!("2026/0{month}")),
            last_updated: self.day.map(|day| format!("2026-05-0{day}")),
        }
    }

    /// Returns `true` if the first property that differs proves this issue older. A missing property proves nothing.
    fn is_older_than(&self, other: &Self) -> bool {
        let proofs = [
            (Some(self.tag), Some(other.tag)),
            (self.revision, other.revision),
            (self.folder_month, other.folder_month),
            if self.title() == other.title() { (self.day, other.day) } else { (None, None) },
        ];
        let first = proofs.into_iter().find_map(|(own, others)| own.zip(others).filter(|(a, b)| a != b));
        first.is_some_and(|(own, others)| own < others)
    }
}

/// Returns every order of some items.
fn orders(items: &[usize]) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    if items.is_empty() {
        all.push(Vec::new());
    }
    for (place, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(place);
        all.extend(orders(&rest).into_iter().map(|order| [vec![*first], order].concat()));
    }
    all
}

/// Returns the order in which each issue is older than each later one, or `None` if no order is right.
fn right_order(issues: &[Issue]) -> Option<Vec<usize>> {
    let is_right = |order: &Vec<usize>| {
        let mut pairs =
            order.iter().enumerate().flat_map(|(nth, a)| order[nth + 1..].iter().map(move |b| (a, b)));
        pairs.all(|(a, b)| issues[*a].is_older_than(&issues[*b]))
    };
    orders(&(0..issues.len()).collect::<Vec<_>>()).into_iter().find(is_right)
}

fn plan(issues: &[Issue], knowledge: &Knowledge, generation: GenerationChoice) -> Plan {
    let entries: Vec<Entry> = issues.iter().map(Issue::entry).collect();
    let library = FactsLibrary::new(facts_of(&entries), knowledge);
    let machine = Machine {
        architecture: Some(Architecture::X64),
        baseline: Some("22631.5000".parse().unwrap()),
        ..Machine::default()
    };
    let request = Request { machine, generation, ..Request::new("KB5990000".parse().unwrap()) };
    resolve(&request, &library, knowledge).unwrap()
}

fn target(plan: &Plan) -> Option<&str> {
    plan.steps.last().and_then(|step| step.name.as_deref())
}

#[test]
fn issue_of_a_plan_is_the_last_of_the_only_order() {
    let knowledge = Knowledge::built_in().unwrap();
    let mut tally = Tally::default();
    for seed in 0..WORLDS {
        let random = &mut Rng::new(0x6973_7375_6573 ^ seed);
        let number = random.between(2, 4) as usize;
        let issues: Vec<Issue> = (0..number).map(|nth| Issue::random(random, nth)).collect();
        let newest = plan(&issues, &knowledge, GenerationChoice::Newest);
        let Some(order) = right_order(&issues) else {
            assert_eq!(newest.status, Status::Ambiguous, "world {seed}: {issues:#?}\n{newest:#?}");
            assert!(newest.steps.is_empty());
            let advice = newest.advice.unwrap_or_default();
            assert!(!advice.contains("--generation"), "{advice}");
            tally.count("ambiguous");
            continue;
        };
        assert_eq!(newest.status, Status::Install, "world {seed}: {issues:#?}\n{newest:#?}");
        for (nth, place) in (1..).zip(&order) {
            let name = issues[*place].name();
            let own = plan(&issues, &knowledge, GenerationChoice::Number(nth));
            assert_eq!(target(&own), Some(name.as_str()), "world {seed}, issue {nth}: {issues:#?}");
            let is_last = nth == number;
            assert_eq!(target(&newest) == Some(name.as_str()), is_last, "world {seed}: {issues:#?}");
            let is_named = newest.warnings.iter().any(|warning| warning.contains(&name));
            assert_eq!(is_named, !is_last, "world {seed}: {:?}", newest.warnings);
        }
        let none = plan(&issues, &knowledge, GenerationChoice::Number(number + 1));
        assert_eq!((none.status, none.steps.len()), (Status::Unknown, 0), "world {seed}");
        let all = plan(&issues, &knowledge, GenerationChoice::All);
        assert_eq!((all.status, all.choices.len()), (Status::Ambiguous, number), "world {seed}");
        tally.count(format!("{number} issues in order"));
    }
    tally.check(&["ambiguous", "2 issues in order", "3 issues in order", "4 issues in order"]);
}
