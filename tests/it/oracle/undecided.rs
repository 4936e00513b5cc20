//! The newest Safe OS update among dynamic updates of open kind and open order, against every world that the proofs
//! allow.
//!
//! A world has a hidden order and hidden kinds. The entries and articles show a part of them. The model tries each kind
//! of each undecided update and each order that the proofs allow, and collects the updates that are the newest Safe OS
//! update in any of them. A single one must be the answer; otherwise the answer must list all of them, and choose none.

use std::collections::BTreeSet;

use kbmirror::resolve::{FactsLibrary, Goal, Machine, Place, Plan, Request, Status, resolve};
use kbmirror::servicing::{Installation, Knowledge, Tables};
use kbmirror::update::{Architecture, Kb, Kind};

use super::entries::{Entry, Tally, facts_of};
use super::worlds::Rng;

const WORLDS: u64 = 600;

/// A dynamic update. The index in its world is its place in the hidden order.
#[derive(Debug, Clone)]
struct Dynamic {
    kb: u32,
    /// `true` for Safe OS, `false` for Setup, `None` if the title leaves it open.
    is_safe_os: Option<bool>,
    month: u32,
    /// The day of the entry in its month, or later.
    entry_day: u32,
    version: Option<u32>,
    article_day: Option<u32>,
    replaces: Vec<u32>,
}

/// Returns updates whose proofs agree with their order: months, versions, and article days never decrease.
fn random_updates(random: &mut Rng) -> Vec<Dynamic> {
    let number = random.between(2, 5);
    let (mut month, mut day) = (7, 1);
    let mut updates: Vec<Dynamic> = Vec::new();
    for place in 0..number {
        if random.chance(40) {
            (month, day) = (month + 1, 1);
        }
        day = (day + random.between(1, 4)).min(28);
        let replaced = updates.last().filter(|_| random.chance(25)).map(|older| older.kb);
        updates.push(Dynamic {
            kb: loop {
                let kb = random.between(5_900_000, 5_999_999);
                if !updates.iter().any(|other| other.kb == kb) {
                    break kb;
                }
            },
            is_safe_os: random.one_of(&[Some(true), Some(true), Some(false), Some(false), None]),
            month,
            // Microsoft renews entries, so their days have another order.
            entry_day: random.between(day, 28),
            version: random.chance(30).then_some(place + 1),
            article_day: random.chance(30).then_some(day),
            replaces: replaced.into_iter().collect(),
        });
    }
    updates
}

impl Dynamic {
    /// Returns the first and the last day on which it may have been released, counted from the start of the year.
    fn interval(&self) -> (u32, u32) {
        let day = |day: u32| self.month * 31 + day;
        match self.article_day {
            Some(own) => (day(own), day(own)),
            None => (day(1), day(self.entry_day)),
        }
    }

    /// Returns `true` if a proof shows that it is older than another: the first of version, article, and replacement
    /// that differs, or the days of the release.
    fn is_older_than(&self, other: &Self) -> bool {
        let differing = |own: Option<u32>, others: Option<u32>| own.zip(others).filter(|(a, b)| a != b);
        let days = |one: &Self| one.article_day.map(|day| one.month * 31 + day);
        if let Some((own, others)) =
            differing(self.version, other.version).or_else(|| differing(days(self), days(other)))
        {
            return own < others;
        }
        other.replaces.contains(&self.kb)
            || (!self.replaces.contains(&other.kb) && self.interval().1 < other.interval().0)
    }

    fn entry(&self) -> Entry {
        let kind = match self.is_safe_os {
            Some(true) => "Safe OS Dynamic Update",
            Some(false) => "Setup Dynamic Update",
            None => "Dynamic Update",
        };
        let (month, kb) = (self.month, self.kb);
        Entry {
            title: format!(
                "2026-{month:02} {kind} for Windows 11, version 24H2 for x64-based Systems (KB{kb})"
            ),
            name: format!("windows11.0-kb{kb}-x64_{kb}{}.cab", "0".repeat(33)),
            folder: None,
            last_updated: Some(format!("2026-{month:02}-{:02}", self.entry_day)),
        }
    }

