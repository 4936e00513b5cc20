//! Taking a medium into a mirror.
//!
//! Everything is checked before anything is visible: signatures, names, and sizes first, then every file is read once, and on
//! that way copied aside if the mirror does not have it. Only when all of it is right do the files get their places in the
//! pool, the index learns of them in one transaction, and the sets are published. A run that is cut off leaves the mirror
//! as it was, or with the rest to be finished by the same import again.
//!
//! A set that is older than the last one of its lineage adds what is missing and changes nothing that is there. Which set is
//! the last is noted together with what it brings, so that a run that was cut off, or left what was missing, counts too.
//! A set that was taken to its end is not read again, unless the mirror lost some of it since.

use std::borrow::Cow;
use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::examine::Examined;
use super::healed::place;
use super::imported::Imported;
use super::staging::{Staged, check_room, left_of, remove_what_was_cut_off, stage, staging_folder, unwanted};
use crate::carrier::medium::{DATA, refused};
use crate::carrier::trust::{
    Dates, Signed, last_import, memory, note, noted, refuse_contradiction, refuse_replaced_key,
};
use crate::clock::Time;
use crate::disk;
use crate::documents::{LastImport, Leftover, SetRecord};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Events;
use crate::mirror::index::SetRow;
use crate::mirror::restore::{restore_set, restore_update};
use crate::mirror::{
    Access, Layout, Mirror, Published, Writing, knowledge_of, knowledge_of_mirror, replaces_knowledge,
};
use crate::servicing::Knowledge;
use crate::update::{Kb, Sha256};

/// The options of an import.
#[derive(Debug, Clone, Default)]
pub(super) struct ImportOptions {
    /// The set folders that were left out, because they were removed here on purpose.
    pub(super) skipped: Vec<String>,
    /// Take the KBs that are whole where listed files are missing.
    pub(super) partial_ok: bool,
    /// Begin the memory of media anew where it is lost.
    pub(super) accept_lineage: bool,
    /// Take a set whose validity has ended.
    pub(super) accept_expired: bool,
}

/// The parts of an import that stay the same from its first change of the mirror to its last.
#[derive(Debug, Clone, Copy)]
struct Taking<'a> {
    examined: &'a Examined,
    knowledge: &'a Knowledge,
    /// A later set of the lineage was imported before.
    older: bool,
    now: Time,
}

