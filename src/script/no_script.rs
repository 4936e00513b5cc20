//! The reasons why a plan has no install script.

use std::fmt;

use super::model::ScriptTarget;
use crate::facts::Role;
use crate::resolve::Status;

/// The reason why a plan has no install script.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoScript {
    /// The answer is not a plan with steps.
    NotAPlan(Status),
    /// The plan has no KB.
    NoKb,
    /// The place takes no packages from a script: the setup files of media, or a mirror.
    NoPackages,
    /// The order of the files is unknown: all of them, and those without a position.
    OrderUnknown {
        /// The files of the plan.
        files: Vec<String>,
        /// The files whose position is unknown.
        unordered: Vec<String>,
    },
    /// The name of a file is unknown, by its KB or its role.
    NameUnknown(String),
    /// A file is not a package for DISM.
    NotAPackage(String),
    /// A file is not for the place of the script.
    WrongPlace {
        /// The file.
        file: String,
        /// Its role.
        role: Role,
        /// The place of the script.
        target: ScriptTarget,
    },
    /// The folder of a file is unknown.
    NoFolder(String),
    /// The tables have no family for the plan.
    FamilyUnknown,
}

impl fmt::Display for NoScript {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAPlan(status) => write!(formatter, "the answer is {}", status.as_str()),
            Self::NoKb => formatter.write_str("the plan has no KB"),
            Self::NoPackages => {
                formatter.write_str("a script installs packages with DISM, and this place takes none")
            }
            Self::OrderUnknown { files, unordered } => write!(
                formatter,
                "the order of its {} files is unknown: {}; nothing proves the position of {}",
                files.len(),
                files.join(", "),
                unordered.join(", ")
            ),
            Self::NameUnknown(what) => write!(formatter, "the file name of {what} is unknown"),
            Self::NotAPackage(name) => write!(formatter, "DISM cannot install {name}"),
            Self::WrongPlace { file, role: Role::Setup, .. } => {
                write!(formatter, "{file} is expanded over \\sources of media, and not installed")
            }
            Self::WrongPlace { file, role, target } => {
                write!(formatter, "{file} ({role}) is not for {}", target.as_str())
            }
            Self::NoFolder(name) => write!(formatter, "the folder of {name} is unknown"),
            Self::FamilyUnknown => formatter.write_str("the family of the update is unknown"),
        }
    }
}
