//! What a mirror remembers of the media that it took: the newest set of each lineage, which sets were taken to their end, and
//! the newest list of export keys. So an older set is known as one, the same set is not taken twice, and a key that was
//! replaced opens nothing any more. Kept in the index, written in the transaction that takes a set's content.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::check::Examined;
use super::keys::KeyList;
use super::medium::refused;
use crate::clock::Time;
use crate::error::{Error, ErrorKind, Result};
use crate::mirror::index::{Index, Transaction};
use crate::mirror::{Access, Mirror};
use crate::update::Sha256;

/// What the index remembers of a lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastImport {
    /// The number of the newest set.
    pub seq: u64,
    /// Which set that was.
    pub set_id: Sha256,
    /// When it was made.
    pub created: String,
    /// When content of the lineage was imported last, RFC 3339; unknown where version 0.1 did.
    #[serde(default)]
    pub imported: Option<String>,
    /// Sets that were published to their end, by their digests.
    pub(super) finished: BTreeSet<Sha256>,
}

const LAST_IMPORT: &str = "import:";

fn key_of(lineage: &str) -> String {
    format!("{LAST_IMPORT}{lineage}")
}

/// Before the id of a root key: the newest list of export keys that it signed.
const NEWEST_KEYS: &str = "export-keys:";

fn newest_keys(index: &Index, examined: &Examined) -> Result<Option<KeyList>> {
    let Some(text) = index.meta(&format!("{NEWEST_KEYS}{}", examined.root_key.id()))? else {
        return Ok(None);
    };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Error::new(ErrorKind::Internal, "the index does not know its export keys").caused_by(error)
    })
}

/// Refuses a set whose export key was replaced since: a later list, which came with a medium that was taken, does not have
/// it any more. Whoever holds the old key and the old list makes nothing with them.
pub fn refuse_replaced_key(examined: &Examined, mirror: &Mirror<impl Access>) -> Result<()> {
    let Some(newest) = newest_keys(mirror.index(), examined)? else { return Ok(()) };
    let still = newest.export_keys.iter().any(|row| row.key == examined.export_key);
    if still || examined.key_list.version >= newest.version {
        return Ok(());
    }
    Err(refused(format!(
        "set {} is signed with {}, which was replaced: version {} of the list of export keys does not have it",
        examined.set.label(),
        examined.export_key.short(),
        newest.version
    ))
    .hint("export again on the connected side; a medium that claims to be new and has an old key is no good sign"))
}

/// The newest set that was taken of each lineage.
pub fn last_imports(mirror: &Mirror<impl Access>) -> Result<Vec<LastImport>> {
    mirror.index().meta_of(LAST_IMPORT)?.iter().map(|(_, text)| read_last(text)).collect()
}

fn read_last(text: &str) -> Result<LastImport> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Internal, "the index does not know its last import").caused_by(error)
    })
}

/// The newest set that was taken of a lineage.
pub(super) fn last_import(mirror: &Mirror<impl Access>, lineage: &str) -> Result<Option<LastImport>> {
    mirror.index().meta(&key_of(lineage))?.map(|text| read_last(&text)).transpose()
}

/// What is to be remembered once a set is begun; the number of a lineage never goes back.
pub(super) fn noted(examined: &Examined, last: Option<LastImport>, now: Time) -> LastImport {
    let imported = Some(now.to_string());
    let new = LastImport {
        seq: examined.set.seq,
        set_id: examined.set_id,
        created: examined.set.created.clone(),
        imported: imported.clone(),
        finished: BTreeSet::new(),
    };
    match last {
        Some(last) if last.seq > new.seq => LastImport { imported, ..last },
        Some(last) => LastImport { finished: last.finished, ..new },
        None => new,
    }
}

/// Remembers it.
pub(super) fn note(index: &Transaction<'_>, examined: &Examined, noted: &LastImport) -> Result<()> {
    let text = serde_json::to_string(noted).map_err(Error::cannot_write_json)?;
    index.replace_meta(&key_of(&examined.set.lineage), &text)?;
    if newest_keys(index, examined)?.is_some_and(|known| known.version >= examined.key_list.version) {
        return Ok(());
    }
    let list = serde_json::to_string(&examined.key_list).map_err(Error::cannot_write_json)?;
    index.replace_meta(&format!("{NEWEST_KEYS}{}", examined.root_key.id()), &list)
}
