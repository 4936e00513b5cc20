//! `repair` against damage of every kind: what can be restored is restored, what cannot is named, and what is sound stays.
#![expect(clippy::disallowed_methods, reason = "mirrors are spoiled as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::carry::{fetch_from, import, isolated, small_two, two_kbs};
use super::harness::{Bench, copy_folder, each, names_in, tree};
use super::support::Loopback;

/// A source of damage that is the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// The files of a mirror that `repair` answers for.
fn answered_for(mirror: &Utf8Path) -> Vec<(String, Vec<u8>)> {
    let is_ours = |path: &String| path.starts_with("kb/") || path.starts_with("pool/");
    tree(mirror).into_iter().filter(|(path, _)| is_ours(path)).collect()
}

/// The package files among them, and their sums: the documents may tell of another download.
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

/// Spoils one file of a mirror, or puts something beside it; says what was done.
fn spoil(mirror: &Utf8Path, dice: &mut Dice) -> String {
    let files: Vec<String> = answered_for(mirror).into_iter().map(|(path, _)| path).collect();
    let name = &files[dice.roll(files.len())];
    let path = mirror.join(name);
    make_writable(&path);
    let mut bytes = fs::read(&path).unwrap();
    let what = match dice.roll(7) {
        0 => {
            let place = dice.roll(bytes.len().max(1));
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << dice.roll(8);
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
            fs::write(path.with_file_name(format!("foreign-{}", dice.roll(1000))), "foreign").unwrap();
            "a foreign file beside it"
        }
    };
    format!("{name}: {what}")
}

/// An isolated mirror with two KBs, and its medium.
fn across() -> (Bench, Utf8PathBuf) {
    let small = small_two();
    let there = isolated(&small.root);
    import(&there, &small.medium).exits(0);
    (there, small.medium.clone())
}

#[test]
fn two_hundred_random_damages_are_found_and_restored_from_a_medium() {
    let (there, medium) = across();
    let right = answered_for(&there.mirror());
    let mut dice = Dice(13);
    for round in 0..50 {
        let mirror = there.path(&format!("spoiled-{round}"));
        copy_folder(&there.mirror(), &mirror);
        let done: Vec<String> = (0..4).map(|_| spoil(&mirror, &mut dice)).collect();
        there.run_on(&mirror, &["--json", "verify"]).exits(5);
        let ran = there.run_on(&mirror, &["--json", "repair", "--from", medium.as_str()]);
        assert_eq!(ran.code, 0, "round {round}: {done:?}\n{}\n{}", ran.stdout, ran.stderr);
        assert_eq!(ran.json()["sound"], true);
        assert_eq!(answered_for(&mirror), right, "round {round}: {done:?}");
        there.run_on(&mirror, &["--json", "verify"]).exits(0);
        fs::remove_dir_all(&mirror).unwrap();
    }
}

#[test]
fn damage_of_the_connected_side_is_downloaded_again_by_its_digest() {
    let (bench, loopback) = (Bench::new(), Loopback::start(two_kbs()));
    fetch_from(&bench, &loopback, &["KB5041865", "KB5040435"]).exits(0);
    let right = answered_for(&bench.mirror());
    let pooled = right.iter().find(|(path, _)| path.starts_with("pool/")).unwrap().0.clone();
    make_writable(&bench.mirror().join(&pooled));
    fs::write(bench.mirror().join(&pooled), "spoiled").unwrap();
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000", "repair"];
    let document = bench.json(&network).exits(0).json();
    assert_eq!(each(&document["restored"], "from"), ["download"]);
    // The documents tell of the new download as well.
    assert_eq!(packages(&answered_for(&bench.mirror())), packages(&right));
    let kept: Vec<String> = names_in(&bench.mirror().join("quarantine"));
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(fs::read_to_string(bench.mirror().join("quarantine").join(&kept[0])).unwrap(), "spoiled");
    // Without the servers, and without a folder, the file is named and the mirror is not called sound.
    make_writable(&bench.mirror().join(&pooled));
    fs::write(bench.mirror().join(&pooled), "spoiled").unwrap();
    let document = bench.json(&["--offline", "repair"]).exits(4).json();
    assert_eq!((document["sound"].as_bool(), document["needed"].as_array().unwrap().len()), (Some(false), 1));
    assert_eq!(fs::read_to_string(bench.mirror().join(&pooled)).unwrap(), "spoiled", "the only copy stays");
}

