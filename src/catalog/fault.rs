//! What the parsers say of a page that they do not understand: enough for somebody who has never seen the page.

/// An answer that the parsers do not understand: which page, at which mark, what was expected, and what was there.
///
/// It is made to be read by whoever has to find out what Microsoft changed; the text of the page in it is cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {page} is not understood: {expected} was expected at {mark}, but there was {found}")]
pub struct PageFault {
    /// "search page", "details page", or "download dialog".
    pub page: &'static str,
    /// The element id, the script variable, or the property of the page that was looked at.
    pub mark: String,
    /// What the parser would have understood, with an article: "a date such as 9/29/2026".
    pub expected: String,
    /// What was there, cut to a length fit for a message; "nothing" where nothing was.
    pub found: String,
}

impl PageFault {
    /// A fault at a mark that holds something else.
    pub(crate) fn new(
        page: &'static str,
        mark: impl Into<String>,
        expected: impl Into<String>,
        found: &str,
    ) -> Self {
        Self { page, mark: mark.into(), expected: expected.into(), found: shortened(found) }
    }

    /// A fault for a mark that is not there.
    pub(crate) fn missing(page: &'static str, mark: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(page, mark, expected, "")
    }
}

/// One line without control characters: what comes from a page may end up on a terminal.
fn shortened(text: &str) -> String {
    /// Long enough for a title or a line of the dialog up to its value.
    const SHOWN: usize = 120;
    /// More than this is not even looked at.
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
            "the search page is not understood: a row was expected at headerRow, but there was a b [2J"
        );
        assert_eq!(PageFault::missing("details page", "x", "y").found, "nothing");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let fault = PageFault::new("download dialog", "line", "an assignment", &"é".repeat(100_000));
        assert_eq!(fault.found.chars().count(), 121);
    }
}
