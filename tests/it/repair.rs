//! Tests of `repair` against all kinds of damage: it restores everything that can be restored, reports the rest, and
//! does not change intact files.
#![expect(clippy::disallowed_methods, reason = "mirrors are spoiled as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::air_gap::{fetch_from, import, isolated_mirror, small_medium_of_two_kbs, world_of_two_kbs};
use super::harness::{Bench, copy_folder, failure, field_texts, names_in, read_tree};
use super::support::Loopback;

/// A random number generator with the same sequence in every run.
struct DamageRng(u64);

impl DamageRng {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Returns the files of a mirror that `repair` can restore.
fn repairable_files(mirror: &Utf8Path) -> Vec<(String, Vec<u8>)> {
    let is_repairable = |path: &String| path.starts_with("kb/") || path.starts_with("pool/");
    read_tree(mirror).into_iter().filter(|(path, _)| is_repairable(path)).collect()
}

/// Returns the package files and checksum files among them. The other documents may mention a different download.
fn packages(files: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    let is_document = |path: &str| matches!(Utf8Path::new(path).extension(), Some("json" | "txt"));
    files.iter().filter(|(path, _)| !is_document(path)).cloned().collect()
}

fn make_writable(path: &Utf8Path) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a test's own folder")]
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions).unwrap();
}

/// Damages one file of a mirror or adds a foreign file beside it. Returns a description of the damage.
fn damage_file(mirror: &Utf8Path, rng: &mut DamageRng) -> String {
    let files: Vec<String> = repairable_files(mirror).into_iter().map(|(path, _)| path).collect();
    let name = &files[rng.below(files.len())];
    let path = mirror.join(name);
    make_writable(&path);
    let mut bytes = fs::read(&path).unwrap();
    let damage = match rng.below(7) {
        0 => {
            let place = rng.below(bytes.len().max(1));
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << rng.below(8);
            } else {
                bytes.push(0);
            }
            fs::write(&path, bytes).unwrap();
            "a flipped bit"
        }
        1 => {
            fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
            "cut short"
        }
        2 => {
            fs::write(&path, vec![0; bytes.len() + 1]).unwrap();
            "zeros"
        }
        3 => {
            bytes.push(b'x');
            fs::write(&path, bytes).unwrap();
            "one more byte"
        }
        4 => {
            fs::remove_file(&path).unwrap();
            "deleted"
        }
        5 => {
            fs::remove_file(&path).unwrap();
            fs::create_dir(&path).unwrap();
            "a folder in its place"
        }
        _ => {
            fs::write(path.with_file_name(format!("foreign-{}", rng.below(1000))), "foreign").unwrap();
            "a foreign file beside it"
        }
    };
    format!("{name}: {damage}")
}

/// Returns an isolated mirror that imported two KBs, and its medium.
fn imported_mirror() -> (Bench, Utf8PathBuf) {
    let small = small_medium_of_two_kbs();
    let bench = isolated_mirror(&small.root);
    import(&bench, &small.medium).exits(0);
    (bench, small.medium.clone())
}

#[test]
fn random_damage_is_found_and_restored_from_a_medium() {
    let (bench, medium) = imported_mirror();
    let right = repairable_files(&bench.mirror());
    let mut rng = DamageRng(13);
    for round in 0..50 {
        let mirror = bench.path(&format!("spoiled-{round}"));
        copy_folder(&bench.mirror(), &mirror);
        let damages: Vec<String> = (0..4).map(|_| damage_file(&mirror, &mut rng)).collect();
        bench.run_on(&mirror, &["--json", "verify"]).exits(5);
        let ran = bench.run_on(&mirror, &["--json", "repair", "--from", medium.as_str()]);
        assert_eq!(ran.code, 0, "round {round}: {damages:?}\n{}\n{}", ran.stdout, ran.stderr);
        assert_eq!(ran.json()["sound"], true);
        assert_eq!(repairable_files(&mirror), right, "round {round}: {damages:?}");
        bench.run_on(&mirror, &["--json", "verify"]).exits(0);
        fs::remove_dir_all(&mirror).unwrap();
    }
}

#[test]
fn damage_is_repaired_by_download_on_the_connected_side() {
    let (bench, loopback) = (Bench::new(), Loopback::start(world_of_two_kbs()));
    fetch_from(&bench, &loopback, &["KB5041865", "KB5040435"]).exits(0);
    let right = repairable_files(&bench.mirror());
    let pooled = right.iter().find(|(path, _)| path.starts_with("pool/")).unwrap().0.clone();
    make_writable(&bench.mirror().join(&pooled));
    fs::write(bench.mirror().join(&pooled), "spoiled").unwrap();
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000", "repair"];
    let document = bench.json(&network).exits(0).json();
    assert_eq!(field_texts(&document["restored"], "from"), ["download"]);
    // The other documents mention the new download.
    assert_eq!(packages(&repairable_files(&bench.mirror())), packages(&right));
    let kept: Vec<String> = names_in(&bench.mirror().join("quarantine"));
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(fs::read_to_string(bench.mirror().join("quarantine").join(&kept[0])).unwrap(), "spoiled");
    // Without the servers and without a folder, the missing file is reported and the mirror is not sound.
    make_writable(&bench.mirror().join(&pooled));
    fs::write(bench.mirror().join(&pooled), "spoiled").unwrap();
    let document = bench.json(&["--offline", "repair"]).exits(4).json();
    assert_eq!((document["sound"].as_bool(), document["needed"].as_array().unwrap().len()), (Some(false), 1));
    assert_eq!(
        fs::read_to_string(bench.mirror().join(&pooled)).unwrap(),
        "spoiled",
        "the only copy must stay"
    );
}

