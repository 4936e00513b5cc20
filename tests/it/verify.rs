//! Tests of `verify` on damaged mirrors: each damage is found and reported by its kind.
#![expect(clippy::disallowed_methods, reason = "mirrors are spoiled as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::air_gap::{connected_mirror, export, import, isolated_mirror, root_key_of};
use super::harness::{Bench, failure, items, names_in, read_tree, recording, sha256_hex, text_of};

const SET: &str = "windows-11-24h2-arm64";

/// Returns a mirror with two KBs that share a file.
fn mirror() -> Bench {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &["fetch", "KB5086672", "KB5085516", "--arch", "arm64"]).exits(0);
    bench
}

/// Changes the bytes of a file, which may be read-only and have several names.
fn damage_file(path: &Utf8Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    // Other names of the file have the change too, as on a failing disk.
    let mut permissions = fs::metadata(path).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a test's own folder")]
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Returns the pool file of the target package of a KB.
fn pool_file(bench: &Bench, kb: &str) -> Utf8PathBuf {
    let query =
        format!("SELECT DISTINCT sha256 FROM v_sets WHERE kb = '{kb}' AND role = 'target' AND present");
    let digest = bench.rows(&query).remove(0).remove(0);
    bench.mirror().join("pool/sha256").join(&digest[..2]).join(digest)
}

fn found(report: &Value) -> Vec<(String, String)> {
    let findings = items(&report["findings"]).iter();
    findings.map(|finding| (text_of(&finding["kind"]), text_of(&finding["path"]))).collect()
}

#[test]
fn an_intact_mirror_has_no_findings_and_is_not_changed() {
    let bench = mirror();
    let before = read_tree(&bench.mirror());
    for options in [&["verify"][..], &["verify", "--deep"]] {
        let report = bench.json(options).exits(0).json();
        assert_eq!((&report["findings"], &report["warnings"]), (&json!([]), &json!([])));
        assert_eq!((&report["files"], &report["folders"], &report["kbs"]), (&json!(3), &json!(2), &json!(2)));
    }
    let mut after = read_tree(&bench.mirror());
    let report = after.remove("runs/2026-11-23T080000Z-verify.json").unwrap();
    assert!(after.remove("health.json").is_some());
    let same = |(path, bytes): (&String, &Vec<u8>)| {
        path.starts_with("mirror.db") || path == "lock" || before[path] == *bytes
    };
    assert!(after.iter().all(same) && after.len() == before.len());
    assert_eq!(serde_json::from_slice::<Value>(&report).unwrap()["deep"], true);

    let text = bench.run(&["verify"]).exits(0).stdout;
    assert_eq!(text, "verified 3 files, 94.1 KB in the pool, 2 folders, 2 KBs: no findings\n");
    let one = bench.run(&["verify", "KB5085516"]).exits(0).stdout;
    assert!(one.starts_with("verified 2 files") && one.ends_with("1 folder, 1 KB: no findings\n"), "{one}");
    assert_eq!(bench.json(&["verify", "KB5031539"]).exits(3).error().0, "not_found");
    let without_mirror = Bench::new();
    assert_eq!(without_mirror.json(&["verify"]).exits(3).error().0, "not_found");
    assert!(!without_mirror.mirror().exists());
}

#[test]
fn each_kind_of_damage_is_found() {
    type Damage = fn(&Bench);
    let damages: [(&str, &str, Damage); 15] = [
        ("digest", "pool/", |bench| damage_file(&pool_file(bench, "KB5086672"), |bytes| bytes[1000] ^= 1)),
        ("size", "pool/", |bench| damage_file(&pool_file(bench, "KB5086672"), |bytes| bytes.push(0))),
        ("size", "pool/", |bench| damage_file(&pool_file(bench, "KB5086672"), |bytes| bytes.truncate(99))),
        ("digest", "pool/", |bench| damage_file(&pool_file(bench, "KB5086672"), |bytes| bytes.fill(0))),
        ("missing", "pool/", |bench| fs::remove_file(pool_file(bench, "KB5086672")).unwrap()),
        ("foreign", "pool/sha256/00", |bench| {
            let folder = bench.mirror().join("pool/sha256/00");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("0".repeat(64)), "foreign bytes").unwrap();
        }),
        ("foreign", "kb/KB5086672/windows-11-24h2-arm64/readme.txt", |bench| {
            fs::write(bench.set_folder("KB5086672", SET).join("readme.txt"), "hello").unwrap();
        }),
        ("foreign", "kb/KB5086672/windows-11-24h2-x86", |bench| {
            fs::create_dir(bench.set_folder("KB5086672", "windows-11-24h2-x86")).unwrap();
        }),
        ("foreign", "kb/KB1234567", |bench| fs::create_dir(bench.mirror().join("kb/KB1234567")).unwrap()),
        ("missing", "kb/KB5086672/windows-11-24h2-arm64", |bench| {
            fs::remove_dir_all(bench.set_folder("KB5086672", SET)).unwrap();
        }),
        ("missing", "kb/KB5086672/README.txt", |bench| {
            fs::remove_file(bench.mirror().join("kb/KB5086672/README.txt")).unwrap();
        }),
        ("foreign", "kb/KB5086672/SHA256SUMS", |bench| {
            damage_file(&bench.mirror().join("kb/KB5086672/SHA256SUMS"), |bytes| bytes[3] ^= 1);
        }),
        ("foreign", "kb/KB5086672/KB5086672.json", |bench| {
            damage_file(&bench.mirror().join("kb/KB5086672/KB5086672.json"), |bytes| {
                let text = String::from_utf8(bytes.clone()).unwrap();
                *bytes = text.replace("_1095dd7b", "_2095dd7b").into_bytes();
            });
        }),
        ("unreadable", "kb/KB5086672/KB5086672.json", |bench| {
            damage_file(&bench.mirror().join("kb/KB5086672/KB5086672.json"), |bytes| bytes[0] = 0xff);
        }),
        ("foreign", "kb/KB5086672/KB5086672.json", |bench| {
            damage_file(&bench.mirror().join("kb/KB5086672/KB5086672.json"), |bytes| bytes.truncate(100));
        }),
    ];
    for (number, (kind, path, damage)) in damages.into_iter().enumerate() {
        let bench = mirror();
        damage(&bench);
        let report = bench.json(&["verify"]).exits(5).json();
        let found = found(&report);
        let fits = |(own, at): &(String, String)| own == kind && at.starts_with(path);
        assert!(found.iter().any(fits), "damage {number}: {kind} {path} in {found:?}");
        // If the pool file is missing, the other names of the file are read instead. They are intact.
        assert_eq!(found.len(), 1, "damage {number}: {found:?}");
        let text = bench.run(&["verify"]).exits(5).stdout;
        assert!(text.contains(kind) && text.contains(path), "{text}");
        assert!(text.ends_with(": 1 finding\n"), "{text}");
    }
}

