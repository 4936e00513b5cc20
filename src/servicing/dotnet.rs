//! The releases of .NET Framework, in the spellings of people, the registry, and file names.

use std::fmt;
use std::str::FromStr;

use crate::update::{ParseError, serde_as_text};

/// A release of .NET Framework: `4.8.1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dotnet(String);

/// The minimum `Release` value of each release of .NET Framework 4 (Microsoft Learn, "How to determine which .NET
/// Framework versions are installed").
const RELEASES: [(u32, &str); 11] = [
    (378_389, "4.5"),
    (378_675, "4.5.1"),
    (379_893, "4.5.2"),
    (393_295, "4.6"),
    (394_254, "4.6.1"),
    (394_802, "4.6.2"),
    (460_798, "4.7"),
    (461_308, "4.7.1"),
    (461_808, "4.7.2"),
    (528_040, "4.8"),
    (533_320, "4.8.1"),
];

impl Dotnet {
    /// Returns the release for the registry's `Release` value, or `None` below 4.5. A value between two releases means
    /// the lower one.
    pub fn of_release(value: u32) -> Option<Self> {
        RELEASES.iter().rfind(|(least, _)| *least <= value).map(|(_, word)| Self((*word).to_owned()))
    }

    /// Returns the release for a part of a file name such as `ndp481`, or `None` for other parts.
    pub fn of_name_tag(tag: &str) -> Option<Self> {
        let digits = tag.strip_prefix("ndp")?;
        let dotted: Vec<String> = digits.chars().map(String::from).collect();
        dotted.join(".").parse().ok()
    }
}

impl FromStr for Dotnet {
    type Err = ParseError;

    /// Reads `4.8.1` and the number from the registry, `533320`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("a release of .NET Framework such as 4.8 or 533320", text);
        if text.len() == 6 {
            return text.parse().ok().and_then(Self::of_release).ok_or_else(error);
        }
        let parts: Vec<&str> = text.split('.').collect();
        let digits = |part: &&str| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_digit());
        let plausible = (2..=3).contains(&parts.len()) && parts.iter().all(digits);
        if plausible { Ok(Self(text.to_owned())) } else { Err(error()) }
    }
}

impl fmt::Display for Dotnet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

serde_as_text!(Dotnet, "Dotnet", "A release of .NET Framework, such as 4.8", "^[0-9.]+$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_have_two_spellings() {
        let word = |text: &str| text.parse::<Dotnet>().map(|dotnet| dotnet.to_string());
        assert_eq!(word("4.7.2").unwrap(), "4.7.2");
        assert_eq!(word("461814").unwrap(), "4.7.2");
        assert_eq!(word("528372").unwrap(), "4.8");
        assert_eq!(word("533509").unwrap(), "4.8.1");
        for text in ["", "4", "4.", "4.8.1.0", "four", "000001", "48.1"] {
            assert!(word(text).is_err(), "{text:?}");
        }
        assert_eq!(Dotnet::of_name_tag("ndp481").unwrap().to_string(), "4.8.1");
        assert_eq!(Dotnet::of_name_tag("ndp48").unwrap().to_string(), "4.8");
        assert_eq!(Dotnet::of_name_tag("x"), None);
    }
}
