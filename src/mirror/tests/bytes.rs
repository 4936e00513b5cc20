//! Bytes in the pool: stored once, replaced if damaged, moved to quarantine.

use super::*;

#[test]
fn pool_stores_the_same_bytes_once() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    let key = set.members[0].file.key.unwrap();
    let pool = layout.root().join("pool");
    let before = (tree(&pool), mirror.pooled_file(key).unwrap().unwrap());
    let bytes = before.1.path.clone();
    let trace = file_stamps(disk::parent(&bytes));
    assert_eq!(admit(&mut mirror, key, b"the checkpoint"), key);
    // From another URL and under another name, known only by the SHA-1 in its name.
    let digest = digests(b"the checkpoint");
    let record = index::FileRecord {
        name: format!("renamed_{}.msu", digest.sha1),
        url: "https://elsewhere/renamed.msu".to_owned(),
        sha1: None,
        sha256: None,
    };
    let (other, _) = mirror
        .index_mut()
        .in_transaction(|index| index.record_file(&record, Source::Dialog, None, TUESDAY))
        .unwrap();
    assert_eq!(admit(&mut mirror, other, b"the checkpoint"), key);
    // A file that could not be identified before its bytes arrived.
    let record = index::FileRecord { name: "unknown.msu".to_owned(), ..record };
    let (other, _) = mirror
        .index_mut()
        .in_transaction(|index| index.record_file(&record, Source::Dialog, None, TUESDAY))
        .unwrap();
    assert_ne!(other, key);
    assert_eq!(admit(&mut mirror, other, b"the checkpoint"), key);
    assert_eq!(mirror.index().file(other).unwrap(), None, "the two are one file now");
    assert_eq!((tree(&pool), mirror.pooled_file(key).unwrap().unwrap()), before);
    assert_eq!(file_stamps(disk::parent(&bytes)), trace);
}

#[test]
fn quarantine_keeps_the_bytes_and_names_the_reason() {
    let (_guard, layout) = folder();
    let mirror = open(&layout);
    let digest = digests(b"not what was stated").sha256;
    for _ in 0..2 {
        let partial = layout.partial().join("download");
        disk::write_atomic(&partial, b"not what was stated").unwrap();
        let kept = mirror.quarantine(&partial, &digest, Some(FileProperty::Sha256), MONDAY).unwrap();
        assert_eq!(layout.relative(&kept), format!("quarantine/{digest}.sha256-differs"));
        assert_eq!(disk::read(&kept, CAP).unwrap(), b"not what was stated");
        assert!(!disk::exists(&partial));
    }
    assert_eq!(disk::list(&layout.quarantine()).unwrap().len(), 1);
    assert!(!disk::exists(&layout.root().join("pool")));
}

#[test]
fn purge_deletes_only_entries_past_their_retention() {
    /// Names of files that are still there after 31 days.
    const EVIDENCE: [&str; 5] = [
        "quarantine/evidence-2026-01-01T000000Z-windows-11-24h2-arm64.cmd",
        "quarantine/notes.txt",
        "runs/2026-01-01T000000Z-export.json",
        "runs/2026-01-01T000000Z-check-medium.json",
        "runs/my page.html",
    ];
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let files = [("package.msu".to_owned(), b"the right bytes".to_vec())];
    let set = record_and_admit(&mut mirror, BUNDLE, &files, MONDAY);
    for name in EVIDENCE {
        disk::write_atomic(&layout.root().join(name), b"kept").unwrap();
        disk::set_modified(&layout.root().join(name), Time::UNIX_EPOCH);
    }
    // A rejected download, a saved page, and a damaged pool file whose right bytes are in the pool again.
    let digest = digests(b"not what was stated").sha256;
    let partial = layout.partial().join("download");
    disk::write_atomic(&partial, b"not what was stated").unwrap();
    let rejected = mirror.quarantine(&partial, &digest, Some(FileProperty::Sha256), MONDAY).unwrap();
    let page = layout.runs().join("2026-09-01T000000Z-search.html");
    disk::write_atomic(&page, b"<html>").unwrap();
    let right = set.members[0].file.sha256.unwrap();
    let replaced = layout.quarantine().join(format!("{right}.damaged"));
    let only = layout.quarantine().join(format!("{digest}.damaged-2"));
    for path in [&replaced, &only] {
        disk::write_atomic(path, b"damaged").unwrap();
        disk::set_modified(path, MONDAY);
    }
    let trashed = |date: Time| layout.trash().join(date.date().to_string()).join("KB5043080");
    for days in [0, 20, 40] {
        disk::write_atomic(&trashed(MONDAY.shifted_by(days * 86_400)), b"removed").unwrap();
    }
    disk::write_atomic(&layout.trash().join("mine"), b"kept").unwrap();

    let after = |days: i64| MONDAY.shifted_by(days * 86_400);
    // An entry from the future counts as new, even if the clock is wrong.
    mirror.purge(after(-4000)).unwrap();
    assert!(disk::exists(&rejected) && disk::exists(&replaced) && disk::exists(&trashed(MONDAY)));
    mirror.purge(after(30)).unwrap();
    assert!(disk::exists(&rejected) && disk::exists(&replaced));
    assert_eq!([0, 20, 40].map(|days| disk::exists(&trashed(after(days)))), [false, true, true]);
    let purged = mirror.purge(after(31)).unwrap();
    assert!(!disk::exists(&rejected) && !disk::exists(&replaced) && disk::exists(&only));
    assert!(purged.files >= 2 && purged.bytes >= 26, "{purged:?}");
    mirror.purge(after(400)).unwrap();
    assert!(!disk::exists(&page) && disk::exists(&only));
    for name in EVIDENCE {
        assert!(disk::exists(&layout.root().join(name)), "{name}");
    }
    assert_eq!(disk::list(&layout.trash()).unwrap(), ["mine"]);
    // The pool file must really have the right bytes.
    disk::write_atomic(&replaced, b"damaged").unwrap();
    disk::set_modified(&replaced, MONDAY);
    disk::write_atomic(&layout.pool_file(&right), b"other bytes").unwrap();
    mirror.purge(after(400)).unwrap();
    assert!(disk::exists(&replaced), "it may be the only copy");
}

