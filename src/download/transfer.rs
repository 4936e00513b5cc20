//! The transfer of one file from the network to the disk: requested, written, hashed, resumed, and made durable under
//! `partial/`.
//!
//! [`Machine`] decides the next step; this module executes it. A temporary failure is retried by the same rules as a
//! query of the Catalog. Bytes that arrive between two failures reset the retry budget. All known URLs of the file are
//! tried in turn; a URL that fails permanently is not requested again.
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
use super::journal::{JOURNAL_FORMAT, Journal, journal_of};
use super::machine::{Bounds, ContentRange, Head, Machine, Step, Validators};
use super::rate::RateLimit;
use super::stall::{Pulse, STALL_WINDOW};
use super::writer::{Writer, Written};
use crate::clock::sleep_poll_interval;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events, TransferOutcome};
use crate::facts::FileKey;
use crate::mirror::FileStatements;
use crate::net::{Answer, Client, GiveUp, Next, Setback, Wait, redacted};
use crate::update::container::mismatch_reason;
use crate::update::{Digests, human_size};

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
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
pub struct Arrived {
    /// The path of the file.
    pub path: Utf8PathBuf,
    /// The digests of the bytes.
    pub digests: Digests,
    /// The reason why the first bytes contradict the name of the file, if they do.
    pub misnamed: Option<String>,
}

/// The options of all transfers of a run.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The retry budget of a transfer without progress.
    pub patience: Duration,
    /// The time within which a transfer must make progress.
    pub stall_window: Duration,
    /// The rate limit of all transfers together.
    pub limit: Option<Arc<RateLimit>>,
    /// The bytes received over the network by all transfers.
    received: Arc<AtomicU64>,
}

impl Terms {
    /// Creates options without a rate limit.
    pub fn new(patience: Duration) -> Self {
        Self { patience, stall_window: STALL_WINDOW, limit: None, received: Arc::default() }
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
pub async fn fetch_file(client: &Client, wanted: &Wanted, terms: &Terms) -> Result<Arrived> {
    let events = client.events().clone();
    let id = wanted.key.0.unsigned_abs();
    events.send(Event::TransferStarted { id, name: wanted.name.clone(), size: wanted.stated.size });
    let outcome = fetch(client, wanted, terms, &events).await;
    let (bytes, end) = match &outcome {
        Ok(arrived) => (arrived.digests.size, TransferOutcome::Complete),
        Err(error) => (0, TransferOutcome::of_error(error)),
    };
    events.send(Event::TransferFinished { id, bytes, outcome: end });
    outcome.map_err(|error| error.context(&wanted.name))
}

async fn fetch(client: &Client, wanted: &Wanted, terms: &Terms, events: &Events) -> Result<Arrived> {
    let mut transfer = Transfer::begin(client, wanted, terms, events).await?;
    let outcome = transfer.run().await;
    let written = match outcome {
        Ok(written) => written,
        // A full disk ends the writer, and the writer's error says more than the error of the network side.
        Err(error) => return Err(transfer.park().await.err().unwrap_or(error)),
    };
    Ok(Arrived {
        path: wanted.partial.clone(),
        digests: written.digests,
        misnamed: mismatch_reason(&wanted.name, &written.first),
    })
}

/// A transfer in progress.
struct Transfer<'t> {
    client: &'t Client,
    wanted: &'t Wanted,
    terms: &'t Terms,
    events: &'t Events,
    machine: Machine,
    /// The URLs that may be requested, the next one first.
    addresses: VecDeque<Url>,
    /// The writer; `None` after it was closed.
    writer: Option<Writer>,
    /// The largest number of bytes that the file ever had.
    reached: u64,
    /// The fault of a URL that is not requested any more.
    refused: Option<Error>,
}

/// The tries since the last progress of the transfer.
struct Tries {
    failed: u32,
    /// The number of URLs that were tried since the last wait.
    round: usize,
    since: Duration,
    /// The total wait, including waits that a replay skips, so that a recording is not retried for ever.
    waited: Duration,
    /// The bytes of the file at that time.
    reached: u64,
}

impl Tries {
    fn begin(now: Duration, reached: u64) -> Self {
        Self { failed: 0, round: 0, since: now, waited: Duration::ZERO, reached }
    }
}

impl<'t> Transfer<'t> {
    /// Examines the partial file of an earlier run, and starts the writer on it.
    async fn begin(
        client: &'t Client,
        wanted: &'t Wanted,
        terms: &'t Terms,
        events: &'t Events,
    ) -> Result<Self> {
        let mut addresses = VecDeque::new();
        let mut refused = None;
        for url in &wanted.urls {
            match Url::parse(url) {
                Ok(url) => addresses.push_back(url),
                Err(source) => {
                    let url = redacted(url);
                    refused = Some(TransferFault::NotAnAddress { url, source }.into());
                }
            }
        }
        let journal = Journal::read(&wanted.partial);
        let on_disk = disk::file_size(&wanted.partial)?.unwrap_or(0);
        let mut counts =
            journal.as_ref().map_or(0, |journal| journal.counts(on_disk, disk::boot_id().as_deref()));
        let place = journal
            .as_ref()
            .and_then(|journal| addresses.iter().position(|url: &Url| url.as_str() == journal.url));
        let mut validators = Validators::default();
        match (place, &journal) {
            // The server's validators are valid at its own URL only.
            (Some(place), Some(journal)) => {
                addresses.rotate_left(place);
                validators = journal.validators();
            }
            // A digest proves that the bytes belong to the same file. Without a digest, nothing proves it.
            _ if !wanted.stated.is_verifiable() => counts = 0,
            _ => {}
        }
        let bounds = Bounds { size: wanted.stated.size, cap: wanted.cap };
        let total = journal.as_ref().and_then(|journal| journal.size);
        let mut machine = Machine::new(bounds, counts, total, validators.clone());
        if machine.written() > 0 {
            let there = human_size(machine.written());
            events.send(Event::Phase(format!("reading {there} of {} from an earlier run", wanted.name)));
        }
        let (writer, length) = Writer::start(&wanted.partial, machine.written(), journal).await?;
        if length != machine.written() {
            machine = Machine::new(bounds, length, total, validators);
        }
        let reached = machine.written();
        Ok(Self { client, wanted, terms, events, machine, addresses, writer: Some(writer), reached, refused })
    }

