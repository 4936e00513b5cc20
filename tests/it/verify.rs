//! `verify` against mirrors that were spoiled on purpose: each damage is found, named, and told by its kind.
#![expect(clippy::disallowed_methods, reason = "mirrors are spoiled as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::carry::{connected, export, import, isolated, root_of};
use super::harness::{Bench, items, names_in, recording, sha256_hex, text_of, tree};

const SET: &str = "windows-11-24h2-arm64";

/// Two KBs with a file that they share.
fn mirror() -> Bench {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &["fetch", "KB5086672", "KB5085516", "--arch", "arm64"]).exits(0);
    bench
}

/// A file may be read-only, and its folder lists it under one of several names.
fn spoil(path: &Utf8Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    // Other names of the file see the change: that is what a broken disk does.
    let mut permissions = fs::metadata(path).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a test's own folder")]
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The pool's file that a set has under this KB.
fn pooled(bench: &Bench, kb: &str) -> Utf8PathBuf {
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
fn a_sound_mirror_has_no_findings_and_is_left_alone() {
    let bench = mirror();
    let before = tree(&bench.mirror());
    for options in [&["verify"][..], &["verify", "--deep"]] {
        let report = bench.json(options).exits(0).json();
        assert_eq!((&report["findings"], &report["warnings"]), (&json!([]), &json!([])));
        assert_eq!((&report["files"], &report["folders"], &report["kbs"]), (&json!(3), &json!(2), &json!(2)));
    }
    let mut after = tree(&bench.mirror());
    let report = after.remove("runs/2026-11-23T080000Z-verify.json").unwrap();
    assert!(after.remove("health.json").is_some());
    let same = |(path, bytes): (&String, &Vec<u8>)| {
        path.starts_with("mirror.db") || path == "lock" || before[path] == *bytes
    };
    assert!(after.iter().all(same) && after.len() == before.len());
    assert_eq!(serde_json::from_slice::<Value>(&report).unwrap()["deep"], true);

    let people = bench.run(&["verify"]).exits(0).stdout;
    assert_eq!(people, "verified 3 files, 94.1 KB in the pool, 2 folders, 2 KBs: no findings\n");
    let one = bench.run(&["verify", "KB5085516"]).exits(0).stdout;
    assert!(one.starts_with("verified 2 files") && one.ends_with("1 folder, 1 KB: no findings\n"), "{one}");
    assert_eq!(bench.json(&["verify", "KB5031539"]).exits(3).error().0, "not_found");
    let nowhere = Bench::new();
    assert_eq!(nowhere.json(&["verify"]).exits(3).error().0, "not_found");
    assert!(!nowhere.mirror().exists());
}

#[test]
fn every_damage_is_found_by_its_name() {
    type Damage = fn(&Bench);
    let damages: [(&str, &str, Damage); 15] = [
        ("digest", "pool/", |bench| spoil(&pooled(bench, "KB5086672"), |bytes| bytes[1000] ^= 1)),
        ("size", "pool/", |bench| spoil(&pooled(bench, "KB5086672"), |bytes| bytes.push(0))),
        ("size", "pool/", |bench| spoil(&pooled(bench, "KB5086672"), |bytes| bytes.truncate(99))),
        ("digest", "pool/", |bench| spoil(&pooled(bench, "KB5086672"), |bytes| bytes.fill(0))),
        ("missing", "pool/", |bench| fs::remove_file(pooled(bench, "KB5086672")).unwrap()),
        ("foreign", "pool/sha256/00", |bench| {
            let folder = bench.mirror().join("pool/sha256/00");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("0".repeat(64)), "nobody's").unwrap();
        }),
        ("foreign", "kb/KB5086672/windows-11-24h2-arm64/readme.txt", |bench| {
            fs::write(bench.set("KB5086672", SET).join("readme.txt"), "hello").unwrap();
        }),
        ("foreign", "kb/KB5086672/windows-11-24h2-x86", |bench| {
            fs::create_dir(bench.set("KB5086672", "windows-11-24h2-x86")).unwrap();
        }),
        ("foreign", "kb/KB1234567", |bench| fs::create_dir(bench.mirror().join("kb/KB1234567")).unwrap()),
        ("missing", "kb/KB5086672/windows-11-24h2-arm64", |bench| {
            fs::remove_dir_all(bench.set("KB5086672", SET)).unwrap();
        }),
        ("missing", "kb/KB5086672/README.txt", |bench| {
            fs::remove_file(bench.mirror().join("kb/KB5086672/README.txt")).unwrap();
        }),
        ("foreign", "kb/KB5086672/SHA256SUMS", |bench| {
            spoil(&bench.mirror().join("kb/KB5086672/SHA256SUMS"), |bytes| bytes[3] ^= 1);
        }),
        ("foreign", "kb/KB5086672/KB5086672.json", |bench| {
            spoil(&bench.mirror().join("kb/KB5086672/KB5086672.json"), |bytes| {
                let text = String::from_utf8(bytes.clone()).unwrap();
                *bytes = text.replace("_1095dd7b", "_2095dd7b").into_bytes();
            });
        }),
        ("unreadable", "kb/KB5086672/KB5086672.json", |bench| {
            spoil(&bench.mirror().join("kb/KB5086672/KB5086672.json"), |bytes| bytes[0] = 0xff);
        }),
        ("foreign", "kb/KB5086672/KB5086672.json", |bench| {
            spoil(&bench.mirror().join("kb/KB5086672/KB5086672.json"), |bytes| bytes.truncate(100));
        }),
    ];
    for (number, (kind, path, damage)) in damages.into_iter().enumerate() {
        let bench = mirror();
        damage(&bench);
        let report = bench.json(&["verify"]).exits(5).json();
        let found = found(&report);
        let fits = |(own, at): &(String, String)| own == kind && at.starts_with(path);
        assert!(found.iter().any(fits), "damage {number}: {kind} {path} in {found:?}");
        // Where the pool's file is gone its names are not: they are read instead, and are good.
        assert_eq!(found.len(), 1, "damage {number}: {found:?}");
        let people = bench.run(&["verify"]).exits(5).stdout;
        assert!(people.contains(kind) && people.contains(path), "{people}");
        assert!(people.ends_with(": 1 finding\n"), "{people}");
    }
}

#[test]
fn one_flipped_bit_anywhere_in_the_pool_or_the_sums_is_found_and_named() {
    let bench = mirror();
    let mut names: Vec<String> = tree(&bench.mirror()).into_keys().collect();
    names.retain(|name| name.starts_with("pool/") || name.ends_with("SHA256SUMS"));
    assert_eq!(names.len(), 5);
    // Numbers that look random and are the same on every run.
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
        spoil(&path, |bytes| flip(bytes, bit));
        let report = bench.json(&["verify"]).exits(5).json();
        let found = found(&report);
        assert!(found.len() == 1 && found[0].1 == *name, "bit {bit} of byte {place} of {name}: {found:?}");
        spoil(&path, |bytes| flip(bytes, bit));
    }
    bench.json(&["verify"]).exits(0);
}

