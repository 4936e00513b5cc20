//! The lineage of a mirror survives the loss of its index: numbers of sets, records of media, and keys.
#![expect(clippy::disallowed_methods, reason = "tests delete indexes and states directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::fs;

use camino::Utf8Path;
use serde_json::Value;

use super::air_gap::{KB, connected_mirror, export, import, isolated_mirror, root_key_of};
use super::harness::{Bench, failure, recording};

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
    let connected = connected_mirror(&[KB, "--arch", "arm64"]);
    let isolated = isolated_mirror(&root_key_of(&connected));
    let (first, second) = (connected.path("first"), connected.path("second"));
    export(&connected, &["--all"], &first).exits(0);
    import(&isolated, &first).exits(0);
    delete_index(&connected);
    rebuild(&connected);
    export(&connected, &["--all"], &second).exits(0);
    let (old, new) = (set(&first), set(&second));
    assert_eq!(old["mirror_id"], new["mirror_id"]);
    assert!(new["seq"].as_u64() > old["seq"].as_u64(), "{} {}", old["seq"], new["seq"]);
    let imported = import(&isolated, &second).exits(0).json();
    assert_eq!(imported["imported"]["older"], false);
    // An export to the first medium again.
    export(&connected, &["--all"], &first).exits(0);
}

#[test]
fn without_its_state_a_mirror_exports_only_a_new_lineage() {
    let connected = connected_mirror(&[KB, "--arch", "arm64"]);
    let isolated = isolated_mirror(&root_key_of(&connected));
    let (first, second) = (connected.path("first"), connected.path("second"));
    export(&connected, &["--all"], &first).exits(0);
    import(&isolated, &first).exits(0);
    delete_state(&connected);
    for extra in [&[][..], &["--dry-run"]] {
        let ran = export(&connected, &[&["--all"][..], extra].concat(), &second).exits(2);
        let state = connected.mirror().join("state.json");
        let message =
            format!("{state} is missing, so the numbers of earlier sets are not known; nothing was written");
        assert_eq!(ran.error(), failure("usage", message));
        assert!(!second.exists());
    }
    connected.clock.advance(std::time::Duration::from_secs(1));
    export(&connected, &["--all", "--new-lineage"], &second).exits(0);
    assert_ne!(set(&first)["mirror_id"], set(&second)["mirror_id"]);
    assert_eq!(import(&isolated, &second).exits(0).json()["imported"]["older"], false);
    // The next export finds the new state.
    export(&connected, &["--all"], &second).exits(0);
}

#[test]
fn a_mirror_without_index_and_state_is_not_a_new_mirror() {
    let connected = connected_mirror(&[KB, "--arch", "arm64"]);
    let medium = connected.path("medium");
    export(&connected, &["--all"], &medium).exits(0);
    delete_index(&connected);
    delete_state(&connected);
    rebuild(&connected);
    export(&connected, &["--all"], &connected.path("other")).exits(2);
    export(&connected, &["--all", "--new-lineage"], &connected.path("other")).exits(0);
}

#[test]
fn an_older_set_is_recognized_without_the_index() {
    let connected = connected_mirror(&[KB, "--arch", "arm64"]);
    let isolated = isolated_mirror(&root_key_of(&connected));
    let (first, second) = (connected.path("first"), connected.path("second"));
    export(&connected, &["--all"], &first).exits(0);
    export(&connected, &["--all"], &second).exits(0);
    import(&isolated, &second).exits(0);
    let imports_before = state(&isolated)["imports"].clone();
    delete_index(&isolated);
    let imported = import(&isolated, &first).exits(0).json();
    assert_eq!(imported["imported"]["older"], true);
    let (old, new) = (imports_before.as_object().unwrap(), state(&isolated)["imports"].clone());
    for (lineage, last) in old {
        assert_eq!(new[lineage]["seq"], last["seq"]);
    }
}

#[test]
fn without_its_state_an_import_needs_accept_lineage() {
    let connected = connected_mirror(&[KB, "--arch", "arm64"]);
    let isolated = isolated_mirror(&root_key_of(&connected));
    let medium = connected.path("medium");
    export(&connected, &["--all"], &medium).exits(0);
    import(&isolated, &medium).exits(0);
    delete_state(&isolated);
    for with_index in [true, false] {
        if !with_index {
            delete_index(&isolated);
        }
        let state = isolated.mirror().join("state.json");
        let message = format!("{state} is missing, so older sets and replaced keys cannot be detected");
        assert_eq!(import(&isolated, &medium).exits(11).error(), failure("refused", message));
        assert!(!state.exists());
    }
    isolated.json(&["import", medium.as_str(), "--accept-lineage"]).exits(0);
    import(&isolated, &medium).exits(0);
    isolated.json(&["verify"]).exits(0);
}

#[test]
fn an_unreadable_state_is_reported_and_kept() {
    let connected = connected_mirror(&[KB, "--arch", "arm64"]);
    let path = connected.mirror().join("state.json");
    fs::write(&path, "{").unwrap();
    let medium = connected.path("medium");
    let message = format!("{path} cannot be read: EOF while parsing an object at line 1 column 1");
    assert_eq!(export(&connected, &["--all"], &medium).exits(5).error(), failure("integrity", message));
    assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    fs::write(&path, r#"{"format":99}"#).unwrap();
    let message = format!("{path} has format 99; this program reads formats up to 1");
    assert_eq!(export(&connected, &["--all"], &medium).exits(2).error(), failure("usage", message));
}
