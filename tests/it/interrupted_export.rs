//! Exports and imports that are killed, run out of space, or find the remains of an earlier run.
#![expect(clippy::disallowed_methods, reason = "tests damage media and mirrors directly and kill processes")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use kbmirror::clock::Clock as _;
use serde_json::json;

use super::air_gap::{
    KB, connected_mirror, export, file_digests, import, isolated_mirror, mirror_digests, root_key_of,
};
use super::harness::{Bench, failure, names_in, recording, skip_without_root};

const BOTH: [&str; 2] = [KB, "KB5085516"];

/// Runs the program and kills it after `lines` lines on stderr. Returns `true` if the program was still running.
fn run_and_kill_after(mirror: &Utf8Path, arguments: &[&str], lines: usize) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbmirror"));
    command.arg("--mirror").arg(mirror).args(arguments).env_remove("KBMIRROR_DIR");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr_lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let received = stderr_lines.by_ref().take(lines).flatten().count();
    child.kill().unwrap();
    !child.wait().unwrap().success() && received == lines
}

/// Returns the digests of a set without the files that differ in every export: numbers, times, and signatures.
fn payload(medium: &Utf8Path) -> std::collections::BTreeMap<String, String> {
    let mut files = file_digests(medium);
    files.retain(|path, _| {
        path.starts_with("data/") || path == "manifest-sha256.txt" || path == "listing.jsonl"
    });
    files
}

/// Sets the clock of a bench to the clock of this machine, which the compiled program uses.
fn set_clock(bench: &Bench) {
    let passed = jiff::Timestamp::now().duration_since(bench.clock.now());
    bench.clock.advance(passed.unsigned_abs());
}

#[test]
fn a_killed_export_is_refused_and_the_next_one_completes_it() {
    let connected = connected_mirror(&BOTH);
    let isolated = isolated_mirror(&root_key_of(&connected));
    [&connected, &isolated].into_iter().for_each(set_clock);
    let undisturbed = connected.path("undisturbed");
    export(&connected, &BOTH, &undisturbed).exits(0);
    let mut interrupted = 0;
    for lines in [1, 2, 3, 5, 8, 12] {
        let medium = connected.path(&format!("medium-{lines}"));
        let arguments = [&["export"], &BOTH[..], &["--to", medium.as_str()]].concat();
        if !run_and_kill_after(&connected.mirror(), &arguments, lines) {
            continue;
        }
        interrupted += 1;
        if medium.join("set.json.minisig").exists() {
            // The export had written everything and was reading it back.
            continue;
        }
        let checked = isolated.json(&["check-medium", medium.as_str()]);
        assert!([11, 12].contains(&checked.code), "{lines}: {} {}", checked.code, checked.stdout);
        // Another selection in between.
        export(&connected, &[KB, "--arch", "x64"], &medium).exits(0);
        // Sets that are already on the medium are kept complete.
        isolated.json(&["check-medium", medium.as_str()]).exits(0);
        export(&connected, &BOTH, &medium).exits(0);
        assert_eq!(payload(&medium), payload(&undisturbed), "after {lines} lines");
        isolated.json(&["check-medium", medium.as_str()]).exits(0);
    }
    assert!(interrupted > 2, "{interrupted}");
}

