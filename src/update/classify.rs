//! The type of an update, from its texts.
//!
//! The first match wins, and an explicit title decides. A text that matches no rule has no kind; no kind is forced on
//! it.

use super::pattern::{Pattern, compile};
use super::title::Title;
use super::{Architecture, Build, Kb, Kind, Month};

/// The combined statements of an update's title, products, and legacy name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Classification {
    /// The type; `None` if no text states it (most drivers).
    pub kind: Option<Kind>,
    /// The month in the title.
    pub month: Option<Month>,
    /// The product words of the title.
    pub product: Option<String>,
    /// The version words of the title.
    pub release: Option<String>,
    /// The architecture in the title.
    pub architecture: Option<Architecture>,
    /// The KB in the title.
    pub kb: Option<Kb>,
    /// The build suffix of the title.
    pub build: Option<Build>,
}

impl Classification {
    /// Returns the architecture of the packages, as far as the title states it. .NET and Windows titles without an
    /// architecture mean x86, because every other architecture is always named.
    pub fn implied_architecture(&self) -> Option<Architecture> {
        let implied = self.kind.is_some_and(Kind::is_dotnet).then_some(Architecture::X86);
        self.architecture.or(implied)
    }
}

struct TitleRule {
    kind: Kind,
    pattern: Pattern,
}

macro_rules! rules {
    ($($kind:ident $pattern:literal)*) => {
        [$(TitleRule { kind: Kind::$kind, pattern: Pattern::new(|| compile($pattern)) },)*]
    };
}

/// The title rules; the first match wins. Their order matters: "Dynamic Cumulative Update" before "Cumulative Update",
/// previews before the updates they preview, server applications before the general words "Security Update".
static BY_TITLE: [TitleRule; 30] = rules! {
    KbHeading           r"\( os \s builds? \s"
    EsuLicensing        r"extended \s security \s updates? \s \(esu\) | licensing \s preparation"
    Enablement          r"enablement \s package"
    SafeosDu            r"safe \s? os \s dynamic \s update"
    SetupDu             r"setup \s dynamic \s update"
    ComponentDuCritical r"(component|critical) \s dynamic \s update"
    DynamicCu           r"dynamic \s cumulative \s update"
    DuAmbiguous         r"dynamic \s update"
    Ssu                 r"servicing \s stack \s update"
    Hotpatch            r"hot \s? patch"
    Delta               r"\b delta \s (cumulative \s)? update \b"
    DotnetPreview       r"preview \b .* \.net \s framework | \.net \s framework .* \b preview"
    DotnetFeature       r"^ (microsoft \s)? \.net \s framework \s [\d.]+ (\s language \s pack s?)? \s for \b"
    DotnetCu            r"\.net \s framework"
    IeCu                r"internet \s explorer"
    Flash               r"(adobe \s)? flash \s player"
    LcuPreview          r"cumulative \s update \s preview | preview \s of \s monthly \s quality \s rollup"
    OfficeOrServerApp   r"\b (office | exchange | sharepoint | sql \s server | skype \s for \s business | lync | visio
                              | project \s 20\d\d | onenote | outlook | word \s 20\d\d | excel \s 20\d\d | powerpoint) \b"
    MonthlyRollup       r"monthly \s (quality \s)? rollup"
    SecurityOnly        r"security \s only \s (quality \s)? update"
    App                 r"microsoft \s edge | visual \s studio | visual \s c\+\+ | silverlight | malicious \s software \s removal
                              | defender | security \s intelligence | \.net \s (core \s)? \d"
    Lcu                 r"cumulative \s (security \s)? update (s)? \s for \s (windows | microsoft \s server | azure)"
    Lcu                 r"^ (20\d\d-\d\d \s)? (cumulative | security) \s update \s \(KB\d+\) (\s \(\d{5}\.\d+\))?"
    LcuPreview          r"^ (20\d\d-\d\d \s)? (preview \s update | update \s preview | quality \s update \s preview) \s \(KB\d+\)"
    Lcu                 r"^ (20\d\d-\d\d \s)? (quality \s)? update \s \(KB\d+\) \s \(\d{5}\.\d+\)"
    SecurityStandalone  r"security \s update \s for \s (microsoft \s)? (windows | server | azure)"
    SecurityStandalone  r"^ (20\d\d-\d\d \s)? security \s update \b"
    UpdateOther         r"^ (20\d\d-\d\d \s)? (critical \s)? update s? \s (for | rollup) \b"
    UpdateOther         r"\b update \s for \s (windows | microsoft \s server)"
    UpdateOther         r"\b update \b .* \(KB\d+\)"
};

