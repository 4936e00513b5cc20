//! Text from outside where people read it: what cannot be seen is written out, so that it neither does nor hides anything.
//!
//! Titles, products, names of files on a medium, and messages of servers are hostile input. A control character steers a
//! terminal; a line break makes a second line that looks like ours; an override of direction or an invisible letter makes one
//! name look like another. Every place that shows such a text to people uses [`neutral`]; JSON keeps it as it is.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns `true` for a character that is not seen as itself: controls, line separators, and the characters of Unicode that
/// steer direction, join, or hide.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            // Zero-width space, joiners, and marks of direction; separators of lines and paragraphs; overrides of direction.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            // Word joiner, invisible operators, isolates of direction, and their deprecated relatives.
            | '\u{2060}'..='\u{206f}'
            // Zero-width no-break space, marks of annotations, and tags.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns one line of text in which every hidden character is written out: `\u{202e}`.
pub fn neutral(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_hidden(letter) {
            // Writing to a text cannot fail.
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
    fn what_is_hidden_is_written_out_and_the_rest_stays() {
        for text in ["", "KB5086672", "\u{fc}ber \u{65e5}\u{672c} \u{2026} \u{1f600}", "a\\b \"c\""] {
            assert!(matches!(neutral(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
        assert_eq!(neutral("a\u{1b}[2J\nb\u{202e}c\u{2028}"), "a\\u{1b}[2J\\u{a}b\\u{202e}c\\u{2028}");
        let hidden = "\0\t\r\u{7f}\u{85}\u{9b}\u{61c}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\
                      \u{202e}\u{2028}\u{2029}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{feff}";
        assert!(hidden.chars().all(is_hidden));
        assert!(neutral(hidden).is_ascii());
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            let shown = neutral(&text);
            prop_assert!(!shown.chars().any(is_hidden));
            prop_assert_eq!(neutral(&shown), shown.clone());
        }
    }
}
