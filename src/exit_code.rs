//! The exit codes: one table from the kind of an error to the number that scripts see, and the rule for runs in
//! which several things went wrong.
//!
//! README.md lists the same table; a test holds the two equal.

use crate::error::ErrorKind;

/// What the process returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExitCode(u8);

impl ExitCode {
    /// Done, or nothing to do.
    pub const OK: Self = Self(0);
    /// A bug or an unexpected I/O error.
    pub const INTERNAL: Self = Self(1);
    /// Bad arguments or configuration.
    pub const USAGE: Self = Self(2);
    /// Nothing matches, by a sound answer.
    pub const NOT_FOUND: Self = Self(3);
    /// Some items failed, the rest is done.
    pub const INCOMPLETE: Self = Self(4);
    /// A digest, name, or address did not match.
    pub const INTEGRITY: Self = Self(5);
    /// The Catalog or the CDN could not be reached.
    pub const UNREACHABLE: Self = Self(6);
    /// An answer that the parsers do not understand.
    pub const PAGE_CHANGED: Self = Self(7);
    /// Another process holds the mirror.
    pub const BUSY: Self = Self(8);
    /// Not enough room.
    pub const NO_SPACE: Self = Self(9);
    /// A finding, not a fault.
    pub const UNRESOLVED: Self = Self(10);
    /// An import that is untrusted, tampered with, or not whole.
    pub const REFUSED: Self = Self(11);
    /// The medium failed.
    pub const MEDIUM: Self = Self(12);
    /// A size budget was reached.
    pub const BUDGET: Self = Self(13);
    /// Stopped by the operator.
    pub const INTERRUPTED: Self = Self(130);
    /// Stopped by the system.
    pub const TERMINATED: Self = Self(143);

    /// Every code with its name and meaning, as README.md lists them.
    pub const TABLE: [(Self, &'static str, &'static str); 16] = [
        (Self::OK, "ok", "done, or nothing to do"),
        (Self::INTERNAL, "internal", "a bug or an unexpected I/O error"),
        (
            Self::USAGE,
            "usage",
            "bad arguments or configuration, or a mirror folder that cannot be used as asked",
        ),
        (Self::NOT_FOUND, "not found", "a sound Catalog answer (or the index) holds nothing that matches"),
        (Self::INCOMPLETE, "incomplete", "some items failed, the rest is done; running again continues"),
        (
            Self::INTEGRITY,
            "integrity",
            "a digest, file name, or address is not what it must be, or verify or stage found damage; bad bytes are never published or staged",
        ),
        (
            Self::UNREACHABLE,
            "unreachable",
            "the Catalog or the CDN could not be reached, or kept answering with its error page",
        ),
        (
            Self::PAGE_CHANGED,
            "page changed",
            "an answer that the parsers do not understand; it is saved and named",
        ),
        (Self::BUSY, "busy", "another process holds the mirror"),
        (Self::NO_SPACE, "no space", "the disk is full, or would be"),
        (
            Self::UNRESOLVED,
            "unresolved",
            "a finding, not a fault: not applicable, withdrawn, ambiguous, of an unknown family, a refused set, a medium without package sets, facts older than `--fail-if-older-than`, or a mirror that is not current",
        ),
        (Self::REFUSED, "refused", "a medium that is not trusted, was tampered with, or is not whole"),
        (Self::MEDIUM, "medium", "the medium cannot be read or written"),
        (Self::BUDGET, "budget", "a size budget was reached; running again continues"),
        (
            Self::INTERRUPTED,
            "interrupted",
            "stopped with Ctrl-C; what was complete is kept, partial files are parked and reported, running again continues",
        ),
        (Self::TERMINATED, "interrupted", "the same after SIGTERM"),
    ];

    /// The number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The code that goes with a kind of error.
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
        }
    }

    /// The code of a run: how many items were done, and the kinds of the failures of the others.
    ///
    /// That it was stopped says more than what failed before. Else integrity first, then a page that was not understood, then space; else 4 when something was done beside
    /// the failures or they have several reasons, and the one reason's code when nothing was done. A budget that was
    /// reached and nothing else is no failure of what was done, and has its own code.
    pub fn of_run(done: usize, failures: &[ErrorKind]) -> Self {
        let codes: Vec<Self> = failures.iter().map(|&kind| Self::of(kind)).collect();
        for urgent in [Self::INTERRUPTED, Self::INTEGRITY, Self::PAGE_CHANGED, Self::NO_SPACE] {
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
    fn the_most_urgent_reason_decides() {
        use ErrorKind::{Budget, Integrity, NoSpace, NotFound, PageChanged, Unreachable};
        let cases: [(usize, &[ErrorKind], u8); 10] = [
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
        ];
        for (done, failures, expected) in cases {
            assert_eq!(ExitCode::of_run(done, failures).number(), expected, "{done} {failures:?}");
        }
    }
}
