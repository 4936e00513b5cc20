//! The lineage of a mirror outlives its index: numbers of sets, memory of media, and keys.
#![expect(clippy::disallowed_methods, reason = "indexes and states are lost as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;

use camino::Utf8Path;
use serde_json::Value;

use super::carry::{KB, connected, export, import, isolated, root_of};
use super::harness::{Bench, recording};

/// Loses the index of a mirror.
fn lose_index(bench: &Bench) {
    for name in ["mirror.db", "mirror.db-wal", "mirror.db-shm"] {
        let path = bench.mirror().join(name);
        if path.exists() {
            fs::remove_file(path).unwrap();
        }
    }
}

/// Makes a command write, which rebuilds a lost index.
fn rebuild(bench: &Bench) {
    bench.replay(&recording("demo"), &["fetch", KB, "--arch", "arm64"]).exits(0);
}

fn lose_state(bench: &Bench) {
    fs::remove_file(bench.mirror().join("state.json")).unwrap();
}

fn state(bench: &Bench) -> Value {
    serde_json::from_str(&fs::read_to_string(bench.mirror().join("state.json")).unwrap()).unwrap()
}

fn set(medium: &Utf8Path) -> Value {
    serde_json::from_str(&fs::read_to_string(medium.join("set.json")).unwrap()).unwrap()
}

#[test]
fn an_index_that_is_rebuilt_goes_on_in_its_lineage() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let there = isolated(&root_of(&here));
    let (first, second) = (here.path("first"), here.path("second"));
    export(&here, &["--all"], &first).exits(0);
    import(&there, &first).exits(0);
    lose_index(&here);
    rebuild(&here);
    export(&here, &["--all"], &second).exits(0);
    let (old, new) = (set(&first), set(&second));
    assert_eq!(old["mirror_id"], new["mirror_id"]);
    assert!(new["seq"].as_u64() > old["seq"].as_u64(), "{} {}", old["seq"], new["seq"]);
    let imported = import(&there, &second).exits(0).json();
    assert_eq!(imported["imported"]["older"], false);
    // Onto the stick of before.
    export(&here, &["--all"], &first).exits(0);
}

#[test]
fn a_mirror_that_lost_its_state_exports_only_into_a_new_lineage() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let there = isolated(&root_of(&here));
    let (first, second) = (here.path("first"), here.path("second"));
    export(&here, &["--all"], &first).exits(0);
    import(&there, &first).exits(0);
    lose_state(&here);
    for extra in [&[][..], &["--dry-run"]] {
        let (kind, message) = export(&here, &[&["--all"][..], extra].concat(), &second).exits(2).error();
        assert!(kind == "usage" && message.contains("state.json is missing"), "{message}");
        assert!(!second.exists());
    }
    here.clock.advance(std::time::Duration::from_secs(1));
    export(&here, &["--all", "--new-lineage"], &second).exits(0);
    assert_ne!(set(&first)["mirror_id"], set(&second)["mirror_id"]);
    assert_eq!(import(&there, &second).exits(0).json()["imported"]["older"], false);
    // From now on the state is known again.
    export(&here, &["--all"], &second).exits(0);
}

#[test]
fn an_index_and_a_state_that_are_both_lost_are_not_taken_for_a_new_mirror() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let medium = here.path("medium");
    export(&here, &["--all"], &medium).exits(0);
    lose_index(&here);
    lose_state(&here);
    rebuild(&here);
    export(&here, &["--all"], &here.path("other")).exits(2);
    export(&here, &["--all", "--new-lineage"], &here.path("other")).exits(0);
}

#[test]
fn the_isolated_side_knows_an_older_set_after_its_index_is_lost() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let there = isolated(&root_of(&here));
    let (first, second) = (here.path("first"), here.path("second"));
    export(&here, &["--all"], &first).exits(0);
    export(&here, &["--all"], &second).exits(0);
    import(&there, &second).exits(0);
    let memory = state(&there)["imports"].clone();
    lose_index(&there);
    let imported = import(&there, &first).exits(0).json();
    assert_eq!(imported["imported"]["older"], true);
    let (old, new) = (memory.as_object().unwrap(), state(&there)["imports"].clone());
    for (lineage, last) in old {
        assert_eq!(new[lineage]["seq"], last["seq"]);
    }
}

#[test]
fn the_isolated_side_takes_nothing_without_its_memory_unless_it_is_told_to() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let there = isolated(&root_of(&here));
    let medium = here.path("medium");
    export(&here, &["--all"], &medium).exits(0);
    import(&there, &medium).exits(0);
    lose_state(&there);
    for with_index in [true, false] {
        if !with_index {
            lose_index(&there);
        }
        let (kind, message) = import(&there, &medium).exits(11).error();
        assert!(kind == "refused" && message.contains("state.json is missing"), "{message}");
        assert!(!there.mirror().join("state.json").exists());
    }
    there.json(&["import", medium.as_str(), "--accept-lineage"]).exits(0);
    import(&there, &medium).exits(0);
    there.json(&["verify"]).exits(0);
}

#[test]
fn a_state_that_cannot_be_read_is_named_and_kept() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let path = here.mirror().join("state.json");
    fs::write(&path, "{").unwrap();
    let (_, message) = export(&here, &["--all"], &here.path("medium")).exits(5).error();
    assert!(message.contains("state.json cannot be read"), "{message}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    fs::write(&path, r#"{"format":99}"#).unwrap();
    let (_, message) = export(&here, &["--all"], &here.path("medium")).exits(2).error();
    assert!(message.contains("format 99"), "{message}");
}
