//! The transfer of one file from the network to the disk: requested, written, hashed, resumed, and made durable under
//! `partial/`.
//!
//! [`TransferMachine`] decides the next step; this module executes it. A temporary failure is retried by the same rules
//! as a query of the Catalog. Bytes that arrive between two failures reset the retry budget. All known URLs of the file
//! are tried in turn; a URL that fails permanently is not requested again.
//!
//! If the transfer does not succeed (a stop request, a full disk, no URL left), the partial file is kept. It is durable
//! and has a journal, so that the next run resumes it. Bytes that cannot belong to the file are not kept.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use camino::Utf8PathBuf;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use url::Url;

use super::fault::TransferFault;
use super::journal::{JOURNAL_FORMAT, Journal, journal_path};
use super::machine::{ContentRange, ResponseHead, SizeBounds, TransferMachine, TransferStep, Validators};
use super::rate::RateLimit;
use super::stall::{STALL_WINDOW, StallDetector};
use super::writer::{TransferWriter, WriterOutput};
use crate::clock::sleep_poll_interval;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events, TransferOutcome};
use crate::facts::FileKey;
use crate::mirror::FileStatements;
use crate::net::{Client, FailedRequest, GiveUpReason, Response, RetryDecision, RetryWait, redacted};
use crate::update::container::mismatch_reason;
use crate::update::{Digests, human_size};

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRequest {
    /// The key of the file in the index.
    pub key: FileKey,
    /// The name of the file, for messages.
    pub name: String,
    /// The URLs of the file, best first.
    pub urls: Vec<String>,
    /// The size and digests that are stated for the file.
    pub stated: FileStatements,
    /// The maximum size, if it is stated; otherwise the length is requested first.
    pub cap: Option<u64>,
    /// The path of the partial file.
    pub partial: Utf8PathBuf,
}

/// A file that arrived completely and is durable under `partial/`, but is not judged yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFile {
    /// The path of the file.
    pub path: Utf8PathBuf,
    /// The digests of the bytes.
    pub digests: Digests,
    /// The reason why the first bytes contradict the name of the file, if they do.
    pub misnamed: Option<String>,
}

/// The options of all transfers of a run.
#[derive(Debug, Clone)]
pub struct TransferSettings {
    /// The retry budget of a transfer without progress.
    pub retry_budget: Duration,
    /// The time within which a transfer must make progress.
    pub stall_window: Duration,
    /// The rate limit of all transfers together.
    pub limit: Option<Arc<RateLimit>>,
    /// The bytes received over the network by all transfers.
    received: Arc<AtomicU64>,
}

impl TransferSettings {
    /// Creates options without a rate limit.
    pub fn new(retry_budget: Duration) -> Self {
        Self { retry_budget, stall_window: STALL_WINDOW, limit: None, received: Arc::default() }
    }

    /// Returns the number of bytes received over the network so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// The bytes between two progress events of a file, so that bars move smoothly and lines stay few.
const PROGRESS_STEP: u64 = 1024 * 1024;
/// The time between two progress events on a slow line.
const PROGRESS_TIME: Duration = Duration::from_secs(1);
/// The bytes after which a file is made durable: the most that a power failure can cost.
const DURABLE_STEP: u64 = 64 * 1024 * 1024;
/// The time after which a file is made durable on a slow line.
const DURABLE_TIME: Duration = Duration::from_secs(5);

/// Fetches a file, and sends the events of the transfer, also when it fails.
pub async fn fetch_file(
    client: &Client,
    request: &TransferRequest,
    settings: &TransferSettings,
) -> Result<ReceivedFile> {
    let events = client.events().clone();
    let id = request.key.0.unsigned_abs();
    events.send(Event::TransferStarted { id, name: request.name.clone(), size: request.stated.size });
    let outcome = transfer_file(client, request, settings, &events).await;
    let (bytes, end) = match &outcome {
        Ok(received) => (received.digests.size, TransferOutcome::Complete),
        Err(error) => (0, TransferOutcome::of_error(error)),
    };
    events.send(Event::TransferFinished { id, bytes, outcome: end });
    outcome.map_err(|error| error.context(&request.name))
}

async fn transfer_file(
    client: &Client,
    request: &TransferRequest,
    settings: &TransferSettings,
    events: &Events,
) -> Result<ReceivedFile> {
    let mut transfer = Transfer::begin(client, request, settings, events).await?;
    let outcome = transfer.run().await;
    let written = match outcome {
        Ok(written) => written,
        // A full disk ends the writer, and the writer's error says more than the error of the network side.
        Err(error) => return Err(transfer.keep_partial().await.err().unwrap_or(error)),
    };
    Ok(ReceivedFile {
        path: request.partial.clone(),
        digests: written.digests,
        misnamed: mismatch_reason(&request.name, &written.first),
    })
}

/// A transfer in progress.
struct Transfer<'t> {
    client: &'t Client,
    request: &'t TransferRequest,
    settings: &'t TransferSettings,
    events: &'t Events,
    machine: TransferMachine,
    /// The URLs that may be requested, the next one first.
    urls: VecDeque<Url>,
    /// The writer; `None` after it was closed.
    writer: Option<TransferWriter>,
    /// The largest number of bytes that the file ever had.
    reached: u64,
    /// The fault of a URL that is not requested any more.
    refused: Option<Error>,
}

