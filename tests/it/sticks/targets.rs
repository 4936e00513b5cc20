//! Tests of the target folder of an export.

use super::*;

#[test]
fn two_mirrors_do_not_share_the_root_of_one_stick() {
    let (first, second) =
        (connected_mirror(&[KB, "--arch", "arm64"]), connected_mirror(&[OTHER, "--arch", "arm64"]));
    let stick = first.path("stick");
    export(&first, &[KB], &stick).exits(0);
    let before = file_digests(&stick);
    for selection in [&[OTHER][..], &[OTHER, "--prune", "--yes"], &[OTHER, "--dry-run"], &["--all"]] {
        let (kind, message) = export(&second, selection, &stick).exits(2).error();
        let (own, other) = (root_key_of(&second), root_key_of(&first));
        assert!(kind == "usage" && message.contains(&own) && message.contains(&other), "{message}");
        assert_eq!(file_digests(&stick), before, "{selection:?}");
    }
    // A folder of its own on the same stick works, as the hint says.
    export(&second, &[OTHER], &stick.join("second")).exits(0);
    export(&first, &[KB], &stick).exits(0);
    isolated_mirror(&root_key_of(&first)).json(&["check-medium", stick.as_str()]).exits(0);
    isolated_mirror(&root_key_of(&second)).json(&["check-medium", stick.join("second").as_str()]).exits(0);
    // A folder among the files of the other mirror's set is refused.
    let before = file_digests(&stick);
    export(&second, &[OTHER], &stick.join("data/second")).exits(2);
    assert_eq!(file_digests(&stick), before);
    // An unfinished medium of another mirror is refused.
    fs::remove_file(stick.join("set.json.minisig")).unwrap();
    export(&second, &[OTHER], &stick).exits(2);
}

#[test]
fn a_path_that_is_not_mounted_is_not_created() {
    let connected_side = connected_mirror(&[KB, "--arch", "arm64"]);
    let (folder, stick) = (connected_side.path("media/op"), connected_side.path("media/op/STICK"));
    let message =
        format!("the folder {folder} does not exist, and export creates only the last folder of {stick}");
    assert_eq!(export(&connected_side, &[KB], &stick).exits(2).error(), failure("usage", message));
    assert!(!connected_side.path("media").exists());
    fs::create_dir(connected_side.path("media")).unwrap();
    let stick = connected_side.path("media/STICK");
    let (_, message) = export(&connected_side, &[KB, "--expect-mount"], &stick).exits(2).error();
    assert!(message.contains("is a local folder"), "{message}");
    assert!(!stick.exists());
    export(&connected_side, &[KB], &stick).exits(0);
    let mirror = connected_side.mirror();
    for (to, relation) in [
        (mirror.clone(), "is inside"),
        (mirror.join("stick"), "is inside"),
        (mirror.parent().unwrap().to_owned(), "contains"),
    ] {
        let before = mirror_digests(&mirror);
        for dry in [&[KB][..], &[KB, "--dry-run"]] {
            let message = format!("the target {to} {relation} the mirror at {mirror}");
            assert_eq!(export(&connected_side, dry, &to).exits(2).error(), failure("usage", message));
        }
        assert_eq!(mirror_digests(&mirror), before);
    }
}

#[cfg(unix)]
#[test]
fn links_on_a_target_are_not_followed() {
    use std::os::unix::fs::symlink;
    let connected_side = connected_mirror(&[KB, OTHER, "--arch", "arm64"]);
    let precious = connected_side.path("precious");
    fs::create_dir(&precious).unwrap();
    fs::write(precious.join("file"), b"precious").unwrap();
    let package =
        |stick: &Utf8Path| payload(stick).into_keys().find(|path| path.contains("/windows11.0-")).unwrap();
    let set = format!("data/{KB}/{ARM}");
    let kb = format!("data/{KB}");
    let mut places: Vec<String> = [
        "data",
        "knowledge",
        "tools",
        "unfinished",
        "set.json",
        "listing.jsonl",
        "START-HERE.txt",
        ".new-a1B2c3",
    ]
    .map(str::to_owned)
    .to_vec();
    places.extend([set.clone(), kb, format!("{set}/x.msu.kbm-part"), "package".to_owned()]);
    for place in places {
        let stick = connected_side.path("stick");
        let _gone = fs::remove_dir_all(&stick);
        export(&connected_side, &[KB], &stick).exits(0);
        let place = if place == "package" { package(&stick) } else { place };
        let path = stick.join(&place);
        let points_to = if path.is_dir() || path.extension().is_none_or(|end| end == "kbm-part") {
            precious.clone()
        } else {
            precious.join("file")
        };
        let _gone = fs::remove_dir_all(&path);
        let _gone = fs::remove_file(&path);
        symlink(&points_to, &path).unwrap();
        for selection in [&[OTHER][..], &[KB], &[OTHER, "--prune", "--yes"]] {
            let ran = export(&connected_side, selection, &stick).exits(2);
            let message = format!("{place} on the medium is a link or a device, which is not followed");
            assert_eq!(ran.error(), failure("usage", message));
        }
        assert_eq!(
            read_tree(&precious),
            BTreeMap::from([("file".to_owned(), b"precious".to_vec())]),
            "{place}"
        );
    }
}

