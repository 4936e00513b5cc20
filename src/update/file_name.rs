//! The grammar of Microsoft's package file names.
//!
//! ```text
//! windows11.0-kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu
//! windows10.0-kb5049615-x64-ndp48_17bbac9f33539f6515297a7e2183d20b3b165424.msu
//! ssu-19041.3562-x64_de23c91f483b2e609cec3e4a995639d13205f867.msu
//! ```
//!
//! The 40 digits are the SHA-1 of the content for the formats with this naming. The prefix does not state the OS:
//! Server 2025 files begin with `windows11.0-`, Windows 11 21H2 files with `windows10.0-`. For a name outside of the
//! grammar, only SHA-1, extension, and architecture are read, if present: `updateplatform.amd64fre_<sha1>.exe`. A name
//! with the words of two architectures states none.

use std::collections::BTreeSet;

use super::pattern::{Pattern, compile};
use super::{Architecture, Build, Kb, Sha1};

/// The parts of a package file name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageName {
    /// The prefix in lower case: `windows11.0`.
    pub system: Option<String>,
    /// The KB in the name; the name of a servicing stack may omit it.
    pub kb: Option<Kb>,
    /// The version of a package that was issued again under its KB: 3 in `-v3-`.
    pub revision: Option<u32>,
    /// The architecture in the name.
    pub architecture: Option<Architecture>,
    /// The build of a name such as `ssu-19041.3562-x64`.
    pub build: Option<Build>,
    /// The .NET Framework of a child package: `ndp48`.
    pub dotnet: Option<String>,
    /// `true` for a delta update, which needs exactly the previous month; none has been published since 2019.
    pub delta: bool,
    /// The 40 digits before the extension.
    pub sha1: Option<Sha1>,
    /// The extension in lower case, without the dot: `msu`, `cab`.
    pub extension: Option<String>,
}

static PACKAGE: Pattern = Pattern::new(|| {
    compile(
        r"^ (?<os>windows(?:6\.[0-3]|8\.1|8-rt|8|10\.0|11\.0|blue|th)) - kb(?<kb>\d{6,8}) (?:-v(?<rev>\d+))?
            - (?<arch>x64|x86|arm64|arm|ia64) (?<delta>_delta)? (?:-(?<ndp>ndp\d{2,3}))? (?:-(?<tag>[a-z0-9.]+))?
            (?:_(?<sha1>[0-9a-f]{40}))? \. (?<ext>msu|cab|psf|exe|wim) $",
    )
});
static SERVICING_STACK: Pattern = Pattern::new(|| {
    compile(
        r"^ ssu - (?<build>\d{4,5}\.\d+) - (?<arch>x64|x86|arm64)
            (?:_(?<sha1>[0-9a-f]{40}))? \. (?<ext>msu|cab) $",
    )
});
static TAIL: Pattern = Pattern::new(|| compile(r"(?: _(?<sha1>[0-9a-f]{40}) )? \. (?<ext>[a-z0-9]{1,8}) $"));

impl PackageName {
    /// Parses a name. Every text has a result.
    pub fn parse(name: &str) -> Self {
        let Some(found) =
            [&PACKAGE, &SERVICING_STACK, &TAIL].into_iter().find_map(|pattern| pattern.captures(name))
        else {
            return Self::default();
        };
        let part = |key: &str| found.name(key).map(|part| part.as_str().to_ascii_lowercase());
        let architecture = match part("arch") {
            Some(word) => word.parse().ok(),
            None => architecture_in(name),
        };
        Self {
            system: part("os"),
            kb: part("kb").and_then(|digits| digits.parse().ok()),
            revision: part("rev").and_then(|digits| digits.parse().ok()),
            architecture,
            build: part("build").and_then(|text| text.parse().ok()),
            dotnet: part("ndp"),
            delta: part("delta").is_some(),
            sha1: part("sha1").and_then(|digits| digits.parse().ok()),
            extension: part("ext"),
        }
    }
}

/// Returns the architecture that the words of a name state, or `None` if they state none or several.
fn architecture_in(name: &str) -> Option<Architecture> {
    let name = name.to_ascii_lowercase().replace("x86_64", "x64").replace("x86-64", "x64");
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let stated: BTreeSet<Architecture> = words.filter_map(architecture_of_word).collect();
    stated.first().copied().filter(|_| stated.len() == 1)
}

