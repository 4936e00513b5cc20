//! Files that the program did not write: none is lost, wherever a publication is interrupted.

#![expect(clippy::disallowed_methods, reason = "mirrors are copied as they lie")]

use super::*;
use crate::disk::crash::SimulatedSystem;

const ARM_TITLE: &str =
    "2026-09 Cumulative Update for Windows 11, version 24H2 for arm64-based Systems (KB5129195) (26100.9457)";
const ARM_FOLDER: &str = "windows-11-24h2-arm64";

/// Writes unknown files to every place that a publication touches: beside the set folders, into the set folder
/// that is replaced, and into one that stays.
fn write_unknown_files(layout: &Layout) -> Vec<&'static str> {
    let kb = layout.kb(main_kb());
    let unknown = [
        ("notes.txt", "the notes"),
        ("own/deep/note.txt", "the deep note"),
        (&format!("{FOLDER}/mine.txt"), "the file in the replaced folder"),
        (&format!("{FOLDER}/sub/inner.txt"), "the file in a folder of it"),
        (&format!("{ARM_FOLDER}/stays.txt"), "the file in the folder that stays"),
    ];
    let words = unknown.map(|(path, words)| {
        disk::write_atomic(&kb.join(path), words.as_bytes()).unwrap();
        words
    });
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", kb.join(FOLDER).join("link-of-mine")).unwrap();
    words.to_vec()
}

/// Asserts that every unknown file still exists in the mirror.
fn assert_unknown_files_exist(layout: &Layout, words: &[&str], when: &str) {
    let found = tree(layout.root());
    for words in words {
        let is_it = |bytes: &Option<Vec<u8>>| bytes.as_deref() == Some(words.as_bytes());
        assert!(found.values().any(is_it), "{when}: {words:?} is lost");
    }
    #[cfg(unix)]
    assert!(found.keys().any(|path| path.as_str().ends_with("link-of-mine")), "{when}: the link is lost");
}

/// Copies a mirror. Files that are only ever replaced are linked.
fn copy_mirror(from: &Utf8Path, to: &Utf8Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = Utf8PathBuf::try_from(entry.unwrap().path()).unwrap();
        let new = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_mirror(&path, &new);
        } else if path.extension() == Some("db") {
            std::fs::copy(path, new).unwrap();
        } else {
            std::fs::hard_link(path, new).unwrap();
        }
    }
}

/// Replaces a set beside unknown files. Interrupts the process at every change of the disk, and the next process
/// too, and checks that every unknown file still exists.
fn interrupt_everywhere(system: SimulatedSystem) {
    disk::crash::simulate(system);
    let (_template, before) = folder();
    let mut mirror = open(&before);
    let for_arm = [package("kb5129195", "the target for arm"), package("kb5043080", "another checkpoint")];
    let for_arm = for_arm.map(|(name, bytes)| (name.replace("-x64_", "-arm64_"), bytes));
    let stays = record_and_admit(&mut mirror, ARM_TITLE, &for_arm, MONDAY);
    mirror.publish(&stays, &knowledge(), MONDAY).unwrap();
    let old = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    mirror.publish(&old, &knowledge(), MONDAY).unwrap();
    let new = record_and_admit(&mut mirror, TITLE, &second_issue(), TUESDAY);
    drop(mirror);
    for changes in 0.. {
        let (_guard, layout) = folder();
        copy_mirror(before.root(), layout.root());
        let words = write_unknown_files(&layout);
        let mut mirror = open(&layout);
        disk::crash::allow_changes(Some(changes));
        let published = mirror.publish(&new, &knowledge(), TUESDAY);
        disk::crash::allow_changes(None);
        drop(mirror);
        let when = format!("{system:?}, an end at change {changes}");
        assert_unknown_files_exist(&layout, &words, &when);
        // The run that cleans up can be interrupted as well.
        disk::crash::allow_changes(Some(changes % 11));
        drop(Mirror::open_for_writing(layout.clone(), REPLAY, &knowledge(), time(TUESDAY)));
        disk::crash::allow_changes(None);
        assert_unknown_files_exist(&layout, &words, &format!("{when}, and one of the next run"));
        drop(open(&layout));
        let mirror = open(&layout);
        assert_unknown_files_exist(&layout, &words, &format!("{when}, and at last"));
        assert_eq!(leftovers(&layout), Vec::<String>::new(), "{when}");
        let (id, _) = mirror.index().publication_of(main_kb(), &set_folder(FOLDER)).unwrap().unwrap();
        let has_begun = id == new.id;
        if has_begun {
            assert!(mirror.is_intact(&reloaded(&mirror, &new)).unwrap(), "{when}");
            let place = layout.set(main_kb(), &set_folder(FOLDER));
            assert_eq!(content(&place), expected(&second_issue()), "{when}");
            let name = format!("evidence-KB5129195-{FOLDER}-mine.txt");
            assert!(disk::exists(&layout.quarantine().join(name)), "{when}: as repair names it");
        }
        for beside in ["notes.txt", "own/deep/note.txt", &format!("{ARM_FOLDER}/stays.txt")] {
            assert!(disk::exists(&layout.kb(main_kb()).join(beside)), "{when}: {beside} has its place");
        }
        if published.is_ok() {
            assert!(has_begun && changes > 12, "the steps of a replacement were counted: {changes}");
            break;
        }
    }
    disk::crash::simulate(SimulatedSystem::Complete);
}

