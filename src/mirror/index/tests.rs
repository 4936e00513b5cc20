//! The index on its own: the identity of files, the effect of a second reading of the same pages, and refused
//! databases.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::*;
use crate::documents::FindingKind;
use crate::facts::{
    FileFacts, FileKey, FileProperty, PropertyCheck, RelatedUpdate, SetFolder, Source, UpdateFacts,
};
use crate::resolve::{PackageSet, package_sets};
use crate::servicing::Knowledge;
use crate::update::{Digests, Kb, Sha1, Sha256, UpdateId, classify};

mod damage;
mod database;
mod files;
mod identity;
mod updates;

impl Index {
    /// Returns a transaction in which every change is committed on its own.
    fn autocommit(&self) -> Transaction<'_> {
        Transaction { index: self }
    }
}

const MONDAY: Time = Time::constant(1_790_000_000);
const TUESDAY: Time = Time::constant(1_790_086_400);
const WEDNESDAY: Time = Time::constant(1_790_172_800);

const TITLE_24H2: &str =
    "2026-09 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5129195) (26100.9457)";
const TITLE_25H2: &str =
    "2026-09 Cumulative Update for Windows 11, version 25H2 for x64-based Systems (KB5129195) (26200.9457)";
const TITLE_26H2: &str =
    "2026-09 Cumulative Update for Windows 11, version 26H2 for x64-based Systems (KB5129195) (26300.9457)";

fn id(number: usize) -> UpdateId {
    format!("00000000-0000-0000-0000-{number:012}").parse().unwrap()
}

fn kb(text: &str) -> Kb {
    text.parse().unwrap()
}

fn sha1(digit: u8) -> Sha1 {
    Sha1::from_bytes([digit; 20])
}

fn sha256(digit: u8) -> Sha256 {
    Sha256::from_bytes([digit; 32])
}

fn update(number: usize, title: &str) -> UpdateRecord {
    UpdateRecord {
        id: id(number),
        title: title.to_owned(),
        class: classify(title, "Windows 11", None),
        products: "Windows 11".to_owned(),
        classification: "Security Updates".to_owned(),
        last_updated: jiff::civil::date(2026, 9, 14),
        size: 5_173_184_334,
    }
}

fn details(number: usize) -> DetailsRecord {
    DetailsRecord {
        id: id(number),
        kbs: vec![kb("KB5129195")],
        severity: Some("Critical".to_owned()),
        restart: Some("Can request restart".to_owned()),
        superseded_by: Vec::new(),
        supersedes: Vec::new(),
    }
}

/// Returns a file whose digests repeat one byte.
fn file(name: &str, sha1_of: Option<u8>, sha256_of: Option<u8>) -> FileRecord {
    FileRecord {
        name: name.to_owned(),
        url: format!("https://catalog.s.download.windowsupdate.com/c/{name}"),
        sha1: sha1_of.map(sha1),
        sha256: sha256_of.map(sha256),
    }
}

fn at(url: &str, record: FileRecord) -> FileRecord {
    FileRecord { url: url.to_owned(), ..record }
}

/// Returns the name of a package file that contains the SHA-1 of its content.
fn digit_name(number: &str, digit: u8) -> String {
    format!("windows11.0-{number}-x64_{}.msu", sha1(digit))
}

fn target() -> FileRecord {
    file(&digit_name("kb5129195", 0x51), Some(0x51), Some(0x52))
}

fn checkpoint() -> FileRecord {
    file(&digit_name("kb5043080", 0x41), Some(0x41), Some(0x42))
}

fn related(number: Option<usize>, title: &str) -> RelatedUpdate {
    RelatedUpdate { update_id: number.map(id), title: title.to_owned() }
}

/// Records a file without an update, and expects no conflict.
fn record_unlisted(index: &Index, record: &FileRecord) -> FileKey {
    let (key, conflict) = index.autocommit().record_file(record, Source::Dialog, None, MONDAY).unwrap();
    assert_eq!(conflict, None, "{record:?}");
    key
}

fn count(index: &Index, table: &str) -> i64 {
    index.connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn column_names(index: &Index, table: &str) -> Vec<String> {
    let sql = format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid");
    index.rows(&sql, [], |row| row.get(0)).unwrap()
}

fn objects(index: &Index, kind: &str) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_master WHERE type = ?1 AND name NOT LIKE 'sqlite_%' ORDER BY name";
    index.rows(sql, [kind], |row| row.get(0)).unwrap()
}

