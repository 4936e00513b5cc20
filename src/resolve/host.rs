//! The output of `collect.cmd` on a machine, as a value.
//!
//! The file is text, with one `key=value` per line. It may have been carried, edited, or written by hand.
//! Unknown keys and lines are ignored, a value that cannot be read counts as absent, and nothing is guessed.
//! A file of a newer format and a file of another kind are refused, with a sentence that states the expected
//! content.

use std::collections::BTreeSet;

use super::machine::Machine;
use crate::error::{Error, Result};
use crate::servicing::{Dotnet, Installation};
use crate::update::{Architecture, Build, Kb};

/// The format that this program reads.
const FORMAT: u32 = 1;

/// A machine as `collect.cmd` described it. `None` means that the file does not state the fact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Host {
    /// The name of the machine.
    pub computer: Option<String>,
    /// Build and revision, as the machine states them. Old Windows does not state a revision: there, they
    /// come from the installed rollup or from the build laboratory.
    pub build: Option<Build>,
    /// The architecture.
    pub architecture: Option<Architecture>,
    /// Client or server.
    pub installation: Option<Installation>,
    /// `EditionID`: `Professional`, `EnterpriseS`, `ServerStandard`.
    pub edition: Option<String>,
    /// The release number of .NET Framework 4.5 or later; see [`dotnet_version`].
    pub dotnet_release: Option<u32>,
    /// The KBs in package names and in the update list, sorted. Package names of rollups do not contain a KB.
    pub installed: Vec<Kb>,
    /// The identities of installed packages, sorted.
    pub packages: Vec<String>,
    /// `true` if a restart is pending.
    pub pending_restart: Option<bool>,
    /// The free bytes on the system drive.
    pub free_bytes: Option<u64>,
    /// The version of DISM, which `collect.cmd` reads only with administrator's rights.
    pub dism_version: Option<String>,
}

impl From<&Host> for Machine {
    fn from(host: &Host) -> Self {
        Self {
            architecture: host.architecture,
            baseline: host.build,
            installation: host.installation,
            edition: host.edition.clone(),
            dotnet: host.dotnet_release.and_then(Dotnet::of_release),
            installed: host.installed.clone(),
            ..Self::default()
        }
    }
}

/// Parses the output of `collect.cmd`.
pub fn parse(text: &str) -> Result<Host> {
    let pairs = split_pairs(text);
    let value = |key: &str| {
        pairs.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| *value)
    };
    let value = |key: &str| value(key).filter(|value| !value.is_empty());
    check_format(value("format"))?;
    let packages = installed_packages(&pairs);
    Ok(Host {
        computer: value("computer").map(str::to_owned),
        build: find_build(value, &packages),
        architecture: value("architecture").and_then(|word| word.parse().ok()),
        installation: value("installation_type").and_then(parse_installation),
        edition: value("edition").map(str::to_owned),
        dotnet_release: value("dotnet_release").and_then(parse_number),
        installed: installed_kbs(&pairs, &packages),
        packages: packages.into_iter().map(str::to_owned).collect(),
        pending_restart: value("pending_restart").and_then(parse_flag),
        free_bytes: value("free_bytes").and_then(|digits| digits.parse().ok()),
        dism_version: value("dism_version").map(str::to_owned),
    })
}

/// Returns the version of .NET Framework for a release number of the registry, or `None` below 4.5. A number
/// between two known ones is the earlier version, as Microsoft documents.
pub fn dotnet_version(release: u32) -> Option<&'static str> {
    /// The lowest release number of each version.
    const VERSIONS: [(u32, &str); 11] = [
        (533_320, "4.8.1"),
        (528_040, "4.8"),
        (461_808, "4.7.2"),
        (461_308, "4.7.1"),
        (460_798, "4.7"),
        (394_802, "4.6.2"),
        (394_254, "4.6.1"),
        (393_295, "4.6"),
        (379_893, "4.5.2"),
        (378_675, "4.5.1"),
        (378_389, "4.5"),
    ];
    VERSIONS.iter().find(|(from, _)| release >= *from).map(|(_, version)| *version)
}