#[test]
fn interrupted_exchange_loses_no_unknown_file() {
    interrupt_everywhere(SimulatedSystem::Complete);
}

#[test]
fn interrupted_renames_lose_no_unknown_file() {
    interrupt_everywhere(SimulatedSystem::NoExchange);
}

#[test]
fn file_system_without_links_loses_no_unknown_file() {
    interrupt_everywhere(SimulatedSystem::NoLinks);
}

/// Uses a replaced folder as left by an earlier run that was killed before it moved anything.
#[test]
fn unknown_files_in_a_replaced_folder_are_kept() {
    for name in ["replaced-KB5129195-1", "publish-KB5129195"] {
        let (_guard, layout) = folder();
        let mut mirror = open(&layout);
        let old = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
        mirror.publish(&old, &knowledge(), MONDAY).unwrap();
        let left = layout.partial().join(name);
        disk::create_dir_all(&left.join(FOLDER)).unwrap();
        for file in disk::list(&layout.set(main_kb(), &set_folder(FOLDER))).unwrap() {
            let from = layout.set(main_kb(), &set_folder(FOLDER)).join(&file);
            assert!(disk::link(&from, &left.join(FOLDER).join(&file)).unwrap());
        }
        for view in ["SHA256SUMS", "README.txt", "KB5129195.json"] {
            disk::write_atomic(&left.join(view), b"of the earlier issue").unwrap();
        }
        disk::write_atomic(&left.join("notes.txt"), b"the notes").unwrap();
        disk::write_atomic(&left.join(FOLDER).join("mine.txt"), b"mine").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt as _;
            let not_text = std::ffi::OsStr::from_bytes(b"caf\xe9");
            std::fs::write(left.join(FOLDER).as_std_path().join(not_text), "not text").unwrap();
        }
        drop(mirror);
        let mirror = open(&layout);
        assert_eq!(leftovers(&layout), Vec::<String>::new(), "{name}");
        assert_eq!(disk::read(&layout.kb(main_kb()).join("notes.txt"), CAP).unwrap(), b"the notes", "{name}");
        let kept = layout.quarantine().join(format!("evidence-KB5129195-{FOLDER}-mine.txt"));
        assert_eq!(disk::read(&kept, CAP).unwrap(), b"mine", "{name}");
        let warnings: Vec<String> = mirror.evidence().iter().map(EvidenceEntry::warning).collect();
        assert!(
            warnings.iter().any(|warning| warning.contains("mine.txt is not a file of the set")),
            "{warnings:?}"
        );
        let quarantine = disk::list(&layout.quarantine()).unwrap();
        #[cfg(unix)]
        assert!(
            quarantine.contains(&"evidence-KB5129195".to_owned()),
            "the name is not text: {quarantine:?}"
        );
        assert!(
            !quarantine.iter().any(|name| name.contains("SHA256SUMS")),
            "views are written again: {quarantine:?}"
        );
        assert!(mirror.is_intact(&reloaded(&mirror, &old)).unwrap(), "{name}");
    }
}
