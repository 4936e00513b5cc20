//! Random worlds: a family with a chain of checkpoints, a family with separate servicing stacks, and a family with
//! floors. The Catalog's listings become facts, and the knowledge tables replace the built-in ones.

use std::collections::BTreeSet;

use kbmirror::facts::{Facts, FileFacts, FileKey};
use kbmirror::servicing::{Knowledge, Tables};
use kbmirror::update::Month;

use super::entries::update_of;
use super::model::{BEFORE_PREPARATION, File, Part, Scenario, World};

/// A random number generator with the same sequence on every run (`SplitMix64`).
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound)).unwrap()
    }

    pub(super) fn between(&mut self, least: u32, most: u32) -> u32 {
        least + self.below(most - least + 1)
    }

    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    pub(super) fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(u32::try_from(items.len()).unwrap()) as usize]
    }
}

/// The Catalog's listings and the knowledge tables of a world under construction.
#[derive(Default)]
struct WorldBuilder {
    facts: Facts,
    releases: BTreeSet<String>,
    pairs: BTreeSet<String>,
    checkpoints: Vec<String>,
    used: BTreeSet<u32>,
}

impl WorldBuilder {
    /// Returns an unused KB whose number does not depend on a build or date.
    fn kb(&mut self, random: &mut Rng) -> u32 {
        loop {
            let kb = random.between(5_900_000, 5_999_999);
            if self.used.insert(kb) {
                return kb;
            }
        }
    }

    fn entry(&mut self, title: &str, kbs: &[u32], names: &[String]) {
        let number = i64::try_from(self.facts.updates.len()).unwrap();
        let mut keys = Vec::new();
        for (kb, name) in kbs.iter().zip(names) {
            let key = FileKey(i64::from(*kb));
            self.facts.files.insert(key, FileFacts { key: Some(key), ..FileFacts::from_name(name) });
            keys.push(key);
        }
        self.facts.updates.push(update_of(number, title, keys));
    }

    /// Returns the facts, and the knowledge with these tables in it.
    fn finish(self) -> (Facts, Knowledge) {
        let text = |lines: BTreeSet<String>| lines.into_iter().map(|line| line + "\n").collect::<String>();
        let (releases, pairs) = (text(self.releases), text(self.pairs));
        let rows = self.checkpoints.concat();
        let checkpoints = if rows.is_empty() { "checkpoint = []" } else { &rows };
        let checkpoints = format!("format = 1\n{checkpoints}\n");
        let mut tables = Tables::built_in();
        for (name, text) in [
            ("releases.txt", releases.as_str()),
            ("stacks.txt", pairs.as_str()),
            ("checkpoints.toml", checkpoints.as_str()),
            ("files.txt", ""),
            ("packages.txt", ""),
        ] {
            assert!(tables.replace(name, text), "{name}");
        }
        (self.facts, Knowledge::parse(tables).unwrap())
    }
}

fn name(system: &str, kb: u32) -> String {
    format!("windows{system}-kb{kb}-x64_{kb:040}.msu")
}

/// Returns a random world with its facts and its knowledge.
pub(super) fn make(random: &mut Rng) -> (World, Facts, Knowledge) {
    let mut builder = WorldBuilder::default();
    let world = match random.below(3) {
        0 => chain(random, &mut builder),
        1 => stacks(random, &mut builder),
        _ => floors(random, &mut builder),
    };
    let (facts, knowledge) = builder.finish();
    (world, facts, knowledge)
}