/// Returns the build that an installed rollup brings, from its identity.
pub fn rollup_build(package: &str) -> Option<Build> {
    let (name, version) = (package.split('~').next()?, package.rsplit('~').next()?);
    if !name.eq_ignore_ascii_case("Package_for_RollupFix") {
        return None;
    }
    // "26100.8117.1.20": build, revision, and two numbers of the package.
    let mut numbers = version.splitn(3, '.');
    format!("{}.{}", numbers.next()?, numbers.next()?).parse().ok()
}

fn split_pairs(text: &str) -> Vec<(&str, &str)> {
    let lines = text.trim_start_matches('\u{feff}').split(['\r', '\n']);
    let pair = |line| str::split_once(line, '=').map(|(key, value)| (key.trim(), value.trim()));
    lines.filter_map(pair).filter(|(key, _)| !key.is_empty() && !key.starts_with('#')).collect()
}

fn check_format(format: Option<&str>) -> Result<()> {
    const EXPECTED: &str =
        "the output of collect.cmd: text with the line format=1 and other lines of the form key=value";
    match format.map(str::parse) {
        Some(Ok(FORMAT)) => Ok(()),
        Some(Ok(newer)) if newer > FORMAT => Err(Error::usage(format!(
            "the output of collect.cmd has format {newer}; this program reads format {FORMAT}"
        ))
        .hint("use the kbmirror version of that collect.cmd, or a newer one")),
        _ => Err(Error::usage(format!("not a file about a machine: expected {EXPECTED}"))
            .hint("run collect.cmd on the machine, as administrator, and pass the file that it names")),
    }
}

fn find_build<'t>(value: impl Fn(&str) -> Option<&'t str>, packages: &BTreeSet<&str>) -> Option<Build> {
    if let Some(build) = value("build").and_then(|text| text.parse().ok()) {
        return Some(build);
    }
    let current: u32 = value("current_build").and_then(|digits| digits.parse().ok())?;
    let stated = value("ubr").and_then(parse_number).map(|revision| Build::new(current, revision));
    let of_rollups = || {
        let builds = packages.iter().filter_map(|package| rollup_build(package));
        builds.filter(|build| build.number == current).max()
    };
    // "7601.24545.amd64fre.win7sp1_ldr_escrow.200102-1707"
    let of_laboratory = || {
        let mut parts = value("build_lab_ex")?.splitn(3, '.');
        let build: Build = format!("{}.{}", parts.next()?, parts.next()?).parse().ok()?;
        (build.number == current).then_some(build)
    };
    stated.or_else(of_rollups).or_else(of_laboratory)
}

/// Returns the installation for `Client`, `Server`, or `Server Core`, and `None` for others, such as
/// `WindowsPE`.
fn parse_installation(word: &str) -> Option<Installation> {
    let word = word.to_ascii_lowercase();
    match word.split_whitespace().next()? {
        "client" => Some(Installation::Client),
        "server" => Some(Installation::Server),
        _ => None,
    }
}

