//! The roles of files in sets and plans.
//!
//! The order of the variants is the order of installation. An unknown word has no role; the caller chooses a
//! fallback.

use std::fmt;

use crate::update::Kind;

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The role of a file in its set or plan, in the order of installation. The words are part of the
        /// JSON output and of the index and do not change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Role {
            $($(#[$doc])* $name,)*
        }

        impl Role {
            const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the word in JSON, in the index, and in tables.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

roles! {
    /// Prepares a machine for Extended Security Updates.
    EsuPreparation = "esu_preparation",
    /// A separate servicing stack. It is installed before the update that needs it.
    Ssu = "ssu",
    /// Another update that must be installed before.
    Prerequisite = "prerequisite",
    /// A cumulative update that the target builds upon.
    Checkpoint = "checkpoint",
    /// A part of a .NET parent, for one release of .NET Framework.
    DotnetChild = "dotnet_child",
    /// The update itself.
    Target = "target",
    /// An enablement package: switches a version on.
    Enablement = "enablement",
    /// The dynamic update of the recovery environment.
    SafeOs = "safe_os",
    /// The dynamic update of the setup files of media.
    Setup = "setup",
    /// A file that belongs to the entry without evidence that it comes before or after the target.
    Companion = "companion",
}

impl Role {
    /// Returns the role of this word, or `None` for an unknown word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == word)
    }

    /// Returns `true` if the file is the requested update or a part of it, not something that it needs.
    pub fn is_update(self) -> bool {
        matches!(self, Self::Target | Self::DotnetChild | Self::Enablement | Self::SafeOs | Self::Setup)
    }

    /// Returns `true` if several files are all the update itself. Nothing proves an order among them.
    pub fn are_alternatives(roles: impl Iterator<Item = Self>) -> bool {
        roles.filter(|role| *role == Self::Target).count() > 1
    }

    /// Returns the role of the update itself in a plan, by its kind.
    pub fn of_kind(kind: Option<Kind>) -> Self {
        match kind {
            Some(Kind::Enablement) => Self::Enablement,
            Some(Kind::SafeosDu) => Self::SafeOs,
            Some(Kind::SetupDu) => Self::Setup,
            _ => Self::Target,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
