//! The roles of files in sets and plans.
//!
//! The order of the variants is the order of installation. A word that this program does not know has no role: the caller chooses
//! a fallback.

use std::fmt;

use crate::update::Kind;

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a file is in its set or plan, in the order of installation. The words are a promise of the JSON output
        /// and of the index.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Role {
            $($(#[$doc])* $name,)*
        }

        impl Role {
            const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in JSON, in the index, and in tables.
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
    /// A separate servicing stack: before what it serves.
    Ssu = "ssu",
    /// Another update that has to be there before.
    Prerequisite = "prerequisite",
    /// A cumulative update that the target builds upon.
    Checkpoint = "checkpoint",
    /// A part of a .NET parent, for one release of .NET Framework.
    DotnetChild = "dotnet_child",
    /// The update itself.
    Target = "target",
    /// Switches a version on.
    Enablement = "enablement",
    /// The dynamic update of the recovery environment.
    SafeOs = "safe_os",
    /// The dynamic update of the setup files of media.
    Setup = "setup",
    /// Belongs to the entry; nothing proves that it comes before, or after.
    Companion = "companion",
}

impl Role {
    /// The role of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == word)
    }

    /// Whether the file is (part of) what was asked for, not something that it needs.
    pub fn is_update(self) -> bool {
        matches!(self, Self::Target | Self::DotnetChild | Self::Enablement | Self::SafeOs | Self::Setup)
    }

    /// What the update itself is in a plan, by its kind.
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
