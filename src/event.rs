//! The events of a run, sent while the run is in progress.
//!
//! The rooms pass clones of one sender down and send [`Event`]s through it. One consumer in `report` turns the events
//! into bars, lines, or JSON. Sending never fails and never blocks: the work continues even if the consumer has ended.
//! Each event carries the time at which it was sent, because speeds are measured at the sender. Texts in events are for
//! people; the consumer decides by the other fields alone.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::error::Error;

/// An event of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The start of a phase, for people: "querying the Catalog for KB5086672".
    Phase(String),
    /// The start of a Catalog request; requests count from 1.
    CatalogRequest {
        /// The number of requests so far, including this one.
        number: u64,
        /// The subject, in words: "details of be656f78-…".
        what: String,
    },
    /// The start of a wait, of the run or of one transfer.
    Waiting {
        /// The waiting transfer, as in `TransferStarted`; `None` if the run itself waits.
        of: Option<u64>,
        /// The length of the wait.
        duration: Duration,
        /// The retry budget left after this wait, if the wait has a budget.
        left: Option<Duration>,
        /// The reason, in words.
        why: String,
    },
    /// The start of the transfers.
    TransfersPlanned {
        /// The direction of the transfers.
        doing: TransferDirection,
        /// The number of files.
        files: usize,
        /// The total number of bytes, if all sizes are known.
        bytes: Option<u64>,
    },
    /// The start of one transfer.
    TransferStarted {
        /// The number that identifies the transfer within the run.
        id: u64,
        /// The file name.
        name: String,
        /// The file size, if known.
        size: Option<u64>,
    },
    /// A server's response for a file, sent before the bytes. Each response is reported, also when a file starts again
    /// from zero.
    TransferAnswered {
        /// The transfer, as in `TransferStarted`.
        id: u64,
        /// The byte offset at which the transfer resumes.
        from: u64,
        /// The file size, if known by now.
        size: Option<u64>,
    },
    /// The progress of one transfer.
    TransferProgress {
        /// The transfer, as in `TransferStarted`.
        id: u64,
        /// The bytes received so far.
        bytes: u64,
    },
    /// The end of one transfer.
    TransferFinished {
        /// The transfer, as in `TransferStarted`.
        id: u64,
        /// The bytes received.
        bytes: u64,
        /// The outcome of the transfer.
        outcome: TransferOutcome,
    },
    /// The progress of reading stored bytes again to check them.
    Checked {
        /// The bytes read so far.
        bytes: u64,
        /// The total number of bytes to read.
        of: u64,
    },
    /// A warning; it stops nothing.
    Warning(String),
    /// A stop request was received; the run is ending.
    Stopping,
    /// The end of the run; later events are not displayed.
    End,
}

/// The outcome of one transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferOutcome {
    /// The file is complete.
    Complete,
    /// The run received a stop request; the file did not cause a failure.
    Stopped,
    /// The transfer failed, for this reason.
    Failed(String),
}

impl TransferOutcome {
    /// Returns the outcome of a transfer that ended with an error.
    pub fn of_error(error: &Error) -> Self {
        if error.kind().is_stop() { Self::Stopped } else { Self::Failed(error.full_message()) }
    }

    /// Returns the reason why the file is not complete, or `None` if the file is complete.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Complete => None,
            Self::Stopped => Some("stopped"),
            Self::Failed(why) => Some(why),
        }
    }
}

/// The direction of the transfers of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransferDirection {
    /// From the Catalog.
    #[default]
    Downloading,
    /// Onto a medium.
    Writing,
    /// From a medium.
    Reading,
}

impl TransferDirection {
    /// Returns the verb for work in progress.
    pub fn progress_verb(self) -> &'static str {
        match self {
            Self::Downloading => "downloading",
            Self::Writing => "writing",
            Self::Reading => "reading",
        }
    }

    /// Returns the verb for one finished file.
    pub fn done_verb(self) -> &'static str {
        match self {
            Self::Downloading => "fetched",
            Self::Writing => "wrote",
            Self::Reading => "read",
        }
    }
}

/// The format of the log when no bars are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Sentences for people.
    #[default]
    Text,
    /// JSON, one object per line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!("{other:?} is not a log format (text, json)")),
        }
    }
}

/// An event with the time at which it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedEvent {
    /// The time since a fixed start, to compute speeds.
    pub at: Duration,
    /// The time of day.
    pub time: Timestamp,
    /// The event.
    pub event: Event,
}

/// The sender of events. Clones send to the same consumer.
#[derive(Debug, Clone, Default)]
pub struct Events(Option<(Sender<TimedEvent>, Arc<dyn Clock>)>);

impl Events {
    /// Makes a sender to this consumer, with times from this clock.
    pub fn to(sender: Sender<TimedEvent>, clock: Arc<dyn Clock>) -> Self {
        Self(Some((sender, clock)))
    }

    /// Makes a sender without a consumer.
    pub fn ignored() -> Self {
        Self(None)
    }

    /// Sends an event.
    pub fn send(&self, event: Event) {
        if let Some((sender, clock)) = &self.0 {
            // The work continues if the consumer has ended.
            let _gone = sender.send(TimedEvent { at: clock.elapsed(), time: clock.now(), event });
        }
    }

    /// Sends a warning.
    pub fn warn(&self, message: impl Into<String>) {
        self.send(Event::Warning(message.into()));
    }
}
