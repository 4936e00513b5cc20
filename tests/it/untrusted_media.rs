//! Files that operating systems and scanners leave on media, and media that an attacker has changed or signed.
#![expect(clippy::disallowed_methods, reason = "tests damage media directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

mod keys;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use kbmirror::carrier::SecretKey;
use serde_json::{Value, json};

use super::air_gap::{
    SmallMedium, connected_mirror, create_keys, export, fetch_from, file_digests, import, isolated_mirror,
    mirror_digests, root_key_of, secret_key, sign_again, sign_again_with, small_medium,
    small_medium_of_two_kbs, world_of_two_kbs,
};
use super::harness::{Bench, failure, field_texts, text_of};
use super::support::Loopback;

const FOLDER: &str = "windows-11-24h2-arm64";

/// Copies a small medium. Returns an isolated mirror that trusts it, and the copy.
fn copy_of(small: &SmallMedium) -> (Bench, Utf8PathBuf) {
    let isolated = isolated_mirror(&small.root);
    let medium = isolated.path("medium");
    small.copy_to(&medium);
    (isolated, medium)
}

/// Checks that `check-medium` and `import` refuse a medium with these words, and that the mirror is unchanged.
#[track_caller]
fn assert_refused(isolated: &Bench, medium: &Utf8Path, words: &str) {
    let before = mirror_digests(&isolated.mirror());
    for command in ["check-medium", "import"] {
        let (kind, message) = isolated.json(&[command, medium.as_str()]).exits(11).error();
        assert!(kind == "refused" && message.contains(words), "{command}: {words:?} in {message:?}");
        assert_eq!(mirror_digests(&isolated.mirror()), before, "{command}");
    }
}

fn package_path(medium: &Utf8Path) -> String {
    let names = file_digests(medium).into_keys();
    let found: Vec<String> = names.filter(|path| path.contains("/windows11.0-kb5041865-")).collect();
    let [path] = <[String; 1]>::try_from(found).unwrap();
    path
}

#[cfg(unix)]
fn make_read_only(folder: &Utf8Path, mode_of_files: u32, mode_of_folders: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        let is_folder = path.is_dir();
        if is_folder {
            make_read_only(&path, mode_of_files, mode_of_folders);
        }
        let mode = if is_folder { mode_of_folders } else { mode_of_files };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

#[test]
fn foreign_files_at_the_root_are_reported_and_not_read() {
    let (isolated, medium) = copy_of(small_medium());
    let litter = [
        "$RECYCLE.BIN",
        "System Volume Information",
        "desktop.ini",
        "knowledge/Thumbs.db",
        "lost+found",
        "scan-report.html",
    ];
    for folder in ["$RECYCLE.BIN", "System Volume Information", "lost+found"] {
        fs::create_dir(medium.join(folder)).unwrap();
        fs::write(medium.join(folder).join("IndexerVolumeGuid"), b"x").unwrap();
    }
    for file in ["desktop.ini", "knowledge/Thumbs.db", "scan-report.html"] {
        fs::write(medium.join(file), b"x").unwrap();
    }
    #[cfg(unix)]
    make_read_only(&medium, 0o444, 0o555);
    let before = file_digests(&medium);
    let checked = isolated.json(&["check-medium", medium.as_str()]).exits(0).json();
    assert_eq!(checked["litter"], json!(litter));
    let imported = isolated.run(&["import", medium.as_str()]).exits(0);
    for name in litter {
        assert!(
            imported.stdout.contains(&format!("not part of the set, not read: {name}")),
            "{}",
            imported.stdout
        );
    }
    assert_eq!(file_digests(&medium), before);
    #[cfg(unix)]
    make_read_only(&medium, 0o644, 0o755);
}

#[test]
fn unlisted_files_below_data_are_refused() {
    for extra in [
        format!("data/KB5041865/{FOLDER}/windows11.0-kb5000000-arm64.msu"),
        format!("data/KB5041865/{FOLDER}/desktop.ini"),
        "data/KB5041865/readme.txt".to_owned(),
        "data/desktop.ini".to_owned(),
        "data/KB5041865/other/x.msu".to_owned(),
        "data/System Volume Information/x".to_owned(),
    ] {
        let (isolated, medium) = copy_of(small_medium());
        fs::create_dir_all(medium.join(&extra).parent().unwrap()).unwrap();
        fs::write(medium.join(&extra), b"x").unwrap();
        let named = extra.replace("/other/x.msu", "/other").replace("Information/x", "Information");
        assert_refused(&isolated, &medium, &named);
    }
    let (isolated, medium) = copy_of(small_medium());
    fs::create_dir(medium.join("data/empty")).unwrap();
    assert_refused(&isolated, &medium, "data/empty");
}

#[cfg(unix)]
#[test]
fn links_and_devices_are_never_followed() {
    use std::os::unix::fs::symlink;
    let package = package_path(&small_medium().medium);
    let set = Utf8Path::new(&package).parent().unwrap().to_owned();
    for (name, words) in [
        ("keys.json", "keys.json"),
        ("set.json", "set.json"),
        ("set.json.minisig", "set.json.minisig"),
        ("manifest-sha256.txt", "manifest-sha256.txt"),
        ("listing.jsonl", "listing.jsonl"),
        ("knowledge", "knowledge"),
        ("index.html", "index.html"),
        (package.as_str(), package.as_str()),
        (set.as_str(), set.as_str()),
        ("data/KB5041865", "data/KB5041865"),
        ("data", "data"),
    ] {
        let (isolated, medium) = copy_of(small_medium());
        // The target of the link has the right bytes.
        let aside = isolated.path("aside");
        fs::rename(medium.join(name), &aside).unwrap();
        symlink(&aside, medium.join(name)).unwrap();
        assert_refused(&isolated, &medium, words);
    }
    for (extra, words) in [("data/KB5041865/x", "data/KB5041865/x"), ("x", "x is a link")] {
        let (isolated, medium) = copy_of(small_medium());
        symlink("/etc/passwd", medium.join(extra)).unwrap();
        assert_refused(&isolated, &medium, words);
        fs::remove_file(medium.join(extra)).unwrap();
        let made = std::process::Command::new("mkfifo").arg(medium.join(extra)).status().unwrap();
        assert!(made.success());
        assert_refused(&isolated, &medium, words);
    }
    for name in ["set.json", package.as_str(), "index.html"] {
        let (isolated, medium) = copy_of(small_medium());
        fs::remove_file(medium.join(name)).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(medium.join(name)).status().unwrap().success());
        assert_refused(&isolated, &medium, name);
    }
    // A file in place of a folder makes the medium invalid. It is not a read error.
    for name in ["data", "data/KB5041865", set.as_str(), "knowledge"] {
        let (isolated, medium) = copy_of(small_medium());
        fs::remove_dir_all(medium.join(name)).unwrap();
        fs::write(medium.join(name), b"x").unwrap();
        assert_refused(&isolated, &medium, name);
    }
    let (isolated, medium) = copy_of(small_medium());
    fs::remove_dir_all(medium.join("data")).unwrap();
    assert_refused(&isolated, &medium, &package);
}

