//! The main job: crawl, resolve, download, check, publish.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::closure::add_closure;
use super::crawl::Crawled;
use super::plan::{FetchPlan, FetchRequest, PlannedSet};
use super::session::{Failure, Session, Trust};
use super::transfers::{download, wanted_files};
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::mirror::index::SetRow;
use crate::mirror::{IndexLibrary, Mirror, Published};
use crate::resolve::{FileKey, Library as _, PackageSet, package_sets};
use crate::servicing::Knowledge;
use crate::update::Kb;

/// What became of a set. The words are a promise of the JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetStatus {
    /// The folder is new, or new in what it holds.
    Published,
    /// The folder was there and right already.
    Unchanged,
    /// Nothing of it was published.
    Failed,
    /// It would be fetched (`--dry-run`), or was recorded (`crawl`).
    Planned,
}

/// A set with what became of it.
#[derive(Debug)]
pub struct FetchedSet {
    /// As the resolver sees it, where the Catalog was asked.
    pub set: Option<PackageSet>,
    /// As the index keeps it.
    pub row: SetRow,
    /// What became of it.
    pub status: SetStatus,
    /// The published folder and the names of its files.
    pub folder: Option<(Utf8PathBuf, Vec<String>)>,
    /// Why it failed.
    pub error: Option<String>,
    /// The KBs with which it comes along; none when it was asked for itself.
    pub needed_by: BTreeSet<Kb>,
}

/// The outcome of a fetch.
#[derive(Debug, Default)]
pub struct FetchOutcome {
    /// The sets, by KB, architecture, and folder.
    pub sets: Vec<FetchedSet>,
    /// What was planned and what was left out.
    pub plan: FetchPlan,
    /// What failed.
    pub failures: Vec<Failure>,
    /// Payload bytes that came over the wire.
    pub bytes_downloaded: u64,
}

impl FetchOutcome {
    /// The exit code of the run.
    pub fn exit_code(&self) -> ExitCode {
        let done = self.sets.iter().filter(|set| set.status != SetStatus::Failed).count();
        let kinds: Vec<ErrorKind> = self.failures.iter().map(|failure| failure.kind).collect();
        ExitCode::of_run(done, &kinds)
    }
}

/// Fetches KBs. With `dry_run` the Catalog is asked and nothing is downloaded or published.
pub async fn run_fetch(session: &mut Session, request: &FetchRequest, dry_run: bool) -> Result<FetchOutcome> {
    let mut outcome = FetchOutcome::default();
    for &kb in &request.kbs {
        match crawl_for_files(session, request, kb).await {
            Ok(crawled) => {
                outcome.failures.extend(crawled.failures);
                add_sets(session, request, crawled.kb, crawled.sets, &mut outcome, &BTreeSet::new())?;
            }
            Err(error) => {
                let standing = standing_sets(session, request, kb, &error, dry_run)?;
                if standing.is_empty() {
                    outcome.failures.push(Failure::new(kb.to_string(), &error));
                }
                outcome.sets.extend(standing);
            }
        }
    }
    let planned = outcome.plan.sets.iter().map(|planned| &planned.set);
    let excluded = outcome.plan.left_out.iter().map(|(set, _)| set);
    let standing = outcome.sets.iter().filter_map(|fetched| fetched.set.as_ref());
    let sets: Vec<&PackageSet> = planned.chain(excluded).chain(standing).collect();
    if !sets.is_empty() {
        // Without any set, the failure of the crawl is the answer.
        request.check_products(sets.into_iter())?;
    }
    if request.closure {
        add_closure(session, request, &mut outcome).await?;
    }
    if let Some(error) = request.max_bytes.and_then(|budget| outcome.plan.keep_within(budget)) {
        outcome.failures.push(Failure::new(error.message().to_owned(), &error));
    }
    if dry_run {
        for planned in &outcome.plan.sets {
            let names = session.mirror()?.folder_of(&planned.row)?;
            outcome.sets.push(FetchedSet {
                set: Some(planned.set.clone()),
                row: planned.row.clone(),
                status: SetStatus::Planned,
                folder: Some((names.path, names.names)),
                error: None,
                needed_by: planned.needed_by.clone(),
            });
        }
        return Ok(outcome);
    }
    let absent = wanted_files(session, &outcome.plan, request, &mut outcome.failures)?;
    let failed = download(session, absent, &mut outcome).await?;
    publish(session, &failed, &mut outcome)?;
    heal_folders(session)?;
    Ok(outcome)
}

