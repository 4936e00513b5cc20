//! From a plan to files in the pool: what is stated of each file, several transfers at a time, and what becomes of
//! those that agree and of those that do not.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};

use super::fetch::FetchOutcome;
use super::plan::{FetchPlan, FetchRequest, PlannedSet};
use super::session::{Failure, Session};
use crate::download::{Arrived, Expected, Wanted, fetch_file, judge};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Doing, Event};
use crate::mirror::Mirror;
use crate::resolve::FileKey;
use crate::update::PackageName;

/// Files at a time: enough to fill a line whose single connections are slow, few enough to be a good guest.
const PARALLEL: usize = 4;

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
    let (files, bytes) = (wanted.len(), outcome.plan.absent_bytes());
    session.events().send(Event::TransfersPlanned { doing: Doing::Downloading, files, bytes });
    let client = session.catalog.client().clone();
    let patience = session.patience;
    let now = session.now();
    let mut transfers = stream::iter(wanted)
        .map(|wanted| {
            let client = client.clone();
            async move {
                let arrived = fetch_file(&client, &wanted, patience).await;
                (wanted, arrived)
            }
        })
        .buffer_unordered(PARALLEL);
    while let Some((wanted, arrived)) = transfers.next().await {
        let settled = match arrived {
            Ok(arrived) => {
                outcome.bytes_downloaded += arrived.digests.size;
                settle(session.mirror()?, &wanted, &arrived, now)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = settled {
            // What its dialogs say of it is not so any more, or never was: the next run reads them again.
            session.mirror()?.index_mut().in_transaction(|index| index.forget_reading_of_file(wanted.key))?;
            failed.insert(wanted.key, error.full_message());
            outcome.failures.push(Failure::new(wanted.name.clone(), &error));
        }
    }
    outcome.failures.sort_by(|a, b| (&a.what, &a.message).cmp(&(&b.what, &b.message)));
    Ok(failed)
}

/// A file that agrees with everything that was said of it goes into the pool, another one into quarantine.
fn settle(mirror: &mut Mirror, wanted: &Wanted, arrived: &Arrived, now: i64) -> Result<()> {
    match judge(&wanted.expected, &arrived.digests) {
        Ok(checks) => {
            mirror.admit(wanted.key, &arrived.path, &arrived.digests, &checks, now)?;
            Ok(())
        }
        Err(mismatch) => {
            let why = format!("{}-differs", mismatch.what);
            let kept = mirror.quarantine(&arrived.path, &arrived.digests.sha256, &why)?;
            let kept = mirror.layout().relative(&kept).to_owned();
            Err(Error::new(ErrorKind::Integrity, format!("{}: {mismatch}", wanted.name))
                .hint(format!("the bytes are kept as {kept}; nothing of the set was published"))
                .hint("run the same command again: a damaged transfer comes out right then, a wrong statement does not"))
        }
    }
}
