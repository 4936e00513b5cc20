//! The complete path: fetch on the connected side, export to a medium, and use on the isolated side.
#![expect(clippy::disallowed_methods, reason = "tests read media and mirrors directly")]

use std::fs;

use serde_json::json;

use super::carry::{
    KB, connected, content, digests, export, fetch_from, import, isolated, keys, lcu, package, root_of,
};
use super::harness::{Bench, each, items, names_in, recording, stamp, text_of, tree};
use super::support::{Loopback, World};

const FOLDER: &str = "windows-11-24h2-arm64";

#[test]
fn an_exported_set_works_on_the_isolated_side() {
    let here = connected(&[KB]);
    let root = root_of(&here);
    let medium = here.path("stick");
    let document = export(&here, &[KB], &medium).exits(0).json();
    assert_eq!(
        (&document["exported"]["number"], &document["exported"]["complete"]),
        (&json!(1), &json!(true))
    );

    // No key is trusted yet. The refusal states the complete key and its id.
    let there = Bench::new();
    let (kind, message) = there.json(&["check-medium", medium.as_str()]).exits(11).error();
    let key: kbmirror::carrier::PublicKey = root.parse().unwrap();
    assert!(kind == "refused" && message.contains(&root) && message.contains(&key.id()), "{message}");
    import(&there, &medium).exits(11);
    assert!(content(&there.mirror()).is_empty());

    // Another key is trusted. The refusal states both keys.
    let other_maker = Bench::new();
    let other = keys(&other_maker);
    let elsewhere = isolated(&other);
    let (_, message) = elsewhere.json(&["check-medium", medium.as_str()]).exits(11).error();
    assert!(message.contains(&root) && message.contains(&other), "{message}");

    there.json(&["keys", "trust", &root]).exits(0);
    let checked = there.json(&["check-medium", medium.as_str()]).exits(0).json();
    assert!(text_of(&checked["evidence"]).contains("all match their signatures"), "{checked:#}");
    let before = digests(&medium);
    let imported = import(&there, &medium).exits(0).json();
    assert_eq!(digests(&medium), before, "a medium is never changed");
    assert_eq!(imported["imported"]["published"].as_array().map(Vec::len), Some(2), "{imported:#}");
    assert_eq!(digests(&there.mirror().join("kb")), digests(&here.mirror().join("kb")));

    for (command, code) in [
        (&["resolve", KB, "--arch", "arm64", "--baseline", "26100.863"][..], 0),
        (&["list"], 0),
        (&["why", KB, "--arch", "arm64"], 0),
        (&["show", KB], 0),
        (&["script", KB, "--arch", "arm64"], 0),
    ] {
        let (a, b) = (here.run(command), there.run(command));
        assert_eq!((a.code, &a.stdout), (b.code, &b.stdout), "{command:?}: {} {}", a.stderr, b.stderr);
        assert_eq!(a.code, code, "{command:?}: {}", a.stderr);
    }
    let folder = there.set(KB, FOLDER);
    there.run(&["lint", folder.as_str(), "--baseline", "26100.863"]).exits(0);
    let to = there.path("set");
    there.run(&["stage", KB, "--arch", "arm64", "--baseline", "26100.863", "--to", to.as_str()]).exits(0);
    assert_eq!(names_in(&to).len(), 2);

    // A second import of the same set.
    let again = there.run(&["import", medium.as_str()]).exits(0);
    assert!(again.stdout.contains("applied already"), "{}", again.stdout);

    // A second export to the same medium writes no files and increases the number.
    let files: Vec<_> = tree(&medium).into_keys().filter(|path| path.starts_with("data/")).collect();
    let stamps: Vec<_> = files.iter().map(|path| stamp(&medium.join(path))).collect();
    let again = export(&here, &[KB], &medium).exits(0).json();
    let exported = &again["exported"];
    assert_eq!((&exported["number"], &exported["written"]), (&json!(2), &json!(0)));
    assert_eq!((&exported["kept"], &exported["removed"]), (&json!(4), &json!(0)));
    assert_eq!(files.iter().map(|path| stamp(&medium.join(path))).collect::<Vec<_>>(), stamps);
    let second = import(&there, &medium).exits(0).json();
    assert_eq!(second["imported"]["added"], 0);
    assert_eq!(second["imported"]["already_applied"], false);
}

