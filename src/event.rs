//! What goes on, told while it goes on.
//!
//! Work tells [`Event`]s to a sender that is cloned down through the rooms; one consumer in `report` turns them
//! into bars, lines, or JSON. Sending never fails and never blocks: a consumer that has gone away changes nothing
//! about the work. Each event carries the time at which it was told, so that speeds are those of the work and not of the
//! consumer.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;

/// Something that a watcher may want to see.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Work of another sort begins, e.g. "asking the Catalog for KB5086672".
    Phase(String),
    /// A Catalog request is about to be made; counts from 1.
    CatalogRequest {
        /// How many have been made, this one included.
        number: u64,
        /// What is asked, in words: "details of be656f78-…".
        what: String,
    },
    /// The run waits, and why.
    Waiting {
        /// For how long.
        duration: Duration,
        /// How much longer it would wait after this, where there is an end to it.
        left: Option<Duration>,
        /// The reason, in words. It begins with what waits, a colon behind it, where that is one file of several: so the
        /// watcher can show the wait with the file.
        why: String,
    },
    /// Transfers are about to begin.
    TransfersPlanned {
        /// What is done with them.
        doing: Doing,
        /// How many files.
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
    /// A server answered for a file, and its bytes come now. Told at every such answer, also when it begins anew.
    TransferAnswered {
        /// As in `TransferStarted`.
        id: u64,
        /// Where the bytes go on: so many are here already.
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
    /// One file is done with, well or not.
    TransferFinished {
        /// As in `TransferStarted`.
        id: u64,
        /// Bytes that arrived.
        bytes: u64,
        /// What went wrong, if anything did.
        failure: Option<String>,
    },
    /// So much of what is here was read again to check it.
    Checked {
        /// Bytes so far.
        bytes: u64,
        /// Of so many.
        of: u64,
    },
    /// Something to know that stops nothing.
    Warning(String),
    /// Somebody wants the run to stop; it brings itself to an end.
    Stopping,
    /// The run is over; nothing that is told afterwards is shown.
    End,
}

/// What happens to the files of a run.
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

/// How what goes on is written where nobody watches bars.
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

/// An event with the moment in which it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Time since some fixed moment, for speeds.
    pub at: Duration,
    /// The time of day.
    pub time: Timestamp,
    /// What was told.
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

    /// Events for nobody.
    pub fn ignored() -> Self {
        Self(None)
    }

    /// Tells an event.
    pub fn send(&self, event: Event) {
        if let Some((sender, clock)) = &self.0 {
            // Nobody listening any more is no reason to stop the work.
            let _gone = sender.send(Told { at: clock.elapsed(), time: clock.now(), event });
        }
    }

    /// Tells a warning.
    pub fn warn(&self, message: impl Into<String>) {
        self.send(Event::Warning(message.into()));
    }
}