#[test]
fn remains_of_an_interrupted_export_are_removed() {
    let connected = connected_mirror(&[KB, "--arch", "arm64"]);
    let medium = connected.path("medium");
    fs::create_dir(&medium).unwrap();
    // A medium on which the export had not written its first page.
    fs::write(medium.join(".new-a1B2c3"), b"x").unwrap();
    export(&connected, &[KB], &medium).exits(0);
    let complete = names_in(&medium);
    assert!(!complete.contains(&".new-a1B2c3".to_owned()));
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
    export(&connected, &[KB], &medium).exits(0);
    fs::remove_dir(medium.join("tools")).unwrap();
    assert_eq!(names_in(&medium), complete);
    let isolated = isolated_mirror(&root_key_of(&connected));
    let checked = isolated.json(&["check-medium", medium.as_str()]).exits(0).json();
    assert_eq!(checked["litter"], json!([]));

    // A file of another program stays, and the export does not start.
    for strange in ["data/desktop.ini", "data/KB5086672/.new-file", "data/KB5086672/x.msu"] {
        fs::write(medium.join(strange), b"x").unwrap();
        let before = file_digests(&medium);
        let message = format!("{strange} on the medium does not belong to this mirror");
        assert_eq!(export(&connected, &[KB], &medium).exits(2).error(), failure("usage", message));
        assert_eq!(file_digests(&medium), before);
        fs::remove_file(medium.join(strange)).unwrap();
    }
    let other = connected.path("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("thesis.docx"), b"x").unwrap();
    let message = format!("{other} contains files that do not belong to this mirror: thesis.docx");
    assert_eq!(export(&connected, &[KB], &other).exits(2).error(), failure("usage", message));
    assert_eq!(names_in(&other), ["thesis.docx"]);
    // A medium of another mirror.
    let elsewhere = connected_mirror(&[KB, "--arch", "arm64"]);
    let before = file_digests(&medium);
    export(&elsewhere, &[KB], &medium).exits(2);
    assert_eq!(file_digests(&medium), before);
}

#[test]
fn an_exported_program_stays_until_it_is_pruned() {
    let connected = connected_mirror(&[KB, "--arch", "arm64"]);
    let isolated = isolated_mirror(&root_key_of(&connected));
    let medium = connected.path("medium");
    let tool = connected.path("kbmirror.exe");
    fs::write(&tool, b"a program").unwrap();
    export(&connected, &[KB, "--with-tool", tool.as_str()], &medium).exits(0);
    isolated.json(&["check-medium", medium.as_str()]).exits(0);
    let carried = medium.join("tools/kbmirror.exe");
    fs::write(&carried, b"A program").unwrap();
    let (_, message) = isolated.json(&["check-medium", medium.as_str()]).exits(11).error();
    assert!(message.contains("tools/kbmirror.exe"), "{message}");
    // A damaged program is not signed again.
    let before = file_digests(&medium);
    let message = "the medium has damaged files that this mirror cannot replace: tools/kbmirror.exe";
    assert_eq!(export(&connected, &[KB], &medium).exits(11).error(), failure("refused", message));
    assert_eq!(file_digests(&medium), before);
    export(&connected, &[KB, "--with-tool", tool.as_str()], &medium).exits(0);
    export(&connected, &[KB], &medium).exits(0);
    assert_eq!(fs::read(&carried).unwrap(), b"a program");
    isolated.json(&["check-medium", medium.as_str()]).exits(0);
    let pruned = export(&connected, &[KB, "--prune"], &medium).exits(0).json();
    assert_eq!(pruned["plan"]["removed_tools"], json!(["kbmirror.exe"]));
    assert!(!carried.exists());
    let checked = isolated.json(&["check-medium", medium.as_str()]).exits(0).json();
    assert_eq!(checked["litter"], json!([]));
}

#[test]
fn a_killed_import_shows_only_complete_sets() {
    let connected = connected_mirror(&BOTH);
    let root = root_key_of(&connected);
    let medium = connected.path("medium");
    // The compiled program uses the clock of this machine, in any year.
    export(&connected, &[&BOTH[..], &["--expires", "never"]].concat(), &medium).exits(0);
    let undisturbed = isolated_mirror(&root);
    import(&undisturbed, &medium).exits(0);
    let complete = file_digests(&undisturbed.mirror().join("kb"));
    let mut interrupted = 0;
    for lines in [1, 2, 4, 6, 8, 9, 10, 11, 12] {
        let isolated = isolated_mirror(&root);
        interrupted +=
            usize::from(run_and_kill_after(&isolated.mirror(), &["import", medium.as_str()], lines));
        for (path, digest) in file_digests(&isolated.mirror().join("kb")) {
            if Utf8Path::new(&path).extension() == Some("msu") {
                assert_eq!(complete.get(&path), Some(&digest), "{path} after {lines} lines");
                let folder = isolated.mirror().join("kb").join(Utf8Path::new(&path).parent().unwrap());
                assert_eq!(names_in(&folder).len(), 2, "a set is complete or absent");
            }
        }
        import(&isolated, &medium).exits(0);
        assert_eq!(file_digests(&isolated.mirror().join("kb")), complete, "after {lines} lines");
        assert_eq!(
            file_digests(&isolated.mirror().join("pool")),
            file_digests(&undisturbed.mirror().join("pool")),
            "after {lines} lines"
        );
        let left = names_in(&isolated.mirror().join("partial"));
        assert!(left.is_empty(), "{left:?}");
        let skip = |column: &str| column.contains("seen") || column == "since" || column == "value";
        assert_eq!(isolated.dump_index(skip), undisturbed.dump_index(skip));
    }
    assert!(interrupted > 2, "{interrupted}");
}

#[test]
fn pool_files_missing_in_the_index_are_read_from_the_medium() {
    let small = super::air_gap::small_medium();
    let isolated = isolated_mirror(&small.root);
    let package = small.payload().into_iter().find(|path| path.contains("/windows11.0-")).unwrap();
    let right = fs::read(small.medium.join(&package)).unwrap();
    let digest = super::harness::sha256_hex(&right);
    let pooled = isolated.mirror().join("pool/sha256").join(&digest[..2]).join(&digest);
    fs::create_dir_all(pooled.parent().unwrap()).unwrap();
    // The file has the right length and the wrong bytes.
    fs::write(&pooled, vec![b'?'; right.len()]).unwrap();
    import(&isolated, &small.medium).exits(0);
    assert_eq!(fs::read(&pooled).unwrap(), right);
    let verified = isolated.json(&["verify"]).exits(0).json();
    assert_eq!((&verified["findings"], &verified["warnings"]), (&json!([]), &json!([])));
}

#[test]
fn a_search_is_repeated_if_its_rows_were_not_recorded() {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &["crawl", "KB5031539"]).exits(0);
    let index = || rusqlite::Connection::open(bench.mirror().join("mirror.db")).unwrap();
    // The KB brings the checkpoint: the rows of the checkpoint are written right after the response to its search.
    let broken = "CREATE TRIGGER broken BEFORE INSERT ON updates WHEN NEW.kb = 5043080 \
                  BEGIN SELECT RAISE(ABORT, 'interrupted'); END";
    index().execute_batch(broken).unwrap();
    let crawl = ["crawl", KB, "--arch", "arm64"];
    bench.replay(&recording("demo"), &crawl);
    let updates = "SELECT update_id FROM v_updates WHERE kb = 'KB5043080'";
    assert!(bench.rows(updates).is_empty());
    index().execute_batch("DROP TRIGGER broken").unwrap();
    bench.replay(&recording("demo"), &crawl).exits(0);
    assert!(!bench.rows(updates).is_empty());
}

