//! Exports and imports that are killed, find no room, or come onto what an earlier one left.
#![expect(
    clippy::disallowed_methods,
    reason = "media and mirrors are spoiled as they lie, and processes killed"
)]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use kbmirror::clock::Clock as _;
use serde_json::json;

use super::carry::{KB, connected, content, digests, export, import, isolated, root_of};
use super::harness::{Bench, names_in, recording, skipped_without_root};

const BOTH: [&str; 2] = [KB, "KB5085516"];

/// Runs the program and kills it after so many lines on stderr; whether it was still at work.
fn killed_after(mirror: &Utf8Path, arguments: &[&str], lines: usize) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbmirror"));
    command.arg("--mirror").arg(mirror).args(arguments).env_remove("KBMIRROR_DIR");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let came = said.by_ref().take(lines).flatten().count();
    child.kill().unwrap();
    !child.wait().unwrap().success() && came == lines
}

/// What a set holds, without what is new with each: numbers, times, signatures.
fn payload(medium: &Utf8Path) -> std::collections::BTreeMap<String, String> {
    let mut files = digests(medium);
    files.retain(|path, _| {
        path.starts_with("data/") || path == "manifest-sha256.txt" || path == "listing.jsonl"
    });
    files
}

/// Sets the clock of a bench to that of this machine, by which the program itself goes.
fn set_clock(bench: &Bench) {
    let passed = jiff::Timestamp::now().duration_since(bench.clock.now());
    bench.clock.advance(passed.unsigned_abs());
}

#[test]
fn an_export_that_is_killed_is_refused_and_the_next_one_finishes() {
    let here = connected(&BOTH);
    let there = isolated(&root_of(&here));
    [&here, &there].into_iter().for_each(set_clock);
    let undisturbed = here.path("undisturbed");
    export(&here, &BOTH, &undisturbed).exits(0);
    let mut at_work = 0;
    for lines in [1, 2, 3, 5, 8, 12] {
        let medium = here.path(&format!("medium-{lines}"));
        let arguments = [&["export"], &BOTH[..], &["--to", medium.as_str()]].concat();
        if !killed_after(&here.mirror(), &arguments, lines) {
            continue;
        }
        at_work += 1;
        if medium.join("set.json.minisig").exists() {
            // It was done with writing and had begun to read.
            continue;
        }
        let checked = there.json(&["check-medium", medium.as_str()]);
        assert!([11, 12].contains(&checked.code), "{lines}: {} {}", checked.code, checked.stdout);
        // With another choice, in between.
        export(&here, &[KB, "--arch", "x64"], &medium).exits(0);
        // Sets that lie there already are kept, whole.
        there.json(&["check-medium", medium.as_str()]).exits(0);
        export(&here, &BOTH, &medium).exits(0);
        assert_eq!(payload(&medium), payload(&undisturbed), "after {lines} lines");
        there.json(&["check-medium", medium.as_str()]).exits(0);
    }
    assert!(at_work > 2, "{at_work}");
}

