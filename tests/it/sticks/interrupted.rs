//! An export that is interrupted at any point loses no set that it had to keep.

use kbmirror::carrier::SecretKey;

use super::*;

/// The files that describe a set. An export keeps copies of them.
const DESCRIPTION: [&str; 7] = [
    "keys.json",
    "keys.json.minisig",
    "manifest-sha256.txt",
    "manifest-sha256.txt.minisig",
    "listing.jsonl",
    "set.json",
    "set.json.minisig",
];

/// Returns the marker of an unfinished export, signed as by the program.
fn marker(bench: &Bench, files: &[&String]) -> Vec<u8> {
    let key = fs::read_to_string(bench.mirror().join("keys/export.key")).unwrap();
    let key = SecretKey::from_text(&key).unwrap();
    let body = json!({
        "format": 1,
        "what": "kbmirror unfinished export",
        "mirror_id": "x",
        "lineage": "x",
        "seq": 2,
        "created": "2026-11-23T08:00:00Z",
        "files": files,
    })
    .to_string();
    let signature = key.sign(body.as_bytes(), "unfinished export").unwrap();
    json!({ "body": body, "signature": signature }).to_string().into_bytes()
}

type Files = BTreeMap<String, Vec<u8>>;

fn write(folder: &Utf8Path, files: &Files) {
    for (path, bytes) in files {
        fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        fs::write(folder.join(path), bytes).unwrap();
    }
}

#[test]
fn an_interrupted_export_keeps_the_sets_it_had_to_keep() {
    let (first, second, stick) = two_mirrors();
    let isolated_side = isolated_mirror(&root_key_of(&first));
    let old = read_tree(&stick);
    export(&second, &[OTHER], &stick).exits(0);
    let new = read_tree(&stick);
    let is_data = |path: &String| path.starts_with("data/");
    let names: Vec<&String> = new.keys().filter(|path| is_data(path)).collect();
    let marker = ("unfinished/export.json".to_owned(), marker(&second, &names));
    let copies = DESCRIPTION.map(|name| (format!("unfinished/{name}"), old[name].clone()));
    let fresh: Vec<_> = new.iter().filter(|(path, _)| is_data(path) && !old.contains_key(*path)).collect();
    let cloned = |(path, bytes): &(&String, &Vec<u8>)| ((*path).clone(), (*bytes).clone());

    let mut states: Vec<Files> = Vec::new();
    // The marker is written first, then one file after the other, each of them once half written.
    let mut state = old.clone();
    state.extend([marker.clone()]);
    states.push(state.clone());
    for file in &fresh {
        let (path, bytes) = cloned(file);
        let mut half = state.clone();
        half.insert(format!("{path}.kbm-part"), bytes[..bytes.len() / 2].to_vec());
        states.push(half);
        state.insert(path, bytes);
        states.push(state.clone());
    }
    // The copies are written one by one, then the signature is removed.
    for copy in &copies {
        state.extend([copy.clone()]);
        states.push(state.clone());
    }
    state.remove("set.json.minisig");
    states.push(state.clone());
    // The new texts are written one by one, the signature last.
    for (path, bytes) in new.iter().filter(|(path, _)| !is_data(path) && *path != "set.json.minisig") {
        state.insert(path.clone(), bytes.clone());
        states.push(state.clone());
    }
    // A signature file that was truncated by a power cut.
    let signature = &new["set.json.minisig"];
    state.insert("set.json.minisig".to_owned(), signature[..signature.len() / 2].to_vec());
    states.push(state.clone());
    state.insert("set.json.minisig".to_owned(), signature.clone());
    states.push(state.clone());
    // The copies are removed one by one, the marker last.
    for (name, _) in copies.iter().rev() {
        state.remove(name);
        states.push(state.clone());
    }
    assert!(states.len() > 50, "{}", states.len());
    let mut runs = 0;
    for (number, state) in states.iter().enumerate() {
        let medium = second.path("cut");
        let _gone = fs::remove_dir_all(&medium);
        write(&medium, state);
        if number % 4 == 0 {
            let ran = isolated_side.json(&["check-medium", medium.as_str()]).exits(11);
            let message =
                format!("{medium} is unfinished: an export to it was interrupted (unfinished/export.json)");
            assert_eq!(ran.error(), failure("refused", message), "state {number}");
        }
        // Texts change one by one in many states. A third of these states and all special states are checked.
        if number % 3 != 0 && number + 12 < states.len() && number > 2 * fresh.len() + 9 {
            continue;
        }
        runs += 1;
        export(&second, &[OTHER], &medium).exits(0);
        assert_eq!(payload(&medium), payload(&stick), "state {number}");
        let left = medium.join("unfinished");
        assert!(!left.exists(), "state {number}");
    }
    assert!(runs > 25, "{runs}");
    assert_eq!(listed(&isolated_side, &second.path("cut")).len(), 2);
}

