//! The placement of imported files in the pool, also in place of damaged or missing pool files.

use std::collections::BTreeSet;

use super::staging::StagedFiles;
use crate::clock::Time;
use crate::documents::HealedFile;
use crate::error::{Error, ErrorKind, Result};
use crate::mirror::{Mirror, RunInfo, VettedFile, WriteAccess};
use crate::update::Sha256;

/// Moves the staged files into the pool. Returns the pool files that were damaged or missing.
pub(super) fn move_to_pool(
    staged: &StagedFiles,
    mirror: &mut Mirror<WriteAccess>,
    now: Time,
) -> Result<Vec<HealedFile>> {
    let known: BTreeSet<Sha256> = mirror.index().pool()?.into_iter().map(|(_, sha256, _)| sha256).collect();
    let mut healed = Vec::new();
    for (sha256, (staged_path, digests)) in staged {
        let vetted = VettedFile::by_manifest(staged_path, *digests, sha256).ok_or_else(|| {
            Error::new(ErrorKind::Integrity, format!("{staged_path} is not the file {sha256}"))
        })?;
        let kept = mirror.place_in_pool(&vetted, RunInfo { command: "import", now })?;
        if kept.is_some() || known.contains(sha256) {
            let layout = mirror.layout();
            healed.push(HealedFile {
                path: layout.portable(&layout.pool_file(sha256)),
                kept: kept.map(|kept| layout.portable(&kept)),
            });
        }
    }
    Ok(healed)
}
