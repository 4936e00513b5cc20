//! `forget` moves sets to `trash/`. They are not fetched or imported again until the operator requests them.
#![expect(clippy::disallowed_methods, reason = "tests read mirrors directly")]

use std::fs;

use super::carry::{connected, content, export, fetch_from, import, isolated, root_of};
use super::harness::{Bench, each, names_in, recording, text_of};
use super::support::{FileSpec, Loopback, UpdateSpec, World, id};

const KB: &str = "KB5086672";
const OTHER: &str = "KB5085516";

fn fetch(bench: &Bench, what: &[&str]) -> super::harness::Ran {
    bench.replay(&recording("demo"), &[&["fetch"], what].concat())
}

fn published(bench: &Bench) -> Vec<String> {
    let folder = bench.mirror().join("kb");
    names_in(&folder)
}

#[test]
fn a_kb_goes_to_the_trash_and_its_shared_checkpoint_stays() {
    let here = connected(&[KB, OTHER, "--arch", "arm64"]);
    let before = content(&here.mirror());
    let document = here.json(&["forget", KB, "--dry-run"]).exits(0).json();
    assert_eq!(document["dry_run"], true);
    assert_eq!(content(&here.mirror()), before, "a dry run changes nothing");
    let document = here.json(&["forget", KB]).exits(0).json();
    assert_eq!(each(&document["sets"], "kb"), [KB]);
    let kept = each(&document["kept_files"], "name");
    assert!(kept.len() == 1 && kept[0].contains("kb5043080"), "{document}");
    assert_eq!(published(&here), [OTHER]);
    let trash = here.mirror().join(text_of(&document["trash"]));
    assert!(trash.join(format!("kb/{KB}/windows-11-24h2-arm64")).is_dir());
    assert_eq!(names_in(&trash.join("pool")).len(), document["removed_files"].as_array().unwrap().len());
    here.json(&["verify"]).exits(0);
    // The checkpoint has no folder of its own.
    let (kind, message) = here.json(&["forget", "KB5043080"]).exits(3).error();
    assert!(kind == "not_found" && message.contains("is not published"), "{message}");
    here.json(&["verify"]).exits(0);
    // Every removed file of the pool is in the trash, and the other files are unchanged.
    let after = content(&here.mirror());
    for (path, digest) in &before {
        let still_exists = after.iter().any(|(_, own)| own == digest);
        assert!(still_exists || !path.starts_with("pool/"), "{path} is lost");
    }
    // The KB is requested by name again.
    fetch(&here, &[KB, "--arch", "arm64"]).exits(0);
    assert_eq!(published(&here), [OTHER, KB]);
    let state: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(here.mirror().join("state.json")).unwrap()).unwrap();
    assert_eq!(state["removed"], serde_json::json!([]));
    here.json(&["verify"]).exits(0);
}

#[test]
fn a_requirement_of_a_published_set_is_not_removed() {
    const TARGET: &str = "KB5990101";
    const STACK: &str = "KB5990102";
    let update = |number: u32, what: &str, kb: &str| UpdateSpec {
        last_updated: "5/10/2022".to_owned(),
        files: vec![FileSpec::package(&format!("windows8.1-{}-x64", kb.to_lowercase()), "msu", kb)],
        ..UpdateSpec::new(
            &id(number),
            &format!("2022-05 {what} for Windows 8.1 for x64-based Systems ({kb})"),
        )
    };
    let world = World::new().update(update(1, "Security Only Quality Update", TARGET)).update(update(
        2,
        "Servicing Stack Update",
        STACK,
    ));
    let loopback = Loopback::start(world);
    let here = Bench::starting("2026-11-30T08:00:00Z");
    fetch_from(&here, &loopback, &[TARGET]);
    assert!(published(&here).contains(&STACK.to_owned()), "{:?}", published(&here));
    let before = content(&here.mirror());
    for arguments in
        [&["forget", STACK][..], &["forget", STACK, "--dry-run"], &["forget", STACK, "--arch", "x64"]]
    {
        let (kind, message) = here.json(arguments).exits(10).error();
        assert!(kind == "unresolved" && message.contains(TARGET) && message.contains(STACK), "{message}");
        assert_eq!(content(&here.mirror()), before);
    }
    // The stack can be removed together with the target, or after the target.
    here.json(&["forget", STACK, TARGET, "--dry-run"]).exits(0);
    here.json(&["forget", TARGET]).exits(0);
    here.json(&["forget", STACK]).exits(0);
    here.json(&["verify"]).exits(0);
}

