//! The file `state.json`, and the corresponding values of an older index.
//!
//! A file that cannot be read, or of a newer format, is an error that names it. The meaning of a missing file is
//! decided by the caller.

use super::index::{Index, Transaction};
use super::layout::Layout;
use crate::disk;
use crate::documents::{LastImport, STATE_FORMAT, StateDocument};
use crate::error::{Error, ErrorKind, Result};

/// The index key that marks a mirror with imported content.
pub(crate) const IMPORTED: &str = "imported";

/// The index key that records the existence of `state.json`.
pub(super) const EXPECTED: &str = "state_json";

/// The size limit of the file, above any real one: a lineage takes some hundred bytes and a finished set 70.
const CAP: u64 = 16 << 20;

/// The keys of the values in the table `meta` of an older index.
const OLD_MIRROR_ID: &str = "mirror_id";
const OLD_EXPORT_SEQ: &str = "export_seq";
const OLD_IMPORT: &str = "import:";
const OLD_KEYS: &str = "export-keys:";
/// All keys and key prefixes of an older index.
pub(super) const OLD: [&str; 4] = [OLD_MIRROR_ID, OLD_EXPORT_SEQ, OLD_IMPORT, OLD_KEYS];

/// Records that `state.json` must exist.
pub(super) fn require_state(index: &Transaction<'_>) -> Result<()> {
    index.set_meta(EXPECTED, "1")
}

/// Records in an index that is being rebuilt whether a state was lost: package sets and the keys of a mirror that
/// exports or imports exist, and the state does not.
pub(super) fn record_rebuild(layout: &Layout, index: &Transaction<'_>) -> Result<()> {
    let keys = layout.keys();
    let has_media = ["export.key", "trusted.txt"].iter().any(|name| disk::exists(&keys.join(name)));
    let Some(state) = read(layout)? else {
        return if has_media && layout.has_content()? { require_state(index) } else { Ok(()) };
    };
    // A mirror with imported content gets its content from media from now on too.
    match state.imports.values().next() {
        Some(last) => index.set_meta(IMPORTED, &last.set_id.to_string()),
        None => Ok(()),
    }
}

/// Removes the state of a new mirror that is still empty.
pub(super) fn remove_if_new(layout: &Layout) -> Result<()> {
    if read(layout)?.is_some_and(|state| state == StateDocument::new()) {
        disk::remove_file(&layout.state())?;
    }
    Ok(())
}

/// Reads the file, or returns `None` if it does not exist.
pub(super) fn read(layout: &Layout) -> Result<Option<StateDocument>> {
    let path = layout.state();
    if disk::entry(&path)? == disk::Entry::Missing {
        return Ok(None);
    }
    let unreadable = |error: serde_json::Error| {
        Error::new(ErrorKind::Integrity, format!("{path} cannot be read: {error}"))
            .hint("restore the file from a backup, or move it away and follow the next message")
    };
    let text = disk::read_text(&path, CAP)?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(unreadable)?;
    let format = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX);
    if format > u64::from(STATE_FORMAT) {
        let message = format!("{path} has format {format}; this program reads formats up to {STATE_FORMAT}");
        return Err(
            Error::usage(message).hint("use the version of kbmirror that wrote the file, or a newer one")
        );
    }
    serde_json::from_value(value).map(Some).map_err(unreadable)
}

/// Returns the state from an index that was created before the file existed.
pub(super) fn state_of_older_index(index: &Index) -> Result<StateDocument> {
    let broken = |what: &str, error: serde_json::Error| {
        Error::new(ErrorKind::Internal, format!("cannot read the {what} in the index")).caused_by(error)
    };
    let mut state = StateDocument::new();
    state.mirror_id = index.meta(OLD_MIRROR_ID)?;
    state.export_seq = index.meta(OLD_EXPORT_SEQ)?.and_then(|text| text.parse().ok()).unwrap_or_default();
    for (key, text) in index.meta_with_prefix(OLD_IMPORT)? {
        let last: LastImport = serde_json::from_str(&text).map_err(|error| broken("last import", error))?;
        state.imports.insert(key[OLD_IMPORT.len()..].to_owned(), last);
    }
    for (key, text) in index.meta_with_prefix(OLD_KEYS)? {
        let list = serde_json::from_str(&text).map_err(|error| broken("export keys", error))?;
        state.export_keys.insert(key[OLD_KEYS.len()..].to_owned(), list);
    }
    Ok(state)
}
