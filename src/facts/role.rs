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

    /// Returns the position in the order of installation, from 1, for the files of a set in their order; `None` if the
    /// order is unknown. Companions of known order stand before the update, those of unknown order at the end.
    pub fn positions(roles: &[Self]) -> Vec<Option<usize>> {
        let are_alternatives = Self::are_alternatives(roles.iter().copied());
        let last_ordered = roles.iter().rposition(|role| *role != Self::Companion);
        let mut order = 0;
        let position = |(place, role): (usize, &Self)| {
            let is_alternative = are_alternatives && *role == Self::Target;
            let is_ordered = last_ordered.is_some_and(|last| place <= last) && !is_alternative;
            order += usize::from(is_ordered);
            is_ordered.then_some(order)
        };
        roles.iter().enumerate().map(position).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_order_has_no_position() {
        use Role::{Checkpoint, Companion, Target};
        let positions = |roles: &[Role]| {
            let of_roles = Role::positions(roles).into_iter();
            of_roles.map(|place| place.map_or("?".to_owned(), |place| place.to_string())).collect::<String>()
        };
        assert_eq!(positions(&[Checkpoint, Target]), "12");
        assert_eq!(positions(&[Checkpoint, Target, Companion]), "12?");
        assert_eq!(positions(&[Checkpoint, Companion, Target]), "123", "details pages gave it a place");
        assert_eq!(positions(&[Target, Target, Companion]), "???", "several targets have no order");
        assert_eq!(positions(&[]), "");
    }
}
