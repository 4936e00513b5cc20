//! Moves unknown files under `kb/` and `pool/` to `quarantine/`, so that they are neither handed out nor lost.

use super::missing::MissingFile;
use crate::disk::{self, Entry};
use crate::documents::{FindingKind, MovedPath, VerifyFinding};
use crate::error::Result;
use crate::mirror::{Mirror, WriteAccess};

/// Moves the foreign paths of a verification. A view that was changed from outside is not moved here: it is kept
/// as evidence when it is rewritten.
pub(super) fn move_foreign(
    mirror: &Mirror<WriteAccess>,
    findings: &[VerifyFinding],
    missing: &[MissingFile],
) -> Result<Vec<MovedPath>> {
    let mut moved = Vec::new();
    for finding in findings.iter().filter(|finding| finding.kind == FindingKind::Foreign) {
        let path = mirror.layout().root().join(&finding.path);
        // An entry at the path of a pool file stays until good bytes replace it.
        let is_place = missing.iter().any(|one| one.path == finding.path);
        if is_place || mirror.is_view(&finding.path) || disk::entry(&path)? == Entry::Missing {
            continue;
        }
        let kept = mirror.move_evidence(&path)?;
        moved.push(MovedPath { path: finding.path.clone(), kept });
    }
    Ok(moved)
}