#[test]
fn the_isolated_side_lists_what_the_connected_side_has_to_send() {
    let (there, medium) = across();
    let pooled =
        answered_for(&there.mirror()).into_iter().find(|(path, _)| path.starts_with("pool/")).unwrap();
    for (path, bytes) in answered_for(&there.mirror()) {
        if bytes == pooled.1 {
            make_writable(&there.mirror().join(&path));
            fs::write(there.mirror().join(path), "spoiled").unwrap();
        }
    }
    let document = there.json(&["repair"]).exits(4).json();
    let needed = &document["needed"].as_array().unwrap()[0];
    assert!(pooled.0.ends_with(needed["sha256"].as_str().unwrap()));
    assert_eq!(needed["size"].as_u64(), Some(pooled.1.len() as u64));
    assert!(!needed["kbs"].as_array().unwrap().is_empty());
    // A rehearsal says where it would come from, and changes nothing.
    let before = answered_for(&there.mirror());
    let document = there.json(&["repair", "--dry-run", "--from", medium.as_str()]).exits(4).json();
    assert_eq!(
        (each(&document["restored"], "path"), &document["dry_run"]),
        (vec![pooled.0.clone()], &true.into())
    );
    assert_eq!(answered_for(&there.mirror()), before);
    // An unsigned folder with a bad copy and a good one: the digest decides.
    let folder = there.path("folder");
    fs::create_dir_all(folder.join("bad")).unwrap();
    let name = needed["name"].as_str().unwrap();
    let mut bad = pooled.1.clone();
    bad[0] ^= 1;
    fs::write(folder.join("bad").join(name), &bad).unwrap();
    let document = there.json(&["repair", "--from", folder.as_str()]).exits(4).json();
    let skipped = document["skipped"].as_array().unwrap();
    assert!(skipped.len() == 1 && skipped[0]["path"].as_str().unwrap().ends_with(name), "{skipped:?}");
    fs::write(folder.join("any-name"), &pooled.1).unwrap();
    let document = there.json(&["repair", "--from", folder.as_str()]).exits(0).json();
    assert!(document["restored"][0]["from"].as_str().unwrap().ends_with("any-name"));
    there.json(&["verify"]).exits(0);
}

#[test]
fn a_file_that_is_gone_from_the_pool_comes_back_from_its_set_folder() {
    let (there, _) = across();
    let right = answered_for(&there.mirror());
    for (path, _) in right.iter().filter(|(path, _)| path.starts_with("pool/")) {
        fs::remove_file(there.mirror().join(path)).unwrap();
    }
    there.json(&["verify"]).exits(5);
    there.json(&["repair"]).exits(0);
    assert_eq!(answered_for(&there.mirror()), right);
    there.json(&["verify"]).exits(0);
}

/// Answers of the program that are made of the index alone.
fn answers(bench: &Bench, mirror: &Utf8Path) -> Vec<Value> {
    let commands: [&[&str]; 3] =
        [&["list"], &["show", "KB5041865"], &["resolve", "KB5041865", "--arch", "arm64"]];
    commands.map(|command| bench.run_on(mirror, &[&["--json"], command].concat()).json()).to_vec()
}

#[test]
fn a_broken_page_of_the_index_is_found_or_changes_no_answer() {
    let (there, medium) = across();
    let right = answers(&there, &there.mirror());
    let index = fs::read(there.mirror().join("mirror.db")).unwrap();
    let (mut found, mut rebuilt) = (0, 0);
    for page in (0..index.len() / 4096).step_by(3) {
        let mirror = there.path(&format!("page-{page}"));
        copy_folder(&there.mirror(), &mirror);
        let mut spoiled = index.clone();
        spoiled[page * 4096..(page + 1) * 4096].fill(0);
        fs::write(mirror.join("mirror.db"), &spoiled).unwrap();
        let ran = there.run_on(&mirror, &["--json", "verify"]);
        if ran.code == 0 {
            assert_eq!(answers(&there, &mirror), right, "page {page}");
        } else {
            found += 1;
            assert!([2, 5].contains(&ran.code), "page {page}: {} {}", ran.code, ran.stdout);
            there
                .run_on(&mirror, &["--json", "repair", "--rebuild-index", "--from", medium.as_str()])
                .exits(0);
            rebuilt += 1;
            there.run_on(&mirror, &["--json", "verify"]).exits(0);
            assert_eq!(answered_for(&mirror).len(), answered_for(&there.mirror()).len());
        }
        fs::remove_dir_all(&mirror).unwrap();
    }
    assert!(found > 5 && rebuilt == found, "{found} {rebuilt}");
}

