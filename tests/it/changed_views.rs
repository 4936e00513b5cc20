//! Files beside the set folders that were changed from outside. They do not reach a medium, and they are kept as
//! evidence.
#![expect(clippy::disallowed_methods, reason = "tests change views directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::air_gap::{KB, connected_mirror, export, import, isolated_mirror, root_key_of};
use super::harness::{Bench, failure, names_in, read_tree, recording};

const SCRIPT: &str = "kb/KB5086672/windows-11-24h2-arm64.cmd";

fn mirror() -> Bench {
    connected_mirror(&[KB, "--arch", "arm64"])
}

/// Appends a line to a text, as a user with write access to the share can do.
fn append_line(path: &Utf8Path) -> Vec<u8> {
    let mut text = fs::read(path).unwrap();
    text.extend_from_slice(b"net user evil /add\r\n");
    fs::write(path, &text).unwrap();
    text
}

fn evidence(bench: &Bench) -> Vec<Utf8PathBuf> {
    let folder = bench.mirror().join("quarantine");
    let names = if folder.exists() { names_in(&folder) } else { Vec::new() };
    names.into_iter().filter(|name| name.starts_with("evidence-")).map(|name| folder.join(name)).collect()
}

#[test]
fn an_export_refuses_a_view_changed_from_outside() {
    for view in [SCRIPT, "kb/KB5086672/README.txt", "kb/KB5086672/SHA256SUMS", "kb/KB5086672/KB5086672.json"]
    {
        let connected = mirror();
        let changed = append_line(&connected.mirror().join(view));
        let medium = connected.path("medium");
        let ran = export(&connected, &["--all", "--dry-run"], &medium).exits(5);
        let message = format!("{view} was changed after kbmirror wrote it; an export would refuse it");
        assert_eq!(ran.error(), failure("integrity", message));
        assert_eq!(evidence(&connected), Vec::<Utf8PathBuf>::new(), "a dry run writes nothing");
        for _ in 0..2 {
            let ran = export(&connected, &["--all"], &medium).exits(5);
            let message = format!("nothing was exported: {view} changed since the last write by kbmirror");
            assert_eq!(ran.error(), failure("integrity", message));
            assert!(!medium.exists());
            let kept = evidence(&connected);
            assert_eq!(kept.len(), 1, "{kept:?}");
            assert_eq!(fs::read(&kept[0]).unwrap(), changed);
            assert_eq!(fs::read(connected.mirror().join(view)).unwrap(), changed, "the view is unchanged");
        }
        let report = connected.json(&["verify"]).exits(5).json();
        let paths: Vec<&str> =
            report["findings"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
        assert_eq!(paths, [view]);
        // The next run that writes the mirror repairs the view, keeps the changed text, and reports it.
        let ran = connected.replay(&recording("demo"), &["fetch", KB, "--arch", "arm64"]).exits(0);
        let kept = view.replace("kb/KB5086672/", "quarantine/evidence-KB5086672-");
        let warning =
            format!("rewrote {view}, which was changed from outside; the changed text is kept as {kept}");
        assert_eq!(ran.stderr.lines().last(), Some(&*format!("warning: {warning}")));
        connected.json(&["verify"]).exits(0);
        assert_eq!(evidence(&connected).len(), 1, "the same text is kept only once");
        export(&connected, &["--all"], &medium).exits(0);
    }
}

#[test]
fn an_unknown_script_is_moved_to_the_evidence() {
    let connected = mirror();
    let path = connected.mirror().join("kb/KB5086672/tool.cmd");
    fs::write(&path, "mine").unwrap();
    export(&connected, &["--all"], &connected.path("medium")).exits(5);
    connected.replay(&recording("demo"), &["fetch", KB, "--arch", "arm64"]).exits(0);
    assert!(!path.exists());
    let kept: Vec<String> =
        evidence(&connected).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert!(kept.contains(&"mine".to_owned()), "{kept:?}");
}

#[test]
fn an_unknown_file_in_a_replaced_set_folder_is_kept() {
    let connected = mirror();
    let kb = connected.mirror().join("kb/KB5086672");
    fs::write(kb.join("notes.txt"), "notes").unwrap();
    fs::write(kb.join("windows-11-24h2-arm64/mine.txt"), "mine").unwrap();
    let ran = connected.replay(&recording("demo"), &["fetch", KB, "--arch", "arm64"]).exits(0);
    let warning = "warning: kb/KB5086672/windows-11-24h2-arm64/mine.txt is not a file of the set, whose \
         folder was rebuilt; moved the file to quarantine/evidence-KB5086672-windows-11-24h2-arm64-mine.txt";
    assert_eq!(ran.stderr.lines().last(), Some(warning));
    connected.json(&["verify", KB]).exits(5);
    // A run that writes removes the replaced folder.
    connected.replay(&recording("demo"), &["fetch", KB, "--arch", "arm64"]).exits(0);
    assert_eq!(fs::read_to_string(kb.join("notes.txt")).unwrap(), "notes");
    assert!(!kb.join("windows-11-24h2-arm64/mine.txt").exists());
    let kept: Vec<String> =
        evidence(&connected).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(kept, ["mine"]);
    // The unknown file beside the set folders stays, and is reported.
    let report = connected.json(&["verify"]).exits(5).json();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report}");
}

