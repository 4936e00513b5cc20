//! The events of a run, sent while it is under way.
//!
//! Work sends [`Event`]s to a sender that is cloned down through the rooms; one consumer in `report` turns them
//! into bars, lines, or JSON. Sending never fails and never blocks: a consumer that has gone away changes nothing
//! about the work. Each event carries the time at which it was sent, so that speeds are those of the work and not of the
//! consumer. Texts in events are for people: the consumer decides by the fields alone.

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
    /// Another phase begins, for people: "asking the Catalog for KB5086672".
    Phase(String),
    /// A Catalog request is about to be made; counts from 1.
    CatalogRequest {
        /// The number of requests so far, this one included.
        number: u64,
        /// The subject, in words: "details of be656f78-…".
        what: String,
    },
    /// The run waits, or one of its transfers.
    Waiting {
        /// The transfer that waits, as in `TransferStarted`; `None` for a wait that holds up the run.
        of: Option<u64>,
        /// The length of the wait.
        duration: Duration,
        /// The retry budget that is left after it, where there is one.
        left: Option<Duration>,
        /// The reason, in words.
        why: String,
    },
    /// Transfers are about to begin.
    TransfersPlanned {
        /// The work.
        doing: Doing,
        /// The number of files.
        files: usize,
        /// Their bytes together, where all sizes are known.
        bytes: Option<u64>,
    },
    /// One file begins to arrive.
    TransferStarted {
        /// Tells the transfers of a run apart.
        id: u64,
        /// The file's name.
        name: String,
        /// Its size, where known.
        size: Option<u64>,
    },
    /// A server answered for a file, and its bytes come now. Sent at every such answer, also when the file begins anew.
    TransferAnswered {
        /// As in `TransferStarted`.
        id: u64,
        /// The byte at which the transfer resumes.
        from: u64,
        /// Its size, where known by now.
        size: Option<u64>,
    },
    /// More of one file has arrived.
    TransferProgress {
        /// As in `TransferStarted`.
        id: u64,
        /// Bytes that arrived so far.
        bytes: u64,
    },
    /// A transfer has ended.
    TransferFinished {
        /// As in `TransferStarted`.
        id: u64,
        /// Bytes that arrived.
        bytes: u64,
        /// The end of the file.
        outcome: TransferOutcome,
    },
    /// Bytes that are here were read again to check them.
    Checked {
        /// The bytes that were read so far.
        bytes: u64,
        /// The bytes to read.
        of: u64,
    },
    /// A warning: it stops nothing.
    Warning(String),
    /// The run was asked to stop; it brings itself to an end.
    Stopping,
    /// The run is over; events that are sent afterwards are not shown.
    End,
}

/// The end of one transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferOutcome {
    /// All of the file is here.
    Complete,
    /// The run is to stop. This is no fault of the file.
    Stopped,
    /// The transfer failed, for a reason in words.
    Failed(String),
}

impl TransferOutcome {
    /// The outcome of a transfer that ended with an error.
    pub fn of_error(error: &Error) -> Self {
        if error.kind().is_stop() { Self::Stopped } else { Self::Failed(error.full_message()) }
    }

    /// The reason for which the file is not complete, in words.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Complete => None,
            Self::Stopped => Some("stopped"),
            Self::Failed(why) => Some(why),
        }
    }
}

/// The work that is done with the files of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Doing {
    /// They come from the Catalog.
    #[default]
    Downloading,
    /// They go onto a medium.
    Writing,
    /// They come from a medium.
    Reading,
}

impl Doing {
    /// While it goes on.
    pub fn now(self) -> &'static str {
        match self {
            Self::Downloading => "downloading",
            Self::Writing => "writing",
            Self::Reading => "reading",
        }
    }

    /// When one file is done.
    pub fn done(self) -> &'static str {
        match self {
            Self::Downloading => "fetched",
            Self::Writing => "wrote",
            Self::Reading => "read",
        }
    }
}

/// The form of the log where no bars are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Sentences for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!("{other:?} is none of text, json")),
        }
    }
}

/// An event with the time at which it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Time since some fixed moment, for speeds.
    pub at: Duration,
    /// The time of day.
    pub time: Timestamp,
    /// The event.
    pub event: Event,
}

/// Takes events. Cloning gives another sender to the same consumer.
#[derive(Debug, Clone, Default)]
pub struct Events(Option<(Sender<Told>, Arc<dyn Clock>)>);

impl Events {
    /// Events for this consumer, with the time of this clock.
    pub fn to(sender: Sender<Told>, clock: Arc<dyn Clock>) -> Self {
        Self(Some((sender, clock)))
    }

    /// Events without a consumer.
    pub fn ignored() -> Self {
        Self(None)
    }

    /// Sends an event.
    pub fn send(&self, event: Event) {
        if let Some((sender, clock)) = &self.0 {
            // A consumer that is gone does not stop the work.
            let _gone = sender.send(Told { at: clock.elapsed(), time: clock.now(), event });
        }
    }

    /// Sends a warning.
    pub fn warn(&self, message: impl Into<String>) {
        self.send(Event::Warning(message.into()));
    }
}
