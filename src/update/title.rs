//! The grammar of Catalog titles.
//!
//! Only the title states the architecture, the version of Windows, and (since 2025) the build of an update. Microsoft
//! changed the form several times, so no part is required. Month, comma, build suffix, "-based Systems", and even the
//! KB may be missing; letters may be upper or lower case. A part that the title omits is `None`; this module does not
//! guess.
//!
//! ```text
//! 2026-05 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5089549) (26100.8457)
//! month   kind                  product     release      architecture         KB         build
//! ```

use std::fmt;

use super::pattern::{Pattern, compile};
use super::{Architecture, Build, Kb, Month};

/// The parts of a title. [`super::classify()`] determines the kind, because the kind also depends on the products.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Title {
    /// The month, `2026-09`, at the front or, in old enablement packages, near the end.
    pub month: Option<Month>,
    /// "Windows 11", "Windows Server 2019", "Microsoft server operating system": the words before the version.
    pub product: Option<String>,
    /// The version in upper case: "24H2", "1809".
    pub release: Option<String>,
    /// The architecture in the title. [`super::Classification`] adds the rule that a .NET title without architecture
    /// means x86.
    pub architecture: Option<Architecture>,
    /// The KB in parentheses, or else the last KB in the title.
    pub kb: Option<Kb>,
    /// The build suffix behind the KB.
    pub build: Option<Build>,
    /// The KB that a machine must not have: "… (KB2961858) without KB2919355".
    pub without: Option<Kb>,
    /// The version of a program, if the title states one.
    pub version: Option<TitleVersion>,
}

/// The version of a program in a title, and the rest of the title. Versions of equal rests are comparable; they are
/// compared number by number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TitleVersion {
    /// The title without version and month, in lower case.
    pub rest: String,
    /// The numbers of the version: 4, 18, 26020, 6.
    pub numbers: Vec<u32>,
}

impl TitleVersion {
    /// Returns `true` if both versions are of the same program.
    pub fn is_of_same_program(&self, other: &Self) -> bool {
        self.rest == other.rest
    }
}

impl fmt::Display for TitleVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.numbers.iter().map(u32::to_string).collect();
        formatter.write_str(&numbers.join("."))
    }
}

static MONTH: Pattern = Pattern::new(|| compile(r"(?: ^ \s* | \s) (20\d\d-\d\d) \b"));
static MONTH_NAME: Pattern = Pattern::new(|| {
    compile(
        r"^ \s* (january|february|march|april|may|june|july|august|september|october|november|december)
          ,? \s+ (20\d\d) \b",
    )
});
static KB_IN_PARENTHESES: Pattern = Pattern::new(|| compile(r"\( \s* KB \s? (\d{6,8}) \s* \)"));
static KB_ANYWHERE: Pattern = Pattern::new(|| compile(r"\b KB (\d{6,8}) \b"));
/// The condition of an entry for machines that do not have another update.
static WITHOUT: Pattern =
    Pattern::new(|| compile(r"[\s(]* \b without \s+ \(? \s* KB \s? (\d{6,8}) \b [\s)]*"));
/// The version of a program: "(Version 4.18.26020.6)", "v5.131". A version of Windows has no dots.
static VERSION: Pattern =
    Pattern::new(|| compile(r"\b (?: version \s | build \s | v) (\d{1,6} (?: \. \d{1,6}){1,4}) \b"));
static BUILD: Pattern = Pattern::new(|| compile(r"\( (\d{5}\.\d{1,6}) \) (?: \s* UUP)? \s* $"));
static ARCHITECTURE: Pattern =
    Pattern::new(|| compile(r"\b (x64 | x86 | amd64 | arm64 | arm | ia64 | itanium) (?: - based)? \b"));
