//! Damage of every kind, in the pool and in set folders, with links and with copies. Each command reports the damage
//! that it knows, and delivers no damaged file. `fetch` and `import` repair the damage.
#![expect(clippy::disallowed_methods, reason = "tests damage mirrors directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

mod imports;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use super::air_gap::{create_keys, export, import, isolated_mirror, mirror_digests};
use super::harness::{Bench, field_texts, items, names_in, read_tree, recording, text_of};

const SET: &str = "windows-11-24h2-arm64";
const KBS: [&str; 2] = ["KB5085516", "KB5086672"];
/// A file that is in the sets of both KBs.
const SHARED: &str = "windows11.0-kb5043080-arm64_bb800093cb8846441c8e3da16122f5bb4bcf9bed.msu";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Damage {
    Flip,
    Truncate,
    Delete,
    Folder,
    #[cfg(unix)]
    Symlink,
}

impl Damage {
    const ALL: &[Self] = &[
        Self::Flip,
        Self::Truncate,
        Self::Delete,
        Self::Folder,
        #[cfg(unix)]
        Self::Symlink,
    ];

    /// Returns the kind of finding that `verify` reports.
    fn kind(self) -> &'static str {
        match self {
            Self::Flip => "digest",
            Self::Truncate => "size",
            Self::Delete => "missing",
            _ => "foreign",
        }
    }

    /// Damages a file in place. Hard links to the file are damaged as well.
    fn apply(self, path: &Utf8Path) {
        let mut bytes = fs::read(path).unwrap();
        let mut permissions = fs::metadata(path).unwrap().permissions();
        #[expect(clippy::permissions_set_readonly_false, reason = "a test's own folder")]
        permissions.set_readonly(false);
        match self {
            Self::Flip => bytes[1000] ^= 1,
            Self::Truncate => bytes.truncate(1000),
            _ => {
                fs::remove_file(path).unwrap();
                match self {
                    Self::Folder => fs::create_dir(path).unwrap(),
                    #[cfg(unix)]
                    Self::Symlink => {
                        // The link leads to the right bytes outside of the mirror, which may change at any time.
                        let mirror =
                            path.ancestors().find(|path| path.file_name() == Some("mirror")).unwrap();
                        let aside = mirror.with_file_name("aside");
                        fs::write(&aside, bytes).unwrap();
                        std::os::unix::fs::symlink(&aside, path).unwrap();
                    }
                    _ => {}
                }
                return;
            }
        }
        fs::set_permissions(path, permissions).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Pool,
    SetFolder,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    damage: Damage,
    place: Place,
    /// `true` if the set folders contain copies of the files of the pool, as on a file system without links.
    copies: bool,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for &damage in Damage::ALL {
            for place in [Place::Pool, Place::SetFolder] {
                cases.extend([false, true].map(|copies| Self { damage, place, copies }));
            }
        }
        cases
    }

    /// Damages the shared file of a mirror.
    fn apply(self, bench: &Bench) {
        if self.copies {
            for kb in KBS {
                for name in names_in(&bench.set_folder(kb, SET)) {
                    let path = bench.set_folder(kb, SET).join(name);
                    let bytes = fs::read(&path).unwrap();
                    fs::remove_file(&path).unwrap();
                    fs::write(&path, bytes).unwrap();
                }
            }
        }
        let path = match self.place {
            Place::Pool => pooled(bench, SHARED),
            Place::SetFolder => bench.set_folder("KB5086672", SET).join(SHARED),
        };
        self.damage.apply(&path);
    }

    /// Returns `true` if the bytes in the pool are damaged. A change in place through a hard link also changes the
    /// pool.
    fn in_pool(self) -> bool {
        self.place == Place::Pool || (!self.copies && matches!(self.damage, Damage::Flip | Damage::Truncate))
    }

    /// Returns `true` if names and sizes alone reveal the damage.
    fn is_visible(self) -> bool {
        self.damage != Damage::Flip
    }

    /// Returns the KBs whose sets are damaged.
    fn kbs(self) -> Vec<&'static str> {
        if self.in_pool() { KBS.to_vec() } else { vec!["KB5086672"] }
    }
}

/// Returns the path in the pool of the file with this name.
fn pooled(bench: &Bench, name: &str) -> Utf8PathBuf {
    let digest = bench.rows(&format!("SELECT sha256 FROM v_files WHERE name = '{name}'")).remove(0).remove(0);
    bench.mirror().join("pool/sha256").join(&digest[..2]).join(digest)
}

