//! Evidence of what another program or person wrote into the folders of the KBs.

use camino::Utf8PathBuf;

/// The reasons to keep something as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A view: the index knows that the program wrote another text.
    Changed,
    /// A view that the index has no record of, as of version 0.1.
    Unrecorded,
    /// A file that is not one of the set in whose folder it lay.
    Foreign,
}

/// Something that the program did not write, and the place where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The file, relative to the mirror.
    pub path: Utf8PathBuf,
    /// Its place under `quarantine/`, relative to the mirror.
    pub kept: Utf8PathBuf,
    /// The reason.
    pub reason: Reason,
}

impl Evidence {
    /// Returns the warning of what was kept.
    pub fn warning(&self) -> String {
        let Self { path, kept, reason } = self;
        match reason {
            Reason::Changed => format!(
                "{path} was changed from outside and is written again; the changed text is kept as {kept}"
            ),
            Reason::Unrecorded => {
                format!("{path} is written again; the old text has no record and is kept as {kept}")
            }
            Reason::Foreign => {
                format!("{path} is not a file of the set, whose folder was made again; it is kept as {kept}")
            }
        }
    }
}