/// Parses a decimal number, or a hexadecimal number with `0x` as the registry shows it.
fn parse_number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn parse_flag(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// Returns the installed packages of both lists: `package=IDENTITY;0x70` from the registry, and
/// `dism_package=IDENTITY | Installed | Security Update | 3/12/2026` from DISM's own table.
fn installed_packages<'t>(pairs: &[(&'t str, &'t str)]) -> BTreeSet<&'t str> {
    /// The states of the registry: installed, and permanently installed.
    const INSTALLED: [u32; 2] = [0x70, 0x80];
    let mut packages = BTreeSet::new();
    for (key, value) in pairs {
        let (identity, is_installed) = match key.to_ascii_lowercase().as_str() {
            "package" => match value.split_once(';') {
                Some((identity, state)) => {
                    (identity, parse_number(state.trim()).is_some_and(|state| INSTALLED.contains(&state)))
                }
                None => (*value, true),
            },
            "dism_package" => {
                let mut columns = value.split('|').map(str::trim);
                let identity = columns.next().unwrap_or_default();
                (identity, columns.next().is_some_and(|state| state.eq_ignore_ascii_case("installed")))
            }
            _ => continue,
        };
        let identity = identity.trim();
        if is_installed && identity.contains('~') {
            packages.insert(identity);
        }
    }
    packages
}

/// Returns the KBs in package names (`Package_for_KB5088064~…`, `Package_1_for_KB4474419~…`) and in the
/// update list.
fn installed_kbs(pairs: &[(&str, &str)], packages: &BTreeSet<&str>) -> Vec<Kb> {
    let of_packages = packages.iter().filter_map(|package| {
        let (_, kb) = package.split('~').next()?.rsplit_once("for_")?;
        // The name of a part of an update continues after the KB: Package_for_KB4474419_SP1.
        kb.split('_').next()
    });
    let listed = pairs.iter().filter(|(key, _)| key.eq_ignore_ascii_case("qfe")).map(|(_, value)| *value);
    let with_prefix = |word: &&str| word.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("kb"));
    let kbs: BTreeSet<Kb> =
        of_packages.chain(listed).filter(with_prefix).filter_map(|word| word.parse().ok()).collect();
    kbs.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SERVER_2016: &str = "\u{feff}format=1\r\ncomputer=FILES-01\r\ncurrent_build=14393\r\nubr=9062\r\n\
        build=14393.9062\r\nbuild_lab_ex=14393.9062.amd64fre.rs1_release.260401-1200\r\narchitecture=AMD64\r\n\
        installation_type=Server Core\r\nedition=ServerStandard\r\ndotnet_release=528049\r\nelevated=yes\r\n\
        pending_restart=no\r\nfree_bytes=81503576064\r\n\
        package=Package_for_KB5088064~31bf3856ad364e35~amd64~~14393.9140.1.0;0x70\r\n\
        package=Package_for_KB5075902~31bf3856ad364e35~amd64~~14393.8950.1.0;0x50\r\n\
        package=Package_for_RollupFix~31bf3856ad364e35~amd64~~14393.9062.1.12;0x70\r\n\
        qfe=KB5091572\r\nqfe=KB5088064\r\n\
        dism_version=10.0.14393.4169\r\n\
        dism_package=Package_for_KB4049065~31bf3856ad364e35~amd64~~10.0.1.0 | Installed      | Update | 1/2/2026 3:04 AM\r\n\
        dism_package=Package_for_KB4486129~31bf3856ad364e35~amd64~~10.0.1.0 | Install Pending | Update | \r\n\
        something_newer=1\r\nno pair\r\n";

    fn kbs(words: &[&str]) -> Vec<Kb> {
        words.iter().map(|word| word.parse().unwrap()).collect()
    }

    #[test]
    fn facts_of_a_server_are_read() {
        let host = parse(SERVER_2016).unwrap();
        assert_eq!(host.build, Some(Build::new(14393, 9062)));
        assert_eq!(host.computer.as_deref(), Some("FILES-01"));
        assert_eq!(host.architecture, Some(Architecture::X64));
        assert_eq!(host.installation, Some(Installation::Server));
        assert_eq!(host.edition.as_deref(), Some("ServerStandard"));
        assert_eq!(host.dotnet_release.and_then(dotnet_version), Some("4.8"));
        assert_eq!(host.pending_restart, Some(false));
        assert_eq!(host.free_bytes, Some(81_503_576_064));
        assert_eq!(host.dism_version.as_deref(), Some("10.0.14393.4169"));
        // A superseded package, or a package that waits for a restart, is not installed.
        assert_eq!(host.installed, kbs(&["KB4049065", "KB5088064", "KB5091572"]));
        assert_eq!(host.packages.len(), 3);
    }

    #[test]
    fn old_machine_gets_its_revision_from_rollup_or_laboratory() {
        let windows_7 = "format=1\ncurrent_build=7601\ncsd_version=Service Pack 1\n\
            build_lab_ex=7601.24545.amd64fre.win7sp1_ldr_escrow.200102-1707\narchitecture=amd64\n";
        assert_eq!(parse(windows_7).unwrap().build, Some(Build::new(7601, 24545)));
        let rollup = "package=Package_for_RollupFix~31bf3856ad364e35~amd64~~7601.24546.1.5;0x70\n\
            package=Package_1_for_KB4474419~31bf3856ad364e35~amd64~~6.1.3.2;0x70\n\
            package=Package_for_KB4490628_SP1~31bf3856ad364e35~amd64~~6.1.1.2;0x70\n";
        let host = parse(&format!("{windows_7}{rollup}")).unwrap();
        assert_eq!(host.build, Some(Build::new(7601, 24546)));
        assert_eq!(host.installed, kbs(&["KB4474419", "KB4490628"]));
        assert_eq!(parse("format=1\ncurrent_build=7601\n").unwrap().build, None);
        // The laboratory of another build is that of an upgrade's base.
        let upgraded =
            "format=1\ncurrent_build=19045\nbuild_lab_ex=19041.1.amd64fre.vb_release.191206-1406\n";
        assert_eq!(parse(upgraded).unwrap().build, None);
    }

    #[test]
    fn rollup_identity_gives_its_build() {
        let build = |text| rollup_build(text);
        assert_eq!(
            build("Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.8117.1.20"),
            Some(Build::new(26100, 8117))
        );
        assert_eq!(build("Package_for_DotNetRollup_481~31bf3856ad364e35~amd64~~10.0.9347.1"), None);
        assert_eq!(build("Package_for_RollupFix"), None);
    }

    #[test]
    fn foreign_text_is_refused_with_the_expected_format() {
        for text in ["", "Host Name: PC\nOS Name: Windows", "{\"format\": 1}", "format=one", "format=0"] {
            let error = parse(text).unwrap_err();
            assert!(error.message().contains("collect.cmd"), "{error}");
        }
        let error = parse("format=2\nbuild=26100.1\n").unwrap_err();
        assert!(error.message().contains("format 2"), "{error}");
    }

    #[test]
    fn dotnet_release_numbers_map_to_versions() {
        for (release, version) in [
            (378_388, None),
            (378_389, Some("4.5")),
            (378_758, Some("4.5.1")),
            (379_893, Some("4.5.2")),
            (393_297, Some("4.6")),
            (394_271, Some("4.6.1")),
            (394_806, Some("4.6.2")),
            (460_805, Some("4.7")),
            (461_310, Some("4.7.1")),
            (461_808, Some("4.7.2")),
            (461_814, Some("4.7.2")),
            (528_040, Some("4.8")),
            (528_049, Some("4.8")),
            (528_372, Some("4.8")),
            (528_449, Some("4.8")),
            (533_320, Some("4.8.1")),
            (533_325, Some("4.8.1")),
        ] {
            assert_eq!(dotnet_version(release), version, "{release}");
        }
    }

    proptest! {
        #[test]
        fn parsing_any_text_does_not_panic(text in ".{0,200}", key in "[a-z_]{0,12}", value in ".{0,60}") {
            drop(parse(&text));
            for known in ["build", "current_build", "ubr", "build_lab_ex", "package", "dism_package", "qfe", &key] {
                let parsed = parse(&format!("format=1\ncurrent_build=7601\n{known}={value}\n"));
                prop_assert!(parsed.is_ok() || known == "format");
            }
            let _ = rollup_build(&value);
        }
    }
}
