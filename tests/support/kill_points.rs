//! Kills the program at exact system calls during a fetch, export, or import, and checks the state after each kill.
//!
//! An undisturbed run is traced first, to list the calls of its main thread that change files. The kills are
//! distributed evenly over these calls. `strace` sends SIGKILL when the program enters the chosen call, so a kill has
//! an exact position that does not depend on time. The checks after each kill:
//!
//! - files under final names are right, and a package set is complete or missing;
//! - `verify` finds no damage, at most the leftovers of an interruption;
//! - `check-medium` reports a medium as complete only if it is complete;
//! - the same command run again exits 0, with the same bytes as the undisturbed run.
#![expect(
    clippy::disallowed_methods,
    reason = "the program is started, killed, and its folders read as they lie"
)]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use regex::Regex;
use serde_json::Value;

use super::kill_content::{copy, digests, mirror_content, payload};

/// The calls that change a file. `strace` counts each name separately, by thread.
const CALLS: &str = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,linkat,unlink,unlinkat,mkdir,mkdirat,\
                     fchmod,ftruncate,fallocate,copy_file_range";
const FIRST: &str = "KB5086672";
const SECOND: &str = "KB5085516";

/// A command that is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// A fetch of two KBs into an empty mirror.
    Fetch,
    /// An export of two KBs onto an empty medium.
    Export,
    /// An export of one KB that replaces another on the medium.
    Update,
    /// An import of two KBs into a mirror without KBs.
    Import,
}

/// A kill, and the findings after it.
#[derive(Debug, Clone)]
pub(crate) struct Kill {
    /// The name of the system call. `number` counts the calls of this name.
    pub(crate) call: String,
    pub(crate) number: usize,
    /// The position of the call among all calls, in percent.
    pub(crate) percent: usize,
    /// `true` if the program was running and SIGKILL ended it.
    pub(crate) was_running: bool,
    /// `true` if `verify` reported an interruption or its leftovers.
    pub(crate) is_reported: bool,
    /// `true` if the medium was reported as complete.
    pub(crate) is_complete: bool,
    /// The violations of the guarantees.
    pub(crate) wrong: Vec<String>,
}

/// Returns `true` if `strace` is available and may trace.
pub(crate) fn can_trace() -> bool {
    let traced = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    traced.is_ok_and(|output| output.status.success())
}

impl Job {
    /// Kills the command `kills` times, each time from its initial state. The folder must be empty or missing.
    pub(crate) fn kill(self, kills: usize, folder: &Utf8Path) -> Vec<Kill> {
        fs::create_dir_all(folder).unwrap();
        let initial = InitialState::new(self, folder);
        let reference = initial.target("undisturbed");
        let calls = file_calls(&reference, &folder.join("calls.txt"));
        assert!(calls.len() >= kills, "{self:?} has {} calls", calls.len());
        let expected = reference.content();
        let places = (0..kills).map(|kill| (2 * kill + 1) * calls.len() / (2 * kills));
        places
            .map(|place| {
                let (call, number) = calls[place].clone();
                let target = initial.target("killed");
                let mut kill = Kill {
                    was_running: target.is_killed_at(&call, number),
                    call,
                    number,
                    percent: place * 100 / calls.len(),
                    is_reported: false,
                    is_complete: false,
                    wrong: Vec::new(),
                };
                target.check_after(&mut kill, &expected, &initial);
                target.check_next(&mut kill, &expected, &initial);
                fs::remove_dir_all(&target.state).unwrap();
                kill
            })
            .collect()
    }
}

/// The initial state of every kill of a job.
struct InitialState {
    job: Job,
    folder: Utf8PathBuf,
    /// The exporting mirror, which a fetch does not use.
    exporting: Utf8PathBuf,
    /// The mirror of the isolated side, which trusts the exporting mirror's keys.
    importing: Utf8PathBuf,
    /// The medium to import, or the initial content of the medium to update.
    medium: Utf8PathBuf,
    /// The content of the medium at the beginning.
    earlier: BTreeMap<String, String>,
}

impl InitialState {
    fn new(job: Job, folder: &Utf8Path) -> Self {
        let at = |name: &str| folder.join(name);
        let initial = Self {
            job,
            folder: folder.to_owned(),
            exporting: at("here"),
            importing: at("there"),
            medium: at("medium"),
            earlier: BTreeMap::new(),
        };
        if job == Job::Fetch {
            return initial;
        }
        succeed(&initial.exporting, &fetch());
        let made: Value =
            serde_json::from_slice(&succeed(&initial.exporting, &["--json", "keys", "init"]).stdout).unwrap();
        succeed(&initial.importing, &["keys", "trust", made["root"].as_str().unwrap()]);
        let all = ["export", "--all", "--to", initial.medium.as_str()];
        match job {
            Job::Import => drop(succeed(&initial.exporting, &all)),
            Job::Update => {
                drop(succeed(&initial.exporting, &["export", FIRST, "--to", initial.medium.as_str()]));
            }
            Job::Fetch | Job::Export => {}
        }
        Self { earlier: payload(&initial.medium), ..initial }
    }