/// Takes an examined medium into a mirror that is open to be written. Goes by the knowledge that the caller names, else by
/// the mirror's own, which the medium's tables replace first where they hold.
pub(super) fn import(
    examined: &Examined,
    options: ImportOptions,
    mirror: &mut Mirror<Writing>,
    named: Option<&Knowledge>,
    now: Time,
    events: &Events,
) -> Result<Imported> {
    let signed = &examined.signed;
    let mut state = memory(mirror, options.accept_lineage)?;
    refuse_replaced_key(signed, &state)?;
    let dates = Dates::of(signed, &state, now.into(), options.accept_lineage)?;
    if !options.accept_expired {
        dates.expect_current(signed)?;
    }
    dates.warnings().into_iter().for_each(|warning| events.warn(warning));
    if options.skipped.is_empty() {
        examined.expect_sets()?;
    }
    let last = last_import(&state, signed);
    // A set that was taken to its end is not news, whatever its date.
    if let Some(last) = last.as_ref().filter(|last| !last.finished.contains(&signed.set_id)) {
        refuse_contradiction(signed, last)?;
    }
    refuse_same_number(signed, last.as_ref())?;
    let older = last.as_ref().is_some_and(|last| signed.set.seq < last.seq);
    let mut imported = Imported::begun(examined, older, mirror.mended_views());
    imported.skipped = options.skipped;
    if last.as_ref().is_some_and(|last| last.finished.contains(&signed.set_id))
        && is_still_here(examined, mirror)?
    {
        imported.already_applied = true;
        // What the mirror makes by itself from its index and its pool needs no byte of the medium.
        let knowledge = in_force(named, mirror.layout())?;
        heal_folders(mirror, &knowledge, now, &mut imported)?;
        imported.rewritten.extend(mirror.refresh_views(&knowledge)?);
        warn_of_evidence(mirror, events);
        return Ok(imported);
    }
    let recorded = recorded_beside(mirror)?;
    let absent = absent_from_mirror(examined, mirror)?;
    if !absent.is_empty()
        && !options.partial_ok
        && let Some(error) = examined.missing_error()
    {
        return Err(error);
    }
    imported.missing = absent;
    remove_what_was_cut_off(mirror)?;
    let unwanted = unwanted(examined, mirror, &imported.missing)?;
    check_room(examined, mirror, &unwanted)?;
    let staged = stage(examined, mirror, &unwanted, &mut imported, events)?;
    let theirs = if older { None } else { adopted_knowledge(examined, mirror, &mut imported)? };
    // The sets may be of families that only these tables know.
    let own = in_force(named, mirror.layout())?;
    let knowledge = match (&theirs, named) {
        (Some(theirs), None) => theirs,
        _ => &*own,
    };
    let taking = Taking { examined, knowledge, older, now };
    let mut noted = noted(signed, last, now);
    imported.healed = place(&staged, mirror, now)?;
    // Before the commit: a set that is begun counts, however this run ends.
    note(mirror, &mut state, signed, &noted)?;
    imported.left = commit(&taking, &staged, mirror, &imported.missing)?;
    if theirs.is_some() {
        mirror.adopt_knowledge(&examined.knowledge)?;
        imported.knowledge_adopted = true;
    }
    publish(&taking, mirror, &mut imported)?;
    heal_folders(mirror, knowledge, now, &mut imported)?;
    mirror.refresh_views(knowledge)?;
    warn_of_evidence(mirror, events);
    let still = recorded_beside(mirror)?;
    imported.rewritten.extend(recorded.difference(&still).cloned());
    if imported.left.is_empty() {
        noted.finished.insert(examined.signed.set_id);
        note(mirror, &mut state, signed, &noted)?;
    }
    disk::remove_dir_all(&staging_folder(examined, mirror))?;
    Ok(imported)
}

/// Refuses a set that has the number of the last one of its lineage and is another.
fn refuse_same_number(signed: &Signed, last: Option<&LastImport>) -> Result<()> {
    if last.is_none_or(|last| last.seq != signed.set.seq || last.set_id == signed.set_id) {
        return Ok(());
    }
    Err(refused(format!(
        "another set {} of this lineage was imported before: two sets never have one number",
        signed.set.label()
    ))
    .hint("the medium was made by a copy of the mirror that went on by itself; ask who made it"))
}

/// Returns the knowledge that an import goes by: that of the caller, else the mirror's own.
pub(super) fn in_force<'a>(named: Option<&'a Knowledge>, layout: &Layout) -> Result<Cow<'a, Knowledge>> {
    named.map_or_else(|| Ok(Cow::Owned(knowledge_of_mirror(layout)?.0)), |named| Ok(Cow::Borrowed(named)))
}

/// Makes damaged set folders again from the pool.
fn heal_folders(
    mirror: &mut Mirror<Writing>,
    knowledge: &Knowledge,
    now: Time,
    imported: &mut Imported,
) -> Result<()> {
    for set in mirror.heal_folders(knowledge, now)? {
        imported.healed_folders.push(format!("kb/{}/{}", set.kb, set.folder));
    }
    Ok(())
}

/// Warns of views that were changed from outside and written again.
fn warn_of_evidence(mirror: &Mirror<Writing>, events: &Events) {
    mirror.evidence().iter().for_each(|evidence| events.warn(evidence.warning()));
}

/// Returns what is recorded as damaged beside the set folders of KBs.
fn recorded_beside(mirror: &Mirror<impl Access>) -> Result<BTreeSet<Utf8PathBuf>> {
    let mut damage = mirror.index().damage()?;
    damage.retain(|damage| damage.kb.is_some() && damage.folder.is_none());
    Ok(damage.into_iter().map(|damage| damage.path).collect())
}