    /// Runs until the file is complete and verified, until it fails verification twice, or until no try is left.
    async fn run(&mut self) -> Result<Written> {
        let mut tries = Tries::begin(self.now(), self.reached);
        loop {
            if self.machine.is_whole() {
                let written = self.close().await?;
                if self.wanted.stated.compare(&written.digests).is_ok() || !self.machine.differs() {
                    return Ok(written);
                }
                self.events.warn(format!(
                    "{}: the received bytes do not match the stated digests; fetching the complete file again",
                    self.wanted.name
                ));
                let (writer, _) = Writer::start(&self.wanted.partial, 0, None).await?;
                self.writer = Some(writer);
                self.turn();
            }
            let Some(url) = self.addresses.front().cloned() else {
                let none = || TransferFault::NoAddress { name: self.wanted.name.clone() }.into();
                return Err(self.refused.take().unwrap_or_else(none));
            };
            if let Err(setback) = self.one_try(&url).await {
                self.after(setback, &mut tries).await?;
            }
        }
    }

    /// Takes the step after a failure; an error ends the transfer.
    async fn after(&mut self, setback: Setback, tries: &mut Tries) -> Result<()> {
        /// Fewer new bytes than this (1 % for small files) do not reset the retry budget. Otherwise a server that sends
        /// one byte at a time would be retried for ever.
        const PROGRESS: u64 = 1024 * 1024;
        let progress = PROGRESS.min(self.machine.total().unwrap_or(u64::MAX) / 100).max(1);
        let Setback { error, retry_after } = setback;
        if error.kind().is_stop() || matches!(error.kind(), ErrorKind::NoSpace | ErrorKind::Internal) {
            return Err(error);
        }
        // Bytes downloaded again do not count as progress.
        if self.reached - tries.reached >= progress {
            *tries = Tries::begin(self.now(), self.reached);
        }
        tries.failed += 1;
        tries.round += 1;
        let elapsed = tries.waited.max(self.now().saturating_sub(tries.since));
        match self.client.next_try(error.retry(), tries.failed, retry_after, elapsed, self.terms.patience) {
            Next::After { .. } if tries.round < self.addresses.len() => self.turn(),
            Next::After { wait, left } => {
                let of = Some(self.wanted.key.0.unsigned_abs());
                self.client
                    .wait(Wait { of, duration: wait, left: Some(left), why: error.full_message() })
                    .await?;
                tries.waited = elapsed + wait;
                tries.round = 0;
                self.turn();
            }
            Next::GiveUp(why @ GiveUp::PatienceIsOver) => return Err(why.explain(error)),
            Next::GiveUp(why) => {
                self.refused = Some(why.explain(error));
                self.addresses.pop_front();
                self.machine.turn_to_another_address();
                *tries = Tries::begin(self.now(), self.reached);
            }
        }
        Ok(())
    }

    /// Turns to the next URL, if another one exists.
    fn turn(&mut self) {
        if self.addresses.len() > 1 {
            self.addresses.rotate_left(1);
            self.machine.turn_to_another_address();
        }
    }

