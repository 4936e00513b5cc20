//! The command `lint` on folders of real files.

use super::*;

fn folder_of(bench: &Bench, names: &[&str]) -> String {
    let path = bench.path("folder");
    fs::create_dir_all(&path).unwrap();
    for name in names {
        write_sparse_file(&path.join(name));
    }
    path.into_string()
}

#[test]
fn the_command_works_without_a_mirror() {
    let bench = Bench::new();
    let folder = folder_of(&bench, &VALID_SETS[0]);
    let ran = bench.run(&["lint", &folder, "--baseline", "26100.863"]).exits(0);
    let first = ran.stdout.lines().next().unwrap();
    assert_eq!(first, format!("{folder} (for KB5086672): ok; {CHECKED}"));
    assert!(ran.stdout.contains("own header confirms"), "the size of the target is unknown: {}", ran.stdout);
    let document = bench.json(&["lint", &folder]).exits(0).json();
    assert_eq!(document["status"], "ok");
    assert_eq!(items(&document["findings"]).len(), 0);
    assert_eq!((&document["checked"], &document["contents_read"]), (&json!(CHECKED), &json!(false)));
    assert_eq!(field_texts(&document["files"], "name"), VALID_SETS[0]);
    assert_eq!(document["target"], "KB5086672");
    assert!(!bench.mirror().exists(), "nothing is created");

    fs::write(bench.path("folder/desktop.ini"), b"").unwrap();
    fs::create_dir(bench.path("folder/old")).unwrap();
    let ran = bench.run(&["lint", &folder]).exits(10);
    assert!(ran.stdout.contains("2 findings") && ran.stdout.contains("not_a_package"), "{}", ran.stdout);
    assert!(ran.stdout.contains(CHECKED), "{}", ran.stdout);
    let document = bench.json(&["lint", &folder]).exits(10).json();
    assert_eq!(document["status"], "refuse_set");
    assert_eq!(field_texts(&document["findings"], "code"), ["not_a_package", "sub_folder"]);
    assert!(document["findings"][0]["kb"].is_null());
    assert_eq!(document["findings"][0]["name"], "desktop.ini");
    assert!(!text_of(&document["findings"][0]["message"]).is_empty());
}

#[test]
fn a_path_that_is_not_a_folder_exits_2() {
    let bench = Bench::new();
    let folder = folder_of(&bench, &["file.msu"]);
    for path in [bench.path("missing").into_string(), format!("{folder}/file.msu")] {
        let ran = bench.json(&["lint", &path]).exits(2);
        assert_eq!(ran.error(), failure("usage", format!("{path} is not a folder")));
    }
    bench.json(&["lint", &folder, "--baseline", "none"]).exits(2);
}

#[test]
fn deep_mode_reads_the_bytes() {
    let bench = Bench::new();
    let folder = folder_of(&bench, &VALID_SETS[0][1..]);
    let document = bench.json(&["lint", &folder, "--deep"]).exits(10).json();
    assert_eq!(field_texts(&document["findings"], "code"), ["missing_checkpoint", "digest_mismatch"]);
    assert_eq!(
        document["checked"],
        "names, sizes, and container types checked; contents read and compared with their digests"
    );
}

