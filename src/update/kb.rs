//! KB numbers. A KB number has six to eight digits.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, serde_as_text};

/// A Knowledge Base article number, written `KB5086672`. One KB consists of several updates.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kb(u32);

impl Kb {
    /// Returns the number without prefix.
    pub fn number(self) -> u32 {
        self.0
    }

    /// Returns the KB with this number, or `None` if the number does not have six to eight digits.
    pub fn from_number(number: u32) -> Option<Self> {
        (100_000..=99_999_999).contains(&number).then_some(Self(number))
    }
}

impl FromStr for Kb {
    type Err = ParseError;

    /// Reads `KB5086672`, `kb5086672`, and `5086672`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("a KB number such as KB5086672", text);
        let digits = match text.get(..2) {
            Some(prefix) if prefix.eq_ignore_ascii_case("kb") => &text[2..],
            _ => text,
        };
        if digits.is_empty() || digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        digits.parse().ok().and_then(Self::from_number).ok_or_else(error)
    }
}

impl fmt::Display for Kb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KB{}", self.0)
    }
}

impl fmt::Debug for Kb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

serde_as_text!(Kb, "Kb", "An article number, such as KB5086672", "^KB[0-9]+$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_spellings_are_the_same_kb() {
        for text in ["KB5086672", "kb5086672", "Kb5086672", "5086672"] {
            assert_eq!(text.parse::<Kb>().unwrap().to_string(), "KB5086672");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "KB",
            "KB12345",
            "KB123456789",
            "KB50866x2",
            "x",
            " KB5086672",
            "KB-5086672",
            "0086672",
            "é5086672",
        ] {
            assert!(text.parse::<Kb>().is_err(), "{text:?}");
        }
    }
}
