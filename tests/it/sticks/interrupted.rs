//! An export to a medium with content that was cut off anywhere loses nothing that it was to keep.

use kbmirror::carrier::SecretKey;

use super::*;

/// The files that describe a set, which an export keeps aside.
const DESCRIPTION: [&str; 7] = [
    "keys.json",
    "keys.json.minisig",
    "manifest-sha256.txt",
    "manifest-sha256.txt.minisig",
    "listing.jsonl",
    "set.json",
    "set.json.minisig",
];

/// The mark of an export that was begun, as the program signs it.
fn mark(bench: &Bench, files: &[&String]) -> Vec<u8> {
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
fn an_export_that_is_cut_off_anywhere_keeps_what_it_was_to_keep() {
    let (first, second, stick) = two_mirrors();
    let there = isolated(&root_of(&first));
    let old = tree(&stick);
    export(&second, &[OTHER], &stick).exits(0);
    let new = tree(&stick);
    let is_data = |path: &String| path.starts_with("data/");
    let names: Vec<&String> = new.keys().filter(|path| is_data(path)).collect();
    let mark = ("unfinished/export.json".to_owned(), mark(&second, &names));
    let copies = DESCRIPTION.map(|name| (format!("unfinished/{name}"), old[name].clone()));
    let fresh: Vec<_> = new.iter().filter(|(path, _)| is_data(path) && !old.contains_key(*path)).collect();
    let owned = |(path, bytes): &(&String, &Vec<u8>)| ((*path).clone(), (*bytes).clone());

    let mut states: Vec<Files> = Vec::new();
    // The mark, then file after file, one of them half.
    let mut state = old.clone();
    state.extend([mark.clone()]);
    states.push(state.clone());
    for file in &fresh {
        let (path, bytes) = owned(file);
        let mut half = state.clone();
        half.insert(format!("{path}.kbm-part"), bytes[..bytes.len() / 2].to_vec());
        states.push(half);
        state.insert(path, bytes);
        states.push(state.clone());
    }
    // The copies aside, one by one, then the signature goes.
    for copy in &copies {
        state.extend([copy.clone()]);
        states.push(state.clone());
    }
    state.remove("set.json.minisig");
    states.push(state.clone());
    // The new texts, one by one, and the signature last.
    for (path, bytes) in new.iter().filter(|(path, _)| !is_data(path) && *path != "set.json.minisig") {
        state.insert(path.clone(), bytes.clone());
        states.push(state.clone());
    }
    // A signature that the power cut has halved.
    let signature = &new["set.json.minisig"];
    state.insert("set.json.minisig".to_owned(), signature[..signature.len() / 2].to_vec());
    states.push(state.clone());
    state.insert("set.json.minisig".to_owned(), signature.clone());
    states.push(state.clone());
    // The copies go, one by one, the mark at the end.
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
            let (_, message) = there.json(&["check-medium", medium.as_str()]).exits(11).error();
            assert!(message.contains("was cut off"), "state {number}: {message}");
        }
        // Texts change one by one in many states; every third of them is enough here, and each that is special.
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
    assert_eq!(listed(&there, &second.path("cut")).len(), 2);
}

#[test]
fn a_replaced_generation_goes_after_the_new_one_is_signed() {
    let here = connected(&[KB, OTHER]);
    let stick = here.path("stick");
    export(&here, &["--all"], &stick).exits(0);
    let old = tree(&stick);
    export(&here, &[KB, "--prune", "--yes"], &stick).exits(0);
    let new = tree(&stick);
    // The new set is signed, and what it does not have is still there.
    let mut state: Files = old
        .iter()
        .filter(|(path, _)| path.starts_with("data/"))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    state.extend(new.clone());
    let names: Vec<&String> = old.keys().filter(|path| path.starts_with("data/")).collect();
    state.insert("unfinished/export.json".to_owned(), mark(&here, &names));
    for name in DESCRIPTION {
        state.insert(format!("unfinished/{name}"), old[name].clone());
    }
    let medium = here.path("cut");
    write(&medium, &state);
    let there = isolated(&root_of(&here));
    there.json(&["check-medium", medium.as_str()]).exits(11);
    export(&here, &[KB], &medium).exits(0);
    assert_eq!(payload(&medium), payload(&stick));
    assert_eq!(listed(&there, &medium).len(), 2);
}

#[test]
fn a_mark_that_is_not_ours_is_not_believed() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let stranger = connected(&[KB, "--arch", "arm64"]);
    let folder = here.path("folder");
    let precious = format!("data/{KB}/{ARM}/thesis.docx");
    let mut state: Files = BTreeMap::from([(precious.clone(), b"precious".to_vec())]);
    for (bench, is_ours) in [(&stranger, false), (&here, true)] {
        state.insert("unfinished/export.json".to_owned(), mark(bench, &[&precious]));
        write(&folder, &state);
        let ran = export(&here, &[KB], &folder);
        if is_ours {
            // Under our own signature the file is a leftover.
            ran.exits(0);
            assert!(!folder.join(&precious).exists());
        } else {
            ran.exits(2);
            assert_eq!(tree(&folder), state);
        }
    }
}

