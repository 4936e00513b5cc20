//! A version of Windows that the tables do not contain: mirrored and planned from the titles of the Catalog, and then
//! added with the worked example of mirror-layout.md.
#![expect(clippy::disallowed_methods, reason = "the tables of an operator lie outside of the mirror")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;

use serde_json::json;

use super::air_gap::fetch_from;
use super::harness::{Bench, field_texts, items, text_of};
use super::support::{FileSpec, Loopback, UpdateSpec, World, id};

const KB: &str = "KB5200002";
const CHECKPOINT: &str = "KB5200001";

/// Returns a Catalog with a cumulative update of 27H2 and its checkpoint.
fn world() -> World {
    let title = |month: &str, kb: &str, build: &str| {
        format!(
            "{month} Cumulative Update for Windows 11, version 27H2 for x64-based Systems ({kb}) ({build})"
        )
    };
    let package = |kb: &str| FileSpec::package(&format!("windows11.0-{}-x64", kb.to_lowercase()), "msu", kb);
    let update = |number: u32, title: &str, kbs: &[&str]| UpdateSpec {
        last_updated: "10/12/2027".to_owned(),
        files: kbs.iter().map(|kb| package(kb)).collect(),
        ..UpdateSpec::new(&id(number), title)
    };
    World::new().update(update(1, &title("2027-10", KB, "29600.2000"), &[KB, CHECKPOINT])).update(update(
        2,
        &title("2027-08", CHECKPOINT, "29600.1000"),
        &[CHECKPOINT],
    ))
}

fn fetched() -> Bench {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    fetch_from(&bench, &loopback, &[KB]).exits(0);
    bench
}

#[test]
fn unknown_version_is_mirrored_and_planned_from_titles() {
    let bench = fetched();
    let listed = bench.json(&["list"]).exits(0).json();
    let folders: Vec<String> = items(&listed["sets"]).iter().map(|set| text_of(&set["folder"])).collect();
    assert_eq!(folders, ["kb/KB5200002/windows-11-27h2-x64"], "{listed:#}");
    let shown = bench.json(&["show", KB]).exits(0).json();
    assert!(shown.to_string().contains("29600.2000"), "{shown:#}");
    let resolve = |at: &str| bench.json(&["resolve", KB, "--arch", "x64", "--baseline", at]);
    let plan = resolve("29600.500").exits(0).json();
    assert_eq!(field_texts(&plan["steps"], "role"), ["checkpoint", "target"], "{plan:#}");
    assert_eq!(resolve("26100.8117").exits(10).json()["status"], json!("unknown"));
}

#[test]
fn unknown_version_is_set_up_with_a_warning_and_synced() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let sync = |options: &[&str]| {
        let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
        bench.json(&[&network[..], &["sync", "--as-of", "2027-10-31"], options].concat())
    };
    let made = bench.json(&["init", "--product", "Windows 11 27H2"]).exits(0);
    assert!(made.stderr.contains("Windows 11 27H2 is not in the knowledge tables"), "{}", made.stderr);
    let made = made.json();
    assert_eq!(made["family"], json!("windows-11-27h2"));
    assert_eq!(items(&made["warnings"]).len(), 1);

    let planned = sync(&["--dry-run"]).exits(0).json();
    assert_eq!(field_texts(&planned["found"], "kb"), [KB, CHECKPOINT], "{planned:#}");
    let first = sync(&[]).exits(0);
    assert!(first.stderr.contains("Windows 11 27H2 is not in the knowledge tables"), "{}", first.stderr);
    let first = first.json();
    let folders = ["kb/KB5200002/windows-11-27h2-x64", "kb/KB5200001/windows-11-27h2-x64"];
    assert_eq!(field_texts(&first["sets"], "folder"), folders, "{first:#}");
    let second = sync(&[]).exits(0).json();
    assert_eq!(field_texts(&second["sets"], "status"), ["unchanged"; 2]);
    // The sets belong to the profile, so a later month leaves them outside of its window.
    let later = ["--catalog-url", &url, "--allow-host", &host, "sync", "--as-of", "2028-06-30"];
    let later = bench.json(&later).exits(0).json();
    assert_eq!(field_texts(&later["outside"], "folder").len(), 2, "{later:#}");
    let status = bench.json(&["status"]).exits(10).json();
    assert!(status.to_string().contains("windows-11-27h2"), "{status:#}");

    // A version before the newest known one does not exist.
    let other = Bench::new();
    let refused = other.json(&["init", "--product", "Windows 11 22H1"]).exits(2).error();
    assert!(refused.1.contains("not a known product"), "{refused:?}");
}

/// Returns the example row of mirror-layout.md.
fn example_row() -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/mirror-layout.md")).unwrap();
    let section = page.split("### A version of Windows that the tables do not contain").nth(1).unwrap();
    section.split("```toml\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

#[test]
fn row_of_the_worked_example_adds_the_family() {
    let bench = fetched();
    let tables = bench.path("own-tables");
    fs::create_dir_all(&tables).unwrap();
    let built_in = bench.run(&["knowledge", "show", "families"]).exits(0).stdout;
    fs::write(tables.join("families.toml"), format!("{built_in}\n{}", example_row())).unwrap();
    let with_tables =
        |arguments: &[&str]| bench.json(&[&["--knowledge", tables.as_str()], arguments].concat());
    with_tables(&["knowledge", "check"]).exits(0);
    let plan = with_tables(&["resolve", KB, "--arch", "x64", "--baseline", "29600.500"]).exits(0).json();
    assert_eq!(field_texts(&plan["steps"], "role"), ["checkpoint", "target"], "{plan:#}");
    assert!(!plan["warnings"].to_string().contains("planned from the titles"), "{plan:#}");
    let latest = with_tables(&["resolve", "--latest", "--product", "Windows 11 27H2", "--arch", "x64"]);
    assert_eq!(latest.exits(0).json()["kb"], json!(KB));
    let other = with_tables(&["resolve", KB, "--arch", "x64", "--baseline", "26100.8117"]).exits(10).json();
    assert_eq!(other["status"], json!("not_applicable"), "{other:#}");
}
