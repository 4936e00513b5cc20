//! Compares `verify` of a mirror in the page cache with `openssl dgst -sha256` over the same files. The result is a
//! ratio of medians of seven interleaved rounds in one run.
//!
//! `cargo bench --bench verify [-- FOLDER]`. FOLDER should be on tmpfs and needs 1 GiB.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and starts openssl")]
#![expect(clippy::cast_precision_loss, reason = "the results are rounded")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use kbmirror::clock::Time;
use kbmirror::disk::NewFile;
use kbmirror::error::{Error, Result};
use kbmirror::event::Events;
use kbmirror::facts::Source;
use kbmirror::mirror::index::{FileRecord, UpdateRecord};
use kbmirror::mirror::{FileStatements, Layout, Mirror, RunInfo, VettedFile, WriteAccess};
use kbmirror::resolve::package_sets;
use kbmirror::servicing::Knowledge;
use kbmirror::update::{DualHasher, UpdateId, classify};

const FILES: u32 = 8;
const BYTES: usize = 128 * 1024 * 1024;
const ROUNDS: usize = 7;
const NOW: Time = Time::UNIX_EPOCH;

fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

fn unexpected(what: impl std::fmt::Display) -> Error {
    Error::usage(what.to_string())
}

/// Publishes one KB with one file of varied bytes.
fn publish(mirror: &mut Mirror<WriteAccess>, knowledge: &Knowledge, number: u32) -> Result<Utf8PathBuf> {
    let mut state = u64::from(number);
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(BYTES)
    .collect();
    let mut hasher = DualHasher::new();
    hasher.update(&bytes);
    let digests = hasher.finish();
    let title = format!(
        "2023-09 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB503{number:04})"
    );
    let class = classify(&title, "Windows 10", None);
    let id: UpdateId = format!("be656f78-0714-440c-a0be-{number:012}").parse().map_err(unexpected)?;
    let name = format!("windows10.0-kb503{number:04}-x64_{}.msu", digests.sha1);
    let file = FileRecord {
        url: format!("https://catalog.s.download.windowsupdate.com/c/{name}"),
        name,
        sha1: Some(digests.sha1),
        sha256: Some(digests.sha256),
    };
    let kb = class.kb.ok_or_else(|| unexpected("no KB in the title"))?;
    let update = UpdateRecord {
        id,
        title,
        class,
        products: "Windows 10".to_owned(),
        classification: "Security Updates".to_owned(),
        last_updated: jiff::civil::date(2023, 9, 12),
        size: digests.size,
    };
    let set = mirror.index_mut().in_transaction(|index| {
        index.record_update(&update, NOW)?;
        index.record_dialog(id, &[file], NOW)?;
        let sets = package_sets(kb, &index.facts_of(&[kb].into())?, knowledge);
        index.record_set(&sets[0], NOW)
    })?;
    let partial = mirror.layout().partial().join(digests.sha256.to_string());
    let mut new = NewFile::create(&partial)?;
    new.write(&bytes)?;
    let partial = new.finish()?;
    let row = mirror.index().set(set)?.ok_or_else(|| unexpected("no set"))?;
    if let Some(key) = row.members[0].file.key {
        let stated =
            FileStatements { sha256: Some((digests.sha256, Source::Dialog)), ..FileStatements::default() };
        let vetted = VettedFile::new(&partial, digests, &stated, None);
        let vetted = vetted.map_err(|_| unexpected("the file differs"))?;
        mirror.admit(key, &vetted, RunInfo { command: "bench", now: NOW })?;
    }
    let row = mirror.index().set(set)?.ok_or_else(|| unexpected("no set"))?;
    mirror.publish(&row, knowledge, NOW)?;
    Ok(mirror.layout().pool_file(&digests.sha256))
}

fn main() -> Result<()> {
    let folder = std::env::args().skip(1).find(|word| !word.starts_with("--"));
    let folder = tempfile::tempdir_in(folder.as_deref().unwrap_or("."));
    let folder = folder.map_err(unexpected)?;
    let root = Utf8Path::from_path(folder.path()).unwrap_or(Utf8Path::new("."));
    let now = jiff::Timestamp::UNIX_EPOCH;
    let knowledge = Knowledge::built_in()?;
    let mut mirror =
        Mirror::open_for_writing(Layout::new(root.join("mirror"), None), "bench", &knowledge, now)?;
    let files: Vec<Utf8PathBuf> =
        (1..=FILES).map(|number| publish(&mut mirror, &knowledge, number)).collect::<Result<_>>()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (duration, report) =
            time(|| mirror.verify(&[], false, &knowledge, now.into(), &Events::ignored()));
        assert!(report?.findings.is_empty(), "the mirror is undamaged");
        ours.push(duration);
        let (duration, status) = time(|| {
            Command::new("openssl").args(["dgst", "-sha256"]).args(&files).stdout(Stdio::null()).status()
        });
        if !status.is_ok_and(|status| status.success()) {
            println!("skipped: openssl is not installed");
            return Ok(());
        }
        theirs.push(duration);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let speed = |seconds: f64| f64::from(FILES) * BYTES as f64 / seconds / 1e9;
    println!("verify        {:.2} GB/s", speed(ours));
    println!("openssl dgst  {:.2} GB/s", speed(theirs));
    println!("ratio: {:.2} (at least 2.2 on two cores)", theirs / ours);
    Ok(())
}
