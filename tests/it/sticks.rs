//! Tests of exports to media with content: an export adds sets and never destroys content by accident.
#![expect(clippy::disallowed_methods, reason = "media are looked at and spoiled as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

mod hostile;
mod interrupted;
mod targets;

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::air_gap::{
    KB, connected_mirror, create_keys, export, fetch_from, file_digests, import, isolated_mirror, lcu,
    mirror_digests, package, root_key_of, share_keys,
};
use super::harness::{Bench, failure, field_texts, items, read_tree, recording, sha256_hex, text_of};
use super::support::{Loopback, World};

const OTHER: &str = "KB5085516";
const ARM: &str = "windows-11-24h2-arm64";
const X64: &str = "windows-11-24h2-x64";

/// Returns the content of a medium, without the parts that change with each set.
fn payload(medium: &Utf8Path) -> BTreeMap<String, String> {
    let mut files = file_digests(medium);
    files.retain(|path, _| path.starts_with("data/"));
    files
}

/// Returns the folders of package sets in a medium's signed listing.
#[track_caller]
fn listed(isolated_side: &Bench, medium: &Utf8Path) -> Vec<String> {
    isolated_side.json(&["check-medium", medium.as_str()]).exits(0);
    let listing = fs::read_to_string(medium.join("listing.jsonl")).unwrap();
    let lines = listing.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["record"] == "set")
        .map(|line| format!("{} {}", text_of(&line["kb"]), text_of(&line["set"]["folder"])))
        .collect()
}

/// Returns two mirrors with the same keys: the first has one KB and a stick with it, the second has the other KB.
fn two_mirrors() -> (Bench, Bench, Utf8PathBuf) {
    let first = connected_mirror(&[KB, "--arch", "arm64"]);
    let stick = first.path("stick");
    export(&first, &[KB], &stick).exits(0);
    let second = connected_mirror(&[OTHER, "--arch", "arm64"]);
    share_keys(&first, &second);
    (first, second, stick)
}

#[test]
fn a_selection_without_matches_writes_nothing() {
    let connected_side = connected_mirror(&[KB, OTHER]);
    let stick = connected_side.path("stick");
    export(&connected_side, &["--all"], &stick).exits(0);
    let before = file_digests(&stick);
    let fresh = connected_side.path("fresh");
    let mirror = connected_side.mirror();
    let not_for_x86 = "no published package set of KB5086672 is for x86";
    let one_unknown = format!("KB5000001 is not published in the mirror at {mirror}");
    let two_unknown = format!("KB5000001, KB5000002 are not published in the mirror at {mirror}");
    for (selection, message) in [
        (&[KB, "--arch", "x86"][..], not_for_x86),
        (&["--all", "--arch", "x86"], "no published package set is for x86"),
        (&[KB, "KB5000001"], &one_unknown),
        (&["KB5000001", "KB5000002"], &two_unknown),
        (&["KB5000001", "--prune", "--yes"], &one_unknown),
        (&[KB, "--arch", "x86", "--prune", "--yes"], not_for_x86),
        (&[KB, "--arch", "x86", "--dry-run"], not_for_x86),
    ] {
        for to in [&stick, &fresh] {
            let ran = export(&connected_side, selection, to).exits(3);
            assert_eq!(ran.error(), failure("not_found", message), "{selection:?}");
            let hints = ran.json()["error"]["hints"].to_string();
            assert!(hints.contains("arm64") && hints.contains("x64"), "{hints}");
            assert!(hints.contains("nothing was written"), "{hints}");
        }
        assert_eq!(file_digests(&stick), before, "{selection:?}");
        assert!(!fresh.exists(), "{selection:?}");
    }
    // An architecture without a match is reported even if another architecture matches.
    let ran = connected_side
        .run(&["export", KB, "--arch", "arm64", "--arch", "x86", "--to", fresh.as_str()])
        .exits(0);
    assert!(ran.stderr.contains("warning: no selected package set is for x86"), "{}", ran.stderr);
    let empty = Bench::new();
    create_keys(&empty);
    empty.json(&["--replay", recording("demo").as_str(), "crawl", KB]).exits(0);
    let message = format!("the mirror at {} has no published package set", empty.mirror());
    assert_eq!(export(&empty, &["--all"], &fresh).exits(3).error(), failure("not_found", message));
}