fn fetched() -> Bench {
    let bench = Bench::new();
    fetch(&bench, &[]).exits(0);
    bench
}

fn fetch(bench: &Bench, more: &[&str]) -> super::harness::RunOutput {
    bench.replay(&recording("demo"), &[&["fetch", KBS[0], KBS[1], "--arch", "arm64"], more].concat())
}

/// Returns the package files of pool and set folders.
fn packages(bench: &Bench) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = read_tree(&bench.mirror()).into_iter().collect();
    files.retain(|(path, _)| path.starts_with("pool/") || path.starts_with("kb/"));
    files
}

/// Returns the KBs whose sets `list` shows as damaged.
fn damaged(bench: &Bench) -> Vec<String> {
    let list = bench.json(&["list"]).exits(0).json();
    let sets = items(&list["sets"]).iter();
    sets.filter(|set| set["damaged"] == true).map(|set| text_of(&set["kb"])).collect()
}

fn stage(bench: &Bench, to: &Utf8Path) -> super::harness::RunOutput {
    bench.json(&["stage", "KB5086672", "--arch", "arm64", "--to", to.as_str()])
}

#[track_caller]
fn assert_repaired(bench: &Bench, case: Case, before: &[(String, Vec<u8>)]) {
    let report = bench.json(&["verify", "--deep"]).exits(0).json();
    assert_eq!(report["warnings"], json!([]), "{case:?}");
    assert_eq!(bench.rows("SELECT * FROM damage"), Vec::<Vec<String>>::new(), "{case:?}");
    assert_eq!(damaged(bench), Vec::<String>::new(), "{case:?}");
    assert!(packages(bench) == before, "{case:?}");
}

#[test]
fn verified_damage_counts_as_missing_until_fetch_repairs_it() {
    for case in Case::all() {
        let bench = fetched();
        let before = packages(&bench);
        case.apply(&bench);
        // Names and sizes reveal damage without reading the file. A flipped byte is not visible.
        let expected = if case.is_visible() { case.kbs() } else { Vec::new() };
        assert_eq!(damaged(&bench), expected, "{case:?}");

        let report = bench.json(&["verify"]).exits(5).json();
        assert_eq!(field_texts(&report["findings"], "kind")[0], case.damage.kind(), "{case:?}");
        assert_eq!(report["recorded"], true, "{case:?}");
        assert_eq!(damaged(&bench), case.kbs(), "{case:?}");
        let plain = bench.run(&["list"]).exits(0);
        assert!(
            plain.stdout.contains(SHARED) && plain.stdout.contains("found by verify"),
            "{case:?}: {plain:?}"
        );
        let resolved = bench.json(&["resolve", "KB5086672", "--arch", "arm64"]).exits(0).json();
        let of_shared = items(&resolved["steps"]).iter().find(|step| step["name"] == SHARED).unwrap();
        assert_eq!(of_shared["present"], !case.in_pool(), "{case:?}");
        let warned = resolved["warnings"].to_string().contains("do not use this folder");
        assert_eq!(warned, !case.in_pool(), "{case:?}: {resolved:#}");

        let to = bench.path("stick/set");
        let staged = stage(&bench, &to);
        if case.in_pool() {
            let (_, message) = staged.exits(10).error();
            assert!(message.contains(SHARED) && message.contains("found by verify"), "{case:?}: {message}");
            assert!(!bench.path("stick").exists(), "{case:?}");
        } else {
            staged.exits(0);
            assert_eq!(fs::read(to.join(SHARED)).unwrap(), shared_bytes(&before), "{case:?}");
        }
        offline_and_dry(&bench, case);

        let document = fetch(&bench, &[]).exits(0).json();
        let status = field_texts(&document["sets"], "status");
        let of = |kb: &str| status[KBS.iter().position(|own| *own == kb).unwrap()].clone();
        for kb in case.kbs() {
            assert_eq!(of(kb), "published", "{case:?}: {document:#}");
        }
        assert_repaired(&bench, case, &before);
        // Damaged bytes are kept if they were in the pool, or if they were not a file of the set.
        let kept = names_in(&bench.mirror().join("quarantine"));
        let is_file = matches!(case.damage, Damage::Flip | Damage::Truncate);
        let has_bytes = case.damage != Damage::Delete && (case.in_pool() || !is_file);
        assert_eq!(kept.len(), usize::from(has_bytes), "{case:?}: {kept:?}");
        fetch(&bench, &[]).exits(0);
        assert_eq!(names_in(&bench.mirror().join("quarantine")), kept);
    }
}

