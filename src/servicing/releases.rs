//! The release history: which build a KB brings to a family, when it was released, and of what sort it was.
//!
//! Some 1,300 lines of text of one length, sorted by KB and family, searched by halving: nothing is parsed before it is
//! asked for, so a cold start pays nothing for it. Whether the text is sorted and sound is checked by
//! [`Releases::check`], which a test and `Knowledge::parse` of other texts call, not by every look-up.

use std::cmp::Ordering;

use jiff::civil::Date;

use super::faulty;
use crate::error::Result;
use crate::update::{Build, Kb};

const NAME: &str = "releases.txt";

/// Of what sort a release was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReleaseKind {
    /// On the second Tuesday of a month.
    Regular,
    /// Between them.
    OutOfBand,
    /// Optional, ahead of the next regular one.
    Preview,
}

/// One line of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// The KB.
    pub kb: Kb,
    /// The build, in the family's own numbering.
    pub build: Build,
    /// When it was released, where that is known.
    pub date: Option<Date>,
    /// Of what sort it was, where that is known.
    pub kind: Option<ReleaseKind>,
}

/// The history as text.
#[derive(Debug, Clone)]
pub(super) struct Releases {
    /// The lines behind the comments; all of them have `width` bytes, the line break included.
    lines: String,
    width: usize,
}

impl Releases {
    /// The history in a text whose first lines may be comments.
    pub(super) fn new(text: &str) -> Result<Self> {
        let comments: usize =
            text.split_inclusive('\n').take_while(|line| line.starts_with('#')).map(str::len).sum();
        let lines = &text[comments..];
        let width = lines.split_inclusive('\n').next().map_or(1, str::len);
        if !lines.is_ascii() || !lines.len().is_multiple_of(width) {
            return Err(faulty(NAME, "its lines are not of one length"));
        }
        Ok(Self { lines: lines.to_owned(), width })
    }

    /// Reads every line: sorted, sound, none twice.
    pub(super) fn check(&self) -> Result<()> {
        let mut last = None;
        for number in 0..self.count() {
            let line = self.line(number);
            let release =
                parse(line).ok_or_else(|| faulty(NAME, &format!("{line:?} is no line of the history")))?;
            let key = (release.kb, release.build);
            if last.is_some_and(|last| last >= key) {
                return Err(faulty(NAME, &format!("{line:?} is not behind the line before it")));
            }
            last = Some(key);
        }
        Ok(())
    }

    /// The releases of a KB for a family, lowest build first. Several where the KB was released again.
    pub(super) fn of(&self, kb: Kb, family: u32) -> Vec<Release> {
        let wanted = format!("{:08} {family:05} ", kb.number());
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.line(middle).as_bytes().cmp(wanted.as_bytes()) == Ordering::Less {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low..self.count())
            .map(|number| self.line(number))
            .take_while(|line| line.starts_with(&wanted))
            .filter_map(parse)
            .collect()
    }

    fn count(&self) -> usize {
        self.lines.len() / self.width
    }

    fn line(&self, number: usize) -> &str {
        let start = number * self.width;
        self.lines.get(start..start + self.width).unwrap_or_default().trim_end_matches(['\n', '\r'])
    }
}

/// `05086672 26100 008117 2026-03-31 o h`
fn parse(line: &str) -> Option<Release> {
    let mut columns = line.split_ascii_whitespace();
    let (kb, family, revision) = (columns.next()?, columns.next()?, columns.next()?);
    let (date, kind, _source) = (columns.next()?, columns.next()?, columns.next()?);
    Some(Release {
        kb: Kb::from_number(kb.parse().ok()?)?,
        build: Build::new(family.parse().ok()?, revision.parse().ok()?),
        date: if date == "-" { None } else { Some(date.parse().ok()?) },
        kind: match kind {
            "b" => Some(ReleaseKind::Regular),
            "o" => Some(ReleaseKind::OutOfBand),
            "p" => Some(ReleaseKind::Preview),
            "-" => None,
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("data/releases.txt");

    fn builds(kb: &str, family: u32) -> Vec<String> {
        let releases = Releases::new(TEXT).unwrap().of(kb.parse().unwrap(), family);
        releases.iter().map(|release| release.build.to_string()).collect()
    }

    #[test]
    fn the_history_is_sorted_and_sound_and_every_line_is_found() {
        let releases = Releases::new(TEXT).unwrap();
        releases.check().unwrap();
        assert!(releases.count() > 1300);
        for number in 0..releases.count() {
            let release = parse(releases.line(number)).unwrap();
            assert!(releases.of(release.kb, release.build.number).contains(&release), "{release:?}");
        }
    }

    #[test]
    fn known_releases() {
        assert_eq!(builds("KB5086672", 26100), ["26100.8117"]);
        assert_eq!(builds("KB5043080", 26100), ["26100.1742"]);
        assert_eq!(builds("KB4015217", 14393), ["14393.1066", "14393.1083"], "released twice");
        assert_eq!(builds("KB5086672", 14393), Vec::<String>::new());
        assert_eq!(builds("KB9999999", 26100), Vec::<String>::new());
        assert_eq!(builds("KB100000", 26100), Vec::<String>::new());
        let release = Releases::new(TEXT).unwrap().of("KB5086672".parse().unwrap(), 26100)[0];
        assert_eq!(release.date.unwrap().to_string(), "2026-03-31");
        assert_eq!(release.kind, Some(ReleaseKind::OutOfBand));
    }

    #[test]
    fn a_faulty_history_is_refused() {
        let line = "05086672 26100 008117 2026-03-31 o h\n";
        assert!(Releases::new(&format!("# comment\n{line}short\n")).is_err());
        assert!(Releases::new(&format!("{line}{line}")).unwrap().check().is_err(), "twice");
        assert!(Releases::new(&line.replace(" o ", " x ")).unwrap().check().is_err());
        assert_eq!(Releases::new("").unwrap().of("KB5086672".parse().unwrap(), 26100), []);
    }
}
