//! Versions that a package switches on: floors, the restart in between, and where no package leads.

use super::{Case, hold};

const LTSC: &str = "design §10: LTSC editions take no enablement package";
const FLOOR: &str = "design §10: enablement below its floor: the newest LCU that the policy and date allow and that meets the floor, restart, then the package";
const MINIMAL: &str = "design §10: the floor KB itself with --minimal";
const PREVIEW: &str = "design §10: a preview only if nothing else does, said so";
const NO_26H1: &str = "servicing §3.3: 26H1 is a separate platform for new devices";
const DONE: &str = "design §10: nothing to do comes before ESU, edition, and the rest";

#[test]
fn where_a_package_leads() {
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
        ("servicing §3.3: 24H2 -> 25H2", "enable=25H2 | x64 26100.32995 server", "not_applicable", "server"),
        ("servicing §1.2: server from 32230 up", "enable=25H2 | x64 26100.32995", "not_applicable", "server"),
        (
            "servicing §1.1: 22621/22631 is another family",
            "enable=25H2 | x64 22631.6783 client",
            "not_applicable",
            "",
        ),
        (
            "servicing §1.1: 22621/22631 is another family",
            "enable=24H2 | x64 22631.6783 client",
            "not_applicable",
            "media",
        ),
        (
            "servicing §1.1: 28000 is another family",
            "enable=26H2 | x64 28000.1719 client",
            "not_applicable",
            "",
        ),
        (NO_26H1, "enable=26H1 | x64 26200.8039 client", "not_applicable", "new devices"),
        ("design §4: unknown", "enable=27H2 | x64 26300.9457 client", "unknown", "27H2"),
        (
            "servicing §1.3: architecture is a hard filter",
            "enable=25H2 | x86 26100.8037 client",
            "not_applicable",
            "x86",
        ),
        ("servicing §3.3", "enable=25H2 | arm64 26100.8037 client", "install enablement KB5054156", ""),
        ("servicing §3.3", "enable=25h2 | x64 26100.8037 client", "install enablement KB5054156", ""),
        (
            "servicing §3.3: 19041 family -> 22H2",
            "enable=22H2 | x64 19044.1806 client",
            "install enablement KB5015684",
            "",
        ),
        (
            "design §10: place comes after family",
            "enable=25H2 | x64 26100.8037 client for=winpe",
            "not_applicable",
            "--for image",
        ),
        (
            "design §10: place comes after family",
            "enable=25H2 | x64 26100.8037 client for=winre",
            "not_applicable",
            "--for image",
        ),
    ];
    hold(cases);
}

#[test]
fn what_comes_before_a_package() {
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
            "design §10: online, the UBR changes only after the restart",
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
            "design §10: online, the UBR changes only after the restart",
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
            "servicing §3.3: article says 26100.9546, release table 9550 -> use 9546",
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
            "design §4: needs_prerequisite: missing says what",
            "enable=26H2 as_of=2026-09-20 | x64 26200.9457 client",
            "needs_prerequisite prerequisite KB5124010",
            "",
        ),
        (
            "design §4: needs_prerequisite: missing says what",
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
    hold(cases);
}
