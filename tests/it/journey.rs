//! The complete path: fetch on the connected side, export to a medium, and use on the isolated side.
#![expect(clippy::disallowed_methods, reason = "tests read media and mirrors directly")]

use std::fs;

use serde_json::json;

use super::air_gap::{
    KB, connected_mirror, create_keys, export, fetch_from, file_digests, import, isolated_mirror, lcu,
    mirror_digests, package, root_key_of,
};
use super::harness::{Bench, field_texts, file_stamp, items, names_in, read_tree, recording, text_of};
use super::support::{Loopback, World};

const FOLDER: &str = "windows-11-24h2-arm64";

#[test]
fn an_exported_set_works_on_the_isolated_side() {
    let connected = connected_mirror(&[KB]);
    let root = root_key_of(&connected);
    let medium = connected.path("stick");
    let document = export(&connected, &[KB], &medium).exits(0).json();
    assert_eq!(
        (&document["exported"]["number"], &document["exported"]["complete"]),
        (&json!(1), &json!(true))
    );

    // No key is trusted yet. The refusal states the complete key and its id.
    let isolated = Bench::new();
    let (kind, message) = isolated.json(&["check-medium", medium.as_str()]).exits(11).error();
    let key: kbmirror::carrier::PublicKey = root.parse().unwrap();
    assert!(kind == "refused" && message.contains(&root) && message.contains(&key.id()), "{message}");
    import(&isolated, &medium).exits(11);
    assert!(mirror_digests(&isolated.mirror()).is_empty());

    // Another key is trusted. The refusal states both keys.
    let other_maker = Bench::new();
    let other = create_keys(&other_maker);
    let elsewhere = isolated_mirror(&other);
    let (_, message) = elsewhere.json(&["check-medium", medium.as_str()]).exits(11).error();
    assert!(message.contains(&root) && message.contains(&other), "{message}");

    isolated.json(&["keys", "trust", &root]).exits(0);
    let checked = isolated.json(&["check-medium", medium.as_str()]).exits(0).json();
    assert!(text_of(&checked["evidence"]).contains("all match their signatures"), "{checked:#}");
    let before = file_digests(&medium);
    let imported = import(&isolated, &medium).exits(0).json();
    assert_eq!(file_digests(&medium), before, "a medium is never changed");
    assert_eq!(imported["imported"]["published"].as_array().map(Vec::len), Some(2), "{imported:#}");
    assert_eq!(file_digests(&isolated.mirror().join("kb")), file_digests(&connected.mirror().join("kb")));

    for (command, code) in [
        (&["resolve", KB, "--arch", "arm64", "--baseline", "26100.863"][..], 0),
        (&["list"], 0),
        (&["why", KB, "--arch", "arm64"], 0),
        (&["show", KB], 0),
        (&["script", KB, "--arch", "arm64"], 0),
    ] {
        let (a, b) = (connected.run(command), isolated.run(command));
        assert_eq!((a.code, &a.stdout), (b.code, &b.stdout), "{command:?}: {} {}", a.stderr, b.stderr);
        assert_eq!(a.code, code, "{command:?}: {}", a.stderr);
    }
    let folder = isolated.set_folder(KB, FOLDER);
    isolated.run(&["lint", folder.as_str(), "--baseline", "26100.863"]).exits(0);
    let to = isolated.path("set");
    isolated.run(&["stage", KB, "--arch", "arm64", "--baseline", "26100.863", "--to", to.as_str()]).exits(0);
    assert_eq!(names_in(&to).len(), 2);

    // A second import of the same set.
    let again = isolated.run(&["import", medium.as_str()]).exits(0);
    insta::assert_snapshot!(again.stdout, @r"
    DEMO: the files are stand-ins and cannot be installed
    set 0001 was imported before: verified signatures, manifest, and listing; did not read the payload again
    nothing was changed; run kbmirror check-medium to read the payload
    ");

    // A second export to the same medium writes no files and increases the number.
    let files: Vec<_> = read_tree(&medium).into_keys().filter(|path| path.starts_with("data/")).collect();
    let stamps: Vec<_> = files.iter().map(|path| file_stamp(&medium.join(path))).collect();
    let again = export(&connected, &[KB], &medium).exits(0).json();
    let exported = &again["exported"];
    assert_eq!((&exported["number"], &exported["written"]), (&json!(2), &json!(0)));
    assert_eq!((&exported["kept"], &exported["removed"]), (&json!(4), &json!(0)));
    assert_eq!(files.iter().map(|path| file_stamp(&medium.join(path))).collect::<Vec<_>>(), stamps);
    let second = import(&isolated, &medium).exits(0).json();
    assert_eq!(second["imported"]["added"], 0);
    assert_eq!(second["imported"]["already_applied"], false);
}

#[test]
fn a_second_import_restores_missing_files() {
    let connected = connected_mirror(&[KB, "--arch", "arm64"]);
    let medium = connected.path("stick");
    export(&connected, &[KB], &medium).exits(0);
    let isolated = isolated_mirror(&root_key_of(&connected));
    import(&isolated, &medium).exits(0);
    let complete = file_digests(&isolated.mirror().join("kb"));
    // First only the set folders are lost, then the pool as well.
    fs::remove_dir_all(isolated.mirror().join("kb")).unwrap();
    import(&isolated, &medium).exits(0);
    assert_eq!(file_digests(&isolated.mirror().join("kb")), complete);
    fs::remove_dir_all(isolated.mirror().join("pool")).unwrap();
    fs::remove_dir_all(isolated.set_folder(KB, FOLDER)).unwrap();
    import(&isolated, &medium).exits(0);
    assert_eq!(file_digests(&isolated.mirror().join("kb")), complete);
    assert_eq!(file_digests(&isolated.mirror().join("pool")).len(), 2);
}

#[test]
fn an_older_medium_does_not_replace_a_reissue() {
    let old = package("KB5041865", "the file");
    let new = package("KB5041865", "the file anew");
    let world = |file: &super::support::FileSpec| {
        World::new().update(lcu(1, "2024-08", "KB5041865", "26100.1457", vec![file.clone()]))
    };
    let (connected, loopback) = (Bench::new(), Loopback::start(world(&old)));
    let what = ["KB5041865"];
    fetch_from(&connected, &loopback, &what).exits(0);
    let root = create_keys(&connected);
    let day = || connected.clock.advance(std::time::Duration::from_hours(24));
    let media = ["s1", "s2", "s3"].map(|name| connected.path(name));
    export(&connected, &what, &media[0]).exits(0);
    day();
    export(&connected, &what, &media[1]).exits(0);
    day();
    loopback.replace(world(&new));
    fetch_from(&connected, &loopback, &what).exits(0);
    export(&connected, &what, &media[2]).exits(0);

    let isolated = isolated_mirror(&root);
    let folder = isolated.set_folder("KB5041865", FOLDER);
    import(&isolated, &media[0]).exits(0);
    assert_eq!(names_in(&folder), [old.name.as_str()]);
    import(&isolated, &media[2]).exits(0);
    assert_eq!(names_in(&folder), [new.name.as_str()]);
    let kb_tree = file_digests(&isolated.mirror().join("kb"));
    let show = isolated.json(&["show", "KB5041865"]).exits(0).stdout;
    let plan = isolated.json(&["resolve", "KB5041865", "--arch", "arm64"]).exits(0).stdout;
    assert!(show.contains(&old.name) && show.contains(&new.name), "{show}");

    let late = import(&isolated, &media[1]).exits(0).json();
    assert_eq!(late["imported"]["older"], true, "{late:#}");
    assert_eq!(items(&late["imported"]["published"]).len(), 0);
    assert_eq!(names_in(&folder), [new.name.as_str()]);
    assert_eq!(file_digests(&isolated.mirror().join("kb")), kb_tree);
    assert_eq!(isolated.json(&["show", "KB5041865"]).exits(0).stdout, show);
    assert_eq!(isolated.json(&["resolve", "KB5041865", "--arch", "arm64"]).exits(0).stdout, plan);
    let older_later = isolated_mirror(&root);
    import(&older_later, &media[2]).exits(0);
    let output = older_later.run(&["import", media[0].as_str()]).exits(0).stdout;
    let first = "set 0001 is older than the last import: added missing files, kept newer ones";
    assert_eq!(output.lines().next(), Some(first));
    assert_eq!(names_in(&older_later.set_folder("KB5041865", FOLDER)), [new.name]);
}

#[test]
fn two_months_and_two_architectures_share_a_checkpoint() {
    let connected = connected_mirror(&[KB, "KB5085516"]);
    let medium = connected.path("stick");
    export(&connected, &[KB, "KB5085516"], &medium).exits(0);
    let isolated = isolated_mirror(&root_key_of(&connected));
    import(&isolated, &medium).exits(0);
    let mut inodes = std::collections::BTreeSet::new();
    for kb in [KB, "KB5085516"] {
        for folder in ["windows-11-24h2-arm64", "windows-11-24h2-x64"] {
            let set = medium.join("data").join(kb).join(folder);
            isolated.run(&["lint", set.as_str(), "--baseline", "26100.863"]).exits(0);
            let names = names_in(&set);
            let checkpoint = names.iter().find(|name| name.contains("kb5043080"));
            let checkpoint = checkpoint.unwrap_or_else(|| panic!("{set}: {names:?}"));
            assert_eq!(names.len(), 2, "{names:?}");
            let number = file_stamp(&set.join(checkpoint));
            inodes.insert((folder.rsplit('-').next().unwrap().to_owned(), number));
        }
    }
    assert_eq!(inodes.len(), 2, "the checkpoint of each architecture is one file with two names: {inodes:?}");
    // Six different files: two targets and one checkpoint for each architecture.
    assert_eq!(file_digests(&isolated.mirror().join("pool")).len(), 6);
    let to = isolated.path("winpe");
    let stage = ["stage", KB, "--arch", "arm64", "--for", "winpe", "--baseline", "26100.8037"];
    let staged = isolated.json(&[&stage[..], &["--to", to.as_str()]].concat()).exits(0).json();
    assert_eq!(field_texts(&staged["plan"]["steps"], "role"), ["target"], "{staged:#}");
    assert_eq!(names_in(&to).len(), 1);
}

#[test]
fn knowledge_is_replaced_only_by_newer_knowledge() {
    let connected = connected_mirror(&[KB, "--arch", "arm64"]);
    let root = root_key_of(&connected);
    let families = include_str!("../../src/servicing/data/families.toml");
    let resolve = ["resolve", KB, "--arch", "arm64"];
    let own = text_of(&connected.json(&resolve).exits(0).json()["knowledge_date"]);
    let with = |name: &str, text: &str, code: u8| {
        let folder = connected.path(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("families.toml"), text).unwrap();
        let medium = connected.path(&format!("stick-{name}"));
        let arguments = ["--knowledge", folder.as_str(), "--json", "export", KB, "--to", medium.as_str()];
        connected.run(&arguments).exits(code);
        medium
    };
    assert!(families.contains(&own), "{own}");
    let old = with("old", &families.replacen(&own, "2020-01-01", 1), 0);
    let new = with("new", &families.replacen(&own, "2031-01-01", 1), 0);

    let isolated = isolated_mirror(&root);
    let date = || text_of(&isolated.json(&resolve).exits(0).json()["knowledge_date"]);
    let imported = import(&isolated, &old).exits(0).json();
    assert_eq!((&imported["imported"]["knowledge_adopted"], date()), (&json!(false), own.clone()));
    let imported = import(&isolated, &new).exits(0).json();
    assert_eq!((&imported["imported"]["knowledge_adopted"], date()), (&json!(true), "2031-01-01".to_owned()));
    // A new set with older tables.
    let plain = connected.path("plain");
    export(&connected, &[KB], &plain).exits(0);
    let imported = import(&isolated, &plain).exits(0).json();
    assert_eq!(
        (&imported["imported"]["knowledge_adopted"], date()),
        (&json!(false), "2031-01-01".to_owned())
    );
}

#[test]
fn an_imported_set_can_be_exported_unchanged() {
    // A mirror that imported a medium can export a medium for the next network.
    let connected = connected_mirror(&[KB, "--arch", "arm64"]);
    let medium = connected.path("stick");
    export(&connected, &[KB], &medium).exits(0);
    let middle = isolated_mirror(&root_key_of(&connected));
    import(&middle, &medium).exits(0);
    let root = create_keys(&middle);
    let next = middle.path("next");
    export(&middle, &[KB], &next).exits(0);
    let isolated = isolated_mirror(&root);
    import(&isolated, &next).exits(0);
    assert_eq!(file_digests(&isolated.mirror().join("kb")), file_digests(&connected.mirror().join("kb")));
    assert_eq!(
        fs::read_to_string(medium.join("listing.jsonl")).unwrap(),
        fs::read_to_string(next.join("listing.jsonl")).unwrap()
    );
    // An import into a mirror that fetched the same KB from the Catalog.
    let fetched_mirror = Bench::new();
    fetched_mirror.replay(&recording("demo"), &["fetch", KB, "--arch", "arm64"]).exits(0);
    fetched_mirror.json(&["keys", "trust", &root]).exits(0);
    let imported = import(&fetched_mirror, &next).exits(0).json();
    assert_eq!(imported["imported"]["added"], 0);
    assert_eq!(
        file_digests(&fetched_mirror.mirror().join("kb")),
        file_digests(&connected.mirror().join("kb"))
    );
}
