//! Update ids. Only the hyphenated form is accepted, so that no other attribute of a page passes as an id.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::{ParseError, serde_as_text};

/// The GUID of an update in the Catalog, in lower case with hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpdateId(Uuid);

impl FromStr for UpdateId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        /// The length of the hyphenated form; `Uuid` alone also accepts braces and URNs.
        const LENGTH: usize = 36;
        let error = || ParseError::new("an update id such as be656f78-0714-440c-a0be-b27b4f9e5d71", text);
        if text.len() != LENGTH {
            return Err(error());
        }
        Uuid::try_parse(text).map(Self).map_err(|_| error())
    }
}

impl fmt::Display for UpdateId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(formatter)
    }
}

impl fmt::Debug for UpdateId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

serde_as_text!(
    UpdateId,
    "UpdateId",
    "The identifier of an update in the Catalog",
    "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_update_id() {
        let id: UpdateId = "BE656F78-0714-440C-A0BE-B27B4F9E5D71".parse().unwrap();
        assert_eq!(id.to_string(), "be656f78-0714-440c-a0be-b27b4f9e5d71");
        for text in
            ["", "be656f780714440ca0beb27b4f9e5d71", "{be656f78-0714-440c-a0be-b27b4f9e5d71}", "headerRow"]
        {
            assert!(text.parse::<UpdateId>().is_err(), "{text:?}");
        }
    }
}
