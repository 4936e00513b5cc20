//! The failures of a transfer that are not those of its requests, by name: each with its kind, its retry class, and its words
//! in one place.

use std::time::Duration;

use crate::error::{ErrorKind, Fault, Retry};
use crate::net::span;

/// A transfer that does not bring its file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransferFault {
    /// The Catalog stated no address.
    #[error("no address of {name} is known")]
    NoAddress {
        /// The name of the file.
        name: String,
    },
    /// An address that the Catalog stated is not one.
    #[error("{url:?} is no address")]
    NotAnAddress {
        /// The address, as it is shown.
        url: String,
        /// The error of the parser.
        source: url::ParseError,
    },
    /// The file on the server has another size.
    #[error("the server offers {offered} bytes, and the Catalog states {stated}")]
    WrongSize {
        /// The size on the server.
        offered: u64,
        /// The size, or the most, by the Catalog.
        stated: u64,
    },
    /// The file on the server is empty.
    #[error("the server offers a file without any bytes")]
    EmptyFile,
    /// More bytes arrived than there can be.
    #[error("more than {most} bytes arrived, which is all that it can have")]
    TooMuch {
        /// The most that it can have.
        most: u64,
    },
    /// Neither the Catalog, nor knowledge, nor the server states a size.
    #[error("its size is not stated by the Catalog, the knowledge tables, or the server")]
    NoSize,
    /// The bytes are encoded, although no coding was asked for.
    #[error("the server sends the file in the coding {coding:?}, which was not asked for")]
    Encoded {
        /// The coding.
        coding: String,
    },
    /// A part came in place of the whole.
    #[error("the server sends a part of the file, and the whole was asked for")]
    PartOfWhole,
    /// The server changes the file, or what it says of it, again and again.
    #[error("{why}, for the {times}th time")]
    Unsteady {
        /// The last change.
        why: &'static str,
        /// The number of changes.
        times: u32,
    },
    /// The connection ended before the file did.
    #[error("the connection ended after {written} of {total} bytes")]
    Short {
        /// The bytes that are here.
        written: u64,
        /// The bytes of the file.
        total: u64,
    },
    /// The connection ended before the first byte.
    #[error("the answer is empty")]
    EmptyAnswer,
    /// Too few bytes arrive.
    #[error("hardly anything arrived in the last {}", span(*window))]
    Stalled {
        /// The time in which they should have arrived.
        window: Duration,
    },
    /// The thread that writes the file is gone.
    #[error("the writing thread ended early")]
    WriterEnded,
}

impl Fault for TransferFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoAddress { .. } => ErrorKind::NotFound,
            Self::NotAnAddress { .. }
            | Self::WrongSize { .. }
            | Self::EmptyFile
            | Self::NoSize
            | Self::TooMuch { .. } => ErrorKind::Integrity,
            Self::Encoded { .. }
            | Self::PartOfWhole
            | Self::Unsteady { .. }
            | Self::Short { .. }
            | Self::EmptyAnswer
            | Self::Stalled { .. } => ErrorKind::Unreachable,
            Self::WriterEnded => ErrorKind::Internal,
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Encoded { .. }
            | Self::PartOfWhole
            | Self::Short { .. }
            | Self::EmptyAnswer
            | Self::Stalled { .. } => Retry::Soon,
            Self::NoAddress { .. }
            | Self::NotAnAddress { .. }
            | Self::WrongSize { .. }
            | Self::EmptyFile
            | Self::NoSize
            | Self::TooMuch { .. }
            | Self::Unsteady { .. }
            | Self::WriterEnded => Retry::Never,
        }
    }
}
