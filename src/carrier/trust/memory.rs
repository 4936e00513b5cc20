//! The memory of a mirror about the media that it took: the newest set of each lineage, which sets were taken to their end, and
//! the newest list of export keys. So an older set is known as one, the same set is not taken twice, and a key that was
//! replaced opens nothing any more. Kept in the index, written in the transaction that takes a set's content.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::keys::KeyList;
use super::signed::Signed;
use crate::carrier::medium::refused;
use crate::clock::Time;
use crate::error::{Error, ErrorKind, Result};
use crate::mirror::index::{Index, Transaction};
use crate::mirror::{Access, Mirror};
use crate::update::Sha256;

/// The memory of a lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastImport {
    /// The number of the newest set.
    pub seq: u64,
    /// The digest of its `set.json`.
    pub set_id: Sha256,
    /// The time of its export.
    pub created: String,
    /// The time of the last import of the lineage, RFC 3339; unknown where version 0.1 did.
    #[serde(default)]
    pub imported: Option<String>,
    /// Sets that were published to their end, by their digests.
    pub(in crate::carrier) finished: BTreeSet<Sha256>,
}

const LAST_IMPORT: &str = "import:";

fn key_of(lineage: &str) -> String {
    format!("{LAST_IMPORT}{lineage}")
}

/// Before the id of a root key: the newest list of export keys that it signed.
const NEWEST_KEYS: &str = "export-keys:";

fn newest_keys(index: &Index, signed: &Signed) -> Result<Option<KeyList>> {
    let Some(text) = index.meta(&format!("{NEWEST_KEYS}{}", signed.root_key.id()))? else {
        return Ok(None);
    };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Error::new(ErrorKind::Internal, "the index does not know its export keys").caused_by(error)
    })
}

/// Refuses a set whose export key was replaced since: a later list, which came with a medium that was taken, does not have
/// it any more. Whoever holds the old key and the old list makes nothing with them.
pub(in crate::carrier) fn refuse_replaced_key(signed: &Signed, mirror: &Mirror<impl Access>) -> Result<()> {
    let Some(newest) = newest_keys(mirror.index(), signed)? else { return Ok(()) };
    let still = newest.export_keys.iter().any(|row| row.key == signed.export_key);
    if still || signed.key_list.version >= newest.version {
        return Ok(());
    }
    Err(refused(format!(
        "set {} is signed with {}, which was replaced: version {} of the list of export keys does not have it",
        signed.set.label(),
        signed.export_key.short(),
        newest.version
    ))
    .hint("export again on the connected side; a medium that claims to be new and has an old key is no good sign"))
}

/// Returns the newest set that was taken of each lineage.
pub fn last_imports(mirror: &Mirror<impl Access>) -> Result<Vec<LastImport>> {
    mirror.index().meta_of(LAST_IMPORT)?.iter().map(|(_, text)| read_last(text)).collect()
}

fn read_last(text: &str) -> Result<LastImport> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Internal, "the index does not know its last import").caused_by(error)
    })
}

/// Returns the newest set that was taken of a lineage.
pub(in crate::carrier) fn last_import(
    mirror: &Mirror<impl Access>,
    lineage: &str,
) -> Result<Option<LastImport>> {
    mirror.index().meta(&key_of(lineage))?.map(|text| read_last(&text)).transpose()
}

/// Returns the memory of a lineage once a set is begun; its number never goes back.
pub(in crate::carrier) fn noted(signed: &Signed, last: Option<LastImport>, now: Time) -> LastImport {
    let imported = Some(now.to_string());
    let new = LastImport {
        seq: signed.set.seq,
        set_id: signed.set_id,
        created: signed.set.created.clone(),
        imported: imported.clone(),
        finished: BTreeSet::new(),
    };
    match last {
        Some(last) if last.seq > new.seq => LastImport { imported, ..last },
        Some(last) => LastImport { finished: last.finished, ..new },
        None => new,
    }
}

/// Records the memory of a lineage.
pub(in crate::carrier) fn note(index: &Transaction<'_>, signed: &Signed, noted: &LastImport) -> Result<()> {
    let text = serde_json::to_string(noted).map_err(Error::cannot_write_json)?;
    index.replace_meta(&key_of(&signed.set.lineage), &text)?;
    if newest_keys(index, signed)?.is_some_and(|known| known.version >= signed.key_list.version) {
        return Ok(());
    }
    let list = serde_json::to_string(&signed.key_list).map_err(Error::cannot_write_json)?;
    index.replace_meta(&format!("{NEWEST_KEYS}{}", signed.root_key.id()), &list)
}
