//! The only error type of the crate: the failure, the file or KB that it concerns, and the next steps.
//!
//! A room whose failures need different reactions names them in an enum that implements [`Fault`]. The enum alone
//! defines kind, retry class, message, and hints of each failure. At the border of the room, the enum becomes an
//! [`Error`]. Only this conversion makes an error retryable. A caller that decides by the failure gets the enum back
//! from [`Error::fault`]; no caller parses a message.
//!
//! The kind decides the exit code (see the table in [`crate::exit_code`]). The message is a sentence fragment in lower
//! case that stands alone. Hints are the next steps, one per line. This module does not know how errors are displayed.

use std::fmt;

pub use crate::exit_code::ErrorKind;
use crate::exit_code::ExitCode;

/// The result of nearly every function of the crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The retry class of a failure: the prospects of the same request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retry {
    /// The same request fails again.
    #[default]
    Never,
    /// The same request may succeed soon: the failure is an overload, a broken connection, or a truncated page.
    Soon,
    /// The same request may succeed after the server has recovered, which takes longer; earlier requests delay
    /// recovery.
    AfterStall,
}

/// A named failure of a room. Its `Display` is the message; the errors that caused it are its sources.
pub trait Fault: std::error::Error + Send + Sync + 'static {
    /// Returns the kind of the resulting error.
    fn kind(&self) -> ErrorKind;

    /// Returns the retry class of the failed request.
    fn retry(&self) -> Retry {
        Retry::Never
    }

    /// Returns the next steps.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}

type BoxedSource = Box<dyn std::error::Error + Send + Sync>;

/// A failure with its kind, hints, and causes. Its size is one pointer.
pub struct Error(Box<ErrorParts>);

struct ErrorParts {
    kind: ErrorKind,
    message: String,
    hints: Vec<String>,
    retry: Retry,
    cause: Option<ErrorCause>,
}

enum ErrorCause {
    /// The fault from which the error was made; its `Display` is the message.
    Fault(Box<dyn Fault>),
    /// The underlying error.
    Source(BoxedSource),
}

impl<F: Fault> From<F> for Error {
    fn from(fault: F) -> Self {
        let inner = ErrorParts {
            kind: fault.kind(),
            message: fault.to_string(),
            hints: fault.hints(),
            retry: fault.retry(),
            cause: Some(ErrorCause::Fault(Box::new(fault))),
        };
        Self(Box::new(inner))
    }
}

impl Error {
    /// Makes an error of a kind with a message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let (message, hints) = (message.into(), Vec::new());
        Self(Box::new(ErrorParts { kind, message, hints, retry: Retry::Never, cause: None }))
    }

    /// Makes the error for a mistake in the caller's input.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Makes the error for a value that cannot be written as JSON, which is a bug.
    pub fn cannot_write_json(error: serde_json::Error) -> Self {
        Self::new(ErrorKind::Internal, "cannot write JSON").caused_by(error)
    }

    /// Adds a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxedSource>) -> Self {
        self.0.cause = Some(ErrorCause::Source(source.into()));
        self
    }

    /// Changes the kind, for a caller that alone knows what the failure means.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Prefixes the message with the work that failed.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.0.message = format!("{doing}: {}", self.0.message);
        self
    }

    /// Returns the kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the exit code for the kind.
    pub fn code(&self) -> ExitCode {
        ExitCode::of(self.0.kind)
    }

    /// Returns the message, without causes and hints.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the next steps.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// Returns the retry class of the failed request.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Returns `true` if the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.retry != Retry::Never
    }

    /// Returns the fault from which the error was made, or `None` if it has another type.
    pub fn fault<F: Fault>(&self) -> Option<&F> {
        match &self.0.cause {
            Some(ErrorCause::Fault(fault)) => {
                let fault: &(dyn std::error::Error + 'static) = fault.as_ref();
                fault.downcast_ref()
            }
            Some(ErrorCause::Source(_)) | None => None,
        }
    }

    /// Returns the message and all its causes as one line.
    pub fn full_message(&self) -> String {
        let mut text = self.0.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let words = error.to_string();
            // Libraries repeat the message of a cause in their own message. Only this line depends on it; no decision
            // does.
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
        match self.0.cause.as_ref()? {
            ErrorCause::Fault(fault) => fault.source(),
            ErrorCause::Source(source) => Some(source.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_message_names_each_cause_once() {
        let cause = std::io::Error::other("connection reset");
        let error =
            Error::new(ErrorKind::Unreachable, "cannot query the Catalog for KB5086672").caused_by(cause);
        assert_eq!(error.full_message(), "cannot query the Catalog for KB5086672: connection reset");
        assert_eq!(error.to_string(), "cannot query the Catalog for KB5086672");
        assert_eq!(error.code().number(), 6);
    }

    #[derive(Debug, thiserror::Error)]
    enum RoomFault {
        #[error("the door is stuck")]
        Stuck(#[source] std::io::Error),
        #[error("the door is locked")]
        Locked,
    }

    impl Fault for RoomFault {
        fn kind(&self) -> ErrorKind {
            ErrorKind::Unreachable
        }

        fn retry(&self) -> Retry {
            match self {
                Self::Stuck(_) => Retry::Soon,
                Self::Locked => Retry::Never,
            }
        }

        fn hints(&self) -> Vec<String> {
            vec!["knock".to_owned()]
        }
    }

    #[test]
    fn fault_sets_kind_message_and_retry_and_can_be_recovered() {
        let error =
            Error::from(RoomFault::Stuck(std::io::Error::other("rust"))).context("kitchen").hint("push");
        assert_eq!(error.full_message(), "kitchen: the door is stuck: rust");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreachable, Retry::Soon));
        assert_eq!(error.hints(), ["knock", "push"]);
        assert!(matches!(error.fault(), Some(RoomFault::Stuck(_))));
        let locked = Error::from(RoomFault::Locked);
        assert!(!locked.is_retryable() && std::error::Error::source(&locked).is_none());
        assert!(Error::usage("x").fault::<RoomFault>().is_none());
    }
}