#[test]
fn a_selection_without_bytes_writes_nothing() {
    let connected_side = connected_mirror(&[KB, "--arch", "arm64"]);
    fs::remove_dir_all(connected_side.mirror().join("pool")).unwrap();
    let stick = connected_side.path("stick");
    let (kind, message) = export(&connected_side, &[KB], &stick).exits(4).error();
    assert!(kind == "incomplete" && message.contains("is not in the pool"), "{message}");
    assert!(!stick.exists());
}

#[test]
fn export_adds_and_updates_and_prune_removes() {
    let connected_side = connected_mirror(&[KB, OTHER]);
    let isolated_side = isolated_mirror(&root_key_of(&connected_side));
    let stick = connected_side.path("stick");
    export(&connected_side, &[KB, "--arch", "x64"], &stick).exits(0);
    export(&connected_side, &[KB, "--arch", "arm64"], &stick).exits(0);
    assert_eq!(listed(&isolated_side, &stick), [format!("{KB} {ARM}"), format!("{KB} {X64}")]);
    let added = export(&connected_side, &[OTHER, "--arch", "x64"], &stick).exits(0).json();
    let plan = &added["plan"];
    assert_eq!(
        (field_texts(&plan["additions"], "kb"), items(&plan["kept"]).len()),
        (vec![OTHER.to_owned()], 2)
    );
    assert_eq!((items(&plan["updates"]).len(), items(&plan["removals"]).len()), (0, 0));
    assert!(plan["additions"][0]["bytes"].as_u64() > Some(1000), "{plan:#}");
    let all = listed(&isolated_side, &stick);
    assert_eq!(all.len(), 3);
    let set: Value = serde_json::from_slice(&fs::read(stick.join("set.json")).unwrap()).unwrap();
    // The selection has only the requested sets. Sets that stay beside them are listed separately.
    assert_eq!(set["selection"], json!({ "all": false, "kbs": [OTHER], "architectures": ["x64"] }));
    assert_eq!(field_texts(&set["retained"], "folder"), [ARM, X64]);
    assert_eq!(set["volumes"][0]["files"], payload(&stick).len());

    // The plan of a dry run equals the plan of the export, and the dry run writes nothing.
    let before = file_digests(&stick);
    let dry = export(&connected_side, &[KB, "--prune", "--dry-run"], &stick).exits(0).json();
    assert_eq!(file_digests(&stick), before);
    assert_eq!(field_texts(&dry["plan"]["removals"], "folder"), [X64]);
    assert_eq!((&dry["needs_yes"], &dry["exported"]), (&json!(true), &Value::Null));
    let text = connected_side.run(&["export", KB, "--prune", "--dry-run", "--to", stick.as_str()]).exits(0);
    assert!(text.stdout.contains("removes 1 set, 50.1 KB"), "{}", text.stdout);
    assert!(text.stdout.contains("dry run: nothing was written"), "{}", text.stdout);

    // A removal of more than a fifth needs a confirmation, or --yes without a terminal.
    let ran = export(&connected_side, &[KB, "--prune"], &stick).exits(2);
    let removal = "--prune removes 50.1 KB of 173.2 KB from the medium (KB5085516 windows-11-24h2-x64)";
    assert_eq!(ran.error(), failure("usage", format!("{removal}, which is more than a fifth")));
    let mut connected_side = connected_side;
    connected_side.is_interactive = true;
    for answer in ["\n", "no\n", ""] {
        connected_side.stdin = answer.to_owned();
        let ran = connected_side.run(&["export", KB, "--prune", "--to", stick.as_str()]).exits(2);
        let refused = "error: the removal was not confirmed\n  hint: nothing was changed\n";
        assert_eq!(ran.stderr, format!("{removal}. Continue? [y/N] {refused}"));
    }
    assert_eq!(file_digests(&stick), before);
    connected_side.stdin = "y\n".to_owned();
    let pruned = export(&connected_side, &[KB, "--prune"], &stick).exits(0).json();
    assert_eq!(pruned["plan"]["removals"], dry["plan"]["removals"]);
    assert_eq!(listed(&isolated_side, &stick), [format!("{KB} {ARM}"), format!("{KB} {X64}")]);
    assert!(!stick.join("data").join(OTHER).exists());
    // A confirmation is not needed if no set is removed.
    connected_side.is_interactive = false;
    export(&connected_side, &[KB, "--prune"], &stick).exits(0);
}