/// Classifies an update by what the Catalog shows (title and products) and by the legacy name from a WSUS export, if
/// available.
///
/// An explicit title decides. "Dynamic Update" alone has three meanings; only the legacy name or, next best, the
/// products distinguish them. Before about October 2018, the title of a servicing stack was "Update for …", therefore
/// the legacy name decides there.
pub fn classify(title: &str, products: &str, legacy_name: Option<&str>) -> Classification {
    let title_text = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let title = Title::parse(&title_text);
    let stated = BY_TITLE.iter().find(|rule| rule.pattern.is_match(&title_text)).map(|rule| rule.kind);
    let kind = match stated {
        Some(Kind::DuAmbiguous) => {
            legacy_name.and_then(by_legacy_name).or_else(|| Some(dynamic_by_products(products)))
        }
        None | Some(Kind::UpdateOther | Kind::SecurityStandalone) => {
            legacy_name.and_then(by_legacy_name).or(stated)
        }
        explicit => explicit,
    };
    Classification {
        kind,
        month: title.month,
        product: title.product,
        release: title.release,
        architecture: title.architecture,
        kb: title.kb,
        build: title.build,
    }
}

/// Returns the kind of a "Dynamic Update" by its products. Safe OS and dynamic cumulative updates have products of
/// their own; a Setup update has the general product alone.
fn dynamic_by_products(products: &str) -> Kind {
    let products = products.to_ascii_lowercase();
    if products.contains("safe os dynamic update") {
        Kind::SafeosDu
    } else if products.contains("gdr-du") {
        Kind::DynamicCu
    } else if products.contains("dynamic update") {
        Kind::SetupDu
    } else {
        Kind::DuAmbiguous
    }
}

