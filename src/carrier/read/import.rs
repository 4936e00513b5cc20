//! The import of a medium into a mirror.
//!
//! Everything is checked before anything becomes visible. Signatures, names, and sizes are checked first. Then
//! every file is read once, and copied to a staging folder in the same pass if the mirror does not have it. Only
//! after the complete medium is verified, the files move into the pool, the index is updated in one transaction,
//! and the sets are published. An interrupted import leaves the mirror unchanged, or in a state that the same
//! import completes.
//!
//! A set that is older than the last set of its lineage adds missing files and changes no existing ones. The last
//! set is recorded together with its content, so an interrupted or partial import is remembered too. A set that was
//! imported completely is not read again, unless the mirror has lost some of its files since.

use std::borrow::Cow;
use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::examine::ExaminedMedium;
use super::healed::move_to_pool;
use super::imported::ImportSummary;
use super::staging::{
    StagedFiles, check_space, incomplete_kbs, remove_interrupted_staging, stage, staging_folder,
    unneeded_files,
};
use crate::carrier::medium::{DATA, refused};
use crate::carrier::trust::{
    SetDates, SignedSet, last_import, load_memory, refuse_contradiction, refuse_replaced_key, save_memory,
    updated_memory,
};
use crate::clock::Time;
use crate::disk;
use crate::documents::{AbsentFile, LastImport, SetRecord};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Events;
use crate::mirror::index::SetRow;
use crate::mirror::restore::{restore_set, restore_update};
use crate::mirror::{
    Access, Layout, Mirror, PublishOutcome, WriteAccess, effective_knowledge, knowledge_from_texts,
    replaces_knowledge,
};
use crate::servicing::Knowledge;
use crate::update::{Kb, Sha256};

/// The options of an import.
#[derive(Debug, Clone, Default)]
pub(super) struct ImportOptions {
    /// The set folders that were skipped, because they were removed from this mirror on purpose.
    pub(super) skipped: Vec<String>,
    /// `true` to import the complete KBs of a medium with missing files.
    pub(super) partial_ok: bool,
    /// `true` to begin a new memory of media if the old one is lost.
    pub(super) accept_lineage: bool,
    /// `true` to import a set whose validity has ended.
    pub(super) accept_expired: bool,
}

/// The parts of an import that do not change while it changes the mirror.
#[derive(Debug, Clone, Copy)]
struct ImportRun<'a> {
    examined: &'a ExaminedMedium,
    knowledge: &'a Knowledge,
    /// `true` if a later set of the lineage was imported before.
    older: bool,
    now: Time,
}

/// Imports an examined medium into a mirror that is open for writing. Uses the knowledge of the caller if given,
/// otherwise that of the mirror. The mirror adopts the tables of the medium before that, if they are valid and
/// replace its own.
pub(super) fn import(
    examined: &ExaminedMedium,
    options: ImportOptions,
    mirror: &mut Mirror<WriteAccess>,
    named: Option<&Knowledge>,
    now: Time,
    events: &Events,
) -> Result<ImportSummary> {
    let signed = &examined.signed;
    let mut state = load_memory(mirror, options.accept_lineage)?;
    refuse_replaced_key(signed, &state)?;
    let dates = SetDates::judge(signed, &state, now.into(), options.accept_lineage)?;
    if !options.accept_expired {
        dates.expect_current(signed)?;
    }
    dates.warnings().into_iter().for_each(|warning| events.warn(warning));
    if options.skipped.is_empty() {
        examined.expect_sets()?;
    }
    let last = last_import(&state, signed);
    // A completely imported set is not new, whatever its date.
    if let Some(last) = last.as_ref().filter(|last| !last.finished.contains(&signed.set_id)) {
        refuse_contradiction(signed, last)?;
    }
    refuse_reused_number(signed, last.as_ref())?;
    let older = last.as_ref().is_some_and(|last| signed.set.seq < last.seq);
    let mut imported = ImportSummary::new(examined, older, mirror.rewritten_views());
    imported.skipped = options.skipped;
    if last.as_ref().is_some_and(|last| last.finished.contains(&signed.set_id))
        && is_still_present(examined, mirror)?
    {
        imported.already_applied = true;
        // The mirror can rebuild these parts from its index and its pool, without any byte of the medium.
        let knowledge = knowledge_or_own(named, mirror.layout())?;
        heal_folders(mirror, &knowledge, now, &mut imported)?;
        imported.rewritten.extend(mirror.refresh_views(&knowledge)?);
        warn_of_changed_views(mirror, events);
        return Ok(imported);
    }
    let recorded = damaged_views(mirror)?;
    let absent = missing_in_mirror(examined, mirror)?;
    if !absent.is_empty()
        && !options.partial_ok
        && let Some(error) = examined.missing_error()
    {
        return Err(error);
    }
    imported.missing = absent;
    remove_interrupted_staging(mirror)?;
    let unneeded = unneeded_files(examined, mirror, &imported.missing)?;
    check_space(examined, mirror, &unneeded)?;
    let staged = stage(examined, mirror, &unneeded, &mut imported, events)?;
    let theirs = if older { None } else { adopted_knowledge(examined, mirror, &mut imported)? };
    // Only these tables may know the families of the sets.
    let own = knowledge_or_own(named, mirror.layout())?;
    let knowledge = match (&theirs, named) {
        (Some(theirs), None) => theirs,
        _ => &*own,
    };
    let run = ImportRun { examined, knowledge, older, now };
    let mut noted = updated_memory(signed, last, now);
    imported.healed = move_to_pool(&staged, mirror, now)?;
    // Before the commit: a set counts once its import has begun, however the import ends.
    save_memory(mirror, &mut state, signed, &noted)?;
    imported.left = commit_rows(&run, &staged, mirror, &imported.missing)?;
    if theirs.is_some() {
        mirror.adopt_knowledge(&examined.knowledge)?;
        imported.knowledge_adopted = true;
    }
    publish_sets(&run, mirror, &mut imported)?;
    heal_folders(mirror, knowledge, now, &mut imported)?;
    mirror.refresh_views(knowledge)?;
    warn_of_changed_views(mirror, events);
    let still = damaged_views(mirror)?;
    imported.rewritten.extend(recorded.difference(&still).cloned());
    if imported.left.is_empty() {
        noted.finished.insert(examined.signed.set_id);
        save_memory(mirror, &mut state, signed, &noted)?;
    }
    disk::remove_dir_all(&staging_folder(examined, mirror))?;
    Ok(imported)
}