#[test]
fn a_second_import_restores_missing_files() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let medium = here.path("stick");
    export(&here, &[KB], &medium).exits(0);
    let there = isolated(&root_of(&here));
    import(&there, &medium).exits(0);
    let complete = digests(&there.mirror().join("kb"));
    // First only the set folders are lost, then the pool as well.
    fs::remove_dir_all(there.mirror().join("kb")).unwrap();
    import(&there, &medium).exits(0);
    assert_eq!(digests(&there.mirror().join("kb")), complete);
    fs::remove_dir_all(there.mirror().join("pool")).unwrap();
    fs::remove_dir_all(there.set(KB, FOLDER)).unwrap();
    import(&there, &medium).exits(0);
    assert_eq!(digests(&there.mirror().join("kb")), complete);
    assert_eq!(digests(&there.mirror().join("pool")).len(), 2);
}

#[test]
fn an_older_medium_does_not_replace_a_reissue() {
    let old = package("KB5041865", "the file");
    let new = package("KB5041865", "the file anew");
    let world = |file: &super::support::FileSpec| {
        World::new().update(lcu(1, "2024-08", "KB5041865", "26100.1457", vec![file.clone()]))
    };
    let (here, loopback) = (Bench::new(), Loopback::start(world(&old)));
    let what = ["KB5041865"];
    fetch_from(&here, &loopback, &what).exits(0);
    let root = keys(&here);
    let day = || here.clock.advance(std::time::Duration::from_hours(24));
    let media = ["s1", "s2", "s3"].map(|name| here.path(name));
    export(&here, &what, &media[0]).exits(0);
    day();
    export(&here, &what, &media[1]).exits(0);
    day();
    loopback.replace(world(&new));
    fetch_from(&here, &loopback, &what).exits(0);
    export(&here, &what, &media[2]).exits(0);

    let there = isolated(&root);
    let folder = there.set("KB5041865", FOLDER);
    import(&there, &media[0]).exits(0);
    assert_eq!(names_in(&folder), [old.name.as_str()]);
    import(&there, &media[2]).exits(0);
    assert_eq!(names_in(&folder), [new.name.as_str()]);
    let kb_tree = digests(&there.mirror().join("kb"));
    let show = there.json(&["show", "KB5041865"]).exits(0).stdout;
    let plan = there.json(&["resolve", "KB5041865", "--arch", "arm64"]).exits(0).stdout;
    assert!(show.contains(&old.name) && show.contains(&new.name), "{show}");

    let late = import(&there, &media[1]).exits(0).json();
    assert_eq!(late["imported"]["older"], true, "{late:#}");
    assert_eq!(items(&late["imported"]["published"]).len(), 0);
    assert_eq!(names_in(&folder), [new.name.as_str()]);
    assert_eq!(digests(&there.mirror().join("kb")), kb_tree);
    assert_eq!(there.json(&["show", "KB5041865"]).exits(0).stdout, show);
    assert_eq!(there.json(&["resolve", "KB5041865", "--arch", "arm64"]).exits(0).stdout, plan);
    let older_later = isolated(&root);
    import(&older_later, &media[2]).exits(0);
    let output = older_later.run(&["import", media[0].as_str()]).exits(0).stdout;
    assert!(output.contains("is older than what is here"), "{output}");
    assert_eq!(names_in(&older_later.set("KB5041865", FOLDER)), [new.name]);
}