#[test]
fn a_copy_in_a_folder_is_read_for_itself() {
    let bench = mirror();
    let set = bench.set("KB5086672", SET);
    let name = names_in(&set).into_iter().find(|name| name.contains("kb5086672")).unwrap();
    let copy = set.join(&name);
    // A copy with the right bytes, as where the file system has no links.
    let bytes = fs::read(&copy).unwrap();
    fs::remove_file(&copy).unwrap();
    fs::write(&copy, &bytes).unwrap();
    bench.json(&["verify"]).exits(0);
    spoil(&copy, |bytes| bytes[7] ^= 0x20);
    let report = bench.json(&["verify"]).exits(5).json();
    assert_eq!(found(&report), [("digest".to_owned(), format!("kb/KB5086672/{SET}/{name}"))]);
    assert_eq!(report["findings"][0]["kbs"], json!(["KB5086672"]));
    // The other KB alone is sound.
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
fn damage_in_a_shared_file_names_every_kb_that_has_it() {
    let bench = mirror();
    let query = "SELECT DISTINCT sha256 FROM v_sets WHERE role = 'checkpoint' AND present";
    let digest = bench.rows(query).remove(0).remove(0);
    spoil(&bench.mirror().join("pool/sha256").join(&digest[..2]).join(&digest), |bytes| bytes[0] ^= 1);
    let report = bench.json(&["verify"]).exits(5).json();
    assert_eq!(items(&report["findings"]).len(), 1);
    assert_eq!(report["findings"][0]["kbs"], json!(["KB5085516", "KB5086672"]));
}

#[test]
fn leftovers_are_named_and_are_no_findings() {
    let bench = mirror();
    fs::write(bench.mirror().join("partial").join("0".repeat(64)), "half").unwrap();
    let report = bench.json(&["verify"]).exits(0).json();
    assert_eq!(report["leftovers"], json!([format!("partial/{}", "0".repeat(64))]));
}

#[test]
fn the_last_verification_is_in_the_status_and_one_of_a_kb_is_not() {
    let bench = mirror();
    bench.json(&["verify", "KB5085516"]).exits(0);
    assert!(!bench.mirror().join("health.json").exists());
    bench.clock.advance(Duration::from_hours(1));
    spoil(&pooled(&bench, "KB5086672"), |bytes| bytes[1] ^= 1);
    bench.json(&["verify"]).exits(5);
    let status = bench.json(&["status"]).exits(10).json();
    let expected = json!({ "time": "2026-11-23T09:00:00Z", "findings": 1, "foreign": 0, "recorded": true });
    assert_eq!(status["health"]["last_verify"], expected);
}

#[test]
fn the_way_back_that_the_hint_names_leads_back() {
    let bench = mirror();
    let damaged = pooled(&bench, "KB5086672");
    spoil(&damaged, |bytes| bytes[5] ^= 1);
    let ran = bench.run(&["verify"]).exits(5);
    assert!(ran.stderr.contains("run kbmirror repair KB5086672: it restores"), "{}", ran.stderr);
    bench.replay(&recording("demo"), &["repair", "KB5086672"]).exits(0);
    bench.json(&["verify", "--deep"]).exits(0);
}

#[test]
fn on_the_isolated_side_the_hint_leads_back_by_a_medium() {
    let here = connected(&["KB5086672", "--arch", "arm64"]);
    let there = isolated(&root_of(&here));
    let medium = here.path("medium");
    export(&here, &["KB5086672"], &medium).exits(0);
    import(&there, &medium).exits(0);
    spoil(&pooled(&there, "KB5086672"), |bytes| bytes[5] ^= 1);
    let ran = there.run(&["verify"]).exits(5);
    assert!(ran.stderr.contains("run kbmirror repair KB5086672 --from MEDIUM: it takes"), "{}", ran.stderr);
    there.run(&["repair", "KB5086672", "--from", medium.as_str()]).exits(0);
    there.json(&["verify", "--deep"]).exits(0);
}

#[test]
fn what_a_kill_left_in_the_pool_is_not_damage() {
    let bench = mirror();
    let whole = b"the bytes of a run that was killed before the index had them";
    let digest = sha256_hex(whole);
    let path = format!("pool/sha256/{}/{digest}", &digest[..2]);
    fs::create_dir_all(bench.mirror().join(&path).parent().unwrap()).unwrap();
    fs::write(bench.mirror().join(&path), whole).unwrap();
    let report = bench.json(&["verify"]).exits(0).json();
    assert_eq!((&report["findings"], &report["leftovers"]), (&json!([]), &json!([path])));
    // Other bytes are, and so is a place that is not the file's.
    fs::write(bench.mirror().join(&path), b"other bytes").unwrap();
    let report = bench.json(&["verify"]).exits(5).json();
    assert_eq!(found(&report), [("foreign".to_owned(), path.clone())]);
    fs::remove_file(bench.mirror().join(&path)).unwrap();
    fs::create_dir_all(bench.mirror().join("pool/sha256/00")).unwrap();
    fs::write(bench.mirror().join("pool/sha256/00").join(&digest), whole).unwrap();
    bench.json(&["verify"]).exits(5);
}

#[test]
fn a_mirror_whose_index_was_not_made_is_not_damaged() {
    let bench = Bench::new();
    fs::create_dir_all(bench.mirror()).unwrap();
    fs::write(bench.mirror().join("mirror.db"), "").unwrap();
    for command in ["verify", "list"] {
        let (kind, message) = bench.json(&[command]).exits(3).error();
        assert!(kind == "not_found" && message.contains("first run was interrupted"), "{command}: {message}");
    }
    // Where there are packages, an empty index is not the whole truth.
    let bench = mirror();
    for end in ["", "-wal", "-shm"] {
        let _gone = fs::remove_file(bench.mirror().join(format!("mirror.db{end}")));
    }
    fs::write(bench.mirror().join("mirror.db"), "").unwrap();
    for command in ["verify", "list"] {
        let (kind, message) = bench.json(&[command]).exits(2).error();
        assert!(kind == "usage" && message.contains("making of the index"), "{command}: {message}");
    }
}