/// Crawls a KB. Where files are to be downloaded, what the index had of them is not enough: addresses change.
pub(super) async fn crawl_for_files(
    session: &mut Session,
    request: &FetchRequest,
    kb: Kb,
) -> Result<Crawled> {
    let crawled = session.crawl_kb(kb, &request.architectures).await?;
    if session.taken.is_empty() || session.read_anew.contains(&kb) {
        return Ok(crawled);
    }
    let mut lacks = false;
    let excluded = request.left_out(&crawled.sets.iter().map(|(_, set)| set).collect::<Vec<_>>());
    let wanted = crawled.sets.iter().zip(&excluded).filter(|(_, excluded)| excluded.is_none());
    for ((id, set), _) in wanted {
        if !set.updates.iter().any(|update| session.taken.contains(update)) {
            continue;
        }
        let mirror = session.mirror()?;
        let members = mirror.index().set(*id)?.map(|row| row.members).unwrap_or_default();
        for key in members.iter().filter_map(|member| member.file.key) {
            lacks |= mirror.pooled(key)?.is_none();
        }
    }
    if !lacks {
        return Ok(crawled);
    }
    session.read_anew.insert(kb);
    session.asked.clear();
    let trust = std::mem::replace(&mut session.trust, Trust::Never);
    let anew = session.crawl_kb(kb, &request.architectures).await;
    session.trust = trust;
    anew
}

/// When the Catalog is unavailable, a KB whose wanted sets all stand whole is as good as fetched, with a warning that the Catalog
/// was not searched for news. A folder that is damaged or missing is made again where the pool has every file of it.
fn standing_sets(
    session: &mut Session,
    request: &FetchRequest,
    kb: Kb,
    error: &Error,
    dry_run: bool,
) -> Result<Vec<FetchedSet>> {
    if !matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::NotRecorded) {
        return Ok(Vec::new());
    }
    let (knowledge, now) = (Arc::clone(&session.knowledge), session.now());
    let Some(mirror) = session.mirror_if_there()? else { return Ok(Vec::new()) };
    // An update whose dialog was never read may be a set that nobody has seen.
    let facts = mirror.index().facts_of(&[kb].into())?;
    let unread = facts.updates.iter().filter(|update| update.files.is_none());
    let wanted =
        |architecture| request.architectures.is_empty() || request.architectures.contains(&architecture);
    if unread.map(|update| facts.architecture_of(update)).any(|architecture| architecture.is_none_or(wanted))
    {
        return Ok(Vec::new());
    }
    let mut standing = Vec::new();
    let mut sets = super::crawl::sets_of(kb, mirror.index(), &knowledge)?;
    if facts.updates.is_empty() {
        // One that the Catalog does not list is what knowledge has of it.
        sets = IndexLibrary::new(mirror.index(), &knowledge).sets(kb)?.to_vec();
    }
    let excluded = request.left_out(&sets.iter().collect::<Vec<_>>());
    for (set, _) in sets.into_iter().zip(excluded).filter(|(_, excluded)| excluded.is_none()) {
        let rows = mirror.index().published_sets(kb)?;
        let same = |row: &SetRow| {
            row.folder == set.folder
                && row.members.len() == set.members.len()
                && row.members.iter().zip(&set.members).all(|(a, b)| a.file.key == b.file.key)
        };
        let Some(row) = rows.into_iter().find(same) else { return Ok(Vec::new()) };
        if !mirror.is_pooled_whole(&row) {
            return Ok(Vec::new());
        }
        let status = match mirror.stands(&row)? {
            true => SetStatus::Unchanged,
            false if dry_run => SetStatus::Planned,
            false => {
                mirror.publish(&row, &knowledge, now)?;
                SetStatus::Published
            }
        };
        let folder = mirror.folder_of(&row)?;
        standing.push(FetchedSet {
            set: Some(set),
            row,
            status,
            folder: Some((folder.path, folder.names)),
            error: None,
            needed_by: BTreeSet::new(),
        });
    }
    if !standing.is_empty() {
        session.warn(format!(
            "{kb} is here whole; whether the Catalog has news of it is not known: {}",
            error.full_message()
        ));
    }
    Ok(standing)
}

pub(super) fn add_sets(
    session: &mut Session,
    request: &FetchRequest,
    kb: Kb,
    sets: Vec<(i64, PackageSet)>,
    outcome: &mut FetchOutcome,
    needed_by: &BTreeSet<Kb>,
) -> Result<()> {
    let mut wanted = 0;
    let any = !sets.is_empty();
    let excluded = request.left_out(&sets.iter().map(|(_, set)| set).collect::<Vec<_>>());
    for ((id, set), excluded) in sets.into_iter().zip(excluded) {
        if let Some(reason) = excluded {
            outcome.plan.left_out.push((set, reason));
            continue;
        }
        wanted += 1;
        let mirror = session.mirror()?;
        let Some(row) = mirror.index().set(id)? else { continue };
        let mut absent = Vec::new();
        let mut present_bytes = 0;
        for key in row.members.iter().filter_map(|member| member.file.key) {
            match mirror.pooled(key)? {
                Some(pooled) => present_bytes += pooled.size,
                None => absent.push(key),
            }
        }
        let absent_bytes = if absent.is_empty() {
            Some(0)
        } else {
            set.total_size().map(|all| all.saturating_sub(present_bytes))
        };
        outcome.plan.sets.push(PlannedSet { set, row, absent, absent_bytes, needed_by: needed_by.clone() });
    }
    // A set that failed in the crawl has its own failure; nothing left after the filters is an answer of its own.
    if wanted == 0 && (any || outcome.failures.is_empty()) {
        let error = Error::new(
            ErrorKind::NotFound,
            format!("{kb} has no package of the architecture, product, and kind asked for"),
        )
        .hint(format!("kbmirror show {kb} tells which there are"));
        outcome.failures.push(Failure::new(kb.to_string(), &error));
    }
    Ok(())
}