static BITS: Pattern = Pattern::new(|| compile(r"\b (64 | 32) -? bit \b"));
/// From a product name to the end of the product: the words after "for" that are Windows products.
static PRODUCT: Pattern = Pattern::new(|| {
    compile(
        r"\b (windows \b .*? | microsoft \s server \s operating \s system .*? | azure \s stack .*?)
          (?: \s+ for \b | \s+ (?:x64|x86|arm64|amd64) \b | \s* \(KB | \s* $)",
    )
});
/// The name of an update behind its product: "Windows 8.1 Update", "Windows Server 2012 R2 Update 1".
static UPDATE_OF_PRODUCT: Pattern =
    Pattern::new(|| compile(r"^ (windows \s .*? \d .*?) \s+ update (?: \s \d)? $"));
static RELEASE: Pattern = Pattern::new(|| compile(r"^ (.*?) ,? \s+ version \s+ ([0-9][0-9a-z]{3}) \b"));
/// A version or an edition of Windows, in contrast to a component ("Windows Defender") and to all of them ("Windows").
static WINDOWS: Pattern = Pattern::new(|| {
    compile(
        r"^ (?: azure \s stack | microsoft \s server \s operating \s system ) \b
          | ^ (?: microsoft \s )? windows \s (?: \d
          | (?: embedded | iot | me | nt | rt | thin | vista | xp ) \b
          | (?: (?: essential | home | hpc | multipoint | small | storage | web ) \s (?: business \s )? )?
            server (?: \s 20\d\d \b | $ ) )",
    )
});
/// "Windows Server 2016 1803": releases of the semi-annual channel, in WSUS titles without the word "version".
static BARE_RELEASE: Pattern =
    Pattern::new(|| compile(r"^ (windows \s server \s 20\d\d) \s+ \(? (\d{4}) \)? $"));

impl Title {
    /// Parses a title. Every text has a result; a text that is not a title has an empty result.
    pub fn parse(text: &str) -> Self {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let without = WITHOUT.captures(&text).and_then(|found| found[1].parse().ok());
        let text = WITHOUT.replace(&text, " ").trim_end().to_owned();
        let (product, release) = product(&text);
        Self {
            without,
            version: version(&text),
            month: month(&text),
            product,
            release,
            architecture: architecture(&text),
            kb: kb(&text),
            build: build(&text),
        }
    }
}

/// Returns `true` for the product words of a version or an edition of Windows, known or not: "Windows 12", "Windows
/// Server 2028", "Windows XP". Returns `false` for components and programs.
pub fn is_windows_version(product: &str) -> bool {
    WINDOWS.is_match(product)
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn month(text: &str) -> Option<Month> {
    if let Some(found) = MONTH.captures(text) {
        return found[1].parse().ok();
    }
    let found = MONTH_NAME.captures(text)?;
    let number = MONTHS.iter().zip(1..).find(|(name, _)| name.eq_ignore_ascii_case(&found[1]))?.1;
    Month::new(found[2].parse().ok()?, number)
}

fn kb(text: &str) -> Option<Kb> {
    let found =
        KB_IN_PARENTHESES.captures_iter(text).last().or_else(|| KB_ANYWHERE.captures_iter(text).last());
    found?[1].parse().ok()
}

fn build(text: &str) -> Option<Build> {
    BUILD.captures(text)?[1].parse().ok()
}

/// Returns the version of the program that the title names.
fn version(text: &str) -> Option<TitleVersion> {
    let found = VERSION.captures(text)?.get(1)?;
    let numbers =
        found.as_str().split('.').map(|number| number.parse().ok()).collect::<Option<Vec<u32>>>()?;
    let rest = format!("{}{}", text.get(..found.start())?, text.get(found.end()..)?).to_lowercase();
    let rest = MONTH.replace(&rest, "").trim().to_owned();
    Some(TitleVersion { rest, numbers })
}

/// Returns the last architecture in the title, because product names come first ("Windows Server 2008 R2 x64 Edition").
fn architecture(text: &str) -> Option<Architecture> {
    if let Some(found) = ARCHITECTURE.captures_iter(text).last() {
        return found[1].parse().ok();
    }
    let found = BITS.captures_iter(text).last()?;
    Some(if &found[1] == "64" { Architecture::X64 } else { Architecture::X86 })
}

/// Returns product and release. The first of several products counts ("… .NET Framework 4.8 for Windows 11 …"). A
/// component behind the product ("Windows 10 Version 1507 for RSAT") is not a product of its own.
fn product(text: &str) -> (Option<String>, Option<String>) {
    let Some(found) = PRODUCT.captures(text) else { return (None, None) };
    let words = found[1].trim_end_matches([',', ' ']);
    let words =
        UPDATE_OF_PRODUCT.captures(words).and_then(|own| own.get(1)).map_or(words, |own| own.as_str());
    for pattern in [&RELEASE, &BARE_RELEASE] {
        if let Some(parts) = pattern.captures(words) {
            return (Some(parts[1].to_owned()), Some(parts[2].to_ascii_uppercase()));
        }
    }
    (Some(words.to_owned()), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(text: &str) -> String {
        let title = Title::parse(text);
        let show = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        [
            show(title.month.map(|value| value.to_string())),
            show(title.product),
            show(title.release),
            show(title.architecture.map(|value| value.to_string())),
            show(title.kb.map(|value| value.to_string())),
            show(title.build.map(|value| value.to_string())),
        ]
        .join(" | ")
    }

    #[test]
    fn versions_of_windows_are_distinguished_from_components() {
        for product in [
            "Windows 12",
            "windows 8.1",
            "Windows Server 2028",
            "Windows Server",
            "Azure Stack HCI",
            "Windows XP",
            "Microsoft Windows 2000",
            "Windows Embedded Standard 7",
            "Windows Small Business Server 2011 Essentials",
            "Windows Home Server 2011",
            "Windows 7 and Windows Server 2008 R2 SP1",
        ] {
            assert!(is_windows_version(product), "{product}");
        }
        for product in [
            "Windows",
            "Windows Defender Antivirus",
            "Windows Malicious Software Removal Tool",
            "Windows Server Update Services 3.0 SP2",
            "Windows Update",
            "Windows Media Player 12",
        ] {
            assert!(!is_windows_version(product), "{product}");
        }
    }

    #[test]
    fn titles_of_every_era_are_parsed() {
        let cases = [
            (
                "2026-05 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5089549) (26100.8457)",
                "2026-05 | Windows 11 | 24H2 | x64 | KB5089549 | 26100.8457",
            ),
            (
                "2025-02 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5051987)",
                "2025-02 | Windows 11 | 24H2 | arm64 | KB5051987 | -",
            ),
            (
                "2024-09 Cumulative Update for Windows 11 for x64-based Systems (KB5043067)",
                "2024-09 | Windows 11 | - | x64 | KB5043067 | -",
            ),
            (
                "2023-02 Cumulative Update Preview for Windows 11 Version 22H2 for ARM64-based Systems (KB5022913) UUP",
                "2023-02 | Windows 11 | 22H2 | arm64 | KB5022913 | -",
            ),
            (
                "2026-09 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Windows 11, version 26H1 for x64 (KB5126053)",
                "2026-09 | Windows 11 | 26H1 | x64 | KB5126053 | -",
            ),
            (
                "2023-09 Cumulative Update Preview for .NET Framework 3.5 and 4.8 for Windows 10 Version 22H2 (KB5030841)",
                "2023-09 | Windows 10 | 22H2 | - | KB5030841 | -",
            ),
            (
                "2025-09 Cumulative Update for Microsoft server operating system version 24H2 for x64-based Systems (KB5065426) (26100.6584)",
                "2025-09 | Microsoft server operating system | 24H2 | x64 | KB5065426 | 26100.6584",
            ),
            (
                "2024-10 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Microsoft server operating system, version 23H2 for x64 (KB5044028)",
                "2024-10 | Microsoft server operating system | 23H2 | x64 | KB5044028 | -",
            ),
            (
                "2021-04 Cumulative Update for Windows Server 2019 (1809) for x64-based Systems (KB5001342)",
                "2021-04 | Windows Server 2019 | 1809 | x64 | KB5001342 | -",
            ),
            (
                "2018-09 Cumulative Update for Windows Server 2016 1709 for x64-based Systems (KB4464217)",
                "2018-09 | Windows Server 2016 | 1709 | x64 | KB4464217 | -",
            ),
            (
                "2020-12 Cumulative Update for Windows Server version 1903 for x64-based Systems (KB4592449)",
                "2020-12 | Windows Server | 1903 | x64 | KB4592449 | -",
            ),
            (
                "2024-01 Security Update for Windows 10 Version 1507 for RSAT for x64-based Systems (KB5035238)",
                "2024-01 | Windows 10 | 1507 | x64 | KB5035238 | -",
            ),
            (
                "Dynamic Update for Windows 10 Version 1607 for AMD64-based Systems (KB3176937)",
                "- | Windows 10 | 1607 | x64 | KB3176937 | -",
            ),
            (
                "April, 2017 Security Monthly Quality Rollup for Windows 7 (KB4015549)",
                "2017-04 | Windows 7 | - | - | KB4015549 | -",
            ),
            (
                "Windows 10 Version 1909 x64-based systems 2019-11 via Enablement Package",
                "2019-11 | Windows 10 | 1909 | x64 | - | -",
            ),
            ("Security Update (KB5070881) (26100.6905)", "- | - | - | - | KB5070881 | 26100.6905"),
            ("SQL Server 2022 RTM Cumulative Update (CU) 8 KB5029666", "- | - | - | - | KB5029666 | -"),
            (
                "Update for Microsoft Office 2013 (KB4461444) 64-Bit Edition",
                "- | - | - | x64 | KB4461444 | -",
            ),
            ("Update for Windows (KB4078130) ", "- | Windows | - | - | KB4078130 | -"),
            (
                "Security Update for Windows Server 2012 R2 (KB3172729)",
                "- | Windows Server 2012 R2 | - | - | KB3172729 | -",
            ),
            (
                "Windows Server 2012 R2 Update (KB2919355)",
                "- | Windows Server 2012 R2 | - | - | KB2919355 | -",
            ),
            ("Windows 8.1 Update (KB2919355)", "- | Windows 8.1 | - | - | KB2919355 | -"),
            (
                "Windows 8.1 Update for x64-based Systems (KB2919355)",
                "- | Windows 8.1 | - | x64 | KB2919355 | -",
            ),
            ("Windows Update (KB1234567)", "- | Windows Update | - | - | KB1234567 | -"),
            (
                "Security Update for Windows 8.1 for x64-based Systems (KB2961858) without KB2919355",
                "- | Windows 8.1 | - | x64 | KB2961858 | -",
            ),
            (
                "Security Update for Windows Server 2012 R2 (KB2961858) (without KB2919355)",
                "- | Windows Server 2012 R2 | - | - | KB2961858 | -",
            ),
            ("Realtek - Net - 10.68.815.2023", "- | - | - | - | - | -"),
            ("", "- | - | - | - | - | -"),
        ];
        for (text, expected) in cases {
            assert_eq!(summary(text), expected, "{text}");
        }
    }

    #[test]
    fn condition_of_a_title_is_parsed() {
        for (text, expected) in [
            ("Security Update for Windows 8.1 (KB2961858) without KB2919355", Some("KB2919355")),
            ("Security Update for Windows 8.1 (KB2961858) (Without KB 2919355)", Some("KB2919355")),
            ("Security Update for Windows 8.1 KB2961858 without (KB2919355)", Some("KB2919355")),
            ("Security Update for Windows 8.1 (KB2961858)", None),
            ("Windows 8.1 Update (KB2919355)", None),
        ] {
            let title = Title::parse(text);
            assert_eq!(title.without.map(|kb| kb.to_string()).as_deref(), expected, "{text}");
            assert_ne!(title.kb, title.without, "{text}");
        }
    }

    #[test]
    fn versions_of_one_program_are_comparable() {
        let of = |text: &str| Title::parse(text).version;
        let channel = |version: &str, channel: &str| {
            of(&format!("Update for Microsoft Defender Antivirus antimalware platform - KB4052623 (Version {version}) - Current Channel ({channel})")).unwrap()
        };
        let (older, newer) = (channel("4.18.26010.5", "Broad"), channel("4.18.26020.6", "Broad"));
        assert_eq!(newer.to_string(), "4.18.26020.6");
        assert!(older.is_of_same_program(&newer) && older.numbers < newer.numbers);
        assert!(!older.is_of_same_program(&channel("4.18.26010.5", "Staged")));
        assert!(channel("4.18.2001.10", "Broad").numbers > channel("4.18.2001.9", "Broad").numbers);
        let removal = |month: &str| {
            of(&format!("{month} Windows Malicious Software Removal Tool x64 - v5.131 (KB890830)"))
        };
        assert_eq!(removal("2025-01"), removal("2025-02"));
        for text in [
            "2023-09 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5030211)",
            "Dynamic Update for Windows 10 Version 1607 for AMD64-based Systems (KB3176937)",
            "2026-05 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5089549) (26100.8457)",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(text in "\\PC{0,200}") {
            let _title = Title::parse(&text);
        }
    }
}