fn by_legacy_name(name: &str) -> Option<Kind> {
    const MARKS: [(&str, Kind); 9] = [
        ("servicingstackupdate", Kind::Ssu),
        ("safeosdu", Kind::SafeosDu),
        ("setupdu", Kind::SetupDu),
        ("criticaldu", Kind::ComponentDuCritical),
        ("gdrdu", Kind::DynamicCu),
        ("featureenablement", Kind::Enablement),
        ("dotnetcumulative", Kind::DotnetCu),
        ("unifiedcumulative", Kind::Lcu),
        ("standalonesecurity", Kind::SecurityStandalone),
    ];
    let name: String = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    MARKS.iter().find(|(mark, _)| name.contains(mark)).map(|&(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(title: &str, products: &str) -> Option<Kind> {
        classify(title, products, None).kind
    }

    #[test]
    fn similar_titles_have_different_kinds() {
        let cases = [
            (
                "2023-09 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5030211)",
                Kind::Lcu,
            ),
            (
                "2023-09 Dynamic Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5030211)",
                Kind::DynamicCu,
            ),
            (
                "2023-09 Cumulative Update Preview for Windows 11 for x64-based Systems (KB5030301)",
                Kind::LcuPreview,
            ),
            (
                "2023-09 Cumulative Update Preview for .NET Framework 3.5 and 4.8.1 for Windows 11 for x64 (KB5030650)",
                Kind::DotnetPreview,
            ),
            ("2026-04 .NET Framework Security Update (KB5082417)", Kind::DotnetCu),
            (
                "Microsoft .NET Framework 4.8 for Windows 10 Version 1809 and Windows Server 2019 for x64 (KB4486153)",
                Kind::DotnetFeature,
            ),
            ("2026-02 Security Update (KB5075899) (26100.32370)", Kind::Lcu),
            ("Security Update (KB5070881) (26100.6905)", Kind::Lcu),
            (
                "2022-08 Security Update for Windows Server 2016 for x64-based Systems (KB5012170)",
                Kind::SecurityStandalone,
            ),
            ("Security Update For Exchange Server 2019 CU12 (KB5030524)", Kind::OfficeOrServerApp),
            (
                "2016-10 Security Only Quality Update for Windows 7 for x64-based Systems (KB3192391)",
                Kind::SecurityOnly,
            ),
            (
                "2019-02 Preview of Monthly Quality Rollup for Windows 7 for x64-based Systems (KB4486565)",
                Kind::LcuPreview,
            ),
            (
                "2019-02 Preview of Quality Rollup for .NET Framework 3.5.1, 4.5.2 for Windows 7 and Server 2008 R2 for x64 (KB4487256)",
                Kind::DotnetPreview,
            ),
            (
                "Extended Security Updates (ESU) Licensing Preparation Package for Windows 10 (KB5072653)",
                Kind::EsuLicensing,
            ),
            (
                "2026-08 Hotpatch for Windows 11, version 24H2 for x64-based Systems (KB5120994)",
                Kind::Hotpatch,
            ),
            ("2017-08 Delta Update for Windows Server 2016 for x64-based Systems (KB4034658)", Kind::Delta),
            ("Windows Server 2012 R2 Update (KB2919355)", Kind::UpdateOther),
            ("Windows 8.1 Update for x64-based Systems (KB2919355)", Kind::UpdateOther),
            (
                "March 31, 2026\u{2014}KB5086672 (OS Builds 26200.8117 and 26100.8117) Out-of-band",
                Kind::KbHeading,
            ),
        ];
        for (title, expected) in cases {
            assert_eq!(kind(title, ""), Some(expected), "{title}");
        }
        assert_eq!(
            kind(
                "Realtek - Net - 10.68.815.2023",
                "Windows 11 Client,  version 24H2 and later,  Servicing Drivers"
            ),
            None
        );
    }

    #[test]
    fn products_and_legacy_name_decide_a_bare_dynamic_update() {
        let title = "2023-02 Dynamic Update for Windows 11 Version 22H2 for x64-based Systems (KB5023527)";
        let safe_os = "Windows Safe OS Dynamic Update, Windows 10 and later Dynamic Update";
        assert_eq!(kind(title, safe_os), Some(Kind::SafeosDu));
        assert_eq!(kind(title, "Windows 10 and later Dynamic Update"), Some(Kind::SetupDu));
        assert_eq!(kind(title, "Windows 10 and later GDR-DU"), Some(Kind::DynamicCu));
        assert_eq!(kind(title, ""), Some(Kind::DuAmbiguous));
        let legacy = "KB3176937-Windows10Rs1Client-RTM-CriticalDU-X64-TSL";
        let kind = classify(title, "Windows 10 and later Dynamic Update", Some(legacy)).kind;
        assert_eq!(kind, Some(Kind::ComponentDuCritical));
    }

    #[test]
    fn only_the_legacy_name_identifies_an_old_servicing_stack() {
        let title = "2018-09 Update for Windows Server 2016 1803 for x64-based Systems (KB4456655)";
        assert_eq!(kind(title, "Windows Server 2016"), Some(Kind::UpdateOther));
        let legacy = "KB4456655-Windows10Rs4Server-RTM-ServicingStackUpdate-X64-TSL-World";
        assert_eq!(classify(title, "Windows Server 2016", Some(legacy)).kind, Some(Kind::Ssu));
    }

    #[test]
    fn dotnet_title_without_architecture_means_x86() {
        let title = "2023-09 Cumulative Update Preview for .NET Framework 3.5 and 4.8 for Windows 10 Version 22H2 (KB5030841)";
        let class = classify(title, "", None);
        assert_eq!((class.architecture, class.implied_architecture()), (None, Some(Architecture::X86)));
        let office = classify("Security Update For Exchange Server 2019 CU12 (KB5030524)", "", None);
        assert_eq!(office.implied_architecture(), None);
    }
}
