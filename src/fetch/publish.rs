//! Publishes folders from files in the pool. An incomplete set is not published.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::outcome::{FetchOutcome, FetchedSet};
use super::plan::{FetchPlan, PlannedSet};
use crate::clock::Time;
use crate::crawl::{Failure, Session};
use crate::documents::SetStatus;
use crate::error::{Error, ErrorKind, Result};
use crate::facts::{FileKey, FileProperty, PropertyCheck, Source};
use crate::mirror::index::SetRow;
use crate::mirror::{Mirror, PublishOutcome, WriteAccess};
use crate::resolve::package_sets;
use crate::servicing::Knowledge;

/// Publishes other sets again whose folders had the same damaged files.
pub(super) fn repair_folders(session: &mut Session) -> Result<()> {
    if !session.holds_mirror() {
        return Ok(());
    }
    let (knowledge, now) = (session.knowledge(), session.now());
    for set in session.mirror()?.rebuild_damaged_folders(&knowledge, now)? {
        session.warn(format!("published kb/{}/{} again, because it had damaged files", set.kb, set.folder));
    }
    Ok(())
}

/// Publishes each planned set without failed files.
pub(super) fn publish(
    session: &mut Session,
    plan: &FetchPlan,
    failed: &BTreeMap<FileKey, String>,
    outcome: &mut FetchOutcome,
) -> Result<()> {
    let now = session.now();
    let knowledge = session.knowledge();
    for planned in &plan.sets {
        let missing = planned.absent.iter().find_map(|key| failed.get(key).cloned());
        let published = match missing {
            Some(message) => Err(Error::new(ErrorKind::Incomplete, message)),
            None => publish_unless_stopped(session, planned, &knowledge, now),
        };
        let mirror = session.mirror()?;
        // The row now has the sizes and digests from the download.
        let row = mirror.index().set(planned.row.id)?.unwrap_or_else(|| planned.row.clone());
        let planned = PlannedSet { row, ..planned.clone() };
        let mut fetched = FetchedSet { planned, status: SetStatus::Failed, place: None, error: None };
        match published {
            Ok((PublishOutcome::Published, folder)) => {
                fetched.status = SetStatus::Published;
                fetched.place = Some(folder);
            }
            Ok((PublishOutcome::Unchanged, folder)) => {
                fetched.status = SetStatus::Unchanged;
                fetched.place = Some(folder);
            }
            Err(error) => {
                // A failed file is already among the failures, under its own name.
                if error.kind() != ErrorKind::Incomplete {
                    let row = &fetched.planned.row;
                    outcome.failures.push(Failure::new(format!("{} {}", row.kb, row.folder), &error));
                }
                fetched.error = Some(error.full_message());
            }
        }
        outcome.sets.push(fetched);
    }
    Ok(())
}

/// Publishes sets again that are complete while the Catalog is unavailable. An intact set stays as it is.
pub(super) fn publish_intact(
    session: &mut Session,
    intact: &[PlannedSet],
    outcome: &mut FetchOutcome,
) -> Result<()> {
    let (knowledge, now) = (session.knowledge(), session.now());
    for planned in intact {
        let mirror = session.mirror()?;
        if let Err(error) = expect_valid(mirror, &planned.row, &knowledge) {
            outcome.failures.push(Failure::new(format!("{} {}", planned.row.kb, planned.row.folder), &error));
            let error = Some(error.full_message());
            outcome.sets.push(FetchedSet {
                planned: planned.clone(),
                status: SetStatus::Failed,
                place: None,
                error,
            });
            continue;
        }
        let status = if mirror.is_intact(&planned.row)? {
            SetStatus::Unchanged
        } else {
            mirror.publish(&planned.row, &knowledge, now)?;
            SetStatus::Published
        };
        let place = Some(mirror.folder_of(&planned.row)?.path);
        outcome.sets.push(FetchedSet { planned: planned.clone(), status, place, error: None });
    }
    Ok(())
}

/// Publishes a set unless the run is stopped: without links, publishing takes longer than the sender of a stop request
/// waits. A set that is already published is complete.
fn publish_unless_stopped(
    session: &mut Session,
    planned: &PlannedSet,
    knowledge: &Knowledge,
    now: Time,
) -> Result<(PublishOutcome, Utf8PathBuf)> {
    if let Err(error) = session.check_stop()
        && !session.mirror()?.is_intact(&planned.row)?
    {
        return Err(error.context("the files are complete, but the set is not published yet"));
    }
    check_and_publish(session.mirror()?, planned, knowledge, now)
}

fn check_and_publish(
    mirror: &mut Mirror<WriteAccess>,
    planned: &PlannedSet,
    knowledge: &Knowledge,
    now: Time,
) -> Result<(PublishOutcome, Utf8PathBuf)> {
    check_sums(mirror, planned, knowledge, now)?;
    let Some(row) = mirror.index().set(planned.row.id)? else {
        return Err(Error::new(ErrorKind::Internal, "the set is not in the index any more"));
    };
    expect_valid(mirror, &row, knowledge)?;
    let (published, folder) = mirror.publish(&row, knowledge, now)?;
    // The set was fetched by name or because another set needs it, so an earlier removal is undone.
    mirror.revoke_removal(row.kb, row.architecture)?;
    Ok((published, folder.path))
}

/// Refuses a set that `lint` would refuse. A folder that is published already stays.
fn expect_valid(mirror: &Mirror<WriteAccess>, row: &SetRow, knowledge: &Knowledge) -> Result<()> {
    if !mirror.is_completely_pooled(row) || mirror.is_intact(row)? {
        return Ok(());
    }
    mirror.expect_valid_set(row, knowledge)
}

/// Compares the total size on the search page with the files that are now present, with or without a checkpoint that
/// the dialog omits.
fn check_sums(
    mirror: &mut Mirror<WriteAccess>,
    planned: &PlannedSet,
    knowledge: &Knowledge,
    now: Time,
) -> Result<()> {
    let facts = mirror.index().facts_of(&[planned.row.kb].into())?;
    let complete_size: Option<u64> = package_sets(planned.row.kb, &facts, knowledge)
        .iter()
        .find(|set| set.fingerprint() == planned.set.fingerprint())
        .and_then(|set| set.members.iter().map(|member| member.file.size).sum());
    for update in facts.updates.iter().filter(|update| planned.set.updates.contains(&update.id)) {
        let listed: Option<u64> = facts.files_of(update).iter().map(|file| file.size).sum();
        let (Some(stated), Some(listed)) = (update.size, listed) else { continue };
        if stated != listed && Some(stated) != complete_size {
            let message = format!(
                "the files of \"{}\" have {listed} bytes together, but the search page states {stated}",
                update.title
            );
            return Err(Error::new(ErrorKind::Integrity, message));
        }
        let agreement = PropertyCheck { what: FileProperty::Size, against: Source::SearchPage };
        let agreeing: Vec<FileKey> = facts.files_of(update).iter().filter_map(|file| file.key).collect();
        mirror.index_mut().in_transaction(|index| {
            agreeing.iter().try_for_each(|&key| index.record_check(key, agreement, now))
        })?;
    }
    Ok(())
}
