//! The parsers' description of a page that they do not understand, sufficient for a reader who has never seen the page.

/// A page that the parsers do not understand: the page, the mark, the expected content, and the found content.
///
/// The description helps the reader to find out what Microsoft changed; the quoted text of the page is shortened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {page} is not understood: expected at {mark}: {expected}; found: {found}")]
pub struct PageFault {
    /// The page: "search page", "details page", or "download dialog".
    pub page: &'static str,
    /// The element id, the script variable, or the property of the page that was examined.
    pub mark: String,
    /// The content that the parser expects, with an article: "a date such as 9/29/2026".
    pub expected: String,
    /// The content of the page, shortened for a message; "nothing" if it is missing.
    pub found: String,
}

impl PageFault {
    /// Creates the fault of a mark with unexpected content.
    pub(crate) fn new(
        page: &'static str,
        mark: impl Into<String>,
        expected: impl Into<String>,
        found: &str,
    ) -> Self {
        Self { page, mark: mark.into(), expected: expected.into(), found: shortened(found) }
    }

    /// Creates the fault of a missing mark.
    pub(crate) fn missing(page: &'static str, mark: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(page, mark, expected, "")
    }
}

/// Returns one line without control characters: text of a page may be shown on a terminal.
fn shortened(text: &str) -> String {
    /// The most characters: enough for a title or a line of the dialog up to its value.
    const SHOWN: usize = 120;
    /// The most characters that are examined.
    const READ: usize = 4096;
    let words = text.chars().take(READ).map(|sign| if sign.is_control() { ' ' } else { sign });
    let folded = words.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    if folded.is_empty() {
        return "nothing".to_owned();
    }
    if folded.chars().count() <= SHOWN {
        return folded;
    }
    folded.chars().take(SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_page_mark_expected_and_found() {
        let fault = PageFault::new("search page", "headerRow", "a row", " a\r\n\tb\u{1b}[2J ");
        assert_eq!(
            fault.to_string(),
            "the search page is not understood: expected at headerRow: a row; found: a b [2J"
        );
        assert_eq!(PageFault::missing("details page", "x", "y").found, "nothing");
    }

    #[test]
    fn long_texts_are_shortened_between_characters() {
        let fault = PageFault::new("download dialog", "line", "an assignment", &"é".repeat(100_000));
        assert_eq!(fault.found.chars().count(), 121);
    }
}
