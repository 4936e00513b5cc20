//! The one error of the crate: what happened, to which file or KB, and what to do next.
//!
//! Rooms may have precise error types of their own; at their border they become an [`Error`], whose kind decides
//! the exit code (the table is in [`crate::exit_code`]). The message is a sentence fragment in lower case that
//! stands alone; hints say what to do next, one to a line. Nothing here knows how errors are shown.

use std::fmt;

use crate::exit_code::ExitCode;

/// The result of nearly every function of the crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of thing went wrong. The names are a promise of the JSON output.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A bug, or an I/O error that nobody expected.
    Internal,
    /// Bad arguments, configuration, or a mirror folder that cannot be used as asked.
    Usage,
    /// A sound answer of the Catalog, or the index, holds nothing that matches.
    NotFound,
    /// Some items failed and the rest is done.
    Incomplete,
    /// A digest, name, or address is not what it must be.
    Integrity,
    /// A URL leads to a host that is not on the allow-list.
    HostNotAllowed,
    /// The Catalog or the CDN could not be reached, or kept answering with its error page.
    Unreachable,
    /// A replayed recording does not hold the request.
    NotRecorded,
    /// A page that the parsers do not understand.
    PageChanged,
    /// Another process holds the mirror.
    Busy,
    /// Not enough room.
    NoSpace,
    /// A finding of the resolver that is not a plan.
    Unresolved,
    /// An import that is not trusted, was tampered with, or is not whole.
    Refused,
    /// A medium that cannot be read or written.
    Medium,
    /// A size budget was reached; running again continues.
    Budget,
    /// The operator stopped the run.
    Interrupted,
}

impl ErrorKind {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::NotFound => "not_found",
            Self::Incomplete => "incomplete",
            Self::Integrity => "integrity",
            Self::HostNotAllowed => "host_not_allowed",
            Self::Unreachable => "unreachable",
            Self::NotRecorded => "not_recorded",
            Self::PageChanged => "page_changed",
            Self::Busy => "busy",
            Self::NoSpace => "no_space",
            Self::Unresolved => "unresolved",
            Self::Refused => "refused",
            Self::Medium => "medium",
            Self::Budget => "budget",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What happened, with its kind, its hints, and what caused it. One word wide.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    hints: Vec<String>,
    retryable: bool,
    code: Option<ExitCode>,
    source: Option<Source>,
}

impl Error {
    /// An error of a kind with its message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let inner = Inner {
            kind,
            message: message.into(),
            hints: Vec::new(),
            retryable: false,
            code: None,
            source: None,
        };
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

    /// The same error under another exit code, where one kind has two.
    #[must_use]
    pub fn exits(mut self, code: ExitCode) -> Self {
        self.0.code = Some(code);
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

    /// The exit code that goes with the kind, unless it was given another one.
    pub fn code(&self) -> ExitCode {
        self.0.code.unwrap_or_else(|| ExitCode::of(self.0.kind))
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
