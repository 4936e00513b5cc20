//! Possible states of a disk after a power cut, computed from the system calls of the program.
//!
//! [`super::disk_model`] has the rules. This module records a run of the program, and cuts it at each point between
//! two syncs.
#![expect(clippy::disallowed_methods, reason = "trees are read and laid down as they are")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use camino::Utf8Path;
use sha2::{Digest as _, Sha256};

use super::disk_model::{CrashChoice, Disk, DiskFile, TrackedFile, Trees};
use super::system_calls::{SystemCall, options, parse};

/// A recorded run of the program.
#[derive(Debug)]
pub(crate) struct RecordedRun {
    /// The folders before the run.
    disk: Disk,
    calls: Vec<SystemCall>,
    pub(crate) output: Output,
}

/// Runs the program under strace and records its changes below some folders, each with a name. Returns `None` if
/// strace is not available.
pub(crate) fn record(
    roots: &[(&str, &Utf8Path)],
    arguments: &[&str],
    note: &Utf8Path,
) -> Option<RecordedRun> {
    let disk = Disk::read(roots);
    let mut command = Command::new("strace");
    command.args(options(note)).arg("--").arg(env!("CARGO_BIN_EXE_kbmirror")).args(arguments);
    let output = match command.env_remove("KBMIRROR_DIR").output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        output => output.unwrap(),
    };
    let calls = parse(&fs::read_to_string(note).unwrap());
    Some(RecordedRun { disk, calls, output })
}

/// A state in which the disk may be after a power cut.
#[derive(Debug)]
pub(crate) struct Crash {
    /// The position in the run: the number of preceding syncs, and the last of them.
    pub(crate) when: String,
    /// `true` if the run had ended.
    pub(crate) is_after_the_end: bool,
    /// The trees of the folders.
    trees: Trees,
}

impl Crash {
    /// Writes one of the folders, which must not exist yet. The folder may be missing in this state.
    pub(crate) fn restore(&self, root: &str, at: &Utf8Path) {
        fs::create_dir_all(at).unwrap();
        for (path, file) in &self.trees[root] {
            let path = at.join(path);
            let Some(file) = file else {
                fs::create_dir(path).unwrap();
                continue;
            };
            fs::write(&path, &file.bytes).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(file.mode)).unwrap();
        }
    }

    /// Returns the bytes of a file, or `None` if the file is missing.
    pub(crate) fn bytes(&self, root: &str, path: &str) -> Option<&[u8]> {
        self.trees[root].get(path)?.as_ref().map(|file| file.bytes.as_slice())
    }

    /// Returns the files below a folder, by path.
    pub(crate) fn files(&self, root: &str) -> impl Iterator<Item = (&str, &[u8])> {
        let files = self.trees[root].iter();
        files.filter_map(|(path, file)| Some((path.as_str(), file.as_ref()?.bytes.as_slice())))
    }

    /// Returns a digest that is equal for states with equal content.
    pub(crate) fn fingerprint(&self) -> Vec<u8> {
        let mut digest = Sha256::new();
        digest.update([u8::from(self.is_after_the_end)]);
        self.trees.keys().for_each(|root| digest.update(self.fingerprint_of(root)));
        digest.finalize().to_vec()
    }

    /// Returns the digest for one of the folders.
    pub(crate) fn fingerprint_of(&self, root: &str) -> Vec<u8> {
        let mut digest = Sha256::new();
        for (path, file) in &self.trees[root] {
            let shape = file.as_ref().map(|file| (file.mode, file.bytes.len()));
            digest.update(format!("{path} {shape:?}\n"));
            digest.update(file.as_ref().map(|file| file.bytes.as_slice()).unwrap_or_default());
        }
        digest.finalize().to_vec()
    }
}

impl RecordedRun {
    /// Returns every kind of place that the run syncs, in the format of [`Disk::kind`].
    pub(crate) fn synced_kinds(&self) -> BTreeSet<String> {
        let mut kinds = BTreeSet::new();
        let mut disk = self.disk.clone();
        for call in &self.calls {
            kinds.extend(disk.synced(call).map(|node| disk.kind(node)));
            disk.take(call);
        }
        kinds
    }

    /// Returns the states of the disk at each point between two syncs and after the end, without duplicates. `seeds`
    /// is the number of states at each point in which a part of the unsynced changes arrives. With 0, such a state
    /// and a state with names without bytes alternate at every second point.
    pub(crate) fn crashes(&self, seeds: u64) -> Vec<Crash> {
        self.crashes_without(None, seeds)
    }

    /// Returns the states if the program did not sync one kind of place.
    pub(crate) fn crashes_without(&self, kind: Option<&str>, seeds: u64) -> Vec<Crash> {
        let (mut seen, mut crashes) = (BTreeSet::new(), Vec::new());
        let mut disk = self.disk.clone();
        let (mut syncs, mut last) = (0_u64, "nothing".to_owned());
        let mut note = |disk: &Disk, chance: &mut dyn CrashChoice, when: String, is_after_the_end| {
            let crash = Crash { when, is_after_the_end, trees: disk.cut(chance) };
            if seen.insert(crash.fingerprint()) {
                crashes.push(crash);
            }
        };
        note(&disk, &mut NothingArrives, "before the first sync".to_owned(), false);
        for call in &self.calls {
            let Some(synced) = disk.synced(call).map(|node| disk.kind(node)) else {
                disk.take(call);
                continue;
            };
            if kind == Some(&synced) {
                continue;
            }
            // Just before a sync, the largest number of changes is not durable.
            let before = format!("after {syncs} syncs ({last}), before that of {synced}");
            if seeds > 0 || syncs % 4 == 0 {
                note(&disk, &mut NamesArrive, format!("{before}, names without bytes"), false);
            }
            let parts = if seeds > 0 { 0..seeds } else { 0..u64::from(syncs % 4 == 2) };
            for seed in parts {
                note(
                    &disk,
                    &mut RandomPart((seed << 32) + syncs + 1),
                    format!("{before}, a part of it"),
                    false,
                );
            }
            disk.take(call);
            (syncs, last) = (syncs + 1, synced);
            note(&disk, &mut NothingArrives, format!("after {syncs} syncs ({last})"), false);
        }
        note(&disk, &mut NothingArrives, "after the end".to_owned(), true);
        note(&disk, &mut NamesArrive, "after the end, names without bytes".to_owned(), true);
        crashes
    }
}

/// The choice in which no unsynced change arrives.
struct NothingArrives;

impl CrashChoice for NothingArrives {
    fn names(&mut self, _changes: usize) -> usize {
        0
    }

    fn file(&mut self, file: &TrackedFile) -> DiskFile {
        file.synced_state.clone()
    }
}

/// The choice in which every name arrives, and of new bytes only their number, as with delayed allocation.
/// Overwritten bytes keep their old content.
struct NamesArrive;

impl CrashChoice for NamesArrive {
    fn names(&mut self, changes: usize) -> usize {
        changes
    }

    fn file(&mut self, file: &TrackedFile) -> DiskFile {
        file.with_arrived_bytes(0)
    }
}

/// The choice in which a part of the changes arrives, selected by pseudo-random numbers from a seed.
struct RandomPart(u64);

impl RandomPart {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

impl CrashChoice for RandomPart {
    fn names(&mut self, changes: usize) -> usize {
        self.below(changes + 1)
    }

    fn file(&mut self, file: &TrackedFile) -> DiskFile {
        match self.below(4) {
            0 => file.synced_state.clone(),
            1 => file.now.clone(),
            2 => NamesArrive.file(file),
            _ => file.with_arrived_bytes(file.now.bytes.len() / 2),
        }
    }
}