#[test]
fn a_small_removal_needs_no_confirmation() {
    let update = |number: u32, kb: &str, build: &str, bytes: &str| {
        lcu(number, "2024-08", kb, build, vec![package(kb, bytes)])
    };
    let world = World::new().update(update(1, "KB5041865", "26100.1457", &"x".repeat(900))).update(update(
        2,
        "KB5040435",
        "26100.1150",
        "the other file",
    ));
    let (connected_side, loopback) = (Bench::new(), Loopback::start(world));
    fetch_from(&connected_side, &loopback, &["KB5041865", "KB5040435"]).exits(0);
    create_keys(&connected_side);
    let stick = connected_side.path("stick");
    export(&connected_side, &["--all"], &stick).exits(0);
    let pruned = export(&connected_side, &["KB5041865", "--prune"], &stick).exits(0).json();
    assert_eq!(pruned["plan"]["removed_bytes"], 14);
}

#[test]
fn sets_unknown_to_the_mirror_stay_and_are_reported() {
    let (first, second, stick) = two_mirrors();
    let isolated_side = isolated_mirror(&root_key_of(&first));
    let before = payload(&stick);
    let ran = second.run(&["export", OTHER, "--to", stick.as_str()]).exits(0);
    assert!(ran.stdout.contains("kept, not in this mirror"), "{}", ran.stdout);
    assert_eq!(listed(&isolated_side, &stick), [format!("{OTHER} {ARM}"), format!("{KB} {ARM}")]);
    for (path, digest) in &before {
        assert_eq!(payload(&stick).get(path), Some(digest), "{path}");
    }
    // The isolated side imports the union, with all facts about both sets.
    import(&isolated_side, &stick).exits(0);
    for (kb, maker) in [(KB, &first), (OTHER, &second)] {
        let own = |bench: &Bench| file_digests(&bench.mirror().join("kb").join(kb).join(ARM));
        assert_eq!(own(&isolated_side), own(maker));
        let resolve = ["resolve", kb, "--arch", "arm64"];
        assert_eq!(isolated_side.json(&resolve).exits(0).stdout, maker.json(&resolve).exits(0).stdout);
    }
    // The set number continues from the medium, so that numbers are unique.
    let set: Value = serde_json::from_slice(&fs::read(stick.join("set.json")).unwrap()).unwrap();
    assert_eq!(set["number"], 2);
    // A second export without a change, and an export from the first mirror again.
    second.run(&["export", OTHER, "--to", stick.as_str()]).exits(0);
    let back = export(&first, &[KB], &stick).exits(0).json();
    let unknown: Vec<&Value> =
        items(&back["plan"]["kept"]).iter().filter(|set| set["in_mirror"] == false).collect();
    assert_eq!(unknown.iter().map(|set| text_of(&set["kb"])).collect::<Vec<_>>(), [OTHER]);
    assert_eq!(listed(&isolated_side, &stick).len(), 2);
}

