//! Evidence: entries in the folders of the KBs that the program did not write.

use camino::Utf8PathBuf;

/// The reasons to keep an entry as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceReason {
    /// A view whose text differs from the recorded one.
    Changed,
    /// A view without a record in the index, as of version 0.1.
    Unrecorded,
    /// A file in a set folder that does not belong to the set.
    Foreign,
}

/// An entry that the program did not write, and the path where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceEntry {
    /// The file, relative to the mirror.
    pub path: Utf8PathBuf,
    /// Its path under `quarantine/`, relative to the mirror.
    pub kept: Utf8PathBuf,
    /// The reason.
    pub reason: EvidenceReason,
}

impl EvidenceEntry {
    /// Returns the warning about the kept entry.
    pub fn warning(&self) -> String {
        let Self { path, kept, reason } = self;
        match reason {
            EvidenceReason::Changed => {
                format!("rewrote {path}, which was changed from outside; the changed text is kept as {kept}")
            }
            EvidenceReason::Unrecorded => {
                format!("rewrote {path}; the old text has no record and is kept as {kept}")
            }
            EvidenceReason::Foreign => {
                format!("{path} is not a file of the set, whose folder was rebuilt; moved the file to {kept}")
            }
        }
    }
}
