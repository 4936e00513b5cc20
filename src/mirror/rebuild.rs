//! An index made anew from what is published: `kb/*/KB*.json` and the pool.
//!
//! The JSON files count as statements of the Catalog. Files of the pool are taken by their names and sizes, and
//! a set whose bytes are not all here stays recorded and is not published. Facts that never were part of a published KB
//! are lost; a crawl brings them back. A JSON file that cannot be read is named and stops the rebuilding: an operator who
//! removes it decides that its KB is lost.

use super::index::{PublishState, Transaction};
use super::layout::Layout;
use super::restore::{restore_set, restore_update};
use crate::clock::Time;
use crate::disk;
use crate::documents::{KB_JSON_FORMAT, KbDocument};
use crate::error::{Error, Result};
use crate::servicing::Knowledge;
use crate::update::Kb;

/// Far more than any KB has to say.
const JSON_CAP: u64 = 64 * 1024 * 1024;

/// Fills an empty index; returns how many sets there are in it then.
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
        let text = disk::read_text(&path, JSON_CAP)?;
        let unreadable = |error: serde_json::Error| {
            Error::usage(format!("{path} cannot be read, so the index cannot be rebuilt"))
                .caused_by(error)
                .hint("put mirror.db back, or remove this file to give its KB up")
        };
        let header: serde_json::Value = serde_json::from_str(&text).map_err(unreadable)?;
        let format = header.get("format").and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX);
        if format > u64::from(KB_JSON_FORMAT) {
            let message =
                format!("{path} has format {format}; this program reads formats up to {KB_JSON_FORMAT}");
            return Err(
                Error::usage(message).hint("use the version of kbmirror that wrote it, or a newer one")
            );
        }
        let document: KbDocument = serde_json::from_value(header).map_err(unreadable)?;
        index.set_meta("origin", &document.origin)?;
        for update in &document.updates {
            restore_update(index, update, document.kb, now)?;
        }
        for set in &document.sets {
            let (id, whole) = restore_set(layout, index, document.kb, set, knowledge, now)
                .map_err(|error| error.context(&path))?;
            if whole && disk::exists(&layout.set(document.kb, &set.folder)) {
                index.set_published(document.kb, &set.folder, id, PublishState::Published, now)?;
            }
            sets += 1;
        }
    }
    Ok(sets)
}
