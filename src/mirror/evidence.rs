//! Evidence of a text that another program or person wrote in the place of a view.

use camino::Utf8PathBuf;

/// A view that was changed from outside, and the place where the changed text is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The file, relative to the mirror.
    pub path: Utf8PathBuf,
    /// The copy under `quarantine/`, relative to the mirror.
    pub kept: Utf8PathBuf,
    /// `true` if the index knows that the program wrote another text; `false` if it has no record, as of version 0.1.
    pub is_recorded: bool,
}

impl Evidence {
    /// Returns the warning of a view that was written anew.
    pub fn warning(&self) -> String {
        let Self { path, kept, is_recorded } = self;
        if *is_recorded {
            format!(
                "{path} was changed from outside and is written again; the changed text is kept as {kept}"
            )
        } else {
            format!("{path} is written again; the old text has no record and is kept as {kept}")
        }
    }
}