#[test]
fn a_folder_or_link_in_place_of_a_view_is_moved_away() {
    let connected = mirror();
    let readme = connected.mirror().join("kb/KB5086672/README.txt");
    fs::remove_file(&readme).unwrap();
    fs::create_dir(&readme).unwrap();
    fs::write(readme.join("inside"), "x").unwrap();
    connected.json(&["verify"]).exits(5);
    export(&connected, &["--all"], &connected.path("medium")).exits(5);
    connected.replay(&recording("demo"), &["fetch", KB, "--arch", "arm64"]).exits(0);
    assert!(readme.is_file());
    connected.json(&["verify"]).exits(0);
    #[cfg(unix)]
    {
        let victim = connected.path("victim");
        fs::write(&victim, "untouched").unwrap();
        fs::remove_file(&readme).unwrap();
        std::os::unix::fs::symlink(&victim, &readme).unwrap();
        connected.replay(&recording("demo"), &["fetch", KB, "--arch", "arm64"]).exits(0);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
        assert!(fs::symlink_metadata(&readme).unwrap().is_file());
    }
}

#[test]
fn an_outdated_view_is_rewritten_without_a_warning() {
    let connected = mirror();
    // An older version wrote this text and recorded its digest. The current version would write another text.
    let readme = connected.mirror().join("kb/KB5086672/README.txt");
    fs::write(&readme, "as an older version wrote it").unwrap();
    let connection = rusqlite::Connection::open(connected.mirror().join("mirror.db")).unwrap();
    let record: String = connection
        .query_row("SELECT value FROM meta WHERE key = 'views:KB5086672'", [], |row| row.get(0))
        .unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&record).unwrap();
    record["views"]["README.txt"] =
        serde_json::json!([super::harness::sha256_hex(b"as an older version wrote it")]);
    connection
        .execute("UPDATE meta SET value = ?1 WHERE key = 'views:KB5086672'", [record.to_string()])
        .unwrap();
    drop(connection);
    connected.json(&["verify"]).exits(0);
    export(&connected, &["--all"], &connected.path("medium")).exits(0);
    assert_eq!(evidence(&connected), Vec::<Utf8PathBuf>::new());
    assert_ne!(fs::read_to_string(&readme).unwrap(), "as an older version wrote it");
}

#[test]
fn a_changed_view_without_a_record_is_kept_once_and_reported() {
    let connected = mirror();
    let script = connected.mirror().join(SCRIPT);
    let made = fs::read(&script).unwrap();
    let old = append_line(&script);
    let connection = rusqlite::Connection::open(connected.mirror().join("mirror.db")).unwrap();
    connection.execute("DELETE FROM meta WHERE key LIKE 'views:%'", []).unwrap();
    drop(connection);
    let medium = connected.path("medium");
    let exported = export(&connected, &["--all"], &medium).exits(0).json();
    let warning = format!(
        "rewrote {SCRIPT}; the old text has no record and is kept as \
         quarantine/evidence-KB5086672-windows-11-24h2-arm64.cmd"
    );
    assert_eq!(exported["plan"]["warnings"], serde_json::json!([warning]));
    let kept = evidence(&connected);
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(fs::read(&kept[0]).unwrap(), old);
    assert_eq!(fs::read(&script).unwrap(), made);
    let on_medium = read_tree(&medium);
    assert_eq!(on_medium["data/KB5086672/windows-11-24h2-arm64.cmd"], made);
    let isolated = isolated_mirror(&root_key_of(&connected));
    import(&isolated, &medium).exits(0);
    export(&connected, &["--all"], &medium).exits(0);
    assert_eq!(evidence(&connected).len(), 1);
}

#[test]
fn an_interrupted_publication_is_not_damage() {
    let connected = mirror();
    let connection = rusqlite::Connection::open(connected.mirror().join("mirror.db")).unwrap();
    connection.execute("DELETE FROM meta WHERE key LIKE 'views:%'", []).unwrap();
    drop(connection);
    for name in [SCRIPT, "kb/KB5086672/README.txt", "kb/KB5086672/SHA256SUMS", "kb/KB5086672/KB5086672.json"]
    {
        fs::remove_file(connected.mirror().join(name)).unwrap();
    }
    let report = connected.json(&["verify"]).exits(0).json();
    let warning = "the publishing of KB5086672 was interrupted; the next run that writes completes it";
    assert_eq!(report["warnings"], serde_json::json!([warning]));
    connected.replay(&recording("demo"), &["fetch", KB, "--arch", "arm64"]).exits(0);
    let report = connected.json(&["verify"]).exits(0).json();
    assert_eq!(report["warnings"], serde_json::json!([]));
    // A recorded file that is missing was removed from outside.
    fs::remove_file(connected.mirror().join("kb/KB5086672/README.txt")).unwrap();
    connected.json(&["verify"]).exits(5);
}
