//! Kills the program repeatedly during a fetch from a slow CDN, and checks the state after each kill.
//!
//! The time of a kill is a number of bytes sent by the CDN, not seconds, so every kill is during a transfer on any
//! machine. The CDN counts repeated bytes by their position in the file.
#![expect(
    clippy::disallowed_methods,
    reason = "the program is started, killed, and its mirror read as it is"
)]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::{FileSpec, Loopback, UpdateSpec, World, id};

/// The parameters of a test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KillTest {
    pub(crate) files: u32,
    /// The size of each file.
    pub(crate) bytes: usize,
    pub(crate) kills: u32,
    /// The rate of each connection.
    pub(crate) bytes_a_second: u64,
    pub(crate) seed: u64,
}

/// The findings after one kill, and in the following run up to the next kill.
#[derive(Debug, Clone, Default)]
pub(crate) struct Restart {
    /// The number of bytes that the CDN had sent at the kill.
    pub(crate) killed_at: u64,
    /// The files under `kb/` and `pool/` with wrong content.
    pub(crate) wrong: Vec<String>,
    /// The number of files in the pool at the kill.
    pub(crate) finished: usize,
    /// The bytes of finished files that were sent in the following run.
    pub(crate) finished_served: u64,
    /// The largest number of repeated bytes of an unfinished file.
    pub(crate) most_repeated: u64,
    /// The total number of repeated bytes of all unfinished files.
    pub(crate) repeated: u64,
}

/// The findings of a test.
#[derive(Debug, Clone, Default)]
pub(crate) struct KillResults {
    pub(crate) restarts: Vec<Restart>,
    /// The number of kills that hit a running program.
    pub(crate) kills_while_running: usize,
    pub(crate) all_published: bool,
    /// The total number of bytes that the CDN sent.
    pub(crate) served: u64,
}

const MONTHS: &str = "2024-08 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems";

struct KillRng(u64);

impl KillRng {
    /// Returns the next number below a bound.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }
}

fn package(number: u32, bytes: usize) -> FileSpec {
    let mut state = u64::from(number) + 1;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    let bytes: Vec<u8> = b"MSCF\0\0\0\0".iter().copied().chain(noise.flatten()).take(bytes).collect();
    FileSpec::package(&format!("windows11.0-kb{}-arm64", 5_100_001 + number), "msu", bytes)
}

impl KillTest {
    /// Fetches into a mirror with all of the kills, and then to the end.
    pub(crate) fn run(&self, mirror: &Utf8Path) -> KillResults {
        let files: Vec<FileSpec> = (0..self.files).map(|number| package(number, self.bytes)).collect();
        let mut world = World::new();
        for (number, file) in (0..).zip(&files) {
            let title = format!("{MONTHS} (KB{}) (26100.{})", 5_100_001 + number, 1500 + number);
            let update = UpdateSpec { files: vec![file.clone()], ..UpdateSpec::new(&id(number), &title) };
            world = world.update(update);
        }
        // The right digests of the files, by name.
        let right: BTreeMap<&str, String> =
            files.iter().map(|file| (file.name.as_str(), hex(&file.bytes))).collect();
        let loopback = Loopback::start(world);
        loopback.traffic().limit_rate(self.bytes_a_second);

        let mut numbers = KillRng(self.seed);
        let whole = u64::from(self.files) * self.bytes as u64;
        let mut found = KillResults::default();
        for kill in 0..self.kills {
            // The remaining bytes are divided among the remaining kills, and each kill is at a random point in its
            // share.
            let done = loopback.bytes_served();
            let share = 2 * whole.saturating_sub(done) / u64::from(self.kills - kill + 1);
            let moment = done + 1 + numbers.below(share);
            let before = TransferState::now(&loopback, &files, mirror);
            let mut child = self.start(&loopback, mirror);
            let at_work = wait_for(&mut child, &loopback, moment);
            child.kill().unwrap();
            child.wait().unwrap();
            found.kills_while_running += usize::from(at_work);
            if let Some(last) = found.restarts.last_mut() {
                before.compare(last, &loopback, &files);
            }
            let wrong = wrong_files(mirror, &right);
            found.restarts.push(Restart {
                killed_at: loopback.bytes_served(),
                wrong,
                finished: pooled(mirror, &files),
                ..Restart::default()
            });
            if !at_work {
                break;
            }
        }
        let before = TransferState::now(&loopback, &files, mirror);
        loopback.traffic().limit_rate(0);
        let ended = self.start(&loopback, mirror).wait().unwrap();
        if let Some(last) = found.restarts.last_mut() {
            before.compare(last, &loopback, &files);
        }
        let published = tree(&mirror.join("kb"));
        let all = right.iter().all(|(name, digest)| {
            published.iter().any(|path| path.file_name() == Some(name) && &digest_of(path) == digest)
        });
        found.all_published = ended.success() && all && wrong_files(mirror, &right).is_empty();
        found.served = loopback.bytes_served();
        found
    }

