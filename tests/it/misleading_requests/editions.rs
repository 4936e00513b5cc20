//! Extended Security Updates, the long-term editions, and .NET Framework. The build does not determine these.

use kbmirror::resolve::FactsLibrary;
use kbmirror::servicing::Knowledge;

use super::stacks::entries;
use super::{Case, check, check_with};

const ESU: &str = "esu=false refuses updates that need ESU, unless the edition is a known LTSC in support";
const ESU_TRUE: &str =
    "esu=true means that the preparation is installed; without a value the plan has a warning";
const PREPARATION: &str =
    "KB5126256 (2026-09) replaces the preparation KB5072653 (2025-11); both need KB5066791 or later";
const CHILD: &str =
    "the .NET release value of the machine selects the child; without it all children are needed";
const BUILD: &str = "the OS build never proves the state of .NET";
const SHARED: &str = "client and server of 26100 share the .NET file (nodes of Server 2025 have KB5049622)";
const OWN_26H1: &str = "26H1 has a separate .NET KB: KB5074837, and KB5074828 for 26100";

#[test]
fn extended_security_updates() {
    let cases: &[Case] = &[
        (
            ESU,
            "KB5129236 | x64 19044.6456 client esu=false edition=EnterpriseS",
            "install target KB5129236",
            "",
        ),
        (
            ESU,
            "KB5129236 | x64 19044.6456 client esu=false edition=IoTEnterpriseS",
            "install target KB5129236",
            "",
        ),
        (
            ESU,
            "KB5129236 | x64 19044.6456 client esu=false edition=enterprises",
            "install target KB5129236",
            "",
        ),
        (
            ESU,
            "KB5129236 | x64 19044.6456 client esu=false edition=Professional",
            "needs_prerequisite esu_preparation KB5126256",
            "key",
        ),
        (
            ESU,
            "KB5129236 | x64 19045.6456 client esu=false",
            "needs_prerequisite esu_preparation KB5126256",
            "",
        ),
        (
            ESU,
            "KB5129236 | x64 19045.6456 client esu=false for=image",
            "needs_prerequisite esu_preparation KB5126256",
            "",
        ),
        (
            "an unknown edition matters only if the family has an LTSC edition",
            "KB5129236 | x64 19044.6456 client esu=false",
            "needs_prerequisite esu_preparation KB5126256",
            "LTSC 2021",
        ),
        (ESU_TRUE, "KB5129236 | x64 19045.6456 client esu=true", "install target KB5129236", ""),
        (ESU_TRUE, "KB5129236 | x64 19045.6456 client", "install target KB5129236", "KB5126256"),
        (
            PREPARATION,
            "KB5129236 | x64 19045.6000 client esu=false",
            "needs_prerequisite prerequisite KB5066791, esu_preparation KB5126256",
            "",
        ),
        (
            PREPARATION,
            "KB5120249 | x64 19045.6456 client esu=false",
            "needs_prerequisite esu_preparation KB5072653",
            "",
        ),
        (
            PREPARATION,
            "KB5129236 | x64 19045.6456 client esu=false installed=KB5126256",
            "install target KB5129236",
            "",
        ),
        (
            PREPARATION,
            "KB5129236 | x64 19045.6456 client esu=false installed=KB5072653",
            "needs_prerequisite esu_preparation KB5126256",
            "",
        ),
        (
            PREPARATION,
            "KB5120249 | x64 19045.6456 client esu=false installed=KB5126256",
            "install target KB5120249",
            "",
        ),
        (
            PREPARATION,
            "KB5120249 | x64 19045.6456 client esu=false installed=KB5072653",
            "install target KB5120249",
            "",
        ),
        (
            "ESU is needed for LCUs from 2025-11 on",
            "KB5066791 | x64 19045.6000 client esu=false",
            "install target KB5066791",
            "",
        ),
        (
            "a family has several versions: an update with a 21H2 title applies to 22H2",
            "KB5129236 | x64 19045.6456 client esu=true edition=Professional",
            "install target KB5129236",
            "",
        ),
        (
            "--for mirror is always the complete set",
            "KB5129236 | x64 for=mirror esu=false",
            "install ssu KB5031539, target KB5129236",
            "",
        ),
        (
            ESU,
            "KB5087537 | x64 14393.8957 server esu=false installed=KB5088064",
            "install target KB5087537",
            "",
        ),
        (
            ESU,
            "KB5094123 | x64 17763.8755 client esu=false edition=EnterpriseS",
            "install target KB5094123",
            "",
        ),
    ];
    check(cases);
}