/// Returns a world of 26H1 with up to four checkpoints. The dialog omits some of them, the tables know some, and some
/// have Catalog entries of their own. A listed file with neither is a companion.
fn chain(random: &mut Rng, builder: &mut WorldBuilder) -> World {
    let target = builder.kb(random);
    let title = |kb: u32, revision: Option<u32>| {
        let build = revision.map_or_else(String::new, |revision| format!(" (28000.{revision})"));
        format!(
            "2028-01 Cumulative Update for Windows 11, version 26H1 for x64-based Systems (KB{kb}){build}"
        )
    };
    let revision = Some(random.between(5000, 6000)).filter(|_| !random.chance(12));
    let mut files = vec![File { kb: target, name: name("11.0", target), part: Part::Target }];
    let (mut listed, mut others) = (vec![target], Vec::new());
    let mut revisions = BTreeSet::new();
    for _ in 0..random.below(5) {
        revisions.insert(random.between(1000, 4900));
    }
    for below in revisions {
        let kb = builder.kb(random);
        let (is_listed, has_entry, is_known) = (random.chance(70), random.chance(60), random.chance(50));
        if is_listed {
            listed.push(kb);
        }
        if has_entry {
            builder.entry(&title(kb, Some(below)), &[kb], &[name("11.0", kb)]);
        }
        if is_known {
            builder.checkpoints.push(format!(
                "[[checkpoint]]\nkb = \"KB{kb}\"\nfamily = 28000\ninstallation = [\"client\"]\nbuild = \"28000.{below}\"\n\
                 date = \"2027-01-12\"\nsource = \"made up\"\n[[checkpoint.file]]\narchitecture = \"x64\"\nname = \"{}\"\n",
                name("11.0", kb)
            ));
        }
        others.push((kb, below, is_listed, has_entry, is_known));
    }
    // Without the target's build, only the tables can prove that another file is one of its checkpoints.
    let is_proven = |has_entry: bool, is_known: bool| is_known || (has_entry && revision.is_some());
    let lists_some = others.iter().any(|(_, _, listed, entry, known)| *listed && is_proven(*entry, *known));
    for (kb, below, is_listed, has_entry, is_known) in others {
        let part = match is_listed {
            true if is_proven(has_entry, is_known) => Part::Checkpoint { revision: below },
            true => Part::Companion,
            // The dialog omits this file. The dialog takes precedence over the tables, unless the Catalog has the
            // file.
            false if is_known && (!lists_some || has_entry) => Part::Checkpoint { revision: below },
            false if has_entry => Part::Older { revision: below },
            false => continue,
        };
        files.push(File { kb, name: name("11.0", kb), part });
    }
    let rotation = random.below(u32::try_from(listed.len()).unwrap()) as usize;
    listed.rotate_left(rotation);
    let names: Vec<String> = listed.iter().map(|kb| name("11.0", *kb)).collect();
    builder.entry(&title(target, revision), &listed, &names);
    // Companions are reported in the order of their builds if known, then of their KBs.
    files[1..].sort_by_key(|file| match file.part {
        Part::Companion => (1, companion_build(builder, file.kb), file.kb),
        _ => (0, None, 0),
    });
    World {
        builds: vec![28000],
        other_build: 26100,
        other_architecture: Some("x86"),
        target,
        revision,
        files,
        stack: None,
        needed_below: None,
        preparation: None,
    }
}

fn companion_build(builder: &WorldBuilder, kb: u32) -> Option<u32> {
    let own = builder.facts.updates.iter().find(|update| update.kb.is_some_and(|own| own.number() == kb));
    own.and_then(|update| update.build).map(|build| build.revision)
}

/// Returns a month of 2028 or 2029, formatted as in titles, by its number.
fn month(number: u32) -> String {
    format!("{}-{:02}", 2028 + number / 12, number % 12 + 1)
}