#[test]
fn what_a_cut_off_export_leaves_is_swept_away() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let medium = here.path("medium");
    fs::create_dir(&medium).unwrap();
    // Before the first page was there.
    fs::write(medium.join(".new-a1B2c3"), b"x").unwrap();
    export(&here, &[KB], &medium).exits(0);
    let whole = names_in(&medium);
    assert!(!whole.contains(&".new-a1B2c3".to_owned()));
    for left in [
        ".new-a1B2c3",
        "kbm-probe._()+,=@ -000.msu",
        "knowledge/.new-a1B2c3",
        "tools/kbmirror.exe.kbm-part",
        "data/KB5086672/.new-a1B2c3",
        "data/KB5086672/windows-11-24h2-arm64/x.msu.kbm-part",
        "data/KB5000001/windows-11-24h2-arm64/x.msu.kbm-part",
    ] {
        fs::create_dir_all(medium.join(left).parent().unwrap()).unwrap();
        fs::write(medium.join(left), b"x").unwrap();
    }
    export(&here, &[KB], &medium).exits(0);
    fs::remove_dir(medium.join("tools")).unwrap();
    assert_eq!(names_in(&medium), whole);
    let there = isolated(&root_of(&here));
    let checked = there.json(&["check-medium", medium.as_str()]).exits(0).json();
    assert_eq!(checked["litter"], json!([]));

    // What is of others stays, and the export does not begin.
    for strange in ["data/desktop.ini", "data/KB5086672/.new-file", "data/KB5086672/x.msu"] {
        fs::write(medium.join(strange), b"x").unwrap();
        let before = digests(&medium);
        let (_, message) = export(&here, &[KB], &medium).exits(2).error();
        assert!(message.contains(strange), "{message}");
        assert_eq!(digests(&medium), before);
        fs::remove_file(medium.join(strange)).unwrap();
    }
    let other = here.path("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("thesis.docx"), b"x").unwrap();
    let (_, message) = export(&here, &[KB], &other).exits(2).error();
    assert!(message.contains("thesis.docx"), "{message}");
    assert_eq!(names_in(&other), ["thesis.docx"]);
    // A medium of another mirror.
    let elsewhere = connected(&[KB, "--arch", "arm64"]);
    let before = digests(&medium);
    export(&elsewhere, &[KB], &medium).exits(2);
    assert_eq!(digests(&medium), before);
}

#[test]
fn a_program_sent_along_stays_until_it_is_pruned() {
    let here = connected(&[KB, "--arch", "arm64"]);
    let there = isolated(&root_of(&here));
    let medium = here.path("medium");
    let tool = here.path("kbmirror.exe");
    fs::write(&tool, b"a program").unwrap();
    export(&here, &[KB, "--with-tool", tool.as_str()], &medium).exits(0);
    there.json(&["check-medium", medium.as_str()]).exits(0);
    let carried = medium.join("tools/kbmirror.exe");
    fs::write(&carried, b"A program").unwrap();
    let (_, message) = there.json(&["check-medium", medium.as_str()]).exits(11).error();
    assert!(message.contains("tools/kbmirror.exe"), "{message}");
    // A damaged program is not signed again.
    let before = digests(&medium);
    let (kind, message) = export(&here, &[KB], &medium).exits(11).error();
    assert!(kind == "refused" && message.contains("tools/kbmirror.exe"), "{message}");
    assert_eq!(digests(&medium), before);
    export(&here, &[KB, "--with-tool", tool.as_str()], &medium).exits(0);
    export(&here, &[KB], &medium).exits(0);
    assert_eq!(fs::read(&carried).unwrap(), b"a program");
    there.json(&["check-medium", medium.as_str()]).exits(0);
    let pruned = export(&here, &[KB, "--prune"], &medium).exits(0).json();
    assert_eq!(pruned["plan"]["removed_tools"], json!(["kbmirror.exe"]));
    assert!(!carried.exists());
    let checked = there.json(&["check-medium", medium.as_str()]).exits(0).json();
    assert_eq!(checked["litter"], json!([]));
}

