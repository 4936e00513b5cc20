//! The Windows products with their names in the titles of a month.

/// A product with its names in titles and in the products column, and the months in which it received updates.
pub(super) struct Line {
    pub(super) build: u32,
    pub(super) words: &'static str,
    pub(super) version: &'static str,
    pub(super) products: &'static str,
    pub(super) architectures: &'static [&'static str],
    pub(super) since: &'static str,
    pub(super) until: &'static str,
}

const fn line(
    build: u32,
    words: &'static str,
    version: &'static str,
    products: &'static str,
    architectures: &'static [&'static str],
    months: (&'static str, &'static str),
) -> Line {
    Line { build, words, version, products, architectures, since: months.0, until: months.1 }
}

const SERVER_OS: &str = "Microsoft server operating system";
const NEW: &[&str] = &["x64", "arm64"];
const ALL: &[&str] = &["x64", "x86", "arm64"];
const OLD: &[&str] = &["x64", "x86"];
const X64: &[&str] = &["x64"];
const ALWAYS: (&str, &str) = ("", "9999");

/// The product lines. [`is_for`] separates updates for clients from updates for servers.
pub(super) const LINES: &[Line] = &[
    line(28000, "Windows 11", "26H1", "Windows 11", NEW, ALWAYS),
    line(26100, "Windows 11", "24H2", "Windows 11", NEW, ALWAYS),
    line(26100, "Windows 11", "25H2", "Windows 11", NEW, ("2025-10", "9999")),
    line(26100, "Windows 11", "26H2", "Windows 11", NEW, ("2026-09", "9999")),
    line(26100, SERVER_OS, "24H2", "Microsoft Server Operating System-24H2", X64, ("2024-09", "9999")),
    line(25398, SERVER_OS, "23H2", "Microsoft Server Operating System-23H2", X64, ALWAYS),
    line(22621, "Windows 11", "22H2", "Windows 11", NEW, ("", "2025-10")),
    line(22621, "Windows 11", "23H2", "Windows 11", NEW, ALWAYS),
    line(20348, SERVER_OS, "21H2", "Microsoft Server operating system-21H2", X64, ALWAYS),
    line(19041, "Windows 10", "21H2", "Windows 10 LTSB", ALL, ALWAYS),
    line(19041, "Windows 10", "22H2", "Windows 10, version 1903 and later", ALL, ALWAYS),
    line(17763, "Windows 10", "1809", "Windows 10, Windows 10 LTSB", OLD, ALWAYS),
    line(17763, "Windows Server 2019", "", "Windows Server 2019", X64, ALWAYS),
    line(14393, "Windows 10", "1607", "Windows 10, Windows 10 LTSB", OLD, ALWAYS),
    line(14393, "Windows Server 2016", "", "Windows Server 2016", X64, ALWAYS),
    line(10240, "Windows 10", "1507", "Windows 10 LTSB", OLD, ALWAYS),
];

/// Returns `true` if an update is for a product line. Since 2026 the revision decides for 26100. Before 2026 the known
/// exceptions decide.
pub(super) fn is_for(line: &Line, kb: &str, month: &str, revision: u32, preview: bool) -> bool {
    let server = line.words == SERVER_OS;
    match (line.build, kb) {
        (26100, "KB5070881") => server,
        (26100, "KB5070773") => !server,
        (26100, _) if month >= "2026-01" || revision >= 32230 => server == (revision >= 32230),
        _ => !(server && preview),
    }
}

/// Returns the product and its version as written in a title of a month.
pub(super) fn words(line: &Line, month: &str) -> String {
    match (line.words, line.version) {
        (words, "") => words.to_owned(),
        ("Windows 11", version) if month >= "2026-05" => format!("Windows 11, version {version}"),
        (SERVER_OS, version) => format!("{SERVER_OS} version {version}"),
        (words, version) => format!("{words} Version {version}"),
    }
}

pub(super) fn written(architecture: &str, line: &Line) -> String {
    match (architecture, line.words) {
        ("arm64", "Windows 10") => "ARM64".to_owned(),
        (other, _) => other.to_owned(),
    }
}

/// Returns the build of a version, which titles state after the KB.
pub(super) fn number_of_version(line: &Line) -> u32 {
    match line.version {
        "25H2" => 26200,
        "26H2" => 26300,
        "23H2" => 22631,
        _ => line.build,
    }
}
