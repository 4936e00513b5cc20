//! Disks that are too small, or become so in the middle: exit 9, what was there is there, and with room the next run has
//! all.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::broken_off::Small;
use super::super::harness::{Bench, Ran, each, tree};
use super::super::support::{Action, FileFault, FileSpec, Hook, Loopback, Rule, UpdateSpec, World, id};
use super::{ask, check_all_published, check_final_names, fetch, kb, package, world_of};

const KIB: u64 = 1024;
/// Of each file, in KiB: no round number of pages.
const LENGTH: u64 = 701;
const COUNT: u32 = 4;
/// Room for everything, and for an index beside it.
const ENOUGH: u64 = 16 * KIB;
/// So many disks, from one without any room to one with more than is needed.
const SIZES: u64 = 50;
const MOST: u64 = LENGTH * COUNT as u64 + KIB;

fn packages() -> Vec<FileSpec> {
    (0..COUNT).map(|number| package(number, usize::try_from(LENGTH * KIB).unwrap() - 5)).collect()
}

/// A mirror on a disk of its own that holds the first KB already.
struct Began {
    bench: Bench,
    loopback: Loopback,
    disk: Small,
    files: Vec<FileSpec>,
    /// What is fetched onto the small disk, the first KB among it.
    kbs: Vec<String>,
    before: BTreeMap<String, Vec<u8>>,
}

/// With KBs whose sizes the Catalog states.
fn began() -> Option<Began> {
    let files = packages();
    Began::with(world_of(&files), files, (0..COUNT).map(kb).collect())
}

/// With a KB whose checkpoint no dialog lists, so that nobody states what its set has together.
fn began_with_unstated() -> Option<Began> {
    let [target, checkpoint] = [("kb5086672", 21), ("kb5043080", 22)].map(|(kb, seed)| {
        let bytes = super::noise(seed, usize::try_from(LENGTH * KIB).unwrap());
        FileSpec::package(&format!("windows11.0-{kb}-arm64"), "msu", bytes)
    });
    let entry = |number, month: &str, tail: &str, file: &FileSpec| {
        let title =
            format!("{month} Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems {tail}");
        UpdateSpec { files: vec![file.clone()], ..UpdateSpec::new(&id(number), &title) }
    };
    let first = package(0, 5000);
    let world = world_of(std::slice::from_ref(&first))
        .update(entry(11, "2026-03", "(KB5086672) (26100.8117)", &target))
        .update(entry(12, "2024-09", "(KB5043080)", &checkpoint));
    Began::with(world, vec![first, target, checkpoint], vec![kb(0), "KB5086672".to_owned()])
}

impl Began {
    fn with(world: World, files: Vec<FileSpec>, kbs: Vec<String>) -> Option<Self> {
        let bench = Bench::new();
        let disk = Small::new(bench.mirror(), ENOUGH)?;
        let loopback = Loopback::start(world);
        let began = Self { bench, loopback, disk, files, kbs, before: BTreeMap::new() };
        fetch(&began.bench, &began.loopback, 1, &[]).exits(0);
        let before = tree(&began.bench.mirror().join("kb"));
        Some(Self { before, ..began })
    }

    fn fetch(&self, options: &[&str]) -> Ran {
        let kbs: Vec<&str> = self.kbs.iter().map(String::as_str).collect();
        ask(&self.bench, &self.loopback, &[&["fetch"], kbs.as_slice(), options].concat())
    }

    /// What the disk holds, in KiB.
    fn used(&self) -> u64 {
        ENOUGH - free(&self.disk.folder)
    }

    /// What is so after a run that found no room.
    fn check_nothing_lost(&self, ran: &Ran) -> Result<(), String> {
        if ran.code != 9 || no_space(ran).is_empty() {
            return Err(format!("exit {}: {}\n{}", ran.code, ran.stdout, ran.stderr));
        }
        check_final_names(&self.bench, &self.files)?;
        let after = tree(&self.bench.mirror().join("kb"));
        let lost = self.before.iter().find(|(path, bytes)| after.get(*path) != Some(bytes));
        lost.map_or(Ok(()), |(path, _)| Err(format!("{path} is not what it was")))
    }