/// A change of a medium before it is signed again.
type Change<'a> = Box<dyn Fn(&Utf8Path) + 'a>;

/// Changes a text of a medium.
fn edit(medium: &Utf8Path, name: &str, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(medium.join(name)).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text, "{name}");
    fs::write(medium.join(name), changed).unwrap();
}

#[test]
fn invalid_texts_are_refused_despite_a_valid_signature() {
    let small = small_medium_of_two_kbs();
    let package = package_path(&small.medium);
    let (set, name) = package.rsplit_once('/').unwrap();
    let unchanged = |_: &mut Value| {};
    // The new signature itself is accepted.
    let (isolated, medium) = copy_of(small);
    sign_again(small, &medium, unchanged);
    import(&isolated, &medium).exits(0);

    let replaced = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        move |medium: &Utf8Path| {
            for text in ["manifest-sha256.txt", "listing.jsonl"] {
                let old = fs::read_to_string(medium.join(text)).unwrap();
                // The manifest stays sorted.
                let mut lines: Vec<String> =
                    old.replace(&from, &to).lines().map(|line| format!("{line}\n")).collect();
                if text == "manifest-sha256.txt" {
                    lines.sort_by(|a, b| a[64..].cmp(&b[64..]));
                }
                fs::write(medium.join(text), lines.concat()).unwrap();
            }
        }
    };
    let cases: Vec<(&str, Change<'_>)> = vec![
        ("is not a plain name", Box::new(replaced(&format!("{FOLDER}/{name}"), "NUL/x.msu"))),
        ("the name is a path", Box::new(replaced(&format!("{FOLDER}/{name}"), &format!("../{name}")))),
        (
            "refused",
            Box::new(|medium| {
                edit(medium, "listing.jsonl", |text| {
                    text.replace(&format!("\"name\":\"{name}\""), "\"name\":\"..\\\\..\\\\evil.msu\"")
                });
            }),
        ),
        (
            "refused",
            Box::new(|medium| {
                edit(medium, "listing.jsonl", |text| {
                    text.replace(&format!("\"name\":\"{name}\""), "\"name\":\"another.msu\"")
                });
            }),
        ),
        (
            "disagree about",
            Box::new(|medium| {
                edit(medium, "manifest-sha256.txt", |text| {
                    text.split_inclusive('\n').filter(|line| !line.trim_end().ends_with(name)).collect()
                });
            }),
        ),
        (
            "does not belong to any set",
            Box::new(|medium| {
                edit(medium, "manifest-sha256.txt", |text| {
                    format!("{text}{}  data/KB9999999/x/y.msu\n", "0".repeat(64))
                });
            }),
        ),
        (
            "is listed twice",
            Box::new(|medium| {
                edit(medium, "listing.jsonl", |text| {
                    let set = text.lines().find(|line| line.contains("\"set\"")).unwrap().to_owned();
                    format!("{set}\n{text}")
                });
            }),
        ),
        (
            "bytes, but",
            Box::new(|medium| {
                edit(medium, "listing.jsonl", |text| {
                    text.replace("\"size\":14,\"urls\"", "\"size\":9223372036854775807,\"urls\"")
                });
            }),
        ),
        (
            "bytes, but",
            Box::new(|medium| {
                edit(medium, "listing.jsonl", |text| {
                    text.replace("\"size\":14,\"urls\"", "\"size\":18446744073709551615,\"urls\"")
                });
            }),
        ),
        (
            "cannot be read",
            Box::new(|medium| edit(medium, "listing.jsonl", |text| format!("{text}not JSON\n"))),
        ),
    ];
    for (number, (words, change)) in cases.into_iter().enumerate() {
        let (isolated, medium) = copy_of(small);
        change(&medium);
        sign_again(small, &medium, unchanged);
        let before = mirror_digests(&isolated.mirror());
        for command in ["check-medium", "import"] {
            let (_, message) = isolated.json(&[command, medium.as_str()]).exits(11).error();
            assert!(message.contains(words), "case {number}, {command}: {words:?} in {message:?}");
        }
        assert_eq!(mirror_digests(&isolated.mirror()), before, "case {number}");
        assert!(!isolated.path("evil.msu").exists() && medium.join(set).exists());
    }
}

