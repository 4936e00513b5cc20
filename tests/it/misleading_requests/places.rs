//! The place of each kind of update: a running machine, `install.wim`, `boot.wim`, `winre.wim`, or `\sources`.

use super::{Case, check};

const WINRE: &str = "an LCU does not apply to winre.wim, which gets the servicing stack of the LCU and the Safe OS Dynamic Update";
const SAFE_OS: &str = "a Safe OS DU applies only to winre.wim";
const SETUP: &str = "a Setup DU is expanded into the sources folder of media, never applied with DISM";
const WINPE: &str = "boot.wim does not need the checkpoint if its build is at or above the checkpoint";

#[test]
fn places_of_cumulative_updates() {
    let cases: &[Case] = &[
        (
            WINPE,
            "KB5086672 | x64 26100.1150 client for=winpe",
            "install checkpoint KB5043080, target KB5086672",
            "",
        ),
        (WINPE, "KB5086672 | x64 26100.1742 client for=winpe", "install target KB5086672", ""),
        (WINPE, "KB5086672 | x64 26100.8037 client for=winpe fod", "install target KB5086672", ""),
        (WINPE, "KB5086672 | x64 for=winpe", "install checkpoint KB5043080, target KB5086672", "0x80073712"),
        (WINRE, "KB5086672 | x64 26100.1742 client for=winre", "not_applicable", "SSU-*.cab"),
        (WINRE, "KB5051987 | x64 26100.1742 client for=winre", "not_applicable", "KB5053426"),
        (
            WINRE,
            "KB5129195 | x64 26100.1742 client for=winre",
            "not_applicable",
            "Safe OS dynamic update of that month",
        ),
        (
            "a Setup DU is copied over the sources folder of media",
            "KB5086672 | x64 26100.1742 client for=media",
            "not_applicable",
            "install.wim",
        ),
        (WINRE, "KB4486563 | x64 7601.24000 client for=winre", "not_applicable", ""),
    ];
    check(cases);
}

#[test]
fn places_of_dynamic_updates() {
    let mut cases: Vec<Case> = vec![
        (SAFE_OS, "KB5053426 | x64 26100.1742 client for=winre", "install safe_os KB5053426", ""),
        (SAFE_OS, "KB5122887 | x64 19041.1 client for=winre", "install safe_os KB5122887", ""),
        (SETUP, "KB5126029 | x64 19041.1 client for=media", "install setup KB5126029", ""),
        (SETUP, "KB5126031 | x64 20348.1 server for=media", "install setup KB5126031", ""),
        (
            "--for mirror is always the complete set",
            "KB5053426 | x64 for=mirror",
            "install safe_os KB5053426",
            "",
        ),
        (
            "--for mirror is always the complete set",
            "KB5126029 | x64 for=mirror",
            "install setup KB5126029",
            "",
        ),
    ];
    for request in [
        "KB5053426 | x64 26100.1742 client",
        "KB5053426 | x64 26100.1742 client for=image",
        "KB5053426 | x64 26100.1742 client for=winpe",
        "KB5053426 | x64 26100.1742 client for=media",
    ] {
        cases.push((SAFE_OS, request, "not_applicable", "--for winre"));
    }
    for request in [
        "KB5126029 | x64 19041.1 client",
        "KB5126029 | x64 19041.1 client for=image",
        "KB5126029 | x64 19041.1 client for=winpe",
        "KB5126029 | x64 19041.1 client for=winre",
    ] {
        cases.push((SETUP, request, "not_applicable", "--for media"));
    }
    check(&cases);
}

#[test]
fn updates_that_apply_only_to_an_installed_system() {
    const SYSTEM: &str = "order for an image: SSU, language packs, features, LCU, cleanup, .NET";
    let mut cases: Vec<Case> = vec![
        (SYSTEM, "KB5126052 | x64 26100.1742 client for=image", "install target KB5126052", ""),
        (SYSTEM, "KB5126256 | x64 19045.6456 client", "install target KB5126256", ""),
        (SYSTEM, "KB5094141 | x64 14393.0 server for=image", "install target KB5094141", ""),
        (SYSTEM, "KB5094141 | x64 14393.0 server for=winre", "install target KB5094141", ""),
        (SYSTEM, "KB5094141 | x64 14393.0 server installed=KB5094141", "nothing_to_do", ""),
        (SYSTEM, "KB5094141 | x64 14393.0 server for=media", "not_applicable", ""),
    ];
    for request in [
        "KB5126052 | x64 26100.1742 client for=winpe",
        "KB5126052 | x64 26100.1742 client for=winre",
        "KB5126052 | x64 26100.1742 client for=media",
        "KB5126256 | x64 19045.6456 client for=winpe",
        "KB5126256 | x64 19045.6456 client for=media",
    ] {
        cases.push((SYSTEM, request, "not_applicable", ""));
    }
    check(&cases);
}
