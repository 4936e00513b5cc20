//! Disks that are too small or become full during a run: the exit code is 9, existing files stay, and with enough
//! space the next run completes.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::harness::{Bench, RunOutput, field_texts, read_tree};
use super::super::interrupted_export::TmpFs;
use super::super::support::{Action, FileFault, FileSpec, Hook, Loopback, Rule, UpdateSpec, World, id};
use super::{check_all_published, check_final_names, fetch, kb, package, run_against, world_of};

const KIB: u64 = 1024;
/// The length of each file in KiB, not a multiple of a page.
const LENGTH: u64 = 701;
const COUNT: u32 = 4;
/// The size of a disk with space for all files and an index.
const ENOUGH: u64 = 16 * KIB;
/// The number of disks, from one without free space to one with more than needed.
const SIZES: u64 = 50;
const MOST: u64 = LENGTH * COUNT as u64 + KIB;

fn packages() -> Vec<FileSpec> {
    (0..COUNT).map(|number| package(number, usize::try_from(LENGTH * KIB).unwrap() - 5)).collect()
}

/// A mirror on a disk of its own that has the first KB already.
struct SmallDiskMirror {
    bench: Bench,
    loopback: Loopback,
    disk: TmpFs,
    files: Vec<FileSpec>,
    /// The KBs fetched onto the small disk, including the first KB.
    kbs: Vec<String>,
    before: BTreeMap<String, Vec<u8>>,
}

/// Returns a mirror with KBs whose sizes the Catalog states.
fn mirror_with_stated_sizes() -> Option<SmallDiskMirror> {
    let files = packages();
    SmallDiskMirror::with(world_of(&files), files, (0..COUNT).map(kb).collect())
}

/// Returns a mirror with a KB whose checkpoint is in no dialog, so that the total size of its set is not stated.
fn mirror_with_unstated_sizes() -> Option<SmallDiskMirror> {
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
    SmallDiskMirror::with(world, vec![first, target, checkpoint], vec![kb(0), "KB5086672".to_owned()])
}

impl SmallDiskMirror {
    fn with(world: World, files: Vec<FileSpec>, kbs: Vec<String>) -> Option<Self> {
        let bench = Bench::new();
        let disk = TmpFs::new(bench.mirror(), ENOUGH)?;
        let loopback = Loopback::start(world);
        let mirror_with_stated_sizes = Self { bench, loopback, disk, files, kbs, before: BTreeMap::new() };
        fetch(&mirror_with_stated_sizes.bench, &mirror_with_stated_sizes.loopback, 1, &[]).exits(0);
        let before = read_tree(&mirror_with_stated_sizes.bench.mirror().join("kb"));
        Some(Self { before, ..mirror_with_stated_sizes })
    }

    fn fetch(&self, options: &[&str]) -> RunOutput {
        let kbs: Vec<&str> = self.kbs.iter().map(String::as_str).collect();
        run_against(&self.bench, &self.loopback, &[&["fetch"], kbs.as_slice(), options].concat())
    }

    /// Returns the used space of the disk in KiB.
    fn used(&self) -> u64 {
        ENOUGH - free(&self.disk.folder)
    }

    /// Checks the state after a run that found too little space.
    fn check_nothing_lost(&self, ran: &RunOutput) -> Result<(), String> {
        if ran.code != 9 || no_space(ran).is_empty() {
            return Err(format!("exit {}: {}\n{}", ran.code, ran.stdout, ran.stderr));
        }
        check_final_names(&self.bench, &self.files)?;
        let after = read_tree(&self.bench.mirror().join("kb"));
        let lost = self.before.iter().find(|(path, bytes)| after.get(*path) != Some(bytes));
        lost.map_or(Ok(()), |(path, _)| Err(format!("{path} is not what it was")))
    }

    /// Checks that the next run completes with enough space.
    fn check_next_run(&self) -> Result<(), String> {
        self.disk.resize(ENOUGH);
        let ran = self.fetch(&[]);
        if ran.code != 0 || field_texts(&ran.json()["sets"], "status")[0] != "unchanged" {
            return Err(format!("the next run: exit {}: {}\n{}", ran.code, ran.stdout, ran.stderr));
        }
        check_all_published(&self.bench, &self.files).map_err(|why| format!("the next run: {why}"))
    }