#[test]
fn the_index_of_the_mirror_identifies_files() {
    let bench = Bench::new();
    let demo = recording("demo");
    bench.replay(&demo, &["fetch", "KB5086672", "KB5050182"]).exits(0);
    // Published sets are valid, also with `--deep`. Only the index has the digests of the files of the demo.
    for architecture in ["arm64", "x64"] {
        let set = bench.set_folder("KB5086672", &format!("windows-11-24h2-{architecture}"));
        let document = bench.json(&["lint", set.as_str(), "--deep"]).exits(0).json();
        assert_eq!(document["target"], "KB5086672");
    }
    let set = bench.set_folder("KB5050182", "server-2019-x64");
    bench.json(&["lint", set.as_str(), "--target", "KB5050182", "--deep"]).exits(0);
    let (elsewhere, away) = (bench.path("elsewhere"), bench.path("away"));
    super::super::harness::copy_folder(&set, &away);
    let without = bench.run_on(&elsewhere, &["--json", "lint", away.as_str(), "--target", "KB5050182"]);
    assert!(
        field_texts(&without.exits(10).json()["findings"], "code").contains(&"missing_target".to_owned())
    );
    // Damage in the middle of a file is found only with `--deep`.
    let copy = bench.path("copy");
    let set_of_kb = bench.set_folder("KB5086672", "windows-11-24h2-x64");
    super::super::harness::copy_folder(&set_of_kb, &copy);
    let name = names_in(&copy).pop().unwrap();
    let mut bytes = fs::read(copy.join(&name)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(copy.join(&name)).unwrap();
    fs::write(copy.join(&name), &bytes).unwrap();
    let document = bench.json(&["lint", copy.as_str()]).exits(0).json();
    assert_eq!((&document["checked"], &document["unchecked"]), (&json!(CHECKED), &json!([])));
    let document = bench.json(&["lint", copy.as_str(), "--deep"]).exits(10).json();
    assert_eq!(field_texts(&document["findings"], "code"), ["digest_mismatch"]);
    assert_eq!(document["findings"][0]["name"], name);
    // A missing byte is found without reading.
    fs::write(copy.join(&name), &bytes[..bytes.len() - 1]).unwrap();
    let document = bench.json(&["lint", copy.as_str()]).exits(10).json();
    assert_eq!(field_texts(&document["findings"], "code"), ["size_mismatch"]);
    // A small file is identified under any name.
    let valid = bench.path("sound");
    super::super::harness::copy_folder(&set_of_kb, &valid);
    fs::rename(valid.join(&name), valid.join("update of today.msu")).unwrap();
    bench.json(&["lint", valid.as_str(), "--deep"]).exits(10);
    let document = bench.json(&["lint", valid.as_str()]).exits(10).json();
    assert!(text_of(&document["checked"]).contains("contents of 1 of 2 files read"), "{document:#}");
    assert_eq!(field_texts(&document["findings"], "code"), ["misnamed"]);
    assert_eq!(document["findings"][0]["right_name"], name);
}

#[test]
fn empty_truncated_replaced_and_renamed_files_are_reported() {
    let bench = Bench::new();
    let [checkpoint, target] = VALID_SETS[1];
    let findings_of = |damage: &dyn Fn(&Utf8Path), code: u8| {
        let folder = folder_of(&bench, &VALID_SETS[1]);
        damage(Utf8Path::new(&folder));
        let found =
            bench.json(&["lint", &folder, "--baseline", "26100.1", "--for", "image"]).exits(code).json();
        assert!(
            text_of(&found["checked"]).starts_with("names, sizes, and container types checked; contents")
        );
        fs::remove_dir_all(&folder).unwrap();
        let pairs = items(&found["findings"]).iter();
        pairs.map(|finding| pair(&text_of(&finding["code"]), &text_of(&finding["kb"]))).collect::<Vec<_>>()
    };
    let write = |name: &'static str, bytes: &'static [u8]| {
        move |folder: &Utf8Path| fs::write(folder.join(name), bytes).unwrap()
    };
    assert_eq!(findings_of(&|_| {}, 0), []);
    assert_eq!(findings_of(&write(target, b""), 10), [pair("empty", "KB5086672")]);
    assert_eq!(
        findings_of(&write(target, b"<html>sign in</html>"), 10),
        [pair("not_a_package", "KB5086672")]
    );
    assert_eq!(findings_of(&write(target, b"MSWIM\0\0\0"), 10), [pair("size_mismatch", "KB5086672")]);
    let truncate = |name: &'static str, by: u64| {
        move |folder: &Utf8Path| {
            let file = fs::File::options().write(true).open(folder.join(name)).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length - by).unwrap();
        }
    };
    assert_eq!(
        findings_of(&truncate(target, 1), 10),
        [pair("size_mismatch", "KB5086672")],
        "found by the header of the file"
    );
    assert_eq!(findings_of(&truncate(checkpoint, 1), 10), [pair("size_mismatch", CHECKPOINT)]);
    let renamed = |folder: &Utf8Path| {
        fs::rename(folder.join(checkpoint), folder.join("1 - KB5043080 - Checkpoint [26100.1742].msu"))
            .unwrap();
        fs::rename(folder.join(target), folder.join("2 - KB5086672 (1).msu")).unwrap();
    };
    // The small file is read, and is not the one of the Catalog. The checkpoint has its length.
    let found =
        [pair("digest_mismatch", "KB5086672"), pair("misnamed", CHECKPOINT), pair("misnamed", "KB5086672")];
    assert_eq!(findings_of(&renamed, 10), found);
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_not_followed_or_read() {
    let bench = Bench::new();
    let folder = folder_of(&bench, &VALID_SETS[0][1..]);
    let outside = bench.path("outside");
    fs::create_dir(&outside).unwrap();
    write_sparse_file(&outside.join("KB5086672.msu"));
    std::os::unix::fs::symlink(outside.join("KB5086672.msu"), bench.path("folder/link.msu")).unwrap();
    std::os::unix::fs::symlink(&outside, bench.path("folder/old")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", bench.path("folder/zero.msu")).unwrap();
    let Some(mkfifo) =
        super::super::harness::run_judge("mkfifo", &["pipe.msu"], bench.path("folder").as_std_path())
    else {
        return;
    };
    assert!(mkfifo.status.success(), "{mkfifo:?}");
    for deep in [&[][..], &["--deep"]] {
        let document = bench.json(&[&["lint", &folder], deep].concat()).exits(10).json();
        let found: Vec<&Value> = items(&document["findings"])
            .iter()
            .filter(|finding| finding["code"] == "not_a_package")
            .collect();
        let names: Vec<String> = found.iter().map(|finding| text_of(&finding["name"])).collect();
        assert_eq!(names, ["link.msu", "old", "pipe.msu", "zero.msu"]);
        assert_eq!(field_texts(&document["files"], "name"), VALID_SETS[0][1..], "no other file was opened");
    }
}

#[test]
fn bytes_of_another_architecture_or_container_are_reported() {
    let bench = super::super::air_gap::connected_mirror(&["KB5086672"]);
    let set = |architecture: &str| bench.set_folder("KB5086672", &format!("windows-11-24h2-{architecture}"));
    let folder = bench.path("swapped");
    let lint = |more: &[&str]| {
        let arguments = ["lint", folder.as_str(), "--baseline", "26100.1", "--for", "image"];
        bench.json(&[&arguments[..], more].concat())
    };
    let copy = |from: &Utf8Path, rename: &dyn Fn(&str) -> String| {
        let _absent = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        for name in names_in(from) {
            fs::copy(from.join(&name), folder.join(rename(&name))).unwrap();
        }
    };
    // The files of arm64 under names for x64, as a browser or a user may have saved them.
    copy(&set("arm64"), &|name| format!("{}-x64.msu", name.split_once("-arm64").unwrap().0));
    for more in [&[][..], &["--deep"]] {
        let report = lint(more).exits(10).json();
        assert_eq!(report["status"], "refuse_set", "{report:#}");
    }
    let codes = field_texts(&lint(&["--deep"]).json()["findings"], "code");
    assert!(codes.iter().any(|code| code == "misnamed"), "{codes:?}");
    // A WIM image or a cabinet with the extension of the other.
    copy(&set("x64"), &|name| name.replace(".msu", ".cab"));
    for more in [&[][..], &["--deep"]] {
        lint(more).exits(10);
    }
    copy(&set("x64"), &|name| name.to_owned());
    for more in [&[][..], &["--deep"]] {
        lint(more).exits(0);
    }
}
