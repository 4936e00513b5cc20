//! Properties of machines and updates: family, architecture, client or server, checkpoint, withdrawn, and expired.

use super::{Case, check};

const CHECKPOINT: &str = "a checkpoint is needed when baseline < checkpoint < target";
const FOD_IMAGE: &str =
    "--fod on an image needs checkpoints and target, also if the image has the build of the target";
const FOD_ABOVE: &str =
    "--fod with a build above the target is nothing_to_do, with the advice to apply the later LCU again";
const FAMILY: &str = "a KB of another family is not applicable, whatever its number";
const SERVER: &str =
    "client and server of 26100 are different products since 2026-01; never compare their revisions";
const ARCHITECTURE: &str = "architecture is a hard filter";
const JUDGEMENT: &str = "order of checks: unknown, hotpatch, architecture, family and installation, place, withdrawn, nothing to do";
const EXPIRED: &str =
    "an expired update is not in the Catalog any more, but it is valid: the plan also names the successor";

#[test]
fn checkpoints_and_added_features() {
    let cases: &[Case] = &[
        (
            FOD_IMAGE,
            "KB5086672 | x64 26100.8117 client for=image fod",
            "install checkpoint KB5043080, target KB5086672",
            "applied again",
        ),
        (
            FOD_IMAGE,
            "KB5086672 | arm64 26200.8117 client for=image fod",
            "install checkpoint KB5043080, target KB5086672",
            "does not change",
        ),
        (
            FOD_IMAGE,
            "KB5086672 | x64 26100.1742 client for=image fod",
            "install checkpoint KB5043080, target KB5086672",
            "",
        ),
        (
            FOD_IMAGE,
            "KB5086672 | x64 26100.8037 client for=image fod installed=KB5086672",
            "install checkpoint KB5043080, target KB5086672",
            "",
        ),
        (FOD_ABOVE, "KB5086672 | x64 26100.9457 client for=image fod", "nothing_to_do", "KB5129195"),
        (
            "--fod on a running machine adds a warning",
            "KB5086672 | x64 26100.1742 client fod",
            "install target KB5086672",
            "apply the cumulative update again",
        ),
        (
            "--fod on a running machine adds a warning",
            "KB5086672 | x64 26100.8117 client fod",
            "nothing_to_do",
            "again",
        ),
        (
            CHECKPOINT,
            "KB5086672 | x64 26100.1741 client",
            "install checkpoint KB5043080, target KB5086672",
            "",
        ),
        (CHECKPOINT, "KB5086672 | x64 26100.1742 client", "install target KB5086672", ""),
        (CHECKPOINT, "KB5043080 | x64 26100.863 client", "install target KB5043080", ""),
        (CHECKPOINT, "KB5041571 | x64 26100.863 client", "install target KB5041571", ""),
        (
            CHECKPOINT,
            "KB5120233 | x64 26100.1 server for=image",
            "install checkpoint KB5043080, target KB5120233",
            "",
        ),
        (
            "without a baseline the plan is complete",
            "KB5086672 | x64",
            "install checkpoint KB5043080, target KB5086672",
            "",
        ),
        (
            "--for mirror is always the complete set",
            "KB5086672 | x64 26100.9457 client for=mirror",
            "install checkpoint KB5043080, target KB5086672",
            "",
        ),
        (
            "--for mirror is always the complete set",
            "KB5086672 | x64 for=mirror installed=KB5086672",
            "install checkpoint KB5043080, target KB5086672",
            "",
        ),
        (
            "on a running machine the revision changes only after the restart",
            "KB5086672 | x64 26100.8037 client installed=KB5086672",
            "nothing_to_do",
            "restart",
        ),
        (
            "if the available files do not include the target, the target is missing too",
            "KB5086672 available= | x64 26100.863 client",
            "needs_prerequisite checkpoint KB5043080, target KB5086672",
            "",
        ),
        (
            "if the available files do not include the target, the target is missing too",
            "KB5086672 available=windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu | x64 26100.863 client",
            "needs_prerequisite target KB5086672",
            "",
        ),
    ];
    check(cases);
}