    /// Runs on a disk with the current size and checks the result, then checks the next run. Returns `true` if the
    /// files fitted.
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
        self.check_next_run()?;
        Ok(ran.code == 0)
    }
}

/// The file that takes up space on the disk.
const BALLAST: &str = "ballast";

/// Reports all failures together, and checks that some runs fitted and some did not.
#[track_caller]
fn expect_all(checked: Vec<(String, Result<bool, String>)>) {
    let count = checked.len();
    let fitted = checked.iter().filter(|(_, checked)| matches!(checked, Ok(true))).count();
    let wrong: Vec<String> = checked
        .into_iter()
        .filter_map(|(when, checked)| checked.err().map(|why| format!("- {when}: {why}")))
        .collect();
    assert!(wrong.is_empty(), "{} of {count} disks:\n{}", wrong.len(), wrong.join("\n"));
    assert!((1..count).contains(&fitted), "{fitted} of {count} fitted");
}

/// Returns the free space of a folder's file system in KiB.
fn free(folder: &Utf8Path) -> u64 {
    fs4::available_space(folder).unwrap() / KIB
}

/// Returns the messages about missing space, from anywhere in the document.
fn no_space(ran: &RunOutput) -> String {
    let document = ran.json();
    let messages = document["failures"].as_array().into_iter().flatten().chain([&document["error"]]);
    let messages = messages.filter(|messages| messages["kind"] == "no_space");
    let message: Vec<&str> = messages.filter_map(|messages| messages["message"].as_str()).collect();
    message.join("\n")
}

#[test]
fn a_plan_that_does_not_fit_is_refused_before_the_first_byte() {
    let Some(mirror_with_stated_sizes) = mirror_with_stated_sizes() else { return };
    mirror_with_stated_sizes.disk.resize(mirror_with_stated_sizes.used() + LENGTH + 100);
    let requests_before = mirror_with_stated_sizes.loopback.ranges_of("/files/").len();
    let ran = mirror_with_stated_sizes.fetch(&[]);
    mirror_with_stated_sizes.check_nothing_lost(&ran).unwrap();
    assert_eq!(
        mirror_with_stated_sizes.loopback.ranges_of("/files/").len(),
        requests_before,
        "no file may be requested"
    );
    let message = no_space(&ran);
    let messages = message.contains("need") && message.contains("free");
    assert!(messages && message.chars().any(|character| character.is_ascii_digit()), "{message}");
    assert_eq!(
        read_tree(&mirror_with_stated_sizes.bench.mirror().join("kb")),
        mirror_with_stated_sizes.before
    );
    mirror_with_stated_sizes.check_next_run().unwrap();
}

