//! `forget` moves sets to `trash/`. They are not fetched or imported again until the operator requests them.
#![expect(clippy::disallowed_methods, reason = "tests read mirrors directly")]

use std::fs;

use super::air_gap::{
    connected_mirror, export, fetch_from, import, isolated_mirror, mirror_digests, root_key_of,
};
use super::harness::{Bench, failure, field_texts, names_in, recording, text_of};
use super::support::{FileSpec, Loopback, UpdateSpec, World, id};

const KB: &str = "KB5086672";
const OTHER: &str = "KB5085516";

fn fetch(bench: &Bench, what: &[&str]) -> super::harness::RunOutput {
    bench.replay(&recording("demo"), &[&["fetch"], what].concat())
}

fn published(bench: &Bench) -> Vec<String> {
    let folder = bench.mirror().join("kb");
    names_in(&folder)
}

#[test]
fn a_kb_goes_to_the_trash_and_its_shared_checkpoint_stays() {
    let connected = connected_mirror(&[KB, OTHER, "--arch", "arm64"]);
    let before = mirror_digests(&connected.mirror());
    let document = connected.json(&["forget", KB, "--dry-run"]).exits(0).json();
    assert_eq!(document["dry_run"], true);
    assert_eq!(mirror_digests(&connected.mirror()), before, "a dry run changes nothing");
    let document = connected.json(&["forget", KB]).exits(0).json();
    assert_eq!(field_texts(&document["sets"], "kb"), [KB]);
    let kept = field_texts(&document["kept_files"], "name");
    assert!(kept.len() == 1 && kept[0].contains("kb5043080"), "{document}");
    assert_eq!(published(&connected), [OTHER]);
    let trash = connected.mirror().join(text_of(&document["trash"]));
    assert!(trash.join(format!("kb/{KB}/windows-11-24h2-arm64")).is_dir());
    assert_eq!(names_in(&trash.join("pool")).len(), document["removed_files"].as_array().unwrap().len());
    connected.json(&["verify"]).exits(0);
    // The checkpoint has no folder of its own.
    let ran = connected.json(&["forget", "KB5043080"]).exits(3);
    assert_eq!(ran.error(), failure("not_found", "KB5043080 is not published"));
    connected.json(&["verify"]).exits(0);
    // Every removed file of the pool is in the trash, and the other files are unchanged.
    let after = mirror_digests(&connected.mirror());
    for (path, digest) in &before {
        let still_exists = after.iter().any(|(_, own)| own == digest);
        assert!(still_exists || !path.starts_with("pool/"), "{path} is lost");
    }
    // The KB is requested by name again.
    fetch(&connected, &[KB, "--arch", "arm64"]).exits(0);
    assert_eq!(published(&connected), [OTHER, KB]);
    let state: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(connected.mirror().join("state.json")).unwrap()).unwrap();
    assert_eq!(state["removed"], serde_json::json!([]));
    connected.json(&["verify"]).exits(0);
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
    let connected = Bench::starting_at("2026-11-30T08:00:00Z");
    fetch_from(&connected, &loopback, &[TARGET]);
    assert!(published(&connected).contains(&STACK.to_owned()), "{:?}", published(&connected));
    let before = mirror_digests(&connected.mirror());
    for arguments in
        [&["forget", STACK][..], &["forget", STACK, "--dry-run"], &["forget", STACK, "--arch", "x64"]]
    {
        let ran = connected.json(arguments).exits(10);
        let message =
            format!("cannot remove {STACK}: it is the ssu that {TARGET} windows-8.1-x64 needs first");
        assert_eq!(ran.error(), failure("unresolved", message));
        assert_eq!(mirror_digests(&connected.mirror()), before);
    }
    // The stack can be removed together with the target, or after the target.
    connected.json(&["forget", STACK, TARGET, "--dry-run"]).exits(0);
    connected.json(&["forget", TARGET]).exits(0);
    connected.json(&["forget", STACK]).exits(0);
    connected.json(&["verify"]).exits(0);
}

