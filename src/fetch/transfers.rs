//! Downloads the files of a plan into the pool. The module collects the statements about each file, runs several
//! transfers at a time, and accepts or rejects the results.
//!
//! The free space is checked before the first byte. If the disk becomes full nevertheless, or after a stop request, no
//! further transfer begins, and partial files are kept. An expired URL is looked up once more at its source.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::outcome::FetchOutcome;
use super::plan::{FetchPlan, FetchRequest, PlannedSet};
use crate::clock::Time;
use crate::crawl::{Failure, Session};
use crate::disk;
use crate::download::{
    Arrived, Receiver, TransferEnd, Transferred, Wanted, ends_batch, journal_of, transfer_batch,
};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, TransferDirection};
use crate::facts::{FileKey, Source};
use crate::mirror::{Access, FileStatements, Mirror, QUARANTINE_LIMIT, RunInfo, VettedFile, WriteAccess};
use crate::resolve::Member;
use crate::update::{PackageName, human_size};

/// Returns the files to download, each once, with the statements about them. A file that cannot be verified, or whose
/// statements contradict each other, is not requested.
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
            match wanted_file(session.mirror()?, key, Some((planned, request))) {
                Ok(file) => {
                    wanted.insert(key, file);
                }
                Err(error) => failures.push(Failure::new(planned.row.kb.to_string(), &error)),
            }
        }
    }
    Ok(wanted.into_values().collect())
}

/// Returns a file with the statements about it: for a set of a plan, or only to restore it in the pool. A file that was
/// in the pool is verified by the digests of its earlier bytes.
pub(super) fn wanted_file(
    mirror: &Mirror<impl Access>,
    key: FileKey,
    plan: Option<(&PlannedSet, &FetchRequest)>,
) -> Result<Wanted> {
    let index = mirror.index();
    let Some(file) = index.file(key)? else {
        return Err(Error::new(ErrorKind::Internal, format!("file {} is not in the index", key.0)));
    };
    if plan.is_none() && file.urls.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, format!("{}: its URL is not known", file.name))
            .hint("restore it from a medium or a folder with --from DIR"));
    }
    let (sha1_source, sha256_source) = index.digest_sources(key)?;
    // The earlier bytes verify a digest without another source; a SHA-1 can come from the name alone.
    let vouching = |source: Option<Source>, otherwise: Source| match source {
        Some(Source::Bytes) => Source::EarlierDownload,
        source => source.unwrap_or(otherwise),
    };
    let unnamed = if plan.is_some() { Source::Name } else { Source::EarlierDownload };
    let name = PackageName::parse(&file.name).sha1;
    // The order goes from the narrowest statement to the widest: the size of the file, the sum of an entry, and the sum
    // of the set. A set with a member that no dialog lists has no sum.
    let identity = file.identity();
    let same = |member: &&Member| member.file.identity() == identity;
    let members = plan.iter().flat_map(|(planned, _)| &planned.set.members);
    let of_knowledge = members.clone().find(same).and_then(|member| member.file.size);
    let of_entry = index.largest_entry_size(key)?;
    let cap = plan.and_then(|(planned, _)| planned.set.stated_size);
    let alone = plan.is_some_and(|(planned, _)| planned.row.members.len() == 1);
    let stated = FileStatements {
        sha1: file.sha1.map(|sha1| (sha1, vouching(sha1_source, unnamed))),
        sha256: file.sha256.map(|sha256| (sha256, vouching(sha256_source, unnamed))),
        name,
        size: cap.filter(|_| alone),
    };
    // A file that was in the pool is identified by its bytes.
    if plan.is_some() && index.is_disputed(key)? {
        let message = format!("{}: two SHA-256 are stated for its SHA-1", file.name);
        return Err(Error::new(ErrorKind::Integrity, message).hint(
            "run the command again later: neither file is published until the Catalog states which is right",
        ));
    }
    if let (Some((sha1, against)), Some(name)) = (stated.sha1, name)
        && sha1 != name
    {
        let message =
            format!("{}: the {against} states SHA-1 {sha1}, but the name contains another SHA-1", file.name);
        return Err(Error::new(ErrorKind::Integrity, message)
            .hint("report it to Microsoft: bytes cannot agree with both"));
    }
    let accepts_unverified = plan.is_some_and(|(_, request)| request.accept_unverified);
    if !stated.is_verifiable() && !accepts_unverified {
        let message =
            format!("{}: the Catalog does not state a digest, so the bytes cannot be verified", file.name);
        return Err(Error::new(ErrorKind::Integrity, message)
            .hint("use --accept-unverified to publish the file without verification"));
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
        stated,
        cap: file.size.or(of_knowledge).or(of_entry).or(cap),
        partial: mirror.layout().partial().join(partial_name),
    })
}

