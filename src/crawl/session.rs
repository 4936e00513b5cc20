//! A run: its parts, its state, and its warnings.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::readings::Readings;
use crate::catalog::Catalog;
use crate::clock::{Clock, Time};
use crate::documents::{FailedItem, LogEvent};
use crate::download::{RateLimit, TransferSettings};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events};
use crate::exit_code::ExitCode;
use crate::mirror::index::A_DAY;
use crate::mirror::{EvidenceEntry, Layout, Mirror, WriteAccess};
use crate::servicing::Knowledge;
use crate::update::{Kb, UpdateId, count};

/// An item of a run that failed while the rest continued.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The name of the KB, update, or file.
    pub what: String,
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The message with its causes.
    pub message: String,
    /// The hints for the operator.
    pub hints: Vec<String>,
}

impl Failure {
    /// Returns the failure for a document.
    pub fn item(&self) -> FailedItem {
        FailedItem { what: self.what.clone(), kind: self.kind, message: self.message.clone() }
    }

    /// Returns the failure as a line for people: the item precedes the message, unless the message already contains it.
    pub fn line(&self) -> String {
        if self.message.contains(&self.what) {
            return self.message.clone();
        }
        format!("{}: {}", self.what, self.message)
    }

    /// Returns the failure for the log.
    pub fn event(&self) -> LogEvent {
        LogEvent::Failure {
            what: self.what.clone(),
            kind: self.kind,
            message: self.message.clone(),
            hints: self.hints.clone(),
        }
    }

    /// Returns the first failure as the error of a command without any result, or `None` if nothing failed.
    pub fn first_error(failures: &[Self]) -> Option<Error> {
        let first = failures.first()?;
        let error = Error::new(first.kind, first.message.clone());
        Some(first.hints.iter().fold(error, Error::hint))
    }

    /// Creates a failure of the item `what`.
    pub fn new(what: impl Into<String>, error: &Error) -> Self {
        Self {
            what: what.into(),
            kind: error.kind(),
            message: error.full_message(),
            hints: error.hints().to_vec(),
        }
    }
}

/// The default number of parallel transfers: enough to fill a line with slow single connections, and few enough not to
/// burden the servers.
pub const PARALLEL: usize = 4;

/// The options of transfers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransferOptions {
    /// The number of parallel transfers.
    pub parallel: Option<u8>,
    /// The rate limit of all transfers together, in bytes per second.
    pub limit_rate: Option<u64>,
    /// The time within which a transfer must make progress.
    pub stall_after: Option<Duration>,
}

/// A run with its parts and its state.
#[derive(Debug)]
pub struct Session {
    catalog: Catalog,
    knowledge: Arc<Knowledge>,
    transfer_settings: TransferSettings,
    /// The number of parallel transfers.
    parallel: usize,
    layout: Layout,
    origin: String,
    command: String,
    clock: Arc<dyn Clock>,
    /// The time of the run, which applies to everything that it observes.
    now: Time,
    mirror: Option<Mirror<WriteAccess>>,
    /// `true` if the run leaves no trace on the disk (`--dry-run`).
    is_trial: bool,
    run: Option<i64>,
    pub(super) readings: Readings,
    warnings: BTreeSet<String>,
}

impl Session {
    /// Creates a run that has not done anything. Refuses a mirror whose content has another origin.
    pub fn new(
        catalog: Catalog,
        layout: Layout,
        origin: String,
        command: String,
        retry_budget: Duration,
        clock: Arc<dyn Clock>,
        knowledge: Arc<Knowledge>,
    ) -> Result<Self> {
        Mirror::check_usable(&layout, &origin)?;
        let now = clock.now().into();
        Ok(Self {
            catalog,
            knowledge,
            transfer_settings: TransferSettings::new(retry_budget),
            parallel: PARALLEL,
            layout,
            origin,
            command,
            clock,
            now,
            mirror: None,
            is_trial: false,
            run: None,
            readings: Readings::new(),
            warnings: BTreeSet::new(),
        })
    }

    /// Makes the run a trial, which works on a copy of the index and writes nothing. Must be called first.
    pub(super) fn set_trial(&mut self) {
        self.is_trial = true;
    }

    /// Sets the options of transfers; omitted options keep their values.
    pub fn set_transfers(&mut self, options: &TransferOptions) {
        self.parallel = options.parallel.map_or(self.parallel, usize::from);
        self.transfer_settings.stall_window =
            options.stall_after.unwrap_or(self.transfer_settings.stall_window);
        self.transfer_settings.limit = options.limit_rate.map(|rate| Arc::new(RateLimit::new(rate)));
    }

    /// Makes the run read everything again, regardless of earlier readings.
    pub(super) fn refresh(&mut self) {
        self.readings.trust_nothing();
    }

    /// Returns `true` if a time lies less than a day before the run.
    pub(super) fn is_today(&self, time: Time) -> bool {
        self.now.since(time) < A_DAY
    }

