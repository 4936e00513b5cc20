//! The kinds of failures and the exit codes: one table from kinds to the numbers that scripts see, and the rule for
//! runs with several failures.
//!
//! README.md contains the same table; a test compares them.

use std::fmt;

/// The kind of a failure. The words are part of the JSON interface.
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
    /// A bug, or an unexpected I/O error.
    Internal,
    /// Bad arguments or configuration, or a mirror folder that cannot be used as requested.
    Usage,
    /// A valid Catalog response, or the index, contains nothing that matches.
    NotFound,
    /// Some items failed; the others are done.
    Incomplete,
    /// A digest, name, or URL does not have the required value.
    Integrity,
    /// A URL leads to a host that is not on the allow-list.
    HostNotAllowed,
    /// The Catalog or the CDN could not be reached, or kept returning its error page.
    Unreachable,
    /// A replayed recording does not contain the request.
    NotRecorded,
    /// A page has a form that the parsers do not know.
    PageChanged,
    /// Another process holds the mirror.
    Busy,
    /// The disk does not have enough free space.
    NoSpace,
    /// The resolver found a reason not to make a plan.
    Unresolved,
    /// An import is untrusted, was tampered with, or is incomplete.
    Refused,
    /// A medium cannot be read or written.
    Medium,
    /// A size budget was reached; another run continues.
    Budget,
    /// The operator stopped the run.
    Interrupted,
    /// The system stopped the run. The JSON word is that of [`Interrupted`](Self::Interrupted); the exit code differs.
    #[serde(rename(serialize = "interrupted"), skip_deserializing)]
    #[schemars(skip)]
    Terminated,
}