/// Writes other bytes of the same length into a file, visible under all its names.
fn flip(path: &Utf8Path) {
    let size = disk::file_size(path).unwrap().unwrap();
    let mut bytes = disk::read(path, CAP).unwrap();
    bytes[0] ^= 1;
    assert_eq!(bytes.len() as u64, size);
    let metadata = disk::open(path).unwrap().metadata().unwrap();
    let mut permissions = metadata.permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a test's own folder")]
    permissions.set_readonly(false);
    #[expect(clippy::disallowed_methods, reason = "the file is spoiled where it lies")]
    {
        std::fs::set_permissions(path, permissions).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn vetted_bytes_replace_different_bytes() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record(&mut mirror, TITLE, &first_issue(), MONDAY);
    for (member, (_, bytes)) in set.members.iter().zip(expected(&first_issue())) {
        let key = member.file.key.unwrap();
        let bytes = first_issue()
            .into_iter()
            .find(|(name, _)| *name == member.file.name)
            .map_or(bytes, |(_, own)| own);
        let path = layout.pool_file(&digests(&bytes).sha256);
        // Wrong bytes of the same length, not recorded in the index.
        disk::write_atomic(&path, &bytes).unwrap();
        flip(&path);
        admit(&mut mirror, key, &bytes);
        assert_eq!(disk::read(&path, CAP).unwrap(), bytes);
    }
    assert_eq!(disk::list(&layout.quarantine()).unwrap().len(), 2, "the other bytes are kept");
    // The same bytes are read again and stay.
    let pooled = layout.pool_file(&set.members[0].file.sha256.unwrap());
    let before = file_stamps(disk::parent(&pooled));
    let bytes = disk::read(&pooled, CAP).unwrap();
    admit(&mut mirror, set.members[0].file.key.unwrap(), &bytes);
    assert_eq!(file_stamps(disk::parent(&pooled)), before);
}

#[test]
fn killed_heal_is_completed_by_a_later_run() {
    for killed_after in 0..3 {
        let (_guard, layout) = folder();
        let mut mirror = open(&layout);
        let set = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
        mirror.publish(&set, &knowledge(), MONDAY).unwrap();
        let set = reloaded(&mirror, &set);
        let file = &set.members[0].file;
        let (key, sha256) = (file.key.unwrap(), file.sha256.unwrap());
        let bytes = disk::read(&layout.pool_file(&sha256), CAP).unwrap();
        flip(&layout.pool_file(&sha256));
        let damage = mirror.damage_in_pool(sha256, FindingKind::Digest, "flipped");
        mirror.record_damage(&[damage], "verify", MONDAY).unwrap();
        assert!(!mirror.is_intact(&set).unwrap() && mirror.pooled_file(key).unwrap().is_none());
        assert_eq!(
            mirror.rebuild_damaged_folders(&knowledge(), MONDAY).unwrap(),
            [],
            "without good bytes nothing is healed"
        );

        let run = RunInfo { command: "fetch", now: MONDAY };
        let partial = |name: &str| {
            let mut new = NewFile::create(&layout.partial().join(name)).unwrap();
            new.write(&bytes).unwrap();
            new.finish().unwrap()
        };
        if killed_after >= 1 {
            mirror.place_in_pool(&vetted(&partial("a"), &bytes), run).unwrap();
        }
        if killed_after >= 2 {
            mirror.admit(key, &vetted(&partial("b"), &bytes), run).unwrap();
        }
        drop(mirror);
        let mut mirror = open(&layout);
        assert!(!mirror.is_intact(&set).unwrap(), "killed after step {killed_after}");
        if killed_after < 2 {
            assert!(mirror.pooled_file(key).unwrap().is_none(), "it is fetched again");
            mirror.admit(key, &vetted(&partial("c"), &bytes), run).unwrap();
        }
        assert_eq!(mirror.rebuild_damaged_folders(&knowledge(), MONDAY).unwrap().len(), 1);
        assert!(mirror.is_intact(&set).unwrap());
        assert_eq!(content(&layout.set(set.kb, &set.folder)), expected(&first_issue()));
        assert_eq!(mirror.index().damage().unwrap(), []);
        assert_eq!(mirror.damaged_sets().unwrap(), []);
    }
}