/// The tries since the last progress of the transfer.
struct RetryState {
    failed: u32,
    /// The number of URLs that were tried since the last wait.
    round: usize,
    since: Duration,
    /// The total wait, including waits that a replay skips, so that a recording is not retried for ever.
    waited: Duration,
    /// The bytes of the file at that time.
    reached: u64,
}

impl RetryState {
    fn begin(now: Duration, reached: u64) -> Self {
        Self { failed: 0, round: 0, since: now, waited: Duration::ZERO, reached }
    }
}

impl<'t> Transfer<'t> {
    /// Examines the partial file of an earlier run, and starts the writer on it.
    async fn begin(
        client: &'t Client,
        request: &'t TransferRequest,
        settings: &'t TransferSettings,
        events: &'t Events,
    ) -> Result<Self> {
        let mut urls = VecDeque::new();
        let mut refused = None;
        for url in &request.urls {
            match Url::parse(url) {
                Ok(url) => urls.push_back(url),
                Err(source) => {
                    let url = redacted(url);
                    refused = Some(TransferFault::InvalidUrl { url, source }.into());
                }
            }
        }
        let journal = Journal::read(&request.partial);
        let on_disk = disk::file_size(&request.partial)?.unwrap_or(0);
        let mut usable =
            journal.as_ref().map_or(0, |journal| journal.usable_bytes(on_disk, disk::boot_id().as_deref()));
        let position = journal
            .as_ref()
            .and_then(|journal| urls.iter().position(|url: &Url| url.as_str() == journal.url));
        let mut validators = Validators::default();
        match (position, &journal) {
            // The server's validators are valid at its own URL only.
            (Some(position), Some(journal)) => {
                urls.rotate_left(position);
                validators = journal.validators();
            }
            // A digest proves that the bytes belong to the same file. Without a digest, nothing proves it.
            _ if !request.stated.is_verifiable() => usable = 0,
            _ => {}
        }
        let bounds = SizeBounds { size: request.stated.size, cap: request.cap };
        let total = journal.as_ref().and_then(|journal| journal.size);
        let mut machine = TransferMachine::new(bounds, usable, total, validators.clone());
        if machine.written() > 0 {
            let size = human_size(machine.written());
            events.send(Event::Phase(format!("reading {size} of {} from an earlier run", request.name)));
        }
        let (writer, length) = TransferWriter::start(&request.partial, machine.written(), journal).await?;
        if length != machine.written() {
            machine = TransferMachine::new(bounds, length, total, validators);
        }
        let reached = machine.written();
        Ok(Self { client, request, settings, events, machine, urls, writer: Some(writer), reached, refused })
    }

    /// Runs until the file is complete and verified, until it fails verification twice, or until no try is left.
    async fn run(&mut self) -> Result<WriterOutput> {
        let mut state = RetryState::begin(self.now(), self.reached);
        loop {
            if self.machine.is_complete() {
                let written = self.close().await?;
                if self.request.stated.compare(&written.digests).is_ok() || !self.machine.reject_digests() {
                    return Ok(written);
                }
                self.events.warn(format!(
                    "{}: the received bytes do not match the stated digests; fetching the complete file again",
                    self.request.name
                ));
                let (writer, _) = TransferWriter::start(&self.request.partial, 0, None).await?;
                self.writer = Some(writer);
                self.use_next_url();
            }
            let Some(url) = self.urls.front().cloned() else {
                let none = || TransferFault::NoUrl { name: self.request.name.clone() }.into();
                return Err(self.refused.take().unwrap_or_else(none));
            };
            if let Err(failure) = self.try_url(&url).await {
                self.handle_failure(failure, &mut state).await?;
            }
        }
    }