fn shared_bytes(before: &[(String, Vec<u8>)]) -> Vec<u8> {
    before.iter().find(|(path, _)| path.ends_with(SHARED)).unwrap().1.clone()
}

/// Checks that `--offline` reports the damage, and that `--dry-run` shows the downloads.
fn offline_and_dry(bench: &Bench, case: Case) {
    let dry = fetch(bench, &["--dry-run"]).exits(0);
    let document = dry.json();
    assert_eq!(field_texts(&document["sets"], "status"), ["planned"; 2], "{case:?}");
    let plan = bench
        .run(&[
            "--replay",
            recording("demo").as_str(),
            "fetch",
            KBS[0],
            KBS[1],
            "--arch",
            "arm64",
            "--dry-run",
        ])
        .exits(0);
    let text = plan.stdout + &plan.stderr;
    if case.in_pool() {
        assert!(text.contains("1 file to download"), "{case:?}: {text}");
        let ran = bench.json(&["--offline", "fetch", "KB5086672", "--arch", "arm64"]);
        assert_ne!(ran.code, 0, "{case:?}: {}", ran.stdout);
        assert!(!ran.stdout.contains("unchanged"), "{case:?}: {}", ran.stdout);
    } else {
        assert!(text.contains("0 files to download"), "{case:?}: {text}");
    }
}

#[test]
fn stage_finds_damage_without_a_verify() {
    for case in Case::all() {
        let bench = fetched();
        let before = packages(&bench);
        case.apply(&bench);
        let to = bench.path("stick/set");
        let staged = stage(&bench, &to);
        if !case.in_pool() {
            staged.exits(0);
            continue;
        }
        let (kind, message) = staged.exits(5).error();
        assert_eq!(kind, "integrity");
        assert!(message.contains(SHARED) && message.contains("pool/sha256/"), "{case:?}: {message}");
        assert!(!bench.path("stick").exists(), "{case:?}");
        let recorded = bench.rows("SELECT kind, found_by FROM damage WHERE kb IS NULL");
        assert_eq!(recorded, [[case.damage.kind(), "stage"]], "{case:?}");
        assert_eq!(damaged(&bench), case.kbs(), "{case:?}");
        fetch(&bench, &[]).exits(0);
        assert_repaired(&bench, case, &before);
        stage(&bench, &to).exits(0);
    }
}

/// Returns the mirror that exported a medium with both KBs, the mirror that imported the medium, and the medium.
fn export_and_import() -> (Bench, Bench, Utf8PathBuf) {
    let connected = fetched();
    let root = create_keys(&connected);
    let medium = connected.path("medium");
    export(&connected, &["--all"], &medium).exits(0);
    let isolated = isolated_mirror(&root);
    import(&isolated, &medium).exits(0);
    (connected, isolated, medium)
}

#[test]
fn export_refuses_damaged_files_and_records_them() {
    for case in Case::all() {
        for is_verified in [false, true] {
            let bench = fetched();
            create_keys(&bench);
            case.apply(&bench);
            if is_verified {
                bench.json(&["verify"]).exits(5);
            }
            let stick = bench.path("stick");
            let code = match (case.in_pool(), case.is_visible() || is_verified) {
                (false, _) => 0,
                (true, true) => 4,
                (true, false) => 5,
            };
            let ran = bench.run(&["export", "KB5086672", "--to", stick.as_str()]).exits(code);
            if code == 0 {
                let is_known = case.is_visible() || is_verified;
                let has_warning = ran.stderr.contains("KB5086672/windows-11-24h2-arm64: damaged");
                assert_eq!(has_warning, is_known, "{case:?}: {}", ran.stderr);
                export(&bench, &["KB5086672"], &stick).exits(0);
                continue;
            }
            assert!(!stick.exists(), "{case:?}");
            assert_eq!(damaged(&bench), KBS, "{case:?}");
            // The damage is recorded. The next export does not read the file again, and a fetch repairs it.
            bench.run(&["export", "KB5086672", "--to", stick.as_str()]).exits(4);
            fetch(&bench, &[]).exits(0);
            assert_eq!(damaged(&bench), Vec::<String>::new(), "{case:?}");
            export(&bench, &["KB5086672"], &stick).exits(0);
        }
    }
}