    /// With room again, the next run has all.
    fn check_goes_on(&self) -> Result<(), String> {
        self.disk.resize(ENOUGH);
        let ran = self.fetch(&[]);
        if ran.code != 0 || each(&ran.json()["sets"], "status")[0] != "unchanged" {
            return Err(format!("the next run: exit {}: {}\n{}", ran.code, ran.stdout, ran.stderr));
        }
        check_all_published(&self.bench, &self.files).map_err(|why| format!("the next run: {why}"))
    }

    /// A run on such a disk, which has all of it or finds no room, and the next one; whether it had all.
    fn check(&self, options: &[&str]) -> Result<bool, String> {
        let ran = self.fetch(options);
        if ran.code == 0 {
            check_all_published(&self.bench, &self.files)?;
        } else {
            self.check_nothing_lost(&ran)?;
        }
        let ballast = self.disk.folder.join(BALLAST);
        if ballast.exists() {
            fs::remove_file(ballast).unwrap();
        }
        self.check_goes_on()?;
        Ok(ran.code == 0)
    }
}

/// What somebody else has on the disk.
const BALLAST: &str = "ballast";

/// Tells everything that went wrong at once, and that some runs had all and some found no room.
#[track_caller]
fn judge(checked: Vec<(String, Result<bool, String>)>) {
    let count = checked.len();
    let fitted = checked.iter().filter(|(_, checked)| matches!(checked, Ok(true))).count();
    let wrong: Vec<String> = checked
        .into_iter()
        .filter_map(|(when, checked)| checked.err().map(|why| format!("- {when}: {why}")))
        .collect();
    assert!(wrong.is_empty(), "{} of {count} disks:\n{}", wrong.len(), wrong.join("\n"));
    assert!((1..count).contains(&fitted), "{fitted} of {count} fitted");
}

/// What is free where a folder is, in KiB.
fn free(folder: &Utf8Path) -> u64 {
    fs4::available_space(folder).unwrap() / KIB
}

/// What is said of the room that there was not, wherever in the document.
fn no_space(ran: &Ran) -> String {
    let document = ran.json();
    let told = document["failures"].as_array().into_iter().flatten().chain([&document["error"]]);
    let told = told.filter(|told| told["kind"] == "no_space");
    let message: Vec<&str> = told.filter_map(|told| told["message"].as_str()).collect();
    message.join("\n")
}

#[test]
fn a_plan_that_does_not_fit_is_refused_before_the_first_byte() {
    let Some(began) = began() else { return };
    began.disk.resize(began.used() + LENGTH + 100);
    let asked = began.loopback.ranges_of("/files/").len();
    let ran = began.fetch(&[]);
    began.check_nothing_lost(&ran).unwrap();
    assert_eq!(began.loopback.ranges_of("/files/").len(), asked, "no file was asked for");
    let message = no_space(&ran);
    let told = message.contains("need") && message.contains("free");
    assert!(told && message.chars().any(|character| character.is_ascii_digit()), "{message}");
    assert_eq!(tree(&began.bench.mirror().join("kb")), began.before);
    began.check_goes_on().unwrap();
}