#[test]
fn replaced_files_are_removed_after_the_new_set_is_signed() {
    let connected_side = connected_mirror(&[KB, OTHER]);
    let stick = connected_side.path("stick");
    export(&connected_side, &["--all"], &stick).exits(0);
    let old = read_tree(&stick);
    export(&connected_side, &[KB, "--prune", "--yes"], &stick).exits(0);
    let new = read_tree(&stick);
    // The new set is signed, and the removed sets still exist.
    let mut state: Files = old
        .iter()
        .filter(|(path, _)| path.starts_with("data/"))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    state.extend(new.clone());
    let names: Vec<&String> = old.keys().filter(|path| path.starts_with("data/")).collect();
    state.insert("unfinished/export.json".to_owned(), marker(&connected_side, &names));
    for name in DESCRIPTION {
        state.insert(format!("unfinished/{name}"), old[name].clone());
    }
    let medium = connected_side.path("cut");
    write(&medium, &state);
    let isolated_side = isolated_mirror(&root_key_of(&connected_side));
    isolated_side.json(&["check-medium", medium.as_str()]).exits(11);
    export(&connected_side, &[KB], &medium).exits(0);
    assert_eq!(payload(&medium), payload(&stick));
    assert_eq!(listed(&isolated_side, &medium).len(), 2);
}

#[test]
fn a_marker_of_another_mirror_is_ignored() {
    let connected_side = connected_mirror(&[KB, "--arch", "arm64"]);
    let other_mirror = connected_mirror(&[KB, "--arch", "arm64"]);
    let folder = connected_side.path("folder");
    let precious = format!("data/{KB}/{ARM}/thesis.docx");
    let mut state: Files = BTreeMap::from([(precious.clone(), b"precious".to_vec())]);
    for (bench, is_own) in [(&other_mirror, false), (&connected_side, true)] {
        state.insert("unfinished/export.json".to_owned(), marker(bench, &[&precious]));
        write(&folder, &state);
        let ran = export(&connected_side, &[KB], &folder);
        if is_own {
            // If the marker has the mirror's own signature, the file is a leftover.
            ran.exits(0);
            assert!(!folder.join(&precious).exists());
        } else {
            ran.exits(2);
            assert_eq!(read_tree(&folder), state);
        }
    }
}

/// Damages the description of a stick like an interrupted export, and leaves a marker that lists its files.
fn interrupt_export(bench: &Bench, stick: &Utf8Path) {
    let files = payload(stick);
    fs::create_dir_all(stick.join("unfinished")).unwrap();
    fs::write(stick.join("unfinished/export.json"), marker(bench, &files.keys().collect::<Vec<_>>()))
        .unwrap();
    fs::remove_file(stick.join("set.json.minisig")).unwrap();
}