/// Refuses a set that has the same number as the last set of its lineage but is a different set.
fn refuse_reused_number(signed: &SignedSet, last: Option<&LastImport>) -> Result<()> {
    if last.is_none_or(|last| last.seq != signed.set.seq || last.set_id == signed.set_id) {
        return Ok(());
    }
    Err(refused(format!(
        "a different set with the number {} was imported from this lineage before, but a number belongs to one set only",
        signed.set.label()
    ))
    .hint("ask who made the medium: it comes from a copy of the mirror"))
}

/// Returns the knowledge for an import: that of the caller, otherwise that of the mirror.
pub(super) fn knowledge_or_own<'a>(
    named: Option<&'a Knowledge>,
    layout: &Layout,
) -> Result<Cow<'a, Knowledge>> {
    named.map_or_else(|| Ok(Cow::Owned(effective_knowledge(layout)?.0)), |named| Ok(Cow::Borrowed(named)))
}

/// Rebuilds damaged set folders from the pool.
fn heal_folders(
    mirror: &mut Mirror<WriteAccess>,
    knowledge: &Knowledge,
    now: Time,
    imported: &mut ImportSummary,
) -> Result<()> {
    for set in mirror.rebuild_damaged_folders(knowledge, now)? {
        imported.healed_folders.push(format!("kb/{}/{}", set.kb, set.folder));
    }
    Ok(())
}

/// Warns of views that were changed from outside and rewritten.
fn warn_of_changed_views(mirror: &Mirror<WriteAccess>, events: &Events) {
    mirror.evidence().iter().for_each(|evidence| events.warn(evidence.warning()));
}

/// Returns the damaged paths that are recorded beside the set folders of KBs.
fn damaged_views(mirror: &Mirror<impl Access>) -> Result<BTreeSet<Utf8PathBuf>> {
    let mut damage = mirror.index().damage()?;
    damage.retain(|damage| damage.kb.is_some() && damage.folder.is_none());
    Ok(damage.into_iter().map(|damage| damage.path).collect())
}

/// Returns the row of the set that has exactly these files, or `None` if the index does not have such a set.
fn row_with_files(mirror: &Mirror<impl Access>, kb: Kb, set: &SetRecord) -> Result<Option<SetRow>> {
    let digests: BTreeSet<Sha256> = set.files.iter().filter_map(|file| file.sha256).collect();
    let same = |row: &SetRow| {
        row.folder == set.folder
            && row.members.iter().filter_map(|member| member.file.sha256).collect::<BTreeSet<_>>() == digests
    };
    Ok(mirror.index().sets(Some(kb))?.into_iter().find(same))
}