#[test]
fn repair_on_the_isolated_side_lists_the_needed_files() {
    let (bench, medium) = imported_mirror();
    let pooled =
        repairable_files(&bench.mirror()).into_iter().find(|(path, _)| path.starts_with("pool/")).unwrap();
    for (path, bytes) in repairable_files(&bench.mirror()) {
        if bytes == pooled.1 {
            make_writable(&bench.mirror().join(&path));
            fs::write(bench.mirror().join(path), "spoiled").unwrap();
        }
    }
    let document = bench.json(&["repair"]).exits(4).json();
    let needed = &document["needed"].as_array().unwrap()[0];
    assert!(pooled.0.ends_with(needed["sha256"].as_str().unwrap()));
    assert_eq!(needed["size"].as_u64(), Some(pooled.1.len() as u64));
    assert!(!needed["kbs"].as_array().unwrap().is_empty());
    // A dry run reports the source of each file and changes nothing.
    let before = repairable_files(&bench.mirror());
    let document = bench.json(&["repair", "--dry-run", "--from", medium.as_str()]).exits(4).json();
    assert_eq!(
        (field_texts(&document["restored"], "path"), &document["dry_run"]),
        (vec![pooled.0.clone()], &true.into())
    );
    assert_eq!(repairable_files(&bench.mirror()), before);
    // An unsigned folder with a bad and a good copy: the digest decides.
    let folder = bench.path("folder");
    fs::create_dir_all(folder.join("bad")).unwrap();
    let name = needed["name"].as_str().unwrap();
    let mut bad = pooled.1.clone();
    bad[0] ^= 1;
    fs::write(folder.join("bad").join(name), &bad).unwrap();
    let document = bench.json(&["repair", "--from", folder.as_str()]).exits(4).json();
    let skipped = document["skipped"].as_array().unwrap();
    assert!(skipped.len() == 1 && skipped[0]["path"].as_str().unwrap().ends_with(name), "{skipped:?}");
    fs::write(folder.join("any-name"), &pooled.1).unwrap();
    let document = bench.json(&["repair", "--from", folder.as_str()]).exits(0).json();
    assert!(document["restored"][0]["from"].as_str().unwrap().ends_with("any-name"));
    bench.json(&["verify"]).exits(0);
}

#[test]
fn a_missing_pool_file_is_restored_from_its_set_folder() {
    let (bench, _) = imported_mirror();
    let right = repairable_files(&bench.mirror());
    for (path, _) in right.iter().filter(|(path, _)| path.starts_with("pool/")) {
        fs::remove_file(bench.mirror().join(path)).unwrap();
    }
    bench.json(&["verify"]).exits(5);
    bench.json(&["repair"]).exits(0);
    assert_eq!(repairable_files(&bench.mirror()), right);
    bench.json(&["verify"]).exits(0);
}

/// Returns the output of commands that read only the index.
fn answers(bench: &Bench, mirror: &Utf8Path) -> Vec<Value> {
    let commands: [&[&str]; 3] =
        [&["list"], &["show", "KB5041865"], &["resolve", "KB5041865", "--arch", "arm64"]];
    commands.map(|command| bench.run_on(mirror, &[&["--json"], command].concat()).json()).to_vec()
}

#[test]
fn a_damaged_index_page_is_found_or_has_no_effect() {
    let (bench, medium) = imported_mirror();
    let right = answers(&bench, &bench.mirror());
    let index = fs::read(bench.mirror().join("mirror.db")).unwrap();
    let (mut found, mut rebuilt) = (0, 0);
    for page in (0..index.len() / 4096).step_by(3) {
        let mirror = bench.path(&format!("page-{page}"));
        copy_folder(&bench.mirror(), &mirror);
        let mut damaged = index.clone();
        damaged[page * 4096..(page + 1) * 4096].fill(0);
        fs::write(mirror.join("mirror.db"), &damaged).unwrap();
        let ran = bench.run_on(&mirror, &["--json", "verify"]);
        if ran.code == 0 {
            assert_eq!(answers(&bench, &mirror), right, "page {page}");
        } else {
            found += 1;
            assert!([2, 5].contains(&ran.code), "page {page}: {} {}", ran.code, ran.stdout);
            bench
                .run_on(&mirror, &["--json", "repair", "--rebuild-index", "--from", medium.as_str()])
                .exits(0);
            rebuilt += 1;
            bench.run_on(&mirror, &["--json", "verify"]).exits(0);
            assert_eq!(repairable_files(&mirror).len(), repairable_files(&bench.mirror()).len());
        }
        fs::remove_dir_all(&mirror).unwrap();
    }
    assert!(found > 5 && rebuilt == found, "{found} {rebuilt}");
}