#[test]
fn a_set_without_its_folder_is_exported_with_a_warning() {
    let bench = fetched();
    create_keys(&bench);
    fs::remove_dir_all(bench.set_folder("KB5086672", SET)).unwrap();
    let stick = bench.path("stick");
    let ran = bench.run(&["export", "KB5086672", "--to", stick.as_str()]).exits(0);
    assert!(ran.stderr.contains("folder missing"), "{}", ran.stderr);
    let document = bench.json(&["export", "KB5086672", "--to", stick.as_str(), "--dry-run"]).exits(0).json();
    let warning = "kb/KB5086672/windows-11-24h2-arm64: folder missing; took the files from the pool \
         instead; run kbmirror repair KB5086672 to restore damaged and missing files";
    assert_eq!(document["plan"]["warnings"], json!([warning]));
}

#[test]
fn files_of_a_running_process_are_not_reported_as_leftovers() {
    let bench = fetched();
    fs::create_dir_all(bench.mirror().join("partial")).unwrap();
    fs::write(bench.mirror().join("partial/arriving"), "some bytes").unwrap();
    let lock = kbmirror::mirror::Lock::acquire(&bench.mirror().join("lock"), "a test").unwrap();
    let report = bench.json(&["verify"]).exits(0).json();
    assert_eq!((&report["leftovers"], &report["in_use"]), (&json!([]), &json!(["partial/arriving"])));
    let ran = bench.run(&["verify"]).exits(0);
    assert!(ran.stderr.contains("in use") && !ran.stderr.contains("cut off"), "{}", ran.stderr);
    drop(lock);
    let report = bench.json(&["verify"]).exits(0).json();
    assert_eq!((&report["leftovers"], &report["in_use"]), (&json!(["partial/arriving"]), &json!([])));
}

#[test]
fn a_missing_set_folder_is_reported_and_restored() {
    let (connected, isolated, medium) = export_and_import();
    for (bench, is_isolated) in [(&connected, false), (&isolated, true)] {
        let before = packages(bench);
        fs::remove_dir_all(bench.set_folder("KB5086672", SET)).unwrap();
        let list = bench.json(&["list"]).exits(0).json();
        let set = items(&list["sets"]).iter().find(|set| set["kb"] == "KB5086672").unwrap();
        assert_eq!((&set["damaged"], &set["folder_missing"]), (&json!(true), &json!(true)));
        let plain = bench.run(&["list"]).exits(0);
        assert!(plain.stdout.contains("folder missing"), "{plain:?}");
        assert!(plain.stderr.contains("kbmirror repair KB5086672"), "{plain:?}");
        assert_eq!(plain.stderr.contains("--from MEDIUM"), is_isolated, "{plain:?}");
        if is_isolated {
            import(bench, &medium).exits(0);
        } else {
            // The pool has every byte, so the fetch does not need the Catalog.
            let document = bench.json(&[
                "--replay",
                recording("demo").as_str(),
                "--offline",
                "fetch",
                "KB5086672",
                "--arch",
                "arm64",
            ]);
            document.exits(0);
        }
        assert!(packages(bench) == before);
        bench.json(&["verify"]).exits(0);
    }
}