/// Returns `true` if the mirror still has the imported content: the folders, and the bytes behind them. Checks
/// names, sizes, and recorded damage. A folder that holds a later generation by now is accepted.
fn is_still_present(examined: &ExaminedMedium, mirror: &Mirror<impl Access>) -> Result<bool> {
    for (kb, set) in &examined.listing.sets {
        for file in &set.files {
            if let (Some(sha256), Some(size)) = (file.sha256, file.size)
                && !mirror.has_in_pool(&sha256, size)?
            {
                return Ok(false);
            }
        }
        let Some((published, _)) = mirror.index().publication_of(*kb, &set.folder)? else { return Ok(false) };
        let Some(row) = row_with_files(mirror, *kb, set)?.filter(|row| row.id == published) else { continue };
        if !mirror.is_intact(&row)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the missing files that the mirror does not have either. The medium does not need the other files.
fn missing_in_mirror(examined: &ExaminedMedium, mirror: &Mirror<impl Access>) -> Result<Vec<AbsentFile>> {
    let mut absent = Vec::new();
    for file in &examined.missing {
        let here = if let Some(bytes) = file.bytes {
            mirror.has_in_pool(&file.sha256, bytes)?
        } else {
            // The mirror generates its own install scripts. The medium is still incomplete without this one.
            let path = file.path.strip_prefix(DATA).and_then(|path| path.strip_prefix('/'));
            path.is_some_and(|path| disk::exists(&mirror.layout().kbs().join(path)))
        };
        if !here {
            absent.push(file.clone());
        }
    }
    Ok(absent)
}

/// Writes all rows in one transaction. Returns the incomplete KBs.
fn commit_rows(
    run: &ImportRun<'_>,
    staged: &StagedFiles,
    mirror: &mut Mirror<WriteAccess>,
    missing: &[AbsentFile],
) -> Result<Vec<Kb>> {
    let ImportRun { examined, knowledge, older, now } = *run;
    let left = incomplete_kbs(examined, missing);
    let layout = mirror.layout().clone();
    let created = examined.signed.set.created.parse().unwrap_or(now);
    mirror.index_mut().in_transaction(|index| {
        index.set_meta(crate::mirror::IMPORTED, &examined.signed.set.mirror_id)?;
        for sha256 in staged.keys() {
            index.clear_damage(&layout.portable(&layout.pool_file(sha256)))?;
        }
        for (kb, update) in &examined.listing.updates {
            let known = older && index.knows_update(update.update_id)?;
            if !known && !left.contains(kb) {
                restore_update(index, update, *kb, created)?;
            }
        }
        for (kb, set) in &examined.listing.sets {
            if !left.contains(kb) {
                restore_set(&layout, index, *kb, set, knowledge, created)?;
            }
        }
        index.mark_views_pending()
    })?;
    Ok(left.into_iter().collect())
}

/// Publishes the sets. An older set only publishes folders that do not exist yet.
fn publish_sets(
    run: &ImportRun<'_>,
    mirror: &mut Mirror<WriteAccess>,
    imported: &mut ImportSummary,
) -> Result<()> {
    let ImportRun { examined, knowledge, older, now } = *run;
    for (kb, set) in &examined.listing.sets {
        if imported.left.contains(kb) {
            continue;
        }
        let Some(row) = row_with_files(mirror, *kb, set)? else {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("{} of {kb} is not in the index", set.folder),
            ));
        };
        let there = mirror.index().publication_of(*kb, &set.folder)?;
        if older && there.is_some_and(|(published, _)| published != row.id) {
            continue;
        }
        match mirror.publish(&row, knowledge, now)?.0 {
            PublishOutcome::Published => imported.published.push(format!("kb/{kb}/{}", set.folder)),
            PublishOutcome::Unchanged => imported.unchanged += 1,
        }
    }
    Ok(())
}

/// Returns the knowledge of the medium if its tables replace the mirror's, otherwise `None`. Ignores tables that
/// this program cannot read.
fn adopted_knowledge(
    examined: &ExaminedMedium,
    mirror: &Mirror<WriteAccess>,
    imported: &mut ImportSummary,
) -> Result<Option<Knowledge>> {
    match knowledge_from_texts(&examined.knowledge) {
        Err(error) => imported.knowledge_left = Some(error.to_string()),
        Ok(theirs) if replaces_knowledge(&theirs, &examined.knowledge, mirror.layout())? => {
            return Ok(Some(theirs));
        }
        Ok(_) => {}
    }
    Ok(None)
}
