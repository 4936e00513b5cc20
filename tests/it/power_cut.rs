//! The power is cut at each point between two syncs of a run, and what may lie on the disk then is looked at: nothing wrong
//! under a final name, nothing lost, and the next run finishes. What the run said at its end holds.
//!
//! Every sync is needed: without those of any one kind of place, the same looks find a fault. Those that they cannot need
//! are named, with the reason. `.ci/long` looks in this way at every job; a usual run of the tests at the smallest one.
#![expect(clippy::disallowed_methods, reason = "mirrors and media are laid down as they may lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use kbmirror::clock::Clock as _;
use serde_json::Value;

use super::carry::{connected, digests, export, fetch_from, import, isolated, lcu, package, root_of};
use super::harness::{Bench, Ran, recording, sha256_hex, skipped, tree};
use super::support::{Crash, Loopback, Recorded, World, record};

const KB: &str = "KB5086672";
const OTHER: &str = "KB5085516";

type Faults = Result<(), String>;

/// A bench whose clock says what the program itself reads on this machine.
fn bench() -> Bench {
    let bench = Bench::new();
    set_clock(&bench);
    bench
}

fn set_clock(bench: &Bench) {
    let passed = jiff::Timestamp::now().duration_since(bench.clock.now());
    bench.clock.advance(passed.unsigned_abs());
}

/// A bench with the mirror of a crash.
fn laid(crash: &Crash) -> Bench {
    let bench = bench();
    crash.lay("mirror", &bench.mirror());
    bench
}

/// Records a run of the program on a mirror, and on a medium.
fn record_on(bench: &Bench, medium: Option<&Utf8Path>, arguments: &[&str]) -> Option<Recorded> {
    let mirror = bench.mirror();
    let roots = [Some(("mirror", mirror.as_path())), medium.map(|medium| ("medium", medium))];
    let roots: Vec<(&str, &Utf8Path)> = roots.into_iter().flatten().collect();
    let arguments = [&["--mirror", mirror.as_str()], arguments].concat();
    let Some(recorded) = record(&roots, &arguments, &bench.path("calls")) else {
        return skipped("strace is not here");
    };
    let said = String::from_utf8_lossy(&recorded.output.stderr);
    assert!(recorded.output.status.success(), "{said}");
    Some(recorded)
}

fn expect(ran: Ran, codes: &[u8], what: &str) -> Result<Ran, String> {
    if codes.contains(&ran.code) {
        return Ok(ran);
    }
    Err(format!("{what}: exit {}\n{}\n{}", ran.code, ran.stdout, ran.stderr))
}

fn demand(holds: bool, what: impl FnOnce() -> String) -> Faults {
    if holds { Ok(()) } else { Err(what()) }
}

/// Expects `verify` to find no damage. After a crash before the first publication, it may say that the mirror does not exist yet.
fn verified(bench: &Bench) -> Faults {
    let verified = expect(bench.json(&["verify"]), &[0, 3], "verify")?;
    let is_empty = packages(&bench.mirror()).is_empty();
    demand(verified.code == 0 || is_empty, || format!("verify: {}", verified.stdout))
}

/// The package files of a mirror: of the pool, and of the folders of its KBs.
fn packages(mirror: &Utf8Path) -> BTreeMap<String, String> {
    let mut files = digests(mirror);
    let is_package = |path: &str| Utf8Path::new(path).extension() == Some("msu");
    files.retain(|path, _| path.starts_with("pool/") || path.starts_with("kb/") && is_package(path));
    files
}

/// Every package file under a final name must be one of the right ones.
fn right_names(bench: &Bench, right: &[&BTreeMap<String, String>]) -> Faults {
    for (path, digest) in packages(&bench.mirror()) {
        let is_right = right.iter().any(|right| right.get(&path) == Some(&digest));
        demand(is_right, || format!("{path} is not what has this name"))?;
    }
    Ok(())
}

fn same_packages(bench: &Bench, wanted: &BTreeMap<String, String>, when: &str) -> Faults {
    let found = packages(&bench.mirror());
    demand(found == *wanted, || format!("{when}: {found:#?}\nis not {wanted:#?}"))
}

/// The states of a job that is looked at without some syncs in each run of the tests; `forget` has fewer.
const FEW: usize = 50;