#[test]
fn an_invalid_set_json_is_refused() {
    let small = small_medium();
    let changed_copy = |change: fn(&mut Value)| {
        let (isolated, medium) = copy_of(small);
        sign_again(small, &medium, change);
        (isolated, medium)
    };
    let (isolated, medium) = changed_copy(|set| set["format"] = json!(2));
    assert_refused(&isolated, &medium, "has format 2; this program reads formats up to 1");
    let (isolated, medium) = changed_copy(|set| set["lineage"] = json!("0123456789ABCDEF"));
    assert_refused(&isolated, &medium, "0123456789ABCDEF");
    let (isolated, medium) = changed_copy(|set| set["volumes"] = json!([]));
    assert_refused(&isolated, &medium, "does not name a volume");
    let (isolated, medium) = changed_copy(|set| {
        set["tag_files"]["../../evil"] = json!("0".repeat(64));
    });
    assert_refused(&isolated, &medium, "../../evil");
    let (isolated, medium) = changed_copy(|set| {
        set["tag_files"].as_object_mut().unwrap().remove("listing.jsonl");
    });
    assert_refused(&isolated, &medium, "listing.jsonl");

    // The highest number that is accepted.
    let (isolated, medium) = changed_copy(|set| set["seq"] = json!(set["seq"].as_u64().unwrap() + 1000));
    import(&isolated, &medium).exits(0);
    let later = import(&isolated, &small.medium).exits(0).json();
    assert_eq!(later["imported"]["older"], true);

    // Two sets with the same number.
    let (isolated, medium) = changed_copy(|set| set["tool"] = json!("another tool"));
    import(&isolated, &small.medium).exits(0);
    let before = mirror_digests(&isolated.mirror());
    let message = "a different set with the number 0001 was imported from this lineage before, but a number belongs to one set only";
    assert_eq!(import(&isolated, &medium).exits(11).error(), failure("refused", message));
    assert_eq!(mirror_digests(&isolated.mirror()), before);
}

#[test]
fn oversized_files_are_refused_without_reading_them() {
    for (name, size) in [("set.json", 5_u64 << 20), ("keys.json", 5 << 20), ("manifest-sha256.txt", 65 << 20)]
    {
        let (isolated, medium) = copy_of(small_medium());
        fs::File::options().write(true).open(medium.join(name)).unwrap().set_len(size).unwrap();
        assert_refused(&isolated, &medium, name);
    }
    // Files longer than listed are not read.
    for name in small_medium().payload() {
        let (isolated, medium) = copy_of(small_medium());
        fs::File::options().write(true).open(medium.join(&name)).unwrap().set_len(1 << 42).unwrap();
        assert_refused(&isolated, &medium, &name);
    }
}

