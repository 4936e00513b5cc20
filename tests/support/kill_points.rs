//! Kills the program at exact system calls while it fetches, exports, or imports, and looks at what is there each time.
//!
//! A run that is not disturbed is traced first: the calls of its main thread that change a file. The kills are spread evenly
//! over them, from the first to the last. `strace` sends SIGKILL when the program enters the call that was chosen, so that a
//! moment is a place in the work and not a time. After each kill:
//!
//! - what has a final name is right, and a package set is whole or not there;
//! - `verify` finds no damage: nothing, or what an interruption left;
//! - `check-medium` calls a medium complete only if it is;
//! - the same command again exits 0, and gives byte for byte what the run that was not disturbed gave.
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

use super::kill_content::{copy, digests, mirrored, payload};

/// The calls that change a file. `strace` counts each name on its own, by thread.
const CALLS: &str = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,linkat,unlink,unlinkat,mkdir,mkdirat,\
                     fchmod,ftruncate,fallocate,copy_file_range";
const FIRST: &str = "KB5086672";
const SECOND: &str = "KB5085516";

/// A work that is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// Two KBs into an empty mirror.
    Fetch,
    /// Two KBs onto an empty medium.
    Export,
    /// One KB in the place of another that is on the medium.
    Update,
    /// Two KBs into a mirror that has none.
    Import,
}

/// A kill, and the findings after it.
#[derive(Debug, Clone)]
pub(crate) struct Kill {
    /// The system call, and which one of its name.
    pub(crate) call: String,
    pub(crate) number: usize,
    /// The place of the call among all of them, from 0 to 100.
    pub(crate) percent: usize,
    /// The program was at work, and SIGKILL ended it.
    pub(crate) was_at_work: bool,
    /// `verify` spoke of an interruption, or of what one left.
    pub(crate) is_noted: bool,
    /// The medium was called complete.
    pub(crate) is_complete: bool,
    /// Everything that is not as promised.
    pub(crate) wrong: Vec<String>,
}

/// Returns `true` if `strace` is here and may trace.
pub(crate) fn can_trace() -> bool {
    let traced = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    traced.is_ok_and(|output| output.status.success())
}

impl Job {
    /// Kills the work so many times, each time from its beginning. The folder is empty, or not there.
    pub(crate) fn kill(self, kills: usize, folder: &Utf8Path) -> Vec<Kill> {
        fs::create_dir_all(folder).unwrap();
        let ground = Ground::new(self, folder);
        let undisturbed = ground.subject("undisturbed");
        let calls = calls_of(&undisturbed, &folder.join("calls.txt"));
        assert!(calls.len() >= kills, "{self:?} has {} calls", calls.len());
        let expected = undisturbed.content();
        let places = (0..kills).map(|kill| (2 * kill + 1) * calls.len() / (2 * kills));
        places
            .map(|place| {
                let (call, number) = calls[place].clone();
                let subject = ground.subject("killed");
                let mut kill = Kill {
                    was_at_work: subject.is_killed_at(&call, number),
                    call,
                    number,
                    percent: place * 100 / calls.len(),
                    is_noted: false,
                    is_complete: false,
                    wrong: Vec::new(),
                };
                subject.check_after(&mut kill, &expected, &ground);
                subject.check_next(&mut kill, &expected, &ground);
                fs::remove_dir_all(&subject.state).unwrap();
                kill
            })
            .collect()
    }
}

/// The state from which every kill of a job begins.
struct Ground {
    job: Job,
    folder: Utf8PathBuf,
    /// The mirror that exports; for a fetch there is none.
    here: Utf8PathBuf,
    /// The receiving side's mirror, which trusts the keys of the other one.
    there: Utf8PathBuf,
    /// The medium that is imported, or the earlier content of the one that is exported to.
    medium: Utf8PathBuf,
    /// The content of the medium before.
    earlier: BTreeMap<String, String>,
}

impl Ground {
    fn new(job: Job, folder: &Utf8Path) -> Self {
        let at = |name: &str| folder.join(name);
        let ground = Self {
            job,
            folder: folder.to_owned(),
            here: at("here"),
            there: at("there"),
            medium: at("medium"),
            earlier: BTreeMap::new(),
        };
        if job == Job::Fetch {
            return ground;
        }
        succeed(&ground.here, &fetch());
        let made: Value =
            serde_json::from_slice(&succeed(&ground.here, &["--json", "keys", "init"]).stdout).unwrap();
        succeed(&ground.there, &["keys", "trust", made["root"].as_str().unwrap()]);
        let all = ["export", "--all", "--to", ground.medium.as_str()];
        match job {
            Job::Import => drop(succeed(&ground.here, &all)),
            Job::Update => drop(succeed(&ground.here, &["export", FIRST, "--to", ground.medium.as_str()])),
            Job::Fetch | Job::Export => {}
        }
        Self { earlier: payload(&ground.medium), ..ground }
    }