#[test]
fn any_flipped_bit_in_the_pool_or_sums_is_found() {
    let bench = mirror();
    let mut names: Vec<String> = read_tree(&bench.mirror()).into_keys().collect();
    names.retain(|name| name.starts_with("pool/") || name.ends_with("SHA256SUMS"));
    assert_eq!(names.len(), 5);
    // A random sequence that is the same on every run.
    let mut state = 0x2026_1125_u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    for _ in 0..60 {
        let name = &names[below(names.len())];
        let path = bench.mirror().join(name);
        let place = below(fs::read(&path).unwrap().len());
        let flip = |bytes: &mut Vec<u8>, bit: u8| bytes[place] ^= 1 << bit;
        let bit = u8::try_from(below(8)).unwrap();
        damage_file(&path, |bytes| flip(bytes, bit));
        let report = bench.json(&["verify"]).exits(5).json();
        let found = found(&report);
        assert!(found.len() == 1 && found[0].1 == *name, "bit {bit} of byte {place} of {name}: {found:?}");
        damage_file(&path, |bytes| flip(bytes, bit));
    }
    bench.json(&["verify"]).exits(0);
}

#[test]
fn a_copy_in_a_set_folder_is_read_separately() {
    let bench = mirror();
    let set = bench.set_folder("KB5086672", SET);
    let name = names_in(&set).into_iter().find(|name| name.contains("kb5086672")).unwrap();
    let copy = set.join(&name);
    // A copy with the right bytes, as on a file system without links.
    let bytes = fs::read(&copy).unwrap();
    fs::remove_file(&copy).unwrap();
    fs::write(&copy, &bytes).unwrap();
    bench.json(&["verify"]).exits(0);
    damage_file(&copy, |bytes| bytes[7] ^= 0x20);
    let report = bench.json(&["verify"]).exits(5).json();
    assert_eq!(found(&report), [("digest".to_owned(), format!("kb/KB5086672/{SET}/{name}"))]);
    assert_eq!(report["findings"][0]["kbs"], json!(["KB5086672"]));
    // The set of the other KB is intact.
    bench.json(&["verify", "KB5085516"]).exits(0);
    #[cfg(unix)]
    {
        fs::remove_file(&copy).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &copy).unwrap();
        let report = bench.json(&["verify"]).exits(5).json();
        assert_eq!(found(&report), [("foreign".to_owned(), format!("kb/KB5086672/{SET}/{name}"))]);
    }
}

#[test]
fn damage_in_a_shared_file_reports_every_kb() {
    let bench = mirror();
    let query = "SELECT DISTINCT sha256 FROM v_sets WHERE role = 'checkpoint' AND present";
    let digest = bench.rows(query).remove(0).remove(0);
    damage_file(&bench.mirror().join("pool/sha256").join(&digest[..2]).join(&digest), |bytes| bytes[0] ^= 1);
    let report = bench.json(&["verify"]).exits(5).json();
    assert_eq!(items(&report["findings"]).len(), 1);
    assert_eq!(report["findings"][0]["kbs"], json!(["KB5085516", "KB5086672"]));
}

