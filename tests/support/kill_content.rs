//! The content of a mirror or a medium without the parts that differ between runs, for comparison.
#![expect(clippy::disallowed_methods, reason = "folders are read as they are")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use camino::Utf8Path;
use data_encoding::HEXLOWER;
use regex::Regex;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};

/// Returns the content of a medium without the parts that are new with each export: numbers, times, signatures.
pub(super) fn payload(medium: &Utf8Path) -> BTreeMap<String, String> {
    let mut files = digests(medium);
    let is_kept =
        |path: &str| path.starts_with("data/") || path == "manifest-sha256.txt" || path == "listing.jsonl";
    files.retain(|path, _| is_kept(path));
    files
}

/// Returns the content of a mirror without times: the folders of KBs, the pool, partial files, and the rows of the
/// index.
pub(super) fn mirror_content(mirror: &Utf8Path) -> BTreeMap<String, String> {
    let time = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").unwrap();
    let mut content = BTreeMap::new();
    for folder in ["kb", "pool", "partial", "quarantine", "trash"] {
        for (path, bytes) in files(&mirror.join(folder)) {
            let text =
                std::str::from_utf8(&bytes).ok().map(|text| time.replace_all(text, "TIME").into_owned());
            let bytes = text.map_or(bytes, String::into_bytes);
            content.insert(format!("{folder}/{path}"), HEXLOWER.encode(&Sha256::digest(bytes)));
        }
    }
    content.extend(rows(mirror));
    content
}

/// Returns the rows of every table of the index except the runs, without times.
fn rows(mirror: &Utf8Path) -> BTreeMap<String, String> {
    const TIMES: [&str; 7] = ["seen", "since", "value", "added", "checked", "last_asked", "found"];
    let index =
        Connection::open_with_flags(mirror.join("mirror.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let texts = |query: &str| {
        let mut statement = index.prepare(query).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..count)
                .map(|column| Ok(format!("{:?}", row.get_ref(column)?)))
                .collect::<rusqlite::Result<Vec<_>>>()
        });
        rows.unwrap().collect::<rusqlite::Result<Vec<_>>>().unwrap()
    };
    let mut statement = index
        .prepare(
            "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name <> 'runs' ORDER BY m.name, c.cid",
        )
        .unwrap();
    let columns =
        statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in columns.map(Result::unwrap) {
        if !TIMES.iter().any(|time| column.ends_with(time)) {
            tables.entry(table).or_default().push(column);
        }
    }
    assert!(tables.len() > 10, "{tables:?}");
    tables
        .into_iter()
        .map(|(table, columns)| {
            let list = columns.join(", ");
            (
                format!("index: {table}"),
                format!("{:?}", texts(&format!("SELECT {list} FROM {table} ORDER BY {list}"))),
            )
        })
        .collect()
}

/// Returns the digests of all files below a folder.
pub(super) fn digests(folder: &Utf8Path) -> BTreeMap<String, String> {
    files(folder).into_iter().map(|(path, bytes)| (path, HEXLOWER.encode(&Sha256::digest(bytes)))).collect()
}

/// Returns all files below a folder by path, or an empty map if the folder is missing.
fn files(folder: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(below) = folders.pop() {
        for entry in below.read_dir_utf8().into_iter().flatten().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.into_path());
            } else {
                let path = entry.path().strip_prefix(folder).unwrap().as_str().to_owned();
                found.insert(path, fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

/// Copies a folder with its modes, because secret keys must be readable only by their owner.
pub(super) fn copy(from: &Utf8Path, to: &Utf8Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success(), "cp -a {from} {to}");
}