#[test]
fn partial_files_count_as_present_in_the_plan() {
    let Some(mirror_with_stated_sizes) = mirror_with_stated_sizes() else { return };
    let most = usize::try_from((LENGTH - 20) * KIB).unwrap();
    for number in 1..COUNT {
        let path = kb(number).to_lowercase();
        mirror_with_stated_sizes
            .loopback
            .rule(Rule::once(&path, Action::File(vec![FileFault::CutAfter(most)])));
    }
    mirror_with_stated_sizes.fetch(&["--patience", "0"]);
    // The new space is half of the total size of the files, and much more than the missing bytes.
    mirror_with_stated_sizes.disk.resize(mirror_with_stated_sizes.used() + 1000);
    let served = mirror_with_stated_sizes.loopback.bytes_served();
    let ran = mirror_with_stated_sizes.fetch(&[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    check_all_published(&mirror_with_stated_sizes.bench, &mirror_with_stated_sizes.files).unwrap();
    assert!(mirror_with_stated_sizes.loopback.bytes_served() - served <= u64::from(COUNT) * 20 * KIB);
}

#[test]
fn a_run_on_any_disk_size_completes_or_exits_with_9() {
    let mut checked = Vec::new();
    for step in 0..SIZES {
        let Some(mirror_with_stated_sizes) = mirror_with_stated_sizes() else { return };
        let more = step * MOST / SIZES;
        mirror_with_stated_sizes.disk.resize(mirror_with_stated_sizes.used() + more);
        checked.push((format!("{more} KiB more"), mirror_with_stated_sizes.check(&[])));
    }
    expect_all(checked);
}

#[test]
fn a_run_with_unstated_sizes_completes_or_exits_with_9() {
    let mut checked = Vec::new();
    for step in 0..SIZES / 4 {
        let Some(mirror_with_stated_sizes) = mirror_with_unstated_sizes() else { return };
        let more = step * MOST / SIZES * 4;
        mirror_with_stated_sizes.disk.resize(mirror_with_stated_sizes.used() + more);
        checked.push((format!("{more} KiB more"), mirror_with_stated_sizes.check(&[])));
    }
    expect_all(checked);
}

/// Fills a disk except for `left` KiB.
fn fill_up(folder: &Utf8Path, left: u64) {
    let ballast = free(folder).saturating_sub(left);
    // A reservation may have taken the space in the meantime, so the write can fail.
    let _taken = fs::write(folder.join(BALLAST), vec![0; usize::try_from(ballast * KIB).unwrap()]);
}

#[test]
fn a_disk_that_fills_up_during_a_run_exits_with_9() {
    let mut checked = Vec::new();
    for step in 0..SIZES / 2 {
        let Some(mirror_with_stated_sizes) = mirror_with_stated_sizes() else { return };
        let left = step * MOST / SIZES * 2;
        // Another process writes during the first or the last answer.
        let place = if step.is_multiple_of(2) { 1 } else { COUNT - 1 };
        let folder: Utf8PathBuf = mirror_with_stated_sizes.disk.folder.clone();
        let fills = Hook::new(move || fill_up(&folder, left));
        mirror_with_stated_sizes
            .loopback
            .rule(Rule::once(&kb(place).to_lowercase(), Action::RunBefore(fills)));
        let when = format!("{left} KiB left from file {place} on");
        checked.push((when, mirror_with_stated_sizes.check(&["--parallel", "2"])));
    }
    expect_all(checked);
}

/// A mirror with enough space whose index is on a small disk of its own.
struct SmallDiskIndex {
    bench: Bench,
    loopback: Loopback,
    disk: TmpFs,
    files: Vec<FileSpec>,
}

impl SmallDiskIndex {
    fn new() -> Option<Self> {
        let bench = Bench::new();
        let disk = TmpFs::new(bench.path("index"), ENOUGH)?;
        let files: Vec<FileSpec> = (0..COUNT).map(|number| package(number, 5000)).collect();
        let alone = Self { loopback: Loopback::start(world_of(&files)), bench, disk, files };
        alone.fetch(1).exits(0);
        Some(alone)
    }

    fn path(&self) -> Utf8PathBuf {
        self.disk.folder.join("mirror.db")
    }

    fn fetch(&self, count: u32) -> RunOutput {
        fetch(&self.bench, &self.loopback, count, &["--index", self.path().as_str()])
    }

    /// Runs while the disk has `left` KiB, then runs again with enough space. Returns `true` if the first run fitted.
    fn check(&self, left: u64) -> Result<bool, String> {
        let before = read_tree(&self.bench.mirror().join("kb"));
        fill_up(&self.disk.folder, left);
        let ran = self.fetch(COUNT);
        if ran.code != 0 {
            let messages = no_space(&ran);
            let is_named = messages.contains(self.path().as_str()) && messages.contains(" are free there");
            if ran.code != 9 || !is_named {
                return Err(format!("exit {}: {}\n{}", ran.code, ran.stdout, ran.stderr));
            }
            check_final_names(&self.bench, &self.files)?;
            let after = read_tree(&self.bench.mirror().join("kb"));
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
fn an_index_on_a_full_disk_exits_with_9_and_recovers() {
    let mut checked = Vec::new();
    for left in [0, 4, 16, 40, 96, 160, 256, 400, 4096] {
        let Some(alone) = SmallDiskIndex::new() else { return };
        checked.push((format!("{left} KiB left"), alone.check(left)));
    }
    expect_all(checked);
}
