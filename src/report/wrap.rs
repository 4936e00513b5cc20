//! Sentences for people, in the width of their terminal, with lines after the first one hanging under its words.

use unicode_width::UnicodeWidthStr as _;

use crate::update::escape_hidden;

/// The least room for words, where indentation takes nearly all of a line.
const LEAST: usize = 24;

/// Returns a text as lines of at most this width, with hidden characters written out. The first line follows `first`,
/// the others the same number of blanks. Without a width it is one line. A word that is too long for any line stands
/// alone.
pub fn wrapped(text: &str, first: &str, width: Option<u16>) -> String {
    let indent = first.width();
    let room = width.map_or(usize::MAX, |width| usize::from(width).saturating_sub(indent).max(LEAST));
    let hanging = format!("\n{}", " ".repeat(indent));
    format!("{first}{}\n", lines_of(&escape_hidden(text), room).join(&hanging))
}

/// Breaks a text at its blanks into lines of at most this width. A longer word is a line of its own, and is not broken.
pub(super) fn lines_of(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut taken = 0;
    for word in text.split(' ') {
        let length = word.width();
        let Some(line) = lines.last_mut() else { break };
        if taken == 0 || taken + 1 + length <= room {
            if taken > 0 {
                line.push(' ');
                taken += 1;
            }
            line.push_str(word);
            taken += length;
        } else {
            lines.push(word.to_owned());
            taken = length;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hang_under_the_first_one() {
        let text = "26100.863 is below the checkpoint 26100.1742 that KB5086672 builds upon";
        assert_eq!(wrapped(text, "- ", None), format!("- {text}\n"));
        assert_eq!(
            wrapped(text, "- ", Some(40)),
            "- 26100.863 is below the checkpoint\n  26100.1742 that KB5086672 builds upon\n"
        );
        let long = "a windows11.0-kb5043080-arm64_bb800093cb8846441c8e3da16122f5bb4bcf9bed.msu b";
        assert_eq!(wrapped(long, "", Some(30)).lines().count(), 3, "a long word stands alone");
        assert!(wrapped(text, "", Some(0)).lines().all(|line| line.len() <= LEAST));
    }
}
