//! The read-back of a medium that was just written, with the checks of the receiving side.

use super::planned::TargetPlan;
use crate::carrier::read::examine_open;
use crate::carrier::trust::{PublicKey, TrustedRoots};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events};

/// A medium that was read back and holds the written content.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadBack {
    /// The number of files under `data/`.
    pub(super) files: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// `true` if the system accepted the advice to drop the cached bytes of every file.
    pub(super) is_dropped: bool,
}

/// Reads everything as the receiving side will.
pub(super) fn read_back(planned: &TargetPlan<'_>, root_key: &PublicKey, events: &Events) -> Result<ReadBack> {
    events.send(Event::Phase("reading everything back".to_owned()));
    // All files were synced, so their cached bytes can be dropped. Only these files: other caches of the host are
    // not touched.
    let dropped = planned.manifest.keys().filter(|path| planned.target.drop_cached(path)).count();
    let trust = TrustedRoots { keys: vec![root_key.clone()], on_first_use: false };
    let spoiled = |error: Error| {
        error
            .with_kind(ErrorKind::Medium)
            .context("the medium does not have the written content")
            .hint("do not use the medium; try another medium, reader, or cable")
    };
    let examined = examine_open(planned.target.folder()?.clone(), &trust).map_err(spoiled)?;
    if let Some(error) = examined.missing_error() {
        return Err(spoiled(error));
    }
    let (files, bytes) = examined.read_all(events).map_err(spoiled)?;
    Ok(ReadBack { files, bytes, is_dropped: dropped == planned.manifest.len() })
}