#[test]
fn an_import_that_is_killed_shows_whole_sets_and_the_next_one_finishes() {
    let here = connected(&BOTH);
    let root = root_of(&here);
    let medium = here.path("medium");
    // The program itself goes by the clock of this machine, whatever year it is.
    export(&here, &[&BOTH[..], &["--expires", "never"]].concat(), &medium).exits(0);
    let undisturbed = isolated(&root);
    import(&undisturbed, &medium).exits(0);
    let whole = digests(&undisturbed.mirror().join("kb"));
    let mut at_work = 0;
    for lines in [1, 2, 4, 6, 8, 9, 10, 11, 12] {
        let there = isolated(&root);
        at_work += usize::from(killed_after(&there.mirror(), &["import", medium.as_str()], lines));
        for (path, digest) in digests(&there.mirror().join("kb")) {
            if Utf8Path::new(&path).extension() == Some("msu") {
                assert_eq!(whole.get(&path), Some(&digest), "{path} after {lines} lines");
                let folder = there.mirror().join("kb").join(Utf8Path::new(&path).parent().unwrap());
                assert_eq!(names_in(&folder).len(), 2, "a set is whole or not there");
            }
        }
        import(&there, &medium).exits(0);
        assert_eq!(digests(&there.mirror().join("kb")), whole, "after {lines} lines");
        assert_eq!(
            digests(&there.mirror().join("pool")),
            digests(&undisturbed.mirror().join("pool")),
            "after {lines} lines"
        );
        let left = names_in(&there.mirror().join("partial"));
        assert!(left.is_empty(), "{left:?}");
        let skip = |column: &str| column.contains("seen") || column == "since" || column == "value";
        assert_eq!(there.dump(skip), undisturbed.dump(skip));
    }
    assert!(at_work > 2, "{at_work}");
}

#[test]
fn what_the_index_does_not_know_is_read_from_the_medium() {
    let small = super::carry::small();
    let there = isolated(&small.root);
    let package = small.payload().into_iter().find(|path| path.contains("/windows11.0-")).unwrap();
    let right = fs::read(small.medium.join(&package)).unwrap();
    let digest = super::harness::sha256_hex(&right);
    let pooled = there.mirror().join("pool/sha256").join(&digest[..2]).join(&digest);
    fs::create_dir_all(pooled.parent().unwrap()).unwrap();
    // As long as the right bytes.
    fs::write(&pooled, vec![b'?'; right.len()]).unwrap();
    import(&there, &small.medium).exits(0);
    assert_eq!(fs::read(&pooled).unwrap(), right);
    let verified = there.json(&["verify"]).exits(0).json();
    assert_eq!((&verified["findings"], &verified["warnings"]), (&json!([]), &json!([])));
}

#[test]
fn a_search_whose_rows_were_not_recorded_is_made_again() {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &["crawl", "KB5031539"]).exits(0);
    let index = || rusqlite::Connection::open(bench.mirror().join("mirror.db")).unwrap();
    // The checkpoint comes with the KB: its rows are written right after the answer to its search.
    let broken = "CREATE TRIGGER broken BEFORE INSERT ON updates WHEN NEW.kb = 5043080 \
                  BEGIN SELECT RAISE(ABORT, 'broken off'); END";
    index().execute_batch(broken).unwrap();
    let crawl = ["crawl", KB, "--arch", "arm64"];
    bench.replay(&recording("demo"), &crawl);
    let updates = "SELECT update_id FROM v_updates WHERE kb = 'KB5043080'";
    assert!(bench.rows(updates).is_empty());
    index().execute_batch("DROP TRIGGER broken").unwrap();
    bench.replay(&recording("demo"), &crawl).exits(0);
    assert!(!bench.rows(updates).is_empty());
}

/// A file system in memory of so many bytes; it goes with the value.
pub(super) struct Small {
    pub(super) folder: Utf8PathBuf,
}

impl Small {
    /// `None`, and a line that says why, where nothing can be mounted.
    pub(super) fn new(folder: Utf8PathBuf, kilobytes: u64) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let size = format!("size={kilobytes}k");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs", folder.as_str()]).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { folder });
        }
        skipped_without_root("no tmpfs can be mounted here")
    }

    /// Makes it larger, or smaller as long as what is in it fits.
    pub(super) fn resize(&self, kilobytes: u64) {
        let size = format!("remount,size={kilobytes}k");
        let mounted = Command::new("mount").args(["-o", &size, self.folder.as_str()]).output().unwrap();
        assert!(mounted.status.success(), "{kilobytes}: {}", String::from_utf8_lossy(&mounted.stderr));
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.folder).output());
    }
}