/// Returns the architecture of one word: `x64`, `amd64fre` (a free build), or `enterprisex64`.
fn architecture_of_word(word: &str) -> Option<Architecture> {
    let bare = word.strip_suffix("fre").or_else(|| word.strip_suffix("chk")).unwrap_or(word);
    if let Ok(architecture) = bare.parse() {
        return Some(architecture);
    }
    // The longer word comes first, and a name of Linux is not one of Windows.
    let end = ["amd64", "arm64", "x64", "x86"].into_iter().find(|end| bare.ends_with(end))?;
    let before = bare.strip_suffix(end)?;
    let is_word = before.bytes().all(|byte| byte.is_ascii_alphabetic()) && before != "linu";
    is_word.then(|| end.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architecture_is_read_from_the_words_of_any_name() {
        const SHA1: &str = "d124723da259e9bf36cf50a70b94d6d540abeebe";
        for (stem, expected) in [
            ("updateplatform.amd64fre", Some(Architecture::X64)),
            ("updateplatform.arm64fre", Some(Architecture::Arm64)),
            ("updateplatform.x86fre", Some(Architecture::X86)),
            ("updateplatform", None),
            ("sqlserver2022-kb5029666-x64", Some(Architecture::X64)),
            ("windows-kb890830-x64-v5.131", Some(Architecture::X64)),
            ("am_delta_x86_1.2", Some(Architecture::X86)),
            ("MicrosoftEdgeEnterpriseX64", Some(Architecture::X64)),
            ("vc_redist.arm64", Some(Architecture::Arm64)),
            ("tool-x86_64", Some(Architecture::X64)),
            ("ndp48-x86-x64-allos-enu", None),
            ("clearcompressionflag", None),
            ("oart-x-none", None),
            ("linux64", None),
        ] {
            let name = PackageName::parse(&format!("{stem}_{SHA1}.exe"));
            assert_eq!(name.architecture, expected, "{stem}");
            assert_eq!(name.sha1.map(|sha1| sha1.to_string()).as_deref(), Some(SHA1), "{stem}");
        }
        assert_eq!(
            PackageName::parse("dotnet-runtime-8.0.11-win-x64.exe").architecture,
            Some(Architecture::X64)
        );
    }

    #[test]
    fn parts_of_real_names_are_parsed() {
        let name =
            PackageName::parse("windows11.0-kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu");
        assert_eq!(name.kb.unwrap().to_string(), "KB5086672");
        assert_eq!(name.architecture, Some(Architecture::Arm64));
        assert_eq!(name.sha1.unwrap().to_string(), "ec8e69856b92118f17bac6e2046f54b3c87e59b0");
        assert_eq!((name.system.as_deref(), name.extension.as_deref()), (Some("windows11.0"), Some("msu")));

        let child = PackageName::parse(
            "windows10.0-kb5049615-x64-ndp48_17bbac9f33539f6515297a7e2183d20b3b165424.msu",
        );
        assert_eq!(child.dotnet.as_deref(), Some("ndp48"));

        let stack = PackageName::parse("ssu-19041.3562-x64_de23c91f483b2e609cec3e4a995639d13205f867.msu");
        assert_eq!((stack.kb, stack.build), (None, Some(Build::new(19041, 3562))));

        let again =
            PackageName::parse("windows6.1-kb4474419-v3-x64_a33fccc34974a4c690072bb6df27b22c503b5fc7.msu");
        assert_eq!((again.revision, name.revision), (Some(3), None));

        let mixed =
            PackageName::parse("Windows11.0-KB5121794-x64_5e20a3cce48d6611b16bdec42b07167f5456586a.msu");
        assert_eq!(mixed.kb.unwrap().number(), 5_121_794);
        assert!(
            PackageName::parse(
                "windows10.0-kb4493473-arm64_delta_0123456789012345678901234567890123456789.msu"
            )
            .delta
        );
        assert_eq!(PackageName::parse("Windows6.1-KB2465285-x86.msu").architecture, Some(Architecture::X86));
    }

    #[test]
    fn other_names_give_digest_and_extension_only() {
        let name = PackageName::parse("oart-x-none_e3fa9c9103bc509dcdf7e971ca3cbea0c18a7b0d.cab");
        assert_eq!((name.kb, name.architecture), (None, None));
        assert_eq!(name.sha1.unwrap().to_string(), "e3fa9c9103bc509dcdf7e971ca3cbea0c18a7b0d");
        assert_eq!(PackageName::parse("dotnet-runtime-8.0.11-win-x64.exe").extension.as_deref(), Some("exe"));
        assert_eq!(PackageName::parse("no extension"), PackageName::default());
    }

    proptest::proptest! {
        #[test]
        fn any_name_is_parsed_without_panic(name in "\\PC{0,200}") {
            let _name = PackageName::parse(&name);
        }
    }
}
