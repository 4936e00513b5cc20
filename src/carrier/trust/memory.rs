//! The memory of a mirror about imported media: the newest set of each lineage, the completely imported sets, and
//! the newest list of export keys. With this memory an older set is detected, the same set is not imported twice,
//! and a replaced key is refused.
//!
//! The memory is kept in `state.json`, which survives the loss of the index. It is written before the index takes
//! the content of a set. After an interruption in between, the memory may name a set too many, but never one too
//! few. If the memory is lost, nothing is imported until the operator accepts the lineage of the medium.

use std::collections::BTreeSet;

use super::keys::KeyList;
use super::signed::SignedSet;
use crate::carrier::medium::refused;
use crate::clock::Time;
use crate::documents::{LastImport, StateDocument};
use crate::error::{Error, ErrorKind, Result};
use crate::mirror::{Access, Mirror, MirrorState, WriteAccess};

/// The name of the file in messages.
const STATE: &str = "state.json";

/// Returns the memory of the importing mirror. If the memory is lost, begins a new one when the caller accepts the
/// lineage, and otherwise refuses.
pub(in crate::carrier) fn load_memory(
    mirror: &Mirror<impl Access>,
    accept_lineage: bool,
) -> Result<StateDocument> {
    match mirror.load_state()? {
        MirrorState::Known(state) => Ok(state),
        MirrorState::Lost if accept_lineage => Ok(StateDocument::new()),
        MirrorState::Lost => Err(refused(format!(
            "{} is missing, so older sets and replaced keys cannot be detected",
            mirror.layout().state()
        ))
        .hint("put state.json back from a backup")
        .hint("or compare the set and its date with the connected side, then import with --accept-lineage")),
    }
}

fn newest_keys(state: &StateDocument, signed: &SignedSet) -> Result<Option<KeyList>> {
    let Some(list) = state.export_keys.get(&signed.root_key.id()) else { return Ok(None) };
    serde_json::from_value(list.clone()).map(Some).map_err(|error| {
        Error::new(ErrorKind::Integrity, format!("{STATE} has a list of export keys that cannot be read"))
            .caused_by(error)
    })
}

/// Refuses a set whose export key was replaced: a later list, which came with an imported medium, no longer has the
/// key. An attacker with the old key and the old list cannot use them.
pub(in crate::carrier) fn refuse_replaced_key(signed: &SignedSet, state: &StateDocument) -> Result<()> {
    let Some(newest) = newest_keys(state, signed)? else { return Ok(()) };
    let still = newest.export_keys.iter().any(|row| row.key == signed.export_key);
    if still || signed.key_list.version >= newest.version {
        return Ok(());
    }
    Err(refused(format!(
        "set {} is signed with {}, which was replaced: version {} of the list of export keys does not contain it",
        signed.set.label(),
        signed.export_key.short(),
        newest.version
    ))
    .hint("export again on the connected side; a newer set that is signed with an older key may be tampered with"))
}

/// Returns the newest imported set of each lineage. The list is empty if the memory is lost.
pub fn last_imports(mirror: &Mirror<impl Access>) -> Result<Vec<LastImport>> {
    Ok(mirror.load_state()?.known().map(|state| state.imports.into_values().collect()).unwrap_or_default())
}

/// Returns the newest imported set of the lineage of a set, or `None` if the list of the set revokes its key.
pub(in crate::carrier) fn last_import(state: &StateDocument, signed: &SignedSet) -> Option<LastImport> {
    let last = state.imports.get(&signed.set.lineage)?;
    // A set under a revoked key does not decide which sets are older: an attacker could have used any number.
    let is_revoked =
        signed.key_list.retired.iter().any(|row| row.revoked && Some(row.key.id()) == last.export_key);
    (!is_revoked).then(|| last.clone())
}

/// Returns the memory of a lineage after the import of a set has begun. Its number never decreases.
pub(in crate::carrier) fn updated_memory(
    signed: &SignedSet,
    last: Option<LastImport>,
    now: Time,
) -> LastImport {
    let imported = Some(now.to_string());
    let new = LastImport {
        seq: signed.set.seq,
        number: signed.set.number,
        set_id: signed.set_id,
        created: signed.set.created.clone(),
        imported: imported.clone(),
        export_key: Some(signed.export_key.id()),
        finished: BTreeSet::new(),
    };
    match last {
        Some(last) if last.seq > new.seq => LastImport { imported, ..last },
        Some(last) => LastImport { finished: last.finished, ..new },
        None => new,
    }
}

/// Records the memory of a lineage, and the list of export keys if it is the newest.
pub(in crate::carrier) fn save_memory(
    mirror: &mut Mirror<WriteAccess>,
    state: &mut StateDocument,
    signed: &SignedSet,
    noted: &LastImport,
) -> Result<()> {
    state.imports.insert(signed.set.lineage.clone(), noted.clone());
    if newest_keys(state, signed)?.is_none_or(|known| known.version < signed.key_list.version) {
        let list = serde_json::to_value(&signed.key_list).map_err(Error::cannot_write_json)?;
        state.export_keys.insert(signed.root_key.id(), list);
    }
    mirror.save_state(state)
}
