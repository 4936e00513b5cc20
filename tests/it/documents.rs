//! Compares mirror-layout.md with the program.
#![expect(clippy::disallowed_methods, reason = "tests read documents and mirrors directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

fn project(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn document(name: &str) -> String {
    std::fs::read_to_string(project(name)).unwrap()
}

fn kbmirror(mirror: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbmirror"));
    command.arg("--mirror").arg(mirror).args(arguments).env_remove("KBMIRROR_DIR").output().unwrap()
}

fn replay(name: &str) -> String {
    project("recorded-responses").join(name).to_string_lossy().into_owned()
}

/// Collects the relative path of every file below a folder.
fn tree(folder: &Path, below: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tree(folder, &path, found);
        } else {
            found.insert(path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/"));
        }
    }
}

/// Replaces the variable parts of a path by the placeholders of mirror-layout.md.
fn with_placeholders(path: &str) -> String {
    let rules = [
        (r"^kb/(KB\d+)/[^/]+/[^/]+$", "kb/<kb>/<set>/<file>"),
        (r"^kb/(KB\d+)/KB\d+\.json$", "kb/<kb>/<kb>.json"),
        (r"^kb/(KB\d+)/[^/]+\.cmd$", "kb/<kb>/<set>.cmd"),
        (r"^kb/(KB\d+)/", "kb/<kb>/"),
        (r"^pool/sha256/[0-9a-f]{2}/[0-9a-f]{64}$", "pool/sha256/<2 hex>/<64 hex>"),
        (r"^quarantine/evidence-.+$", "quarantine/evidence-<path>"),
        (r"^trash/[^/]+/kb/KB\d+/[^/]+/[^/]+$", "trash/<time>/kb/<kb>/<set>/<file>"),
        (r"^trash/[^/]+/kb/KB\d+/[^/]+$", "trash/<time>/kb/<kb>/<view>"),
        (r"^trash/[^/]+/pool/[0-9a-f]{64}$", "trash/<time>/pool/<64 hex>"),
        (r"^quarantine/[0-9a-f]{64}\.[a-z0-9-]+$", "quarantine/<64 hex>.<why>"),
        (r"^runs/\d{4}-\d\d-\d\dT\d{6}Z-[A-Za-z0-9-]+\.html$", "runs/<time>-<what>.html"),
        (
            r"^runs/\d{4}-\d\d-\d\dT\d{6}Z-(sync|news|verify|export|check-medium|import)\.json$",
            "runs/<time>-$1.json",
        ),
        (r"^partial/[0-9a-f]{40,64}$", "partial/<digest>"),
        (r"^partial/[0-9a-f]{40,64}\.json$", "partial/<digest>.json"),
        (r"^knowledge/[a-z-]+\.(toml|txt)$", "knowledge/<table>"),
    ];
    for (pattern, words) in rules {
        let pattern = regex::Regex::new(pattern).unwrap();
        if pattern.is_match(path) {
            return pattern.replace(path, words).into_owned();
        }
    }
    path.to_owned()
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Returns the first file in a copy of the demo whose name contains `words`.
fn demo_file(demo: &Path, words: &str) -> std::path::PathBuf {
    let mut files = std::fs::read_dir(demo.join("files")).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.to_string_lossy().contains(words)).unwrap()
}

#[test]
fn a_mirror_with_every_kind_of_entry_has_the_documented_tree() {
    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path().join("mirror");
    let demo = folder.path().join("demo");
    copy_folder(&project("recorded-responses/demo"), &demo);

    // An unknown page and one flipped byte.
    let index = std::fs::read_to_string(demo.join("index.jsonl")).unwrap();
    let unknown_page = index.lines().find(|line| line.contains("q=KB5085516")).unwrap();
    let unknown_page: serde_json::Value = serde_json::from_str(unknown_page).unwrap();
    std::fs::write(
        demo.join(unknown_page["body"].as_str().unwrap()),
        "<html><body>Sign in to the proxy</body></html>",
    )
    .unwrap();
    let flipped = demo_file(&demo, "kb5086672-x64");
    let mut bytes = std::fs::read(&flipped).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&flipped, bytes).unwrap();

    let demo = demo.to_string_lossy().into_owned();
    let outcome = kbmirror(&mirror, &["--replay", &demo, "fetch", "KB5086672"]);
    assert_eq!(outcome.status.code(), Some(5), "{outcome:?}");
    let outcome = kbmirror(&mirror, &["--replay", &demo, "fetch", "KB5085516"]);
    assert_eq!(outcome.status.code(), Some(7), "{outcome:?}");
    let outcome = kbmirror(&mirror, &["--replay", &demo, "fetch", "KB5030211", "--arch", "x64"]);
    assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    let outcome = kbmirror(&mirror, &["init"]);
    assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    let outcome = kbmirror(&mirror, &["--replay", &demo, "sync", "--as-of", "2026-03-31"]);
    assert_eq!(outcome.status.code(), Some(5), "{outcome:?}");
    let outcome = kbmirror(&mirror, &["verify"]);
    assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    // An export and an import, with knowledge that is newer than the built-in knowledge.
    let tables = folder.path().join("tables");
    std::fs::create_dir_all(&tables).unwrap();
    let families = document("src/servicing/data/families.toml");
    let date = regex::Regex::new(r#"(?m)^(date = )"[0-9-]+""#).unwrap();
    std::fs::write(tables.join("families.toml"), date.replace(&families, "$1\"2031-01-01\"").as_ref())
        .unwrap();
    let (tables, medium) = (tables.to_string_lossy(), folder.path().join("medium"));
    let (medium, other) = (medium.to_string_lossy(), folder.path().join("other"));
    let outcome = kbmirror(&other, &["keys", "init"]);
    assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    for command in [
        &["keys", "init"][..],
        &["--knowledge", &tables, "export", "--all", "--to", &medium],
        &["keys", "trust", &other.join("keys/root.pub").to_string_lossy()],
        &["check-medium", &medium],
        &["import", &medium],
        &["keys", "distrust", "0123456789ABCDEF"],
    ] {
        let outcome = kbmirror(&mirror, command);
        assert_eq!(outcome.status.code(), Some(0), "{command:?}: {outcome:?}");
    }
    // A view that was changed from outside, and a KB to forget.
    std::fs::write(mirror.join("kb/KB5086672/README.txt"), "changed from outside").unwrap();
    for command in [&["import", &medium][..], &["forget", "KB5030211"]] {
        let outcome = kbmirror(&mirror, command);
        assert_eq!(outcome.status.code(), Some(0), "{command:?}: {outcome:?}");
    }
    // A killed run leaves only the partial file and its journal.
    std::fs::create_dir_all(mirror.join("partial")).unwrap();
    std::fs::write(mirror.join("partial").join("0".repeat(64)), "half").unwrap();
    std::fs::write(mirror.join("partial").join(format!("{}.json", "0".repeat(64))), "{}").unwrap();

    let mut found = BTreeSet::new();
    tree(&mirror, &mirror, &mut found);
    let found: BTreeSet<String> = found.iter().map(|path| with_placeholders(path)).collect();
    let text = document("mirror-layout.md");
    let fenced = text.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let documented: BTreeSet<String> = fenced.lines().map(str::to_owned).collect();
    assert_eq!(found, documented);
}

