//! Publishing a set as a folder.

use super::*;

#[test]
fn published_folder_has_exactly_the_files_of_the_set() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    assert!(!mirror.is_intact(&set).unwrap());
    let (published, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    assert_eq!(published, PublishOutcome::Published);
    assert_eq!(made.path, layout.root().join("kb").join("KB5129195").join(FOLDER));
    let [target, checkpoint] = <[NamedBytes; 2]>::try_from(first_issue()).unwrap();
    assert_eq!(made.names, [checkpoint.0, target.0], "the checkpoint comes first");
    assert_eq!(content(&made.path), expected(&first_issue()));
    assert!(mirror.is_intact(&reloaded(&mirror, &set)).unwrap());
    assert_eq!(reloaded(&mirror, &set).state, Some(PublishState::Published));
    assert_eq!(
        disk::list(&layout.kb(main_kb())).unwrap(),
        ["KB5129195.json", "README.txt", "SHA256SUMS", FOLDER, &format!("{FOLDER}.cmd")]
    );
    assert_eq!(leftovers(&layout), Vec::<String>::new());
}

#[test]
fn pool_files_are_stored_once_and_read_only() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    for (name, bytes) in first_issue() {
        let sha256 = digests(&bytes).sha256;
        let pooled = layout.pool_file(&sha256);
        let digits = sha256.to_string();
        assert_eq!(layout.relative(&pooled), format!("pool/sha256/{}/{digits}", &digits[..2]));
        let metadata = disk::open(&pooled).unwrap().metadata().unwrap();
        assert!(metadata.permissions().readonly());
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let link = disk::open(&made.path.join(&name)).unwrap().metadata().unwrap();
            assert_eq!((link.dev(), link.ino()), (metadata.dev(), metadata.ino()), "{name} is a link");
            assert_eq!(metadata.mode() & 0o777, 0o444);
        }
        assert_eq!(disk::read(&made.path.join(&name), CAP).unwrap(), bytes);
    }
}

#[test]
fn views_beside_the_folder_describe_its_content() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    let sums = disk::read_text(&layout.kb_sums(main_kb()), CAP).unwrap();
    let lines: Vec<&str> = sums.lines().collect();
    assert_eq!(lines.len(), 2);
    for (line, name) in lines.iter().zip(&made.names) {
        let (digest, path) = line.split_once("  ").unwrap();
        assert_eq!(path, format!("{FOLDER}/{name}"));
        let bytes = disk::read(&layout.kb(main_kb()).join(path), CAP).unwrap();
        assert_eq!(digest, digests(&bytes).sha256.to_string());
    }
    assert!(sums.ends_with('\n') && !sums.contains('\r'));

    let document: Value =
        serde_json::from_str(&disk::read_text(&layout.kb_json(main_kb()), CAP).unwrap()).unwrap();
    assert_eq!(
        (&document["format"], &document["kb"], &document["origin"]),
        (&1.into(), &"KB5129195".into(), &REPLAY.into())
    );
    let of_set = &document["sets"][0];
    assert_eq!(of_set["folder"], FOLDER);
    let files = of_set["files"].as_array().unwrap();
    for ((place, file), (name, role)) in (1..).zip(files).zip(made.names.iter().zip(["checkpoint", "target"]))
    {
        assert_eq!((&file["order"], &file["role"]), (&place.into(), &role.into()));
        assert_eq!(file["path"], format!("{FOLDER}/{name}"));
        let found = digests(&disk::read(&made.path.join(name), CAP).unwrap());
        assert_eq!(file["sha1"], found.sha1.to_string());
        assert_eq!(file["sha256"], found.sha256.to_string());
        assert_eq!((&file["size"], &file["sha256_source"]), (&found.size.into(), &"dialog".into()));
        assert_eq!(file["checks"], serde_json::json!([{ "what": "sha256", "against": "dialog" }]));
    }
    let needs = serde_json::json!([{ "from": 2, "to": 1, "role": "checkpoint", "source": "dialog" }]);
    assert_eq!(of_set["needs"], needs);
    assert_eq!(document["updates"][0]["title"], TITLE);

    let readme = disk::read_text(&layout.kb_readme(main_kb()), CAP).unwrap();
    assert!(readme.starts_with("KB5129195\r\n") && readme.contains("DEMO"), "{readme}");
    let place = |name: &PlainName| readme.find(name.as_str()).unwrap();
    assert!(place(&made.names[0]) < place(&made.names[1]), "{readme}");
}

