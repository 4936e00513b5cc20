//! Damage on the isolated side, which an import repairs.

use super::*;

#[test]
fn import_repairs_verified_damage_in_pool_and_folders() {
    for case in Case::all() {
        let (_connected, isolated, medium) = export_and_import();
        let before = packages(&isolated);
        case.apply(&isolated);
        isolated.json(&["verify"]).exits(5);
        let answer = isolated.json(&["resolve", "KB5086672", "--arch", "arm64"]);
        if case.in_pool() {
            let answer = answer.exits(10).json();
            assert_eq!(field_texts(&answer["missing"], "name"), [SHARED], "{case:?}");
            let to = isolated.path("stick/set");
            let refused = stage(&isolated, &to).exits(10).json();
            let hints = refused["error"]["hints"].to_string();
            assert!(hints.contains("import") && !hints.contains("fetch"), "{hints}");
        } else {
            answer.exits(0);
        }
        let document = import(&isolated, &medium).exits(0).json();
        let imported = &document["imported"];
        assert_eq!(imported["already_applied"], false, "{case:?}");
        assert_eq!(items(&imported["healed"]).len(), usize::from(case.in_pool()), "{case:?}");
        let folders = case.kbs().len();
        assert_eq!(items(&imported["published"]).len(), folders, "{case:?}: {document:#}");
        assert_repaired(&isolated, case, &before);
        let again = import(&isolated, &medium).exits(0).json();
        assert_eq!(again["imported"]["already_applied"], true, "{case:?}");
    }
}

#[test]
fn import_without_verify_repairs_visible_damage() {
    for case in Case::all() {
        let (_connected, isolated, medium) = export_and_import();
        let before = packages(&isolated);
        case.apply(&isolated);
        let document = import(&isolated, &medium).exits(0).json();
        let applied = document["imported"]["already_applied"] == true;
        assert_eq!(applied, !case.is_visible(), "{case:?}");
        if case.is_visible() {
            assert_repaired(&isolated, case, &before);
        } else {
            // The import did not read the file, so it claims nothing. `verify` still finds the damage.
            isolated.json(&["verify"]).exits(5);
        }
    }
}

