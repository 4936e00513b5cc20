//! The failures of a transfer apart from those of its requests, as types: each with its kind, its retry class, and its
//! message in one place.

use std::time::Duration;

use crate::error::{ErrorKind, Fault, Retry};
use crate::net::span;

/// A transfer that does not deliver its file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransferFault {
    /// A file without a URL in the Catalog.
    #[error("a URL of {name} is not known")]
    NoUrl {
        /// The name of the file.
        name: String,
    },
    /// A URL from the Catalog that cannot be parsed.
    #[error("{url:?} is not a URL")]
    InvalidUrl {
        /// The URL, as it is shown.
        url: String,
        /// The error of the parser.
        source: url::ParseError,
    },
    /// A file of a different size on the server.
    #[error("the server offers {offered} bytes, but the Catalog states {stated}")]
    WrongSize {
        /// The size on the server.
        offered: u64,
        /// The size, or the maximum size, according to the Catalog.
        stated: u64,
    },
    /// An empty file on the server.
    #[error("the server offers an empty file")]
    EmptyFile,
    /// More bytes than the file can have.
    #[error("more than {max_size} bytes arrived, the maximum size of the file")]
    TooLong {
        /// The maximum size of the file.
        max_size: u64,
    },
    /// A file whose size is not stated by the Catalog, the knowledge tables, or the server.
    #[error("the size of the file is not stated by the Catalog, the knowledge tables, or the server")]
    NoSize,
    /// An encoded body, although the request allowed no encoding.
    #[error("the server sends the file with the encoding {coding:?}, which was not requested")]
    Encoded {
        /// The content encoding.
        coding: String,
    },
    /// A part of the file in place of the complete file.
    #[error("the server sends a part of the file in place of the complete file")]
    UnexpectedPart,
    /// A server that repeatedly changes the file or its statements about the file.
    #[error("{why} ({times} times)")]
    Unstable {
        /// The last change.
        why: &'static str,
        /// The number of changes.
        times: u32,
    },
    /// A connection that ended before the file was complete.
    #[error("the connection ended after {written} of {total} bytes")]
    Truncated {
        /// The number of bytes received.
        written: u64,
        /// The size of the file.
        total: u64,
    },
    /// A connection that ended before the first byte.
    #[error("the response is empty")]
    EmptyAnswer,
    /// A transfer that is too slow.
    #[error("too few bytes arrived in the last {}", span(*window))]
    Stalled {
        /// The window in which the bytes should have arrived.
        window: Duration,
    },
    /// A writer thread that ended early.
    #[error("the writer thread ended early")]
    WriterEnded,
}

impl Fault for TransferFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoUrl { .. } => ErrorKind::NotFound,
            Self::InvalidUrl { .. }
            | Self::WrongSize { .. }
            | Self::EmptyFile
            | Self::NoSize
            | Self::TooLong { .. } => ErrorKind::Integrity,
            Self::Encoded { .. }
            | Self::UnexpectedPart
            | Self::Unstable { .. }
            | Self::Truncated { .. }
            | Self::EmptyAnswer
            | Self::Stalled { .. } => ErrorKind::Unreachable,
            Self::WriterEnded => ErrorKind::Internal,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Encoded { .. }
            | Self::UnexpectedPart
            | Self::Truncated { .. }
            | Self::EmptyAnswer
            | Self::Stalled { .. } => Retry::Soon,
            Self::NoUrl { .. }
            | Self::InvalidUrl { .. }
            | Self::WrongSize { .. }
            | Self::EmptyFile
            | Self::NoSize
            | Self::TooLong { .. }
            | Self::Unstable { .. }
            | Self::WriterEnded => Retry::Never,
        }
    }
}
