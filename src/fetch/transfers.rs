//! From a plan to files in the pool: what is stated of each file, several transfers at a time, and what becomes of
//! those that agree and of those that do not.
//!
//! Before the first byte it is seen whether all of it has room. A disk that is full all the same, or a stop, lets nothing
//! more begin; what is under way is parked. An address that has expired is asked for once more where it came from.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use camino::Utf8PathBuf;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::outcome::FetchOutcome;
use super::plan::{FetchPlan, FetchRequest, PlannedSet};
use crate::crawl::{Failure, Session};
use crate::disk;
use crate::download::{Arrived, Expected, Wanted, fetch_file, journal_of, judge};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Doing, Event};
use crate::mirror::{Mirror, Run};
use crate::net::Fault;
use crate::resolve::FileKey;
use crate::update::{PackageName, human_size};

/// The largest package seen has 5.6 GB. A file whose entry states no sum may have three times that.
const LARGEST_PACKAGE: u64 = 16 * 1024 * 1024 * 1024;

/// The files to download, each once, with all that is stated about them. A file that nothing vouches for, or whose
/// statements contradict each other, is not even asked for.
pub(super) fn wanted_files(
    session: &mut Session,
    plan: &FetchPlan,
    request: &FetchRequest,
    failures: &mut Vec<Failure>,
) -> Result<Vec<Wanted>> {
    let mut wanted: BTreeMap<FileKey, Wanted> = BTreeMap::new();
    for planned in &plan.sets {
        for &key in &planned.absent {
            if wanted.contains_key(&key) {
                continue;
            }
            match wanted_file(session.mirror()?, planned, key, request) {
                Ok(file) => {
                    wanted.insert(key, file);
                }
                Err(error) => failures.push(Failure::new(planned.row.kb.to_string(), &error)),
            }
        }
    }
    Ok(wanted.into_values().collect())
}

fn wanted_file(
    mirror: &mut Mirror,
    planned: &PlannedSet,
    key: FileKey,
    request: &FetchRequest,
) -> Result<Wanted> {
    let index = mirror.index();
    let Some(file) = index.file(key)? else {
        return Err(Error::new(ErrorKind::Internal, format!("file {} is not in the index", key.0)));
    };
    let (sha1_source, sha256_source) = index.digest_sources(key)?;
    let word = |source: Option<String>| match source.as_deref() {
        Some("dialog") => "dialog",
        Some("knowledge") => "knowledge",
        Some("bytes") => "earlier download",
        _ => "name",
    };
    let name = PackageName::parse(&file.name).sha1;
    let cap = planned.set.stated_size;
    let alone = planned.row.members.len() == 1;
    let expected = Expected {
        sha1: file.sha1.map(|sha1| (sha1, word(sha1_source))),
        sha256: file.sha256.map(|sha256| (sha256, word(sha256_source))),
        name,
        size: cap.filter(|_| alone),
    };
    if index.is_disputed(key)? {
        let message = format!("{}: its SHA-1 is stated with two SHA-256", file.name);
        return Err(Error::new(ErrorKind::Integrity, message)
            .hint("neither file is published until the Catalog says which is right"));
    }
    if let (Some((sha1, against)), Some(name)) = (expected.sha1, name)
        && sha1 != name
    {
        let message =
            format!("{}: the {against} states SHA-1 {sha1}, which is not the one in the name", file.name);
        return Err(Error::new(ErrorKind::Integrity, message)
            .hint("no bytes can agree with both: report it to Microsoft"));
    }
    if !expected.is_verifiable() && !request.accept_unverified {
        let message =
            format!("{}: the Catalog states no digest of it, so nothing can vouch for its bytes", file.name);
        return Err(
            Error::new(ErrorKind::Integrity, message).hint("--accept-unverified publishes it all the same")
        );
    }
    let partial_name = match (file.sha256, file.sha1) {
        (Some(sha256), _) => sha256.to_string(),
        (None, Some(sha1)) => sha1.to_string(),
        (None, None) => format!("unverified-{}", key.0),
    };
    Ok(Wanted {
        key,
        name: file.name,
        urls: file.urls,
        expected,
        cap: file.size.or(cap).unwrap_or(LARGEST_PACKAGE),
        partial: mirror.layout().partial().join(partial_name),
    })
}