#[test]
fn what_lies_in_partial_counts_as_there() {
    let Some(began) = began() else { return };
    let most = usize::try_from((LENGTH - 20) * KIB).unwrap();
    for number in 1..COUNT {
        let path = kb(number).to_lowercase();
        began.loopback.rule(Rule::once(&path, Action::File(vec![FileFault::CutAfter(most)])));
    }
    began.fetch(&["--patience", "0"]);
    // Half of what the files have together, and far more than what is missing.
    began.disk.resize(began.used() + 1000);
    let served = began.loopback.bytes_served();
    let ran = began.fetch(&[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    check_all_published(&began.bench, &began.files).unwrap();
    assert!(began.loopback.bytes_served() - served <= u64::from(COUNT) * 20 * KIB);
}

#[test]
fn whatever_the_size_of_the_disk_it_is_all_or_exit_9() {
    let mut checked = Vec::new();
    for step in 0..SIZES {
        let Some(began) = began() else { return };
        let more = step * MOST / SIZES;
        began.disk.resize(began.used() + more);
        checked.push((format!("{more} KiB more"), began.check(&[])));
    }
    judge(checked);
}

#[test]
fn where_nobody_states_the_size_it_is_all_or_exit_9_as_well() {
    let mut checked = Vec::new();
    for step in 0..SIZES / 4 {
        let Some(began) = began_with_unstated() else { return };
        let more = step * MOST / SIZES * 4;
        began.disk.resize(began.used() + more);
        checked.push((format!("{more} KiB more"), began.check(&[])));
    }
    judge(checked);
}

/// Leaves so many KiB on a disk.
fn fill_up(folder: &Utf8Path, left: u64) {
    let ballast = free(folder).saturating_sub(left);
    // What was reserved in between is not there to be taken.
    let _taken = fs::write(folder.join(BALLAST), vec![0; usize::try_from(ballast * KIB).unwrap()]);
}

#[test]
fn a_disk_that_fills_up_in_the_middle_is_exit_9_as_well() {
    let mut checked = Vec::new();
    for step in 0..SIZES / 2 {
        let Some(began) = began() else { return };
        let left = step * MOST / SIZES * 2;
        // Somebody else writes while the first answer, or the last one, is on its way.
        let place = if step.is_multiple_of(2) { 1 } else { COUNT - 1 };
        let folder: Utf8PathBuf = began.disk.folder.clone();
        let fills = Hook::new(move || fill_up(&folder, left));
        began.loopback.rule(Rule::once(&kb(place).to_lowercase(), Action::After(fills)));
        let when = format!("{left} KiB left from file {place} on");
        checked.push((when, began.check(&["--parallel", "2"])));
    }
    judge(checked);
}

/// A mirror with room whose index lies on a small disk of its own.
struct IndexAlone {
    bench: Bench,
    loopback: Loopback,
    disk: Small,
    files: Vec<FileSpec>,
}

impl IndexAlone {
    fn new() -> Option<Self> {
        let bench = Bench::new();
        let disk = Small::new(bench.path("index"), ENOUGH)?;
        let files: Vec<FileSpec> = (0..COUNT).map(|number| package(number, 5000)).collect();
        let alone = Self { loopback: Loopback::start(world_of(&files)), bench, disk, files };
        alone.fetch(1).exits(0);
        Some(alone)
    }

    fn path(&self) -> Utf8PathBuf {
        self.disk.folder.join("mirror.db")
    }

    fn fetch(&self, count: u32) -> Ran {
        fetch(&self.bench, &self.loopback, count, &["--index", self.path().as_str()])
    }

    /// A run while the disk has so many KiB left, and the next one with room; whether the first one had all.
    fn check(&self, left: u64) -> Result<bool, String> {
        let before = tree(&self.bench.mirror().join("kb"));
        fill_up(&self.disk.folder, left);
        let ran = self.fetch(COUNT);
        if ran.code != 0 {
            let told = no_space(&ran);
            let is_named = told.contains(self.path().as_str()) && told.contains(" are free there");
            if ran.code != 9 || !is_named {
                return Err(format!("exit {}: {}\n{}", ran.code, ran.stdout, ran.stderr));
            }
            check_final_names(&self.bench, &self.files)?;
            let after = tree(&self.bench.mirror().join("kb"));
            if let Some((path, _)) = before.iter().find(|(path, _)| !after.contains_key(*path)) {
                return Err(format!("{path} is lost"));
            }
        }
        fs::remove_file(self.disk.folder.join(BALLAST)).unwrap();
        let next = self.fetch(COUNT);
        if next.code != 0 {
            return Err(format!("the next run: exit {}: {}\n{}", next.code, next.stdout, next.stderr));
        }
        check_all_published(&self.bench, &self.files)?;
        let verified = self.bench.json(&["--index", self.path().as_str(), "verify", "--deep"]);
        if verified.code != 0 {
            return Err(format!("verify: exit {}: {}", verified.code, verified.stdout));
        }
        Ok(ran.code == 0)
    }
}

#[test]
fn an_index_on_a_full_disk_is_exit_9_and_the_next_run_has_all() {
    let mut checked = Vec::new();
    for left in [0, 4, 16, 40, 96, 160, 256, 400, 4096] {
        let Some(alone) = IndexAlone::new() else { return };
        checked.push((format!("{left} KiB left"), alone.check(left)));
    }
    judge(checked);
}
