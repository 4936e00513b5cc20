//! A file with all of its digests and URLs, and its bytes in the pool.

use super::*;

#[test]
fn updates_that_list_the_same_files_share_their_rows() {
    let index = Index::in_memory();
    let dialogs = [
        (TITLE_24H2, vec![target(), checkpoint()]),
        (TITLE_25H2, vec![checkpoint(), target()]),
        (TITLE_26H2, vec![target(), checkpoint()]),
    ];
    for (number, (title, files)) in dialogs.iter().enumerate() {
        index.autocommit().record_update(&update(number, title), MONDAY).unwrap();
        assert_eq!(index.autocommit().record_dialog(id(number), files, MONDAY).unwrap().conflicts, []);
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
    assert!(!index.knows_kb(kb("KB5043080")).unwrap(), "a file alone does not make an update");
    assert_sound(&index);
}

#[test]
fn every_known_digest_finds_the_file() {
    let index = Index::in_memory();
    let key = record_unlisted(&index, &file("a.msu", Some(1), None));
    assert_eq!(record_unlisted(&index, &file("a.msu", Some(1), Some(2))), key);
    assert_eq!(record_unlisted(&index, &file("other name.msu", None, Some(2))), key);
    let other = record_unlisted(&index, &file("a.msu", None, Some(4)));
    assert_ne!(other, key, "a name does not identify a file that has digests");
    assert_eq!(record_unlisted(&index, &file("a.msu", Some(3), Some(4))), other);
    let known = index.file(key).unwrap().unwrap();
    assert_eq!((known.sha1, known.sha256, known.name.as_str()), (Some(sha1(1)), Some(sha256(2)), "a.msu"));
    assert_eq!((count(&index, "files"), index.file(FileKey(99)).unwrap()), (2, None));
    assert_sound(&index);
}

#[test]
fn dialog_replaces_name_as_source_of_the_sha1() {
    let index = Index::in_memory();
    let name = digit_name("kb5043080", 7);
    let (key, _) =
        index.autocommit().record_file(&file(&name, None, None), Source::Knowledge, None, MONDAY).unwrap();
    assert_eq!(index.digest_sources(key).unwrap(), (Some(Source::Name), None));
    assert_eq!(record_unlisted(&index, &file(&name, Some(7), Some(8))), key);
    let from_dialog = (Some(Source::Dialog), Some(Source::Dialog));
    assert_eq!(index.digest_sources(key).unwrap(), from_dialog);
    // A later page with fewer statements removes no fact.
    assert_eq!(record_unlisted(&index, &file(&name, None, None)), key);
    assert_eq!(index.digest_sources(key).unwrap(), from_dialog);
    let known = index.file(key).unwrap().unwrap();
    assert_eq!((known.kb, known.sha256), (Some(kb("KB5043080")), Some(sha256(8))));
    assert_eq!(count(&index, "files"), 1);
}

#[test]
fn file_with_two_urls_lists_the_newest_url_first() {
    let index = Index::in_memory();
    let key = record_unlisted(&index, &at("https://one/a.msu", file("a.msu", Some(1), Some(2))));
    let second = at("https://two/a.msu", file("a.msu", Some(1), Some(2)));
    assert_eq!(index.autocommit().record_file(&second, Source::Dialog, None, TUESDAY).unwrap().0, key);
    let urls = index.file(key).unwrap().unwrap().urls;
    assert_eq!(urls, ["https://two/a.msu", "https://one/a.msu"]);
    assert_eq!(count(&index, "files"), 1);
}

#[test]
fn file_without_digest_is_identified_by_update_and_url() {
    let index = Index::in_memory();
    let record = at("https://one/setup.exe", file("setup.exe", None, None));
    let of = |number: usize, record: &FileRecord| {
        index.autocommit().record_file(record, Source::Dialog, Some(id(number)), MONDAY).unwrap().0
    };
    let key = of(1, &record);
    assert_eq!(of(1, &record), key);
    assert_ne!(of(2, &record), key, "another update may have other bytes at the same URL");
    assert_ne!(of(1, &at("https://two/setup.exe", record.clone())), key);
    assert_eq!(count(&index, "files"), 3);
    assert_sound(&index);
}

#[test]
fn merging_two_rows_of_one_file_keeps_all_references() {
    let index = Index::in_memory();
    for (number, title) in [TITLE_24H2, TITLE_25H2].iter().enumerate() {
        index.autocommit().record_update(&update(number, title), MONDAY).unwrap();
    }
    let by_sha1 = at("https://one/t.msu", file("windows11.0-kb5129195-x64.msu", Some(0x51), None));
    let by_sha256 = at("https://two/t.msu", file("windows11.0-kb5129195-x64.msu", None, Some(0x52)));
    index.autocommit().record_dialog(id(0), &[by_sha1.clone(), checkpoint()], MONDAY).unwrap();
    let facts = index.facts_of(&[kb("KB5129195")].into()).unwrap();
    let sets = package_sets(kb("KB5129195"), &facts, &Knowledge::built_in().unwrap());
    let set = index.autocommit().record_set(&sets[0], MONDAY).unwrap();
    index.autocommit().record_dialog(id(1), &[checkpoint(), by_sha256], MONDAY).unwrap();
    assert_eq!(count(&index, "files"), 3);

    let both = FileRecord { sha256: Some(sha256(0x52)), ..at("https://three/t.msu", by_sha1) };
    let (key, conflict) = index.autocommit().record_file(&both, Source::Knowledge, None, TUESDAY).unwrap();
    assert_eq!((count(&index, "files"), conflict), (2, None));
    assert_sound(&index);
    let checkpoint = record_unlisted(&index, &checkpoint());
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
        "the first source is kept"
    );
    let members: Vec<FileKey> =
        index.set(set).unwrap().unwrap().members.iter().filter_map(|member| member.file.key).collect();
    assert_eq!(members, [checkpoint, key]);
    let needs = index.needs_of_set(set).unwrap();
    assert_eq!(needs, [(key, checkpoint, "checkpoint".to_owned(), Source::Dialog)]);
}

