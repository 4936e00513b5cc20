//! Downloads of package files from a failing CDN: a file is published with the right bytes or not at all, and
//! received bytes are not requested again.
//!
//! - [`case`]: a table row with a fault, its expected outcome, and the checks that always apply;
//! - [`interruptions`], [`lengths`], [`ranges`], [`contents`], [`answers`]: the faults, each once and permanently;
//! - [`parallel`]: several files at once, and one failing file among many;
//! - [`urls`]: a second URL of the same digest, and links that expire;
//! - [`random_faults`]: faults in any order;
//! - [`killed`]: the program as a process, killed at any time;
//! - [`disk_full`]: disks that are too small;
//! - [`same_names`]: equal file names, and partial files that cannot be written.
#![expect(clippy::disallowed_methods, reason = "mirrors are read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

mod answers;
mod case;
mod contents;
mod disk_full;
mod interruptions;
mod killed;
mod lengths;
mod parallel;
mod random_faults;
mod ranges;
mod same_names;
mod urls;

use super::harness::{Bench, RunOutput, names_in, read_tree, sha256_hex};
use super::support::{FileSpec, Loopback, UpdateSpec, World, id};

/// Returns unique bytes that look like a package: the start of a cabinet, then noise.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    b"MSCF\0\0\0\0".iter().copied().chain(next).take(length).collect()
}

/// Returns the KB with this number.
fn kb(number: u32) -> String {
    format!("KB{}", 5_100_001 + number)
}

/// Returns the package of a KB.
fn package(number: u32, length: usize) -> FileSpec {
    let stem = format!("windows11.0-{}-arm64", kb(number).to_lowercase());
    FileSpec::package(&stem, "msu", noise(number.into(), length))
}

/// Returns an update of 24H2 for arm64 with these files. It is older than any checkpoint.
fn update(number: u32, files: Vec<FileSpec>) -> UpdateSpec {
    let title = format!(
        "2024-08 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems ({}) (26100.{})",
        kb(number),
        1500 + number
    );
    UpdateSpec { files, ..UpdateSpec::new(&id(number), &title) }
}

/// Returns a Catalog of KBs with one file each.
fn world_of(files: &[FileSpec]) -> World {
    let numbered = (0..).zip(files);
    numbered.fold(World::new(), |world, (number, file)| world.update(update(number, vec![file.clone()])))
}

/// Runs a command with `--json` against a loopback Catalog whose CDN is allowed.
fn run_against(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> RunOutput {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    // The retry budget is short unless a case sets it: a permanent fault gets about six tries.
    let patience: &[&str] = if arguments.contains(&"--patience") { &[] } else { &["--patience", "30s"] };
    bench.json(&[&network, patience, arguments].concat())
}

/// Fetches the first `count` KBs.
fn fetch(bench: &Bench, loopback: &Loopback, count: u32, options: &[&str]) -> RunOutput {
    let kbs: Vec<String> = (0..count).map(kb).collect();
    let kbs: Vec<&str> = kbs.iter().map(String::as_str).collect();
    run_against(bench, loopback, &[&["fetch"], kbs.as_slice(), options].concat())
}

/// Returns the folder with the published package of a KB.
fn published(bench: &Bench, number: u32) -> camino::Utf8PathBuf {
    bench.set_folder(&kb(number), "windows-11-24h2-arm64")
}

/// Checks the invariant of all times: every file under a final name has the right bytes.
fn check_final_names(bench: &Bench, files: &[FileSpec]) -> Result<(), String> {
    for (path, bytes) in read_tree(&bench.mirror().join("pool")) {
        if !path.ends_with(&sha256_hex(&bytes)) {
            return Err(format!("pool/{path} holds other bytes"));
        }
    }
    for (path, bytes) in read_tree(&bench.mirror().join("kb")) {
        let name = path.rsplit('/').next().unwrap();
        let is_package =
            camino::Utf8Path::new(name).extension().is_some_and(|end| ["msu", "cab"].contains(&end));
        if is_package && !files.iter().any(|file| file.name == name && file.bytes == bytes) {
            return Err(format!("kb/{path} holds other bytes"));
        }
    }
    Ok(())
}

/// Checks the state after a run without failures: every file is published, and no partial file is left.
fn check_all_published(bench: &Bench, files: &[FileSpec]) -> Result<(), String> {
    check_final_names(bench, files)?;
    let names: Vec<String> = read_tree(&bench.mirror().join("kb")).into_keys().collect();
    for file in files {
        if !names.iter().any(|path| path.ends_with(&format!("/{}", file.name))) {
            return Err(format!("{} is not published", file.name));
        }
    }
    let leftovers = names_in(&bench.mirror().join("partial"));
    if leftovers.is_empty() { Ok(()) } else { Err(format!("partial/ still holds {leftovers:?}")) }
}