#[test]
fn damage_to_a_kept_set_is_found_before_the_new_signature() {
    let (first, second, stick) = two_mirrors();
    let target = payload(&stick).into_keys().find(|path| path.contains("kb5086672-arm64")).unwrap();
    let script = format!("data/{KB}/{ARM}.cmd");
    let checkpoint = payload(&stick).into_keys().find(|path| path.contains("kb5043080-arm64")).unwrap();
    let flip = |path: &str| {
        let mut bytes = fs::read(stick.join(path)).unwrap();
        let place = bytes.len() / 2;
        bytes[place] ^= 1;
        fs::write(stick.join(path), bytes).unwrap();
    };
    let right = read_tree(&stick);
    for path in [&target, &script] {
        for damage in ["flip", "cut", "away"] {
            match damage {
                "flip" => flip(path),
                "cut" => fs::write(stick.join(path), b"x").unwrap(),
                _ => fs::remove_file(stick.join(path)).unwrap(),
            }
            let before = file_digests(&stick);
            let (kind, message) = export(&second, &[OTHER], &stick).exits(11).error();
            assert!(kind == "refused" && message.contains(path.as_str()), "{damage}: {message}");
            assert_eq!(file_digests(&stick), before, "{damage}");
            fs::write(stick.join(path), &right[path.as_str()]).unwrap();
        }
    }
    // The pool of the other mirror has the checkpoint too, so it is replaced.
    flip(&checkpoint);
    export(&second, &[OTHER], &stick).exits(0);
    assert_eq!(fs::read(stick.join(&checkpoint)).unwrap(), right[&checkpoint]);
    // A mirror that knows the set replaces everything.
    for path in [&target, &script, &checkpoint] {
        flip(path);
    }
    let repaired = export(&first, &[KB], &stick).exits(0).json();
    // The checkpoint is one file with two names if the file system supports links.
    assert!([2, 3].contains(&repaired["exported"]["written"].as_u64().unwrap()), "{repaired:#}");
    assert_eq!(listed(&isolated_mirror(&root_key_of(&first)), &stick).len(), 2);
    for path in [&target, &script, &checkpoint] {
        assert_eq!(fs::read(stick.join(path)).unwrap(), right[path.as_str()]);
    }
    // The operator may give the set up.
    flip(&target);
    export(&second, &[OTHER, "--prune", "--yes"], &stick).exits(0);
    assert_eq!(listed(&isolated_mirror(&root_key_of(&first)), &stick), [format!("{OTHER} {ARM}")]);
}

#[test]
fn a_newer_generation_replaces_a_set_that_is_not_selected() {
    let (old, new) = (package("KB5041865", "the file"), package("KB5041865", "the file anew"));
    let world = |file: &super::support::FileSpec| {
        World::new().update(lcu(1, "2024-08", "KB5041865", "26100.1457", vec![file.clone()])).update(lcu(
            2,
            "2024-07",
            "KB5040435",
            "26100.1150",
            vec![package("KB5040435", "the other file")],
        ))
    };
    let (connected_side, loopback) = (Bench::new(), Loopback::start(world(&old)));
    fetch_from(&connected_side, &loopback, &["KB5041865", "KB5040435"]).exits(0);
    let isolated_side = isolated_mirror(&create_keys(&connected_side));
    let stick = connected_side.path("stick");
    export(&connected_side, &["KB5041865"], &stick).exits(0);
    connected_side.clock.advance(std::time::Duration::from_hours(24));
    loopback.replace(world(&new));
    fetch_from(&connected_side, &loopback, &["KB5041865"]).exits(0);
    let updated = export(&connected_side, &["KB5040435"], &stick).exits(0).json();
    assert_eq!(field_texts(&updated["plan"]["updates"], "kb"), ["KB5041865"]);
    assert_eq!(updated["plan"]["updates"][0]["replaced_bytes"], 8);
    assert_eq!(listed(&isolated_side, &stick).len(), 2);
    let files = payload(&stick).into_keys().collect::<Vec<_>>().concat();
    assert!(files.contains(&new.name) && !files.contains(&old.name), "{files}");
    // Replacing a generation is not a removal, so it needs no confirmation.
    assert_eq!(updated["plan"]["removed_bytes"], 0);
}

#[test]
fn a_mirror_with_an_older_generation_keeps_the_newer_one() {
    let (old, new) = (package("KB5041865", "the file"), package("KB5041865", "the file anew"));
    let world = |file: &super::support::FileSpec, day: &str| {
        let mut update = lcu(1, "2024-08", "KB5041865", "26100.1457", vec![file.clone()]);
        day.clone_into(&mut update.last_updated);
        World::new().update(update)
    };
    let loopback = Loopback::start(world(&old, "8/13/2024"));
    let (behind, ahead) = (Bench::new(), Bench::new());
    fetch_from(&behind, &loopback, &["KB5041865"]).exits(0);
    create_keys(&behind);
    loopback.replace(world(&new, "8/20/2024"));
    // Both mirrors use the same loopback host, so their origin is the same.
    fetch_from(&ahead, &loopback, &["KB5041865"]).exits(0);
    share_keys(&behind, &ahead);
    let stick = ahead.path("stick");
    export(&ahead, &["KB5041865"], &stick).exits(0);
    let before = payload(&stick);
    let kept = export(&behind, &["KB5041865"], &stick).exits(0).json();
    let warning = "kept KB5041865 windows-11-24h2-arm64: the medium has a newer generation than this mirror";
    assert_eq!(kept["plan"]["warnings"], json!([warning]));
    assert_eq!(payload(&stick), before);
    // With --prune the medium has exactly the sets of this mirror.
    export(&behind, &["KB5041865", "--prune"], &stick).exits(0);
    let files = payload(&stick).into_keys().collect::<Vec<_>>().concat();
    assert!(files.contains(&old.name) && !files.contains(&new.name), "{files}");
}

