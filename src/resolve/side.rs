//! The two sides of the air gap, and the advice for a missing KB, which differs between them.
//!
//! On the isolated side, advice never names a command that needs the Catalog: all content comes on a medium.

use std::fmt::Display;

use crate::servicing::may_be_windows_update_only;
use crate::update::Kb;

/// The side of the air gap on which an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side {
    /// The side that can query the Catalog.
    #[default]
    Connected,
    /// The side that receives content on media only.
    Isolated,
}

impl Side {
    /// Returns the advice for an unknown KB.
    pub fn advise_unknown_kb(self, kb: impl Display) -> String {
        match self {
            Self::Connected => format!("run kbmirror crawl {kb} to query the Catalog"),
            Self::Isolated => Self::advise_medium(kb),
        }
    }

    /// Returns the hints for an unknown KB: the advice, and a note if Windows Update alone may deliver the KB.
    pub fn hints_of_unknown_kb(self, kb: Kb) -> Vec<String> {
        let note = format!(
            "check the source of {kb}: Windows Update alone delivers hotpatches and updates of the recovery environment"
        );
        let note = may_be_windows_update_only(kb).then_some(note);
        [self.advise_unknown_kb(kb)].into_iter().chain(note).collect()
    }

    /// Returns the advice for an update that may be newer than everything known here.
    pub fn advise_newer(self) -> &'static str {
        match self {
            Self::Connected => "run kbmirror crawl to query the Catalog",
            Self::Isolated => "import a newer medium from the connected side",
        }
    }

    /// Returns the advice for missing files of KBs. `kbs` is a list separated by blanks.
    pub fn advise_fetch(self, kbs: impl Display) -> String {
        match self {
            Self::Connected => format!("run kbmirror fetch {kbs}"),
            Self::Isolated => Self::advise_medium(kbs),
        }
    }

    /// Returns the advice for damaged or missing files of KBs. `kbs` is a list separated by blanks.
    pub fn advise_repair(self, kbs: impl Display) -> String {
        match self {
            Self::Connected => format!("run kbmirror repair {kbs} to restore damaged and missing files"),
            Self::Isolated => {
                format!(
                    "run kbmirror repair {kbs} --from MEDIUM to restore damaged and missing files from a medium"
                )
            }
        }
    }

    /// Returns the advice for a mirror that does not exist yet.
    pub fn advise_new_mirror(self) -> &'static str {
        match self {
            Self::Connected => {
                "run kbmirror fetch or kbmirror crawl to create a mirror, or pass --mirror DIR"
            }
            Self::Isolated => {
                "run kbmirror import DIR to create a mirror from a medium, or pass --mirror DIR"
            }
        }
    }

    /// Returns the advice for an empty mirror.
    pub fn advise_first_updates(self) -> &'static str {
        match self {
            Self::Connected => "run kbmirror sync or kbmirror fetch KB to add the first updates",
            Self::Isolated => "run kbmirror import DIR to import the first medium",
        }
    }

    /// Returns the advice to get news of updates.
    pub fn advise_news(self) -> &'static str {
        match self {
            Self::Connected => "run kbmirror sync to query the Catalog",
            Self::Isolated => "run this command on the connected side, which receives the news",
        }
    }

    fn advise_medium(kbs: impl Display) -> String {
        format!(
            "import a medium that contains it; create the medium on the connected side: kbmirror export {kbs} --to DIR"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isolated_side_advice_does_not_need_the_catalog() {
        let side = Side::Isolated;
        for advice in [
            side.advise_unknown_kb("KB1"),
            side.advise_newer().to_owned(),
            side.advise_fetch("KB1"),
            side.advise_new_mirror().to_owned(),
        ] {
            for command in ["fetch", "sync", "crawl", "search"] {
                assert!(!advice.contains(command), "{advice}");
            }
            assert!(advice.contains("import"), "{advice}");
        }
        let heal = side.advise_repair("KB1 KB2");
        assert!(heal.contains("kbmirror repair KB1 KB2 --from MEDIUM") && !heal.contains("fetch"), "{heal}");
    }

    #[test]
    fn damage_is_repaired_on_both_sides() {
        let heal = Side::Connected.advise_repair("KB1");
        assert!(heal.contains("kbmirror repair KB1 ") && !heal.contains("fetch"), "{heal}");
    }
}
