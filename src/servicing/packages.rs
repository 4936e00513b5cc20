//! The packages that are not cumulative updates: KBs without a build, such as a servicing stack, a .NET Framework
//! update, a dynamic update, or an enablement package. A second table pairs cumulative updates with their separate
//! servicing stacks.
//!
//! The table contains every package from all sources, except those in the table of cumulative update files. The exact
//! file name is included if it was ever observed. A package whose type the sources leave open has its own kind: a
//! `.cab` that may be for the recovery environment or for Setup is `du_ambiguous`. A line that does not parse is
//! ignored, and `check` reports it.

use std::sync::OnceLock;

use jiff::civil::Date;

use super::families::Installation;
use super::finding::TableFinding;
use super::lines::SortedLines;
use crate::error::Result;
use crate::update::{Architecture, Kb, Kind, PackageName};

/// The meaning of the date of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageDate {
    /// The date of an entry of the Catalog, or of a title: the release date, or later if the entry was renewed.
    Release,
    /// The day on which a public list first contained the package: the release date, or some weeks later.
    FirstListed,
    /// A day of the month of the release.
    Month,
    /// No date.
    Unknown,
}

/// A package known from the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPackage {
    /// The KB of the package; the file name may omit it.
    pub kb: Kb,
    /// The family's id.
    pub family: u32,
    /// Client or server, if the package is known to be for one of them only.
    pub installation: Option<Installation>,
    /// The architecture.
    pub architecture: Architecture,
    /// The type.
    pub kind: Kind,
    /// The earliest day on which any source contains the package.
    pub date: Option<Date>,
    /// The meaning of this day.
    pub date_is: PackageDate,
    /// The file name in the Catalog; `None` if only titles name the KB.
    pub name: Option<String>,
    /// The letter of the source of the kind; the table header explains the letters.
    pub source: char,
}

impl KnownPackage {
    /// Returns `true` if no source states the kind: it follows from the place of the file in public lists.
    pub fn has_inferred_kind(&self) -> bool {
        self.source == 'i'
    }
}

/// The tables of packages and of stack pairs. Lines are read when a lookup needs them.
#[derive(Debug, Clone)]
pub struct Packages {
    lines: SortedLines,
    stacks: SortedLines,
    /// All packages, read when a lookup needs more than one KB.
    all: OnceLock<Vec<KnownPackage>>,
}

impl Packages {
    pub(super) fn new(packages: &str, stacks: &str) -> Result<Self> {
        Ok(Self {
            lines: SortedLines::new("packages.txt", packages)?,
            stacks: SortedLines::new("stacks.txt", stacks)?,
            all: OnceLock::new(),
        })
    }

    /// Reads both tables completely; returns invalid or unsorted lines.
    pub(super) fn faults(&self) -> Vec<TableFinding> {
        let mut faults = self.lines.faults(parse_package);
        faults.extend(self.stacks.faults(parse_stack));
        faults
    }

    /// Returns the packages of a KB, sorted by family, architecture, and date.
    pub fn of_kb(&self, kb: Kb) -> Vec<KnownPackage> {
        let words = format!("{:08} ", kb.number());
        self.lines.lines_with_prefix(&words).filter_map(parse_package).collect()
    }

    /// Returns the packages of the families with an id, sorted by KB. Parses only their lines.
    pub fn of_family(&self, id: u32) -> impl Iterator<Item = KnownPackage> {
        let word = format!("{id:05}");
        let is_own = move |line: &&str| line.split_ascii_whitespace().nth(1) == Some(word.as_str());
        self.lines.iter().filter(is_own).filter_map(parse_package)
    }

    /// Returns all packages, sorted by KB.
    pub fn all(&self) -> &[KnownPackage] {
        self.all.get_or_init(|| self.lines.iter().filter_map(parse_package).collect())
    }

    /// Returns all pairs: cumulative update, family, separate servicing stack.
    pub fn pairs(&self) -> impl Iterator<Item = (Kb, u32, Kb)> {
        self.stacks.iter().filter_map(parse_stack)
    }

    /// Returns the separate servicing stack published with a cumulative update of a family, or `None` if the table has
    /// none.
    pub fn paired_stack(&self, lcu: Kb, family: u32) -> Option<Kb> {
        let words = format!("{:08} {family:05} ", lcu.number());
        self.stacks.lines_with_prefix(&words).next().and_then(parse_stack).map(|(_, _, stack)| stack)
    }