impl ErrorKind {
    /// Returns the word in JSON.
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
            Self::Interrupted | Self::Terminated => "interrupted",
        }
    }

    /// Returns `true` if the run was stopped, by the operator or by the system.
    pub fn is_stop(self) -> bool {
        matches!(self, Self::Interrupted | Self::Terminated)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExitCode(u8);

impl ExitCode {
    /// The run is done, or there was nothing to do.
    pub const OK: Self = Self(0);
    /// A bug or an unexpected I/O error.
    pub const INTERNAL: Self = Self(1);
    /// Bad arguments or configuration.
    pub const USAGE: Self = Self(2);
    /// A valid response contains nothing that matches.
    pub const NOT_FOUND: Self = Self(3);
    /// Some items failed; the others are done.
    pub const INCOMPLETE: Self = Self(4);
    /// A digest, name, or URL did not match.
    pub const INTEGRITY: Self = Self(5);
    /// The Catalog or the CDN could not be reached.
    pub const UNREACHABLE: Self = Self(6);
    /// A page has a form that the parsers do not know.
    pub const PAGE_CHANGED: Self = Self(7);
    /// Another process holds the mirror.
    pub const BUSY: Self = Self(8);
    /// The disk does not have enough free space.
    pub const NO_SPACE: Self = Self(9);
    /// The result is a finding; nothing failed.
    pub const UNRESOLVED: Self = Self(10);
    /// An import is untrusted, was tampered with, or is incomplete.
    pub const REFUSED: Self = Self(11);
    /// The medium failed.
    pub const MEDIUM: Self = Self(12);
    /// A size budget was reached.
    pub const BUDGET: Self = Self(13);
    /// The operator stopped the run.
    pub const INTERRUPTED: Self = Self(130);
    /// The system stopped the run.
    pub const TERMINATED: Self = Self(143);

    /// All codes with name and meaning, as listed in README.md.
    pub const TABLE: [(Self, &'static str, &'static str); 16] = [
        (Self::OK, "ok", "done, or nothing to do"),
        (Self::INTERNAL, "internal", "a bug or an unexpected I/O error"),
        (Self::USAGE, "usage", "bad arguments or configuration, or an unusable mirror folder"),
        (Self::NOT_FOUND, "not found", "the Catalog or the index contains no match"),
        (Self::INCOMPLETE, "incomplete", "some items failed, the others are done; run again to continue"),
        (
            Self::INTEGRITY,
            "integrity",
            "a wrong digest, name, or URL, or damage; bad bytes are never published",
        ),
        (Self::UNREACHABLE, "unreachable", "the Catalog or the CDN did not answer, or kept failing"),
        (Self::PAGE_CHANGED, "page changed", "a page has an unknown form; it is saved and its path reported"),
        (Self::BUSY, "busy", "another process holds the mirror"),
        (Self::NO_SPACE, "no space", "the disk is full, or would become full"),
        (
            Self::UNRESOLVED,
            "unresolved",
            "a finding: not applicable, withdrawn, ambiguous, a refused set, an expired or empty medium, or not current",
        ),
        (Self::REFUSED, "refused", "a medium that is untrusted, was tampered with, or is incomplete"),
        (Self::MEDIUM, "medium", "the medium cannot be read or written"),
        (Self::BUDGET, "budget", "a size budget was reached; run again to continue"),
        (Self::INTERRUPTED, "interrupted", "stopped with Ctrl-C; run again to resume the partial files"),
        (Self::TERMINATED, "interrupted", "the same after SIGTERM"),
    ];

    /// Returns the number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Returns the exit code for a kind of error.
    pub fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Internal => Self::INTERNAL,
            ErrorKind::Usage => Self::USAGE,
            ErrorKind::NotFound => Self::NOT_FOUND,
            ErrorKind::Incomplete => Self::INCOMPLETE,
            ErrorKind::Integrity | ErrorKind::HostNotAllowed => Self::INTEGRITY,
            ErrorKind::Unreachable | ErrorKind::NotRecorded => Self::UNREACHABLE,
            ErrorKind::PageChanged => Self::PAGE_CHANGED,
            ErrorKind::Busy => Self::BUSY,
            ErrorKind::NoSpace => Self::NO_SPACE,
            ErrorKind::Unresolved => Self::UNRESOLVED,
            ErrorKind::Refused => Self::REFUSED,
            ErrorKind::Medium => Self::MEDIUM,
            ErrorKind::Budget => Self::BUDGET,
            ErrorKind::Interrupted => Self::INTERRUPTED,
            ErrorKind::Terminated => Self::TERMINATED,
        }
    }

    /// Returns the exit code of a run from the number of items done and the kinds of the failures.
    ///
    /// A stop takes precedence over every other failure, followed by integrity, page changed, and no space. Otherwise
    /// the code is 4 if some items are done or the failures have several kinds. If nothing is done and all failures
    /// have one code, that code is returned. A run that only reached a budget has the code of the budget, because no
    /// item failed.
    pub fn of_run(done: usize, failures: &[ErrorKind]) -> Self {
        let codes: Vec<Self> = failures.iter().map(|&kind| Self::of(kind)).collect();
        for urgent in
            [Self::INTERRUPTED, Self::TERMINATED, Self::INTEGRITY, Self::PAGE_CHANGED, Self::NO_SPACE]
        {
            if codes.contains(&urgent) {
                return urgent;
            }
        }
        match codes.first() {
            None => Self::OK,
            Some(_) if codes.iter().all(|&code| code == Self::BUDGET) => Self::BUDGET,
            Some(&first) if done == 0 && codes.iter().all(|&code| code == first) => first,
            Some(_) => Self::INCOMPLETE,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_failure_decides_the_exit_code() {
        use ErrorKind::{Budget, Integrity, NoSpace, NotFound, PageChanged, Terminated, Unreachable};
        let cases: [(usize, &[ErrorKind], u8); 11] = [
            (3, &[], 0),
            (0, &[NotFound], 3),
            (0, &[Unreachable, Unreachable], 6),
            (1, &[Unreachable], 4),
            (0, &[Unreachable, NotFound], 4),
            (5, &[NotFound, Integrity, PageChanged], 5),
            (5, &[NotFound, PageChanged, NoSpace], 7),
            (5, &[NotFound, NoSpace], 9),
            (5, &[Budget], 13),
            (5, &[Budget, NotFound], 4),
            (5, &[Integrity, Terminated], 143),
        ];
        for (done, failures, expected) in cases {
            assert_eq!(ExitCode::of_run(done, failures).number(), expected, "{done} {failures:?}");
        }
    }
    #[test]
    fn json_words_equal_the_displayed_words() {
        use ErrorKind::{HostNotAllowed, Interrupted, Terminated};
        for kind in [HostNotAllowed, Interrupted, Terminated] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(serde_json::from_str::<ErrorKind>("\"interrupted\"").unwrap(), Interrupted);
        let schema = schemars::schema_for!(ErrorKind).to_value().to_string();
        assert_eq!(schema.matches("interrupted").count(), 1, "{schema}");
    }
}