#[test]
fn forged_index_rows_are_found_and_not_accepted_by_repair() {
    for edit in [
        "DELETE FROM checks",
        "UPDATE sets SET products = 'Windows 3.1'",
        "UPDATE set_files SET role = 'checkpoint'",
        "UPDATE updates SET title = 'another title' WHERE mentioned_only = 0",
        "UPDATE file_urls SET url = 'https://example.org/evil.msu'",
    ] {
        let (bench, _) = imported_mirror();
        let connection = rusqlite::Connection::open(bench.mirror().join("mirror.db")).unwrap();
        assert!(connection.execute(edit, []).unwrap() > 0, "{edit}");
        drop(connection);
        let report = bench.json(&["verify"]).exits(5).json();
        assert!(
            field_texts(&report["findings"], "path").contains(&"mirror.db".to_owned()),
            "{edit}: {report}"
        );
        let message = "mirror.db is damaged: rows of KB5040435 changed since kb/KB5040435/KB5040435.json was \
             written, but no run changed them";
        assert_eq!(bench.json(&["repair"]).exits(5).error(), failure("integrity", message), "{edit}");
        bench.json(&["repair", "--rebuild-index"]).exits(0);
        bench.json(&["verify"]).exits(0);
    }
}

#[test]
fn a_set_with_a_missing_file_survives_an_index_rebuild() {
    let (bench, medium) = imported_mirror();
    let right = repairable_files(&bench.mirror());
    let lost = right.iter().find(|(path, _)| path.starts_with("pool/")).unwrap();
    for (path, bytes) in &right {
        if *bytes == lost.1 {
            fs::remove_file(bench.mirror().join(path)).unwrap();
        }
    }
    let document = bench.json(&["repair", "--rebuild-index"]).exits(4).json();
    assert_eq!(document["needed"].as_array().unwrap().len(), 1, "{document}");
    bench.json(&["repair", "--from", medium.as_str()]).exits(0);
    assert_eq!(packages(&repairable_files(&bench.mirror())), packages(&right));
    assert!(bench.mirror().join("quarantine/evidence-mirror.db-1").exists());
}

#[test]
fn unknown_files_are_moved_and_never_deleted() {
    let (bench, _) = imported_mirror();
    let right = repairable_files(&bench.mirror());
    let set = bench.mirror().join("kb/KB5041865/windows-11-24h2-arm64");
    fs::write(set.join("notes.txt"), "mine").unwrap();
    fs::create_dir(bench.mirror().join("kb/KB1234567")).unwrap();
    fs::write(bench.mirror().join("kb/KB1234567/notes.txt"), "mine too").unwrap();
    let document = bench.json(&["repair"]).exits(0).json();
    assert_eq!(document["moved"].as_array().unwrap().len(), 2, "{document}");
    for moved in document["moved"].as_array().unwrap() {
        assert!(bench.mirror().join(moved["kept"].as_str().unwrap()).exists());
    }
    assert_eq!(repairable_files(&bench.mirror()), right);
}

#[cfg(unix)]
#[test]
fn a_writable_pool_file_is_reported_and_made_read_only() {
    let (bench, _) = imported_mirror();
    let (path, _) =
        repairable_files(&bench.mirror()).into_iter().find(|(path, _)| path.starts_with("pool/")).unwrap();
    make_writable(&bench.mirror().join(&path));
    let report = bench.json(&["verify"]).exits(0).json();
    assert!(report["warnings"].to_string().contains(&path), "{report}");
    bench.json(&["repair"]).exits(0);
    assert!(fs::metadata(bench.mirror().join(&path)).unwrap().permissions().readonly());
    assert_eq!(bench.json(&["verify"]).exits(0).json()["warnings"], serde_json::json!([]));
}

#[test]
fn a_changed_adopted_knowledge_table_is_found() {
    let (bench, _) = imported_mirror();
    let folder = bench.mirror().join("knowledge");
    fs::create_dir_all(&folder).unwrap();
    let built_in = kbmirror::servicing::Tables::built_in();
    let (name, text) = built_in.iter().next().unwrap();
    fs::write(folder.join(name), text).unwrap();
    // Records the adopted table as an import does.
    let connection = rusqlite::Connection::open(bench.mirror().join("mirror.db")).unwrap();
    let digest = super::harness::sha256_hex(text.as_bytes());
    connection
        .execute("INSERT INTO meta (key, value) VALUES ('adopted-table:' || ?1, ?2)", [name, digest.as_str()])
        .unwrap();
    drop(connection);
    bench.json(&["verify"]).exits(0);
    fs::write(folder.join(name), format!("{text}\n# changed\n")).unwrap();
    let report = bench.json(&["verify"]).exits(5).json();
    assert_eq!(field_texts(&report["findings"], "path"), [format!("knowledge/{name}")]);
    fs::remove_file(folder.join(name)).unwrap();
    bench.json(&["verify"]).exits(5);
}