/// Downloads files and puts those that agree with their statements into the pool. Returns the messages of the failed
/// files.
pub(super) async fn download(
    session: &mut Session,
    wanted: Vec<Wanted>,
    plan: &FetchPlan,
    outcome: &mut FetchOutcome,
) -> Result<BTreeMap<FileKey, String>> {
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let may_begin = session.go_on().and_then(|()| check_room(session, &wanted, plan));
    if let Err(error) = may_begin {
        outcome.failures.push(Failure::new("the transfers", &error));
        return Ok(wanted.iter().map(|file| (file.key, error.full_message())).collect());
    }
    let (files, bytes) = (wanted.len(), plan.absent_bytes());
    session.events().send(Event::TransfersPlanned { doing: TransferDirection::Downloading, files, bytes });
    let client = session.catalog().client().clone();
    let terms = session.terms().clone();
    let parallel = session.parallel();
    let before = terms.received();
    let ended = transfer_batch(&client, &terms, parallel, wanted, &mut PoolReceiver { session }).await?;
    outcome.bytes_downloaded += terms.received() - before;
    let (mut failed, mut is_over) = (BTreeMap::new(), false);
    for Transferred { wanted, end } in ended {
        let message = match end {
            TransferEnd::Taken => continue,
            TransferEnd::NotBegun(message) => message,
            TransferEnd::Failed(error) => {
                // The cause that ends a batch is reported once.
                if !ends_batch(&error) || !std::mem::replace(&mut is_over, true) {
                    outcome.failures.push(Failure::new(wanted.name.clone(), &error));
                }
                error.full_message()
            }
        };
        failed.insert(wanted.key, message);
    }
    outcome.failures.sort_by(|a, b| (&a.what, &a.message).cmp(&(&b.what, &b.message)));
    Ok(failed)
}

/// The receiver of a fetch: good files go into the pool, and expired URLs are looked up in the Catalog again.
struct PoolReceiver<'s> {
    session: &'s mut Session,
}

impl Receiver for PoolReceiver<'_> {
    fn take(&mut self, wanted: &Wanted, arrived: &Arrived) -> Result<()> {
        let now = self.session.now();
        let Some(kept) = settle(self.session.mirror()?, wanted, arrived, now)? else { return Ok(()) };
        let kept = self.session.mirror()?.layout().relative(&kept).to_owned();
        self.session
            .warn(format!("replaced the damaged {} in the pool; kept the old bytes as {kept}", wanted.name));
        Ok(())
    }

    async fn renew(&mut self, wanted: &Wanted) -> Result<Option<Wanted>> {
        renewed(self.session, wanted).await
    }

    /// Forgets that the dialogs of the file were read: they are wrong about it. The next run reads them again.
    fn note_failure(&mut self, wanted: &Wanted, _error: &Error) -> Result<()> {
        let index = self.session.mirror()?.index_mut();
        index.in_transaction(|index| index.mark_unread_by_file(wanted.key))
    }
}