#[test]
fn publishing_again_changes_nothing() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    let set = reloaded(&mirror, &set);
    let before = (file_stamps(&made.path), content_beside(&layout));
    let (published, same) = mirror.publish(&set, &knowledge(), TUESDAY).unwrap();
    assert_eq!((published, &same), (PublishOutcome::Unchanged, &made));
    assert_eq!((file_stamps(&made.path), content_beside(&layout)), before);
}

#[test]
fn changed_folder_is_published_again() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    let set = reloaded(&mirror, &set);
    let file = made.path.join(&made.names[0]);
    let damages: [(&str, &dyn Fn()); 4] = [
        ("a file is gone", &|| disk::remove_file(&file).unwrap()),
        ("a file was added", &|| disk::write_atomic(&made.path.join("extra.txt"), b"x").unwrap()),
        ("a file has another size", &|| disk::write_atomic(&file, b"cut").unwrap()),
        ("the folder is gone", &|| disk::remove_dir_all(&made.path).unwrap()),
    ];
    for (what, damage) in damages {
        damage();
        assert!(!mirror.is_intact(&set).unwrap(), "{what}");
        let (published, same) = mirror.publish(&set, &knowledge(), TUESDAY).unwrap();
        assert_eq!((published, &same), (PublishOutcome::Published, &made), "{what}");
        assert_eq!(content(&made.path), expected(&first_issue()), "{what}");
        assert!(mirror.is_intact(&set).unwrap(), "{what}");
        assert_eq!(incomplete_folders(&layout), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn reissued_set_replaces_the_complete_folder() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let old = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&old, &knowledge(), MONDAY).unwrap();
    let new = record_and_admit(&mut mirror, TITLE, &second_issue(), TUESDAY);
    assert_ne!(new.id, old.id);
    assert_eq!(new.folder, old.folder);
    assert!(!mirror.is_intact(&new).unwrap());
    assert!(mirror.is_intact(&reloaded(&mirror, &old)).unwrap(), "until then the old set stays published");
    let (published, same) = mirror.publish(&new, &knowledge(), TUESDAY).unwrap();
    assert_eq!((published, &same.path), (PublishOutcome::Published, &made.path));
    assert_eq!(content(&made.path), expected(&second_issue()));
    assert!(mirror.is_intact(&reloaded(&mirror, &new)).unwrap());
    let old = reloaded(&mirror, &old);
    assert_eq!((old.state, mirror.is_intact(&old).unwrap()), (None, false));
    let sums = disk::read_text(&layout.kb_sums(main_kb()), CAP).unwrap();
    assert_eq!((sums.lines().count(), sums.contains(&first_issue()[0].0)), (2, false));
    assert_eq!(incomplete_folders(&layout), Vec::<String>::new());
    // The pool keeps the bytes of the old issue.
    assert!(mirror.pooled_file(old.members[1].file.key.unwrap()).unwrap().is_some());
}