#[test]
fn leftovers_are_reported_and_do_not_count_as_findings() {
    let bench = mirror();
    fs::write(bench.mirror().join("partial").join("0".repeat(64)), "half").unwrap();
    let report = bench.json(&["verify"]).exits(0).json();
    assert_eq!(report["leftovers"], json!([format!("partial/{}", "0".repeat(64))]));
}

#[test]
fn status_has_the_last_complete_verification() {
    let bench = mirror();
    bench.json(&["verify", "KB5085516"]).exits(0);
    assert!(!bench.mirror().join("health.json").exists());
    bench.clock.advance(Duration::from_hours(1));
    damage_file(&pool_file(&bench, "KB5086672"), |bytes| bytes[1] ^= 1);
    bench.json(&["verify"]).exits(5);
    let status = bench.json(&["status"]).exits(10).json();
    let expected = json!({ "time": "2026-11-23T09:00:00Z", "findings": 1, "foreign": 0, "recorded": true });
    assert_eq!(status["health"]["last_verify"], expected);
}

#[test]
fn the_hint_to_repair_works() {
    let bench = mirror();
    let file = pool_file(&bench, "KB5086672");
    damage_file(&file, |bytes| bytes[5] ^= 1);
    let ran = bench.run(&["verify"]).exits(5);
    assert!(ran.stderr.contains("run kbmirror repair KB5086672 to restore"), "{}", ran.stderr);
    bench.replay(&recording("demo"), &["repair", "KB5086672"]).exits(0);
    bench.json(&["verify", "--deep"]).exits(0);
}

#[test]
fn the_hint_to_repair_from_a_medium_works() {
    let connected_side = connected_mirror(&["KB5086672", "--arch", "arm64"]);
    let isolated_side = isolated_mirror(&root_key_of(&connected_side));
    let medium = connected_side.path("medium");
    export(&connected_side, &["KB5086672"], &medium).exits(0);
    import(&isolated_side, &medium).exits(0);
    damage_file(&pool_file(&isolated_side, "KB5086672"), |bytes| bytes[5] ^= 1);
    let ran = isolated_side.run(&["verify"]).exits(5);
    assert!(ran.stderr.contains("run kbmirror repair KB5086672 --from MEDIUM to restore"), "{}", ran.stderr);
    isolated_side.run(&["repair", "KB5086672", "--from", medium.as_str()]).exits(0);
    isolated_side.json(&["verify", "--deep"]).exits(0);
}

#[test]
fn leftovers_of_a_killed_run_in_the_pool_are_not_damage() {
    let bench = mirror();
    let bytes = b"the bytes of a run that was killed before the index had them";
    let digest = sha256_hex(bytes);
    let path = format!("pool/sha256/{}/{digest}", &digest[..2]);
    fs::create_dir_all(bench.mirror().join(&path).parent().unwrap()).unwrap();
    fs::write(bench.mirror().join(&path), bytes).unwrap();
    let report = bench.json(&["verify"]).exits(0).json();
    assert_eq!((&report["findings"], &report["leftovers"]), (&json!([]), &json!([path])));
    // Other bytes count as damage, and so does a wrong place.
    fs::write(bench.mirror().join(&path), b"other bytes").unwrap();
    let report = bench.json(&["verify"]).exits(5).json();
    assert_eq!(found(&report), [("foreign".to_owned(), path.clone())]);
    fs::remove_file(bench.mirror().join(&path)).unwrap();
    fs::create_dir_all(bench.mirror().join("pool/sha256/00")).unwrap();
    fs::write(bench.mirror().join("pool/sha256/00").join(&digest), bytes).unwrap();
    bench.json(&["verify"]).exits(5);
}

#[test]
fn a_mirror_with_an_empty_index_is_not_damaged() {
    let bench = Bench::new();
    fs::create_dir_all(bench.mirror()).unwrap();
    fs::write(bench.mirror().join("mirror.db"), "").unwrap();
    for command in ["verify", "list"] {
        let message = format!("no mirror exists at {} yet: its first run was interrupted", bench.mirror());
        assert_eq!(bench.json(&[command]).exits(3).error(), failure("not_found", message), "{command}");
    }
    // An empty index beside packages is an error.
    let bench = mirror();
    for end in ["", "-wal", "-shm"] {
        let _gone = fs::remove_file(bench.mirror().join(format!("mirror.db{end}")));
    }
    fs::write(bench.mirror().join("mirror.db"), "").unwrap();
    for command in ["verify", "list"] {
        let index = bench.mirror().join("mirror.db");
        let message = format!("the rebuild of the index {index} was interrupted");
        assert_eq!(bench.json(&[command]).exits(2).error(), failure("usage", message), "{command}");
    }
}