    /// Takes the step after a failure; an error ends the transfer.
    async fn handle_failure(&mut self, failure: FailedRequest, state: &mut RetryState) -> Result<()> {
        /// Fewer new bytes than this (1 % for small files) do not reset the retry budget. Otherwise a server that sends
        /// one byte at a time would be retried for ever.
        const PROGRESS: u64 = 1024 * 1024;
        let progress = PROGRESS.min(self.machine.total().unwrap_or(u64::MAX) / 100).max(1);
        let FailedRequest { error, retry_after } = failure;
        if error.kind().is_stop() || matches!(error.kind(), ErrorKind::NoSpace | ErrorKind::Internal) {
            return Err(error);
        }
        // Bytes downloaded again do not count as progress.
        if self.reached - state.reached >= progress {
            *state = RetryState::begin(self.now(), self.reached);
        }
        state.failed += 1;
        state.round += 1;
        let elapsed = state.waited.max(self.now().saturating_sub(state.since));
        match self.client.decide_retry(
            error.retry(),
            state.failed,
            retry_after,
            elapsed,
            self.settings.retry_budget,
        ) {
            RetryDecision::After { .. } if state.round < self.urls.len() => self.use_next_url(),
            RetryDecision::After { wait, left } => {
                let of = Some(self.request.key.0.unsigned_abs());
                self.client
                    .wait(RetryWait { of, duration: wait, left: Some(left), why: error.full_message() })
                    .await?;
                state.waited = elapsed + wait;
                state.round = 0;
                self.use_next_url();
            }
            RetryDecision::GiveUp(why @ GiveUpReason::BudgetExhausted) => return Err(why.explain(error)),
            RetryDecision::GiveUp(why) => {
                self.refused = Some(why.explain(error));
                self.urls.pop_front();
                self.machine.switch_url();
                *state = RetryState::begin(self.now(), self.reached);
            }
        }
        Ok(())
    }

    /// Turns to the next URL, if another one exists.
    fn use_next_url(&mut self) {
        if self.urls.len() > 1 {
            self.urls.rotate_left(1);
            self.machine.switch_url();
        }
    }

    async fn try_url(&mut self, url: &Url) -> Result<(), FailedRequest> {
        if !self.machine.is_bounded() {
            // A server that does not answer a HEAD request states the length with the bytes; otherwise the file is
            // refused.
            match self.client.request_file_length(url, self.settings.stall_window).await {
                Ok(length) => length.into_iter().for_each(|length| self.machine.limit_size(length)),
                Err(failure) if failure.error.kind().is_stop() => return Err(failure),
                Err(_) => {}
            }
        }
        let part = self.machine.request();
        let mut response = self.client.request_file(url, &part, self.settings.stall_window).await?;
        let step = match self.machine.handle_head(&head_of(&response)) {
            Ok(step) => step,
            Err(refused) => {
                // An HTML page in place of the file has a different length as well, and its title says more.
                let soon = pin!(sleep_poll_interval());
                if let Either::Left((Some(Ok(first)), _)) =
                    self.client.unless_stopped(select(response.body.next(), soon)).await?
                {
                    self.client.refuse_page(&response.final_url, &first)?;
                }
                return Err(refused.into());
            }
        };
        match step {
            TransferStep::Complete => return Ok(()),
            TransferStep::StartOver(why) => {
                self.events
                    .warn(format!("{}: {why}; fetching the file from its beginning", self.request.name));
                return self.empty_file().await;
            }
            TransferStep::Take { at: 0 } => self.empty_file().await?,
            TransferStep::Take { .. } => {}
        }
        self.events.send(Event::TransferAnswered {
            id: self.request.key.0.unsigned_abs(),
            from: self.machine.written(),
            size: self.machine.total(),
        });
        let Validators { etag, last_modified } = self.machine.validators().clone();
        let journal = Journal {
            format: JOURNAL_FORMAT,
            url: url.to_string(),
            etag,
            last_modified,
            size: self.machine.total(),
            durable: 0,
            boot: disk::boot_id(),
        };
        self.check_accepted(self.writer()?.write_journal(journal.clone()).await)?;
        self.receive(response).await?;
        let has_length = journal.size.is_some();
        self.machine.body_ended()?;
        if !has_length {
            // The length is known only after the end of the body.
            let journal = Journal { size: self.machine.total(), ..journal };
            self.check_accepted(self.writer()?.write_journal(journal).await)?;
        }
        Ok(())
    }