#[test]
fn rows_that_nobody_wrote_are_found_and_do_not_pass_through_a_repair() {
    for edit in [
        "DELETE FROM checks",
        "UPDATE sets SET products = 'Windows 3.1'",
        "UPDATE set_files SET role = 'checkpoint'",
        "UPDATE updates SET title = 'another title' WHERE mentioned_only = 0",
        "UPDATE file_urls SET url = 'https://example.org/evil.msu'",
    ] {
        let (there, _) = across();
        let connection = rusqlite::Connection::open(there.mirror().join("mirror.db")).unwrap();
        assert!(connection.execute(edit, []).unwrap() > 0, "{edit}");
        drop(connection);
        let report = there.json(&["verify"]).exits(5).json();
        assert!(each(&report["findings"], "path").contains(&"mirror.db".to_owned()), "{edit}: {report}");
        let (kind, message) = there.json(&["repair"]).exits(5).error();
        assert!(kind == "integrity" && message.contains("mirror.db"), "{edit}: {message}");
        there.json(&["repair", "--rebuild-index"]).exits(0);
        there.json(&["verify"]).exits(0);
    }
}

#[test]
fn a_set_whose_file_is_gone_is_known_after_the_index_was_made_anew() {
    let (there, medium) = across();
    let right = answered_for(&there.mirror());
    let lost = right.iter().find(|(path, _)| path.starts_with("pool/")).unwrap();
    for (path, bytes) in &right {
        if *bytes == lost.1 {
            fs::remove_file(there.mirror().join(path)).unwrap();
        }
    }
    let document = there.json(&["repair", "--rebuild-index"]).exits(4).json();
    assert_eq!(document["needed"].as_array().unwrap().len(), 1, "{document}");
    there.json(&["repair", "--from", medium.as_str()]).exits(0);
    assert_eq!(packages(&answered_for(&there.mirror())), packages(&right));
    assert!(there.mirror().join("quarantine/evidence-mirror.db-1").exists());
}

#[test]
fn what_nobody_knows_is_moved_and_never_deleted() {
    let (there, _) = across();
    let right = answered_for(&there.mirror());
    let set = there.mirror().join("kb/KB5041865/windows-11-24h2-arm64");
    fs::write(set.join("notes.txt"), "mine").unwrap();
    fs::create_dir(there.mirror().join("kb/KB1234567")).unwrap();
    fs::write(there.mirror().join("kb/KB1234567/notes.txt"), "mine too").unwrap();
    let document = there.json(&["repair"]).exits(0).json();
    assert_eq!(document["moved"].as_array().unwrap().len(), 2, "{document}");
    for moved in document["moved"].as_array().unwrap() {
        assert!(there.mirror().join(moved["kept"].as_str().unwrap()).exists());
    }
    assert_eq!(answered_for(&there.mirror()), right);
}

#[cfg(unix)]
#[test]
fn a_pool_file_that_can_be_written_to_is_named_and_made_read_only() {
    let (there, _) = across();
    let (path, _) =
        answered_for(&there.mirror()).into_iter().find(|(path, _)| path.starts_with("pool/")).unwrap();
    make_writable(&there.mirror().join(&path));
    let report = there.json(&["verify"]).exits(0).json();
    assert!(report["warnings"].to_string().contains(&path), "{report}");
    there.json(&["repair"]).exits(0);
    assert!(fs::metadata(there.mirror().join(&path)).unwrap().permissions().readonly());
    assert_eq!(there.json(&["verify"]).exits(0).json()["warnings"], serde_json::json!([]));
}

#[test]
fn a_table_that_is_not_as_its_medium_signed_it_is_found() {
    let (there, _) = across();
    let folder = there.mirror().join("knowledge");
    fs::create_dir_all(&folder).unwrap();
    let built_in = kbmirror::servicing::Tables::built_in();
    let (name, text) = built_in.iter().next().unwrap();
    fs::write(folder.join(name), text).unwrap();
    // As an import notes it.
    let connection = rusqlite::Connection::open(there.mirror().join("mirror.db")).unwrap();
    let digest = super::harness::sha256_hex(text.as_bytes());
    connection
        .execute("INSERT INTO meta (key, value) VALUES ('adopted-table:' || ?1, ?2)", [name, digest.as_str()])
        .unwrap();
    drop(connection);
    there.json(&["verify"]).exits(0);
    fs::write(folder.join(name), format!("{text}\n# changed\n")).unwrap();
    let report = there.json(&["verify"]).exits(5).json();
    assert_eq!(each(&report["findings"], "path"), [format!("knowledge/{name}")]);
    fs::remove_file(folder.join(name)).unwrap();
    there.json(&["verify"]).exits(5);
}
