//! Versions that an enablement package switches on: floors, the restart, and versions that no package reaches.

use super::{Case, check};

const LTSC: &str = "enablement packages do not apply to LTSC editions";
const FLOOR: &str = "below the floor of an enablement package: the newest LCU that policy and date allow and that reaches the floor, a restart, and the package";
const MINIMAL: &str = "with --minimal, the lowest KB that reaches the floor";
const PREVIEW: &str = "a preview only if no other update reaches the floor, with a warning";
const NO_26H1: &str = "26H1 is a separate platform for new devices";
const DONE: &str = "nothing_to_do is decided before ESU, edition, and the other conditions";

#[test]
fn enablement_packages_reach_only_their_version() {
    let cases: &[Case] = &[
        (LTSC, "enable=25H2 | x64 26100.8037 client edition=EnterpriseS", "not_applicable", "LTSC"),
        (LTSC, "enable=25H2 | x64 26100.8037 client edition=IoTEnterpriseS", "not_applicable", "LTSC"),
        (LTSC, "enable=22H2 | x64 19044.6456 client edition=EnterpriseS", "not_applicable", "LTSC"),
        (LTSC, "KB5054156 | x64 26100.8037 client edition=EnterpriseS", "not_applicable", "LTSC"),
        (LTSC, "enable=25H2 | x64 26100.8037 client edition=Enterprise", "install enablement KB5054156", ""),
        (DONE, "enable=25H2 | x64 26200.8039 client", "nothing_to_do", "25H2"),
        (DONE, "enable=25H2 | x64 26300.9457 client", "nothing_to_do", ""),
        (DONE, "enable=25H2 | x64 26100.8037 client installed=KB5054156", "nothing_to_do", "restart"),
        (DONE, "enable=24H2 | x64 26100.8037 client", "nothing_to_do", "24H2"),
        (DONE, "enable=26H1 | x64 28000.1719 client", "nothing_to_do", "26H1"),
        (DONE, "enable=22H2 | x64 22621.2506 client", "nothing_to_do", "22H2"),
        (DONE, "enable=23H2 | x64 22631.2506 client", "nothing_to_do", "23H2"),
        ("25H2 is for clients", "enable=25H2 | x64 26100.32995 server", "not_applicable", "server"),
        (
            "26100 from revision 32230 on is a server",
            "enable=25H2 | x64 26100.32995",
            "not_applicable",
            "server",
        ),
        ("22621/22631 is another family", "enable=25H2 | x64 22631.6783 client", "not_applicable", ""),
        ("22621/22631 is another family", "enable=24H2 | x64 22631.6783 client", "not_applicable", "media"),
        ("28000 is another family", "enable=26H2 | x64 28000.1719 client", "not_applicable", ""),
        (NO_26H1, "enable=26H1 | x64 26200.8039 client", "not_applicable", "new devices"),
        (
            "a version that the knowledge does not have is unknown",
            "enable=27H2 | x64 26300.9457 client",
            "unknown",
            "27H2",
        ),
        ("architecture is a hard filter", "enable=25H2 | x86 26100.8037 client", "not_applicable", "x86"),
        (
            "26100 and 26200 are one family: 24H2 to 25H2 by KB5054156",
            "enable=25H2 | arm64 26100.8037 client",
            "install enablement KB5054156",
            "",
        ),
        (
            "the version is not case-sensitive",
            "enable=25h2 | x64 26100.8037 client",
            "install enablement KB5054156",
            "",
        ),
        (
            "the 19041 family reaches 22H2",
            "enable=22H2 | x64 19044.1806 client",
            "install enablement KB5015684",
            "",
        ),
        (
            "the place is checked after the family",
            "enable=25H2 | x64 26100.8037 client for=winpe",
            "not_applicable",
            "--for image",
        ),
        (
            "the place is checked after the family",
            "enable=25H2 | x64 26100.8037 client for=winre",
            "not_applicable",
            "--for image",
        ),
    ];
    check(cases);
}

#[test]
fn requirements_of_enablement_packages() {
    let cases: &[Case] = &[
        (FLOOR, "enable=25H2 | x64 26100.5074 client", "install enablement KB5054156", ""),
        (
            FLOOR,
            "enable=25H2 | x64 26100.5073 client",
            "install prerequisite KB5129195 (restart), enablement KB5054156",
            "",
        ),
        (
            FLOOR,
            "enable=25H2 | x64 26100.863 client",
            "install checkpoint KB5043080, prerequisite KB5129195 (restart), enablement KB5054156",
            "",
        ),
        (
            FLOOR,
            "enable=25H2 policy=security as_of=2026-07-20 | x64 26100.4652 client",
            "install prerequisite KB5101650 (restart), enablement KB5054156",
            "",
        ),
        (
            FLOOR,
            "enable=25H2 policy=oob as_of=2026-07-20 | x64 26100.4652 client",
            "install prerequisite KB5121767 (restart), enablement KB5054156",
            "",
        ),
        (
            "on a running machine the revision changes only after the restart",
            "enable=25H2 | x64 26100.4652 client for=image",
            "install prerequisite KB5129195, enablement KB5054156",
            "",
        ),
        (
            MINIMAL,
            "enable=25H2 minimal | x64 26100.4652 client",
            "install prerequisite KB5064081 (restart), enablement KB5054156",
            "",
        ),
        (
            "on a running machine the revision changes only after the restart",
            "enable=25H2 | x64 26100.4652 client installed=KB5129195",
            "needs_prerequisite prerequisite KB5129195",
            "restart",
        ),
        (MINIMAL, "enable=25H2 minimal | x64 26100.8037 client", "install enablement KB5054156", ""),
        (
            PREVIEW,
            "enable=25H2 as_of=2025-09-01 | x64 26100.4652 client",
            "install prerequisite KB5064081 (restart), enablement KB5054156",
            "preview",
        ),
        (
            PREVIEW,
            "enable=25H2 as_of=2025-09-15 | x64 26100.4652 client",
            "install prerequisite KB5065426 (restart), enablement KB5054156",
            "",
        ),
        (
            "the article states 26100.9546 and the release table 9550: the floor is 9546",
            "enable=26H2 | x64 26100.9546 client",
            "install enablement KB5121794",
            "",
        ),
        (
            PREVIEW,
            "enable=26H2 | x64 26200.9545 client",
            "install prerequisite KB5124010 (restart), enablement KB5121794",
            "preview",
        ),
        (
            PREVIEW,
            "enable=26H2 policy=preview | x64 26100.9457 client",
            "install prerequisite KB5124010 (restart), enablement KB5121794",
            "",
        ),
        (
            "needs_prerequisite lists the missing packages",
            "enable=26H2 as_of=2026-09-20 | x64 26200.9457 client",
            "needs_prerequisite prerequisite KB5124010",
            "",
        ),
        (
            "needs_prerequisite lists the missing packages",
            "enable=25H2 available= | x64 26100.8037 client",
            "needs_prerequisite enablement KB5054156",
            "",
        ),
        (
            FLOOR,
            "enable=23H2 as_of=2023-11-15 | x64 22621.1 client",
            "install prerequisite KB5032190 (restart), enablement KB5027397",
            "",
        ),
    ];
    check(cases);
}