#[test]
fn an_import_reports_files_that_it_did_not_read_again() {
    let connected = fetched();
    let root = create_keys(&connected);
    let (first, second) = (connected.path("first"), connected.path("second"));
    export(&connected, &["KB5085516"], &first).exits(0);
    export(&connected, &["--all"], &second).exits(0);
    let isolated = isolated_mirror(&root);
    import(&isolated, &first).exits(0);
    let ran = isolated.run(&["import", second.as_str()]).exits(0);
    assert_eq!(
        ran.stdout.lines().nth(2),
        Some("1 folder was already present (names and sizes checked, not re-read)")
    );
    assert!(
        ran.stdout.contains("2 files already present") && ran.stdout.contains("(not re-read)"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("right"), "{ran:?}");
}

#[test]
fn damage_of_an_isolated_mirror_survives_an_unrelated_import() {
    let (connected, isolated, medium) = export_and_import();
    Case { damage: Damage::Flip, place: Place::Pool, copies: true }.apply(&isolated);
    isolated.json(&["verify"]).exits(5);
    // A later set without the damaged file.
    let other = connected.path("other");
    connected.replay(&recording("demo"), &["fetch", "KB5094141"]).exits(0);
    export(&connected, &["KB5094141"], &other).exits(0);
    import(&isolated, &other).exits(0);
    assert_eq!(damaged(&isolated), KBS);
    isolated.json(&["verify"]).exits(5);
    // The older medium has the right bytes. They are imported although its set is not the latest one.
    let document = import(&isolated, &medium).exits(0).json();
    assert_eq!(items(&document["imported"]["healed"]).len(), 1, "{document:#}");
    assert_eq!(damaged(&isolated), Vec::<String>::new());
    isolated.json(&["verify"]).exits(0);
}

#[test]
fn a_refused_import_repairs_nothing() {
    let (_connected, isolated, medium) = export_and_import();
    Case { damage: Damage::Flip, place: Place::Pool, copies: false }.apply(&isolated);
    isolated.json(&["verify"]).exits(5);
    let before = mirror_digests(&isolated.mirror());
    let on_medium = medium.join("data/KB5086672").join(SET).join(SHARED);
    Damage::Flip.apply(&on_medium);
    import(&isolated, &medium).exits(11);
    assert_eq!(mirror_digests(&isolated.mirror()), before);
}

/// Returns every file beside the set folders of a KB, sorted by name.
fn beside(kb: &Utf8Path) -> Vec<Utf8PathBuf> {
    names_in(kb).into_iter().map(|name| kb.join(name)).filter(|path| path.is_file()).collect()
}

#[test]
fn importing_an_applied_set_repairs_and_reports_views() {
    let (_connected, isolated, medium) = export_and_import();
    let before = packages(&isolated);
    let views = beside(&isolated.mirror().join("kb/KB5086672"));
    assert!(views.len() >= 4, "{views:?}");
    for path in &views {
        let portable = path.strip_prefix(isolated.mirror()).unwrap().as_str();
        for (is_verified, is_missing) in [(true, true), (true, false), (false, true)] {
            if is_missing {
                fs::remove_file(path).unwrap();
            } else {
                fs::write(path, "changed\n").unwrap();
            }
            if is_verified && (is_missing || !path.ends_with("README.txt")) {
                isolated.json(&["verify"]).exits(5);
            }
            let document = import(&isolated, &medium).exits(0).json();
            let imported = &document["imported"];
            assert_eq!(imported["already_applied"], true, "{path}: {document:#}");
            assert_eq!(imported["rewritten"], json!([portable]), "{path}");
            assert!(document["evidence"].to_string().contains("rebuilt 1 item"), "{document:#}");
            isolated.json(&["verify"]).exits(0);
            assert!(packages(&isolated) == before, "{path}");
        }
        fs::remove_file(path).unwrap();
        let plain = isolated.run(&["import", medium.as_str()]).exits(0).stdout;
        let rewrote = format!("rewrote {portable}");
        let rest = "nothing else was changed; run kbmirror check-medium to read the payload";
        assert_eq!(plain.lines().skip(2).collect::<Vec<_>>(), [&*rewrote, rest]);
    }
    let plain = isolated.run(&["import", medium.as_str()]).exits(0).stdout;
    insta::assert_snapshot!(plain, @r"
    DEMO: the files are stand-ins and cannot be installed
    set 0001 was imported before: verified signatures, manifest, and listing; did not read the payload again
    nothing was changed; run kbmirror check-medium to read the payload
    ");
}

#[test]
fn importing_an_applied_set_repairs_folders_of_other_media() {
    let (connected, isolated, medium) = export_and_import();
    let other = connected.path("other");
    connected.replay(&recording("demo"), &["fetch", "KB5094141"]).exits(0);
    export(&connected, &["KB5094141"], &other).exits(0);
    import(&isolated, &other).exits(0);
    let before = packages(&isolated);
    Case { damage: Damage::Delete, place: Place::SetFolder, copies: false }.apply(&isolated);
    isolated.json(&["verify"]).exits(5);
    let document = import(&isolated, &other).exits(0).json();
    assert_eq!(document["imported"]["already_applied"], true, "{document:#}");
    assert_eq!(document["imported"]["healed_folders"], json!([format!("kb/KB5086672/{SET}")]));
    isolated.json(&["verify"]).exits(0);
    assert!(packages(&isolated) == before);
    import(&isolated, &medium).exits(0);
}

#[test]
fn files_of_an_incomplete_kb_do_not_enter_the_pool() {
    let (connected, _, _) = export_and_import();
    connected.replay(&recording("demo"), &["fetch", "KB5094141"]).exits(0);
    let medium = connected.path("three");
    export(&connected, &["--all"], &medium).exits(0);
    let isolated = isolated_mirror(&super::super::air_gap::root_key_of(&connected));
    // The shared file of both KBs is missing on the medium. Their other files are present.
    let places = KBS.map(|kb| medium.join("data").join(kb).join(SET).join(SHARED));
    let aside = medium.with_file_name("aside");
    fs::copy(&places[0], &aside).unwrap();
    for place in &places {
        fs::remove_file(place).unwrap();
    }
    let partial = ["import", medium.as_str(), "--partial-ok"];
    for _ in 0..2 {
        let document = isolated.json(&partial).exits(4).json();
        assert_eq!(document["imported"]["left"], json!(KBS), "{document:#}");
        isolated.json(&["verify", "--deep"]).exits(0);
    }
    for place in &places {
        fs::copy(&aside, place).unwrap();
    }
    import(&isolated, &medium).exits(0);
    isolated.json(&["verify", "--deep"]).exits(0);
    assert_eq!(damaged(&isolated), Vec::<String>::new());
}