    /// Receives a body as far as it arrives.
    async fn receive(&mut self, mut response: Response) -> Result<(), FailedRequest> {
        let id = self.request.key.0.unsigned_abs();
        let limit = self.settings.limit.as_ref().map(|limit| limit.bytes_per_second());
        let window = self.settings.stall_window;
        let mut detector = StallDetector::new(self.now(), window, limit);
        let (mut durable_bytes, mut durable_time) = (0, self.now());
        let (mut reported, mut reported_at) = (self.machine.written(), self.now());
        loop {
            let soon = pin!(sleep_poll_interval());
            let next = select(response.body.next(), soon);
            let piece: Bytes = match self.client.unless_stopped(next).await? {
                Either::Left((None, _)) => break,
                Either::Left((Some(piece), _)) => piece?,
                Either::Right(_) if detector.record(self.now(), 0) => continue,
                Either::Right(_) => return Err(stalled(window).into()),
            };
            let bytes = piece.len() as u64;
            if self.machine.written() == 0 {
                self.client.refuse_page(&response.final_url, &piece)?;
            }
            if self.machine.written() + bytes > self.machine.max_size() {
                let error = self.machine.reject_excess();
                self.empty_file().await?;
                return Err(error.into());
            }
            self.check_accepted(self.writer()?.send_piece(piece).await)?;
            self.machine.count_bytes(bytes);
            self.reached = self.reached.max(self.machine.written());
            self.settings.received.fetch_add(bytes, Ordering::Relaxed);
            if let Some(limit) = &self.settings.limit {
                let wait = limit.count(self.now(), bytes);
                if !wait.is_zero() {
                    self.client.unless_stopped(self.client.clock().wait(wait)).await?;
                }
            }
            let now = self.now();
            if !detector.record(now, bytes) {
                return Err(stalled(window).into());
            }
            durable_bytes += bytes;
            if durable_bytes >= DURABLE_STEP || now.saturating_sub(durable_time) >= DURABLE_TIME {
                (durable_bytes, durable_time) = (0, now);
                self.check_accepted(self.writer()?.sync().await)?;
            }
            if self.machine.written() - reported >= PROGRESS_STEP
                || now.saturating_sub(reported_at) >= PROGRESS_TIME
            {
                (reported, reported_at) = (self.machine.written(), now);
                self.events.send(Event::TransferProgress { id, bytes: reported });
            }
        }
        Ok(())
    }

    async fn empty_file(&mut self) -> Result<(), FailedRequest> {
        self.check_accepted(self.writer()?.start_over().await)
    }

    fn writer(&self) -> Result<&TransferWriter> {
        Ok(self.writer.as_ref().ok_or(TransferFault::WriterEnded)?)
    }

    /// Fails if the writer did not accept an order. The writer ended early then, and closing it returns its own error.
    #[expect(clippy::unused_self, reason = "reads like the other calls of the writer")]
    fn check_accepted(&self, taken: bool) -> Result<(), FailedRequest> {
        if taken { Ok(()) } else { Err(TransferFault::WriterEnded.into()) }
    }

    async fn close(&mut self) -> Result<WriterOutput> {
        match self.writer.take() {
            Some(writer) => writer.close().await,
            None => Err(TransferFault::WriterEnded.into()),
        }
    }

    /// Makes the received bytes durable; an error is that of the disk.
    async fn keep_partial(&mut self) -> Result<()> {
        if let Some(writer) = self.writer.take() {
            writer.close().await?;
        }
        if self.machine.written() == 0 {
            // Nothing to resume.
            disk::remove_file(&self.request.partial)?;
            disk::remove_file(&journal_path(&self.request.partial))?;
        }
        Ok(())
    }

    fn now(&self) -> Duration {
        self.client.clock().elapsed()
    }
}

fn stalled(window: Duration) -> TransferFault {
    TransferFault::Stalled { window }
}

fn head_of(response: &Response) -> ResponseHead {
    let encoding = response.header("content-encoding").map(str::trim);
    ResponseHead {
        status: response.status,
        length: response.content_length(),
        range: response.header("content-range").and_then(ContentRange::parse),
        validators: Validators::new(response.header("etag"), response.header("last-modified")),
        encoding: encoding.filter(|coding| !coding.eq_ignore_ascii_case("identity")).map(str::to_owned),
    }
}
