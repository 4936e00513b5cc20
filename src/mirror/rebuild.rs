//! Rebuilds the index from the published sets: `kb/*/KB*.json` and the pool.
//!
//! The JSON files count as statements of the Catalog. Pool files are matched by name and size. A missing file of a
//! set, or one of another size, is recorded as damage, so that the set is known and can be repaired. Facts that
//! never belonged to a published KB are lost until a crawl finds them again. A JSON file that cannot be read is
//! named and stops the rebuild: an operator who removes it decides that its KB is lost.

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::entry_fault::entry_fault;
use super::index::{NewDamage, PublishState, Transaction};
use super::layout::Layout;
use super::lock::Lock;
use super::restore::{restore_set, restore_update};
use crate::clock::Time;
use crate::disk::{self, Entry};
use crate::documents::{FileLine, KB_JSON_FORMAT, KbDocument};
use crate::error::{Error, Result};
use crate::facts::FileKey;
use crate::servicing::Knowledge;
use crate::update::{Digests, Kb};

/// The size limit of a KB's document, far above any real one.
const JSON_CAP: u64 = 64 * 1024 * 1024;

/// Fills an empty index. Returns the number of sets.
pub(super) fn rebuild(
    layout: &Layout,
    index: &Transaction<'_>,
    knowledge: &Knowledge,
    now: Time,
) -> Result<usize> {
    let mut sets = 0;
    for name in disk::list(&layout.kbs())? {
        let Ok(kb) = name.parse::<Kb>() else { continue };
        let path = layout.kb_json(kb);
        if !disk::exists(&path) {
            continue;
        }
        let document = read_document(&path)?;
        index.set_meta("origin", &document.origin)?;
        for update in &document.updates {
            restore_update(index, update, document.kb, now)?;
        }
        for set in &document.sets {
            let (id, absent) = restore_set(layout, index, document.kb, set, knowledge, now)
                .map_err(|error| error.context(&path))?;
            let mut is_known = true;
            for (key, file) in absent {
                is_known &= record_missing(layout, index, key, file, now)?;
            }
            if is_known {
                index.set_published(document.kb, &set.folder, id, PublishState::Published, now)?;
            }
            sets += 1;
        }
    }
    Ok(sets)
}

/// Records a file that was in the pool and is now missing or of another size, as damage that `repair` and `fetch`
/// fix. Returns `false` if the document does not have its digests.
fn record_missing(
    layout: &Layout,
    index: &Transaction<'_>,
    key: FileKey,
    file: &FileLine,
    now: Time,
) -> Result<bool> {
    let (Some(sha1), Some(sha256), Some(size)) = (file.sha1, file.sha256, file.size) else {
        return Ok(false);
    };
    index.record_pooled(key, &Digests { sha1, sha256, size }, &[], now)?;
    let path = layout.pool_file(&sha256);
    let Some((kind, message)) = entry_fault(disk::entry(&path), size) else { return Ok(true) };
    let path = layout.portable(&path);
    let damage = NewDamage { path, kb: None, folder: None, sha256: Some(sha256), kind, message };
    index.record_damage(&damage, "rebuilding the index", now)?;
    Ok(true)
}

/// Reads the document of a KB.
pub(super) fn read_document(path: &Utf8Path) -> Result<KbDocument> {
    let text = disk::read_text(path, JSON_CAP)?;
    let unreadable = |error: serde_json::Error| {
        Error::usage(format!("cannot rebuild the index: {path} cannot be read"))
            .caused_by(error)
            .hint("restore a backup of mirror.db, or remove this file and lose its KB")
    };
    let header: serde_json::Value = serde_json::from_str(&text).map_err(unreadable)?;
    let format = header.get("format").and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX);
    if format > u64::from(KB_JSON_FORMAT) {
        let message =
            format!("{path} has format {format}; this program reads formats up to {KB_JSON_FORMAT}");
        return Err(
            Error::usage(message).hint("use the version of kbmirror that wrote the file, or a newer one")
        );
    }
    serde_json::from_value(header).map_err(unreadable)
}

/// Returns the origin that the documents of published KBs state, or `None` if no document exists.
pub fn stored_origin(layout: &Layout) -> Result<Option<String>> {
    for name in disk::list(&layout.kbs())? {
        let Ok(kb) = name.parse::<Kb>() else { continue };
        if let Ok(document) = read_document(&layout.kb_json(kb)) {
            return Ok(Some(document.origin));
        }
    }
    Ok(None)
}

/// Moves the index of a mirror to `quarantine/`, so that the next command that writes builds it again. Returns the
/// new path, relative to the mirror, or `None` if no index exists.
pub fn quarantine_index(layout: &Layout, now: Timestamp) -> Result<Option<Utf8PathBuf>> {
    let _lock = Lock::acquire(&layout.lock(), &now.to_string())?;
    if disk::entry(layout.index())? == Entry::Missing {
        return Ok(None);
    }
    disk::create_dir_all(&layout.quarantine())?;
    let place = |number: u32| layout.quarantine().join(format!("evidence-mirror.db-{number}"));
    let kept = (1..=u32::MAX).map(place).find(|path| !disk::exists(path)).unwrap_or_default();
    // The journal with changes that SQLite has not yet written into the file is moved too.
    for end in ["-wal", "-shm", ""] {
        let from = Utf8PathBuf::from(format!("{}{end}", layout.index()));
        if disk::exists(&from) {
            disk::rename(&from, &Utf8PathBuf::from(format!("{kept}{end}")))?;
        }
    }
    Ok(Some(layout.portable(&kept)))
}
