//! The index by itself: what is one file, what a second reading of the same pages changes, and which databases are
//! refused.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::*;
use crate::documents::FindingKind;
use crate::facts::{Check, Checked, FileFacts, FileKey, RelatedUpdate, SetFolder, Source, UpdateFacts};
use crate::resolve::{PackageSet, package_sets};
use crate::servicing::Knowledge;
use crate::update::{Digests, Kb, Sha1, Sha256, UpdateId, classify};

impl Index {
    /// Returns a transaction of each single change.
    fn alone(&self) -> Transaction<'_> {
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

/// A file whose digests repeat one byte.
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

/// The name of a package file that carries the SHA-1 of its content.
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

/// Records a file of no update and expects that nothing speaks against it.
fn put(index: &Index, record: &FileRecord) -> FileKey {
    let (key, conflict) = index.alone().record_file(record, Source::Dialog, None, MONDAY).unwrap();
    assert_eq!(conflict, None, "{record:?}");
    key
}

fn count(index: &Index, table: &str) -> i64 {
    index.connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn names_of_columns(index: &Index, table: &str) -> Vec<String> {
    let sql = format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid");
    index.rows(&sql, [], |row| row.get(0)).unwrap()
}

fn objects(index: &Index, kind: &str) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_master WHERE type = ?1 AND name NOT LIKE 'sqlite_%' ORDER BY name";
    index.rows(sql, [kind], |row| row.get(0)).unwrap()
}

/// Every row of every table, sorted, with the columns that `keep` takes.
fn dump(index: &Index, keep: impl Fn(&str, &str) -> bool) -> BTreeMap<String, Vec<String>> {
    let mut tables = BTreeMap::new();
    for table in objects(index, "table") {
        let columns: Vec<String> =
            names_of_columns(index, &table).into_iter().filter(|column| keep(&table, column)).collect();
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

/// No row points to nowhere, and no index of the database disagrees with its table.
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

/// The update as the resolver sees it; `None` when it does not see it.
fn seen(index: &Index, number: usize) -> Option<(UpdateFacts, BTreeMap<FileKey, FileFacts>)> {
    let (details, files) = index.details_of(Owner::Update(id(number))).unwrap();
    details.into_iter().next().map(|detail| (detail.facts, files))
}

fn current_names(index: &Index, number: usize) -> Vec<String> {
    let (update, files) = seen(index, number).unwrap();
    update.files.unwrap_or_default().iter().map(|key| files[key].name.clone()).collect()
}

/// The only set of the KB, by what the index knows now.
fn only_set(index: &Index, of: Kb) -> PackageSet {
    let facts = index.facts_of(&[of].into()).unwrap();
    let mut sets = package_sets(of, &facts, &Knowledge::built_in().unwrap());
    assert_eq!(sets.len(), 1);
    sets.remove(0)
}

// Files and their links.

#[test]
fn three_updates_that_list_the_same_files_share_them() {
    let index = Index::in_memory();
    let dialogs = [
        (TITLE_24H2, vec![target(), checkpoint()]),
        (TITLE_25H2, vec![checkpoint(), target()]),
        (TITLE_26H2, vec![target(), checkpoint()]),
    ];
    for (number, (title, files)) in dialogs.iter().enumerate() {
        index.alone().record_update(&update(number, title), MONDAY).unwrap();
        assert_eq!(index.alone().record_dialog(id(number), files, MONDAY).unwrap().conflicts, []);
    }
    assert_eq!((count(&index, "files"), count(&index, "file_urls")), (2, 2));
    assert_eq!(count(&index, "update_files"), 6);
    let facts = index.facts_of(&[kb("KB5129195")].into()).unwrap();
    assert_eq!((facts.updates.len(), facts.files.len()), (3, 2));
    for (number, (_, files)) in dialogs.iter().enumerate() {
        let names: Vec<&String> = files.iter().map(|file| &file.name).collect();
        let listed: Vec<&String> =
            facts.files_of(&facts.updates[number]).into_iter().map(|file| &file.name).collect();
        assert_eq!(listed, names, "in the order of the dialog");
    }
    assert!(index.knows_kb(kb("KB5129195")).unwrap());
    assert!(!index.knows_kb(kb("KB5043080")).unwrap(), "a file alone is no update");
    assert_sound(&index);
}

#[test]
fn any_digest_that_is_known_finds_the_file() {
    let index = Index::in_memory();
    let key = put(&index, &file("a.msu", Some(1), None));
    assert_eq!(put(&index, &file("a.msu", Some(1), Some(2))), key);
    assert_eq!(put(&index, &file("other name.msu", None, Some(2))), key);
    let other = put(&index, &file("a.msu", None, Some(4)));
    assert_ne!(other, key, "the name is no identity where there are digests");
    assert_eq!(put(&index, &file("a.msu", Some(3), Some(4))), other);
    let known = index.file(key).unwrap().unwrap();
    assert_eq!((known.sha1, known.sha256, known.name.as_str()), (Some(sha1(1)), Some(sha256(2)), "a.msu"));
    assert_eq!((count(&index, "files"), index.file(FileKey(99)).unwrap()), (2, None));
    assert_sound(&index);
}

#[test]
fn the_sha1_in_a_name_stands_until_the_dialog_states_it() {
    let index = Index::in_memory();
    let name = digit_name("kb5043080", 7);
    let (key, _) =
        index.alone().record_file(&file(&name, None, None), Source::Knowledge, None, MONDAY).unwrap();
    assert_eq!(index.digest_sources(key).unwrap(), (Some(Source::Name), None));
    assert_eq!(put(&index, &file(&name, Some(7), Some(8))), key);
    let from_dialog = (Some(Source::Dialog), Some(Source::Dialog));
    assert_eq!(index.digest_sources(key).unwrap(), from_dialog);
    // A page that says less later takes nothing back.
    assert_eq!(put(&index, &file(&name, None, None)), key);
    assert_eq!(index.digest_sources(key).unwrap(), from_dialog);
    let known = index.file(key).unwrap().unwrap();
    assert_eq!((known.kb, known.sha256), (Some(kb("KB5043080")), Some(sha256(8))));
    assert_eq!(count(&index, "files"), 1);
}

#[test]
fn a_file_under_two_addresses_is_one_file_and_the_newest_address_is_first() {
    let index = Index::in_memory();
    let key = put(&index, &at("https://one/a.msu", file("a.msu", Some(1), Some(2))));
    let second = at("https://two/a.msu", file("a.msu", Some(1), Some(2)));
    assert_eq!(index.alone().record_file(&second, Source::Dialog, None, TUESDAY).unwrap().0, key);
    let urls = index.file(key).unwrap().unwrap().urls;
    assert_eq!(urls, ["https://two/a.msu", "https://one/a.msu"]);
    assert_eq!(count(&index, "files"), 1);
}

#[test]
fn a_file_without_any_digest_is_its_update_and_address() {
    let index = Index::in_memory();
    let record = at("https://one/setup.exe", file("setup.exe", None, None));
    let of = |number: usize, record: &FileRecord| {
        index.alone().record_file(record, Source::Dialog, Some(id(number)), MONDAY).unwrap().0
    };
    let key = of(1, &record);
    assert_eq!(of(1, &record), key);
    assert_ne!(of(2, &record), key, "another update may mean other bytes by the same address");
    assert_ne!(of(1, &at("https://two/setup.exe", record.clone())), key);
    assert_eq!(count(&index, "files"), 3);
    assert_sound(&index);
}

#[test]
fn two_rows_that_turn_out_to_be_one_file_become_one_with_all_that_pointed_to_them() {
    let index = Index::in_memory();
    for (number, title) in [TITLE_24H2, TITLE_25H2].iter().enumerate() {
        index.alone().record_update(&update(number, title), MONDAY).unwrap();
    }
    let by_sha1 = at("https://one/t.msu", file("windows11.0-kb5129195-x64.msu", Some(0x51), None));
    let by_sha256 = at("https://two/t.msu", file("windows11.0-kb5129195-x64.msu", None, Some(0x52)));
    index.alone().record_dialog(id(0), &[by_sha1.clone(), checkpoint()], MONDAY).unwrap();
    let facts = index.facts_of(&[kb("KB5129195")].into()).unwrap();
    let sets = package_sets(kb("KB5129195"), &facts, &Knowledge::built_in().unwrap());
    let set = index.alone().record_set(&sets[0], MONDAY).unwrap();
    index.alone().record_dialog(id(1), &[checkpoint(), by_sha256], MONDAY).unwrap();
    assert_eq!(count(&index, "files"), 3);

    let both = FileRecord { sha256: Some(sha256(0x52)), ..at("https://three/t.msu", by_sha1) };
    let (key, conflict) = index.alone().record_file(&both, Source::Knowledge, None, TUESDAY).unwrap();
    assert_eq!((count(&index, "files"), conflict), (2, None));
    assert_sound(&index);
    let checkpoint = put(&index, &checkpoint());
    assert_eq!(links(&index, 0), [(0, key), (1, checkpoint)]);
    assert_eq!(links(&index, 1), [(0, checkpoint), (1, key)]);
    assert_eq!(seen(&index, 0).unwrap().0.files.unwrap(), [key, checkpoint]);
    assert_eq!(seen(&index, 1).unwrap().0.files.unwrap(), [checkpoint, key]);
    let merged = index.file(key).unwrap().unwrap();
    assert_eq!((merged.sha1, merged.sha256), (Some(sha1(0x51)), Some(sha256(0x52))));
    let urls: BTreeSet<&str> = merged.urls.iter().map(String::as_str).collect();
    assert_eq!(urls, ["https://one/t.msu", "https://two/t.msu", "https://three/t.msu"].into());
    assert_eq!(
        index.digest_sources(key).unwrap(),
        (Some(Source::Dialog), Some(Source::Dialog)),
        "who said it first is still known"
    );
    let members: Vec<FileKey> =
        index.set(set).unwrap().unwrap().members.iter().filter_map(|member| member.file.key).collect();
    assert_eq!(members, [checkpoint, key]);
    let needs = index.needs_of_set(set).unwrap();
    assert_eq!(needs, [(key, checkpoint, "checkpoint".to_owned(), Source::Dialog)]);
}

#[test]
fn a_merge_keeps_the_link_that_is_current() {
    let index = Index::in_memory();
    index.alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    index.alone().record_dialog(id(1), &[file("t.msu", None, Some(2))], MONDAY).unwrap();
    index.alone().record_dialog(id(1), &[file("t.msu", Some(1), None)], TUESDAY).unwrap();
    assert_eq!((links(&index, 1).len(), current_names(&index, 1).len()), (2, 1));
    index.alone().record_file(&file("t.msu", Some(1), Some(2)), Source::Dialog, None, WEDNESDAY).unwrap();
    assert_eq!(links(&index, 1).len(), 1);
    assert_eq!(current_names(&index, 1), ["t.msu"], "the dialog of Tuesday lists the file");
    let times: (Time, Time) = index
        .connection
        .query_row("SELECT first_seen, last_seen FROM update_files", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(times, (MONDAY, TUESDAY));
}

#[test]
fn one_sha1_with_two_sha256_is_a_conflict_and_both_files_are_kept() {
    let index = Index::in_memory();
    let first = put(&index, &file("a.msu", Some(1), Some(2)));
    assert!(!index.is_disputed(first).unwrap());
    let second = file("b.msu", Some(1), Some(3));
    let (key, conflict) = index.alone().record_file(&second, Source::Dialog, None, MONDAY).unwrap();
    let expected = DigestConflict { sha1: sha1(1), names: ["b.msu".to_owned(), "a.msu".to_owned()] };
    assert_eq!(conflict, Some(expected.clone()));
    assert_ne!(key, first);
    assert!(index.is_disputed(first).unwrap() && index.is_disputed(key).unwrap());
    assert_eq!(index.file(first).unwrap().unwrap().sha256, Some(sha256(2)));
    let kept = index.file(key).unwrap().unwrap();
    assert_eq!((kept.sha1, kept.sha256), (None, Some(sha256(3))));
    // Said again it is told again and is still one conflict of two files.
    assert_eq!(
        index.alone().record_file(&second, Source::Dialog, None, TUESDAY).unwrap(),
        (key, Some(expected))
    );
    assert_eq!(put(&index, &file("a.msu", Some(1), Some(2))), first);
    assert_eq!((count(&index, "files"), count(&index, "file_conflicts")), (2, 1));
    assert_sound(&index);
}

#[test]
fn bytes_of_a_disputed_file_do_not_swallow_the_other_one() {
    let index = Index::in_memory();
    let first = put(&index, &file("a.msu", Some(1), Some(2)));
    let (second, _) =
        index.alone().record_file(&file("b.msu", Some(1), Some(3)), Source::Dialog, None, MONDAY).unwrap();
    let digests = Digests { sha1: sha1(1), sha256: sha256(3), size: 10 };
    index.alone().record_pooled(second, &digests, &[], TUESDAY).unwrap();
    assert!(index.is_disputed(second).unwrap());
    let first = index.file(first).unwrap().expect("the other file of the conflict is kept");
    assert_eq!((first.sha256, first.present), (Some(sha256(2)), false));
    assert_sound(&index);
}

#[test]
fn a_sha256_stated_with_two_sha1_does_not_take_over_the_other_file() {
    let index = Index::in_memory();
    let one = put(&index, &file("one.msu", Some(1), Some(9)));
    let two = put(&index, &file("two.msu", Some(2), None));
    let mixed = file("two.msu", Some(2), Some(9));
    assert_eq!(index.alone().record_file(&mixed, Source::Dialog, None, MONDAY).unwrap().0, one);
    assert_eq!(index.file(one).unwrap().unwrap().sha1, Some(sha1(1)), "the first statement stays");
    let two = index.file(two).unwrap().expect("the file with the other SHA-1 is kept");
    assert_eq!((two.sha1, two.sha256), (Some(sha1(2)), None));
    assert_sound(&index);
}

// The pool, as the index sees it.

#[test]
fn bytes_fill_the_row_and_are_the_evidence() {
    let index = Index::in_memory();
    let key = put(&index, &file("a.msu", Some(1), None));
    let digests = Digests { sha1: sha1(1), sha256: sha256(2), size: 10 };
    let checks = [
        Check { what: Checked::Sha1, against: Source::Dialog },
        Check { what: Checked::Size, against: Source::SearchPage },
    ];
    assert_eq!(index.alone().record_pooled(key, &digests, &checks, TUESDAY).unwrap(), key);
    let known = index.file(key).unwrap().unwrap();
    assert_eq!((known.sha256, known.size, known.present), (Some(sha256(2)), Some(10), true));
    assert_eq!(index.digest_sources(key).unwrap(), (Some(Source::Dialog), Some(Source::Bytes)));
    assert_eq!(index.checks_of(key).unwrap(), checks);
    assert_eq!(index.pooled_as(key).unwrap(), Some((sha256(2), 10)));
    index.alone().forget_pooled(key).unwrap();
    assert_eq!((index.pooled_as(key).unwrap(), index.checks_of(key).unwrap()), (None, Vec::new()));
    let known = index.file(key).unwrap().unwrap();
    assert_eq!((known.sha256, known.size, known.present), (Some(sha256(2)), Some(10), false));
    assert_sound(&index);
}

#[test]
fn bytes_of_a_file_without_digests_that_is_another_one_lead_to_it_from_then_on() {
    let index = Index::in_memory();
    index.alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let unnamed = file("setup.exe", None, None);
    index.alone().record_dialog(id(1), std::slice::from_ref(&unnamed), MONDAY).unwrap();
    let known = put(&index, &file("setup-x64.exe", Some(1), Some(2)));
    let unverified = links(&index, 1)[0].1;
    let digests = Digests { sha1: sha1(1), sha256: sha256(2), size: 10 };
    assert_eq!(index.alone().record_pooled(unverified, &digests, &[], MONDAY).unwrap(), known);
    assert_eq!((links(&index, 1), count(&index, "files")), (vec![(0, known)], 1));
    // The dialog says the same again: still that file, which the pool has.
    index.alone().record_dialog(id(1), &[unnamed], TUESDAY).unwrap();
    assert_eq!((links(&index, 1), count(&index, "files")), (vec![(0, known)], 1));
    assert_sound(&index);
}

#[test]
fn a_download_does_not_make_another_set_of_the_same_files() {
    let index = Index::in_memory();
    index.alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let listed = [file("windows11.0-kb5129195-x64.msu", None, Some(0x52)), checkpoint()];
    index.alone().record_dialog(id(1), &listed, MONDAY).unwrap();
    let before = index.alone().record_set(&only_set(&index, kb("KB5129195")), MONDAY).unwrap();
    let key = links(&index, 1)[0].1;
    let digests = Digests { sha1: sha1(0x51), sha256: sha256(0x52), size: 10 };
    index.alone().record_pooled(key, &digests, &[], MONDAY).unwrap();
    let after = index.alone().record_set(&only_set(&index, kb("KB5129195")), TUESDAY).unwrap();
    assert_eq!((after, count(&index, "sets")), (before, 1), "the SHA-1 that the bytes told is no other file");
}

// Updates and their graph.

#[test]
fn a_dialog_that_was_issued_again_shows_its_newest_files_and_the_history_stays() {
    let index = Index::in_memory();
    index.alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let old = file(&digit_name("kb5129195", 9), Some(9), None);
    index.alone().record_dialog(id(1), &[old.clone(), checkpoint()], MONDAY).unwrap();
    index.alone().record_dialog(id(1), &[checkpoint(), target()], TUESDAY).unwrap();
    let facts = index.facts_of(&[kb("KB5129195")].into()).unwrap();
    let names: Vec<&str> =
        facts.files_of(&facts.updates[0]).into_iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, [checkpoint().name, target().name]);
    assert_eq!(facts.updates[0].files_seen, Some(jiff::civil::date(2026, 9, 22)));
    assert!(facts.files.values().all(|file| file.name != old.name));
    assert_eq!((links(&index, 1).len(), count(&index, "files")), (3, 3));
    let listed: Vec<(String, bool)> = index
        .rows("SELECT name, current FROM v_update_files ORDER BY current, position", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(listed, [(old.name, false), (checkpoint().name, true), (target().name, true)]);
}

#[test]
fn an_update_whose_dialog_was_never_read_has_no_files_and_an_empty_dialog_has_none_either() {
    let index = Index::in_memory();
    index.alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    assert_eq!(seen(&index, 1).unwrap().0.files, None);
    index.alone().record_dialog(id(1), &[], MONDAY).unwrap();
    assert_eq!(seen(&index, 1).unwrap().0.files, Some(Vec::new()));
}

#[test]
fn a_row_that_was_revised_takes_the_new_values_and_keeps_what_only_the_details_told() {
    let index = Index::in_memory();
    index
        .alone()
        .record_update(&update(1, "2026-09 Update for Windows 11 for x64-based Systems"), MONDAY)
        .unwrap();
    assert_eq!(seen(&index, 1).unwrap().0.kb, None);
    index.alone().record_details(&details(1), MONDAY).unwrap();
    assert_eq!(seen(&index, 1).unwrap().0.kb, Some(kb("KB5129195")));
    index
        .alone()
        .record_update(&update(1, "2026-09 Update for Windows 11 for arm64-based Systems"), TUESDAY)
        .unwrap();
    let (details, _) = index.details_of(Owner::Kb(kb("KB5129195"))).unwrap();
    assert_eq!(details.len(), 1);
    assert!(details[0].facts.title.ends_with("arm64-based Systems"), "{}", details[0].facts.title);
    assert_eq!(details[0].severity.as_deref(), Some("Critical"));
    assert_eq!(details[0].restart.as_deref(), Some("Can request restart"));
    let period = details[0].seen.unwrap();
    assert_eq!(period, SeenPeriod { first: MONDAY, last: TUESDAY });
    let words = (period.first.to_string(), period.last.to_string());
    assert_eq!(words, ("2026-09-21T14:13:20Z".to_owned(), "2026-09-22T14:13:20Z".to_owned()));
}

#[test]
fn the_kb_of_a_title_goes_before_those_of_the_page_and_several_say_nothing() {
    let index = Index::in_memory();
    index.alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    index
        .alone()
        .record_details(&DetailsRecord { kbs: vec![kb("KB5000001")], ..details(1) }, MONDAY)
        .unwrap();
    assert_eq!(seen(&index, 1).unwrap().0.kb, Some(kb("KB5129195")));
    index.alone().record_update(&update(2, "Realtek - Net - 10.68.815.2023"), MONDAY).unwrap();
    let several = vec![kb("KB5000001"), kb("KB5000002")];
    index.alone().record_details(&DetailsRecord { kbs: several, ..details(2) }, MONDAY).unwrap();
    assert_eq!(seen(&index, 2).unwrap().0.kb, None);
}

#[test]
fn an_update_that_is_only_mentioned_is_no_update_until_it_is_seen() {
    let index = Index::in_memory();
    index.alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let newer = "2026-10 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5130001) (26100.9999)";
    let record = DetailsRecord { superseded_by: vec![(id(2), newer.to_owned())], ..details(1) };
    index.alone().record_details(&record, MONDAY).unwrap();
    assert_eq!(seen(&index, 2), None);
    assert!(!index.knows_kb(kb("KB5130001")).unwrap());
    assert_eq!(index.facts_of(&[kb("KB5130001"), kb("KB5129195")].into()).unwrap().updates.len(), 1);
    assert_eq!((count(&index, "updates"), count(&index, "v_updates")), (2, 1));
    // The edge is there already.
    let replaced_by = |index: &Index| {
        let (details, _) = index.details_of(Owner::Kb(kb("KB5129195"))).unwrap();
        details[0].superseded_by.clone()
    };
    assert_eq!(replaced_by(&index), [related(Some(2), newer)]);
    index.alone().record_update(&update(2, newer), TUESDAY).unwrap();
    assert!(index.knows_kb(kb("KB5130001")).unwrap());
    assert_eq!(seen(&index, 2).unwrap().0.kb, Some(kb("KB5130001")));
    let (of_newer, _) = index.details_of(Owner::Update(id(2))).unwrap();
    assert_eq!(of_newer[0].supersedes, [related(Some(1), TITLE_24H2)]);
    // To be mentioned again does not count as being seen.
    index.alone().record_details(&record, WEDNESDAY).unwrap();
    let (of_newer, _) = index.details_of(Owner::Update(id(2))).unwrap();
    assert_eq!(of_newer[0].seen.unwrap().last, TUESDAY);
    assert_eq!(replaced_by(&index).len(), 1);
}

#[test]
fn a_title_matches_its_update_as_soon_as_that_appears_and_none_where_two_have_it() {
    let index = Index::in_memory();
    index.alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let older = "2026-08 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5125000) (26100.9000)";
    index
        .alone()
        .record_details(&DetailsRecord { supersedes: vec![older.to_owned()], ..details(1) }, MONDAY)
        .unwrap();
    let replaces = |index: &Index| {
        let (details, _) = index.details_of(Owner::Update(id(1))).unwrap();
        details[0].supersedes.clone()
    };
    assert_eq!(replaces(&index), [related(None, older)]);
    index.alone().record_update(&update(2, older), TUESDAY).unwrap();
    assert_eq!(replaces(&index), [related(Some(2), older)]);
    let (of_older, _) = index.details_of(Owner::Update(id(2))).unwrap();
    assert_eq!(of_older[0].superseded_by, [related(Some(1), TITLE_24H2)], "known from both ends");
    index.alone().record_update(&update(3, older), TUESDAY).unwrap();
    assert_eq!(replaces(&index), [related(None, older)]);
    // The older one's own page names the newer one by id: that is an edge, and the title adds none beside it.
    let own_page = DetailsRecord { superseded_by: vec![(id(1), TITLE_24H2.to_owned())], ..details(2) };
    index.alone().record_details(&own_page, TUESDAY).unwrap();
    assert_eq!(replaces(&index), [related(Some(2), older)]);
}

#[test]
fn lists_that_shrink_do_not_shrink_the_history() {
    let index = Index::in_memory();
    index.alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let full = DetailsRecord {
        superseded_by: vec![(id(2), "newer one".to_owned()), (id(3), "newer two".to_owned())],
        supersedes: vec!["older one".to_owned(), "older two".to_owned()],
        ..details(1)
    };
    index.alone().record_details(&full, MONDAY).unwrap();
    let short = DetailsRecord {
        superseded_by: vec![(id(3), "newer two".to_owned())],
        supersedes: Vec::new(),
        ..details(1)
    };
    index.alone().record_details(&short, TUESDAY).unwrap();
    let (details, _) = index.details_of(Owner::Update(id(1))).unwrap();
    assert_eq!(details[0].superseded_by, [related(Some(2), "newer one"), related(Some(3), "newer two")]);
    assert_eq!(details[0].supersedes, [related(None, "older one"), related(None, "older two")]);
    let times: Vec<Time> =
        index.rows("SELECT last_seen FROM supersedes ORDER BY last_seen", [], |row| row.get(0)).unwrap();
    assert_eq!(times, [MONDAY, TUESDAY], "when a page said so last is known");
}

// The same again.

/// Everything that a crawl of one KB records, and what a fetch adds.
fn record_all(index: &Index, now: Time) {
    for (number, title) in [TITLE_24H2, TITLE_25H2].iter().enumerate() {
        index.alone().record_update(&update(number, title), now).unwrap();
        let record = DetailsRecord {
            superseded_by: vec![(id(8), "newer".to_owned())],
            supersedes: vec!["older".to_owned(), TITLE_26H2.to_owned()],
            ..details(number)
        };
        index.alone().record_details(&record, now).unwrap();
    }
    index.alone().record_dialog(id(0), &[target(), checkpoint()], now).unwrap();
    let loose = file("readme.txt", None, None);
    let by_name = file(&digit_name("kb5129195", 0x51), None, None);
    index.alone().record_dialog(id(1), &[checkpoint(), by_name, loose.clone()], now).unwrap();
    index.alone().record_dialog(id(1), &[checkpoint(), target(), loose], now).unwrap();
    index.alone().record_file(&file("a.msu", Some(1), Some(2)), Source::Dialog, None, now).unwrap();
    index.alone().record_file(&file("b.msu", Some(1), Some(3)), Source::Dialog, None, now).unwrap();
    index.alone().record_file(&checkpoint(), Source::Knowledge, None, now).unwrap();
    let facts = index.facts_of(&[kb("KB5129195")].into()).unwrap();
    for set in package_sets(kb("KB5129195"), &facts, &Knowledge::built_in().unwrap()) {
        index.alone().record_set(&set, now).unwrap();
    }
    let key = index.facts_of(&[kb("KB5129195")].into()).unwrap().updates[0].files.clone().unwrap()[0];
    let digests = Digests { sha1: sha1(0x51), sha256: sha256(0x52), size: 10 };
    index
        .alone()
        .record_pooled(key, &digests, &[Check { what: Checked::Sha1, against: Source::Dialog }], now)
        .unwrap();
    index.alone().set_meta("origin", "live").unwrap();
    index.alone().record_absence(id(1), MONDAY, Some(MONDAY)).unwrap();
    index.alone().record_search("KB5129195", 2, now).unwrap();
    index.alone().record_damage(&damage_in_pool("pool/sha256/09/09", sha256(9)), "verify", now).unwrap();
}

#[test]
fn the_same_facts_at_a_later_time_move_last_seen_and_nothing_else() {
    let index = Index::in_memory();
    record_all(&index, MONDAY);
    // A check is dated: it was made again.
    let lasting = |table: &str, column: &str| {
        !column.ends_with("last_seen")
            && !matches!((table, column), ("checks", "checked") | ("searches", "last_asked"))
    };
    let (before, all_before) = (dump(&index, lasting), dump(&index, |_, _| true));
    let empty: Vec<&str> =
        before.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| table.as_str()).collect();
    assert_eq!(empty, ["published", "runs"], "every other table takes part");
    record_all(&index, TUESDAY);
    assert_eq!(dump(&index, lasting), before);
    assert_ne!(dump(&index, |_, _| true), all_before);
    for table in ["updates", "files", "file_urls", "update_files", "needs", "supersedes_titles", "sets"] {
        let sql = format!("SELECT DISTINCT last_seen FROM {table}");
        let times: Vec<Time> = index.rows(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(times, [TUESDAY], "{table}");
    }
    assert_sound(&index);
}

#[test]
fn changes_that_fail_leave_nothing() {
    let mut index = Index::in_memory();
    let before = dump(&index, |_, _| true);
    let failed: Result<()> = index.in_transaction(|index| {
        index.alone().record_update(&update(1, TITLE_24H2), MONDAY)?;
        // There is no such update: its dialog has no place.
        index.alone().record_dialog(id(2), &[target()], MONDAY).map(|_| ())
    });
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(dump(&index, |_, _| true), before);
    index.in_transaction(|index| index.alone().record_update(&update(1, TITLE_24H2), MONDAY)).unwrap();
    assert_eq!(count(&index, "updates"), 1);
}

// Identity, whatever the order.

/// Which of the digests of a file a page states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum States {
    Sha1,
    Sha256,
    Both,
    /// The name carries the SHA-1, and nothing else does.
    Name,
}

/// File `number` of a universe where every file has one SHA-1 and one SHA-256.
fn of_universe(number: u8, states: States) -> FileRecord {
    let name = match states {
        States::Name => format!("f{number}_{}.msu", sha1(number)),
        _ => format!("f{number}.msu"),
    };
    FileRecord {
        name,
        url: format!("https://host/{number}/{states:?}"),
        sha1: matches!(states, States::Sha1 | States::Both).then(|| sha1(number)),
        sha256: matches!(states, States::Sha256 | States::Both).then(|| sha256(100 + number)),
    }
}

fn any_states() -> impl Strategy<Value = States> {
    prop_oneof![Just(States::Sha1), Just(States::Sha256), Just(States::Both), Just(States::Name)]
}

/// How many rows there must be: one for each set of digests that statements have joined.
fn identities(statements: &[(u8, States)]) -> usize {
    let numbers: BTreeSet<u8> = statements.iter().map(|&(number, _)| number).collect();
    let rows = |number: u8| {
        let of = |wanted: &[States]| {
            statements.iter().any(|&(other, states)| other == number && wanted.contains(&states))
        };
        let joined = of(&[States::Both]);
        if joined {
            1
        } else {
            usize::from(of(&[States::Sha1, States::Name])) + usize::from(of(&[States::Sha256]))
        }
    };
    numbers.into_iter().map(rows).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn there_are_as_many_files_as_identities(
        statements in prop::collection::vec((0_u8..5, any_states()), 1..24),
        order in any::<prop::sample::Index>(),
    ) {
        let index = Index::in_memory();
        let mut said = Vec::new();
        for &(number, states) in &statements {
            let (_, conflict) = index.alone().record_file(&of_universe(number, states), Source::Dialog, None, MONDAY).unwrap();
            prop_assert_eq!(conflict, None);
            said.push((number, states));
            prop_assert_eq!(count(&index, "files"), i64::try_from(identities(&said)).unwrap());
        }
        let mut numbers: Vec<u8> =
            statements.iter().map(|&(number, _)| number).collect::<BTreeSet<u8>>().into_iter().collect();
        let turn = order.index(numbers.len());
        numbers.rotate_left(turn);
        for &number in &numbers {
            index.alone().record_file(&of_universe(number, States::Both), Source::Dialog, None, TUESDAY).unwrap();
        }
        prop_assert_eq!(count(&index, "files"), i64::try_from(numbers.len()).unwrap());
        for &number in &numbers {
            let (key, _) = index.alone().record_file(&of_universe(number, States::Sha1), Source::Dialog, None, TUESDAY).unwrap();
            let file = index.file(key).unwrap().unwrap();
            prop_assert_eq!((file.sha1, file.sha256), (Some(sha1(number)), Some(sha256(100 + number))));
            let addresses: BTreeSet<String> = statements
                .iter()
                .filter(|&&(other, _)| other == number)
                .map(|&(_, states)| of_universe(number, states).url)
                .chain([States::Both, States::Sha1].map(|states| of_universe(number, states).url))
                .collect();
            prop_assert_eq!(file.urls.into_iter().collect::<BTreeSet<String>>(), addresses);
        }
        assert_sound(&index);
    }

    #[test]
    fn an_update_shows_its_newest_dialog_however_its_files_came_to_be_known(
        dialogs in prop::collection::vec(
            (0_usize..3, prop::collection::btree_map(0_u8..4, any_states(), 0..4), any::<bool>()),
            1..12,
        )
    ) {
        let index = Index::in_memory();
        let mut newest: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for ((number, listed, upwards), now) in dialogs.into_iter().zip((0..).map(|second| MONDAY.shifted_by(second))) {
            index.alone().record_update(&update(number, TITLE_24H2), now).unwrap();
            let mut listed: Vec<(u8, States)> = listed.into_iter().collect();
            if !upwards {
                listed.reverse();
            }
            let files: Vec<FileRecord> =
                listed.iter().map(|&(number, states)| of_universe(number, states)).collect();
            index.alone().record_dialog(id(number), &files, now).unwrap();
            newest.insert(number, listed.iter().map(|(number, _)| format!("f{number}")).collect());
            for (&number, expected) in &newest {
                // A file has one name of several; its number is in all of them.
                let names: Vec<String> = current_names(&index, number)
                    .iter()
                    .map(|name| name.chars().take(2).collect())
                    .collect();
                prop_assert_eq!(&names, expected);
            }
        }
        assert_sound(&index);
    }
}

// The database.

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
    (folder, path)
}

fn pragma(connection: &Connection, name: &str) -> i64 {
    connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
}

#[test]
fn an_empty_database_becomes_one_of_the_newest_format() {
    let (_guard, folder) = folder();
    let path = folder.join("deep").join("mirror.db");
    let index = Index::open(&path).unwrap();
    assert_eq!(pragma(&index.connection, "user_version"), 4);
    assert_eq!(pragma(&index.connection, "application_id"), 0x4b42_4d49);
    assert_eq!(pragma(&index.connection, "foreign_keys"), 1);
    index.alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    drop(index);
    let index = Index::open(&path).unwrap();
    assert_eq!(count(&index, "updates"), 1, "opening it again changes nothing");
    let in_memory = Index::in_memory();
    let schema = |index: &Index| -> Vec<String> {
        index
            .rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(schema(&index), schema(&in_memory));
}

#[test]
fn an_index_that_is_open_for_reading_cannot_be_changed() {
    let (_guard, folder) = folder();
    let path = folder.join("mirror.db");
    assert!(Index::open_read_only(&path).is_err(), "it must be there");
    assert!(!disk::exists(&path));
    Index::open(&path).unwrap().alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let index = Index::open_read_only(&path).unwrap();
    assert!(index.knows_kb(kb("KB5129195")).unwrap());
    assert!(index.alone().record_update(&update(2, TITLE_25H2), MONDAY).is_err());
    assert_eq!(count(&index, "updates"), 1);
}

#[test]
fn an_index_of_a_newer_format_is_refused_and_left_alone() {
    let (_guard, folder) = folder();
    let path = folder.join("mirror.db");
    drop(Index::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = disk::read(&path, 1 << 20).unwrap();
    for error in [Index::open(&path).unwrap_err(), Index::open_read_only(&path).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.message().contains("format 99") && error.message().contains(path.as_str()), "{error}");
        assert_eq!(error.hints().len(), 1);
    }
    assert_eq!(disk::read(&path, 1 << 20).unwrap(), before);
}

#[test]
fn a_file_that_is_no_index_is_refused_by_its_path() {
    let (_guard, folder) = folder();
    let text = folder.join("notes.txt");
    let words = "Not a database at all. ".repeat(100);
    disk::write_atomic(&text, words.as_bytes()).unwrap();
    for error in [Index::open(&text).unwrap_err(), Index::open_read_only(&text).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(error.message().contains(text.as_str()), "{error}");
    }
    assert_eq!(disk::read(&text, 1 << 20).unwrap(), words.as_bytes());
    let empty = folder.join("empty.db");
    disk::write_atomic(&empty, b"").unwrap();
    let error = Index::open_read_only(&empty).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.message().contains(empty.as_str()), "{error}");
}

#[test]
fn the_database_of_another_program_is_refused_and_left_alone() {
    let (_guard, folder) = folder();
    for version in [0, 1] {
        let path = folder.join(format!("other-{version}.db"));
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE photos (id INTEGER PRIMARY KEY)").unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        drop(connection);
        let before = disk::read(&path, 1 << 20).unwrap();
        for opened in [Index::open_read_only(&path), Index::open(&path)] {
            let error = opened.expect_err("it is not ours");
            assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
            assert!(error.message().contains(path.as_str()), "{error}");
        }
        assert_eq!(disk::read(&path, 1 << 20).unwrap(), before);
    }
}

#[test]
fn every_view_can_be_selected_from() {
    let index = Index::in_memory();
    let views = objects(&index, "view");
    assert_eq!(
        views,
        ["v_damage", "v_files", "v_needs", "v_sets", "v_supersedes", "v_update_files", "v_updates"]
    );
    for view in &views {
        assert_eq!(count(&index, view), 0, "{view}");
    }
    record_all(&index, MONDAY);
    for view in &views {
        assert!(!names_of_columns(&index, view).is_empty());
        assert!(count(&index, view) > 0, "{view}");
    }
}

#[test]
fn runs_and_facts_of_the_index_about_itself() {
    let index = Index::in_memory();
    assert_eq!(index.meta("origin").unwrap(), None);
    index.alone().set_meta("origin", "live").unwrap();
    index.alone().set_meta("origin", "replay").unwrap();
    assert_eq!(index.meta("origin").unwrap().as_deref(), Some("live"), "set once");
    let run = index.alone().start_run("crawl", MONDAY).unwrap();
    assert_ne!(index.alone().start_run("fetch", MONDAY).unwrap(), run);
    index.alone().finish_run(run, TUESDAY, 5, u64::MAX, 7).unwrap();
    let sql = "SELECT finished, exit_code, requests, bytes_downloaded FROM runs WHERE id = ?1";
    let ended: (Time, i64, i64, i64) = index
        .connection
        .query_row(sql, [run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap();
    assert_eq!(ended, (TUESDAY, 5, i64::MAX, 7));
}

#[test]
fn an_index_of_the_first_format_becomes_one_of_the_newest_and_keeps_its_rows() {
    let (_guard, folder) = folder();
    let path = folder.join("mirror.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("schema_1.sql")).unwrap();
    old.pragma_update(None, "application_id", 0x4b42_4d49).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute_batch(
        "INSERT INTO updates (update_id, mentioned_only, title, kb, kind, first_seen, last_seen)
         VALUES ('00000000-0000-0000-0000-000000000001', 0, 'x', 5094141, 'ssu', 1, 1)",
    )
    .unwrap();
    drop(old);
    // Nobody may change it: it is read as it is.
    let read_only = Index::open_read_only(&path).unwrap();
    let facts = read_only.facts_of(&[kb("KB5094141")].into()).unwrap();
    assert_eq!((facts.updates.len(), &facts.updates[0].expired), (1, &None));
    assert_eq!(pragma(&read_only.connection, "user_version"), 1);
    assert_eq!(read_only.damage().unwrap(), [], "an older index states no damage");
    assert!(!read_only.is_damaged(&sha256(2)).unwrap());
    drop(read_only);
    let index = Index::open(&path).unwrap();
    assert_eq!(pragma(&index.connection, "user_version"), 4);
    let stacks = index.updates_of_kinds(&[crate::update::Kind::Ssu]).unwrap();
    assert_eq!(stacks.len(), 1);
    assert_eq!(stacks[0].kb, Some(kb("KB5094141")));
}

// What the Catalog shows no more.

#[test]
fn what_is_missing_keeps_its_first_date_and_comes_back_whole() {
    let index = Index::in_memory();
    index.alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    index.alone().record_dialog(id(1), &[target(), checkpoint()], MONDAY).unwrap();
    let newer = "2026-10 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5130000) (26100.9500)";
    let record = DetailsRecord { superseded_by: vec![(id(8), newer.to_owned())], ..details(1) };
    index.alone().record_details(&record, MONDAY).unwrap();
    let only = |index: &Index| index.facts_of(&[kb("KB5129195")].into()).unwrap().updates[0].clone();
    let known = only(&index);

    index.alone().record_absence(id(1), TUESDAY, None).unwrap();
    assert_eq!(only(&index), known, "missing once is not gone");
    index.alone().record_absence(id(1), WEDNESDAY, Some(WEDNESDAY)).unwrap();
    index.alone().record_absence(id(1), WEDNESDAY.shifted_by(1), Some(WEDNESDAY.shifted_by(1))).unwrap();
    let seen = index.seen_of(kb("KB5129195")).unwrap();
    assert_eq!((seen[0].missing_since, seen[0].expired), (Some(TUESDAY), Some(WEDNESDAY)));
    let gone = only(&index).expired.unwrap();
    assert_eq!((gone.since, gone.successor), (WEDNESDAY.date(), Some(kb("KB5130000"))));
    let facts = index.facts_of(&[kb("KB5129195")].into()).unwrap();
    let sets = package_sets(kb("KB5129195"), &facts, &Knowledge::built_in().unwrap());
    assert!(sets[0].warnings[0].contains("KB5130000 replaces it"), "{:?}", sets[0].warnings);

    index.alone().record_presence(id(1)).unwrap();
    assert_eq!(only(&index), known);
}

#[test]
fn a_search_is_remembered_with_its_last_sound_answer() {
    let index = Index::in_memory();
    assert_eq!(index.search_asked("KB1").unwrap(), None);
    index.alone().record_search("KB1", 3, MONDAY).unwrap();
    index.alone().record_search("KB1", 0, TUESDAY).unwrap();
    assert_eq!(
        (index.search_asked("KB1").unwrap(), index.search_answer("KB1").unwrap()),
        (Some(TUESDAY), Some(0))
    );
}

// Damage.

fn damage_in_pool(path: &str, digest: Sha256) -> NewDamage {
    NewDamage {
        path: path.into(),
        kb: None,
        folder: None,
        sha256: Some(digest),
        kind: FindingKind::Digest,
        message: "its SHA-256 is another one".to_owned(),
    }
}

#[test]
fn a_file_that_is_recorded_as_damaged_is_absent() {
    let index = Index::in_memory();
    index.alone().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    index.alone().record_dialog(id(1), &[target(), checkpoint()], MONDAY).unwrap();
    let key = index.file_of_sha1(&target().sha1.unwrap()).unwrap().unwrap().key.unwrap();
    let digests = Digests { sha1: target().sha1.unwrap(), sha256: sha256(2), size: 10 };
    let key = index.alone().record_pooled(key, &digests, &[], MONDAY).unwrap();
    let is_present = || {
        let by_view: bool = index
            .first("SELECT present FROM v_files WHERE file = ?1", [key], |row| row.get(0))
            .unwrap()
            .unwrap();
        assert_eq!(by_view, index.file(key).unwrap().unwrap().present);
        by_view
    };
    assert!(is_present());
    index.alone().record_damage(&damage_in_pool("pool/sha256/02/02", sha256(2)), "verify", MONDAY).unwrap();
    assert!(!is_present());
    assert!(index.is_damaged(&sha256(2)).unwrap() && !index.is_damaged(&sha256(3)).unwrap());

    // A later finding about the same path says what is there now, and keeps when and by what it was found first.
    let worse = NewDamage { kind: FindingKind::Missing, ..damage_in_pool("pool/sha256/02/02", sha256(2)) };
    index.alone().record_damage(&worse, "stage", TUESDAY).unwrap();
    let known = index.damage().unwrap();
    assert_eq!((known.len(), known[0].kind, known[0].found_by.as_str()), (1, FindingKind::Missing, "verify"));
    assert_eq!(known[0].found, MONDAY);

    // A damaged copy in a set folder leaves the pool's bytes as they are.
    let kb = kb("KB5129195");
    let copy =
        NewDamage { path: "kb/a".into(), kb: Some(kb), folder: Some(SetFolder::new("a").unwrap()), ..worse };
    index.alone().record_damage(&copy, "verify", TUESDAY).unwrap();
    index.alone().clear_damage("pool/sha256/02/02".into()).unwrap();
    assert!(is_present());
    assert!(index.is_folder_damaged(kb, &SetFolder::new("a").unwrap()).unwrap());
    index.alone().clear_damage_of_folder(kb, &SetFolder::new("a").unwrap()).unwrap();
    assert_eq!(index.damage().unwrap(), []);
}

#[test]
fn an_index_without_room_loses_nothing_and_goes_on_with_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(folder.path().join("mirror.db")).unwrap();
    let mut index = Index::open(&path).unwrap();
    let fill = |index: &mut Index, key: &str| {
        index.in_transaction(|changes| {
            changes.set_meta(key, "begun")?;
            (0..200).try_for_each(|part| changes.set_meta(&format!("{key}-{part}"), &"x".repeat(1000)))
        })
    };
    index.in_transaction(|changes| changes.set_meta("before", "kept")).unwrap();
    let pages: i64 = index.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    // As a disk with room for some of it.
    let limited = |index: &Index, pages: i64| {
        let _most: i64 = index
            .connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get(0))
            .unwrap();
    };
    for more in [0, 1, 7, 30] {
        limited(&index, pages + more);
        let error = fill(&mut index, "too much").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{more}");
        assert!(error.message().contains(path.as_str()) && error.message().contains(" are free"), "{error}");
        assert_eq!(index.meta("before").unwrap().as_deref(), Some("kept"), "{more}");
        assert_eq!(index.meta("too much").unwrap(), None, "{more}: all of it or nothing");
        let error = index.rehearse(|changes| {
            (0..200).try_for_each(|part| changes.set_meta(&format!("trial-{part}"), &"x".repeat(1000)))
        });
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NoSpace, "{more}");
        assert_eq!(index.integrity_faults(), Vec::<String>::new());
    }
    drop(index);
    let mut index = Index::open(&path).unwrap();
    limited(&index, 1 << 20);
    fill(&mut index, "much").unwrap();
    assert_eq!(index.meta("before").unwrap().as_deref(), Some("kept"));
    assert_eq!(index.meta("much-199").unwrap().map(|text| text.len()), Some(1000));
}
