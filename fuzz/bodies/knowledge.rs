//! Arbitrary bytes: the name of a knowledge table in the first line, and its text after it. Accepted tables can be
//! used.

use std::sync::OnceLock;

use kbmirror::servicing::{Knowledge, Tables, rows_of};

/// Returns `true` if the tables with this table are accepted and have no contradictions.
pub(crate) fn check(bytes: &[u8]) -> bool {
    static BUILT_IN: OnceLock<Tables<'static>> = OnceLock::new();
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (name, text) = text.split_once('\n').unwrap_or((text, ""));
    let mut tables = *BUILT_IN.get_or_init(Tables::built_in);
    if !tables.replace(name, text) {
        return false;
    }
    let own = Tables::NAMES.iter().find(|own| **own == name);
    let rows = own.map(|own| rows_of(own, text));
    let Ok(knowledge) = Knowledge::parse(tables) else { return false };
    assert!(rows.is_some_and(|rows| rows.is_ok()), "the rows of an accepted table cannot be read");
    // Contradictions are reported and cause no panic.
    let is_consistent = knowledge.check().is_ok();
    let _digest = knowledge.digest();
    for family in knowledge.families() {
        assert!(!family.folder.is_empty(), "a family without a folder");
    }
    is_consistent
}