/// Looks at every state, and then at those without the syncs of one kind of place after another: some of them must be bad.
///
/// `needless` are the kinds whose syncs no state can need, each with its reason.
fn cut(name: &str, recorded: &Recorded, needless: &Needless, audit: impl Fn(&Crash) -> Faults) {
    // Before a release, more of each: a run of the tests has to end.
    let seeds = std::env::var("KBMIRROR_POWER_CUTS").map_or(0, |seeds| seeds.parse().unwrap());
    let crashes = recorded.crashes(seeds);
    tell(name, crashes.len(), recorded);
    let mut bad = Vec::new();
    for crash in &crashes {
        bad.extend(audit(crash).err().map(|fault| format!("{}: {fault}", crash.when)));
    }
    assert!(bad.is_empty(), "{name}: {} of {} states\n{}", bad.len(), crashes.len(), bad.join("\n\n"));
    // The syncs are left out before a release, and in each run of the tests where there is little to look at.
    if seeds == 0 && crashes.len() > FEW {
        return;
    }
    let good: BTreeSet<Vec<u8>> = crashes.iter().map(Crash::fingerprint).collect();
    let mut unnoticed = Vec::new();
    for kind in recorded.synced_kinds() {
        let is_new = |crash: &&Crash| !good.contains(&crash.fingerprint());
        let crashes = recorded.crashes_without(Some(&kind), 0);
        let is_needed = || crashes.iter().rev().filter(is_new).any(|crash| audit(crash).is_err());
        if !needless.iter().any(|(needless, _)| *needless == kind) && !is_needed() {
            unnoticed.push(kind);
        }
    }
    assert!(unnoticed.is_empty(), "{name}: not needed by any state: {unnoticed:#?}");
}

#[expect(clippy::print_stdout, reason = "a test says how much it has seen")]
fn tell(name: &str, states: usize, recorded: &Recorded) {
    println!("{name}: {states} states, {} kinds of places synced", recorded.synced_kinds().len());
}

/// Kinds of places whose syncs no state needs, with the reason.
type Needless = [(&'static str, &'static str)];

const ARRIVING: (&str, &str) =
    ("folder mirror/partial", "what lies there and has lost its name is fetched or read again");
const ARRIVING_NOTE: (&str, &str) = (
    "file mirror/partial/<new>",
    "without the note, a file that arrives is fetched again from its beginning",
);
const REPORT: (&str, &str) =
    ("file mirror/runs/<new>", "what a report tells stands in the index and on the medium");
const REPORTS: (&str, &str) = ("folder mirror/runs", REPORT.1);
const HEALTH: (&str, &str) = ("file mirror/<new>", "health.json is written with each verification");
const NAME_OF_HEALTH: (&str, &str) = ("folder mirror", HEALTH.1);
const RECORD: (&str, &str) =
    ("file mirror/mirror.db", "what a repair records is found again by the next verification");
const JOURNAL: (&str, &str) = ("file mirror/mirror.db-wal", RECORD.1);
const REPLACED: (&str, &str) =
    ("folder mirror/pool/sha256/<2 hex>", "a move out of partial/ concerns partial/ too, which is synced");
const EXCHANGED: (&str, &str) =
    ("folder mirror/kb", "an exchange of folders concerns partial/ too, which is synced");

#[test]
fn fetch_survives_a_power_cut() {
    let fetch = ["--replay", recording("demo").as_str(), "fetch", KB, "--arch", "arm64"].map(str::to_owned);
    let fetch: Vec<&str> = fetch.iter().map(String::as_str).collect();
    let here = bench();
    let Some(recorded) = record_on(&here, None, &fetch) else { return };
    let wanted = packages(&here.mirror());
    cut("fetch", &recorded, &[ARRIVING, ARRIVING_NOTE], |crash| {
        let bench = laid(crash);
        if crash.is_after_the_end {
            same_packages(&bench, &wanted, "after the end")?;
        }
        right_names(&bench, &[&wanted])?;
        verified(&bench)?;
        expect(bench.json(&fetch), &[0], "the next fetch")?;
        same_packages(&bench, &wanted, "after the next fetch")
    });
}

#[test]
fn a_replacing_fetch_survives_a_power_cut() {
    let world = |text: &str| {
        let other = package("KB5040435", "the other file");
        World::new()
            .update(lcu(1, "2024-08", "KB5041865", "26100.1457", vec![package("KB5041865", text)]))
            .update(lcu(2, "2024-07", "KB5040435", "26100.1150", vec![other]))
    };
    let loopback = Loopback::start(world("the file"));
    let here = bench();
    fetch_from(&here, &loopback, &["KB5041865"]).exits(0);
    let before = packages(&here.mirror());
    loopback.replace(world("the file anew"));
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let fetch = [
        "--catalog-url",
        &url,
        "--allow-host",
        &host,
        "--catalog-rate",
        "1000",
        "fetch",
        "--refresh",
        "KB5041865",
    ];
    let Some(recorded) = record_on(&here, None, &fetch) else { return };
    let wanted = packages(&here.mirror());
    assert!(wanted != before && wanted.len() == 3, "{wanted:?}");
    cut("replacing fetch", &recorded, &[ARRIVING, ARRIVING_NOTE, EXCHANGED], |crash| {
        let bench = laid(crash);
        if crash.is_after_the_end {
            same_packages(&bench, &wanted, "after the end")?;
        }
        right_names(&bench, &[&before, &wanted])?;
        verified(&bench)?;
        let lost = before.iter().filter(|(path, _)| path.starts_with("pool/"));
        for (path, _) in lost {
            demand(bench.mirror().join(path).exists(), || format!("{path} is lost"))?;
        }
        expect(bench.json(&fetch), &[0], "the next fetch")?;
        same_packages(&bench, &wanted, "after the next fetch")
    });
}