#[test]
fn a_sync_does_not_fetch_a_removed_kb_again() {
    let connected = Bench::new();
    connected.configure(
        "format = 1\n[[profile]]\nname = \"one\"\nfamily = \"windows-11-24h2\"\narchitectures = [\"arm64\"]\nkinds = [\"lcu\"]\n",
    );
    let sync = ["sync", "--as-of", "2026-03-31"];
    connected.replay(&recording("demo"), &sync);
    let all = published(&connected);
    assert!(all.contains(&KB.to_owned()), "{all:?}");
    connected.json(&["forget", KB]).exits(0);
    let left: Vec<String> = all.iter().filter(|kb| *kb != KB).cloned().collect();
    let ran = connected.replay(&recording("demo"), &sync);
    assert_eq!(published(&connected), left);
    let found = ran.json()["found"].clone();
    let of_kb: Vec<&serde_json::Value> =
        found.as_array().unwrap().iter().filter(|one| one["kb"] == KB).collect();
    assert!(!of_kb.is_empty() && of_kb.iter().all(|one| one["because"] == "removed"), "{found}");
    connected.json(&["verify"]).exits(0);
    // After `--undo`, the next run fetches the KB again.
    connected.json(&["forget", KB, "--undo"]).exits(0);
    connected.json(&["forget", KB, "--undo"]).exits(3);
    connected.replay(&recording("demo"), &sync);
    assert_eq!(published(&connected), all);
}

#[test]
fn an_import_skips_kbs_that_were_removed_from_this_mirror() {
    let connected = connected_mirror(&[KB, OTHER, "--arch", "arm64"]);
    let isolated = isolated_mirror(&root_key_of(&connected));
    let (first, second) = (connected.path("first"), connected.path("second"));
    export(&connected, &["--all"], &first).exits(0);
    export(&connected, &["--all"], &second).exits(0);
    import(&isolated, &first).exits(0);
    isolated.json(&["forget", KB]).exits(0);
    let pool =
        mirror_digests(&isolated.mirror()).into_keys().filter(|path| path.starts_with("pool/")).count();
    for medium in [&first, &second] {
        let document = import(&isolated, medium).exits(0).json();
        assert_eq!(document["imported"]["skipped"].as_array().unwrap().len(), 1, "{document}");
        assert_eq!(published(&isolated), [OTHER]);
        let now =
            mirror_digests(&isolated.mirror()).into_keys().filter(|path| path.starts_with("pool/")).count();
        assert_eq!(now, pool, "its files are not imported either");
        isolated.json(&["verify"]).exits(0);
    }
    isolated.json(&["forget", KB, "--undo"]).exits(0);
    import(&isolated, &second).exits(0);
    assert_eq!(published(&isolated), [OTHER, KB]);
    isolated.json(&["verify"]).exits(0);
}

#[test]
fn an_interrupted_removal_is_completed_by_the_next_run() {
    let connected = connected_mirror(&[KB, OTHER, "--arch", "arm64"]);
    let (kb, copy) = (connected.mirror().join("kb").join(KB), connected.path("away"));
    super::harness::copy_folder(&kb, &copy);
    connected.json(&["forget", KB]).exits(0);
    // The state after a kill between the change of the index and the move of the files.
    super::harness::copy_folder(&copy, &kb);
    let connection = rusqlite::Connection::open(connected.mirror().join("mirror.db")).unwrap();
    let moves =
        format!(r#"{{"trash":"trash/later","folders":[["{KB}","windows-11-24h2-arm64"]],"pool":[]}}"#);
    connection.execute("INSERT INTO meta (key, value) VALUES ('forgetting', ?1)", [moves]).unwrap();
    drop(connection);
    fetch(&connected, &[OTHER, "--arch", "arm64"]).exits(0);
    assert_eq!(published(&connected), [OTHER]);
    assert!(connected.mirror().join("trash/later/kb").join(KB).is_dir());
    connected.json(&["verify"]).exits(0);
}
