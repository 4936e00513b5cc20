//! The room for media: the direction between its folders, and the one type that changes a medium.

use regex::Regex;

use super::sources;

/// The folders of the room. Each may use itself and those before it.
const FOLDERS: [&str; 4] = ["medium", "trust", "read", "write"];

/// The beginnings of the functions that change what lies on a disk, and the type that writes a file.
const CHANGES: [&str; 9] = [
    "disk::write",
    "disk::append",
    "disk::create",
    "disk::link",
    "disk::remove",
    "disk::rename",
    "disk::set_read_only",
    "disk::sync",
    "NewFile",
];

/// The beginnings of the functions that look at a path of this machine. They follow links above the last component.
const LOOKS: [&str; 7] = [
    "disk::entry",
    "disk::list",
    "disk::open",
    "disk::read",
    "disk::file_size",
    "disk::is_file",
    "disk::stamp",
];

/// The files that look at things beside the medium: the mirror, programs to send along, and the target's own folder.
const LOOKERS: [&str; 5] = ["place.rs", "plan.rs", "preflight.rs", "retained.rs", "staging.rs"];

/// Every file of a folder of the room, by its name there, without its tests.
fn files_of(folder: &str) -> Vec<(String, String)> {
    let under = format!("carrier/{folder}/");
    let own = |(name, text): (String, String)| {
        let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        Some((name.strip_prefix(&under)?.to_owned(), text))
    };
    sources().into_iter().filter_map(own).collect()
}

#[test]
fn the_folders_of_media_use_those_before_them_only() {
    let used = Regex::new(r"crate::carrier::(\w+)").unwrap();
    let mut breaches = Vec::new();
    for (place, folder) in FOLDERS.iter().enumerate() {
        let files = files_of(folder);
        assert!(!files.is_empty(), "{folder}");
        for (name, text) in files {
            let later = used.captures_iter(&text).filter(|found| FOLDERS[place + 1..].contains(&&found[1]));
            breaches.extend(later.map(|found| format!("{folder}/{name} uses {}", &found[1])));
        }
    }
    assert_eq!(breaches, Vec::<String>::new());
}

#[test]
fn only_the_target_changes_a_medium() {
    let changes = |text: &str| CHANGES.iter().any(|change| text.contains(change));
    let files = files_of("write");
    let changing: Vec<&str> =
        files.iter().filter(|(_, text)| changes(text)).map(|(name, _)| name.as_str()).collect();
    assert_eq!(changing, ["target.rs"]);
}

#[test]
fn a_medium_is_read_below_its_open_folder_only() {
    let files = ["read", "write"].map(files_of).concat();
    let looks = |text: &str| LOOKS.iter().any(|look| text.contains(look));
    let mut looking: Vec<&str> =
        files.iter().filter(|(_, text)| looks(text)).map(|(name, _)| name.as_str()).collect();
    looking.sort_unstable();
    // Reading is where the two kinds of files are told apart: one on a medium, and one that is not.
    let mut known = [&LOOKERS[..], &["reading.rs"]].concat();
    known.sort_unstable();
    assert_eq!(looking, known);
}