#[test]
fn damage_in_the_pool_is_not_exported() {
    let connected_side = connected_mirror(&[KB, OTHER]);
    let isolated_side = isolated_mirror(&root_key_of(&connected_side));
    let stick = connected_side.path("stick");
    export(&connected_side, &[OTHER], &stick).exits(0);
    let before = file_digests(&stick);
    let wanted = file_digests(&connected_side.mirror().join("kb").join(KB).join(X64));
    let (_, digest) = wanted.into_iter().find(|(name, _)| name.contains("kb5086672")).unwrap();
    let pooled = connected_side.mirror().join("pool/sha256").join(&digest[..2]).join(&digest);
    let right = fs::read(&pooled).unwrap();
    let mut wrong = right.clone();
    wrong[right.len() - 1] ^= 1;
    // The set folders share their bytes with the pool, and the file is read-only.
    fs::remove_file(&pooled).unwrap();
    fs::write(&pooled, &wrong).unwrap();
    let fresh = connected_side.path("fresh");
    let prepared_folder = connected_side.path("made");
    fs::create_dir(&prepared_folder).unwrap();
    for to in [&stick, &fresh, &prepared_folder] {
        let message = format!("{pooled} in the pool is damaged: its digest is {}", sha256_hex(&wrong));
        assert_eq!(export(&connected_side, &[KB], to).exits(5).error(), failure("integrity", message));
        // The damage is recorded, so the next export does not try the file.
        export(&connected_side, &[KB, "--arch", "x64"], to).exits(4);
        // The right bytes are restored and verified, then damaged again.
        fs::write(&pooled, &right).unwrap();
        connected_side.json(&["verify"]);
        fs::write(&pooled, &wrong).unwrap();
    }
    assert_eq!(file_digests(&stick), before, "the medium must not change");
    assert_eq!(listed(&isolated_side, &stick).len(), 2);
    assert!(!fresh.exists() && read_tree(&prepared_folder).is_empty() && prepared_folder.exists());
    fs::write(&pooled, right).unwrap();
    connected_side.json(&["verify"]);
    export(&connected_side, &[KB], &stick).exits(0);
    assert_eq!(listed(&isolated_side, &stick).len(), 4);
}

#[test]
fn prune_keeps_a_selected_set_missing_in_the_pool() {
    let connected_side = connected_mirror(&[KB, OTHER]);
    let isolated_side = isolated_mirror(&root_key_of(&connected_side));
    let stick = connected_side.path("stick");
    export(&connected_side, &["--all"], &stick).exits(0);
    let before = payload(&stick);
    let (path, digest) = before.iter().find(|(path, _)| path.contains("kb5086672-x64")).unwrap();
    let name = Utf8Path::new(path).file_name().unwrap();
    let pooled = connected_side.mirror().join("pool/sha256").join(&digest[..2]).join(digest);
    let right = fs::read(&pooled).unwrap();
    for is_gone in [true, false] {
        let _gone = fs::remove_file(&pooled);
        if !is_gone {
            fs::write(&pooled, vec![0; right.len()]).unwrap();
            connected_side.json(&["verify"]).exits(5);
        }
        for selection in [&["--all", "--prune", "--yes"][..], &[KB, OTHER, "--prune", "--yes"]] {
            let ran = export(&connected_side, selection, &stick).exits(4).json();
            assert_eq!(items(&ran["plan"]["removals"]).len(), 0, "{ran:#}");
            let reason = format!("{name} is not in the pool, or is damaged there");
            let warning = format!("kept {KB} {X64} of the medium: {reason}");
            assert_eq!(ran["plan"]["warnings"], json!([warning]));
            assert_eq!(payload(&stick), before);
        }
        // The result is the same without a valid description.
        fs::remove_file(stick.join("set.json.minisig")).unwrap();
        export(&connected_side, &["--all", "--prune", "--yes"], &stick).exits(4);
        assert_eq!(payload(&stick), before);
    }
    // A set that is not selected is removed, as requested.
    export(&connected_side, &[OTHER, "--prune", "--yes"], &stick).exits(0);
    assert!(listed(&isolated_side, &stick).iter().all(|set| set.starts_with(OTHER)));
}

