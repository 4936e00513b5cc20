//! Simulates a power cut at each point between two syncs of a run and checks every state that the disk may have then.
//! No wrong content may be under a final name, nothing may be lost, and the next run must complete. The report of a
//! completed run must hold.
//!
//! Every sync is needed: without the syncs of any one kind of place, the same checks must find a fault. The
//! exceptions are listed with their reasons. `.ci/long` checks every job in this way; a usual test run checks only
//! the smallest.
#![expect(clippy::disallowed_methods, reason = "mirrors and media are laid down as they may lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use kbmirror::clock::Clock as _;
use serde_json::Value;

use super::air_gap::{
    connected_mirror, export, fetch_from, file_digests, import, isolated_mirror, lcu, package, root_key_of,
};
use super::harness::{Bench, RunOutput, read_tree, recording, sha256_hex, skip};
use super::support::{Crash, Loopback, RecordedRun, World, record};

const KB: &str = "KB5086672";
const OTHER: &str = "KB5085516";

type Faults = Result<(), String>;

/// Returns a bench whose clock shows the real time, which the program itself reads.
fn bench() -> Bench {
    let bench = Bench::new();
    set_clock(&bench);
    bench
}

fn set_clock(bench: &Bench) {
    let passed = jiff::Timestamp::now().duration_since(bench.clock.now());
    bench.clock.advance(passed.unsigned_abs());
}

/// Returns a bench with the mirror of a crash state.
fn bench_after(crash: &Crash) -> Bench {
    let bench = bench();
    crash.restore("mirror", &bench.mirror());
    bench
}

/// Records the system calls of a run of the program on a mirror, and on a medium if one is given.
fn record_on(bench: &Bench, medium: Option<&Utf8Path>, arguments: &[&str]) -> Option<RecordedRun> {
    let mirror = bench.mirror();
    let roots = [Some(("mirror", mirror.as_path())), medium.map(|medium| ("medium", medium))];
    let roots: Vec<(&str, &Utf8Path)> = roots.into_iter().flatten().collect();
    let arguments = [&["--mirror", mirror.as_str()], arguments].concat();
    let Some(recorded) = record(&roots, &arguments, &bench.path("calls")) else {
        return skip("strace is not here");
    };
    let stderr = String::from_utf8_lossy(&recorded.output.stderr);
    assert!(recorded.output.status.success(), "{stderr}");
    Some(recorded)
}

fn expect(ran: RunOutput, codes: &[u8], step: &str) -> Result<RunOutput, String> {
    if codes.contains(&ran.code) {
        return Ok(ran);
    }
    Err(format!("{step}: exit {}\n{}\n{}", ran.code, ran.stdout, ran.stderr))
}

fn require(holds: bool, step: impl FnOnce() -> String) -> Faults {
    if holds { Ok(()) } else { Err(step()) }
}

/// Expects `verify` to find no damage. After a crash before the first publication, it may report that the mirror does
/// not exist yet.
fn expect_verified(bench: &Bench) -> Faults {
    let ran = expect(bench.json(&["verify"]), &[0, 3], "verify")?;
    let is_empty = packages(&bench.mirror()).is_empty();
    require(ran.code == 0 || is_empty, || format!("verify: {}", ran.stdout))
}

/// Returns the package files of a mirror: of the pool, and of the folders of its KBs.
fn packages(mirror: &Utf8Path) -> BTreeMap<String, String> {
    let mut files = file_digests(mirror);
    let is_package = |path: &str| Utf8Path::new(path).extension() == Some("msu");
    files.retain(|path, _| path.starts_with("pool/") || path.starts_with("kb/") && is_package(path));
    files
}

/// Checks that every package file under a final name has the content of one of the given states.
fn expect_known_content(bench: &Bench, right: &[&BTreeMap<String, String>]) -> Faults {
    for (path, digest) in packages(&bench.mirror()) {
        let is_right = right.iter().any(|right| right.get(&path) == Some(&digest));
        require(is_right, || format!("{path} does not have the content of this name"))?;
    }
    Ok(())
}

fn expect_packages(bench: &Bench, wanted: &BTreeMap<String, String>, when: &str) -> Faults {
    let found = packages(&bench.mirror());
    require(found == *wanted, || format!("{when}: {found:#?}\nis not {wanted:#?}"))
}

/// The largest number of states for which the syncs are left out in each test run. Only `forget` has fewer states.
const FEW: usize = 50;