/// A file system in memory with a fixed size. It is unmounted when the value is dropped.
pub(super) struct TmpFs {
    pub(super) folder: Utf8PathBuf,
}

impl TmpFs {
    /// Mounts the file system. Prints the reason and returns `None` if mounting fails.
    pub(super) fn new(folder: Utf8PathBuf, kilobytes: u64) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let size = format!("size={kilobytes}k");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs", folder.as_str()]).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { folder });
        }
        skip_without_root("no tmpfs can be mounted here")
    }

    /// Changes the size of the file system. It cannot become smaller than its content.
    pub(super) fn resize(&self, kilobytes: u64) {
        let size = format!("remount,size={kilobytes}k");
        let mounted = Command::new("mount").args(["-o", &size, self.folder.as_str()]).output().unwrap();
        assert!(mounted.status.success(), "{kilobytes}: {}", String::from_utf8_lossy(&mounted.stderr));
    }
}

impl Drop for TmpFs {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.folder).output());
    }
}

#[test]
fn without_enough_space_nothing_is_written() {
    let connected = connected_mirror(&BOTH);
    let root = root_key_of(&connected);
    let good = connected.path("good");
    export(&connected, &BOTH, &good).exits(0);
    let mut fitted = 0;
    for kilobytes in [64, 512, 2048, 4096, 4200, 4400, 8192] {
        let Some(disk) = TmpFs::new(connected.path(&format!("stick-{kilobytes}")), kilobytes) else { return };
        let ran = export(&connected, &BOTH, &disk.folder);
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
        let Some(disk) = TmpFs::new(bench.mirror(), kilobytes) else { return };
        bench.json(&["keys", "trust", &root]).exits(0);
        let before = mirror_digests(&bench.mirror());
        let ran = import(&bench, &good);
        if ran.code == 0 {
            fitted += 1;
            assert_eq!(
                file_digests(&bench.mirror().join("kb")),
                file_digests(&connected.mirror().join("kb"))
            );
        } else {
            ran.exits(9);
            assert_eq!(mirror_digests(&disk.folder), before, "{kilobytes}");
        }
    }
    assert!(fitted > 0);
}

