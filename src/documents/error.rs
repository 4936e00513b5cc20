//! Errors and failures as documents. The words of the kinds and the exit codes are those of README.md.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// An error that ends a command or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErrorBody {
    /// The kind of error.
    pub kind: ErrorKind,
    /// The exit code that belongs to it.
    pub code: u8,
    /// The message with its causes.
    pub message: String,
    /// The next steps.
    pub hints: Vec<String>,
}

impl From<&Error> for ErrorBody {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            code: error.code().number(),
            message: error.full_message(),
            hints: error.hints().to_vec(),
        }
    }
}

/// The document of a command that ended with an error.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorDocument {
    /// The error.
    pub error: ErrorBody,
}

impl ErrorDocument {
    /// Returns the document of an error.
    pub fn of(error: &Error) -> Self {
        Self { error: error.into() }
    }
}

/// The answer to a line of `resolve --batch` that is not a request or cannot be answered.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BatchError {
    /// The caller's name of the line.
    pub id: Option<Value>,
    /// The error.
    pub error: ErrorBody,
}

/// An item of a run that failed while the rest went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailedItem {
    /// The KB, the update, or the file.
    pub what: String,
    /// The kind of failure.
    pub kind: ErrorKind,
    /// The message with its causes.
    pub message: String,
}
