//! The release history: the build, release date, and type of each KB per family, and the package files from the
//! Catalog.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::civil::Date;

use super::families::{Family, Installation};
use super::finding::TableFinding;
use super::lines::SortedLines;
use crate::error::Result;
use crate::update::{Architecture, Build, Kb, PackageName};

/// The type of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReleaseKind {
    /// A release on the second Tuesday of a month.
    Regular,
    /// A release on another day.
    OutOfBand,
    /// An optional release before the next regular one.
    Preview,
}

/// A line of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// The KB.
    pub kb: Kb,
    /// The build, in the numbering of the family.
    pub build: Build,
    /// The release date, if known. The date of an article has precedence.
    pub date: Option<Date>,
    /// The day on which a public list first contained the release, if no line states the release date: the same day or
    /// some weeks later. If only the month is known, a day of that month.
    pub first_seen: Option<Date>,
    /// The type of the release, if known.
    pub kind: Option<ReleaseKind>,
    /// Client or server, if the release is not for both.
    pub installation: Option<Installation>,
    /// The letter of the source; the table header explains the letters.
    pub source: char,
}

impl Release {
    /// Returns `true` if the release is for a family.
    pub fn is_for(&self, family: &Family) -> bool {
        self.build.number == family.id && self.installation.is_none_or(|own| own == family.installation)
    }
}

/// The release history. Lines are read when a lookup needs them.
#[derive(Debug, Clone)]
pub struct Releases {
    lines: SortedLines,
    files: SortedLines,
    /// The release dates that articles state.
    dates: BTreeMap<Kb, Date>,
    /// The complete history in order, read when a lookup needs more than one KB.
    history: OnceLock<Vec<Release>>,
}

impl Releases {
    pub(super) fn new(releases: &str, files: &str, dates: BTreeMap<Kb, Date>) -> Result<Self> {
        Ok(Self {
            lines: SortedLines::new("releases.txt", releases)?,
            files: SortedLines::new("files.txt", files)?,
            dates,
            history: OnceLock::new(),
        })
    }

    /// Reads both tables completely; returns invalid or unsorted lines.
    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let mut faults = self.lines.faults(parse_release);
        faults.extend(self.files.faults(parse_file));
        faults
    }

    /// Returns the releases of a KB, sorted by family and build. A KB that was released again has several.
    pub fn of_kb(&self, kb: Kb) -> Vec<Release> {
        let words = format!("{:08} ", kb.number());
        self.lines.lines_with_prefix(&words).filter_map(|line| self.read(line)).collect()
    }

    /// Returns the releases of a KB for a family, lowest build first.
    pub fn of_kb_for(&self, kb: Kb, family: &Family) -> Vec<Release> {
        self.of_kb(kb).into_iter().filter(|release| release.is_for(family)).collect()
    }

    /// Returns all releases for a family, sorted by KB and build.
    pub fn of_family<'k>(&'k self, family: &'k Family) -> impl Iterator<Item = &'k Release> {
        self.all().iter().filter(move |release| release.is_for(family))
    }

    /// Returns all releases, sorted by KB, family, and build.
    pub fn all(&self) -> &[Release] {
        self.history.get_or_init(|| self.lines.iter().filter_map(|line| self.read(line)).collect())
    }

    /// Parses a line. The date of an article completes a line without a release date.
    fn read(&self, line: &str) -> Option<Release> {
        let release = parse_release(line)?;
        let date = release.date.or_else(|| self.dates.get(&release.kb).copied());
        Some(Release { date, ..release })
    }

    /// Returns the releases whose lines state another release date than an article, with the article's date.
    pub(super) fn contradicted_dates(&self) -> impl Iterator<Item = (Release, Date)> {
        let of_lines = self.lines.iter().filter_map(parse_release);
        of_lines
            .filter_map(|release| Some((release, *self.dates.get(&release.kb)?)))
            .filter(|(release, date)| release.date.is_some_and(|own| own != *date))
    }

    /// Returns the files of a cumulative update by architecture, with their names in the Catalog.
    pub fn files_of(&self, kb: Kb) -> Vec<(Architecture, String)> {
        let words = format!("{:08} ", kb.number());
        self.files.lines_with_prefix(&words).filter_map(parse_file).collect()
    }

    /// Returns all files, sorted by KB and architecture.
    pub(super) fn all_files(&self) -> impl Iterator<Item = (Architecture, String)> {
        self.files.iter().filter_map(parse_file)
    }
}