#[test]
fn space_freed_by_prune_counts() {
    let connected = connected_mirror(&BOTH);
    let payload: u64 = 4 * 100;
    // The space does not suffice for the second KB while the files of the first KB exist.
    let Some(disk) = TmpFs::new(connected.path("stick"), 4096 + 512 + payload) else { return };
    export(&connected, &[BOTH[1]], &disk.folder).exits(0);
    // A damaged file of the second KB is found before the sets of the first KB are removed.
    let before = file_digests(&disk.folder);
    let set = connected.mirror().join("kb").join(BOTH[0]).join("windows-11-24h2-x64");
    let digest = file_digests(&set).into_iter().find(|(name, _)| name.contains(&BOTH[0][2..])).unwrap().1;
    let pooled = connected.mirror().join("pool/sha256").join(&digest[..2]).join(&digest);
    let right = fs::read(&pooled).unwrap();
    fs::remove_file(&pooled).unwrap();
    fs::write(&pooled, [&right[..right.len() - 1], b"?"].concat()).unwrap();
    export(&connected, &[BOTH[0], "--prune", "--yes"], &disk.folder).exits(5);
    assert_eq!(file_digests(&disk.folder), before, "the medium is unchanged");
    fs::write(&pooled, right).unwrap();
    connected.json(&["verify"]);
    let second = export(&connected, &[BOTH[0], "--prune", "--yes"], &disk.folder).exits(0).json();
    assert_eq!(second["exported"]["removed"], 6, "four packages and two scripts: {second:#}");
    isolated_mirror(&root_key_of(&connected)).json(&["check-medium", disk.folder.as_str()]).exits(0);
}

#[test]
fn a_full_stick_is_unchanged_and_prune_is_suggested() {
    let connected = connected_mirror(&BOTH);
    // Pages and one KB fit. Another KB and its reserve do not fit.
    let Some(disk) = TmpFs::new(connected.path("stick"), 4096 + 512) else { return };
    export(&connected, &[BOTH[1]], &disk.folder).exits(0);
    let before = file_digests(&disk.folder);
    disk.resize(4096 + 160);
    for dry in [&[][..], &["--dry-run"]] {
        let ran = connected.run(&[&["export", BOTH[0], "--to", disk.folder.as_str()], dry].concat()).exits(9);
        assert!(
            ran.stderr.contains("--prune to remove the package sets that were not selected"),
            "{}",
            ran.stderr
        );
        assert_eq!(file_digests(&disk.folder), before);
    }
}