    /// Returns a mirror or a medium in its initial state.
    fn target(&self, name: &str) -> JobTarget {
        let state = self.folder.join(name);
        let (medium, words) =
            (self.medium.as_str(), |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect());
        let (mirror, arguments) = match self.job {
            Job::Fetch => (state.clone(), words(&fetch())),
            Job::Export => (self.exporting.clone(), words(&["export", "--all", "--to", state.as_str()])),
            Job::Update => {
                copy(&self.medium, &state);
                (
                    self.exporting.clone(),
                    words(&["export", SECOND, "--prune", "--yes", "--to", state.as_str()]),
                )
            }
            Job::Import => {
                copy(&self.importing, &state);
                (state.clone(), words(&["import", medium]))
            }
        };
        JobTarget { job: self.job, state, mirror, arguments }
    }
}

/// The folders that a job changes.
struct JobTarget {
    job: Job,
    /// The mirror or the medium that the command changes.
    state: Utf8PathBuf,
    /// The mirror of the command.
    mirror: Utf8PathBuf,
    arguments: Vec<String>,
}

impl JobTarget {
    fn is_medium(&self) -> bool {
        matches!(self.job, Job::Export | Job::Update)
    }

    fn command(&self, program: &mut Command) -> Output {
        program.arg("--mirror").arg(&self.mirror).args(&self.arguments).env_remove("KBMIRROR_DIR");
        program.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs the command and kills it when it enters a call. Returns `true` if the signal ended it.
    fn is_killed_at(&self, call: &str, number: usize) -> bool {
        let mut tracer = Command::new("strace");
        tracer.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        tracer.args([
            "-e",
            &format!("inject={call}:signal=KILL:when={number}"),
            env!("CARGO_BIN_EXE_kbmirror"),
        ]);
        // The tracer ends in the same way as the traced program.
        self.command(&mut tracer).status.signal() == Some(9)
    }

    /// Returns the content by its path: digests, and the rows of the index, without times.
    fn content(&self) -> BTreeMap<String, String> {
        if self.is_medium() { payload(&self.state) } else { mirror_content(&self.state) }
    }

    /// Checks the state after a kill.
    fn check_after(&self, kill: &mut Kill, expected: &BTreeMap<String, String>, initial: &InitialState) {
        if self.is_medium() {
            let now = payload(&self.state);
            let is_whole = now == *expected || self.job == Job::Update && now == initial.earlier;
            let checked = run(&initial.importing, &["--json", "check-medium", self.state.as_str()]);
            kill.is_complete = checked.status.success();
            if kill.is_complete && !is_whole {
                kill.wrong.push(format!("called complete: {now:#?}"));
            }
            if ![Some(0), Some(11), Some(12)].contains(&checked.status.code()) {
                kill.wrong.push(format!("check-medium: {checked:?}"));
            }
            for (path, digest) in now.iter().filter(|(path, _)| path.starts_with("data/")) {
                let is_final = !path.ends_with(".kbm-part") && !path.contains("/.new-");
                if is_final && expected.get(path) != Some(digest) && initial.earlier.get(path) != Some(digest)
                {
                    kill.wrong.push(format!("{path} has other bytes"));
                }
            }
        } else {
            for (path, digest) in digests(&self.state.join("pool")) {
                if !path.ends_with(&digest) {
                    kill.wrong.push(format!("pool/{path} has other bytes"));
                }
            }
            let kb = digests(&self.state.join("kb"));
            for (folder, names) in sets(expected.keys().filter_map(|path| path.strip_prefix("kb/"))) {
                let prefix = format!("{folder}/");
                let importing: Vec<&String> = kb.keys().filter(|path| path.starts_with(&prefix)).collect();
                let is_right = |path: &String| expected.get(&format!("kb/{path}")) == kb.get(path);
                if !importing.is_empty()
                    && (importing.len() != names || !importing.iter().all(|path| is_right(path)))
                {
                    kill.wrong.push(format!("kb/{folder} is not whole: {importing:?}"));
                }
            }
        }
        if self.mirror.exists() {
            kill.is_reported = self.check_verify(kill, "after the kill");
        }
    }

    /// Verifies the mirror. Returns `true` if the report mentions an interruption or its leftovers.
    fn check_verify(&self, kill: &mut Kill, when: &str) -> bool {
        let verified = run(&self.mirror, &["--json", "verify"]);
        let document: Value = serde_json::from_slice(&verified.stdout).unwrap_or_default();
        // The kill can precede the creation of the index.
        let message = document["error"]["message"].as_str().unwrap_or_default();
        if verified.status.code() == Some(3) && message.starts_with("no mirror exists at") {
            return true;
        }
        let is_clean = document["findings"].as_array().is_some_and(Vec::is_empty);
        let warnings: Vec<&str> =
            document["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let has_leftovers = document["leftovers"].as_array().is_none_or(|leftovers| !leftovers.is_empty());
        let is_reported = has_leftovers || warnings.iter().any(|warning| warning.contains("interrupted"));
        if !verified.status.success()
            || !is_clean
            || warnings.iter().any(|warning| !warning.contains("interrupted"))
        {
            kill.wrong
                .push(format!("verify {when}: {document:#} {}", String::from_utf8_lossy(&verified.stderr)));
        }
        is_reported
    }

    /// Runs the command again to its end and checks the result.
    fn check_next(&self, kill: &mut Kill, expected: &BTreeMap<String, String>, initial: &InitialState) {
        let next = self.command(&mut Command::new(env!("CARGO_BIN_EXE_kbmirror")));
        if !next.status.success() {
            kill.wrong.push(format!("the next run: {next:?}"));
        }
        let now = self.content();
        if now != *expected {
            let differs = |path: &&String| now.get(*path) != expected.get(*path);
            let paths: Vec<&String> = expected.keys().chain(now.keys()).filter(differs).collect();
            kill.wrong.push(format!("the next run gave something else: {paths:?}"));
        }
        if self.is_medium() {
            let checked = run(&initial.importing, &["--json", "check-medium", self.state.as_str()]);
            let document: Value = serde_json::from_slice(&checked.stdout).unwrap_or_default();
            let has_litter = document["litter"].as_array().is_none_or(|litter| !litter.is_empty());
            if !checked.status.success() || has_litter {
                kill.wrong.push(format!("check-medium after the next run: {document:#}"));
            }
        }
        if self.check_verify(kill, "after the next run") {
            kill.wrong.push("interrupted after the next run".to_owned());
        }
    }
}

/// Returns the arguments of the fetch of both KBs from the demo recording.
fn fetch() -> [&'static str; 7] {
    const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recorded-responses/demo");
    ["--replay", DEMO, "fetch", FIRST, SECOND, "--arch", "arm64"]
}

fn run(mirror: &Utf8Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbmirror"));
    command.arg("--mirror").arg(mirror).args(arguments).env_remove("KBMIRROR_DIR");
    command.stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn succeed(mirror: &Utf8Path, arguments: &[&str]) -> Output {
    let output = run(mirror, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    output
}

/// Runs the command undisturbed. Returns the calls of its main thread, each with its number among the calls of its
/// name. A sequence of index page writes is represented by its first call.
fn file_calls(target: &JobTarget, log: &Utf8Path) -> Vec<(String, usize)> {
    let mut tracer = Command::new("strace");
    tracer.args([
        "-f",
        "-qq",
        "-o",
        log.as_str(),
        "-e",
        &format!("trace={CALLS}"),
        env!("CARGO_BIN_EXE_kbmirror"),
    ]);
    let traced = target.command(&mut tracer);
    assert!(traced.status.success(), "{traced:?}");
    let line = Regex::new(r"^(\d+) +([a-z0-9_]+)\(").unwrap();
    let text = fs::read_to_string(log).unwrap();
    let called: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|text| line.captures(text))
        .map(|found| (found.get(1).unwrap().as_str(), found.get(2).unwrap().as_str()))
        .collect();
    let mut threads: BTreeMap<&str, usize> = BTreeMap::new();
    for (thread, _) in &called {
        *threads.entry(thread).or_default() += 1;
    }
    let (main, _) = threads.into_iter().max_by_key(|(_, count)| *count).unwrap();
    let (mut counts, mut last): (BTreeMap<&str, usize>, _) = (BTreeMap::new(), "");
    let mut calls = Vec::new();
    for (_, name) in called.into_iter().filter(|(thread, _)| *thread == main) {
        let count = counts.entry(name).or_default();
        *count += 1;
        if name != "pwrite64" || last != name {
            calls.push((name.to_owned(), *count));
        }
        last = name;
    }
    calls
}

/// The folders of package sets among paths below `kb/`, each with the number of its files.
fn sets<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let mut sets = BTreeMap::new();
    for path in paths.filter(|path| path.matches('/').count() == 2) {
        *sets.entry(path.rsplit_once('/').unwrap().0.to_owned()).or_default() += 1;
    }
    sets
}
