//! Display of untrusted text: invisible characters are written out, so that they have no effect and hide nothing.
//!
//! Titles, products, file names on a medium, and server messages are hostile input. A control character steers a
//! terminal. A line break makes a second line that looks like output of the program. A direction override or an
//! invisible letter makes one name look like another. Every place that shows such a text to people uses
//! [`escape_hidden`]; JSON keeps the original text.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns `true` for a character that is not visible as itself: controls, line separators, and the Unicode characters
/// that change direction, join, or hide.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            // Zero-width space, joiners, and direction marks; line and paragraph separators; direction overrides.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            // Word joiner, invisible operators, direction isolates, and their deprecated relatives.
            | '\u{2060}'..='\u{206f}'
            // Zero-width no-break space, annotation marks, and tags.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns one line of text with every hidden character written out: `\u{202e}`.
pub fn escape_hidden(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_hidden(letter) {
            // Writing to a `String` cannot fail.
            let _written = write!(shown, "\\u{{{:x}}}", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hidden_characters_are_written_out_and_others_kept() {
        for text in ["", "KB5086672", "\u{fc}ber \u{65e5}\u{672c} \u{2026} \u{1f600}", "a\\b \"c\""] {
            assert!(matches!(escape_hidden(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
        assert_eq!(escape_hidden("a\u{1b}[2J\nb\u{202e}c\u{2028}"), "a\\u{1b}[2J\\u{a}b\\u{202e}c\\u{2028}");
        let hidden = "\0\t\r\u{7f}\u{85}\u{9b}\u{61c}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\
                      \u{202e}\u{2028}\u{2029}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{feff}";
        assert!(hidden.chars().all(is_hidden));
        assert!(escape_hidden(hidden).is_ascii());
    }

    proptest! {
        #[test]
        fn no_hidden_character_remains(text in any::<String>()) {
            let shown = escape_hidden(&text);
            prop_assert!(!shown.chars().any(is_hidden));
            prop_assert_eq!(escape_hidden(&shown), shown.clone());
        }
    }
}