/// Checks every state, and then the states without the syncs of each kind of place: at least one of them must be bad.
///
/// The kinds in `needless` have syncs that no state can need, each with its reason.
fn check_states(name: &str, recorded: &RecordedRun, needless: &Needless, audit: impl Fn(&Crash) -> Faults) {
    // Before a release the number of seeds is higher; a usual test run must end soon.
    let seeds = std::env::var("KBMIRROR_POWER_CUTS").map_or(0, |seeds| seeds.parse().unwrap());
    let crashes = recorded.crashes(seeds);
    print_count(name, crashes.len(), recorded);
    let mut bad = Vec::new();
    for crash in &crashes {
        bad.extend(audit(crash).err().map(|fault| format!("{}: {fault}", crash.when)));
    }
    assert!(bad.is_empty(), "{name}: {} of {} states\n{}", bad.len(), crashes.len(), bad.join("\n\n"));
    // The syncs are left out before a release, and in a usual test run if the job has few states.
    if seeds == 0 && crashes.len() > FEW {
        return;
    }
    let good: BTreeSet<Vec<u8>> = crashes.iter().map(Crash::fingerprint).collect();
    let mut undetected = Vec::new();
    for kind in recorded.synced_kinds() {
        let is_new = |crash: &&Crash| !good.contains(&crash.fingerprint());
        let crashes = recorded.crashes_without(Some(&kind), 0);
        let is_needed = || crashes.iter().rev().filter(is_new).any(|crash| audit(crash).is_err());
        if !needless.iter().any(|(needless, _)| *needless == kind) && !is_needed() {
            undetected.push(kind);
        }
    }
    assert!(undetected.is_empty(), "{name}: not needed by any state: {undetected:#?}");
}

#[expect(clippy::print_stdout, reason = "a test reports how much it has checked")]
fn print_count(name: &str, states: usize, recorded: &RecordedRun) {
    println!("{name}: {states} states, {} kinds of places synced", recorded.synced_kinds().len());
}

/// Kinds of places whose syncs no state needs, each with its reason.
type Needless = [(&'static str, &'static str)];

const PARTIAL: (&str, &str) =
    ("folder mirror/partial", "a file that lost its name there is fetched or read again");
const PARTIAL_NOTE: (&str, &str) =
    ("file mirror/partial/<new>", "without the note, a partial file is downloaded again from the beginning");
const REPORT: (&str, &str) =
    ("file mirror/runs/<new>", "the index and the medium have the content of a report");
const REPORTS: (&str, &str) = ("folder mirror/runs", REPORT.1);
const HEALTH: (&str, &str) = ("file mirror/<new>", "health.json is written with each verification");
const NAME_OF_HEALTH: (&str, &str) = ("folder mirror", HEALTH.1);
const RECORD: (&str, &str) =
    ("file mirror/mirror.db", "the next verification finds again everything that a repair records");
const JOURNAL: (&str, &str) = ("file mirror/mirror.db-wal", RECORD.1);
const REPLACED: (&str, &str) =
    ("folder mirror/pool/sha256/<2 hex>", "a move out of partial/ concerns partial/ too, which is synced");
const EXCHANGED: (&str, &str) =
    ("folder mirror/kb", "an exchange of folders concerns partial/ too, which is synced");

