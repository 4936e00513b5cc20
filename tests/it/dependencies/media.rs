//! The dependencies between the folders of the room `carrier`, and the only type that changes a medium.

use regex::Regex;

use super::sources;

/// The folders of the room. A folder may use itself and the folders before it.
const FOLDERS: [&str; 4] = ["medium", "trust", "read", "write"];

/// The prefixes of the functions that change a disk, and the type that writes a file.
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

/// The prefixes of the functions that read a path of this machine. They follow links above the last component.
const READS: [&str; 7] = [
    "disk::entry",
    "disk::list",
    "disk::open",
    "disk::read",
    "disk::file_size",
    "disk::is_file",
    "disk::stamp",
];

/// The files that read paths outside of the medium: the mirror, programs to export, and the folder of the target.
const READERS: [&str; 5] = ["place.rs", "plan.rs", "preflight.rs", "retained.rs", "staging.rs"];

/// Returns every file of a folder of the room by its name, without its tests.
fn files_of(folder: &str) -> Vec<(String, String)> {
    let under = format!("carrier/{folder}/");
    let own = |(name, text): (String, String)| {
        let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        Some((name.strip_prefix(&under)?.to_owned(), text))
    };
    sources().into_iter().filter_map(own).collect()
}

#[test]
fn folders_of_carrier_use_only_the_folders_before_them() {
    let used = Regex::new(r"crate::carrier::(\w+)").unwrap();
    let mut violations = Vec::new();
    for (place, folder) in FOLDERS.iter().enumerate() {
        let files = files_of(folder);
        assert!(!files.is_empty(), "{folder}");
        for (name, text) in files {
            let later = used.captures_iter(&text).filter(|found| FOLDERS[place + 1..].contains(&&found[1]));
            violations.extend(later.map(|found| format!("{folder}/{name} uses {}", &found[1])));
        }
    }
    assert_eq!(violations, Vec::<String>::new());
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
fn a_medium_is_read_only_below_its_open_folder() {
    let files = ["read", "write"].map(files_of).concat();
    let reads = |text: &str| READS.iter().any(|read| text.contains(read));
    let mut reading: Vec<&str> =
        files.iter().filter(|(_, text)| reads(text)).map(|(name, _)| name.as_str()).collect();
    reading.sort_unstable();
    // `reading.rs` distinguishes files on a medium from other files.
    let mut known = [&READERS[..], &["reading.rs"]].concat();
    known.sort_unstable();
    assert_eq!(reading, known);
}
