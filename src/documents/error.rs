//! Errors and failures as documents. README.md lists the values of `kind` and the exit codes.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// An error that ends a command or a part of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErrorBody {
    /// The kind of error.
    pub kind: ErrorKind,
    /// The exit code of this kind.
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

/// The response to a line of `resolve --batch` that is not a valid request or cannot be resolved.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BatchError {
    /// The id of the line, as the caller set it.
    pub id: Option<Value>,
    /// The error.
    pub error: ErrorBody,
}

/// An item of a run that failed while the other items continued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailedItem {
    /// The KB, the update, or the file.
    pub what: String,
    /// The kind of failure.
    pub kind: ErrorKind,
    /// The message with its causes.
    pub message: String,
}
