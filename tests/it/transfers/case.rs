//! A row of the fault table: a fault, its expected outcome, and the function that runs it.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::harness::{Bench, items, names_in, text_of};
use super::super::support::{Action, FileFault, FileSpec, Hook, Loopback, Rule};
use super::{check_all_published, check_final_names, fetch, package, update, world_of};

/// The default size of a file: several pieces, so that a truncated file has a middle.
pub(super) const LENGTH: usize = 40_000;
pub(super) const HALF: usize = LENGTH / 2;
/// The default size as a bound for the bytes that the CDN sends.
pub(super) const ALL: u64 = LENGTH as u64;

/// The expected result of a run.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// The file is published.
    Published,
    /// The file is not published, the run has one of these exit codes, and the failure has one of these words.
    Fails(&'static [u8], &'static [&'static str]),
    /// Both results are allowed, but the checks that always apply must hold.
    Either(&'static [u8]),
}

/// A row of the table.
#[derive(Debug, Clone)]
pub(super) struct Case {
    name: String,
    length: usize,
    /// `true` if the update has a second file, so that the sizes of both are not stated.
    paired: bool,
    rules: Vec<Rule>,
    options: &'static [&'static str],
    outcome: Outcome,
    /// The number of requests for the file.
    requests: RangeInclusive<usize>,
    /// The number of bytes of the file that the CDN sent.
    bytes: RangeInclusive<u64>,
    /// The total wait between tries, in seconds.
    waits: RangeInclusive<u64>,
    /// The number of files in quarantine afterwards.
    quarantined: usize,
    /// `true` if `partial/` must be empty even after a failure.
    nothing_kept: bool,
}

/// A part of the file's path that occurs in no other path.
const PATH: &str = "kb5100001";
/// The default retry budget of 30 s has room for five waits (1, 2, 4, 8, and 15 s) and so for six tries. Jitter makes
/// it a few more or fewer.
pub(super) const TRIES: RangeInclusive<usize> = 5..=8;
/// The total of these waits.
pub(super) const WAITS: RangeInclusive<u64> = 15..=30;

impl Case {
    /// Returns a case whose fault ends: the file is published after this number of requests, without repeated bytes.
    pub(super) fn passes(name: &str, rules: Vec<Rule>, requests: usize) -> Self {
        Self {
            name: name.to_owned(),
            length: LENGTH,
            paired: false,
            rules,
            options: &[],
            outcome: Outcome::Published,
            requests: requests..=requests,
            bytes: ALL..=ALL,
            waits: 0..=30,
            quarantined: 0,
            nothing_kept: false,
        }
    }

    /// Returns a case whose fault is permanent.
    pub(super) fn fails(
        name: &str,
        rules: Vec<Rule>,
        codes: &'static [u8],
        words: &'static [&'static str],
        requests: RangeInclusive<usize>,
    ) -> Self {
        Self {
            outcome: Outcome::Fails(codes, words),
            requests,
            bytes: 0..=ALL,
            ..Self::passes(name, rules, 0)
        }
    }

    /// Returns a case whose fault may end or be permanent.
    pub(super) fn either(
        name: &str,
        rules: Vec<Rule>,
        codes: &'static [u8],
        requests: RangeInclusive<usize>,
    ) -> Self {
        Self { outcome: Outcome::Either(codes), requests, bytes: 0..=2 * ALL, ..Self::passes(name, rules, 0) }
    }

    pub(super) fn requests(self, requests: RangeInclusive<usize>) -> Self {
        Self { requests, ..self }
    }

    pub(super) fn bytes(self, bytes: RangeInclusive<u64>) -> Self {
        Self { bytes, ..self }
    }

    pub(super) fn waits(self, waits: RangeInclusive<u64>) -> Self {
        Self { waits, ..self }
    }

    pub(super) fn options(self, options: &'static [&'static str]) -> Self {
        Self { options, ..self }
    }

    pub(super) fn length(self, length: usize) -> Self {
        Self { length, bytes: length as u64..=length as u64, ..self }
    }

    pub(super) fn paired(self) -> Self {
        Self { paired: true, ..self }
    }

    pub(super) fn quarantined(self, quarantined: usize) -> Self {
        Self { quarantined, ..self }
    }

    pub(super) fn nothing_kept(self) -> Self {
        Self { nothing_kept: true, ..self }
    }
}

/// Returns a rule with faults for the next request for the file.
pub(super) fn once(faults: &[FileFault]) -> Rule {
    Rule::once(PATH, Action::File(faults.to_vec()))
}