#[test]
fn a_sync_does_not_fetch_a_removed_kb_again() {
    let here = Bench::new();
    here.configure(
        "format = 1\n[[profile]]\nname = \"one\"\nfamily = \"windows-11-24h2\"\narchitectures = [\"arm64\"]\nkinds = [\"lcu\"]\n",
    );
    let sync = ["sync", "--as-of", "2026-03-31"];
    here.replay(&recording("demo"), &sync);
    let all = published(&here);
    assert!(all.contains(&KB.to_owned()), "{all:?}");
    here.json(&["forget", KB]).exits(0);
    let left: Vec<String> = all.iter().filter(|kb| *kb != KB).cloned().collect();
    let ran = here.replay(&recording("demo"), &sync);
    assert_eq!(published(&here), left);
    let found = ran.json()["found"].clone();
    let of_kb: Vec<&serde_json::Value> =
        found.as_array().unwrap().iter().filter(|one| one["kb"] == KB).collect();
    assert!(!of_kb.is_empty() && of_kb.iter().all(|one| one["because"] == "removed"), "{found}");
    here.json(&["verify"]).exits(0);
    // After `--undo`, the next run fetches the KB again.
    here.json(&["forget", KB, "--undo"]).exits(0);
    here.json(&["forget", KB, "--undo"]).exits(3);
    here.replay(&recording("demo"), &sync);
    assert_eq!(published(&here), all);
}

#[test]
fn an_import_skips_kbs_that_were_removed_from_this_mirror() {
    let here = connected(&[KB, OTHER, "--arch", "arm64"]);
    let there = isolated(&root_of(&here));
    let (first, second) = (here.path("first"), here.path("second"));
    export(&here, &["--all"], &first).exits(0);
    export(&here, &["--all"], &second).exits(0);
    import(&there, &first).exits(0);
    there.json(&["forget", KB]).exits(0);
    let pool = content(&there.mirror()).into_keys().filter(|path| path.starts_with("pool/")).count();
    for medium in [&first, &second] {
        let document = import(&there, medium).exits(0).json();
        assert_eq!(document["imported"]["skipped"].as_array().unwrap().len(), 1, "{document}");
        assert_eq!(published(&there), [OTHER]);
        let now = content(&there.mirror()).into_keys().filter(|path| path.starts_with("pool/")).count();
        assert_eq!(now, pool, "its files are not imported either");
        there.json(&["verify"]).exits(0);
    }
    there.json(&["forget", KB, "--undo"]).exits(0);
    import(&there, &second).exits(0);
    assert_eq!(published(&there), [OTHER, KB]);
    there.json(&["verify"]).exits(0);
}

#[test]
fn an_interrupted_removal_is_completed_by_the_next_run() {
    let here = connected(&[KB, OTHER, "--arch", "arm64"]);
    let (kb, copy) = (here.mirror().join("kb").join(KB), here.path("away"));
    super::harness::copy_folder(&kb, &copy);
    here.json(&["forget", KB]).exits(0);
    // The state after a kill between the change of the index and the move of the files.
    super::harness::copy_folder(&copy, &kb);
    let connection = rusqlite::Connection::open(here.mirror().join("mirror.db")).unwrap();
    let moves =
        format!(r#"{{"trash":"trash/later","folders":[["{KB}","windows-11-24h2-arm64"]],"pool":[]}}"#);
    connection.execute("INSERT INTO meta (key, value) VALUES ('forgetting', ?1)", [moves]).unwrap();
    drop(connection);
    fetch(&here, &[OTHER, "--arch", "arm64"]).exits(0);
    assert_eq!(published(&here), [OTHER]);
    assert!(here.mirror().join("trash/later/kb").join(KB).is_dir());
    here.json(&["verify"]).exits(0);
}