#[test]
fn the_documented_tables_and_views_match_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = kbmirror(folder.path(), &["--replay", &replay("demo"), "crawl", "KB5043080"]);
    assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    let connection = rusqlite::Connection::open(folder.path().join("mirror.db")).unwrap();
    let mut query =
        connection.prepare("SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view')").unwrap();
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
    let built: BTreeSet<(String, String)> = rows.map(Result::unwrap).collect();

    let text = document("mirror-layout.md");
    let index = text.split("## The index").nth(1).unwrap();
    let row = regex::Regex::new(r"(?m)^\| `(\w+)` \|").unwrap();
    let documented: BTreeSet<(String, String)> = row
        .captures_iter(index)
        .map(|found| {
            let kind = if found[1].starts_with("v_") { "view" } else { "table" };
            (kind.to_owned(), found[1].to_owned())
        })
        .collect();
    assert_eq!(built, documented);
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert!(index.contains(&format!("`user_version` {version}.")));
}

#[test]
fn a_missing_index_is_rebuilt_from_the_published_sets() {
    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path();
    let demo = replay("demo");
    for kb in ["KB5086672", "KB5050182"] {
        let outcome = kbmirror(mirror, &["--replay", &demo, "fetch", kb]);
        assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    }
    let state = || {
        let list = kbmirror(mirror, &["list", "--json"]);
        let plan = kbmirror(
            mirror,
            &["resolve", "KB5086672", "--arch", "arm64", "--baseline", "26100.863", "--json"],
        );
        let connection = rusqlite::Connection::open(mirror.join("mirror.db")).unwrap();
        // The graph of the published sets. The entries of the checkpoint itself were never part of it.
        let mut rows = Vec::new();
        for sql in [
            "SELECT kb || name || role || needs_kb || needs_name || source FROM v_needs ORDER BY 1",
            "SELECT kb || folder || place || role || name || sha256 || present || state FROM v_sets WHERE state IS NOT NULL ORDER BY 1",
            "SELECT update_id || name FROM v_update_files WHERE update_kb IN ('KB5086672', 'KB5050182') ORDER BY 1",
            "SELECT name || what || against FROM checks JOIN files ON files.id = checks.file ORDER BY 1",
        ] {
            let mut query = connection.prepare(sql).unwrap();
            rows.extend(query.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
        }
        (String::from_utf8(list.stdout).unwrap(), String::from_utf8(plan.stdout).unwrap(), rows)
    };
    let before = state();
    assert!(before.2.len() > 10);
    for name in ["mirror.db", "mirror.db-wal", "mirror.db-shm"] {
        let _absent = std::fs::remove_file(mirror.join(name));
    }
    let outcome = kbmirror(mirror, &["--replay", &demo, "crawl", "KB5031539"]);
    assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    assert!(String::from_utf8(outcome.stderr).unwrap().contains("rebuilt"));
    let after = state();
    assert_eq!(before.0, after.0);
    assert_eq!(before.2, after.2);
    // The evidence states the day on which a dialog was read, and may differ. The steps are the same.
    let steps = |text: &str| -> Vec<String> {
        let plan: serde_json::Value = serde_json::from_str(text).unwrap();
        plan["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| format!("{}{}{}", step["order"], step["role"], step["name"]))
            .collect()
    };
    assert_eq!(steps(&before.1), steps(&after.1));
}