    /// Returns the cumulative updates of a family that have a separate servicing stack, each with its stack.
    pub fn stacks_of(&self, family: u32) -> impl Iterator<Item = (Kb, Kb)> {
        self.pairs().filter(move |(_, own, _)| *own == family).map(|(lcu, _, stack)| (lcu, stack))
    }
}

/// Parses a line: `05043124 14393 x64   b ssu                   2024-09-10 r 10.0  -          msu <SHA-1> g`
fn parse_package(line: &str) -> Option<KnownPackage> {
    let mut columns = line.split_ascii_whitespace();
    let mut next = || columns.next();
    let (kb, family, architecture, installation) = (next()?, next()?, next()?, next()?);
    let (kind, date, date_is, version) = (next()?, next()?, next()?, next()?);
    let (tag, extension, digest, known) = (next()?, next()?, next()?, next()?);
    let kb = Kb::from_number(kb.parse().ok()?)?;
    let name = (digest != "-").then(|| file_name(kb, version, tag, architecture, digest, extension));
    let architecture = architecture.parse().ok()?;
    if let Some(name) = &name {
        // The name must agree with the columns; the name of a servicing stack has no KB.
        let parsed = PackageName::parse(name);
        let is_named = parsed.kb == Some(kb) || (parsed.kb.is_none() && parsed.build.is_some());
        if !is_named || parsed.architecture != Some(architecture) || parsed.sha1.is_none() {
            return None;
        }
    }
    Some(KnownPackage {
        kb,
        family: family.parse().ok()?,
        installation: match installation {
            "c" => Some(Installation::Client),
            "s" => Some(Installation::Server),
            "b" | "-" => None,
            _ => return None,
        },
        architecture,
        kind: kind.parse().ok()?,
        date: if date == "-" { None } else { Some(date.parse().ok()?) },
        date_is: match date_is {
            "r" => PackageDate::Release,
            "s" => PackageDate::FirstListed,
            "m" => PackageDate::Month,
            "-" => PackageDate::Unknown,
            _ => return None,
        },
        name,
        source: known.chars().next()?,
    })
}

/// Returns the file name for the columns; the table header explains the rule.
fn file_name(kb: Kb, version: &str, tag: &str, architecture: &str, digest: &str, extension: &str) -> String {
    let end = format!("{architecture}_{digest}.{extension}");
    if version == "ssu" {
        return format!("ssu-{tag}-{end}");
    }
    let start = match version.strip_prefix('W') {
        Some(version) => format!("Windows{version}-KB{}", kb.number()),
        None => format!("windows{version}-kb{}", kb.number()),
    };
    match tag {
        "-" => format!("{start}-{end}"),
        tag if tag.starts_with('v') => format!("{start}-{tag}-{end}"),
        tag => format!("{start}-{architecture}-{tag}_{digest}.{extension}"),
    }
}