/// Returns a rule with faults for every request for the file.
pub(super) fn always(faults: &[FileFault]) -> Rule {
    Rule::always(PATH, Action::File(faults.to_vec()))
}

/// Returns a rule that replaces the next answer for the file.
pub(super) fn once_instead(action: Action) -> Rule {
    Rule::once(PATH, action)
}

/// Returns a rule that replaces every answer for the file.
pub(super) fn always_instead(action: Action) -> Rule {
    Rule::always(PATH, action)
}

/// Runs cases that do not use the clock.
#[track_caller]
pub(super) fn run_all(cases: &[Case]) {
    run_with_time(|_| cases.to_vec());
}

/// Runs every case, made with a function for hooks that advance the bench's clock. Reports all failures together.
#[track_caller]
pub(super) fn run_with_time(cases: impl Fn(&dyn Fn(Duration) -> Hook) -> Vec<Case>) {
    let count = cases(&|_| Hook::new(|| ())).len();
    let mut wrong = Vec::new();
    for place in 0..count {
        let bench = Bench::new();
        let clock = bench.clock.clone();
        let passes = move |duration| {
            let clock = clock.clone();
            Hook::new(move || clock.advance(duration))
        };
        let case = cases(&passes).swap_remove(place);
        if let Err(why) = run(&bench, &case) {
            wrong.push(format!("- {}: {why}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
}

fn run(bench: &Bench, case: &Case) -> Result<(), String> {
    let file = package(0, case.length);
    let mut files = vec![file.clone()];
    let world = if case.paired {
        files.push(FileSpec::package("windows11.0-kb5000000-arm64", "cab", super::noise(99, 5000)));
        super::World::new().update(update(0, files.clone()))
    } else {
        world_of(&files)
    };
    let loopback = Loopback::start(world);
    for rule in &case.rules {
        loopback.rule(rule.clone());
    }
    let ran = fetch(bench, &loopback, 1, case.options);
    let output = format!("exit {}\n{}\n{}", ran.code, ran.stdout, ran.stderr);
    let check = |holds: bool, what: String| if holds { Ok(()) } else { Err(format!("{what}\n{output}")) };

    check_final_names(bench, &files)?;
    let document = ran.json();
    let published = ran.code == 0;
    let expected = match &case.outcome {
        Outcome::Published => published,
        Outcome::Fails(codes, _) => codes.contains(&ran.code),
        Outcome::Either(codes) => published || codes.contains(&ran.code),
    };
    check(expected, format!("expected {:?}", case.outcome))?;
    if published {
        check_all_published(bench, &files).map_err(|why| format!("{why}\n{output}"))?;
    } else {
        check(!bench.mirror().join("kb").exists(), "a set that failed is visible".to_owned())?;
        let failures = items(&document["failures"]);
        let named = failures.iter().any(|failure| failure["what"] == file.name.as_str());
        check(named, "the failure does not name the file".to_owned())?;
        if let Outcome::Fails(_, words) = &case.outcome {
            let messages = failures.iter().map(|failure| text_of(&failure["message"]));
            let messages: String = messages.collect::<Vec<_>>().join("\n").to_lowercase();
            let output = words.is_empty() || words.iter().any(|word| messages.contains(word));
            check(output, format!("the failure has none of {words:?}"))?;
        }
    }

    let requests = loopback.ranges_of(PATH);
    let text = format!("asked {} times, expected {:?}: {requests:?}", requests.len(), case.requests);
    check(case.requests.contains(&requests.len()), text)?;
    let served = loopback.bytes_served_of(PATH);
    check(case.bytes.contains(&served), format!("{served} bytes served, expected {:?}", case.bytes))?;
    let waited = bench.clock.waited().as_secs();
    check(case.waits.contains(&waited), format!("waited {waited} s, expected {:?}", case.waits))?;
    let quarantined = names_in(&bench.mirror().join("quarantine"));
    check(quarantined.len() == case.quarantined, format!("quarantine/ holds {quarantined:?}"))?;
    if case.nothing_kept {
        let kept = names_in(&bench.mirror().join("partial"));
        check(kept.is_empty(), format!("partial/ holds {kept:?}"))?;
    }

    // The CDN works again, and the next run publishes the file.
    loopback.clear_rules();
    let again = fetch(bench, &loopback, 1, &[]);
    check(again.code == 0, format!("the next run: exit {}\n{}\n{}", again.code, again.stdout, again.stderr))?;
    check_all_published(bench, &files).map_err(|why| format!("after the next run: {why}"))?;
    let more = loopback.ranges_of(PATH).len() - requests.len();
    check(!published || more == 0, format!("the next run asked {more} times for what is here"))
}