#[test]
fn two_months_and_two_architectures_share_a_checkpoint() {
    let here = connected(&[KB, "KB5085516"]);
    let medium = here.path("stick");
    export(&here, &[KB, "KB5085516"], &medium).exits(0);
    let there = isolated(&root_of(&here));
    import(&there, &medium).exits(0);
    let mut inodes = std::collections::BTreeSet::new();
    for kb in [KB, "KB5085516"] {
        for folder in ["windows-11-24h2-arm64", "windows-11-24h2-x64"] {
            let set = medium.join("data").join(kb).join(folder);
            there.run(&["lint", set.as_str(), "--baseline", "26100.863"]).exits(0);
            let names = names_in(&set);
            let checkpoint = names.iter().find(|name| name.contains("kb5043080"));
            let checkpoint = checkpoint.unwrap_or_else(|| panic!("{set}: {names:?}"));
            assert_eq!(names.len(), 2, "{names:?}");
            let number = stamp(&set.join(checkpoint));
            inodes.insert((folder.rsplit('-').next().unwrap().to_owned(), number));
        }
    }
    assert_eq!(inodes.len(), 2, "the checkpoint of each architecture is one file with two names: {inodes:?}");
    // Six different files: two targets and one checkpoint for each architecture.
    assert_eq!(digests(&there.mirror().join("pool")).len(), 6);
    let to = there.path("winpe");
    let stage = ["stage", KB, "--arch", "arm64", "--for", "winpe", "--baseline", "26100.8037"];
    let staged = there.json(&[&stage[..], &["--to", to.as_str()]].concat()).exits(0).json();
    assert_eq!(each(&staged["plan"]["steps"], "role"), ["target"], "{staged:#}");
    assert_eq!(names_in(&to).len(), 1);
}

#[test]
fn knowledge_is_replaced_only_by_newer_knowledge() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let root = root_of(&here);
    let families = include_str!("../../src/servicing/data/families.toml");
    let resolve = ["resolve", KB, "--arch", "arm64"];
    let own = text_of(&here.json(&resolve).exits(0).json()["knowledge_date"]);
    let with = |name: &str, text: &str, code: u8| {
        let folder = here.path(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("families.toml"), text).unwrap();
        let medium = here.path(&format!("stick-{name}"));
        let arguments = ["--knowledge", folder.as_str(), "--json", "export", KB, "--to", medium.as_str()];
        here.run(&arguments).exits(code);
        medium
    };
    assert!(families.contains(&own), "{own}");
    let old = with("old", &families.replacen(&own, "2020-01-01", 1), 0);
    let new = with("new", &families.replacen(&own, "2031-01-01", 1), 0);

    let there = isolated(&root);
    let date = || text_of(&there.json(&resolve).exits(0).json()["knowledge_date"]);
    let imported = import(&there, &old).exits(0).json();
    assert_eq!((&imported["imported"]["knowledge_adopted"], date()), (&json!(false), own.clone()));
    let imported = import(&there, &new).exits(0).json();
    assert_eq!((&imported["imported"]["knowledge_adopted"], date()), (&json!(true), "2031-01-01".to_owned()));
    // A new set with older tables.
    let plain = here.path("plain");
    export(&here, &[KB], &plain).exits(0);
    let imported = import(&there, &plain).exits(0).json();
    assert_eq!(
        (&imported["imported"]["knowledge_adopted"], date()),
        (&json!(false), "2031-01-01".to_owned())
    );
}

#[test]
fn an_imported_set_can_be_exported_unchanged() {
    // A mirror that imported a medium can export a medium for the next network.
    let here = connected(&[KB, "--arch", "arm64"]);
    let medium = here.path("stick");
    export(&here, &[KB], &medium).exits(0);
    let middle = isolated(&root_of(&here));
    import(&middle, &medium).exits(0);
    let root = keys(&middle);
    let next = middle.path("next");
    export(&middle, &[KB], &next).exits(0);
    let there = isolated(&root);
    import(&there, &next).exits(0);
    assert_eq!(digests(&there.mirror().join("kb")), digests(&here.mirror().join("kb")));
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
    assert_eq!(digests(&fetched_mirror.mirror().join("kb")), digests(&here.mirror().join("kb")));
}
