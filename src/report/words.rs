//! The texts that lines and bars share.

use std::time::Duration;

use crate::event::TransferDirection;
use crate::net::span;
use crate::update::{PackageName, count, human_size};

/// Returns the short name of a package, without the system and the digest: `kb5086672-arm64`. Returns other names
/// unchanged.
pub(super) fn short_name(name: &str) -> &str {
    let parsed = PackageName::parse(name);
    let end = parsed.sha1.and_then(|_| name.rfind('_')).unwrap_or(name.len());
    let begin = parsed.system.filter(|_| parsed.kb.is_some()).map_or(0, |system| system.len() + 1);
    name.get(begin..end).filter(|short| !short.is_empty()).unwrap_or(name)
}

/// "downloading 2 files, 5.6 GB"
pub(super) fn planned(doing: TransferDirection, files: usize, bytes: Option<u64>) -> String {
    let size = bytes.map(|bytes| format!(", {}", human_size(bytes))).unwrap_or_default();
    format!("{} {}{size}", doing.progress_verb(), count(files, "file"))
}

/// "waiting 15s, then 9m 30s of the retry budget are left"
pub(super) fn waiting(duration: Duration, left: Option<Duration>) -> String {
    let second = Duration::from_secs(1);
    let left = match left {
        None => String::new(),
        Some(left) if left < second => ", then the retry budget ends".to_owned(),
        Some(left) => format!(", then {} of the retry budget are left", span(left)),
    };
    format!("waiting {}{left}", span(duration.max(second)))
}

/// Returns the reason of a wait, after the name of the waiting file.
pub(super) fn reason(file: Option<&str>, why: &str) -> String {
    file.map_or_else(|| why.to_owned(), |file| format!("{file}: {why}"))
}

/// "20.1 MB/s"
pub(super) fn speed(per_second: u64) -> String {
    format!("{}/s", human_size(per_second))
}

/// The line after a stop request.
pub(super) const STOPPING: &str = "stopping: partial files are kept; press Ctrl-C again to end at once";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_names_are_shortened() {
        for (name, short) in [
            ("windows11.0-kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu", "kb5086672-arm64"),
            (
                "windows10.0-kb5049615-x64-ndp48_17bbac9f33539f6515297a7e2183d20b3b165424.msu",
                "kb5049615-x64-ndp48",
            ),
            ("ssu-19041.3562-x64_de23c91f483b2e609cec3e4a995639d13205f867.msu", "ssu-19041.3562-x64"),
            ("something.cab", "something.cab"),
            (
                "_ec8e69856b92118f17bac6e2046f54b3c87e59b0.cab",
                "_ec8e69856b92118f17bac6e2046f54b3c87e59b0.cab",
            ),
            ("", ""),
        ] {
            assert_eq!(short_name(name), short);
        }
    }

    #[test]
    fn a_wait_shows_the_retry_budget_left() {
        let seconds = Duration::from_secs;
        assert_eq!(
            waiting(seconds(15), Some(seconds(570))),
            "waiting 15s, then 9m 30s of the retry budget are left"
        );
        assert_eq!(
            waiting(Duration::from_millis(1), Some(Duration::ZERO)),
            "waiting 1s, then the retry budget ends"
        );
    }
}
