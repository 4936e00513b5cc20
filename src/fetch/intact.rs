//! Published sets that are complete while the Catalog is unavailable.

use std::collections::BTreeSet;

use super::plan::{FetchRequest, PlannedSet};
use crate::crawl::{Session, sets_of};
use crate::error::{Error, ErrorKind, Result};
use crate::mirror::IndexLibrary;
use crate::mirror::index::SetRow;
use crate::resolve::Library as _;
use crate::update::Kb;

/// Returns the selected sets of a KB if all of them are complete while the Catalog is unavailable. Warns that the
/// Catalog could not be searched for newer updates. Running the plan repairs a folder that is damaged or missing.
pub(super) fn intact_sets(
    session: &mut Session,
    request: &FetchRequest,
    kb: Kb,
    error: &Error,
) -> Result<Vec<PlannedSet>> {
    if !matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::NotRecorded) {
        return Ok(Vec::new());
    }
    let knowledge = session.knowledge();
    let Some(mirror) = session.existing_mirror()? else { return Ok(Vec::new()) };
    // An update whose dialog was never read may be a set that is not known yet.
    let facts = mirror.index().facts_of(&[kb].into())?;
    let unread = facts.updates.iter().filter(|update| update.files.is_none());
    let wanted =
        |architecture| request.architectures.is_empty() || request.architectures.contains(&architecture);
    if unread.map(|update| facts.architecture_of(update)).any(|architecture| architecture.is_none_or(wanted))
    {
        return Ok(Vec::new());
    }
    let mut intact = Vec::new();
    let mut sets = sets_of(kb, mirror.index(), &knowledge)?;
    if facts.updates.is_empty() {
        // A KB that the Catalog does not list consists of its sets in knowledge.
        sets = IndexLibrary::new(mirror.index(), &knowledge).sets(kb)?.to_vec();
    }
    let excluded = request.exclusions(&sets.iter().collect::<Vec<_>>());
    for (set, _) in sets.into_iter().zip(excluded).filter(|(_, excluded)| excluded.is_none()) {
        let rows = mirror.index().published_sets(kb)?;
        let same = |row: &SetRow| {
            row.folder == set.folder
                && row.members.len() == set.members.len()
                && row.members.iter().zip(&set.members).all(|(a, b)| a.file.key == b.file.key)
        };
        let Some(row) = rows.into_iter().find(same) else { return Ok(Vec::new()) };
        if !mirror.is_completely_pooled(&row) {
            return Ok(Vec::new());
        }
        intact.push(PlannedSet {
            set,
            row,
            absent: Vec::new(),
            absent_bytes: Some(0),
            needed_by: BTreeSet::new(),
        });
    }
    if !intact.is_empty() {
        session.warn(format!(
            "used the complete {kb} in the mirror without checking the Catalog for newer updates: {}",
            error.full_message()
        ));
    }
    Ok(intact)
}
