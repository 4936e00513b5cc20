//! The lineage of a mirror survives the loss of its index: numbers of sets, records of media, and keys.
#![expect(clippy::disallowed_methods, reason = "tests delete indexes and states directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::fs;

use camino::Utf8Path;
use serde_json::Value;

use super::carry::{KB, connected, export, import, isolated, root_of};
use super::harness::{Bench, recording};

/// Deletes the index of a mirror.
fn delete_index(bench: &Bench) {
    for name in ["mirror.db", "mirror.db-wal", "mirror.db-shm"] {
        let path = bench.mirror().join(name);
        if path.exists() {
            fs::remove_file(path).unwrap();
        }
    }
}

/// Runs a command that writes, which rebuilds a missing index.
fn rebuild(bench: &Bench) {
    bench.replay(&recording("demo"), &["fetch", KB, "--arch", "arm64"]).exits(0);
}

fn delete_state(bench: &Bench) {
    fs::remove_file(bench.mirror().join("state.json")).unwrap();
}

fn state(bench: &Bench) -> Value {
    serde_json::from_str(&fs::read_to_string(bench.mirror().join("state.json")).unwrap()).unwrap()
}

fn set(medium: &Utf8Path) -> Value {
    serde_json::from_str(&fs::read_to_string(medium.join("set.json")).unwrap()).unwrap()
}

#[test]
fn a_rebuilt_index_continues_the_lineage() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let there = isolated(&root_of(&here));
    let (first, second) = (here.path("first"), here.path("second"));
    export(&here, &["--all"], &first).exits(0);
    import(&there, &first).exits(0);
    delete_index(&here);
    rebuild(&here);
    export(&here, &["--all"], &second).exits(0);
    let (old, new) = (set(&first), set(&second));
    assert_eq!(old["mirror_id"], new["mirror_id"]);
    assert!(new["seq"].as_u64() > old["seq"].as_u64(), "{} {}", old["seq"], new["seq"]);
    let imported = import(&there, &second).exits(0).json();
    assert_eq!(imported["imported"]["older"], false);
    // An export to the first medium again.
    export(&here, &["--all"], &first).exits(0);
}

#[test]
fn without_its_state_a_mirror_exports_only_a_new_lineage() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let there = isolated(&root_of(&here));
    let (first, second) = (here.path("first"), here.path("second"));
    export(&here, &["--all"], &first).exits(0);
    import(&there, &first).exits(0);
    delete_state(&here);
    for extra in [&[][..], &["--dry-run"]] {
        let (kind, message) = export(&here, &[&["--all"][..], extra].concat(), &second).exits(2).error();
        assert!(kind == "usage" && message.contains("state.json is missing"), "{message}");
        assert!(!second.exists());
    }
    here.clock.advance(std::time::Duration::from_secs(1));
    export(&here, &["--all", "--new-lineage"], &second).exits(0);
    assert_ne!(set(&first)["mirror_id"], set(&second)["mirror_id"]);
    assert_eq!(import(&there, &second).exits(0).json()["imported"]["older"], false);
    // The next export finds the new state.
    export(&here, &["--all"], &second).exits(0);
}

#[test]
fn a_mirror_without_index_and_state_is_not_a_new_mirror() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let medium = here.path("medium");
    export(&here, &["--all"], &medium).exits(0);
    delete_index(&here);
    delete_state(&here);
    rebuild(&here);
    export(&here, &["--all"], &here.path("other")).exits(2);
    export(&here, &["--all", "--new-lineage"], &here.path("other")).exits(0);
}

#[test]
fn an_older_set_is_recognized_without_the_index() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let there = isolated(&root_of(&here));
    let (first, second) = (here.path("first"), here.path("second"));
    export(&here, &["--all"], &first).exits(0);
    export(&here, &["--all"], &second).exits(0);
    import(&there, &second).exits(0);
    let imports_before = state(&there)["imports"].clone();
    delete_index(&there);
    let imported = import(&there, &first).exits(0).json();
    assert_eq!(imported["imported"]["older"], true);
    let (old, new) = (imports_before.as_object().unwrap(), state(&there)["imports"].clone());
    for (lineage, last) in old {
        assert_eq!(new[lineage]["seq"], last["seq"]);
    }
}

#[test]
fn without_its_state_an_import_needs_accept_lineage() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let there = isolated(&root_of(&here));
    let medium = here.path("medium");
    export(&here, &["--all"], &medium).exits(0);
    import(&there, &medium).exits(0);
    delete_state(&there);
    for with_index in [true, false] {
        if !with_index {
            delete_index(&there);
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
fn an_unreadable_state_is_reported_and_kept() {
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
