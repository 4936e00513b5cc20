//! The issues of a KB that Microsoft issued again under the same number, as values.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::update::Build;

/// The place of a set among the issues of its KB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Generation {
    /// The number of the issue; 1 is the first known one.
    pub number: usize,
    /// The number of known issues, which is also the number of the newest.
    pub of: usize,
}

impl Generation {
    /// Returns `true` for the newest known issue.
    pub fn is_newest(self) -> bool {
        self.number == self.of
    }
}

/// The generations that a request means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GenerationChoice {
    /// The newest known issue.
    #[default]
    Newest,
    /// The issue of this number.
    Number(usize),
    /// All issues.
    All,
}

impl GenerationChoice {
    /// Returns `true` if the choice includes an issue. The only issue of a KB is its first and newest.
    pub fn includes(self, generation: Option<Generation>) -> bool {
        let own = generation.unwrap_or(Generation { number: 1, of: 1 });
        match self {
            Self::Newest => own.is_newest(),
            Self::Number(number) => own.number == number,
            Self::All => true,
        }
    }
}

impl std::str::FromStr for GenerationChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<usize>() {
            _ if text == "all" => Ok(Self::All),
            Ok(number) if number > 0 => Ok(Self::Number(number)),
            _ => Err("expected a number from 1 on, or all".to_owned()),
        }
    }
}

/// The statements of the entries of a set, which date its issue and name its Windows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Issue {
    /// The titles of the entries.
    pub titles: BTreeSet<String>,
    /// The builds that the titles state, in their own numbering.
    pub builds: BTreeSet<Build>,
    /// The versions of Windows that the titles name and the tables do not contain.
    pub unknown_versions: BTreeSet<String>,
    /// The latest date of the entries.
    pub last_updated: Option<Date>,
}