/// Parses a line: `05086672 26100 008117 2026-03-31 r o c h`
fn parse_release(line: &str) -> Option<Release> {
    let mut columns = line.split_ascii_whitespace();
    let (kb, family, revision) = (columns.next()?, columns.next()?, columns.next()?);
    let (date, date_is, kind) = (columns.next()?, columns.next()?, columns.next()?);
    let (installation, source) = (columns.next()?, columns.next()?.chars().next()?);
    let date: Option<Date> = if date == "-" { None } else { Some(date.parse().ok()?) };
    let (date, first_seen) = match date_is {
        "r" => (Some(date?), None),
        "s" | "m" => (None, Some(date?)),
        "-" if date.is_none() => (None, None),
        _ => return None,
    };
    Some(Release {
        kb: Kb::from_number(kb.parse().ok()?)?,
        build: Build::new(family.parse().ok()?, revision.parse().ok()?),
        date,
        first_seen,
        kind: match kind {
            "b" => Some(ReleaseKind::Regular),
            "o" => Some(ReleaseKind::OutOfBand),
            "p" => Some(ReleaseKind::Preview),
            "-" => None,
            _ => return None,
        },
        installation: match installation {
            "c" => Some(Installation::Client),
            "s" => Some(Installation::Server),
            "b" => None,
            _ => return None,
        },
        source,
    })
}

/// Parses a line: `05086672 arm64 11.0 ec8e69856b92118f17bac6e2046f54b3c87e59b0`
fn parse_file(line: &str) -> Option<(Architecture, String)> {
    let mut columns = line.split_ascii_whitespace();
    let (kb, architecture, version, digest) =
        (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    let name = format!("windows{version}-kb{}-{architecture}_{digest}.msu", kb.trim_start_matches('0'));
    // The name must agree with the columns.
    let parsed = PackageName::parse(&name);
    (parsed.kb.is_some() && parsed.sha1.is_some()).then_some((parsed.architecture?, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> Releases {
        let (releases, files) = (include_str!("data/releases.txt"), include_str!("data/files.txt"));
        Releases::new(releases, files, BTreeMap::new()).unwrap()
    }

    fn builds(kb: &str) -> Vec<String> {
        history().of_kb(kb.parse().unwrap()).iter().map(|release| release.build.to_string()).collect()
    }

    #[test]
    fn tables_are_sorted_and_every_line_is_found() {
        let history = history();
        assert_eq!(history.faults(), []);
        let releases: Vec<Release> = history.lines.iter().filter_map(parse_release).collect();
        assert!(releases.len() > 1300);
        for release in releases {
            assert!(history.of_kb(release.kb).contains(&release), "{release:?}");
        }
        for line in history.files.iter() {
            let (architecture, name) = parse_file(line).unwrap();
            let kb = PackageName::parse(&name).kb.unwrap();
            assert!(history.files_of(kb).contains(&(architecture, name)), "{line}");
        }
    }

    #[test]
    fn known_releases_are_found() {
        assert_eq!(builds("KB5086672"), ["26100.8117"]);
        assert_eq!(builds("KB4015217"), ["14393.1066", "14393.1083"], "released twice");
        assert_eq!(builds("KB9999999"), Vec::<String>::new());
        assert_eq!(builds("KB100000"), Vec::<String>::new());
        let release = history().of_kb("KB5086672".parse().unwrap())[0];
        assert_eq!(release.date.unwrap().to_string(), "2026-03-31");
        assert_eq!(release.kind, Some(ReleaseKind::OutOfBand));
        assert_eq!(release.installation, Some(Installation::Client));
        assert_eq!(history().of_kb("KB5120233".parse().unwrap())[0].installation, Some(Installation::Server));
        assert_eq!(history().of_kb("KB5046617".parse().unwrap())[0].installation, None);
        let listed = history().of_kb("KB5120238".parse().unwrap())[0];
        assert_eq!(listed.date, None, "a day in a list is not a release date");
        assert_eq!(listed.first_seen.unwrap().to_string(), "2026-08-11");
        assert_eq!(release.first_seen, None);
        let files = history().files_of("KB5086672".parse().unwrap());
        let names: Vec<&str> = files.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "windows11.0-kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu",
                "windows11.0-kb5086672-x64_97df4ed279e18da5b02308a5a3361313520fd346.msu"
            ]
        );
    }

    #[test]
    fn invalid_lines_are_refused() {
        for line in [
            "",
            "05086672 26100 008117 2026-03-31 r x c h",
            "05086672 26100 008117 2026-13-31 r o c h",
            "05086672 26100 008117 2026-03-31 - o c h",
            "05086672 26100 008117          - r o c h",
            "0 1 2 - - - b h",
        ] {
            assert_eq!(parse_release(line), None, "{line:?}");
        }
        for line in
            ["", "05086672 arm64 11.0 ec8e", "05086672 mips 11.0 ec8e69856b92118f17bac6e2046f54b3c87e59b0"]
        {
            assert_eq!(parse_file(line), None, "{line:?}");
        }
    }
}