/// Makes the folders of other sets again that had the same damaged files.
fn heal_folders(session: &mut Session) -> Result<()> {
    if !session.holds_mirror() {
        return Ok(());
    }
    let (knowledge, now) = (Arc::clone(&session.knowledge), session.now());
    for set in session.mirror()?.heal_folders(&knowledge, now)? {
        session.warn(format!("kb/{}/{} had damaged files and was published again", set.kb, set.folder));
    }
    Ok(())
}

fn publish(
    session: &mut Session,
    failed: &BTreeMap<FileKey, String>,
    outcome: &mut FetchOutcome,
) -> Result<()> {
    let now = session.now();
    let knowledge = Arc::clone(&session.knowledge);
    for planned in &outcome.plan.sets {
        let missing = planned.absent.iter().find_map(|key| failed.get(key).cloned());
        let published = match missing {
            Some(message) => Err(Error::new(ErrorKind::Incomplete, message)),
            None => publish_unless_stopped(session, planned, &knowledge, now),
        };
        let mirror = session.mirror()?;
        // The sizes and digests that the download brought.
        let row = mirror.index().set(planned.row.id)?.unwrap_or_else(|| planned.row.clone());
        let mut fetched = FetchedSet {
            set: Some(planned.set.clone()),
            row,
            status: SetStatus::Failed,
            folder: None,
            error: None,
            needed_by: planned.needed_by.clone(),
        };
        match published {
            Ok((Published::Published, folder)) => {
                fetched.status = SetStatus::Published;
                fetched.folder = Some(folder);
            }
            Ok((Published::Unchanged, folder)) => {
                fetched.status = SetStatus::Unchanged;
                fetched.folder = Some(folder);
            }
            Err(error) => {
                // A file that failed is among the failures already, under its own name.
                if error.kind() != ErrorKind::Incomplete {
                    outcome
                        .failures
                        .push(Failure::new(format!("{} {}", planned.row.kb, planned.row.folder), &error));
                }
                fetched.error = Some(error.full_message());
            }
        }
        outcome.sets.push(fetched);
    }
    Ok(())
}

/// Where files cannot be linked, publishing takes longer than whoever stops a run will wait. A set that stands is whole.
fn publish_unless_stopped(
    session: &mut Session,
    planned: &PlannedSet,
    knowledge: &Knowledge,
    now: i64,
) -> Result<(Published, (Utf8PathBuf, Vec<String>))> {
    if let Err(error) = session.go_on()
        && !session.mirror()?.stands(&planned.row)?
    {
        return Err(error.context("its files are all here, and it is not published yet"));
    }
    publish_one(session.mirror()?, planned, knowledge, now)
}

fn publish_one(
    mirror: &mut Mirror,
    planned: &PlannedSet,
    knowledge: &Knowledge,
    now: i64,
) -> Result<(Published, (Utf8PathBuf, Vec<String>))> {
    check_sums(mirror, planned, knowledge, now)?;
    let Some(row) = mirror.index().set(planned.row.id)? else {
        return Err(Error::new(ErrorKind::Internal, "the set is not in the index any more"));
    };
    let (published, folder) = mirror.publish(&row, knowledge, now)?;
    Ok((published, (folder.path, folder.names)))
}

/// The search page states the bytes of all files of an entry together. Now that all are here they must add up, with
/// or without a checkpoint that the dialog left out.
fn check_sums(mirror: &mut Mirror, planned: &PlannedSet, knowledge: &Knowledge, now: i64) -> Result<()> {
    let facts = mirror.index().facts_of(&[planned.row.kb].into())?;
    let whole: Option<u64> = package_sets(planned.row.kb, &facts, knowledge)
        .iter()
        .find(|set| set.fingerprint() == planned.set.fingerprint())
        .and_then(|set| set.members.iter().map(|member| member.file.size).sum());
    for update in facts.updates.iter().filter(|update| planned.set.updates.contains(&update.id)) {
        let listed: Option<u64> = facts.files_of(update).iter().map(|file| file.size).sum();
        let (Some(stated), Some(listed)) = (update.size, listed) else { continue };
        if stated != listed && Some(stated) != whole {
            let message = format!(
                "the files of \"{}\" have {listed} bytes together, and the search page states {stated}",
                update.title
            );
            return Err(Error::new(ErrorKind::Integrity, message));
        }
        let agreeing: Vec<FileKey> = facts.files_of(update).iter().filter_map(|file| file.key).collect();
        mirror.index_mut().in_transaction(|index| {
            agreeing.iter().try_for_each(|&key| index.record_check(key, "size", "search page", now))
        })?;
    }
    Ok(())
}