#[test]
fn the_last_line_claims_only_verified_facts() {
    let connected_side = connected_mirror(&[KB, "--arch", "arm64"]);
    let stick = connected_side.path("stick");
    let ran = connected_side.run(&["export", KB, "--to", stick.as_str()]).exits(0);
    let last = ran.stdout.trim_end().lines().last().unwrap();
    assert!(last.starts_with(&format!("{stick}: complete, synced; content not proven until")), "{last}");
    assert!(ran.stderr.contains("is a local folder"), "{}", ran.stderr);
    assert!(
        !ran.stdout.contains("safe to remove") && !ran.stdout.contains("from the device"),
        "{}",
        ran.stdout
    );
    let Some(disk) = super::interrupted_export::TmpFs::new(connected_side.path("mounted"), 8192) else {
        return;
    };
    let arguments = ["export", KB, "--expect-mount", "--to", disk.folder.as_str()];
    let ran = connected_side.run(&arguments).exits(0);
    let last = ran.stdout.trim_end().lines().last().unwrap();
    let words = "complete, synced; content not proven until the medium is re-plugged and checked";
    assert_eq!(last, format!("{}: {words}", disk.folder));
    assert!(!ran.stderr.contains("local folder"), "{}", ran.stderr);
    let document = export(&connected_side, &[KB], &disk.folder).exits(0).json();
    assert_eq!(
        (&document["exported"]["read_back_cold"], &document["exported"]["local"]),
        (&json!(false), &Value::Null)
    );
}

#[test]
fn newer_knowledge_on_a_medium_is_kept() {
    let connected_side = connected_mirror(&[KB, "--arch", "arm64"]);
    let families = include_str!("../../src/servicing/data/families.toml");
    let date = families.lines().find(|line| line.starts_with("date = ")).unwrap();
    let folder = connected_side.path("tables");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("families.toml"), families.replacen(date, "date = \"2031-01-01\"", 1)).unwrap();
    let stick = connected_side.path("stick");
    connected_side.run(&["--knowledge", folder.as_str(), "export", KB, "--to", stick.as_str()]).exits(0);
    let on_stick = || fs::read_to_string(stick.join("knowledge/families.toml")).unwrap();
    let newer = on_stick();
    assert!(newer.contains("2031-01-01"));
    let ran = connected_side.run(&["export", KB, "--to", stick.as_str()]).exits(0);
    assert!(ran.stderr.contains("kept the knowledge tables of 2031-01-01"), "{}", ran.stderr);
    assert_eq!(on_stick(), newer);
    let checked = connected_side.json(&["check-medium", stick.as_str()]).exits(0).json();
    assert_eq!(checked["set"]["knowledge"]["date"], "2031-01-01");
}

#[test]
fn a_medium_without_package_sets_cannot_be_imported() {
    let small = super::air_gap::small_medium();
    let isolated_side = isolated_mirror(&small.root);
    let medium = isolated_side.path("medium");
    small.copy_to(&medium);
    fs::remove_dir_all(medium.join("data")).unwrap();
    fs::write(medium.join("manifest-sha256.txt"), b"").unwrap();
    fs::write(medium.join("listing.jsonl"), b"").unwrap();
    super::air_gap::sign_again(small, &medium, |_| {});
    let before = mirror_digests(&isolated_side.mirror());
    for command in ["check-medium", "import"] {
        let ran = isolated_side.json(&[command, medium.as_str()]).exits(10);
        let message = format!("set 0001 on {medium} matches its signature, but has no package sets");
        assert_eq!(ran.error(), failure("unresolved", message), "{command}");
        assert_eq!(mirror_digests(&isolated_side.mirror()), before);
    }
}