    /// A mirror or a medium as it is before the work begins.
    fn subject(&self, name: &str) -> Subject {
        let state = self.folder.join(name);
        let (medium, words) =
            (self.medium.as_str(), |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect());
        let (mirror, arguments) = match self.job {
            Job::Fetch => (state.clone(), words(&fetch())),
            Job::Export => (self.here.clone(), words(&["export", "--all", "--to", state.as_str()])),
            Job::Update => {
                copy(&self.medium, &state);
                (self.here.clone(), words(&["export", SECOND, "--prune", "--yes", "--to", state.as_str()]))
            }
            Job::Import => {
                copy(&self.there, &state);
                (state.clone(), words(&["import", medium]))
            }
        };
        Subject { job: self.job, state, mirror, arguments }
    }
}

/// The folders that a job changes.
struct Subject {
    job: Job,
    /// The mirror or the medium that the work makes.
    state: Utf8PathBuf,
    /// The mirror of the command.
    mirror: Utf8PathBuf,
    arguments: Vec<String>,
}

impl Subject {
    fn is_medium(&self) -> bool {
        matches!(self.job, Job::Export | Job::Update)
    }

    fn command(&self, program: &mut Command) -> Output {
        program.arg("--mirror").arg(&self.mirror).args(&self.arguments).env_remove("KBMIRROR_DIR");
        program.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs the work and kills it when it enters a call.
    fn is_killed_at(&self, call: &str, number: usize) -> bool {
        let mut tracer = Command::new("strace");
        tracer.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        tracer.args([
            "-e",
            &format!("inject={call}:signal=KILL:when={number}"),
            env!("CARGO_BIN_EXE_kbmirror"),
        ]);
        // The tracer ends as the program that it traces did.
        self.command(&mut tracer).status.signal() == Some(9)
    }

    /// Returns the content by its path: digests, and the rows of the index, without times.
    fn content(&self) -> BTreeMap<String, String> {
        if self.is_medium() { payload(&self.state) } else { mirrored(&self.state) }
    }

    /// Looks at what a kill left.
    fn check_after(&self, kill: &mut Kill, expected: &BTreeMap<String, String>, ground: &Ground) {
        if self.is_medium() {
            let now = payload(&self.state);
            let is_whole = now == *expected || self.job == Job::Update && now == ground.earlier;
            let checked = run(&ground.there, &["--json", "check-medium", self.state.as_str()]);
            kill.is_complete = checked.status.success();
            if kill.is_complete && !is_whole {
                kill.wrong.push(format!("called complete: {now:#?}"));
            }
            if ![Some(0), Some(11), Some(12)].contains(&checked.status.code()) {
                kill.wrong.push(format!("check-medium: {checked:?}"));
            }
            for (path, digest) in now.iter().filter(|(path, _)| path.starts_with("data/")) {
                let is_final = !path.ends_with(".kbm-part") && !path.contains("/.new-");
                if is_final && expected.get(path) != Some(digest) && ground.earlier.get(path) != Some(digest)
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
                let there: Vec<&String> = kb.keys().filter(|path| path.starts_with(&prefix)).collect();
                let is_right = |path: &String| expected.get(&format!("kb/{path}")) == kb.get(path);
                if !there.is_empty() && (there.len() != names || !there.iter().all(|path| is_right(path))) {
                    kill.wrong.push(format!("kb/{folder} is not whole: {there:?}"));
                }
            }
        }
        if self.mirror.exists() {
            kill.is_noted = self.check_verify(kill, "after the kill");
        }
    }

    /// Verifies the mirror. Returns `true` if it speaks of an interruption, or of what one left.
    fn check_verify(&self, kill: &mut Kill, when: &str) -> bool {
        let verified = run(&self.mirror, &["--json", "verify"]);
        let document: Value = serde_json::from_slice(&verified.stdout).unwrap_or_default();
        // Killed before there was an index to verify.
        let message = document["error"]["message"].as_str().unwrap_or_default();
        if verified.status.code() == Some(3) && message.starts_with("there is no mirror at") {
            return true;
        }
        let is_clean = document["findings"].as_array().is_some_and(Vec::is_empty);
        let warnings: Vec<&str> =
            document["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let has_leftovers = document["leftovers"].as_array().is_none_or(|leftovers| !leftovers.is_empty());
        let is_noted = has_leftovers || warnings.iter().any(|warning| warning.contains("interrupted"));
        if !verified.status.success()
            || !is_clean
            || warnings.iter().any(|warning| !warning.contains("interrupted"))
        {
            kill.wrong
                .push(format!("verify {when}: {document:#} {}", String::from_utf8_lossy(&verified.stderr)));
        }
        is_noted
    }

    /// Runs the work again, to its end.
    fn check_next(&self, kill: &mut Kill, expected: &BTreeMap<String, String>, ground: &Ground) {
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
            let checked = run(&ground.there, &["--json", "check-medium", self.state.as_str()]);
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

/// The words of the fetch of both KBs, from the recording of the demo.
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

/// Runs the work undisturbed. Returns the calls of its main thread, each with its number among those of its name. Of pages of
/// the index that are written one after the other, the first stands for all.
fn calls_of(subject: &Subject, log: &Utf8Path) -> Vec<(String, usize)> {
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
    let traced = subject.command(&mut tracer);
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