/// Parses a line: `05094122 14393 05094141 l`
fn parse_stack(line: &str) -> Option<(Kb, u32, Kb)> {
    let mut columns = line.split_ascii_whitespace();
    let (lcu, family, stack) = (columns.next()?, columns.next()?, columns.next()?);
    let _source = columns.next()?;
    let kb = |digits: &str| digits.parse().ok().and_then(Kb::from_number);
    Some((kb(lcu)?, family.parse().ok()?, kb(stack)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn tables() -> Packages {
        Packages::new(include_str!("data/packages.txt"), include_str!("data/stacks.txt")).unwrap()
    }

    fn of(kb: &str) -> Vec<KnownPackage> {
        tables().of_kb(kb.parse().unwrap())
    }

    #[test]
    fn packages_of_a_family_are_those_of_all() {
        let tables = tables();
        let families: BTreeSet<u32> = tables.all().iter().map(|package| package.family).collect();
        for &id in &families {
            let expected: Vec<_> =
                tables.all().iter().filter(|package| package.family == id).cloned().collect();
            assert!(!expected.is_empty());
            assert_eq!(tables.of_family(id).collect::<Vec<_>>(), expected, "{id}");
        }
        assert_eq!(tables.of_family(0).count(), 0);
    }

    #[test]
    fn tables_are_sorted_and_every_line_is_found() {
        let tables = tables();
        assert_eq!(tables.faults(), []);
        let all: Vec<KnownPackage> = tables.all().to_vec();
        assert!(all.len() > 800, "{}", all.len());
        for package in &all {
            assert!(tables.of_kb(package.kb).contains(package), "{package:?}");
        }
        let names: Vec<&String> = all.iter().filter_map(|package| package.name.as_ref()).collect();
        assert!(names.len() > 700, "{}", names.len());
        for (lcu, family, stack) in tables.stacks.iter().filter_map(parse_stack) {
            assert_eq!(tables.paired_stack(lcu, family), Some(stack));
            assert!(tables.stacks_of(family).any(|row| row == (lcu, stack)));
        }
    }

    #[test]
    fn each_file_has_one_kind() {
        let mut kinds: std::collections::BTreeMap<String, BTreeSet<Kind>> = std::collections::BTreeMap::new();
        for package in tables().all().to_vec() {
            if let Some(name) = package.name {
                kinds.entry(name).or_default().insert(package.kind);
            }
        }
        for (name, kinds) in kinds {
            assert_eq!(kinds.len(), 1, "{name}: {kinds:?}");
        }
    }

    #[test]
    fn known_packages_are_found() {
        let stack = of("KB5031539");
        assert!(stack.iter().all(|package| package.kind == Kind::Ssu && package.family == 19041));
        let named = "ssu-19041.3562-x64_de23c91f483b2e609cec3e4a995639d13205f867.msu";
        let msu = stack.iter().find(|package| package.name.as_deref() == Some(named)).unwrap();
        assert_eq!(
            (msu.date.unwrap().to_string().as_str(), msu.date_is),
            ("2023-10-10", PackageDate::Release)
        );

        let enablement = of("KB5121794");
        assert!(enablement.iter().all(|package| package.kind == Kind::Enablement));
        assert!(enablement.iter().any(|package| package.name.as_deref()
            == Some("Windows11.0-KB5121794-x64_5e20a3cce48d6611b16bdec42b07167f5456586a.msu")));

        let child = &of("KB5049615")[0];
        assert_eq!((child.kind, child.family), (Kind::DotnetCu, 17763));
        assert_eq!(
            child.name.as_deref(),
            Some("windows10.0-kb5049615-x64-ndp48_17bbac9f33539f6515297a7e2183d20b3b165424.msu")
        );
        let parent = &of("KB5126144")[0];
        assert_eq!((parent.name.as_deref(), parent.kind), (None, Kind::DotnetCu));
        assert_eq!(parent.date_is, PackageDate::Month);
        let again = &of("KB4346087")[0];
        assert!(again.name.as_deref().unwrap().contains("-v3-x64_"), "{again:?}");
        // Products decide if the title only says "Dynamic Update".
        assert_eq!(of("KB5126029")[0].kind, Kind::SetupDu);
        assert_eq!(of("KB5122887")[0].kind, Kind::SafeosDu);
        // In all lists of 14393, but paired with no cumulative update.
        assert!(of("KB5028913").iter().all(|package| package.kind == Kind::UpdateOther));
        assert_eq!(of("KB5086672"), []);
    }

    #[test]
    fn stack_of_a_cumulative_update_is_found() {
        let tables = tables();
        let stack = |lcu: &str, family| {
            tables.paired_stack(lcu.parse().unwrap(), family).map(|kb| kb.to_string()).unwrap_or_default()
        };
        for (lcu, expected) in [
            ("KB5052006", "KB5050109"),
            ("KB5074974", "KB5070247"),
            ("KB5078938", "KB5075902"),
            ("KB5091572", "KB5075902"),
            ("KB5087537", "KB5088064"),
            ("KB5094122", "KB5094141"),
            ("KB5120418", "KB5120236"),
        ] {
            assert_eq!(stack(lcu, 14393), expected);
        }
        assert_eq!(stack("KB5052040", 10240), "KB5052423");
        assert_eq!(stack("KB5052040", 14393), "", "a pair is for a family");
        assert_eq!(stack("KB5086672", 26100), "");
    }

    #[test]
    fn invalid_lines_are_refused() {
        let line =
            "05043124 14393 x64 b ssu 2024-09-10 r 10.0 - msu 0123456789012345678901234567890123456789 g";
        assert!(parse_package(line).is_some());
        for (from, to) in [
            ("x64", "mips"),
            (" b ", " x "),
            ("ssu", "sus"),
            ("09-10", "13-10"),
            (" r ", " q "),
            ("10.0", "10.1"),
            ("0123456789", "01234"),
            (" g", ""),
        ] {
            assert_eq!(parse_package(&line.replacen(from, to, 1)), None, "{to}");
        }
        for line in ["", "05094122 14393 l", "05094122 x 05094141 l", "0 14393 05094141 l"] {
            assert_eq!(parse_stack(line), None, "{line:?}");
        }
    }
}