#[test]
fn merge_keeps_the_current_link() {
    let index = Index::in_memory();
    index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    index.autocommit().record_dialog(id(1), &[file("t.msu", None, Some(2))], MONDAY).unwrap();
    index.autocommit().record_dialog(id(1), &[file("t.msu", Some(1), None)], TUESDAY).unwrap();
    assert_eq!((links(&index, 1).len(), current_names(&index, 1).len()), (2, 1));
    index
        .autocommit()
        .record_file(&file("t.msu", Some(1), Some(2)), Source::Dialog, None, WEDNESDAY)
        .unwrap();
    assert_eq!(links(&index, 1).len(), 1);
    assert_eq!(current_names(&index, 1), ["t.msu"], "the dialog of Tuesday lists the file");
    let times: (Time, Time) = index
        .connection
        .query_row("SELECT first_seen, last_seen FROM update_files", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(times, (MONDAY, TUESDAY));
}

#[test]
fn sha1_with_two_sha256_is_a_conflict_and_keeps_both_files() {
    let index = Index::in_memory();
    let first = record_unlisted(&index, &file("a.msu", Some(1), Some(2)));
    assert!(!index.is_disputed(first).unwrap());
    let second = file("b.msu", Some(1), Some(3));
    let (key, conflict) = index.autocommit().record_file(&second, Source::Dialog, None, MONDAY).unwrap();
    let expected = DigestConflict { sha1: sha1(1), names: ["b.msu".to_owned(), "a.msu".to_owned()] };
    assert_eq!(conflict, Some(expected.clone()));
    assert_ne!(key, first);
    assert!(index.is_disputed(first).unwrap() && index.is_disputed(key).unwrap());
    assert_eq!(index.file(first).unwrap().unwrap().sha256, Some(sha256(2)));
    let kept = index.file(key).unwrap().unwrap();
    assert_eq!((kept.sha1, kept.sha256), (None, Some(sha256(3))));
    // A repeated statement is reported again and remains one conflict of two files.
    assert_eq!(
        index.autocommit().record_file(&second, Source::Dialog, None, TUESDAY).unwrap(),
        (key, Some(expected))
    );
    assert_eq!(record_unlisted(&index, &file("a.msu", Some(1), Some(2))), first);
    assert_eq!((count(&index, "files"), count(&index, "file_conflicts")), (2, 1));
    assert_sound(&index);
}

#[test]
fn bytes_of_a_disputed_file_do_not_merge_the_other_file() {
    let index = Index::in_memory();
    let first = record_unlisted(&index, &file("a.msu", Some(1), Some(2)));
    let (second, _) = index
        .autocommit()
        .record_file(&file("b.msu", Some(1), Some(3)), Source::Dialog, None, MONDAY)
        .unwrap();
    let digests = Digests { sha1: sha1(1), sha256: sha256(3), size: 10 };
    index.autocommit().record_pooled(second, &digests, &[], TUESDAY).unwrap();
    assert!(index.is_disputed(second).unwrap());
    let first = index.file(first).unwrap().expect("the other file of the conflict is kept");
    assert_eq!((first.sha256, first.present), (Some(sha256(2)), false));
    assert_sound(&index);
}

#[test]
fn sha256_with_two_sha1_does_not_merge_the_files() {
    let index = Index::in_memory();
    let one = record_unlisted(&index, &file("one.msu", Some(1), Some(9)));
    let two = record_unlisted(&index, &file("two.msu", Some(2), None));
    let mixed = file("two.msu", Some(2), Some(9));
    assert_eq!(index.autocommit().record_file(&mixed, Source::Dialog, None, MONDAY).unwrap().0, one);
    assert_eq!(index.file(one).unwrap().unwrap().sha1, Some(sha1(1)), "the first statement stays");
    let two = index.file(two).unwrap().expect("the file with the other SHA-1 is kept");
    assert_eq!((two.sha1, two.sha256), (Some(sha1(2)), None));
    assert_sound(&index);
}

#[test]
fn pooled_bytes_fill_the_row_and_record_the_checks() {
    let index = Index::in_memory();
    let key = record_unlisted(&index, &file("a.msu", Some(1), None));
    let digests = Digests { sha1: sha1(1), sha256: sha256(2), size: 10 };
    let checks = [
        PropertyCheck { what: FileProperty::Sha1, against: Source::Dialog },
        PropertyCheck { what: FileProperty::Size, against: Source::SearchPage },
    ];
    assert_eq!(index.autocommit().record_pooled(key, &digests, &checks, TUESDAY).unwrap(), key);
    let known = index.file(key).unwrap().unwrap();
    assert_eq!((known.sha256, known.size, known.present), (Some(sha256(2)), Some(10), true));
    assert_eq!(index.digest_sources(key).unwrap(), (Some(Source::Dialog), Some(Source::Bytes)));
    assert_eq!(index.checks_of(key).unwrap(), checks);
    assert_eq!(index.pool_record(key).unwrap(), Some((sha256(2), 10)));
    index.autocommit().forget_pooled(key).unwrap();
    assert_eq!((index.pool_record(key).unwrap(), index.checks_of(key).unwrap()), (None, Vec::new()));
    let known = index.file(key).unwrap().unwrap();
    assert_eq!((known.sha256, known.size, known.present), (Some(sha256(2)), Some(10), false));
    assert_sound(&index);
}

#[test]
fn bytes_of_an_unidentified_file_merge_it_with_the_known_file() {
    let index = Index::in_memory();
    index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let unnamed = file("setup.exe", None, None);
    index.autocommit().record_dialog(id(1), std::slice::from_ref(&unnamed), MONDAY).unwrap();
    let known = record_unlisted(&index, &file("setup-x64.exe", Some(1), Some(2)));
    let unverified = links(&index, 1)[0].1;
    let digests = Digests { sha1: sha1(1), sha256: sha256(2), size: 10 };
    assert_eq!(index.autocommit().record_pooled(unverified, &digests, &[], MONDAY).unwrap(), known);
    assert_eq!((links(&index, 1), count(&index, "files")), (vec![(0, known)], 1));
    // The dialog repeats the statement: it still means that file, which the pool has.
    index.autocommit().record_dialog(id(1), &[unnamed], TUESDAY).unwrap();
    assert_eq!((links(&index, 1), count(&index, "files")), (vec![(0, known)], 1));
    assert_sound(&index);
}

#[test]
fn download_does_not_create_a_second_set_of_the_same_files() {
    let index = Index::in_memory();
    index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let listed = [file("windows11.0-kb5129195-x64.msu", None, Some(0x52)), checkpoint()];
    index.autocommit().record_dialog(id(1), &listed, MONDAY).unwrap();
    let before = index.autocommit().record_set(&only_set(&index, kb("KB5129195")), MONDAY).unwrap();
    let key = links(&index, 1)[0].1;
    let digests = Digests { sha1: sha1(0x51), sha256: sha256(0x52), size: 10 };
    index.autocommit().record_pooled(key, &digests, &[], MONDAY).unwrap();
    let after = index.autocommit().record_set(&only_set(&index, kb("KB5129195")), TUESDAY).unwrap();
    assert_eq!(
        (after, count(&index, "sets")),
        (before, 1),
        "the SHA-1 of the bytes does not make another file"
    );
}
