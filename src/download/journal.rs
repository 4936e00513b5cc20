//! What is known of a partial file, beside it: so that the next run goes on where this one stopped.
//!
//! `<digest>.json` under `partial/`. It vouches for nothing: the bytes on the disk are hashed again before anything is
//! appended to them. A journal that cannot be read, or of a newer format, is none, and the partial begins anew.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::machine::Validators;
use crate::disk;
use crate::error::{Error, Result};

/// The format that this program writes.
pub const JOURNAL_FORMAT: u32 = 1;

/// A journal is one small object; a larger file is none.
const CAP: u64 = 64 * 1024;

/// A partial file, as an earlier run left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// [`JOURNAL_FORMAT`].
    pub format: u32,
    /// Where the bytes came from.
    pub url: String,
    /// What the server calls the version, where it is strong.
    pub etag: Option<String>,
    /// When the server says that it changed.
    pub last_modified: Option<String>,
    /// The length of the whole, where the server said it.
    pub size: Option<u64>,
    /// So many bytes outlive a power cut.
    pub durable: u64,
    /// The start of the machine in which it was written.
    pub boot: Option<String>,
}

/// Where the journal of a partial file is.
pub fn journal_of(partial: &Utf8Path) -> Utf8PathBuf {
    partial.with_extension("json")
}

impl Journal {
    /// The journal of a partial file, where there is a sound one.
    pub fn read(partial: &Utf8Path) -> Option<Self> {
        let bytes = disk::read(&journal_of(partial), CAP).ok()?;
        let journal: Self = serde_json::from_slice(&bytes).ok()?;
        (journal.format == JOURNAL_FORMAT).then_some(journal)
    }

    /// Writes it.
    pub fn write(&self, partial: &Utf8Path) -> Result<()> {
        let text = serde_json::to_string(self).map_err(Error::cannot_write_json)?;
        disk::write_atomic(&journal_of(partial), text.as_bytes())
    }

    /// How many bytes of the partial file count, of so many that are there. In the same start of the machine what was written
    /// is there; after another one only what was made durable.
    pub fn counts(&self, on_disk: u64, boot: Option<&str>) -> u64 {
        let is_same_boot = boot.is_some() && self.boot.as_deref() == boot;
        if is_same_boot { on_disk } else { on_disk.min(self.durable) }
    }

    /// What the server calls the version.
    pub fn validators(&self) -> Validators {
        Validators { etag: self.etag.clone(), last_modified: self.last_modified.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Journal {
        Journal {
            format: JOURNAL_FORMAT,
            url: "https://host/file.msu".to_owned(),
            etag: Some("\"a\"".to_owned()),
            last_modified: None,
            size: Some(100),
            durable: 40,
            boot: Some("this".to_owned()),
        }
    }

    #[test]
    fn after_a_power_cut_only_what_was_durable_counts() {
        assert_eq!(journal().counts(60, Some("this")), 60);
        assert_eq!(journal().counts(60, Some("another")), 40);
        assert_eq!(journal().counts(60, None), 40, "nobody knows");
        assert_eq!(journal().counts(30, Some("another")), 30);
        assert_eq!(Journal { boot: None, ..journal() }.counts(60, None), 40);
    }

    #[test]
    fn what_was_written_is_read_and_anything_else_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let partial = Utf8PathBuf::try_from(folder.path().join("0123")).unwrap();
        assert_eq!(Journal::read(&partial), None);
        journal().write(&partial).unwrap();
        assert_eq!(Journal::read(&partial), Some(journal()));
        for text in ["", "{}", "[]", "null", "{\"format\":2,\"url\":\"x\",\"durable\":0}"] {
            disk::write_atomic(&journal_of(&partial), text.as_bytes()).unwrap();
            assert_eq!(Journal::read(&partial), None, "{text}");
        }
    }
}