/// Returns the row of the set with exactly these files.
fn row_of(mirror: &Mirror<impl Access>, kb: Kb, set: &SetRecord) -> Result<Option<SetRow>> {
    let digests: BTreeSet<Sha256> = set.files.iter().filter_map(|file| file.sha256).collect();
    let same = |row: &SetRow| {
        row.folder == set.folder
            && row.members.iter().filter_map(|member| member.file.sha256).collect::<BTreeSet<_>>() == digests
    };
    Ok(mirror.index().sets(Some(kb))?.into_iter().find(same))
}

/// Returns `true` if the mirror still has what it took: the folders, and the bytes behind them, by names, sizes, and the recorded
/// damage. A folder that holds a later generation by now is right.
fn is_still_here(examined: &Examined, mirror: &Mirror<impl Access>) -> Result<bool> {
    for (kb, set) in &examined.listing.sets {
        for file in &set.files {
            if let (Some(sha256), Some(size)) = (file.sha256, file.size)
                && !mirror.has_in_pool(&sha256, size)?
            {
                return Ok(false);
            }
        }
        let Some((published, _)) = mirror.index().published_as(*kb, &set.folder)? else { return Ok(false) };
        let Some(row) = row_of(mirror, *kb, set)?.filter(|row| row.id == published) else { continue };
        if !mirror.stands(&row)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the missing files that the mirror does not have either: the medium need not have the others.
fn absent_from_mirror(examined: &Examined, mirror: &Mirror<impl Access>) -> Result<Vec<Leftover>> {
    let mut absent = Vec::new();
    for leftover in &examined.missing {
        let here = if let Some(bytes) = leftover.bytes {
            mirror.has_in_pool(&leftover.sha256, bytes)?
        } else {
            // An install script is made anew here; the medium is not whole without it all the same.
            let path = leftover.path.strip_prefix(DATA).and_then(|path| path.strip_prefix('/'));
            path.is_some_and(|path| disk::exists(&mirror.layout().kbs().join(path)))
        };
        if !here {
            absent.push(leftover.clone());
        }
    }
    Ok(absent)
}

/// Writes all rows in one transaction; returns the KBs that are not whole.
fn commit(
    taking: &Taking<'_>,
    staged: &Staged,
    mirror: &mut Mirror<Writing>,
    missing: &[Leftover],
) -> Result<Vec<Kb>> {
    let Taking { examined, knowledge, older, now } = *taking;
    let left = left_of(examined, missing);
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
        index.begin_views()
    })?;
    Ok(left.into_iter().collect())
}

/// Publishes the sets. Of an older set only the folders that are not there yet.
fn publish(taking: &Taking<'_>, mirror: &mut Mirror<Writing>, imported: &mut Imported) -> Result<()> {
    let Taking { examined, knowledge, older, now } = *taking;
    for (kb, set) in &examined.listing.sets {
        if imported.left.contains(kb) {
            continue;
        }
        let Some(row) = row_of(mirror, *kb, set)? else {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("{} of {kb} is not in the index", set.folder),
            ));
        };
        let there = mirror.index().published_as(*kb, &set.folder)?;
        if older && there.is_some_and(|(published, _)| published != row.id) {
            continue;
        }
        match mirror.publish(&row, knowledge, now)?.0 {
            Published::Published => imported.published.push(format!("kb/{kb}/{}", set.folder)),
            Published::Unchanged => imported.unchanged += 1,
        }
    }
    Ok(())
}

/// Returns the knowledge of the medium if its tables replace the mirror's; tables that this program cannot read are left.
fn adopted_knowledge(
    examined: &Examined,
    mirror: &Mirror<Writing>,
    imported: &mut Imported,
) -> Result<Option<Knowledge>> {
    match knowledge_of(&examined.knowledge) {
        Err(error) => imported.knowledge_left = Some(error.to_string()),
        Ok(theirs) if replaces_knowledge(&theirs, &examined.knowledge, mirror.layout())? => {
            return Ok(Some(theirs));
        }
        Ok(_) => {}
    }
    Ok(None)
}