/// Returns every row of every table, sorted, with the columns that `keep` selects.
fn dump(index: &Index, keep: impl Fn(&str, &str) -> bool) -> BTreeMap<String, Vec<String>> {
    let mut tables = BTreeMap::new();
    for table in objects(index, "table") {
        let columns: Vec<String> =
            column_names(index, &table).into_iter().filter(|column| keep(&table, column)).collect();
        let sql = format!("SELECT {} FROM {table}", columns.join(", "));
        let mut rows = index
            .rows(&sql, [], |row| {
                let values = columns.iter().enumerate().map(|(place, column)| {
                    let value: Value = row.get(place)?;
                    Ok(format!("{column} = {value:?}"))
                });
                Ok(values.collect::<rusqlite::Result<Vec<String>>>()?.join(", "))
            })
            .unwrap();
        rows.sort_unstable();
        tables.insert(table, rows);
    }
    tables
}

/// Asserts that no reference dangles, and that every database index agrees with its table.
fn assert_sound(index: &Index) {
    let broken: Vec<String> =
        index.rows("SELECT \"table\" FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
    assert_eq!(broken, Vec::<String>::new());
    let found: Vec<String> = index.rows("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, ["ok"]);
}

fn links(index: &Index, number: usize) -> Vec<(i64, FileKey)> {
    let sql = "SELECT position, file FROM update_files WHERE update_ref = ?1 ORDER BY position";
    let own = index.update_ref(id(number)).unwrap();
    index.rows(sql, [own], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

/// Returns the update as the resolver sees it, or `None` if the resolver does not see it.
fn seen(index: &Index, number: usize) -> Option<(UpdateFacts, BTreeMap<FileKey, FileFacts>)> {
    let (details, files) = index.details_of(UpdateSelector::Update(id(number))).unwrap();
    details.into_iter().next().map(|detail| (detail.facts, files))
}

fn current_names(index: &Index, number: usize) -> Vec<String> {
    let (update, files) = seen(index, number).unwrap();
    update.files.unwrap_or_default().iter().map(|key| files[key].name.clone()).collect()
}

/// Returns the only set of the KB, by the current facts of the index.
fn only_set(index: &Index, of: Kb) -> PackageSet {
    let facts = index.facts_of(&[of].into()).unwrap();
    let mut sets = package_sets(of, &facts, &Knowledge::built_in().unwrap());
    assert_eq!(sets.len(), 1);
    sets.remove(0)
}

/// Records everything that a crawl of one KB and a fetch record.
fn record_all(index: &Index, now: Time) {
    for (number, title) in [TITLE_24H2, TITLE_25H2].iter().enumerate() {
        index.autocommit().record_update(&update(number, title), now).unwrap();
        let record = DetailsRecord {
            superseded_by: vec![(id(8), "newer".to_owned())],
            supersedes: vec!["older".to_owned(), TITLE_26H2.to_owned()],
            ..details(number)
        };
        index.autocommit().record_details(&record, now).unwrap();
    }
    index.autocommit().record_dialog(id(0), &[target(), checkpoint()], now).unwrap();
    let loose = file("readme.txt", None, None);
    let by_name = file(&digit_name("kb5129195", 0x51), None, None);
    index.autocommit().record_dialog(id(1), &[checkpoint(), by_name, loose.clone()], now).unwrap();
    index.autocommit().record_dialog(id(1), &[checkpoint(), target(), loose], now).unwrap();
    index.autocommit().record_file(&file("a.msu", Some(1), Some(2)), Source::Dialog, None, now).unwrap();
    index.autocommit().record_file(&file("b.msu", Some(1), Some(3)), Source::Dialog, None, now).unwrap();
    index.autocommit().record_file(&checkpoint(), Source::Knowledge, None, now).unwrap();
    let facts = index.facts_of(&[kb("KB5129195")].into()).unwrap();
    for set in package_sets(kb("KB5129195"), &facts, &Knowledge::built_in().unwrap()) {
        index.autocommit().record_set(&set, now).unwrap();
    }
    let key = index.facts_of(&[kb("KB5129195")].into()).unwrap().updates[0].files.clone().unwrap()[0];
    let digests = Digests { sha1: sha1(0x51), sha256: sha256(0x52), size: 10 };
    index
        .autocommit()
        .record_pooled(
            key,
            &digests,
            &[PropertyCheck { what: FileProperty::Sha1, against: Source::Dialog }],
            now,
        )
        .unwrap();
    index.autocommit().set_meta("origin", "live").unwrap();
    index.autocommit().record_absence(id(1), MONDAY, Some(MONDAY)).unwrap();
    index.autocommit().record_search("KB5129195", 2, now).unwrap();
    index.autocommit().record_damage(&damage_in_pool("pool/sha256/09/09", sha256(9)), "verify", now).unwrap();
}

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
    (folder, path)
}

fn damage_in_pool(path: &str, digest: Sha256) -> NewDamage {
    NewDamage {
        path: path.into(),
        kb: None,
        folder: None,
        sha256: Some(digest),
        kind: FindingKind::Digest,
        message: "SHA-256 differs".to_owned(),
    }
}
