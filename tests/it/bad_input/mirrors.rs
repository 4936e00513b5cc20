//! Mirrors that cannot be used: a file in place of the folder, invalid indexes, and a held lock.

use super::*;

#[test]
fn a_mirror_path_that_is_a_file_exits_2() {
    let bench = Bench::new();
    fs::write(bench.mirror(), "in the way").unwrap();
    for command in [&["fetch", "KB5086672"][..], &["crawl", "KB5086672"]] {
        let refused = bench.replay(&recording("demo"), command).exits(2);
        let (kind, message) = refused.error();
        assert_eq!(kind, "usage");
        assert!(
            message.contains(bench.mirror().as_str()) && message.contains("cannot be written"),
            "{message}"
        );
        assert!(!message.contains('\n'));
        assert!(!refused.stderr.contains("querying"), "the Catalog was queried: {}", refused.stderr);
    }
    assert_eq!(fs::read(bench.mirror()).unwrap(), b"in the way");

    // The same with a file as the parent of the mirror.
    let bench = Bench::new();
    fs::write(bench.path("file"), "in the way").unwrap();
    let (inside, demo) = (bench.path("file/mirror"), recording("demo"));
    let refused =
        bench.run_on(&inside, &["--json", "--replay", demo.as_str(), "crawl", "KB5086672"]).exits(2);
    assert!(refused.error().1.contains("cannot be written"), "{refused:?}");
}

#[test]
fn an_index_of_a_newer_format_is_refused() {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &FETCH_ARM64).exits(0);
    let index = rusqlite::Connection::open(bench.mirror().join("mirror.db")).unwrap();
    index.pragma_update(None, "user_version", 99).unwrap();
    drop(index);
    let before = read_tree(&bench.mirror().join("kb"));
    let commands = [
        &FETCH_ARM64[..],
        &["crawl", "KB5086672"],
        &["list"],
        &["show", "KB5086672"],
        &["resolve", "KB5086672"],
    ];
    for command in commands {
        let (kind, message) = bench.replay(&recording("demo"), command).exits(2).error();
        assert_eq!(kind, "usage", "{command:?}");
        assert!(message.contains("format 99"), "{message}");
    }
    assert_eq!(read_tree(&bench.mirror().join("kb")), before);
}

#[test]
fn a_file_that_is_not_an_index_exits_2() {
    let bench = Bench::new();
    fs::create_dir_all(bench.mirror()).unwrap();
    fs::write(
        bench.mirror().join("mirror.db"),
        "this is not a database, and it is longer than the header of a database".repeat(9),
    )
    .unwrap();
    let before = read_tree(&bench.mirror());
    for command in [&["list"][..], &FETCH_ARM64] {
        let refused = bench.replay(&recording("demo"), command).exits(2);
        assert!(refused.error().1.contains("mirror.db"), "{refused:?}");
    }
    let mut after = read_tree(&bench.mirror());
    after.remove("lock");
    assert_eq!(after, before);
}

#[test]
fn an_index_whose_creation_was_interrupted_is_created_again() {
    // The file exists before the first commit. It is empty, or it has only its journal mode.
    let bench = Bench::new();
    fs::create_dir_all(bench.mirror()).unwrap();
    fs::write(bench.mirror().join("mirror.db"), "").unwrap();
    bench.replay(&recording("demo"), &FETCH_ARM64).exits(0);

    let bench = Bench::new();
    fs::create_dir_all(bench.mirror()).unwrap();
    let index = rusqlite::Connection::open(bench.mirror().join("mirror.db")).unwrap();
    index.pragma_update(None, "journal_mode", "WAL").unwrap();
    drop(index);
    bench.replay(&recording("demo"), &FETCH_ARM64).exits(0);

    // The database of another program is refused.
    let bench = Bench::new();
    fs::create_dir_all(bench.mirror()).unwrap();
    let other = rusqlite::Connection::open(bench.mirror().join("mirror.db")).unwrap();
    other.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(other);
    let refused = bench.replay(&recording("demo"), &FETCH_ARM64).exits(2);
    let index = bench.mirror().join("mirror.db");
    let message = format!("{index} is not an index of kbmirror");
    assert_eq!(refused.error(), failure("usage", message));
    assert_eq!(bench.rows("SELECT name FROM sqlite_schema"), [["theirs"]]);
}

#[test]
fn a_held_lock_exits_8() {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &FETCH_ARM64).exits(0);
    let lock = Lock::acquire(&bench.mirror().join("lock"), "2026-11-23T08:00:00Z").unwrap();
    for command in [&FETCH_ARM64[..], &["crawl", "KB5086672"]] {
        let ran = bench.replay(&recording("demo"), command).exits(8);
        let own = format!("process {}, since 2026-11-23T08:00:00Z", std::process::id());
        let message = format!("another process ({own}) has locked the mirror");
        assert_eq!(ran.error(), failure("busy", message));
    }
    // Readers need no lock.
    bench.json(&["list"]).exits(0);
    bench.json(&["resolve", "KB5086672", "--arch", "arm64"]).exits(0);
    drop(lock);
    bench.replay(&recording("demo"), &FETCH_ARM64).exits(0);
}