#[test]
fn a_recording_and_the_catalog_are_not_mixed() {
    let demo = connected_mirror(&[KB, "--arch", "arm64"]);
    let stick = demo.path("stick");
    export(&demo, &[KB], &stick).exits(0);
    let (live, loopback) = (Bench::new(), Loopback::start(super::super::air_gap::world_of_two_kbs()));
    fetch_from(&live, &loopback, &["KB5041865"]).exits(0);
    share_keys(&demo, &live);
    let before = file_digests(&stick);
    let message = format!("{stick} has content from replay, but this mirror has content from 127.0.0.1");
    assert_eq!(export(&live, &["KB5041865"], &stick).exits(2).error(), failure("usage", message));
    assert_eq!(file_digests(&stick), before);
    export(&live, &["KB5041865", "--prune", "--yes"], &stick).exits(0);
    isolated_mirror(&root_key_of(&demo)).json(&["check-medium", stick.as_str()]).exits(0);
}

#[test]
fn a_description_by_a_retired_or_unknown_key_is_ignored() {
    let (first, second, stick) = two_mirrors();
    let before = file_digests(&stick);
    // The new key list of the root does not contain the old export key.
    let root = kbmirror::carrier::SecretKey::from_text(
        &fs::read_to_string(second.mirror().join("keys/root.key")).unwrap(),
    )
    .unwrap();
    let (new, text) = kbmirror::carrier::SecretKey::generate_with("export", None).unwrap();
    let folder = second.mirror().join("keys");
    let list = json!({
        "format": 1,
        "version": 2,
        "root": root.public().unwrap(),
        "export_keys": [{ "key": new.public().unwrap(), "valid_from": "2026-11-01T00:00:00Z" }],
    });
    let list = serde_json::to_string_pretty(&list).unwrap();
    fs::write(folder.join("keys.json"), &list).unwrap();
    fs::write(folder.join("keys.json.minisig"), root.sign(list.as_bytes(), "keys").unwrap()).unwrap();
    fs::remove_file(folder.join("export.key")).unwrap();
    fs::write(folder.join("export.key"), text).unwrap();
    #[cfg(unix)]
    fs::set_permissions(folder.join("export.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    // The mirror does not know the KB, and no trusted text describes the set.
    let message = format!("data/{KB}/{ARM}.cmd on the medium does not belong to this mirror");
    assert_eq!(export(&second, &[OTHER], &stick).exits(2).error(), failure("usage", message));
    assert_eq!(file_digests(&stick), before);
    // A mirror that has the set verifies it by its content.
    share_keys(&second, &first);
    let kept = export(&first, &[KB], &stick).exits(0).json();
    assert!(kept["plan"]["warnings"].to_string().contains("not an export key of this mirror any more"));
    assert_eq!(items(&kept["plan"]["kept"]).len(), 1);
    isolated_mirror(&root_key_of(&first)).json(&["check-medium", stick.as_str()]).exits(0);
}

#[test]
fn unsigned_content_is_not_trusted() {
    let (first, second, stick) = two_mirrors();
    // An unsigned file with a line in the manifest counts as foreign and is kept.
    let foreign = format!("data/{KB}/{ARM}/strange.msu");
    fs::write(stick.join(&foreign), b"precious").unwrap();
    let manifest = fs::read_to_string(stick.join("manifest-sha256.txt")).unwrap();
    fs::write(stick.join("manifest-sha256.txt"), format!("{manifest}{}  {foreign}\n", "0".repeat(64)))
        .unwrap();
    let before = file_digests(&stick);
    for (bench, kb) in [(&first, KB), (&second, OTHER)] {
        for more in [&[][..], &["--prune", "--yes"]] {
            export(bench, &[&[kb], more].concat(), &stick).exits(2);
            assert_eq!(file_digests(&stick), before);
        }
    }
    fs::remove_file(stick.join(&foreign)).unwrap();
    // A set known to the mirror is verified by its content, no matter how the texts changed.
    fs::write(stick.join("listing.jsonl"), b"{}").unwrap();
    export(&first, &[KB], &stick).exits(0);
    isolated_mirror(&root_key_of(&first)).json(&["check-medium", stick.as_str()]).exits(0);
}
