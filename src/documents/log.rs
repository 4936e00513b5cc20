//! The lines of `--log-format json`, and the serialisation of a document to one line.

use schemars::JsonSchema;
use serde::Serialize;

use super::error::ErrorBody;
use crate::error::ErrorKind;
use crate::update::schema::TimeText;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LogLine {
    /// The time, with milliseconds.
    #[schemars(with = "TimeText")]
    pub time: String,
    /// The event and its fields.
    #[serde(flatten)]
    pub event: LogEvent,
}

/// An event of the log. The names of events and fields are stable: new ones are added, and existing ones never
/// change.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LogEvent {
    /// A new phase of the command.
    Phase {
        /// The phase, for people.
        what: String,
    },
    /// A request to the Catalog.
    CatalogRequest {
        /// The number of the request.
        number: u64,
        /// The subject of the request.
        what: String,
    },
    /// A wait before the next attempt.
    Waiting {
        /// The seconds to wait.
        seconds: f64,
        /// The seconds of the retry budget that are left; null without a budget.
        patience_left: Option<u64>,
        /// The reason, as a sentence.
        why: String,
    },
    /// The transfers that follow.
    TransfersPlanned {
        /// The work: `downloading`, `writing`, or `reading`.
        doing: &'static str,
        /// The number of files.
        #[schemars(extend("deprecated" = true))]
        files: usize,
        /// The number of files.
        file_count: usize,
        /// The bytes of all files; null if one size is unknown.
        bytes: Option<u64>,
    },
    /// The start of a transfer.
    TransferStarted {
        /// The number of the transfer.
        id: u64,
        /// The name of the file.
        file: String,
        /// The bytes of the file.
        size: Option<u64>,
    },
    /// The response of the server.
    TransferAnswered {
        /// The number of the transfer.
        id: u64,
        /// The name of the file.
        file: Option<String>,
        /// The byte offset at which the transfer resumes.
        from: u64,
        /// The bytes of the file.
        size: Option<u64>,
    },
    /// The progress of a transfer, at most once a second.
    TransferProgress {
        /// The number of the transfer.
        id: u64,
        /// The name of the file.
        file: Option<String>,
        /// The bytes that were received.
        bytes: u64,
        /// The bytes of the file.
        size: Option<u64>,
        /// The speed.
        bytes_per_second: Option<u64>,
        /// The bytes of all transfers that were received.
        bytes_of_all: Option<u64>,
    },
    /// The end of a transfer.
    TransferFinished {
        /// The number of the transfer.
        id: u64,
        /// The name of the file.
        file: Option<String>,
        /// The bytes that were received.
        bytes: u64,
        /// The failure; null if the file is complete.
        failure: Option<String>,
    },
    /// The progress of reading and comparing, at most once a second.
    Checked {
        /// The bytes that were read.
        bytes: u64,
        /// The bytes to read.
        of: u64,
    },
    /// A warning.
    Warning {
        /// The message.
        message: String,
    },
    /// A note for people that is not a warning or a result.
    Note {
        /// The message.
        message: String,
    },
    /// A stop request of the operator or the system.
    Stopping,
    /// The error that ends the command.
    Error(ErrorBody),
    /// An item that failed while the other items continued.
    Failure {
        /// The KB, the update, or the file.
        what: String,
        /// The kind of failure.
        kind: ErrorKind,
        /// The message with its causes.
        message: String,
        /// The next steps.
        hints: Vec<String>,
    },
}

/// Serialises a document to one line. The types of this module only have string keys and finite numbers, so
/// serialisation cannot fail.
pub fn line_of(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}