#[test]
fn a_long_term_edition_needs_esu_after_its_end_of_support() {
    // The knowledge has no updates of 2027. These entries have the form in which the Catalog may list them.
    let knowledge = Knowledge::built_in().unwrap();
    let titles = [
        "2027-01 Cumulative Update for Windows 10 Version 21H2 for x64-based Systems (KB5900001)",
        "2027-02 Cumulative Update for Windows 10 Version 21H2 for x64-based Systems (KB5900002)",
    ];
    let library = FactsLibrary::new(entries(&titles), &knowledge);
    let cases: &[Case] = &[
        (
            ESU,
            "KB5900001 | x64 19044.6456 client esu=false edition=EnterpriseS",
            "install target KB5900001",
            "",
        ),
        (
            ESU,
            "KB5900002 | x64 19044.6456 client esu=false edition=EnterpriseS",
            "needs_prerequisite esu_preparation KB5126256",
            "",
        ),
        (
            ESU,
            "KB5900002 | x64 19044.6456 client esu=false edition=IoTEnterpriseS",
            "install target KB5900002",
            "",
        ),
        (
            ESU_TRUE,
            "KB5900002 | x64 19044.6456 client esu=true edition=EnterpriseS",
            "install target KB5900002",
            "",
        ),
    ];
    check_with(cases, &library, &knowledge);
}

#[test]
fn dotnet_updates_by_installed_version() {
    let cases: &[Case] = &[
        (BUILD, "KB5126052 | x64 26300.9457 client", "install target KB5126052", ""),
        (BUILD, "KB5126052 | x64 26100.9999 client", "install target KB5126052", ""),
        (BUILD, "KB5050182 | x64 17763.8880 server dotnet=4.8", "install dotnet_child KB5049615", ""),
        (
            ".NET parent KB installed? the machine reports the child",
            "KB5050182 | x64 17763.6659 server installed=KB5049608",
            "nothing_to_do",
            "KB5049608",
        ),
        (
            ".NET parent KB installed? the machine reports the child",
            "KB5050182 | x64 17763.6659 server installed=KB5050182",
            "nothing_to_do",
            "",
        ),
        (BUILD, "KB5126052 | x64 26300.9457 client installed=KB5126052", "nothing_to_do", ""),
        (CHILD, "KB5050182 | x64 17763.6659 server dotnet=4.7.2", "install dotnet_child KB5049608", ""),
        (CHILD, "KB5050182 | x64 17763.6659 server dotnet=3.5", "install dotnet_child KB5049608", ""),
        (CHILD, "KB5050182 | x64 17763.6659 server dotnet=4.8", "install dotnet_child KB5049615", ""),
        (CHILD, "KB5050182 | x64 17763.6659 server dotnet=528049", "install dotnet_child KB5049615", ""),
        (CHILD, "KB5050182 | x64 17763.6659 server dotnet=533320", "not_applicable", "4.8.1"),
        (
            CHILD,
            "KB5050182 | x64 17763.6659 server",
            "install dotnet_child KB5049608, dotnet_child KB5049615",
            "0x800f081e",
        ),
        (CHILD, "KB5049615 | x64 17763.6659 server dotnet=4.7.2", "not_applicable", ""),
        (CHILD, "KB5049615 | x64 17763.6659 server dotnet=4.8", "install target KB5049615", ""),
        (
            "--for mirror is always the complete set",
            "KB5050182 | x64 17763.6659 for=mirror dotnet=4.8 installed=KB5049608",
            "install dotnet_child KB5049608, dotnet_child KB5049615",
            "",
        ),
        (
            "release notes name the children of KB5126144",
            "KB5126144 | x86 17763.8880 client dotnet=4.8",
            "install dotnet_child KB5126048",
            "",
        ),
        (
            "release notes name the children of KB5126144",
            "KB5126144 | x86 17763.8880 client dotnet=4.7.2",
            "install dotnet_child KB5126043",
            "",
        ),
        (OWN_26H1, "KB5074828 | x64 28000.1719 client", "not_applicable", "KB5074837"),
        (OWN_26H1, "KB5074837 | x64 26200.8037 client", "not_applicable", "KB5074828"),
        (OWN_26H1, "KB5074837 | x64 26100.8037 client", "not_applicable", ""),
        (OWN_26H1, "KB5074837 | x64 28000.1719 client", "install target KB5074837", ""),
        (OWN_26H1, "KB5126052 | x64 28000.3086 client", "not_applicable", ""),
        (OWN_26H1, "KB5126053 | x64 28000.3086 client", "install target KB5126053", ""),
        (OWN_26H1, "KB5126053 | x64 26300.9457 client", "not_applicable", ""),
        (SHARED, "KB5126052 | x64 26100.33296 server", "install target KB5126052", ""),
        (SHARED, "KB5049622 | x64 26100.2894 server", "install target KB5049622", ""),
        (SHARED, "latest kind=dotnet_cu | x64 26100.33296 server", "install target KB5126052", ""),
        (
            ".NET updates of 26100 and 28000 are for ndp481",
            "KB5120708 | x64 26100.33158 server dotnet=4.8.1",
            "install target KB5120708",
            "",
        ),
        (
            ".NET updates of 26100 and 28000 are for ndp481",
            "KB5120708 | x64 26200.9168 client dotnet=533509",
            "install target KB5120708",
            "",
        ),
        (
            "the version that a row names counts: KB5120708 is for 25H2 and Server 2025",
            "KB5120708 | x64 26100.9168 client dotnet=533509",
            "not_applicable",
            "KB5120710",
        ),
    ];
    check(cases);
}
