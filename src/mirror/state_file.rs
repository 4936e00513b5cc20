//! The file `state.json`, and the values that an older index has in its place.
//!
//! A file that cannot be read, or of a newer format, is an error that names it. Nothing here decides what a missing file means.

use super::index::{Index, Transaction};
use super::layout::Layout;
use crate::disk;
use crate::documents::{LastImport, STATE_FORMAT, StateDocument};
use crate::error::{Error, ErrorKind, Result};

/// The index's word for a mirror that a medium has filled.
pub(crate) const IMPORTED: &str = "imported";

/// The note of the index that `state.json` exists.
pub(super) const EXPECTED: &str = "state_json";

/// More than the memory of any mirror: a lineage takes some hundred bytes and a finished set 70.
const CAP: u64 = 16 << 20;

/// The names of the values in the table `meta` of an older index.
const OLD_MIRROR_ID: &str = "mirror_id";
const OLD_EXPORT_SEQ: &str = "export_seq";
const OLD_IMPORT: &str = "import:";
const OLD_KEYS: &str = "export-keys:";
/// All of them.
pub(super) const OLD: [&str; 4] = [OLD_MIRROR_ID, OLD_EXPORT_SEQ, OLD_IMPORT, OLD_KEYS];

/// Notes that `state.json` has to exist.
pub(super) fn expect_state(index: &Transaction<'_>) -> Result<()> {
    index.set_meta(EXPECTED, "1")
}

/// Notes in an index that is being rebuilt if a state was lost with the old one: package sets are there, and the keys of a mirror
/// that exports or imports, and no state.
pub(super) fn note_rebuilt(layout: &Layout, index: &Transaction<'_>) -> Result<()> {
    let keys = layout.keys();
    let has_media = ["export.key", "trusted.txt"].iter().any(|name| disk::exists(&keys.join(name)));
    let Some(state) = read(layout)? else {
        return if has_media && layout.has_content()? { expect_state(index) } else { Ok(()) };
    };
    // Content that came on a medium comes on media from now on too.
    match state.imports.values().next() {
        Some(last) => index.set_meta(IMPORTED, &last.set_id.to_string()),
        None => Ok(()),
    }
}

/// Removes the state of a new mirror into which nothing came.
pub(super) fn unmake(layout: &Layout) -> Result<()> {
    if read(layout)?.is_some_and(|state| state == StateDocument::new()) {
        disk::remove_file(&layout.state())?;
    }
    Ok(())
}

/// Reads the file; `None` if there is none.
pub(super) fn read(layout: &Layout) -> Result<Option<StateDocument>> {
    let path = layout.state();
    if disk::entry(&path)? == disk::Entry::Nothing {
        return Ok(None);
    }
    let unreadable = |error: serde_json::Error| {
        Error::new(ErrorKind::Integrity, format!("{path} cannot be read: {error}"))
            .hint("put the file back from a backup, or move it away and follow the next message")
    };
    let text = disk::read_text(&path, CAP)?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(unreadable)?;
    let format = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX);
    if format > u64::from(STATE_FORMAT) {
        let message = format!("{path} has format {format}; this program reads formats up to {STATE_FORMAT}");
        return Err(Error::usage(message).hint("use the version of kbmirror that wrote it, or a newer one"));
    }
    serde_json::from_value(value).map(Some).map_err(unreadable)
}

/// Returns the state that an index keeps which was made before there was a file.
pub(super) fn of_older_index(index: &Index) -> Result<StateDocument> {
    let broken = |what: &str, error: serde_json::Error| {
        Error::new(ErrorKind::Internal, format!("the index does not know its {what}")).caused_by(error)
    };
    let mut state = StateDocument::new();
    state.mirror_id = index.meta(OLD_MIRROR_ID)?;
    state.export_seq = index.meta(OLD_EXPORT_SEQ)?.and_then(|text| text.parse().ok()).unwrap_or_default();
    for (key, text) in index.meta_of(OLD_IMPORT)? {
        let last: LastImport = serde_json::from_str(&text).map_err(|error| broken("last import", error))?;
        state.imports.insert(key[OLD_IMPORT.len()..].to_owned(), last);
    }
    for (key, text) in index.meta_of(OLD_KEYS)? {
        let list = serde_json::from_str(&text).map_err(|error| broken("export keys", error))?;
        state.export_keys.insert(key[OLD_KEYS.len()..].to_owned(), list);
    }
    Ok(state)
}
