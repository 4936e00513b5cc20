//! The failures of reading a package.

use std::io;

use crate::error::{ErrorKind, Fault};
use crate::update::human_size;

/// The reason why a package cannot be read. Each names the member: the cabinets on the way to it stand before it, with
/// `/` between the names. The path of the package itself is empty.
#[derive(Debug, thiserror::Error)]
pub enum PackageFault {
    /// The first bytes do not fit the name.
    #[error("{reason}")]
    WrongContainer {
        /// The reason, for people.
        reason: String,
    },
    /// The bytes of a member, or of a cabinet itself, contradict each other or end too early.
    #[error("{} is damaged: {reason}", place(member))]
    Damaged {
        /// The path of the member.
        member: String,
        /// The reason, for people.
        reason: String,
    },
    /// The name of a member would leave the folder into which a program unpacks it.
    #[error("{} contains a member with the name {name:?}, which leads out of its folder", place(cabinet))]
    UnsafeName {
        /// The path of the cabinet.
        cabinet: String,
        /// The name.
        name: String,
    },
    /// Two members have the name of a metadata file.
    #[error("{} contains several members with the name {name:?}", place(cabinet))]
    SeveralMembers {
        /// The path of the cabinet.
        cabinet: String,
        /// The name.
        name: String,
    },
    /// A metadata file is larger than any real one.
    #[error("{} has {}; at most {} are read", place(member), human_size(*size), human_size(*limit))]
    TooLarge {
        /// The path of the member.
        member: String,
        /// The stated size.
        size: u64,
        /// The maximum size.
        limit: u64,
    },
    /// A member of a large cabinet lies behind the bytes that are kept in memory.
    #[error("{} lies behind the first megabytes of its cabinet, which are all that is read", place(member))]
    OutOfReach {
        /// The path of the member, or of the cabinet for its directory.
        member: String,
    },
    /// The names of the members need more memory than is used.
    #[error("{} has more members than are kept in memory", place(cabinet))]
    TooManyMembers {
        /// The path of the cabinet.
        cabinet: String,
    },
    /// Cabinets contain each other more often than in any real package.
    #[error("{} is nested too deep; at most {limit} cabinets within each other are read", place(member))]
    TooDeep {
        /// The path of the innermost cabinet.
        member: String,
        /// The maximum depth.
        limit: usize,
    },
    /// A package needs more work than any real one: many members, or the same data again and again.
    #[error("{} is not read, because the package needs too much unpacking", place(member))]
    TooCostly {
        /// The path of the member.
        member: String,
    },
    /// The source itself failed.
    #[error("cannot read the package")]
    Unreadable(#[source] io::Error),
}

/// Returns the words for the package itself or for a member.
fn place(member: &str) -> String {
    if member.is_empty() { "the package".to_owned() } else { format!("the member {member}") }
}

impl PackageFault {
    /// Makes the fault for damage of a member.
    pub(super) fn damaged(member: &str, reason: impl Into<String>) -> Self {
        Self::Damaged { member: member.to_owned(), reason: reason.into() }
    }

    /// Makes the fault for an error of a reader. An error of the system is not damage of the package.
    pub(super) fn of_io(member: &str, error: io::Error) -> Self {
        if error.raw_os_error().is_some() {
            return Self::Unreadable(error);
        }
        let reason = match error.kind() {
            io::ErrorKind::FileTooLarge => return Self::OutOfReach { member: member.to_owned() },
            io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
            _ => error.to_string(),
        };
        Self::damaged(member, reason)
    }
}

impl Fault for PackageFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable(_) => ErrorKind::Internal,
            _ => ErrorKind::Integrity,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::WrongContainer { .. } | Self::Damaged { .. } => {
                vec!["compare its digest with the Catalog's, and fetch the file again".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}