/// Downloads several files at a time and judges each as it arrives. Returns what failed, by file.
pub(super) async fn download(
    session: &mut Session,
    wanted: Vec<Wanted>,
    outcome: &mut FetchOutcome,
) -> Result<BTreeMap<FileKey, String>> {
    let mut failed = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(failed);
    }
    let may_begin = session.go_on().and_then(|()| check_room(session, &wanted, &outcome.plan));
    if let Err(error) = may_begin {
        failed.extend(wanted.iter().map(|file| (file.key, error.full_message())));
        outcome.failures.push(Failure::new("the transfers", &error));
        return Ok(failed);
    }
    let (files, bytes) = (wanted.len(), outcome.plan.absent_bytes());
    session.events().send(Event::TransfersPlanned { doing: Doing::Downloading, files, bytes });
    let client = session.catalog().client().clone();
    let terms = session.terms().clone();
    let now = session.now();
    let before = terms.received();
    let mut queue = VecDeque::from(wanted);
    let mut running = FuturesUnordered::new();
    let mut asked_again = BTreeSet::new();
    let mut is_over = None;
    loop {
        while running.len() < session.parallel() && is_over.is_none() {
            let Some(wanted) = queue.pop_front() else { break };
            let (client, terms) = (client.clone(), terms.clone());
            running.push(async move {
                let arrived = fetch_file(&client, &wanted, &terms).await;
                (wanted, arrived)
            });
        }
        let Some((wanted, arrived)) = running.next().await else { break };
        let settled = match arrived {
            Ok(arrived) => settle(session.mirror()?, &wanted, &arrived, now),
            Err(error) => {
                if has_expired(&error)
                    && asked_again.insert(wanted.key)
                    && let Some(renewed) = renewed(session, &wanted).await?
                {
                    queue.push_front(renewed);
                    continue;
                }
                Err(error)
            }
        };
        let error = match settled {
            Ok(None) => continue,
            Ok(Some(kept)) => {
                let kept = session.mirror()?.layout().relative(&kept).to_owned();
                session.warn(format!(
                    "{} was damaged here and is replaced; the old bytes are kept as {kept}",
                    wanted.name
                ));
                continue;
            }
            Err(error) => error,
        };
        failed.insert(wanted.key, error.full_message());
        let ends_all = matches!(error.kind(), ErrorKind::NoSpace | ErrorKind::Interrupted);
        if !ends_all {
            // What its dialogs say of it is not so any more, or never was: the next run reads them again.
            session.mirror()?.index_mut().in_transaction(|index| index.forget_reading_of_file(wanted.key))?;
        }
        if is_over.is_none() || !ends_all {
            outcome.failures.push(Failure::new(wanted.name.clone(), &error));
        }
        if ends_all {
            is_over.get_or_insert_with(|| error.full_message());
        }
    }
    let why = is_over.unwrap_or_default();
    failed.extend(queue.into_iter().map(|file| (file.key, format!("{} was not begun: {why}", file.name))));
    outcome.bytes_downloaded += terms.received() - before;
    outcome.failures.sort_by(|a, b| (&a.what, &a.message).cmp(&(&b.what, &b.message)));
    Ok(failed)
}

/// Whether the disk has room for all that lacks. What lies there of it already counts, and what is reserved for it.
fn check_room(session: &mut Session, wanted: &[Wanted], plan: &FetchPlan) -> Result<()> {
    // Nobody knows how much it is: the disk itself will tell.
    let Some(bytes) = plan.absent_bytes().or(plan.absent_bytes_at_most()) else { return Ok(()) };
    let layout = session.layout().clone();
    let mut there = 0;
    for file in wanted {
        there += disk::allocated(&file.partial)?;
    }
    // Where files cannot be linked they lie in the pool and in their folders.
    let copies = if disk::takes_links(layout.root())? { 1 } else { 2 };
    let rest = bytes.saturating_mul(copies).saturating_sub(there);
    let needed = disk::with_overhead(rest);
    let free = disk::available_space(&layout.partial())?;
    if needed <= free {
        return Ok(());
    }
    let message = format!(
        "there is too little room in {}: {} are needed and {} are free",
        layout.root(),
        human_size(needed),
        human_size(free)
    );
    Err(Error::new(ErrorKind::NoSpace, message)
        .hint("nothing was downloaded; make room, or fetch less: --arch, --product, --max-bytes"))
}

/// Whether the server says that there is no such file any more, or not for us.
fn has_expired(error: &Error) -> bool {
    matches!(Fault::of(error), Fault::Status(401 | 403 | 404 | 410))
}

/// The same file under the addresses that the Catalog has for it now; `None` when it has no others.
async fn renewed(session: &mut Session, wanted: &Wanted) -> Result<Option<Wanted>> {
    let updates = session.mirror()?.index().updates_that_list(wanted.key)?;
    for id in updates {
        session.phase(format!("asking the Catalog once more where {} is", wanted.name));
        if let Err(error) = session.read_dialog(id).await {
            session.warn(format!(
                "where {} is now could not be asked: {}",
                wanted.name,
                error.full_message()
            ));
        }
    }
    let Some(file) = session.mirror()?.index().file(wanted.key)? else { return Ok(None) };
    let urls: Vec<String> = file.urls.into_iter().filter(|url| !wanted.urls.contains(url)).collect();
    Ok((!urls.is_empty()).then(|| Wanted { urls, ..wanted.clone() }))
}

/// A file that agrees with everything that was said of it goes into the pool, another one into quarantine.
/// Returns where damaged bytes are kept that it replaced.
fn settle(mirror: &mut Mirror, wanted: &Wanted, arrived: &Arrived, now: i64) -> Result<Option<Utf8PathBuf>> {
    let misnamed = arrived.misnamed.as_deref();
    let differs = match judge(&wanted.expected, &arrived.digests) {
        // Where no digest vouches for it, a file has at least to be what its name says.
        Ok(checks) if wanted.expected.is_verifiable() || misnamed.is_none() => {
            let run = Run { command: "fetch", now };
            let admitted = mirror.admit(wanted.key, &arrived.path, &arrived.digests, &checks, run)?;
            disk::remove_file(&journal_of(&arrived.path))?;
            return Ok(admitted.replaced);
        }
        Ok(_) => None,
        Err(mismatch) => Some(mismatch),
    };
    let what = differs.as_ref().map_or("container", |mismatch| mismatch.what);
    let kept = mirror.quarantine(&arrived.path, &arrived.digests.sha256, &format!("{what}-differs"))?;
    disk::remove_file(&journal_of(&arrived.path))?;
    let kept = mirror.layout().relative(&kept).to_owned();
    let reasons: Vec<String> =
        differs.iter().map(ToString::to_string).chain(misnamed.map(str::to_owned)).collect();
    Err(Error::new(ErrorKind::Integrity, format!("{}: {}", wanted.name, reasons.join("; ")))
        .hint(format!("the bytes are kept as {kept}; nothing of the set was published"))
        .hint(
            "run the same command again: a damaged transfer comes out right then, a wrong statement does not",
        ))
}
