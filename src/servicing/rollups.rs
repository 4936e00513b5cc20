//! The table of monthly rollups: cumulative updates of systems before Windows 10, which do not raise a build.

use jiff::civil::Date;

use super::families::{Family, Installation};
use super::finding::TableFinding;
use super::lines::SortedLines;
use crate::error::Result;
use crate::update::Kb;

/// A monthly rollup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollup {
    /// The KB.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// Client or server, if the rollup is not for both.
    pub installation: Option<Installation>,
    /// The release date.
    pub date: Date,
    /// The separate servicing stack that was published with the rollup, if the row names it.
    pub stack: Option<Kb>,
    /// The letter of the source; the table header explains the letters.
    pub source: char,
}

impl Rollup {
    /// Returns `true` if the rollup is for a family.
    pub fn is_for(&self, family: &Family) -> bool {
        self.family == family.id && self.installation.is_none_or(|own| own == family.installation)
    }
}

/// The table of monthly rollups. Lines are read when a lookup needs them.
#[derive(Debug, Clone)]
pub struct Rollups {
    lines: SortedLines,
}

impl Rollups {
    pub(super) fn new(text: &str) -> Result<Self> {
        Ok(Self { lines: SortedLines::new("rollups.txt", text)? })
    }

    /// Reads the table completely; returns invalid or unsorted lines.
    pub(super) fn faults(&self) -> Vec<TableFinding> {
        self.lines.faults(parse_rollup)
    }

    /// Returns all rollups, sorted by KB.
    pub fn all(&self) -> impl Iterator<Item = Rollup> {
        self.lines.iter().filter_map(parse_rollup)
    }

    /// Returns the rows of a KB, one per family.
    pub fn of_kb(&self, kb: Kb) -> Vec<Rollup> {
        let words = format!("{:08} ", kb.number());
        self.lines.lines_with_prefix(&words).filter_map(parse_rollup).collect()
    }
}

/// Parses a line: `05032249 09600 s 2023-11-14 05032308 q`
fn parse_rollup(line: &str) -> Option<Rollup> {
    let mut columns = line.split_ascii_whitespace();
    let mut next = || columns.next();
    let (kb, family, installation) = (next()?, next()?, next()?);
    let (date, stack, source) = (next()?, next()?, next()?);
    Some(Rollup {
        kb: Kb::from_number(kb.parse().ok()?)?,
        family: family.parse().ok()?,
        installation: match installation {
            "c" => Some(Installation::Client),
            "s" => Some(Installation::Server),
            "b" => None,
            _ => return None,
        },
        date: date.parse().ok()?,
        stack: if stack == "-" { None } else { Some(Kb::from_number(stack.parse().ok()?)?) },
        source: source.chars().next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_valid_and_found() {
        let table = Rollups::new(include_str!("data/rollups.txt")).unwrap();
        assert_eq!(table.faults(), []);
        for row in table.all() {
            assert!(table.of_kb(row.kb).contains(&row), "{row:?}");
        }
        let row = table.of_kb("KB5032249".parse().unwrap())[0];
        assert_eq!((row.family, row.stack), (9600, Some("KB5032308".parse().unwrap())));
        for line in ["", "05032249 09600 x 2023-11-14 05032308 q", "05032249 09600 s 2023-11-14 x        q"] {
            assert_eq!(parse_rollup(line), None, "{line:?}");
        }
    }
}
