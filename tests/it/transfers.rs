//! Package files from a CDN that misbehaves: what is published is right, or nothing is, and what arrived is not asked for
//! again.
//!
//! - [`case`]: one fault, what comes of it, and what is so whatever comes of it;
//! - [`breaks`], [`lengths`], [`ranges`], [`contents`], [`answers`]: the faults, each once and always;
//! - [`together`]: several files at once, and one that is bad among many;
//! - [`addresses`]: another address of the same digest, and links that expire;
//! - [`any_script`]: faults in any order;
//! - [`killed`]: the program itself, ended at any moment;
//! - [`no_room`]: disks that are too small;
//! - [`same_names`]: names that are equal, and partial files that cannot be written.
#![expect(clippy::disallowed_methods, reason = "mirrors are read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

mod addresses;
mod answers;
mod any_script;
mod breaks;
mod case;
mod contents;
mod killed;
mod lengths;
mod no_room;
mod ranges;
mod same_names;
mod together;

use super::harness::{Bench, Ran, names_in, sha256_hex, tree};
use super::support::{FileSpec, Loopback, UpdateSpec, World, id};

/// Bytes that no other file has, in a container's disguise: the beginning of a cabinet, and noise.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    b"MSCF\0\0\0\0".iter().copied().chain(next).take(length).collect()
}

/// The KB number so-and-so.
fn kb(number: u32) -> String {
    format!("KB{}", 5_100_001 + number)
}

/// The package of a KB.
fn package(number: u32, length: usize) -> FileSpec {
    let stem = format!("windows11.0-{}-arm64", kb(number).to_lowercase());
    FileSpec::package(&stem, "msu", noise(number.into(), length))
}

/// An update of 24H2 for arm64, older than any checkpoint, with these files.
fn update(number: u32, files: Vec<FileSpec>) -> UpdateSpec {
    let title = format!(
        "2024-08 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems ({}) (26100.{})",
        kb(number),
        1500 + number
    );
    UpdateSpec { files, ..UpdateSpec::new(&id(number), &title) }
}

/// A Catalog of KBs with one file each.
fn world_of(files: &[FileSpec]) -> World {
    let numbered = (0..).zip(files);
    numbered.fold(World::new(), |world, (number, file)| world.update(update(number, vec![file.clone()])))
}

/// Runs a command with `--json` against a loopback Catalog whose CDN is allowed.
fn ask(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> Ran {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    // Short, where a case does not say otherwise: what fails for ever is asked some six times.
    let patience: &[&str] = if arguments.contains(&"--patience") { &[] } else { &["--patience", "30s"] };
    bench.json(&[&network, patience, arguments].concat())
}

/// Fetches the first so many KBs.
fn fetch(bench: &Bench, loopback: &Loopback, count: u32, options: &[&str]) -> Ran {
    let kbs: Vec<String> = (0..count).map(kb).collect();
    let kbs: Vec<&str> = kbs.iter().map(String::as_str).collect();
    ask(bench, loopback, &[&["fetch"], kbs.as_slice(), options].concat())
}

/// Where the package of a KB is published.
fn published(bench: &Bench, number: u32) -> camino::Utf8PathBuf {
    bench.set(&kb(number), "windows-11-24h2-arm64")
}

/// What must be so at any time: whatever has a final name is right.
fn check_final_names(bench: &Bench, files: &[FileSpec]) -> Result<(), String> {
    for (path, bytes) in tree(&bench.mirror().join("pool")) {
        if !path.ends_with(&sha256_hex(&bytes)) {
            return Err(format!("pool/{path} holds other bytes"));
        }
    }
    for (path, bytes) in tree(&bench.mirror().join("kb")) {
        let name = path.rsplit('/').next().unwrap();
        let is_package =
            camino::Utf8Path::new(name).extension().is_some_and(|end| ["msu", "cab"].contains(&end));
        if is_package && !files.iter().any(|file| file.name == name && file.bytes == bytes) {
            return Err(format!("kb/{path} holds other bytes"));
        }
    }
    Ok(())
}

/// What must be so after a run in which nothing failed: every file is published, and nothing is left of its way here.
fn check_all_published(bench: &Bench, files: &[FileSpec]) -> Result<(), String> {
    check_final_names(bench, files)?;
    let names: Vec<String> = tree(&bench.mirror().join("kb")).into_keys().collect();
    for file in files {
        if !names.iter().any(|path| path.ends_with(&format!("/{}", file.name))) {
            return Err(format!("{} is not published", file.name));
        }
    }
    let left = names_in(&bench.mirror().join("partial"));
    if left.is_empty() { Ok(()) } else { Err(format!("partial/ still holds {left:?}")) }
}