    fn article(&self) -> String {
        let date = self.article_day.map(|day| format!("date = \"2026-{:02}-{day:02}\"", self.month));
        let version = self.version.map(|version| format!("version = \"26100.{}\"", 9000 + version));
        let kbs: Vec<String> = self.replaces.iter().map(|kb| format!("\"KB{kb}\"")).collect();
        let replaces = (!kbs.is_empty()).then(|| format!("replaces = [{}]", kbs.join(", ")));
        let head = format!("[[article]]\nkb = \"KB{}\"\nsource = \"a model\"", self.kb);
        let lines: Vec<String> = [Some(head), date, version, replaces].into_iter().flatten().collect();
        lines.join("\n") + "\n"
    }
}

/// Returns the updates that are the newest Safe OS update in some world that the proofs allow; `None` stands for a world
/// without any.
fn possible_newest(updates: &[Dynamic]) -> BTreeSet<Option<u32>> {
    let open: Vec<usize> = (0..updates.len()).filter(|nth| updates[*nth].is_safe_os.is_none()).collect();
    let mut found = BTreeSet::new();
    for kinds in 0..1_u32 << open.len() {
        let is_safe_os = |nth: usize| match open.iter().position(|own| *own == nth) {
            Some(bit) => kinds >> bit & 1 == 1,
            None => updates[nth].is_safe_os == Some(true),
        };
        let safe_os: Vec<usize> = (0..updates.len()).filter(|nth| is_safe_os(*nth)).collect();
        if safe_os.is_empty() {
            found.insert(None);
        }
        // An update may be the last of an order if no chain of proofs makes it older than another Safe OS update.
        for &last in &safe_os {
            let mut newer: Vec<usize> = vec![last];
            let mut place = 0;
            while let Some(&own) = newer.get(place) {
                let next = (0..updates.len())
                    .filter(|other| updates[own].is_older_than(&updates[*other]) && !newer.contains(other));
                let next: Vec<usize> = next.collect();
                newer.extend(next);
                place += 1;
            }
            if newer.iter().skip(1).all(|other| !safe_os.contains(other)) {
                found.insert(Some(updates[last].kb));
            }
        }
    }
    found
}

fn newest_safe_os(updates: &[Dynamic]) -> Plan {
    let articles: String = updates.iter().map(Dynamic::article).collect();
    let articles = format!("format = 1\n\n{articles}");
    let mut tables = Tables::built_in();
    for (name, text) in [("articles.toml", articles.as_str()), ("packages.txt", "")] {
        assert!(tables.replace(name, text), "{name}");
    }
    let knowledge = Knowledge::parse(tables).unwrap();
    let entries: Vec<Entry> = updates.iter().map(Dynamic::entry).collect();
    let library = FactsLibrary::new(facts_of(&entries), &knowledge);
    let machine = Machine {
        architecture: Some(Architecture::X64),
        baseline: Some("26100.8000".parse().unwrap()),
        installation: Some(Installation::Client),
        place: Place::Winre,
        ..Machine::default()
    };
    let request = Request { machine, ..Request::of(Goal::Latest(Some(Kind::SafeosDu))) };
    resolve(&request, &library, &knowledge).unwrap()
}

#[test]
fn newest_safe_os_update_is_proven_or_all_are_listed() {
    let mut tally = Tally::default();
    for seed in 0..WORLDS {
        let updates = random_updates(&mut Rng::new(0x7361_6665_6f73 ^ seed));
        let possible = possible_newest(&updates);
        let plan = newest_safe_os(&updates);
        let world = || format!("world {seed}: {possible:?}\n{updates:#?}\n{plan:#?}");
        let kbs: Vec<u32> = possible.iter().copied().flatten().collect();
        match (kbs.as_slice(), possible.contains(&None)) {
            ([], _) => {
                assert!(plan.steps.is_empty() && plan.status != Status::Install, "{}", world());
                tally.count("none");
            }
            ([one], false) => {
                assert_eq!(plan.kb.map(Kb::number), Some(*one), "{}", world());
                assert_eq!(plan.status, Status::Install, "{}", world());
                tally.count("one");
                // The true newest one of the hidden order is the only one that can be proven.
                let last = updates.iter().rev().find(|update| update.is_safe_os != Some(false));
                assert_eq!(last.map(|update| update.kb), Some(*one), "{}", world());
            }
            (several, _) => {
                assert_eq!((plan.status, plan.steps.len()), (Status::Ambiguous, 0), "{}", world());
                let text = serde_json::to_string(&plan).unwrap();
                assert!(several.iter().all(|kb| text.contains(&format!("KB{kb}"))), "{}", world());
                tally.count("ambiguous");
            }
        }
    }
    tally.check(&["none", "one", "ambiguous"]);
}
