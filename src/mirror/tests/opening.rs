//! Opening a mirror, and rebuilding a lost index.

use super::*;

#[test]
fn mirror_accepts_content_of_one_origin_only() {
    let (_guard, layout) = folder();
    Mirror::check_usable(&layout, "live").unwrap();
    assert!(!disk::exists(layout.root()), "the check creates nothing");
    let mut mirror = open(&layout);
    let set = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    drop(mirror);
    let before = tree(layout.root());
    for origin in ["live", "catalog.example"] {
        let refused = [
            Mirror::check_usable(&layout, origin).unwrap_err(),
            Mirror::open_for_writing(layout.clone(), origin, &knowledge(), time(TUESDAY)).unwrap_err(),
        ];
        for error in refused {
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.message().contains("a recording"), "{error}");
            assert!(error.message().contains(layout.root().as_str()), "{error}");
        }
    }
    assert_eq!(tree(layout.root()), before);
    Mirror::check_usable(&layout, REPLAY).unwrap();
    let mirror = Mirror::open_for_writing(layout.clone(), REPLAY, &knowledge(), time(TUESDAY)).unwrap();
    assert_eq!(mirror.origin().unwrap(), REPLAY);
    assert!(mirror.is_intact(&reloaded(&mirror, &set)).unwrap());
}

#[test]
fn one_process_writes_while_others_read() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    let error = Mirror::open_for_writing(layout.clone(), REPLAY, &knowledge(), time(TUESDAY)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    #[cfg(unix)]
    {
        let own = format!("process {}", std::process::id());
        assert!(error.message().contains(&own) && error.message().contains("2026-09-21"), "{error}");
    }
    let reader = Mirror::open(layout.clone()).unwrap();
    assert!(!reader.is_intact(&set).unwrap());
    mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    assert!(reader.is_intact(&reloaded(&reader, &set)).unwrap(), "a reader sees what was committed");
    drop(mirror);
    let mirror = Mirror::open_for_writing(layout, REPLAY, &knowledge(), time(TUESDAY)).unwrap();
    assert!(mirror.is_intact(&reloaded(&mirror, &set)).unwrap());
}

#[test]
fn opening_a_missing_mirror_is_an_error() {
    let (_guard, layout) = folder();
    let error = Mirror::open(layout.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains(layout.root().as_str()), "{error}");
    assert!(!disk::exists(layout.root()));
}

#[test]
fn index_may_be_outside_the_mirror() {
    let (guard, layout) = folder();
    let index = Utf8PathBuf::try_from(guard.path().join("local").join("index.db")).unwrap();
    let layout = Layout::new(layout.root().to_owned(), Some(index.clone()));
    let mut mirror = open(&layout);
    let set = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    assert!(disk::exists(&index) && !disk::exists(&layout.root().join("mirror.db")));
}

#[test]
fn path_of_a_file_is_refused_as_a_mirror() {
    let (guard, _) = folder();
    let path = Utf8PathBuf::try_from(guard.path().join("notes.txt")).unwrap();
    disk::write_atomic(&path, b"words").unwrap();
    let error = Mirror::open_for_writing(Layout::new(path.clone(), None), REPLAY, &knowledge(), time(MONDAY))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.message().contains(path.as_str()), "{error}");
    assert_eq!(disk::read(&path, CAP).unwrap(), b"words");
}

#[test]
fn lost_index_is_rebuilt_from_the_published_sets() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    let bundle =
        record_and_admit(&mut mirror, BUNDLE, &[("Setup.msu".to_owned(), b"bytes".to_vec())], MONDAY);
    mirror.publish(&bundle, &knowledge(), MONDAY).unwrap();
    let before = (file_stamps(&made.path), content_beside(&layout), tree(&layout.root().join("kb")));
    drop(mirror);
    for name in disk::list(layout.root()).unwrap() {
        if name.starts_with("mirror.db") {
            disk::remove_file(&layout.root().join(name)).unwrap();
        }
    }
    let mut mirror = open(&layout);
    assert_eq!(mirror.rebuilt_sets(), 2);
    let sets = mirror.index().sets(None).unwrap();
    assert_eq!(sets.len(), 2);
    for set in &sets {
        assert!(mirror.is_intact(set).unwrap(), "{set:?}");
        assert_eq!(mirror.publish(set, &knowledge(), MONDAY).unwrap().0, PublishOutcome::Unchanged);
    }
    assert_eq!((file_stamps(&made.path), content_beside(&layout), tree(&layout.root().join("kb"))), before);
    // Reading the same pages again finds the same set.
    let known = record(&mut mirror, TITLE, &first_issue(), TUESDAY);
    assert!(mirror.is_intact(&known).unwrap());
    drop(mirror);
    assert_eq!(open(&layout).rebuilt_sets(), 0, "once");
}

#[test]
fn renamed_set_leaves_no_folder_under_the_old_name() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let files = [package("kb5030211", "the update of one version")];
    let set = record_and_admit(&mut mirror, BUNDLE, &files, MONDAY);
    mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    // A second set of the same family appears, so that both get a suffix.
    let other = [package("kb5030211", "the update of another version")];
    let renamed = mirror
        .index_mut()
        .in_transaction(|index| {
            let title = BUNDLE.replace("22H2", "21H2");
            let update = UpdateRecord {
                id: "be656f78-0714-440c-a0be-000000000021".parse().unwrap(),
                class: classify(&title, "", None),
                title,
                products: String::new(),
                classification: String::new(),
                last_updated: jiff::civil::date(2023, 9, 12),
                size: 1,
            };
            index.record_update(&update, TUESDAY)?;
            let listed = index::FileRecord {
                name: other[0].0.clone(),
                url: "https://catalog.s.download.windowsupdate.com/d/other".to_owned(),
                sha1: None,
                sha256: None,
            };
            index.record_dialog(update.id, &[listed], TUESDAY)?;
            let sets = package_sets(set.kb, &index.facts_of(&[set.kb].into())?, &knowledge());
            assert_eq!(sets.len(), 2);
            let own = sets.iter().find(|own| own.members[0].file.key == set.members[0].file.key).unwrap();
            index.record_set(own, TUESDAY)
        })
        .unwrap();
    assert_eq!(renamed, set.id);
    let set = reloaded(&mirror, &set);
    assert_ne!(set.folder, BUNDLE_FOLDER);
    let (published, folder) = mirror.publish(&set, &knowledge(), TUESDAY).unwrap();
    assert_eq!((published, content(&folder.path)), (PublishOutcome::Published, expected(&files)));
    assert!(!disk::exists(&layout.set(set.kb, &set_folder(BUNDLE_FOLDER))));
    assert_eq!(mirror.index().folders_of(set.id).unwrap(), [set.folder]);
    assert_eq!(incomplete_folders(&layout), Vec::<String>::new());
}
