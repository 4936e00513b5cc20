//! Damage, and an index on a full disk.

use super::*;

#[test]
fn file_recorded_as_damaged_is_absent() {
    let index = Index::in_memory();
    index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    index.autocommit().record_dialog(id(1), &[target(), checkpoint()], MONDAY).unwrap();
    let key = index.file_of_sha1(&target().sha1.unwrap()).unwrap().unwrap().key.unwrap();
    let digests = Digests { sha1: target().sha1.unwrap(), sha256: sha256(2), size: 10 };
    let key = index.autocommit().record_pooled(key, &digests, &[], MONDAY).unwrap();
    let is_present = || {
        let by_view: bool = index
            .first("SELECT present FROM v_files WHERE file = ?1", [key], |row| row.get(0))
            .unwrap()
            .unwrap();
        assert_eq!(by_view, index.file(key).unwrap().unwrap().present);
        by_view
    };
    assert!(is_present());
    index
        .autocommit()
        .record_damage(&damage_in_pool("pool/sha256/02/02", sha256(2)), "verify", MONDAY)
        .unwrap();
    assert!(!is_present());
    assert!(index.is_damaged(&sha256(2)).unwrap() && !index.is_damaged(&sha256(3)).unwrap());

    // A later finding about the same path updates its kind, and keeps the time and the command of the first
    // finding.
    let worse = NewDamage { kind: FindingKind::Missing, ..damage_in_pool("pool/sha256/02/02", sha256(2)) };
    index.autocommit().record_damage(&worse, "stage", TUESDAY).unwrap();
    let known = index.damage().unwrap();
    assert_eq!((known.len(), known[0].kind, known[0].found_by.as_str()), (1, FindingKind::Missing, "verify"));
    assert_eq!(known[0].found, MONDAY);

    // A damaged copy in a set folder does not affect the pool.
    let kb = kb("KB5129195");
    let copy =
        NewDamage { path: "kb/a".into(), kb: Some(kb), folder: Some(SetFolder::new("a").unwrap()), ..worse };
    index.autocommit().record_damage(&copy, "verify", TUESDAY).unwrap();
    index.autocommit().clear_damage("pool/sha256/02/02".into()).unwrap();
    assert!(is_present());
    assert!(index.is_folder_damaged(kb, &SetFolder::new("a").unwrap()).unwrap());
    index.autocommit().clear_damage_of_folder(kb, &SetFolder::new("a").unwrap()).unwrap();
    assert_eq!(index.damage().unwrap(), []);
}

#[test]
fn full_disk_loses_no_data_and_writes_resume_with_space() {
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
    // Simulates a disk with space for some of the pages.
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
            (0..200).try_for_each(|part| changes.set_meta(&format!("rehearsal-{part}"), &"x".repeat(1000)))
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