    /// Returns `true` if a reading at this time is still valid for an unchanged entry.
    pub(super) fn trusts(&self, read: Time) -> bool {
        self.readings.trusts(read, self.now)
    }

    /// Returns the time of the run.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Returns the knowledge of the run, shared.
    pub fn knowledge(&self) -> Arc<Knowledge> {
        Arc::clone(&self.knowledge)
    }

    /// Returns the Catalog that the run queries.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Returns the options of transfers.
    pub(crate) fn transfer_settings(&self) -> &TransferSettings {
        &self.transfer_settings
    }

    /// Returns the number of parallel transfers.
    pub(crate) fn parallel(&self) -> usize {
        self.parallel
    }

    /// Trusts earlier readings of unchanged entries, regardless of their age, unless the run reads everything again.
    pub(crate) fn trust_unrevised(&mut self) {
        self.readings.trust_unrevised();
    }

    /// Returns `true` if details and files of one of these updates were taken from the index and the KB was not read
    /// again in this run.
    pub(crate) fn took_from_index(&self, kb: Kb, updates: &[UpdateId]) -> bool {
        self.readings.took_from_index(kb, updates)
    }

    /// Returns the layout of the mirror.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns an error if a stop request was made: no new work begins then.
    pub(crate) fn check_stop(&self) -> Result<()> {
        let stop = self.catalog.client().stop();
        if stop.signal().is_some() { Err(stop.error()) } else { Ok(()) }
    }

    /// Returns the number of requests so far.
    pub fn requests(&self) -> u64 {
        self.catalog.client().requests()
    }

    /// Returns the warnings, sorted.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        self.warnings.iter().map(String::as_str)
    }

    pub(crate) fn events(&self) -> &Events {
        self.catalog.client().events()
    }

    pub(crate) fn phase(&self, what: impl Into<String>) {
        self.events().send(Event::Phase(what.into()));
    }

    pub(crate) fn warn(&mut self, message: impl Into<String>) {
        let message = message.into();
        if self.warnings.insert(message.clone()) {
            self.events().warn(message);
        }
    }

    /// Returns the mirror, which is created and locked at the first use.
    pub fn mirror(&mut self) -> Result<&mut Mirror<WriteAccess>> {
        if self.mirror.is_none() {
            let (layout, now) = (self.layout.clone(), self.clock.now());
            let mut mirror = if self.is_trial {
                Mirror::open_for_dry_run(layout, &self.origin, &self.knowledge, now)?
            } else {
                Mirror::open_for_writing(layout, &self.origin, &self.knowledge, now)?
            };
            let (command, now) = (self.command.clone(), self.now);
            self.run = Some(mirror.index_mut().in_transaction(|index| index.start_run(&command, now))?);
            if mirror.rebuilt_sets() > 0 {
                self.warn(format!(
                    "{} was missing; rebuilt it with {} from kb/ and pool/, without reading their bytes: run kbmirror verify",
                    self.layout.index(),
                    count(mirror.rebuilt_sets(), "package set")
                ));
            }
            self.mirror = Some(mirror);
        }
        self.mirror.as_mut().ok_or_else(|| Error::new(ErrorKind::Internal, "the mirror is not open"))
    }

    /// Returns the mirror if it exists, or `None`.
    pub(crate) fn existing_mirror(&mut self) -> Result<Option<&mut Mirror<WriteAccess>>> {
        if self.mirror.is_none() && !crate::disk::exists(self.layout.index()) {
            return Ok(None);
        }
        self.mirror().map(Some)
    }

    /// Returns `true` if this run holds the mirror.
    pub fn holds_mirror(&self) -> bool {
        self.mirror.is_some()
    }

    /// Returns `true` if the run leaves no trace on the disk.
    pub(crate) fn is_trial(&self) -> bool {
        self.is_trial
    }

    /// Returns the current time of the clock, which advances during the run.
    pub(crate) fn time(&self) -> Time {
        self.clock.now().into()
    }

    /// Updates the views of every KB to the new facts, and records the end of the run in the index. A trial does
    /// neither.
    pub(super) fn finish(&mut self, code: ExitCode, bytes: u64) -> Result<()> {
        if self.is_trial {
            return Ok(());
        }
        let (requests, now) = (self.requests(), self.time());
        if let Some(mirror) = &self.mirror {
            // A file that cannot be deleted does not fail the run.
            if let Err(error) = mirror.purge(now) {
                self.warn(format!("old files could not be deleted: {}", error.full_message()));
            }
        }
        if let Some(mirror) = &mut self.mirror {
            mirror.refresh_views_since(self.now, &self.knowledge)?;
            let changed: Vec<String> = mirror.evidence().iter().map(EvidenceEntry::warning).collect();
            for warning in changed {
                self.warn(warning);
            }
        }
        if let (Some(mirror), Some(run)) = (&mut self.mirror, self.run) {
            mirror
                .index_mut()
                .in_transaction(|index| index.finish_run(run, now, code.number(), requests, bytes))?;
        }
        Ok(())
    }
}
