//! Runs the corpus of the fuzz targets in every test run. Each seed, each truncated seed, and each seed with one
//! changed byte goes through the body of its fuzz target.
#![expect(clippy::disallowed_methods, reason = "tests read the seeds directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

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
#[path = "../../fuzz/bodies/package.rs"]
mod package;
#[path = "../../fuzz/bodies/page_kind.rs"]
mod page_kind;
#[path = "../../fuzz/bodies/search_page.rs"]
mod search_page;
#[path = "../../fuzz/bodies/set_json.rs"]
mod set_json;
#[path = "../../fuzz/bodies/signature.rs"]
mod signature;

/// The body of a fuzz target. It returns `true` if the input is accepted.
type Body = fn(&[u8]) -> bool;

/// Every target with its body.
const TARGETS: [(&str, Body); 12] = [
    ("package", package::check),
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

/// Returns the number of places at which a seed is truncated and changed. A body that builds an HTML tree takes
/// milliseconds, and a body that reads all tables takes a tenth of a second.
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

/// Returns the sorted seeds of a target.
fn seeds(target: &str) -> Vec<PathBuf> {
    let folder = root().join("fuzz/corpus").join(target);
    let mut seeds: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    seeds
}

/// Runs the body of a target on its seeds and on small changes of its seeds.
fn replay(target: &str) {
    let (_, check) = TARGETS.into_iter().find(|(name, _)| *name == target).unwrap();
    let places = places(target);
    let mut accepted = [0, 0];
    for path in seeds(target) {
        let seed = fs::read(&path).unwrap();
        assert!(seed.len() < 16 * 1024, "{}: a seed is small", path.display());
        let is_accepted = check(&seed);
        accepted[usize::from(is_accepted)] += 1;
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
    assert!(accepted.into_iter().all(|count| count > 0), "{target}: refused and accepted {accepted:?}");
}

#[test]
fn replays_search_page() {
    replay("search_page");
}

#[test]
fn replays_details_page() {
    replay("details_page");
}

#[test]
fn replays_download_dialog() {
    replay("download_dialog");
}

#[test]
fn replays_page_kind() {
    replay("page_kind");
}

#[test]
fn replays_manifest() {
    replay("manifest");
}

#[test]
fn replays_listing() {
    replay("listing");
}

#[test]
fn replays_set_json() {
    replay("set_json");
}

#[test]
fn replays_signature() {
    replay("signature");
}

#[test]
fn replays_package() {
    replay("package");
}

#[test]
fn replays_names() {
    replay("names");
}

#[test]
fn replays_knowledge() {
    replay("knowledge");
}

#[test]
fn replays_config() {
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
    let targets: BTreeSet<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(bins, targets);
    let targets: BTreeSet<String> = targets.into_iter().map(str::to_owned).collect();
    for folder in ["bodies", "fuzz_targets", "corpus"] {
        assert_eq!(names(folder), targets, "{folder}");
    }
}
