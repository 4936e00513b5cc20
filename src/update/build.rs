//! Builds and revisions in the spellings of Windows and the Catalog.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, serde_as_text};

/// A Windows build with its revision (UBR), for example `26100.8117`.
///
/// The order compares the two numbers and is meaningful within one family only. 28000.1719 is the larger pair, but is
/// not newer than 26100.8117 (see `servicing::Family::revision_of`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Build {
    /// `CurrentBuild`: 26100.
    pub number: u32,
    /// `UBR`: 8117.
    pub revision: u32,
}

impl Build {
    /// Makes a build from its two numbers.
    pub const fn new(number: u32, revision: u32) -> Self {
        Self { number, revision }
    }
}

impl FromStr for Build {
    type Err = ParseError;

    /// Reads `26100.8117` and `10.0.26100.8117`, the spelling of `winver` and package metadata.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("a build such as 26100.863", text);
        let number = |part: &str| -> Result<u32, ParseError> {
            let plain = !part.is_empty() && part.len() <= 6 && part.bytes().all(|byte| byte.is_ascii_digit());
            if plain { part.parse().map_err(|_| error()) } else { Err(error()) }
        };
        let parts: Vec<&str> = text.split('.').collect();
        let (build, revision) = match parts.as_slice() {
            [build, revision] => (build, revision),
            [major, minor, build, revision] => {
                number(major)?;
                number(minor)?;
                (build, revision)
            }
            _ => return Err(error()),
        };
        let build = Self::new(number(build)?, number(revision)?);
        // Windows Vista has build 6000; a smaller number is a mistyped version such as "10.0".
        if build.number < 6000 { Err(error()) } else { Ok(build) }
    }
}

impl fmt::Display for Build {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.number, self.revision)
    }
}

impl fmt::Debug for Build {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

serde_as_text!(
    Build,
    "Build",
    "A build of Windows with its revision, such as 26100.863",
    r"^[0-9]+\.[0-9]+$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_read_and_others_refused() {
        assert_eq!("26100.8117".parse(), Ok(Build::new(26100, 8117)));
        assert_eq!("10.0.26100.863".parse(), Ok(Build::new(26100, 863)));
        for text in
            ["", "26100", "10.0", "24H2", "26100.8117.1", "26100.", "26100.x", "-1.2", "99999999999.1"]
        {
            assert!(text.parse::<Build>().is_err(), "{text:?}");
        }
    }
}