#[test]
fn client_and_server_of_one_build() {
    let cases: &[Case] = &[
        (
            "hotpatch builds are lower than the LCU of the same month (.32313, .32370)",
            "KB5075899 | x64 26100.32313 server",
            "install target KB5075899",
            "",
        ),
        (
            "hotpatch builds are lower than the LCU of the same month (.32313, .32370)",
            "KB5075899 | x64 26100.32313",
            "install target KB5075899",
            "",
        ),
        (
            "hotpatch builds are lower than the LCU of the same month (.32313, .32370)",
            "KB5073379 | x64 26100.32313 server",
            "nothing_to_do",
            "",
        ),
        (SERVER, "KB5086672 | x64 26100.32313 server", "not_applicable", ""),
        (SERVER, "KB5086672 | x64 26100.32313", "not_applicable", ""),
        (SERVER, "KB5075899 | x64 26100.8037 client", "not_applicable", ""),
        (SERVER, "KB5075899 | x64 26100.8037", "not_applicable", ""),
        (SERVER, "KB5120233 | x64 26200.8037", "not_applicable", ""),
        (SERVER, "KB5086672 | x64 26100.8037", "install target KB5086672", ""),
        (SERVER, "latest | x64 26100.32313", "install target KB5129235", ""),
        (
            "out-of-band releases had diverged before that (2025-10)",
            "KB5070881 | x64 26100.6899 client",
            "not_applicable",
            "",
        ),
        (
            "out-of-band releases had diverged before that (2025-10)",
            "KB5070773 | x64 26100.6899 server",
            "not_applicable",
            "",
        ),
        (
            "out-of-band releases had diverged before that (2025-10)",
            "KB5070881 | x64 26100.6899 server",
            "install target KB5070881",
            "",
        ),
        (
            "out-of-band releases had diverged before that (2025-10)",
            "KB5070773 | x64 26100.6899 client",
            "install target KB5070773",
            "",
        ),
        (
            "before 2026-01 a KB is for client and server unless a row states otherwise",
            "KB5066835 | x64 26100.4652 server",
            "install target KB5066835",
            "",
        ),
        (
            "before 2026-01 a KB is for client and server unless a row states otherwise",
            "KB5066835 | x64 26100.4652 client",
            "install target KB5066835",
            "",
        ),
        (
            "hotpatch baseline of 2026-06",
            "KB5094125 | x64 26100.32860 server",
            "install target KB5094125",
            "baseline",
        ),
        (
            "\"Server 2016 version 1709\" is 16299, not 14393",
            "KB5087537 | x64 16299.1 server",
            "not_applicable",
            "",
        ),
    ];
    check(cases);
}