#[test]
fn an_interrupted_export_without_description_keeps_all_sets() {
    let connected_side = connected_mirror(&[KB, OTHER]);
    let stick = connected_side.path("stick");
    export(&connected_side, &["--all"], &stick).exits(0);
    let before = payload(&stick);
    for has_damaged_copy in [false, true] {
        let right = read_tree(&stick);
        interrupt_export(&connected_side, &stick);
        for name in DESCRIPTION.iter().filter(|_| has_damaged_copy) {
            let mut bytes = right[*name].clone();
            bytes[0] ^= u8::from(*name == "listing.jsonl");
            fs::write(stick.join("unfinished").join(name), bytes).unwrap();
        }
        let ran = export(&connected_side, &[OTHER, "--arch", "x64"], &stick).exits(0).json();
        assert_eq!(items(&ran["plan"]["kept"]).len(), 4, "{ran:#}");
        assert_eq!(payload(&stick), before);
        assert!(!stick.join("unfinished").exists());
    }
    // The sets removed by --prune are listed and need a confirmation.
    interrupt_export(&connected_side, &stick);
    let pruned = [OTHER, "--arch", "x64", "--prune"];
    export(&connected_side, &pruned, &stick).exits(2);
    assert_eq!(payload(&stick), before);
    let ran = export(&connected_side, &[&pruned[..], &["--yes"]].concat(), &stick).exits(0).json();
    assert_eq!(items(&ran["plan"]["removals"]).len(), 3, "{ran:#}");
}

#[test]
fn an_unknown_set_survives_another_interrupted_export() {
    let (_first, second, stick) = two_mirrors();
    for has_manifest in [true, false] {
        if has_manifest {
            interrupt_export(&second, &stick);
        } else {
            fs::remove_file(stick.join("manifest-sha256.txt")).unwrap();
        }
        let before = read_tree(&stick);
        let ran = export(&second, &[OTHER], &stick).exits(11);
        let message =
            format!("data/{KB}/{ARM} on {stick} is unknown to this mirror, and its listing is not verified");
        assert_eq!(ran.error(), failure("refused", message));
        assert_eq!(read_tree(&stick), before);
    }
    export(&second, &[OTHER, "--prune", "--yes"], &stick).exits(0);
    assert!(payload(&stick).keys().all(|path| path.contains(OTHER)));
}

#[test]
fn a_set_with_a_lost_file_is_repaired_without_description() {
    let connected_side = connected_mirror(&[KB, OTHER]);
    let stick = connected_side.path("stick");
    export(&connected_side, &["--all"], &stick).exits(0);
    let before = payload(&stick);
    let package = before.keys().find(|path| path.contains("kb5086672-arm64")).unwrap();
    for is_gone in [true, false] {
        fs::remove_file(stick.join("set.json.minisig")).unwrap();
        let bytes = fs::read(stick.join(package)).unwrap();
        fs::remove_file(stick.join(package)).unwrap();
        if !is_gone {
            fs::write(stick.join(package), vec![0; bytes.len()]).unwrap();
        }
        let damaged = read_tree(&stick);
        let dry = export(&connected_side, &[OTHER, "--prune", "--dry-run"], &stick).exits(0).json();
        assert!(field_texts(&dry["plan"]["removals"], "folder").contains(&ARM.to_owned()), "{dry:#}");
        // The pool does not have the file either, so the rest of the set is removed only with a confirmation.
        let pooled =
            connected_side.mirror().join("pool/sha256").join(&before[package][..2]).join(&before[package]);
        fs::remove_file(&pooled).unwrap();
        let ran = export(&connected_side, &[OTHER, "--arch", "x64"], &stick).exits(11);
        let message = format!("the medium has damaged files that this mirror cannot replace: {package}");
        assert_eq!(ran.error(), failure("refused", message));
        assert_eq!(read_tree(&stick), damaged);
        fs::write(&pooled, bytes).unwrap();
        let ran = export(&connected_side, &[OTHER, "--arch", "x64"], &stick).exits(0).json();
        assert_eq!(field_texts(&ran["plan"]["updates"], "folder"), [ARM], "{ran:#}");
        assert_eq!(payload(&stick), before);
    }
}

#[test]
fn a_description_that_cannot_be_copied_stays_valid() {
    let connected_side = connected_mirror(&[KB, OTHER]);
    let stick = connected_side.path("stick");
    export(&connected_side, &[KB], &stick).exits(0);
    fs::create_dir_all(stick.join("unfinished/listing.jsonl")).unwrap();
    fs::write(stick.join("unfinished/listing.jsonl/x"), b"x").unwrap();
    let before = read_tree(&stick);
    let ran = export(&connected_side, &[OTHER], &stick);
    assert_ne!(ran.code, 0);
    assert_eq!(read_tree(&stick), before);
}
