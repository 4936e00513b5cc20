//! Tables that are too long to parse at every start: sorted text with lines of equal length, searched by bisection.
//!
//! Lines are read only when a lookup needs them. A separate check reads the complete table and verifies order and form.
//! Tests and replaced tables run that check.

use super::finding::TableFinding;
use super::table::table_error;
use crate::error::Result;

/// The lines of a table after its comments.
#[derive(Debug, Clone)]
pub(super) struct SortedLines {
    name: &'static str,
    lines: String,
    /// The length of a line, including the line break.
    width: usize,
}

impl SortedLines {
    /// Reads a table from a text whose first lines may be comments. Refuses lines of different lengths.
    pub(super) fn new(name: &'static str, text: &str) -> Result<Self> {
        let comments: usize =
            text.split_inclusive('\n').take_while(|line| line.starts_with('#')).map(str::len).sum();
        let lines = &text[comments..];
        let width = lines.split_inclusive('\n').next().map_or(1, str::len);
        if !lines.is_ascii() || !lines.len().is_multiple_of(width) {
            let other = |line: &str| line.len() != width || !line.is_ascii();
            let number = lines.split_inclusive('\n').position(other).unwrap_or_default();
            let number = text[..comments].lines().count() + number + 1;
            let reason = format!("line {number} has another length or contains non-ASCII characters");
            return Err(table_error(name, &reason));
        }
        Ok(Self { name, lines: lines.to_owned(), width })
    }

    /// Reads every line; returns lines that `parse` refuses, and lines that are not in order.
    pub(super) fn faults<T>(&self, parse: impl Fn(&str) -> Option<T>) -> Vec<TableFinding> {
        let mut faults = Vec::new();
        let mut last = "";
        for line in self.iter() {
            if parse(line).is_none() {
                let message = format!("{line:?} is not a valid line");
                faults.push(TableFinding::new(self.name, "no_line", line, message));
            }
            if last >= line {
                let message = format!("{line:?} is not in order");
                faults.push(TableFinding::new(self.name, "order", line, message));
            }
            last = line;
        }
        faults
    }

    /// Returns the lines with this prefix.
    pub(super) fn lines_with_prefix<'s>(&'s self, words: &'s str) -> impl Iterator<Item = &'s str> {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.line(middle) < words {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low..self.count()).map(|number| self.line(number)).take_while(move |line| line.starts_with(words))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.count()).map(|number| self.line(number))
    }

    fn count(&self) -> usize {
        self.lines.len() / self.width
    }

    fn line(&self, number: usize) -> &str {
        let start = number * self.width;
        self.lines.get(start..start + self.width).unwrap_or_default().trim_end_matches(['\n', '\r'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, words: &str) -> Vec<String> {
        let lines = SortedLines::new("table", text).unwrap();
        lines.lines_with_prefix(words).map(str::to_owned).collect()
    }

    #[test]
    fn lines_are_found_by_prefix() {
        let text = "# comment, of any length\n01 a\n02 a\n02 b\n03 a\n";
        assert_eq!(found(text, "02 "), ["02 a", "02 b"]);
        assert_eq!(found(text, "01 "), ["01 a"]);
        assert_eq!(found(text, "03 "), ["03 a"]);
        assert_eq!(found(text, "00 "), Vec::<String>::new());
        assert_eq!(found(text, "04 "), Vec::<String>::new());
        assert_eq!(found("", "02 "), Vec::<String>::new());
    }

    #[test]
    fn faulty_table_is_refused() {
        assert!(SortedLines::new("table", "01 a\n02\n").is_err());
        let check = |text: &str| {
            let sound = |line: &str| line.ends_with('a').then_some(());
            SortedLines::new("table", text).unwrap().faults(sound).len()
        };
        assert_eq!(check("01 a\n02 a\n"), 0);
        for text in ["02 a\n01 a\n", "01 a\n01 a\n", "01 b\n"] {
            assert_eq!(check(text), 1, "{text:?}");
        }
        assert_eq!(check("03 b\n02 a\n01 b\n"), 4, "each fault is reported");
    }
}