    fn start(&self, loopback: &Loopback, mirror: &Utf8Path) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kbmirror"));
        command.env_remove("KBMIRROR_DIR").arg("--mirror").arg(mirror);
        command.args(["--catalog-url", &loopback.catalog_url(), "--allow-host", &loopback.file_host()]);
        command.args(["--catalog-rate", "1000", "--json", "fetch"]);
        command.args((0..self.files).map(|number| format!("KB{}", 5_100_001 + number)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}

/// Waits until this number of bytes was sent. Returns `true` if the program was still running then.
fn wait_for(child: &mut Child, loopback: &Loopback, bytes: u64) -> bool {
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if loopback.traffic().wait_for_bytes(bytes) {
            return true;
        }
    }
}

/// The state before a run, by file: `true` if the file was in the pool, and the sent bytes.
struct TransferState(Vec<(bool, u64, u64)>);

impl TransferState {
    fn now(loopback: &Loopback, files: &[FileSpec], mirror: &Utf8Path) -> Self {
        let state = files.iter().map(|file| {
            let sent = loopback.traffic().of(&file.name);
            (pool_path(mirror, file).exists(), sent.served, sent.repeated)
        });
        Self(state.collect())
    }

    fn compare(&self, restart: &mut Restart, loopback: &Loopback, files: &[FileSpec]) {
        for (file, &(finished, served, repeated)) in files.iter().zip(&self.0) {
            let sent = loopback.traffic().of(&file.name);
            if finished {
                restart.finished_served += sent.served - served;
            } else {
                restart.repeated += sent.repeated - repeated;
                restart.most_repeated = restart.most_repeated.max(sent.repeated - repeated);
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn digest_of(path: &Utf8Path) -> String {
    hex(&fs::read(path).unwrap())
}

fn pool_path(mirror: &Utf8Path, file: &FileSpec) -> Utf8PathBuf {
    let digest = hex(&file.bytes);
    mirror.join("pool/sha256").join(&digest[..2]).join(&digest)
}

fn pooled(mirror: &Utf8Path, files: &[FileSpec]) -> usize {
    files.iter().filter(|file| pool_path(mirror, file).exists()).count()
}

/// Returns the files under final names that have wrong content.
fn wrong_files(mirror: &Utf8Path, right: &BTreeMap<&str, String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for path in tree(&mirror.join("pool")) {
        if path.file_name() != Some(&digest_of(&path)) {
            wrong.push(path.into_string());
        }
    }
    for path in tree(&mirror.join("kb")) {
        let package = path.extension() == Some("msu");
        if package && path.file_name().and_then(|name| right.get(name)) != Some(&digest_of(&path)) {
            wrong.push(path.into_string());
        }
    }
    wrong
}

/// Returns the files below a folder, or an empty list if the folder is missing.
fn tree(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = fs::read_dir(Path::new(folder)) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = Utf8PathBuf::from_path_buf(entry.unwrap().path()).unwrap();
        if path.is_dir() { found.extend(tree(&path)) } else { found.push(path) }
    }
    found
}
