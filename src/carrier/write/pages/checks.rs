//! The ways to check a medium and the root of its trust, as stated on every page.

use super::contents::PageContents;

/// A way to check a medium.
pub(super) struct CheckMethod {
    /// The tool that the check needs.
    pub(super) label: &'static str,
    /// The command lines, typed at the root of the medium.
    pub(super) commands: Vec<String>,
    /// A limit of the check.
    pub(super) note: &'static str,
}

/// Returns the ways to check a medium. Every page shows exactly these.
pub(super) fn checks(contents: &PageContents) -> Vec<CheckMethod> {
    let way = |label, commands, note| CheckMethod { label, commands, note };
    vec![
        way("with kbmirror", vec!["kbmirror check-medium .".to_owned()], ""),
        way(
            "on Windows, nothing installed",
            vec![r".\verify.cmd".to_owned()],
            "(with the dot: verify alone is a command of Windows)",
        ),
        way(
            "on Linux, nothing installed",
            vec!["sha256sum -c --quiet manifest-sha256.txt".to_owned()],
            "It does not detect additional files under data, which must not exist.",
        ),
        way(
            "the signatures, with minisign",
            vec![
                format!("minisign -Vm keys.json -P {}", contents.root_key),
                "minisign -Vm set.json -p export.pub".to_owned(),
                "minisign -Vm manifest-sha256.txt -p export.pub".to_owned(),
            ],
            "export.pub must be one of the keys in keys.json.",
        ),
    ]
}

/// The command that imports a medium into a mirror, on every page.
pub(super) const IMPORT: &str = "kbmirror import .";

/// The root of trust of a medium, as stated on every page.
pub(super) const TRUST: [&str; 2] = [
    "A check with the files of the medium detects damage. It does not detect intentional changes.",
    "Trust begins with the root key that you have on paper: it signs keys.json, and a key in keys.json signs the rest.",
];