#[test]
fn fetch_survives_a_power_cut() {
    let fetch = ["--replay", recording("demo").as_str(), "fetch", KB, "--arch", "arm64"].map(str::to_owned);
    let fetch: Vec<&str> = fetch.iter().map(String::as_str).collect();
    let connected_side = bench();
    let Some(recorded) = record_on(&connected_side, None, &fetch) else { return };
    let wanted = packages(&connected_side.mirror());
    check_states("fetch", &recorded, &[PARTIAL, PARTIAL_NOTE], |crash| {
        let bench = bench_after(crash);
        if crash.is_after_the_end {
            expect_packages(&bench, &wanted, "after the end")?;
        }
        expect_known_content(&bench, &[&wanted])?;
        expect_verified(&bench)?;
        expect(bench.json(&fetch), &[0], "the next fetch")?;
        expect_packages(&bench, &wanted, "after the next fetch")
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
    let connected_side = bench();
    fetch_from(&connected_side, &loopback, &["KB5041865"]).exits(0);
    let before = packages(&connected_side.mirror());
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
    let Some(recorded) = record_on(&connected_side, None, &fetch) else { return };
    let wanted = packages(&connected_side.mirror());
    assert!(wanted != before && wanted.len() == 3, "{wanted:?}");
    check_states("replacing fetch", &recorded, &[PARTIAL, PARTIAL_NOTE, EXCHANGED], |crash| {
        let bench = bench_after(crash);
        if crash.is_after_the_end {
            expect_packages(&bench, &wanted, "after the end")?;
        }
        expect_known_content(&bench, &[&before, &wanted])?;
        expect_verified(&bench)?;
        let lost = before.iter().filter(|(path, _)| path.starts_with("pool/"));
        for (path, _) in lost {
            require(bench.mirror().join(path).exists(), || format!("{path} is lost"))?;
        }
        expect(bench.json(&fetch), &[0], "the next fetch")?;
        expect_packages(&bench, &wanted, "after the next fetch")
    });
}

/// Returns the packages and scripts on a medium, without the files that are new with each export.
fn payload(medium: &Utf8Path) -> BTreeMap<String, String> {
    let mut files = file_digests(medium);
    files.retain(|path, _| path.starts_with("data/"));
    files
}

/// Returns the two numbers of a set: for programs and for people.
fn numbers(set: &[u8]) -> Option<(u64, u64)> {
    let set: Value = serde_json::from_slice(set).ok()?;
    Some((set["seq"].as_u64()?, set["number"].as_u64()?))
}

#[test]
fn export_survives_a_power_cut() {
    let connected_side = connected_mirror(&[KB, OTHER, "--arch", "arm64"]);
    set_clock(&connected_side);
    let medium = connected_side.path("medium");
    // The medium already has an export, and one of its KBs is removed by this run.
    export(&connected_side, &[OTHER], &medium).exits(0);
    let arguments = ["export", KB, "--prune", "--yes", "--to", medium.as_str()];
    let Some(recorded) = record_on(&connected_side, Some(&medium), &arguments) else { return };
    let complete = payload(&medium);
    let kept = packages(&connected_side.mirror());
    let isolated_side = isolated_mirror(&root_key_of(&connected_side));
    set_clock(&isolated_side);
    let with_root_key = read_tree(&isolated_side.mirror());
    // Most states differ only in the mirror.
    let known_codes = RefCell::new(BTreeMap::new());
    let check_medium = |crash: &Crash, medium: &Utf8Path| -> Result<u8, String> {
        let fingerprint = crash.fingerprint_of("medium");
        if let Some(code) = known_codes.borrow().get(&fingerprint) {
            return Ok(*code);
        }
        let checked =
            expect(isolated_side.json(&["check-medium", medium.as_str()]), &[0, 11, 12], "check-medium")?;
        if checked.code == 0 {
            let isolated_side = bench();
            for (path, bytes) in &with_root_key {
                let path = isolated_side.mirror().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            expect(import(&isolated_side, medium), &[0], "import of a medium that check-medium accepts")?;
            expect(isolated_side.json(&["verify"]), &[0], "verify after the import")?;
        }
        known_codes.borrow_mut().insert(fingerprint, checked.code);
        Ok(checked.code)
    };
    check_states("export", &recorded, &[REPORT, REPORTS], |crash| {
        let connected_side = bench_after(crash);
        let medium = connected_side.path("medium");
        crash.restore("medium", &medium);
        let code = check_medium(crash, &medium)?;
        if crash.is_after_the_end {
            require(payload(&medium) == complete && code == 0, || format!("after the end: exit {code}"))?;
        }
        expect_verified(&connected_side)?;
        expect_packages(&connected_side, &kept, "of the mirror")?;
        let signed = crash.bytes("medium", "set.json").and_then(numbers);
        let arguments = [KB, "--prune", "--yes"];
        expect(export(&connected_side, &arguments, &medium), &[0], "the next export")?;
        require(payload(&medium) == complete, || "the next export does not finish".to_owned())?;
        expect(
            isolated_side.json(&["check-medium", medium.as_str()]),
            &[0],
            "check-medium of the next export",
        )?;
        let next = numbers(&fs::read(medium.join("set.json")).unwrap());
        let is_later =
            signed.is_none_or(|(seq, number)| next.is_some_and(|next| next.0 > seq && next.1 > number));
        require(is_later, || format!("set {next:?} after {signed:?}"))
    });
}

#[test]
fn import_survives_a_power_cut() {
    let connected_side = connected_mirror(&[KB, OTHER, "--arch", "arm64"]);
    set_clock(&connected_side);
    let media = ["old", "new"].map(|name| connected_side.path(name));
    export(&connected_side, &[OTHER], &media[0]).exits(0);
    connected_side.clock.advance(std::time::Duration::from_hours(1));
    export(&connected_side, &[KB, OTHER], &media[1]).exits(0);
    let isolated_side = isolated_mirror(&root_key_of(&connected_side));
    set_clock(&isolated_side);
    import(&isolated_side, &media[0]).exits(0);
    let before = packages(&isolated_side.mirror());
    let Some(recorded) = record_on(&isolated_side, None, &["import", media[1].as_str()]) else { return };
    let wanted = packages(&isolated_side.mirror());
    assert!(wanted.len() > before.len(), "{wanted:?}");
    check_states("import", &recorded, &[PARTIAL, REPORT, REPORTS], |crash| {
        let isolated_side = bench_after(crash);
        if crash.is_after_the_end {
            expect_packages(&isolated_side, &wanted, "after the end")?;
            let late = expect(import(&isolated_side, &media[0]), &[0], "import of the older medium")?.json();
            require(late["imported"]["older"] == true, || {
                format!("the older medium is not older: {late:#}")
            })?;
        }
        expect_known_content(&isolated_side, &[&wanted])?;
        for path in before.keys() {
            require(isolated_side.mirror().join(path).exists(), || format!("{path} is lost"))?;
        }
        expect_verified(&isolated_side)?;
        expect(import(&isolated_side, &media[1]), &[0], "the next import")?;
        expect_packages(&isolated_side, &wanted, "after the next import")?;
        expect_verified(&isolated_side)
    });
}

#[test]
fn forget_survives_a_power_cut() {
    let connected_side = connected_mirror(&[KB, OTHER, "--arch", "arm64"]);
    set_clock(&connected_side);
    let before = packages(&connected_side.mirror());
    let mut all = file_digests(&connected_side.mirror());
    all.retain(|path, _| path.starts_with("pool/") || path.starts_with(&format!("kb/{KB}/")));
    let Some(recorded) = record_on(&connected_side, None, &["forget", KB]) else { return };
    let wanted = packages(&connected_side.mirror());
    assert!(wanted.len() < before.len(), "{wanted:?}");
    check_states("forget", &recorded, &[], |crash| {
        let connected_side = bench_after(crash);
        if crash.is_after_the_end {
            expect_packages(&connected_side, &wanted, "after the end")?;
        }
        expect_known_content(&connected_side, &[&before])?;
        // The bytes must be at their old place or in the trash.
        let isolated_side: Vec<String> = crash.files("mirror").map(|(_, bytes)| sha256_hex(bytes)).collect();
        for (path, digest) in &all {
            require(isolated_side.contains(digest), || format!("{path} is lost"))?;
        }
        expect_verified(&connected_side)?;
        // The KB was removed before the crash, or is removed now.
        expect(connected_side.json(&["forget", KB]), &[0, 3], "the next forget")?;
        expect_packages(&connected_side, &wanted, "after the next forget")?;
        expect_verified(&connected_side)
    });
}

#[test]
fn repair_survives_a_power_cut() {
    let connected_side = connected_mirror(&[KB, "--arch", "arm64"]);
    set_clock(&connected_side);
    let medium = connected_side.path("medium");
    export(&connected_side, &[KB], &medium).exits(0);
    let wanted = packages(&connected_side.mirror());
    let damaged: Vec<Utf8PathBuf> = wanted.keys().map(|path| connected_side.mirror().join(path)).collect();
    // Damages one file of the pool under all of its names, and one generated file.
    let pooled = damaged.iter().find(|path| path.as_str().contains("/pool/")).unwrap();
    let mut bytes = fs::read(pooled).unwrap();
    let digest = wanted[pooled.strip_prefix(connected_side.mirror()).unwrap().as_str()].clone();
    bytes[7] ^= 1;
    for path in &damaged {
        if wanted[path.strip_prefix(connected_side.mirror()).unwrap().as_str()] == digest {
            fs::remove_file(path).unwrap();
            fs::write(path, &bytes).unwrap();
        }
    }
    fs::write(connected_side.mirror().join("kb").join(KB).join("README.txt"), "changed").unwrap();
    connected_side.json(&["verify"]).exits(5);
    let arguments = ["repair", "--from", medium.as_str()];
    let Some(recorded) = record_on(&connected_side, None, &arguments) else { return };
    expect_packages(&connected_side, &wanted, "after repair").unwrap();
    let needless = [PARTIAL, REPORT, REPORTS, HEALTH, NAME_OF_HEALTH, RECORD, JOURNAL, REPLACED, EXCHANGED];
    check_states("repair", &recorded, &needless, |crash| {
        let connected_side = bench_after(crash);
        if crash.is_after_the_end {
            expect_packages(&connected_side, &wanted, "after the end")?;
            expect_verified(&connected_side)?;
        }
        expect(connected_side.json(&["verify"]), &[0, 5], "verify")?;
        // Copies of the damaged file and of the changed file are kept.
        let kept = [sha256_hex(&bytes), sha256_hex(b"changed")];
        let is_kept = |found: &[String], when: &str| {
            require(kept.iter().all(|kept| found.contains(kept)), || format!("a copy is lost {when}"))
        };
        is_kept(&crash.files("mirror").map(|(_, own)| sha256_hex(own)).collect::<Vec<_>>(), "then")?;
        expect(connected_side.json(&arguments), &[0], "the next repair")?;
        expect_packages(&connected_side, &wanted, "after the next repair")?;
        is_kept(
            &file_digests(&connected_side.mirror()).into_values().collect::<Vec<_>>(),
            "after the next repair",
        )?;
        expect_verified(&connected_side)
    });
}