#[test]
fn status_shows_damage_and_sync_repairs_it() {
    // On this day the newest release in the tables is still current.
    let bench = Bench::starting_at("2026-10-02T08:00:00Z");
    bench.json(&["init", "--arch", "arm64"]).exits(0);
    let sync = |more: &[&str]| {
        bench.replay(&recording("demo"), &[&["sync", "--as-of", "2026-03-31"], more].concat())
    };
    sync(&[]).exits(0);
    let before = packages(&bench);
    bench.json(&["status"]).exits(0);
    fs::remove_dir_all(bench.set_folder("KB5085516", SET)).unwrap();
    let plain = bench.run(&["status"]).exits(10);
    for part in ["KB5085516 windows-11-24h2-arm64: folder missing", "not current: damage"] {
        assert!(plain.stdout.contains(part), "{part}: {plain:?}");
    }
    Case { damage: Damage::Flip, place: Place::Pool, copies: false }.apply(&bench);
    bench.json(&["verify"]).exits(5);
    let status = bench.json(&["status"]).exits(10).json();
    assert_eq!(
        (&status["current"], field_texts(&status["damaged_sets"], "kb")),
        (&json!(false), KBS.map(str::to_owned).to_vec())
    );
    let dry = sync(&["--dry-run"]).exits(0).json();
    assert_eq!(dry["planned"]["files"], 1, "{dry:#}");
    let report = sync(&[]).exits(0).json();
    // The first set is published by its own fetch, and this also repairs the other set.
    assert_eq!(report["published"], 1, "{report:#}");
    let warning = "published kb/KB5085516/windows-11-24h2-arm64 again, because it had damaged files";
    assert_eq!(report["warnings"][0], warning);
    assert_eq!(report["news"]["reissued"], json!([]), "republished sets are not news");
    assert!(packages(&bench) == before);
    bench.json(&["status"]).exits(0);
    bench.json(&["verify"]).exits(0);
    bench.json(&["status"]).exits(0);
}

#[test]
fn a_busy_mirror_records_nothing_and_still_exits_5() {
    let bench = fetched();
    let case = Case { damage: Damage::Flip, place: Place::Pool, copies: false };
    case.apply(&bench);
    let lock = kbmirror::mirror::Lock::acquire(&bench.mirror().join("lock"), "a test").unwrap();
    let report = bench.json(&["verify"]).exits(5).json();
    assert_eq!(report["recorded"], false);
    assert!(report["warnings"].to_string().contains("did not record the findings"), "{report:#}");
    assert!(bench.run(&["verify"]).exits(5).stderr.contains("warning: did not record the findings"));
    let to = bench.path("set");
    let hints = stage(&bench, &to).exits(5).json()["error"]["hints"].to_string();
    assert!(hints.contains("was not recorded"), "{hints}");
    assert_eq!(damaged(&bench), Vec::<String>::new());
    drop(lock);
    bench.json(&["verify"]).exits(5);
    assert_eq!(damaged(&bench), KBS);
}

#[test]
fn verify_of_one_kb_keeps_the_damage_of_other_kbs() {
    let bench = fetched();
    let of_other = bench.set_folder("KB5085516", SET);
    fs::write(of_other.join("foreign.txt"), "hello").unwrap();
    bench.json(&["verify"]).exits(5);
    assert_eq!(damaged(&bench), ["KB5085516"]);
    Case { damage: Damage::Flip, place: Place::Pool, copies: false }.apply(&bench);
    let report = bench.json(&["verify", "KB5086672"]).exits(5).json();
    assert_eq!(field_texts(&report["findings"], "kind"), ["digest"]);
    assert_eq!(damaged(&bench), KBS);
    let kinds = || bench.rows("SELECT kind FROM damage ORDER BY 1");
    assert_eq!(kinds(), [["digest"], ["foreign"]]);
    fs::remove_file(of_other.join("foreign.txt")).unwrap();
    bench.json(&["verify", "KB5086672"]).exits(5);
    assert_eq!(kinds(), [["digest"], ["foreign"]], "the other KB was not verified");
    // The byte is restored by hand. Only `verify` can detect this.
    let path = pooled(&bench, SHARED);
    Damage::Flip.apply(&path);
    assert_eq!(damaged(&bench), KBS);
    let report = bench.json(&["verify"]).exits(0).json();
    assert_eq!(items(&report["healed"]).len(), 2, "{report:#}");
    assert_eq!(damaged(&bench), Vec::<String>::new());
}

#[test]
fn damaged_files_beside_the_sets_are_written_again() {
    let bench = fetched();
    let sums = bench.mirror().join("kb/KB5086672/SHA256SUMS");
    fs::write(&sums, "nothing\n").unwrap();
    bench.json(&["verify"]).exits(5);
    assert_eq!(bench.rows("SELECT path, kb FROM v_damage"), [["kb/KB5086672/SHA256SUMS", "KB5086672"]]);
    assert_eq!(damaged(&bench), Vec::<String>::new(), "the set itself is complete");
    fetch(&bench, &[]).exits(0);
    assert_eq!(bench.rows("SELECT * FROM damage"), Vec::<Vec<String>>::new());
    bench.json(&["verify"]).exits(0);
}