#[test]
fn families_and_architectures() {
    let cases: &[Case] = &[
        (FAMILY, "KB5086672 | x64 28000.1719 client", "not_applicable", "26H1"),
        (FAMILY, "KB5121000 | x64 26200.9168 client", "not_applicable", ""),
        (FAMILY, "KB5086672 | x64 22631.6783 client", "not_applicable", ""),
        (FAMILY, "KB5120240 | x64 26100.1742 client", "not_applicable", ""),
        (
            "26100/26200/26300 are one family",
            "KB5086672 | arm64 26300.1 client",
            "install checkpoint KB5043080, target KB5086672",
            "",
        ),
        (ARCHITECTURE, "KB5086672 | x86 26100.8037 client", "not_applicable", "x86"),
        (ARCHITECTURE, "KB5087545 | arm64 20348.1 server", "not_applicable", "arm64"),
        (ARCHITECTURE, "KB5087537 | arm64 14393.0 client", "not_applicable", ""),
        ("an unknown family is unknown", "KB5086672 | x64 31000.1 client", "unknown", "31000"),
        ("an unknown family is unknown", "latest | x64 31000.1 client", "unknown", "31000"),
        (
            "a revision newer than any known is still comparable (nothing_to_do and a warning)",
            "KB5129195 | x64 26100.9999 client",
            "nothing_to_do",
            "newer than any",
        ),
        (
            "a revision newer than any known is still comparable (nothing_to_do and a warning)",
            "KB5120249 | x64 19045.9000 client esu=true",
            "nothing_to_do",
            "newer than any",
        ),
        (
            "a hotpatch is refused before the architecture is checked",
            "KB5089466 | x86 26100.8655 client",
            "unavailable_offline -> KB5089549",
            "cumulative update KB5089549",
        ),
        (JUDGEMENT, "KB5089466 | x64 31000.1", "unknown", ""),
        (
            "a KB that the knowledge does not have is unknown",
            "KB5999999 | x64 26100.8037",
            "unknown",
            "crawl",
        ),
    ];
    check(cases);
}

#[test]
fn withdrawn_updates_are_refused_and_expired_ones_are_not() {
    let cases: &[Case] = &[
        (
            "withdrawn: refused with the successor, unless overridden",
            "KB5079391 | x64 26100.8039 client",
            "withdrawn -> KB5086672",
            "KB5086672",
        ),
        (
            "withdrawn: refused with the successor, unless overridden",
            "KB5079391 accept_withdrawn | x64 26100.8039 client",
            "install target KB5079391 -> KB5086672",
            "withdrawn",
        ),
        (JUDGEMENT, "KB5079391 | x64 26100.8117 client", "withdrawn -> KB5086672", ""),
        (JUDGEMENT, "KB5079391 | x64 28000.1719 client", "not_applicable", ""),
        (JUDGEMENT, "KB5079391 | x86 26100.8039 client", "not_applicable", ""),
        (JUDGEMENT, "KB5079391 | x64 26100.8039 client for=winre", "not_applicable", ""),
        (JUDGEMENT, "KB5079391 | x64 26100.8039 server", "not_applicable", ""),
        (
            "a mirror keeps withdrawn updates",
            "KB5079391 | x64 for=mirror",
            "install checkpoint KB5043080, target KB5079391 -> KB5086672",
            "withdrawn",
        ),
        (
            EXPIRED,
            "KB4503294 | x64 14393.2900 server",
            "install target KB4503294 -> KB5129239",
            "left the Catalog",
        ),
        (EXPIRED, "KB4503294 | x64 14393.9140 server", "nothing_to_do", ""),
    ];
    check(cases);
}

#[test]
fn service_packs_of_windows_7() {
    const PARENT: &str = "a parent rule such as \"7601.17514 EQ\" is compared with the installed service pack, not with the revision";
    const PARTIAL: &str = "a missing row in a table is never stated as a fact about Windows";
    let cases: &[Case] = &[
        (PARENT, "KB3040017 | x64 7600.16385 client", "not_applicable", "Service Pack 1"),
        (PARENT, "KB3040017 | x64 7601.17514 client", "install target KB3040017", ""),
        (PARENT, "KB3040017 | x64 7601.24000 client", "install target KB3040017", ""),
        (PARENT, "KB3040017 | x64 7601.24000 server", "install target KB3040017", ""),
        (PARENT, "KB2465285 | x86 7600.16385 client", "install target KB2465285", ""),
        (PARENT, "KB2465285 | x86 7601.24000 client", "install target KB2465285", ""),
        (PARTIAL, "KB2465285 | x64 7601.24000 client", "unknown", "does not prove"),
        (PARTIAL, "KB3040017 | x86 7601.24000 client", "unknown", "does not prove"),
        (FAMILY, "KB3040017 | x64 9600.16384 client", "not_applicable", ""),
    ];
    check(cases);
}