/// Returns the packages and scripts on a medium, without the files that are new with each export.
fn payload(medium: &Utf8Path) -> BTreeMap<String, String> {
    let mut files = digests(medium);
    files.retain(|path, _| path.starts_with("data/"));
    files
}

/// The two numbers of a set, for programs and for people.
fn numbers(set: &[u8]) -> Option<(u64, u64)> {
    let set: Value = serde_json::from_slice(set).ok()?;
    Some((set["seq"].as_u64()?, set["number"].as_u64()?))
}

#[test]
fn export_survives_a_power_cut() {
    let here = connected(&[KB, OTHER, "--arch", "arm64"]);
    set_clock(&here);
    let medium = here.path("medium");
    // Something lies there already, and one of its KBs goes.
    export(&here, &[OTHER], &medium).exits(0);
    let arguments = ["export", KB, "--prune", "--yes", "--to", medium.as_str()];
    let Some(recorded) = record_on(&here, Some(&medium), &arguments) else { return };
    let whole = payload(&medium);
    let kept = packages(&here.mirror());
    let there = isolated(&root_of(&here));
    set_clock(&there);
    let trusting = tree(&there.mirror());
    // Most states differ in the mirror alone.
    let judged = RefCell::new(BTreeMap::new());
    let judge = |crash: &Crash, medium: &Utf8Path| -> Result<u8, String> {
        let fingerprint = crash.fingerprint_of("medium");
        if let Some(code) = judged.borrow().get(&fingerprint) {
            return Ok(*code);
        }
        let checked = expect(there.json(&["check-medium", medium.as_str()]), &[0, 11, 12], "check-medium")?;
        if checked.code == 0 {
            let there = bench();
            for (path, bytes) in &trusting {
                let path = there.mirror().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            expect(import(&there, medium), &[0], "import of what is said to be complete")?;
            expect(there.json(&["verify"]), &[0], "verify of what was imported")?;
        }
        judged.borrow_mut().insert(fingerprint, checked.code);
        Ok(checked.code)
    };
    cut("export", &recorded, &[REPORT, REPORTS], |crash| {
        let here = laid(crash);
        let medium = here.path("medium");
        crash.lay("medium", &medium);
        let code = judge(crash, &medium)?;
        if crash.is_after_the_end {
            demand(payload(&medium) == whole && code == 0, || format!("after the end: exit {code}"))?;
        }
        verified(&here)?;
        same_packages(&here, &kept, "of the mirror")?;
        let signed = crash.bytes("medium", "set.json").and_then(numbers);
        let arguments = [KB, "--prune", "--yes"];
        expect(export(&here, &arguments, &medium), &[0], "the next export")?;
        demand(payload(&medium) == whole, || "the next export does not finish".to_owned())?;
        expect(there.json(&["check-medium", medium.as_str()]), &[0], "check-medium of the next export")?;
        let next = numbers(&fs::read(medium.join("set.json")).unwrap());
        let is_later =
            signed.is_none_or(|(seq, number)| next.is_some_and(|next| next.0 > seq && next.1 > number));
        demand(is_later, || format!("set {next:?} after {signed:?}"))
    });
}

#[test]
fn import_survives_a_power_cut() {
    let here = connected(&[KB, OTHER, "--arch", "arm64"]);
    set_clock(&here);
    let media = ["old", "new"].map(|name| here.path(name));
    export(&here, &[OTHER], &media[0]).exits(0);
    here.clock.advance(std::time::Duration::from_hours(1));
    export(&here, &[KB, OTHER], &media[1]).exits(0);
    let there = isolated(&root_of(&here));
    set_clock(&there);
    import(&there, &media[0]).exits(0);
    let before = packages(&there.mirror());
    let Some(recorded) = record_on(&there, None, &["import", media[1].as_str()]) else { return };
    let wanted = packages(&there.mirror());
    assert!(wanted.len() > before.len(), "{wanted:?}");
    cut("import", &recorded, &[ARRIVING, REPORT, REPORTS], |crash| {
        let there = laid(crash);
        if crash.is_after_the_end {
            same_packages(&there, &wanted, "after the end")?;
            let late = expect(import(&there, &media[0]), &[0], "import of the older medium")?.json();
            demand(late["imported"]["older"] == true, || format!("the older medium is not older: {late:#}"))?;
        }
        right_names(&there, &[&wanted])?;
        for path in before.keys() {
            demand(there.mirror().join(path).exists(), || format!("{path} is lost"))?;
        }
        verified(&there)?;
        expect(import(&there, &media[1]), &[0], "the next import")?;
        same_packages(&there, &wanted, "after the next import")?;
        verified(&there)
    });
}

#[test]
fn forget_survives_a_power_cut() {
    let here = connected(&[KB, OTHER, "--arch", "arm64"]);
    set_clock(&here);
    let before = packages(&here.mirror());
    let mut all = digests(&here.mirror());
    all.retain(|path, _| path.starts_with("pool/") || path.starts_with(&format!("kb/{KB}/")));
    let Some(recorded) = record_on(&here, None, &["forget", KB]) else { return };
    let wanted = packages(&here.mirror());
    assert!(wanted.len() < before.len(), "{wanted:?}");
    cut("forget", &recorded, &[], |crash| {
        let here = laid(crash);
        if crash.is_after_the_end {
            same_packages(&here, &wanted, "after the end")?;
        }
        right_names(&here, &[&before])?;
        // Its bytes are where they were or in the trash, whatever happened.
        let there: Vec<String> = crash.files("mirror").map(|(_, bytes)| sha256_hex(bytes)).collect();
        for (path, digest) in &all {
            demand(there.contains(digest), || format!("{path} is lost"))?;
        }
        verified(&here)?;
        // It was removed already, or is removed now.
        expect(here.json(&["forget", KB]), &[0, 3], "the next forget")?;
        same_packages(&here, &wanted, "after the next forget")?;
        verified(&here)
    });
}

#[test]
fn repair_survives_a_power_cut() {
    let here = connected(&[KB, "--arch", "arm64"]);
    set_clock(&here);
    let medium = here.path("medium");
    export(&here, &[KB], &medium).exits(0);
    let wanted = packages(&here.mirror());
    let spoiled: Vec<Utf8PathBuf> = wanted.keys().map(|path| here.mirror().join(path)).collect();
    // One file of the pool, with all of its names, and a view.
    let pooled = spoiled.iter().find(|path| path.as_str().contains("/pool/")).unwrap();
    let mut bytes = fs::read(pooled).unwrap();
    let digest = wanted[pooled.strip_prefix(here.mirror()).unwrap().as_str()].clone();
    bytes[7] ^= 1;
    for path in &spoiled {
        if wanted[path.strip_prefix(here.mirror()).unwrap().as_str()] == digest {
            fs::remove_file(path).unwrap();
            fs::write(path, &bytes).unwrap();
        }
    }
    fs::write(here.mirror().join("kb").join(KB).join("README.txt"), "changed").unwrap();
    here.json(&["verify"]).exits(5);
    let arguments = ["repair", "--from", medium.as_str()];
    let Some(recorded) = record_on(&here, None, &arguments) else { return };
    same_packages(&here, &wanted, "after repair").unwrap();
    let needless = [ARRIVING, REPORT, REPORTS, HEALTH, NAME_OF_HEALTH, RECORD, JOURNAL, REPLACED, EXCHANGED];
    cut("repair", &recorded, &needless, |crash| {
        let here = laid(crash);
        if crash.is_after_the_end {
            same_packages(&here, &wanted, "after the end")?;
            verified(&here)?;
        }
        expect(here.json(&["verify"]), &[0, 5], "verify")?;
        // What was damaged or changed is kept.
        let kept = [sha256_hex(&bytes), sha256_hex(b"changed")];
        let is_kept = |found: &[String], when: &str| {
            demand(kept.iter().all(|kept| found.contains(kept)), || format!("a copy is lost {when}"))
        };
        is_kept(&crash.files("mirror").map(|(_, own)| sha256_hex(own)).collect::<Vec<_>>(), "then")?;
        expect(here.json(&arguments), &[0], "the next repair")?;
        same_packages(&here, &wanted, "after the next repair")?;
        is_kept(&digests(&here.mirror()).into_values().collect::<Vec<_>>(), "after the next repair")?;
        verified(&here)
    });
}