/// Returns a world of 1607 and Server 2016, or of Windows 8.1, with separate servicing stacks.
fn stacks(random: &mut Rng, builder: &mut WorldBuilder) -> World {
    const KINDS: [&str; 2] = ["Security Only Quality Update", "Security Monthly Quality Rollup"];
    let is_old = random.chance(30);
    let family = if is_old { 9600 } else { 14393 };
    let products: &[&str] =
        if is_old { &["Windows 8.1"] } else { &["Windows 10 Version 1607", "Windows Server 2016"] };
    let kind = if is_old { random.one_of(&KINDS) } else { "Cumulative Update" };
    let name = |kb: u32| name(if is_old { "8.1" } else { "10.0" }, kb);
    let (target, own_month) = (builder.kb(random), random.between(2, 20));
    let mut files = vec![File { kb: target, name: name(target), part: Part::Target }];
    let entry = |builder: &mut WorldBuilder, month_number: u32, kind: &str, kb: u32| {
        for product in products {
            let title =
                format!("{} {kind} for {product} for x64-based Systems (KB{kb})", month(month_number));
            builder.entry(&title, &[kb], &[name(kb)]);
        }
    };
    entry(builder, own_month, kind, target);
    let revision = (!is_old && random.chance(70)).then(|| random.between(5000, 6000));
    if let Some(revision) = revision {
        let line = format!("{target:08} 14393 {revision:06} {}-11 r b b h", month(own_month));
        builder.releases.insert(line);
    }
    let mut months = BTreeSet::new();
    for _ in 0..random.below(5) {
        months.insert(random.below(24));
    }
    let mut own = None;
    for published in months {
        let kb = builder.kb(random);
        entry(builder, published, "Servicing Stack Update", kb);
        files.push(File { kb, name: name(kb), part: Part::Stack { rank: published } });
        if published <= own_month {
            own = Some(kb);
        }
    }
    // A known pair takes precedence over dates. Its stack may be absent from the Catalog; such a stack was published
    // in the month of the update.
    if random.chance(40) {
        let known: Vec<u32> = files[1..].iter().map(|file| file.kb).collect();
        let paired = if known.is_empty() || random.chance(30) {
            let kb = builder.kb(random);
            files.push(File { kb, name: name(kb), part: Part::Stack { rank: own_month } });
            kb
        } else {
            random.one_of(&known)
        };
        builder.pairs.insert(format!("{target:08} {family:05} {paired:08} l"));
        own = Some(paired);
    }
    if random.chance(40) {
        let kb = builder.kb(random);
        entry(builder, own_month - 1, kind, kb);
        files.push(File { kb, name: name(kb), part: Part::Older { revision: 4000 } });
    }
    if is_old {
        // The real service level of Windows 8.1, by the titles that the Catalog has.
        let (before, level) = (2_919_442, 2_919_355);
        let titles = [
            (before, format!("Update for Windows 8.1 for x64-based Systems (KB{before})"), Part::BeforeLevel),
            (
                level,
                format!("Windows 8.1 Update for x64-based Systems (KB{level})"),
                Part::Level { below: 17_031, after: before },
            ),
        ];
        for (kb, title, _) in &titles {
            builder.entry(title, &[*kb], &[name(*kb)]);
        }
        files.splice(1..1, titles.map(|(kb, _, part)| File { kb, name: name(kb), part }));
    }
    World {
        builds: vec![family],
        other_build: 17763,
        other_architecture: Some("arm64"),
        target,
        revision,
        files,
        stack: own,
        needed_below: None,
        preparation: None,
    }
}

