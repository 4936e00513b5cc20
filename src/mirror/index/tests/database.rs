//! The database: its format, and files that are not an index.

use super::*;

fn pragma(connection: &Connection, name: &str) -> i64 {
    connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
}

#[test]
fn empty_database_gets_the_newest_format() {
    let (_guard, folder) = folder();
    let path = folder.join("deep").join("mirror.db");
    let index = Index::open(&path).unwrap();
    assert_eq!(pragma(&index.connection, "user_version"), 4);
    assert_eq!(pragma(&index.connection, "application_id"), 0x4b42_4d49);
    assert_eq!(pragma(&index.connection, "foreign_keys"), 1);
    index.autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    drop(index);
    let index = Index::open(&path).unwrap();
    assert_eq!(count(&index, "updates"), 1, "opening it again changes nothing");
    let in_memory = Index::in_memory();
    let schema = |index: &Index| -> Vec<String> {
        index
            .rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(schema(&index), schema(&in_memory));
}

#[test]
fn index_opened_for_reading_cannot_be_changed() {
    let (_guard, folder) = folder();
    let path = folder.join("mirror.db");
    assert!(Index::open_read_only(&path).is_err(), "it must be there");
    assert!(!disk::exists(&path));
    Index::open(&path).unwrap().autocommit().record_update(&update(1, TITLE_24H2), MONDAY).unwrap();
    let index = Index::open_read_only(&path).unwrap();
    assert!(index.knows_kb(kb("KB5129195")).unwrap());
    assert!(index.autocommit().record_update(&update(2, TITLE_25H2), MONDAY).is_err());
    assert_eq!(count(&index, "updates"), 1);
}

#[test]
fn newer_format_is_refused_and_unchanged() {
    let (_guard, folder) = folder();
    let path = folder.join("mirror.db");
    drop(Index::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = disk::read(&path, 1 << 20).unwrap();
    for error in [Index::open(&path).unwrap_err(), Index::open_read_only(&path).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.message().contains("format 99") && error.message().contains(path.as_str()), "{error}");
        assert_eq!(error.hints().len(), 1);
    }
    assert_eq!(disk::read(&path, 1 << 20).unwrap(), before);
}

#[test]
fn file_that_is_not_an_index_is_refused_with_its_path() {
    let (_guard, folder) = folder();
    let text = folder.join("notes.txt");
    let words = "Not a database at all. ".repeat(100);
    disk::write_atomic(&text, words.as_bytes()).unwrap();
    for error in [Index::open(&text).unwrap_err(), Index::open_read_only(&text).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(error.message().contains(text.as_str()), "{error}");
    }
    assert_eq!(disk::read(&text, 1 << 20).unwrap(), words.as_bytes());
    let empty = folder.join("empty.db");
    disk::write_atomic(&empty, b"").unwrap();
    let error = Index::open_read_only(&empty).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.message().contains(empty.as_str()), "{error}");
}

#[test]
fn database_of_another_program_is_refused_and_unchanged() {
    let (_guard, folder) = folder();
    for version in [0, 1] {
        let path = folder.join(format!("other-{version}.db"));
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE photos (id INTEGER PRIMARY KEY)").unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        drop(connection);
        let before = disk::read(&path, 1 << 20).unwrap();
        for opened in [Index::open_read_only(&path), Index::open(&path)] {
            let error = opened.expect_err("it is not ours");
            assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
            assert!(error.message().contains(path.as_str()), "{error}");
        }
        assert_eq!(disk::read(&path, 1 << 20).unwrap(), before);
    }
}

#[test]
fn every_view_can_be_queried() {
    let index = Index::in_memory();
    let views = objects(&index, "view");
    assert_eq!(
        views,
        ["v_damage", "v_files", "v_needs", "v_sets", "v_supersedes", "v_update_files", "v_updates"]
    );
    for view in &views {
        assert_eq!(count(&index, view), 0, "{view}");
    }
    record_all(&index, MONDAY);
    for view in &views {
        assert!(!column_names(&index, view).is_empty());
        assert!(count(&index, view) > 0, "{view}");
    }
}

#[test]
fn meta_values_are_set_once_and_runs_are_recorded() {
    let index = Index::in_memory();
    assert_eq!(index.meta("origin").unwrap(), None);
    index.autocommit().set_meta("origin", "live").unwrap();
    index.autocommit().set_meta("origin", "replay").unwrap();
    assert_eq!(index.meta("origin").unwrap().as_deref(), Some("live"), "set once");
    let run = index.autocommit().start_run("crawl", MONDAY).unwrap();
    assert_ne!(index.autocommit().start_run("fetch", MONDAY).unwrap(), run);
    index.autocommit().finish_run(run, TUESDAY, 5, u64::MAX, 7).unwrap();
    let sql = "SELECT finished, exit_code, requests, bytes_downloaded FROM runs WHERE id = ?1";
    let ended: (Time, i64, i64, i64) = index
        .connection
        .query_row(sql, [run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap();
    assert_eq!(ended, (TUESDAY, 5, i64::MAX, 7));
}

#[test]
fn migration_from_the_first_format_keeps_the_rows() {
    let (_guard, folder) = folder();
    let path = folder.join("mirror.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../schema_1.sql")).unwrap();
    old.pragma_update(None, "application_id", 0x4b42_4d49).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute_batch(
        "INSERT INTO updates (update_id, mentioned_only, title, kb, kind, first_seen, last_seen)
         VALUES ('00000000-0000-0000-0000-000000000001', 0, 'x', 5094141, 'ssu', 1, 1)",
    )
    .unwrap();
    drop(old);
    // A read-only index is read in its own format.
    let read_only = Index::open_read_only(&path).unwrap();
    let facts = read_only.facts_of(&[kb("KB5094141")].into()).unwrap();
    assert_eq!((facts.updates.len(), &facts.updates[0].expired), (1, &None));
    assert_eq!(pragma(&read_only.connection, "user_version"), 1);
    assert_eq!(read_only.damage().unwrap(), [], "an older index states no damage");
    assert!(!read_only.is_damaged(&sha256(2)).unwrap());
    drop(read_only);
    let index = Index::open(&path).unwrap();
    assert_eq!(pragma(&index.connection, "user_version"), 4);
    let stacks = index.updates_of_kinds(&[crate::update::Kind::Ssu]).unwrap();
    assert_eq!(stacks.len(), 1);
    assert_eq!(stacks[0].kb, Some(kb("KB5094141")));
}
