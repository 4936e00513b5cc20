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
    BatchReceiver, ReceivedFile, TransferEnd, TransferRequest, TransferResult, ends_batch, journal_path,
    transfer_batch,
};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, TransferDirection};
use crate::facts::{FileKey, Source};
use crate::mirror::{Access, FileStatements, Mirror, QUARANTINE_LIMIT, RunInfo, VettedFile, WriteAccess};
use crate::resolve::Member;
use crate::update::{PackageName, human_size};

/// Returns the files to download, each once, with the statements about them. A file that cannot be verified, or whose
/// statements contradict each other, is not requested.
pub(super) fn transfer_requests(
    session: &mut Session,
    plan: &FetchPlan,
    request: &FetchRequest,
    failures: &mut Vec<Failure>,
) -> Result<Vec<TransferRequest>> {
    let mut requests: BTreeMap<FileKey, TransferRequest> = BTreeMap::new();
    for planned in &plan.sets {
        for &key in &planned.absent {
            if requests.contains_key(&key) {
                continue;
            }
            match transfer_request(session.mirror()?, key, Some((planned, request))) {
                Ok(file) => {
                    requests.insert(key, file);
                }
                Err(error) => failures.push(Failure::new(planned.row.kb.to_string(), &error)),
            }
        }
    }
    Ok(requests.into_values().collect())
}

/// Returns a file with the statements about it: for a set of a plan, or only to restore it in the pool. A file that was
/// in the pool is verified by the digests of its earlier bytes.
pub(super) fn transfer_request(
    mirror: &Mirror<impl Access>,
    key: FileKey,
    plan: Option<(&PlannedSet, &FetchRequest)>,
) -> Result<TransferRequest> {
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
    Ok(TransferRequest {
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
    requests: Vec<TransferRequest>,
    plan: &FetchPlan,
    outcome: &mut FetchOutcome,
) -> Result<BTreeMap<FileKey, String>> {
    if requests.is_empty() {
        return Ok(BTreeMap::new());
    }
    let may_begin = session.check_stop().and_then(|()| check_space(session, &requests, plan));
    if let Err(error) = may_begin {
        outcome.failures.push(Failure::new("the transfers", &error));
        return Ok(requests.iter().map(|file| (file.key, error.full_message())).collect());
    }
    let (files, bytes) = (requests.len(), plan.absent_bytes());
    session.events().send(Event::TransfersPlanned { doing: TransferDirection::Downloading, files, bytes });
    let client = session.catalog().client().clone();
    let settings = session.transfer_settings().clone();
    let parallel = session.parallel();
    let before = settings.received();
    let ended = transfer_batch(&client, &settings, parallel, requests, &mut PoolReceiver { session }).await?;
    outcome.bytes_downloaded += settings.received() - before;
    let (mut failed, mut is_over) = (BTreeMap::new(), false);
    for TransferResult { request, end } in ended {
        let message = match end {
            TransferEnd::Accepted => continue,
            TransferEnd::NotStarted(message) => message,
            TransferEnd::Failed(error) => {
                // The cause that ends a batch is reported once.
                if !ends_batch(&error) || !std::mem::replace(&mut is_over, true) {
                    outcome.failures.push(Failure::new(request.name.clone(), &error));
                }
                error.full_message()
            }
        };
        failed.insert(request.key, message);
    }
    outcome.failures.sort_by(|a, b| (&a.what, &a.message).cmp(&(&b.what, &b.message)));
    Ok(failed)
}

/// The receiver of a fetch: good files go into the pool, and expired URLs are looked up in the Catalog again.
struct PoolReceiver<'s> {
    session: &'s mut Session,
}

impl BatchReceiver for PoolReceiver<'_> {
    fn accept(&mut self, request: &TransferRequest, received: &ReceivedFile) -> Result<()> {
        let now = self.session.now();
        let Some(kept) = admit_or_quarantine(self.session.mirror()?, request, received, now)? else {
            return Ok(());
        };
        let kept = self.session.mirror()?.layout().relative(&kept).to_owned();
        self.session
            .warn(format!("replaced the damaged {} in the pool; kept the old bytes as {kept}", request.name));
        Ok(())
    }

    async fn renew(&mut self, request: &TransferRequest) -> Result<Option<TransferRequest>> {
        find_new_urls(self.session, request).await
    }

    /// Forgets that the dialogs of the file were read: they are wrong about it. The next run reads them again.
    fn record_failure(&mut self, request: &TransferRequest, _error: &Error) -> Result<()> {
        let index = self.session.mirror()?.index_mut();
        index.in_transaction(|index| index.mark_unread_by_file(request.key))
    }
}

/// Checks that the disk has room for all missing files. Partial files count, and so does space that is reserved for
/// them.
fn check_space(session: &mut Session, requests: &[TransferRequest], plan: &FetchPlan) -> Result<()> {
    // The total size is unknown: a full disk is detected during the download.
    let Some(bytes) = plan.absent_bytes().or(plan.absent_bytes_at_most()) else { return Ok(()) };
    let layout = session.layout().clone();
    let mut there = 0;
    for file in requests {
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
async fn find_new_urls(session: &mut Session, request: &TransferRequest) -> Result<Option<TransferRequest>> {
    let updates = session.mirror()?.index().updates_listing(request.key)?;
    for id in updates {
        session.phase(format!("querying the Catalog for the current URL of {}", request.name));
        if let Err(error) = session.read_dialog(id).await {
            session.warn(format!(
                "did not find the current URL of {}: {}",
                request.name,
                error.full_message()
            ));
        }
    }
    let Some(file) = session.mirror()?.index().file(request.key)? else { return Ok(None) };
    let urls: Vec<String> = file.urls.into_iter().filter(|url| !request.urls.contains(url)).collect();
    Ok((!urls.is_empty()).then(|| TransferRequest { urls, ..request.clone() }))
}

/// Admits a file that agrees with its statements into the pool, and moves any other file into quarantine. Returns the
/// path of the damaged bytes that it replaced.
fn admit_or_quarantine(
    mirror: &mut Mirror<WriteAccess>,
    request: &TransferRequest,
    received: &ReceivedFile,
    now: Time,
) -> Result<Option<Utf8PathBuf>> {
    let misnamed = received.misnamed.as_deref();
    let unfit = match VettedFile::new(&received.path, received.digests, &request.stated, misnamed) {
        Ok(vetted) => {
            let admitted = mirror.admit(request.key, &vetted, RunInfo { command: "fetch", now })?;
            disk::remove_file(&journal_path(&received.path))?;
            return Ok(admitted.replaced);
        }
        Err(unfit) => unfit,
    };
    disk::remove_file(&journal_path(&received.path))?;
    let error = Error::new(ErrorKind::Integrity, format!("{}: {unfit}", request.name));
    // Bytes beyond the stated size, or beyond the size limit of quarantine/, are not worth keeping as evidence.
    let is_too_long = request.cap.is_some_and(|most| received.digests.size > most);
    let error = if is_too_long || received.digests.size > QUARANTINE_LIMIT {
        disk::remove_file(&received.path)?;
        error.hint(
            "note that the bytes were too large to keep and were deleted; nothing of the set was published",
        )
    } else {
        let kept = mirror.quarantine(&received.path, &received.digests.sha256, unfit.what(), now)?;
        let kept = mirror.layout().relative(&kept).to_owned();
        error.hint(format!(
            "look at the bytes, which are kept as {kept} for 30 days; nothing of the set was published"
        ))
    };
    Err(error.hint("run the same command again: this repairs a damaged transfer, but not a wrong statement"))
}