/// Checks that the disk has room for all missing files. Partial files count, and so does space that is reserved for
/// them.
fn check_room(session: &mut Session, wanted: &[Wanted], plan: &FetchPlan) -> Result<()> {
    // The total size is unknown: a full disk is detected during the download.
    let Some(bytes) = plan.absent_bytes().or(plan.absent_bytes_at_most()) else { return Ok(()) };
    let layout = session.layout().clone();
    let mut there = 0;
    for file in wanted {
        there += disk::allocated(&file.partial)?;
    }
    // If files cannot be linked, each exists in the pool and in its folder.
    let copies = if disk::supports_links(layout.root())? { 1 } else { 2 };
    let rest = bytes.saturating_mul(copies).saturating_sub(there);
    let needed = disk::with_overhead(rest);
    let free = disk::available_space(&layout.partial())?;
    if needed <= free {
        return Ok(());
    }
    let message = format!(
        "too little space in {}: {} are needed, but {} are free",
        layout.root(),
        human_size(needed),
        human_size(free)
    );
    Err(Error::new(ErrorKind::NoSpace, message).hint(
        "free disk space, or fetch less with --arch, --product, or --max-bytes; nothing was downloaded",
    ))
}

/// Returns the same file with the URLs that the Catalog has for it now, or `None` if it has no other URLs.
async fn renewed(session: &mut Session, wanted: &Wanted) -> Result<Option<Wanted>> {
    let updates = session.mirror()?.index().updates_listing(wanted.key)?;
    for id in updates {
        session.phase(format!("querying the Catalog for the current URL of {}", wanted.name));
        if let Err(error) = session.read_dialog(id).await {
            session.warn(format!(
                "did not find the current URL of {}: {}",
                wanted.name,
                error.full_message()
            ));
        }
    }
    let Some(file) = session.mirror()?.index().file(wanted.key)? else { return Ok(None) };
    let urls: Vec<String> = file.urls.into_iter().filter(|url| !wanted.urls.contains(url)).collect();
    Ok((!urls.is_empty()).then(|| Wanted { urls, ..wanted.clone() }))
}

/// Admits a file that agrees with its statements into the pool, and moves any other file into quarantine. Returns the
/// path of the damaged bytes that it replaced.
fn settle(
    mirror: &mut Mirror<WriteAccess>,
    wanted: &Wanted,
    arrived: &Arrived,
    now: Time,
) -> Result<Option<Utf8PathBuf>> {
    let misnamed = arrived.misnamed.as_deref();
    let unfit = match VettedFile::new(&arrived.path, arrived.digests, &wanted.stated, misnamed) {
        Ok(vetted) => {
            let admitted = mirror.admit(wanted.key, &vetted, RunInfo { command: "fetch", now })?;
            disk::remove_file(&journal_of(&arrived.path))?;
            return Ok(admitted.replaced);
        }
        Err(unfit) => unfit,
    };
    disk::remove_file(&journal_of(&arrived.path))?;
    let error = Error::new(ErrorKind::Integrity, format!("{}: {unfit}", wanted.name));
    // Bytes beyond the stated size, or beyond the room of quarantine/, are not worth keeping as evidence.
    let is_too_long = wanted.cap.is_some_and(|most| arrived.digests.size > most);
    let error = if is_too_long || arrived.digests.size > QUARANTINE_LIMIT {
        disk::remove_file(&arrived.path)?;
        error.hint(
            "note that the bytes were too large to keep and were deleted; nothing of the set was published",
        )
    } else {
        let kept = mirror.quarantine(&arrived.path, &arrived.digests.sha256, unfit.what(), now)?;
        let kept = mirror.layout().relative(&kept).to_owned();
        error.hint(format!(
            "look at the bytes, which are kept as {kept} for 30 days; nothing of the set was published"
        ))
    };
    Err(error.hint("run the same command again: this repairs a damaged transfer, but not a wrong statement"))
}
