//! The latest update by policy and date. The obvious one is a preview, too late, out of band, or withdrawn.

use super::{Case, check};

const POLICY: &str =
    "the policy decides what is latest: B releases only, also out-of-band releases, or also previews";
const DATES: &str = "a B release appears 0 to 2 days after the second Tuesday";
const KB_ORDER: &str = "KB5101684 (.8973) is newer than KB5121767 (.8894): KB order is not release order";
const TWO: &str =
    "two Safe OS DUs of one month can coexist (KB5124015 and KB5125758): the answer is ambiguous";

#[test]
fn latest_by_policy_and_date() {
    let cases: &[Case] = &[
        (
            POLICY,
            "latest policy=security as_of=2026-07-20 | x64 26100.8655 client",
            "install target KB5101650",
            "",
        ),
        (
            POLICY,
            "latest policy=oob as_of=2026-07-20 | x64 26100.8655 client",
            "install target KB5121767",
            "",
        ),
        (POLICY, "latest as_of=2026-07-20 | x64 26100.8655 client", "install target KB5121767", ""),
        (
            POLICY,
            "latest policy=oob as_of=2026-07-17 | x64 26100.8655 client",
            "install target KB5101650",
            "",
        ),
        (
            POLICY,
            "latest policy=oob as_of=2026-07-18 | x64 26100.8655 client",
            "install target KB5121767",
            "",
        ),
        (POLICY, "latest policy=security as_of=2026-07-13 | x64 26100.8655 client", "nothing_to_do", ""),
        (
            POLICY,
            "latest policy=security as_of=2026-07-14 | x64 26100.8655 client",
            "install target KB5101650",
            "",
        ),
        (
            KB_ORDER,
            "latest policy=preview as_of=2026-07-28 | x64 26100.8655 client",
            "install target KB5101684",
            "",
        ),
        (
            KB_ORDER,
            "latest policy=preview as_of=2026-07-27 | x64 26100.8655 client",
            "install target KB5121767",
            "",
        ),
        (
            KB_ORDER,
            "latest policy=oob as_of=2026-08-01 | x64 26100.8655 client",
            "install target KB5121767",
            "",
        ),
        (
            POLICY,
            "latest policy=oob as_of=2026-10-04 | x64 26100.8655 client",
            "install target KB5129195",
            "",
        ),
        (
            POLICY,
            "latest policy=preview as_of=2026-10-04 | x64 26100.8655 client",
            "install target KB5124010",
            "",
        ),
        (
            POLICY,
            "latest policy=security as_of=2026-09-07 | x64 26100.8655 client",
            "install target KB5121003",
            "",
        ),
        (
            "KB5063060 of 2025-06-11 is an out-of-band release one day after the B release",
            "latest policy=security as_of=2025-06-11 | x64 26100.4061 client",
            "install target KB5060842",
            "",
        ),
        (
            "KB5063060 of 2025-06-11 is an out-of-band release one day after the B release",
            "latest policy=oob as_of=2025-06-11 | x64 26100.4061 client",
            "install target KB5063060",
            "",
        ),
        (
            DATES,
            "latest policy=security as_of=2026-05-04 | x64 26100.32522 server",
            "install target KB5082063",
            "",
        ),
        (
            DATES,
            "latest policy=oob as_of=2026-05-04 | x64 26100.32522 server",
            "install target KB5091157",
            "",
        ),
        (
            "KB5079391 was withdrawn within days",
            "latest policy=preview as_of=2026-03-28 | x64 26100.8037 client",
            "install target KB5085516",
            "",
        ),
        (
            "KB5086672 replaces the withdrawn KB5079391",
            "latest policy=oob as_of=2026-03-31 | x64 26100.8116 client",
            "install target KB5086672",
            "",
        ),
        (
            "client and server are different products",
            "latest | x64 26100.32995 server",
            "install target KB5129235",
            "",
        ),
        (
            "one family",
            "latest as_of=2026-10-04 | arm64 26300.1 client",
            "install checkpoint KB5043080, target KB5129195",
            "",
        ),
        (
            "26H1 looks like Windows 11 but is another family",
            "latest | x64 28000.1575 client",
            "install target KB5129194",
            "",
        ),
        (
            "without a release up to the day the answer is unknown",
            "latest as_of=2010-01-01 | x64 26100.8655 client",
            "unknown",
            "2010-01-01",
        ),
        (
            "an LCU does not apply to winre.wim",
            "latest | x64 26100.8655 client for=winre",
            "not_applicable",
            "Safe OS",
        ),
    ];
    check(cases);
}

#[test]
fn latest_by_kind() {
    let cases: &[Case] = &[
        (
            TWO,
            "latest kind=safeos_du | x64 26300.9457 client for=winre",
            "ambiguous KB5124015, KB5125758",
            "no source states which",
        ),
        (
            TWO,
            "latest kind=safeos_du | arm64 26300.9457 client for=winre",
            "ambiguous KB5124015, KB5125758",
            "no source states which",
        ),
        (
            TWO,
            "latest kind=safeos_du as_of=2026-09-25 | x64 26300.9457 client for=winre",
            "install safe_os KB5125758",
            "",
        ),
        (TWO, "KB5124015 | x64 26300.9457 client for=winre", "install safe_os KB5124015", ""),
        (TWO, "KB5125758 | x64 26300.9457 client for=winre", "install safe_os KB5125758", ""),
        (
            "26H1 has a separate .NET KB",
            "latest kind=dotnet_cu | x64 28000.1719 client",
            "install target KB5126053",
            "",
        ),
        (
            "26H1 has a separate .NET KB",
            "latest kind=dotnet_cu | x64 26300.9457 client",
            "install target KB5126052",
            "",
        ),
        (
            "26H1 has a separate .NET KB",
            "latest kind=dotnet_cu | x64 26300.9457 client installed=KB5126052",
            "nothing_to_do",
            "",
        ),
    ];
    check(cases);
}