#[test]
fn without_room_nothing_is_begun() {
    let here = connected(&BOTH);
    let root = root_of(&here);
    let good = here.path("good");
    export(&here, &BOTH, &good).exits(0);
    let mut fitted = 0;
    for kilobytes in [64, 512, 2048, 4096, 4200, 4400, 8192] {
        let Some(disk) = Small::new(here.path(&format!("stick-{kilobytes}")), kilobytes) else { return };
        let ran = export(&here, &BOTH, &disk.folder);
        if ran.code == 0 {
            fitted += 1;
        } else {
            let (kind, message) = ran.exits(9).error();
            assert!(kind == "no_space" && message.contains("are needed"), "{message}");
            assert!(names_in(&disk.folder).is_empty(), "{kilobytes}: {:?}", names_in(&disk.folder));
        }
    }
    assert!(fitted > 0);
    fitted = 0;
    for kilobytes in [1024, 2048, 4096, 4400, 5000, 9000, 12_000] {
        let bench = Bench::new();
        let Some(disk) = Small::new(bench.mirror(), kilobytes) else { return };
        bench.json(&["keys", "trust", &root]).exits(0);
        let before = content(&bench.mirror());
        let ran = import(&bench, &good);
        if ran.code == 0 {
            fitted += 1;
            assert_eq!(digests(&bench.mirror().join("kb")), digests(&here.mirror().join("kb")));
        } else {
            ran.exits(9);
            assert_eq!(content(&disk.folder), before, "{kilobytes}");
        }
    }
    assert!(fitted > 0);
}

#[test]
fn the_room_of_what_goes_away_counts() {
    let here = connected(&BOTH);
    let payload: u64 = 4 * 100;
    // Not enough for the second KB while the first one's files are there.
    let Some(disk) = Small::new(here.path("stick"), 4096 + 512 + payload) else { return };
    export(&here, &[BOTH[1]], &disk.folder).exits(0);
    // A damaged file of the second KB is found before the first one's sets are removed.
    let before = digests(&disk.folder);
    let set = here.mirror().join("kb").join(BOTH[0]).join("windows-11-24h2-x64");
    let wanted = digests(&set).into_iter().find(|(name, _)| name.contains(&BOTH[0][2..])).unwrap().1;
    let pooled = here.mirror().join("pool/sha256").join(&wanted[..2]).join(&wanted);
    let right = fs::read(&pooled).unwrap();
    fs::remove_file(&pooled).unwrap();
    fs::write(&pooled, [&right[..right.len() - 1], b"?"].concat()).unwrap();
    export(&here, &[BOTH[0], "--prune", "--yes"], &disk.folder).exits(5);
    assert_eq!(digests(&disk.folder), before, "the medium is what it was");
    fs::write(&pooled, right).unwrap();
    here.json(&["verify"]);
    let second = export(&here, &[BOTH[0], "--prune", "--yes"], &disk.folder).exits(0).json();
    assert_eq!(second["exported"]["removed"], 6, "four packages and two scripts: {second:#}");
    isolated(&root_of(&here)).json(&["check-medium", disk.folder.as_str()]).exits(0);
}

#[test]
fn a_full_stick_is_left_as_it_is_and_prune_is_named() {
    let here = connected(&BOTH);
    // Pages and one KB fit; the room for another KB and its slack does not.
    let Some(disk) = Small::new(here.path("stick"), 4096 + 512) else { return };
    export(&here, &[BOTH[1]], &disk.folder).exits(0);
    let before = digests(&disk.folder);
    disk.resize(4096 + 160);
    for dry in [&[][..], &["--dry-run"]] {
        let ran = here.run(&[&["export", BOTH[0], "--to", disk.folder.as_str()], dry].concat()).exits(9);
        assert!(ran.stderr.contains("--prune removes package sets that were not selected"), "{}", ran.stderr);
        assert_eq!(digests(&disk.folder), before);
    }
}
