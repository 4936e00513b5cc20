//! The one error of the crate: the failure, the file or KB that it concerns, and the next steps.
//!
//! Rooms may have precise error types of their own; at their border they become an [`Error`], whose kind decides
//! the exit code (the table is in [`crate::exit_code`]). The message is a sentence fragment in lower case that
//! stands alone; hints are the next steps, one to a line. Nothing here knows how errors are shown.

use std::fmt;

pub use crate::exit_code::ErrorKind;
use crate::exit_code::ExitCode;

/// The result of nearly every function of the crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What happened, with its kind, its hints, and what caused it. One word wide.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    hints: Vec<String>,
    retryable: bool,
    source: Option<Source>,
}

impl Error {
    /// An error of a kind with its message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let inner =
            Inner { kind, message: message.into(), hints: Vec::new(), retryable: false, source: None };
        Self(Box::new(inner))
    }

    /// A mistake in what the caller asked for.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// What is to be written has no form in JSON: a bug.
    pub fn cannot_write_json(error: serde_json::Error) -> Self {
        Self::new(ErrorKind::Internal, "cannot write JSON").caused_by(error)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Says that the same request may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    /// Keeps what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error under another kind, where only the caller knows what it means.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Puts what was being done before the message.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.0.message = format!("{doing}: {}", self.0.message);
        self
    }

    /// The sort of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The exit code that goes with the kind.
    pub fn code(&self) -> ExitCode {
        ExitCode::of(self.0.kind)
    }

    /// What happened, without causes and hints.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do next.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// The message with all causes behind it, as one line.
    pub fn full_message(&self) -> String {
        let mut text = self.0.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.contains(&words) {
                text = format!("{text}: {words}");
            }
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.full_message(), self.0.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_message_names_each_cause_once() {
        let cause = std::io::Error::other("connection reset");
        let error =
            Error::new(ErrorKind::Unreachable, "cannot ask the Catalog for KB5086672").caused_by(cause);
        assert_eq!(error.full_message(), "cannot ask the Catalog for KB5086672: connection reset");
        assert_eq!(error.to_string(), "cannot ask the Catalog for KB5086672");
        assert_eq!(error.code().number(), 6);
    }
}
