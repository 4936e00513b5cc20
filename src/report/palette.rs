//! Colour for people: status words and the labels of warnings, errors, and hints. Everything else stays as the
//! terminal shows it.
//!
//! Hidden characters are written out before text is painted, so that the only escape sequences in the output are those of this file.
//! Without colour the text is the same.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

/// A meaning that has a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Green: as it should be.
    Good,
    /// Yellow: to be looked at.
    Caution,
    /// Red: wrong.
    Bad,
    /// Cyan: an advice.
    Advice,
}

impl Tone {
    fn style(self) -> Style {
        let color = match self {
            Self::Good => AnsiColor::Green,
            Self::Caution => AnsiColor::Yellow,
            Self::Bad => AnsiColor::Red,
            Self::Advice => AnsiColor::Cyan,
        };
        Style::new().fg_color(Some(color.into()))
    }
}

/// The labels at the beginning of a line.
const LABELS: [(&str, Tone); 4] = [
    ("error:", Tone::Bad),
    ("warning:", Tone::Caution),
    ("hint:", Tone::Advice),
    ("missing:", Tone::Caution),
];

/// The status words of tables. A status begins with its word.
const STATUSES: [(&str, Tone); 16] = [
    ("ok", Tone::Good),
    ("own", Tone::Good),
    ("signing", Tone::Good),
    ("trusted", Tone::Good),
    ("wanted", Tone::Good),
    ("unknown", Tone::Caution),
    ("unverified", Tone::Caution),
    ("missing", Tone::Caution),
    ("no", Tone::Caution),
    ("retired", Tone::Caution),
    ("ended", Tone::Caution),
    ("alarm", Tone::Bad),
    ("damaged", Tone::Bad),
    ("folder missing", Tone::Bad),
    ("revoked", Tone::Bad),
    ("distrusted", Tone::Bad),
];

/// Returns the tone of a status, or `None` if it has no colour.
pub(super) fn tone_of(status: &str) -> Option<Tone> {
    let status = status.to_ascii_lowercase();
    let begins = |word: &str| {
        status
            .strip_prefix(word)
            .is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_alphanumeric()))
    };
    // "not applicable" is not the status "no".
    let found = STATUSES.iter().find(|(word, _)| if *word == "no" { status == "no" } else { begins(word) });
    found.map(|(_, tone)| *tone)
}

/// The colours of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Palette {
    is_used: bool,
}

impl Palette {
    /// Makes the colours of a stream, or of a stream without colour.
    pub fn new(is_used: bool) -> Self {
        Self { is_used }
    }

    /// Returns the text in the colour of a tone. Its hidden characters are already written out.
    pub fn paint(self, tone: Tone, text: &str) -> Cow<'_, str> {
        if !self.is_used || text.is_empty() {
            return Cow::Borrowed(text);
        }
        let style = tone.style();
        Cow::Owned(format!("{style}{text}{style:#}"))
    }

    /// Returns a line whose label, if it begins with one, is painted. Its hidden characters are already written out.
    pub fn label(self, line: &str) -> Cow<'_, str> {
        let words = line.trim_start();
        let found = LABELS.iter().find(|(label, _)| words.starts_with(label));
        let Some((label, tone)) = found.filter(|_| self.is_used) else { return Cow::Borrowed(line) };
        let indent = &line[..line.len() - words.len()];
        let style = tone.style().bold();
        Cow::Owned(format!("{indent}{style}{label}{style:#}{}", &words[label.len()..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_painted_at_the_beginning_only() {
        let palette = Palette::new(true);
        assert_eq!(palette.label("warning: old"), "\u{1b}[1m\u{1b}[33mwarning:\u{1b}[0m old");
        assert_eq!(palette.label("  hint: run it"), "  \u{1b}[1m\u{1b}[36mhint:\u{1b}[0m run it");
        assert_eq!(palette.label("an error: no label"), "an error: no label");
        assert_eq!(Palette::default().label("error: x"), "error: x");
        assert_eq!(Palette::default().paint(Tone::Bad, "x"), "x");
        assert_eq!(palette.paint(Tone::Good, "ok"), "\u{1b}[32mok\u{1b}[0m");
    }

    #[test]
    fn a_status_is_known_by_its_first_word() {
        for (status, tone) in [
            ("ok", Some(Tone::Good)),
            ("ALARM", Some(Tone::Bad)),
            ("damaged (2 faults)", Some(Tone::Bad)),
            ("no", Some(Tone::Caution)),
            ("missing", Some(Tone::Caution)),
            ("not applicable", None),
            ("no entry", None),
            ("oklahoma", None),
            ("size sha1", None),
            ("", None),
        ] {
            assert_eq!(tone_of(status), tone, "{status}");
        }
    }
}