/// Returns a world of 1809 and Server 2019, or of Windows 10 2004 to 22H2, with the real floors.
fn floors(random: &mut Rng, builder: &mut WorldBuilder) -> World {
    let (target, year) = (builder.kb(random), random.between(2021, 2026));
    let number = if year == 2021 { random.between(3, 12) } else { random.between(1, 12) };
    let month = Month::new(i16::try_from(year).unwrap(), i8::try_from(number).unwrap()).unwrap();
    let is_1809 = random.chance(40);
    let products = if is_1809 {
        ["Windows 10 Version 1809", "Windows Server 2019"]
    } else {
        ["Windows 10 Version 22H2", "Windows 10 Version 21H2"]
    };
    for product in products {
        let title = format!("{month} Cumulative Update for {product} for x64-based Systems (KB{target})");
        builder.entry(&title, &[target], &[name("10.0", target)]);
    }
    let family = if is_1809 { 17763 } else { 19041 };
    let revision = random.chance(70).then(|| random.between(7000, 8000));
    let day = random.between(1, 28);
    if let Some(revision) = revision {
        builder.releases.insert(format!("{target:08} {family} {revision:06} {month}-{day:02} r b b h"));
    }
    let (kb, least) = BEFORE_PREPARATION;
    builder.releases.insert(format!("{kb:08} 19041 {least:06} 2025-10-14 r b b h"));
    // An update without a known day counts as published on the last day of its month.
    let at = (year, number, if revision.is_some() { day } else { 31 });
    let (old, new) = ("ssu-19041.3562-x64_de23c91f483b2e609cec3e4a995639d13205f867.msu", (2023, 10, 10));
    let floor = match (is_1809, at) {
        (_, at) if at < (2021, 8, 10) => None,
        (true, _) => {
            let name = "windows10.0-kb5005112-x64_81d09dc6978520e1a6d44b3b15567667f83eba2c.msu";
            Some((5_005_112, name.to_owned(), 2114))
        }
        (false, at) if at < new => Some((5_005_260, name("10.0", 5_005_260), 985)),
        (false, _) => Some((5_031_539, old.to_owned(), 3271)),
    };
    let mut files = vec![File { kb: target, name: name("10.0", target), part: Part::Target }];
    let needed_below = floor.as_ref().map(|(_, _, below)| *below);
    files.extend(floor.map(|(kb, name, _)| File { kb, name, part: Part::Floor }));
    let preparation = match (is_1809, (year, number)) {
        (false, at) if at >= (2026, 9) => Some(5_126_256),
        (false, at) if at >= (2025, 11) => Some(5_072_653),
        _ => None,
    };
    World {
        builds: if is_1809 { vec![17763] } else { vec![19044, 19045, 19042] },
        other_build: 26100,
        other_architecture: None,
        target,
        revision,
        files,
        stack: None,
        needed_below,
        preparation,
    }
}

/// Returns a random machine and request in a world, often near the revisions at which outcomes change.
pub(super) fn random_scenario(world: &World, random: &mut Rng) -> Scenario {
    let mut edges: Vec<u32> = world
        .files
        .iter()
        .filter_map(|file| match file.part {
            Part::Checkpoint { revision } | Part::Older { revision } => Some(revision),
            Part::Level { below, .. } => Some(below),
            _ => None,
        })
        .collect();
    edges.extend(world.needed_below.into_iter().chain(world.revision).chain([BEFORE_PREPARATION.1, 1]));
    let revision = match random.below(3) {
        0 => random.between(1, 9000),
        1 => random.one_of(&edges),
        _ => random.one_of(&edges).saturating_sub(1),
    };
    let number = if random.chance(5) { world.other_build } else { random.one_of(&world.builds) };
    let places = [
        "online", "online", "online", "online", "image", "image", "image", "winpe", "winre", "media",
        "mirror",
    ];
    let mut kbs: Vec<u32> = world.files.iter().map(|file| file.kb).collect();
    let available = random.chance(40).then(|| {
        let share = random.one_of(&[50, 80, 100]);
        kbs.iter().copied().filter(|_| random.chance(share)).collect()
    });
    kbs.extend(world.preparation.into_iter().chain([5_072_653, BEFORE_PREPARATION.0]));
    let installed = kbs.iter().copied().filter(|_| random.chance(12)).collect();
    let other = world.other_architecture.filter(|_| random.chance(6));
    Scenario {
        architecture: other.unwrap_or("x64"),
        baseline: random.chance(80).then_some((number, revision)),
        place: random.one_of(&places),
        fod: random.chance(30),
        esu: random.one_of(&[None, Some(true), Some(false), Some(false)]),
        edition: random.one_of(&[None, Some("Professional"), Some("EnterpriseS")]),
        installed,
        available,
    }
}