#[test]
fn a_demo_set_is_refused_by_a_mirror_of_another_origin() {
    let demo = connected_mirror(&["KB5086672", "--arch", "arm64"]);
    let medium = demo.path("medium");
    export(&demo, &["KB5086672"], &medium).exits(0);
    for name in ["START-HERE.txt", "index.html", "set.json"] {
        let text = fs::read_to_string(medium.join(name)).unwrap();
        assert!(text.contains("DEMO") || text.contains("\"demo\": true"), "{name}");
    }
    let (isolated, loopback) = (Bench::new(), Loopback::start(world_of_two_kbs()));
    fetch_from(&isolated, &loopback, &["KB5041865"]).exits(0);
    isolated.json(&["keys", "trust", &root_key_of(&demo)]).exits(0);
    let before = mirror_digests(&isolated.mirror());
    let content = "content from the Catalog at 127.0.0.1, and this run would add content from a recording";
    let message = format!("the mirror at {} holds {content}", isolated.mirror());
    assert_eq!(import(&isolated, &medium).exits(2).error(), failure("usage", message));
    assert_eq!(mirror_digests(&isolated.mirror()), before);
}

#[test]
fn missing_files_are_counted_and_partial_ok_imports_the_rest() {
    let small = small_medium_of_two_kbs();
    let (isolated, medium) = copy_of(small);
    let package = package_path(&medium);
    let aside = isolated.path("aside");
    fs::rename(medium.join(&package), &aside).unwrap();
    let message = format!("1 listed file missing on the medium (14 B): {package}");
    assert_eq!(import(&isolated, &medium).exits(11).error(), failure("refused", message));
    let partial = ["import", medium.as_str(), "--partial-ok"];
    let imported = isolated.json(&partial).exits(4).json();
    assert_eq!(imported["imported"]["left"], json!(["KB5041865"]));
    assert_eq!(field_texts(&imported["imported"]["missing"], "path"), [package.as_str()]);
    assert_eq!(imported["imported"]["published"], json!([format!("kb/KB5040435/{FOLDER}")]));
    assert_eq!(isolated.json(&["show", "KB5041865"]).exits(0).json()["updates"], json!([]));
    // A second import of the same medium: the set is still incomplete.
    isolated.json(&partial).exits(4);
    fs::rename(&aside, medium.join(&package)).unwrap();
    let rest = import(&isolated, &medium).exits(0).json();
    assert_eq!(
        (&rest["imported"]["already_applied"], &rest["imported"]["added"]),
        (&json!(false), &json!(1))
    );
    assert_eq!(file_digests(&isolated.mirror().join("kb")), file_digests(&small.maker.mirror().join("kb")));
    import(&isolated, &medium).exits(0);

    // Files that the mirror has may be missing on the medium.
    let (isolated, first) = copy_of(small);
    import(&isolated, &first).exits(0);
    let next = next_set(small, &isolated);
    fs::remove_file(next.join(&package)).unwrap();
    let imported = import(&isolated, &next).exits(0).json();
    assert_eq!(imported["imported"]["missing"], json!([]));
    assert_eq!(imported["imported"]["older"], false);
}

/// Copies a medium and signs it as the next set. The shared small medium is unchanged.
fn next_set(small: &SmallMedium, isolated: &Bench) -> Utf8PathBuf {
    let next = isolated.path("next");
    small.copy_to(&next);
    sign_again(small, &next, |set| set["seq"] = json!(set["seq"].as_u64().unwrap() + 1));
    next
}

#[test]
fn a_partially_imported_set_counts_as_the_last_one() {
    let small = small_medium_of_two_kbs();
    let (isolated, first) = copy_of(small);
    let next = next_set(small, &isolated);
    fs::remove_file(next.join(package_path(&next))).unwrap();
    isolated.json(&["import", next.as_str(), "--partial-ok"]).exits(4);
    let imported = import(&isolated, &first).exits(0).json();
    assert_eq!(imported["imported"]["older"], true, "{imported:#}");
    assert_eq!(file_digests(&isolated.mirror().join("kb")), file_digests(&small.maker.mirror().join("kb")));
}

#[test]
fn unreadable_knowledge_is_ignored_and_reported() {
    let small = small_medium();
    let (isolated, medium) = copy_of(small);
    edit(&medium, "knowledge/families.toml", |text| {
        text.replacen("date = \"2026", "date = \"2031", 1).replacen("[[family]]", "[[family", 1)
    });
    sign_again(small, &medium, |_| {});
    let imported = isolated.run(&["import", medium.as_str()]).exits(0);
    assert!(imported.stderr.contains("ignored the knowledge tables on the medium"), "{}", imported.stderr);
    assert!(!isolated.mirror().join("knowledge").exists());
    isolated.json(&["resolve", "KB5041865", "--arch", "arm64"]).exits(0);
}