/// Spoils the description of a stick as an export does that is cut off, and leaves a mark for what lies there.
fn cut_off(bench: &Bench, stick: &Utf8Path) {
    let files = payload(stick);
    fs::create_dir_all(stick.join("unfinished")).unwrap();
    fs::write(stick.join("unfinished/export.json"), mark(bench, &files.keys().collect::<Vec<_>>())).unwrap();
    fs::remove_file(stick.join("set.json.minisig")).unwrap();
}

#[test]
fn a_cut_off_export_without_a_description_loses_no_set() {
    let here = connected(&[KB, OTHER]);
    let stick = here.path("stick");
    export(&here, &["--all"], &stick).exits(0);
    let before = payload(&stick);
    for spoiled_copy in [false, true] {
        let right = tree(&stick);
        cut_off(&here, &stick);
        for name in DESCRIPTION.iter().filter(|_| spoiled_copy) {
            let mut bytes = right[*name].clone();
            bytes[0] ^= u8::from(*name == "listing.jsonl");
            fs::write(stick.join("unfinished").join(name), bytes).unwrap();
        }
        let ran = export(&here, &[OTHER, "--arch", "x64"], &stick).exits(0).json();
        assert_eq!(items(&ran["plan"]["kept"]).len(), 4, "{ran:#}");
        assert_eq!(payload(&stick), before);
        assert!(!stick.join("unfinished").exists());
    }
    // What goes with --prune is named and asked about.
    cut_off(&here, &stick);
    let pruned = [OTHER, "--arch", "x64", "--prune"];
    export(&here, &pruned, &stick).exits(2);
    assert_eq!(payload(&stick), before);
    let ran = export(&here, &[&pruned[..], &["--yes"]].concat(), &stick).exits(0).json();
    assert_eq!(items(&ran["plan"]["removals"]).len(), 3, "{ran:#}");
}

#[test]
fn a_twin_removes_no_unknown_set_after_a_cut_off_export() {
    let (_first, second, stick) = two_mirrors();
    for has_manifest in [true, false] {
        if has_manifest {
            cut_off(&second, &stick);
        } else {
            fs::remove_file(stick.join("manifest-sha256.txt")).unwrap();
        }
        let before = tree(&stick);
        let (kind, message) = export(&second, &[OTHER], &stick).exits(11).error();
        assert!(kind == "refused" && message.contains("is not known to this mirror"), "{message}");
        assert_eq!(tree(&stick), before);
    }
    export(&second, &[OTHER, "--prune", "--yes"], &stick).exits(0);
    assert!(payload(&stick).keys().all(|path| path.contains(OTHER)));
}

#[test]
fn a_set_with_a_lost_file_is_mended_without_a_description() {
    let here = connected(&[KB, OTHER]);
    let stick = here.path("stick");
    export(&here, &["--all"], &stick).exits(0);
    let before = payload(&stick);
    let package = before.keys().find(|path| path.contains("kb5086672-arm64")).unwrap();
    for is_gone in [true, false] {
        fs::remove_file(stick.join("set.json.minisig")).unwrap();
        let bytes = fs::read(stick.join(package)).unwrap();
        fs::remove_file(stick.join(package)).unwrap();
        if !is_gone {
            fs::write(stick.join(package), vec![0; bytes.len()]).unwrap();
        }
        let spoiled = tree(&stick);
        let dry = export(&here, &[OTHER, "--prune", "--dry-run"], &stick).exits(0).json();
        assert!(each(&dry["plan"]["removals"], "folder").contains(&ARM.to_owned()), "{dry:#}");
        // The file is not in the pool either: the rest of the set is not given up unasked.
        let pooled = here.mirror().join("pool/sha256").join(&before[package][..2]).join(&before[package]);
        fs::remove_file(&pooled).unwrap();
        let (_, message) = export(&here, &[OTHER, "--arch", "x64"], &stick).exits(11).error();
        assert!(message.contains(package.as_str()), "{message}");
        assert_eq!(tree(&stick), spoiled);
        fs::write(&pooled, bytes).unwrap();
        let ran = export(&here, &[OTHER, "--arch", "x64"], &stick).exits(0).json();
        assert_eq!(each(&ran["plan"]["updates"], "folder"), [ARM], "{ran:#}");
        assert_eq!(payload(&stick), before);
    }
}

#[test]
fn a_description_that_cannot_be_copied_aside_stays_valid() {
    let here = connected(&[KB, OTHER]);
    let stick = here.path("stick");
    export(&here, &[KB], &stick).exits(0);
    fs::create_dir_all(stick.join("unfinished/listing.jsonl")).unwrap();
    fs::write(stick.join("unfinished/listing.jsonl/x"), b"x").unwrap();
    let before = tree(&stick);
    let ran = export(&here, &[OTHER], &stick);
    assert_ne!(ran.code, 0);
    assert_eq!(tree(&stick), before);
}
