//! One run: its parts, its state, and its warnings.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::readings::Readings;
use crate::catalog::Catalog;
use crate::clock::{Clock, Time};
use crate::documents::{FailedItem, LogEvent};
use crate::download::{RateLimit, Terms};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events};
use crate::exit_code::ExitCode;
use crate::mirror::index::A_DAY;
use crate::mirror::{Evidence, Layout, Mirror, Writing};
use crate::servicing::Knowledge;
use crate::update::{Kb, UpdateId};

/// An item of a run that failed while the rest went on.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The KB, update, or file.
    pub what: String,
    /// The kind of failure.
    pub kind: ErrorKind,
    /// The message with its causes.
    pub message: String,
    /// The next steps.
    pub hints: Vec<String>,
}

impl Failure {
    /// Returns the item of a document.
    pub fn item(&self) -> FailedItem {
        FailedItem { what: self.what.clone(), kind: self.kind, message: self.message.clone() }
    }

    /// Returns the failure as a line for people: the item goes before the message, unless the message names it already.
    pub fn line(&self) -> String {
        if self.message.contains(&self.what) {
            return self.message.clone();
        }
        format!("{}: {}", self.what, self.message)
    }

    /// Returns the line of the log.
    pub fn event(&self) -> LogEvent {
        LogEvent::Failure {
            what: self.what.clone(),
            kind: self.kind,
            message: self.message.clone(),
            hints: self.hints.clone(),
        }
    }

    /// Returns the error of a command of which nothing came: the first failure.
    pub fn first_error(failures: &[Self]) -> Option<Error> {
        let first = failures.first()?;
        let error = Error::new(first.kind, first.message.clone());
        Some(first.hints.iter().fold(error, Error::hint))
    }

    /// A failure of this thing.
    pub fn new(what: impl Into<String>, error: &Error) -> Self {
        Self {
            what: what.into(),
            kind: error.kind(),
            message: error.full_message(),
            hints: error.hints().to_vec(),
        }
    }
}

/// Files at a time, if the operator does not say otherwise: enough to fill a line whose single connections are slow, few enough
/// to be a good guest.
pub const PARALLEL: usize = 4;

/// The terms of transfers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransferOptions {
    /// Files at a time.
    pub parallel: Option<u8>,
    /// Bytes a second, all together.
    pub limit_rate: Option<u64>,
    /// The time within which a transfer has to make progress.
    pub stall_after: Option<Duration>,
}

/// One run.
#[derive(Debug)]
pub struct Session {
    catalog: Catalog,
    knowledge: Arc<Knowledge>,
    terms: Terms,
    /// Files at a time.
    parallel: usize,
    layout: Layout,
    origin: String,
    command: String,
    clock: Arc<dyn Clock>,
    /// The time of the run: everything that it sees is seen then.
    now: Time,
    mirror: Option<Mirror<Writing>>,
    /// The run leaves no trace on the disk (`--dry-run`).
    is_trial: bool,
    run: Option<i64>,
    pub(super) readings: Readings,
    warnings: BTreeSet<String>,
}

impl Session {
    /// A run that has done nothing yet. Refuses a mirror that holds content from elsewhere.
    pub fn new(
        catalog: Catalog,
        layout: Layout,
        origin: String,
        command: String,
        patience: Duration,
        clock: Arc<dyn Clock>,
        knowledge: Arc<Knowledge>,
    ) -> Result<Self> {
        Mirror::check_usable(&layout, &origin)?;
        let now = clock.now().into();
        Ok(Self {
            catalog,
            knowledge,
            terms: Terms::new(patience),
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

    /// Makes the run a trial: it works on a copy of the index and writes nothing. Call it before anything else.
    pub(super) fn try_only(&mut self) {
        self.is_trial = true;
    }

    /// Transfers are made like this; what is not said stays as it is.
    pub fn set_transfers(&mut self, options: &TransferOptions) {
        self.parallel = options.parallel.map_or(self.parallel, usize::from);
        self.terms.stall_window = options.stall_after.unwrap_or(self.terms.stall_window);
        self.terms.limit = options.limit_rate.map(|rate| Arc::new(RateLimit::new(rate)));
    }

    /// Reads everything again, whenever it was read.
    pub(super) fn refresh(&mut self) {
        self.readings.trust_nothing();
    }

    /// Returns `true` if a time lies less than a day before the run.
    pub(super) fn is_of_today(&self, time: Time) -> bool {
        self.now.since(time) < A_DAY
    }

    /// Returns `true` if a reading of an unrevised entry at this time stands for it.
    pub(super) fn trusts(&self, read: Time) -> bool {
        self.readings.trusts(read, self.now)
    }

    /// The time of the run.
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

    /// Returns the terms on which files are transferred.
    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Returns the number of files that are transferred at a time.
    pub(crate) fn parallel(&self) -> usize {
        self.parallel
    }

    /// Trusts details and files that were read of an unrevised entry, whenever that was, unless everything is to be read again.
    pub(crate) fn trust_unrevised(&mut self) {
        self.readings.trust_unrevised();
    }

    /// Returns `true` if details and files of one of these updates were taken from the index, and the KB was not read again
    /// in this run.
    pub(crate) fn took_from_index(&self, kb: Kb, updates: &[UpdateId]) -> bool {
        self.readings.took_from_index(kb, updates)
    }

    /// Returns the layout of the mirror.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns an error if the run is to stop: nothing new is begun then.
    pub(crate) fn go_on(&self) -> Result<()> {
        let stop = self.catalog.client().stop();
        if stop.asked().is_some() { Err(stop.error()) } else { Ok(()) }
    }

    /// Requests sent so far.
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

    /// The mirror, made and locked at the first use.
    pub fn mirror(&mut self) -> Result<&mut Mirror<Writing>> {
        if self.mirror.is_none() {
            let (layout, now) = (self.layout.clone(), self.clock.now());
            let mut mirror = if self.is_trial {
                Mirror::open_for_trial(layout, &self.origin, &self.knowledge, now)?
            } else {
                Mirror::open_to_write(layout, &self.origin, &self.knowledge, now)?
            };
            let (command, now) = (self.command.clone(), self.now);
            self.run = Some(mirror.index_mut().in_transaction(|index| index.start_run(&command, now))?);
            if mirror.rebuilt_sets() > 0 {
                self.warn(format!(
                    "{} was not there; the index was rebuilt from kb/ and pool/: {} package sets. Their bytes were not read: run kbmirror verify",
                    self.layout.index(),
                    mirror.rebuilt_sets()
                ));
            }
            self.mirror = Some(mirror);
        }
        self.mirror.as_mut().ok_or_else(|| Error::new(ErrorKind::Internal, "the mirror is not open"))
    }

    /// The mirror, when there is one already or this run has made one.
    pub(crate) fn mirror_if_there(&mut self) -> Result<Option<&mut Mirror<Writing>>> {
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

    /// Returns the time of the clock, which goes on while the run lasts.
    pub(crate) fn time(&self) -> Time {
        self.clock.now().into()
    }

    /// Brings the views of every KB up to what was learned, and notes in the index how the run ended. A trial leaves both.
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
            let changed: Vec<String> = mirror.evidence().iter().map(Evidence::warning).collect();
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