#[test]
fn set_with_a_missing_file_is_not_published() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record(&mut mirror, TITLE, &first_issue(), MONDAY);
    admit(&mut mirror, set.members[0].file.key.unwrap(), b"the checkpoint");
    let set = reloaded(&mirror, &set);
    let error = mirror.publish(&set, &knowledge(), MONDAY).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
    assert!(error.message().contains(&set.members[1].file.name), "{error}");
    assert!(!disk::exists(&layout.kb(main_kb())));
    assert_eq!(mirror.index().publication_of(main_kb(), &set_folder(FOLDER)).unwrap(), None);
    drop(mirror);
    let mirror = open(&layout);
    assert_eq!(leftovers(&layout), Vec::<String>::new());
    assert!(!mirror.is_intact(&reloaded(&mirror, &set)).unwrap());
}

#[test]
fn old_set_stays_until_the_new_one_is_complete() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let old = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&old, &knowledge(), MONDAY).unwrap();
    let before = (file_stamps(&made.path), content_beside(&layout));
    let new = record(&mut mirror, TITLE, &second_issue(), TUESDAY);
    assert_eq!(mirror.publish(&new, &knowledge(), TUESDAY).unwrap_err().kind(), ErrorKind::Incomplete);
    assert_eq!((file_stamps(&made.path), content_beside(&layout)), before);
    assert!(mirror.is_intact(&reloaded(&mirror, &old)).unwrap());
}

#[test]
fn missing_or_truncated_pool_file_counts_as_absent() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    let key = set.members[1].file.key.unwrap();
    let pooled = mirror.pooled_file(key).unwrap().unwrap();
    assert_eq!(pooled.size, set.members[1].file.size.unwrap());
    let damages: [&dyn Fn(); 2] =
        [&|| disk::write_atomic(&pooled.path, b"cut").unwrap(), &|| disk::remove_file(&pooled.path).unwrap()];
    for damage in damages {
        damage();
        assert_eq!(mirror.pooled_file(key).unwrap(), None);
        assert_eq!(mirror.publish(&set, &knowledge(), MONDAY).unwrap_err().kind(), ErrorKind::Incomplete);
        assert!(!disk::exists(&layout.set(main_kb(), &set_folder(FOLDER))));
    }
    // The bytes arrive again, and the index already knows them.
    admit(&mut mirror, key, &first_issue()[0].1);
    assert_eq!(mirror.pooled_file(key).unwrap(), Some(pooled));
    assert_eq!(mirror.publish(&set, &knowledge(), MONDAY).unwrap().0, PublishOutcome::Published);
}

#[test]
fn names_that_differ_only_in_case_stay_two_files() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let files: Vec<NamedBytes> =
        vec![("Setup.msu".to_owned(), b"upper".to_vec()), ("setup.msu".to_owned(), b"lower".to_vec())];
    let set = record_and_admit(&mut mirror, BUNDLE, &files, MONDAY);
    let (_, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    assert!(made.path.ends_with(BUNDLE_FOLDER), "{}", made.path);
    let digits: String = digests(b"lower").sha256.to_string().chars().take(8).collect();
    assert_eq!(made.names, ["Setup.msu".to_owned(), format!("setup~{digits}.msu")]);
    let bytes: Vec<Vec<u8>> =
        made.names.iter().map(|name| disk::read(&made.path.join(name), CAP).unwrap()).collect();
    assert_eq!(bytes, [b"upper", b"lower"]);
    assert_eq!(disk::list(&made.path).unwrap().len(), 2);
    assert!(mirror.is_intact(&reloaded(&mirror, &set)).unwrap());
    let sums = disk::read_text(&layout.kb_sums(set.kb), CAP).unwrap();
    assert!(sums.contains(&format!("{BUNDLE_FOLDER}/setup~{digits}.msu")), "{sums}");
}

#[test]
fn file_name_that_is_a_path_is_refused() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set =
        record_and_admit(&mut mirror, BUNDLE, &[("../../escaped.msu".to_owned(), b"bytes".to_vec())], MONDAY);
    let error = mirror.publish(&set, &knowledge(), MONDAY).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.message().contains("../../escaped.msu"), "{error}");
    assert!(!disk::exists(&layout.kbs()) && !disk::exists(&layout.root().join("escaped.msu")));
}
