//! The corpus of the fuzz targets on every run: each seed, and each seed cut short or with one byte changed, goes through the same
//! body that the fuzz target has.
#![expect(clippy::disallowed_methods, reason = "seeds are read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../fuzz/bodies/config.rs"]
mod config;
#[path = "../../fuzz/bodies/details_page.rs"]
mod details_page;
#[path = "../../fuzz/bodies/download_dialog.rs"]
mod download_dialog;
#[path = "../../fuzz/bodies/knowledge.rs"]
mod knowledge;
#[path = "../../fuzz/bodies/listing.rs"]
mod listing;
#[path = "../../fuzz/bodies/manifest.rs"]
mod manifest;
#[path = "../../fuzz/bodies/names.rs"]
mod names;
#[path = "../../fuzz/bodies/page_kind.rs"]
mod page_kind;
#[path = "../../fuzz/bodies/search_page.rs"]
mod search_page;
#[path = "../../fuzz/bodies/set_json.rs"]
mod set_json;
#[path = "../../fuzz/bodies/signature.rs"]
mod signature;

/// Returns `true` if the input is taken.
type Body = fn(&[u8]) -> bool;

/// Every target with its body.
const TARGETS: [(&str, Body); 11] = [
    ("search_page", search_page::check),
    ("details_page", details_page::check),
    ("download_dialog", download_dialog::check),
    ("page_kind", page_kind::check),
    ("manifest", manifest::check),
    ("listing", listing::check),
    ("set_json", set_json::check),
    ("signature", signature::check),
    ("names", names::check),
    ("knowledge", knowledge::check),
    ("config", config::check),
];

/// Returns at how many places a seed is cut and changed. A unit that builds a tree of HTML takes milliseconds, and one that reads
/// all tables a tenth of a second.
fn places(target: &str) -> usize {
    match target {
        "search_page" | "details_page" | "download_dialog" | "page_kind" => 16,
        "knowledge" => 2,
        _ => 400,
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The seeds of a target, sorted.
fn seeds(target: &str) -> Vec<PathBuf> {
    let folder = root().join("fuzz/corpus").join(target);
    let mut seeds: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    seeds
}

/// Runs a body over a target's seeds and what is near to them.
fn replay(target: &str) {
    let (_, check) = TARGETS.into_iter().find(|(name, _)| *name == target).unwrap();
    let places = places(target);
    let mut taken = [0, 0];
    for path in seeds(target) {
        let seed = fs::read(&path).unwrap();
        assert!(seed.len() < 16 * 1024, "{}: a seed is small", path.display());
        let is_taken = check(&seed);
        taken[usize::from(is_taken)] += 1;
        for place in 0..places.min(seed.len()) {
            let at = place * seed.len() / places.min(seed.len());
            check(&seed[..at]);
            for bit in [0x01, 0x20, 0x80] {
                let mut changed = seed.clone();
                changed[at] ^= bit;
                check(&changed);
            }
        }
    }
    assert!(taken.into_iter().all(|count| count > 0), "{target}: refused and taken {taken:?}");
}

#[test]
fn search_page_holds() {
    replay("search_page");
}

#[test]
fn details_page_holds() {
    replay("details_page");
}

#[test]
fn download_dialog_holds() {
    replay("download_dialog");
}

#[test]
fn page_kind_holds() {
    replay("page_kind");
}

#[test]
fn manifest_holds() {
    replay("manifest");
}

#[test]
fn listing_holds() {
    replay("listing");
}

#[test]
fn set_json_holds() {
    replay("set_json");
}

#[test]
fn signature_holds() {
    replay("signature");
}

#[test]
fn names_holds() {
    replay("names");
}

#[test]
fn knowledge_holds() {
    replay("knowledge");
}

#[test]
fn config_holds() {
    replay("config");
}

#[test]
fn every_target_has_a_body_seeds_and_a_test() {
    let text = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    let bins: BTreeSet<&str> = text
        .lines()
        .skip_while(|line| *line != "[[bin]]")
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .collect();
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = root().join("fuzz").join(folder).read_dir().unwrap();
        let name = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        entries.map(|entry| name(entry.unwrap().path())).collect()
    };
    let here: BTreeSet<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(bins, here);
    let here: BTreeSet<String> = here.into_iter().map(str::to_owned).collect();
    for folder in ["bodies", "fuzz_targets", "corpus"] {
        assert_eq!(names(folder), here, "{folder}");
    }
}