    async fn one_try(&mut self, url: &Url) -> Result<(), Setback> {
        if !self.machine.is_bounded() {
            // A server that does not answer a HEAD request states the length with the bytes; otherwise the file is
            // refused.
            match self.client.file_length(url, self.terms.stall_window).await {
                Ok(length) => length.into_iter().for_each(|length| self.machine.bound_by(length)),
                Err(setback) if setback.error.kind().is_stop() => return Err(setback),
                Err(_) => {}
            }
        }
        let part = self.machine.request();
        let mut answer = self.client.file(url, &part, self.terms.stall_window).await?;
        let step = match self.machine.answered(&head_of(&answer)) {
            Ok(step) => step,
            Err(refused) => {
                // An HTML page in place of the file has a different length as well, and its title says more.
                let soon = pin!(sleep_poll_interval());
                if let Either::Left((Some(Ok(first)), _)) =
                    self.client.unless_stopped(select(answer.body.next(), soon)).await?
                {
                    self.client.refuse_page(&answer.final_url, &first)?;
                }
                return Err(refused.into());
            }
        };
        match step {
            Step::Whole => return Ok(()),
            Step::StartOver(why) => {
                self.events
                    .warn(format!("{}: {why}; fetching the file from its beginning", self.wanted.name));
                return self.empty().await;
            }
            Step::Take { at: 0 } => self.empty().await?,
            Step::Take { .. } => {}
        }
        self.events.send(Event::TransferAnswered {
            id: self.wanted.key.0.unsigned_abs(),
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
        self.handed(self.desk()?.note(journal.clone()).await)?;
        self.receive(answer).await?;
        let is_told = journal.size.is_some();
        self.machine.body_ended()?;
        if !is_told {
            // The length is known only after the end of the body.
            let journal = Journal { size: self.machine.total(), ..journal };
            self.handed(self.desk()?.note(journal).await)?;
        }
        Ok(())
    }

    /// Receives a body as far as it arrives.
    async fn receive(&mut self, mut answer: Answer) -> Result<(), Setback> {
        let id = self.wanted.key.0.unsigned_abs();
        let limit = self.terms.limit.as_ref().map(|limit| limit.bytes_a_second());
        let window = self.terms.stall_window;
        let mut pulse = Pulse::new(self.now(), window, limit);
        let (mut durable_bytes, mut durable_time) = (0, self.now());
        let (mut told, mut told_at) = (self.machine.written(), self.now());
        loop {
            let soon = pin!(sleep_poll_interval());
            let next = select(answer.body.next(), soon);
            let piece: Bytes = match self.client.unless_stopped(next).await? {
                Either::Left((None, _)) => break,
                Either::Left((Some(piece), _)) => piece?,
                Either::Right(_) if pulse.beat(self.now(), 0) => continue,
                Either::Right(_) => return Err(stalled(window).into()),
            };
            let bytes = piece.len() as u64;
            if self.machine.written() == 0 {
                self.client.refuse_page(&answer.final_url, &piece)?;
            }
            if self.machine.written() + bytes > self.machine.most() {
                let error = self.machine.too_much();
                self.empty().await?;
                return Err(error.into());
            }
            self.handed(self.desk()?.piece(piece).await)?;
            self.machine.took(bytes);
            self.reached = self.reached.max(self.machine.written());
            self.terms.received.fetch_add(bytes, Ordering::Relaxed);
            if let Some(limit) = &self.terms.limit {
                let wait = limit.take(self.now(), bytes);
                if !wait.is_zero() {
                    self.client.unless_stopped(self.client.clock().wait(wait)).await?;
                }
            }
            let now = self.now();
            if !pulse.beat(now, bytes) {
                return Err(stalled(window).into());
            }
            durable_bytes += bytes;
            if durable_bytes >= DURABLE_STEP || now.saturating_sub(durable_time) >= DURABLE_TIME {
                (durable_bytes, durable_time) = (0, now);
                self.handed(self.desk()?.sync().await)?;
            }
            if self.machine.written() - told >= PROGRESS_STEP || now.saturating_sub(told_at) >= PROGRESS_TIME
            {
                (told, told_at) = (self.machine.written(), now);
                self.events.send(Event::TransferProgress { id, bytes: told });
            }
        }
        Ok(())
    }

    async fn empty(&mut self) -> Result<(), Setback> {
        self.handed(self.desk()?.start_over().await)
    }

    fn desk(&self) -> Result<&Writer> {
        Ok(self.writer.as_ref().ok_or(TransferFault::WriterEnded)?)
    }

    /// Fails if the writer did not accept an order. The writer ended early then, and closing it returns its own error.
    #[expect(clippy::unused_self, reason = "reads like the other calls of the writer")]
    fn handed(&self, taken: bool) -> Result<(), Setback> {
        if taken { Ok(()) } else { Err(TransferFault::WriterEnded.into()) }
    }

    async fn close(&mut self) -> Result<Written> {
        match self.writer.take() {
            Some(writer) => writer.close().await,
            None => Err(TransferFault::WriterEnded.into()),
        }
    }

    /// Makes the received bytes durable; an error is that of the disk.
    async fn park(&mut self) -> Result<()> {
        if let Some(writer) = self.writer.take() {
            writer.close().await?;
        }
        if self.machine.written() == 0 {
            // Nothing to resume.
            disk::remove_file(&self.wanted.partial)?;
            disk::remove_file(&journal_of(&self.wanted.partial))?;
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

fn head_of(answer: &Answer) -> Head {
    let encoding = answer.header("content-encoding").map(str::trim);
    Head {
        status: answer.status,
        length: answer.content_length(),
        range: answer.header("content-range").and_then(ContentRange::parse),
        validators: Validators::new(answer.header("etag"), answer.header("last-modified")),
        encoding: encoding.filter(|coding| !coding.eq_ignore_ascii_case("identity")).map(str::to_owned),
    }
}
