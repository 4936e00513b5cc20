//! Mirrors, media, and import records of version 0.1: they are read, kept, and continued.
#![expect(clippy::disallowed_methods, reason = "fixtures are copied, looked at, and spoiled as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use super::air_gap::{KB, export, file_digests, import, isolated_mirror, root_key_of};
use super::harness::{Bench, copy_folder, failure, items, names_in, recording};

const OTHER: &str = "KB5085516";

fn fixture(name: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v0.1").join(name)
}

/// Returns a bench with a copy of a mirror of version 0.1.
fn mirror_of_0_1(name: &str) -> Bench {
    let bench = Bench::new();
    copy_folder(&fixture(name), &bench.mirror());
    #[cfg(unix)]
    for key in ["export.key", "root.key"] {
        let path = bench.mirror().join("keys").join(key);
        if path.exists() {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
    bench
}

/// Returns a copy of the medium of version 0.1.
fn stick(bench: &Bench) -> Utf8PathBuf {
    let stick = bench.path("stick");
    copy_folder(&fixture("stick"), &stick);
    stick
}

fn payload(medium: &Utf8Path) -> std::collections::BTreeMap<String, String> {
    let mut files = file_digests(medium);
    files.retain(|path, _| path.starts_with("data/") && path.contains("/windows11.0-"));
    files
}

#[test]
fn a_mirror_of_0_1_gives_the_same_answers_after_migration() {
    for name in ["connected", "isolated"] {
        let bench = mirror_of_0_1(name);
        let reads: [&[&str]; 5] = [
            &["list"],
            &["resolve", KB, "--arch", "arm64", "--baseline", "26100.863"],
            &["why", KB, "--arch", "x64"],
            &["show", KB],
            &["verify"],
        ];
        let answers: Vec<String> =
            reads.iter().map(|command| bench.json(command).exits(0).stdout).take(4).collect();
        let listed: serde_json::Value = serde_json::from_str(&answers[0]).unwrap();
        assert_eq!(items(&listed["sets"]).len(), 4, "{listed:#}");
        let verified = bench.run(&["verify"]).exits(0);
        assert_eq!(
            verified.stdout,
            "verified 6 files, 194.2 KB in the pool, 4 folders, 2 KBs: no findings\n"
        );
        // A writing run migrates the index. Every answer stays the same.
        if name == "connected" {
            export(&bench, &["--all"], &bench.path("new")).exits(0);
        } else {
            import(&bench, &stick(&bench)).exits(0);
        }
        for (command, answer) in reads.iter().zip(&answers) {
            assert_eq!(&bench.json(command).exits(0).stdout, answer, "{name}: {command:?}");
        }
        bench.run(&["verify"]).exits(0);
    }
}

#[test]
fn a_medium_of_0_1_is_checked_and_imported() {
    let bench = Bench::new();
    let stick = stick(&bench);
    let before = file_digests(&stick);
    let root = root_key_of(&mirror_of_0_1("connected"));
    let isolated_side = isolated_mirror(&root);
    let checked = isolated_side.json(&["check-medium", stick.as_str()]).exits(0).json();
    assert_eq!((&checked["set"]["seq"], &checked["litter"]), (&json!(1), &json!([])));
    let imported = import(&isolated_side, &stick).exits(0).json();
    assert_eq!(items(&imported["imported"]["published"]).len(), 4, "{imported:#}");
    assert_eq!(file_digests(&stick), before);
    for (path, digest) in file_digests(&fixture("isolated").join("kb")) {
        if path.contains("/windows11.0-") {
            assert_eq!(file_digests(&isolated_side.mirror().join("kb")).get(&path), Some(&digest), "{path}");
        }
    }
}

#[test]
fn an_isolated_mirror_of_0_1_continues_its_imports() {
    let (connected_side, isolated_side) = (mirror_of_0_1("connected"), mirror_of_0_1("isolated"));
    let stick = stick(&connected_side);
    let applied = import(&isolated_side, &stick).exits(0).json();
    assert_eq!(applied["imported"]["already_applied"], true, "{applied:#}");
    // A new medium continues the numbers, and the old medium is older from then on.
    export(&connected_side, &["--all"], &connected_side.path("next")).exits(0);
    let imported = import(&isolated_side, &connected_side.path("next")).exits(0).json();
    assert_eq!(
        (&imported["imported"]["number"], &imported["imported"]["older"], &imported["imported"]["added"]),
        (&json!(2), &json!(false), &json!(0))
    );
    let again = import(&isolated_side, &stick).exits(0).json();
    assert_eq!(again["imported"]["already_applied"], true, "{again:#}");
    assert_eq!(isolated_side.json(&["verify"]).exits(0).json()["findings"], json!([]));
}

#[test]
fn a_medium_of_0_1_is_updated_in_place() {
    let connected_side = mirror_of_0_1("connected");
    let stick = stick(&connected_side);
    let before = payload(&stick);
    let exported = export(&connected_side, &[KB, "--arch", "arm64"], &stick).exits(0).json();
    assert_eq!(
        (&exported["exported"]["number"], &exported["exported"]["written"], &exported["exported"]["removed"]),
        (&json!(2), &json!(0), &json!(0)),
        "{exported:#}"
    );
    assert_eq!(payload(&stick), before);
    let isolated_side = mirror_of_0_1("isolated");
    isolated_side.json(&["check-medium", stick.as_str()]).exits(0);
    let imported = import(&isolated_side, &stick).exits(0).json();
    assert_eq!(imported["imported"]["already_applied"], false);
}

#[test]
fn start_here_of_a_0_1_medium_has_no_influence() {
    let connected_side = mirror_of_0_1("connected");
    for text in ["", "Mirror: another one", "another page"] {
        let stick = connected_side.path(&format!("stick-{}", text.len()));
        copy_folder(&fixture("stick"), &stick);
        fs::write(stick.join("START-HERE.txt"), text).unwrap();
        export(&connected_side, &[KB], &stick).exits(0);
    }
    let stick = stick(&connected_side);
    fs::remove_file(stick.join("START-HERE.txt")).unwrap();
    export(&connected_side, &[KB], &stick).exits(0);
    // The text file alone does not make a folder a medium of this mirror.
    let other = connected_side.path("other");
    fs::create_dir(&other).unwrap();
    fs::copy(fixture("stick").join("START-HERE.txt"), other.join("START-HERE.txt")).unwrap();
    fs::write(other.join("thesis.docx"), b"x").unwrap();
    let files = "START-HERE.txt, thesis.docx";
    let message = format!("{other} contains files that do not belong to this mirror: {files}");
    assert_eq!(export(&connected_side, &[KB], &other).exits(2).error(), failure("usage", message));
    assert_eq!(names_in(&other), ["START-HERE.txt", "thesis.docx"]);
}

#[test]
fn an_unfinished_export_of_0_1_is_completed() {
    let reference = {
        let connected_side = mirror_of_0_1("connected");
        export(&connected_side, &["--all"], &connected_side.path("undisturbed")).exits(0);
        payload(&connected_side.path("undisturbed"))
    };
    // Each state after a kill of version 0.1: a medium that was updated, and a new one.
    let in_place: &[&str] = &["set.json.minisig"];
    let texts: &[&str] = &["set.json.minisig", "set.json", "listing.jsonl", "manifest-sha256.txt.minisig"];
    let first: &[&str] = &[
        "set.json.minisig",
        "set.json",
        "listing.jsonl",
        "manifest-sha256.txt.minisig",
        "keys.json",
        "keys.json.minisig",
        "tagmanifest-sha256.txt",
        "index.html",
    ];
    for (number, removed) in [in_place, texts, first].into_iter().enumerate() {
        for is_cut in [false, true] {
            let connected_side = mirror_of_0_1("connected");
            let stick = stick(&connected_side);
            for name in removed {
                fs::remove_file(stick.join(name)).unwrap();
            }
            if is_cut {
                let package =
                    payload(&stick).into_keys().find(|path| path.contains("kb5085516-x64")).unwrap();
                fs::rename(stick.join(&package), stick.join(format!("{package}.kbm-part"))).unwrap();
            }
            let before = file_digests(&stick);
            isolated_mirror(&root_key_of(&connected_side)).json(&["check-medium", stick.as_str()]).exits(11);
            let dry =
                connected_side.json(&["export", KB, "--to", stick.as_str(), "--dry-run"]).exits(0).json();
            assert_eq!(file_digests(&stick), before, "case {number}");
            // Complete package sets stay, and the partial set is completed.
            let kept = items(&dry["plan"]["kept"]).len();
            assert_eq!(kept, if is_cut { 3 } else { 4 }, "case {number}: {dry:#}");
            export(&connected_side, &[KB], &stick).exits(0);
            export(&connected_side, &[OTHER], &stick).exits(0);
            assert_eq!(payload(&stick), reference, "case {number}");
            isolated_mirror(&root_key_of(&connected_side)).json(&["check-medium", stick.as_str()]).exits(0);
        }
    }
}

#[test]
fn a_medium_without_a_signed_listing_is_refused() {
    // The mirror that made the set is lost. Another mirror has its keys and other KBs.
    let connected_side = Bench::new();
    connected_side.replay(&recording("demo"), &["fetch", KB, "--arch", "x64"]).exits(0);
    super::air_gap::share_keys(&mirror_of_0_1("connected"), &connected_side);
    let stick = stick(&connected_side);
    fs::remove_file(stick.join("set.json.minisig")).unwrap();
    let before = file_digests(&stick);
    let folder = "data/KB5085516/windows-11-24h2-arm64";
    let message = format!("{folder} on {stick} is unknown to this mirror, and its listing is not verified");
    assert_eq!(export(&connected_side, &[KB], &stick).exits(11).error(), failure("refused", message));
    assert_eq!(file_digests(&stick), before);
    export(&connected_side, &[KB, "--prune"], &stick).exits(2);
    assert_eq!(file_digests(&stick), before);
    export(&connected_side, &[KB, "--prune", "--yes"], &stick).exits(0);
    assert!(payload(&stick).keys().all(|path| path.starts_with("data/KB5086672/windows-11-24h2-x64/")));
}
