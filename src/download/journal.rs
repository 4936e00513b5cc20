//! The journal of a partial file: the facts with which the next run resumes the transfer.
//!
//! The journal is `<digest>.json` under `partial/`. It proves nothing: the bytes on the disk are hashed again before
//! anything is appended to them. A journal that is unreadable or of a newer format is ignored, and the transfer starts
//! again from the beginning.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::machine::Validators;
use crate::disk;
use crate::error::{Error, Result};

/// The format that this program writes.
pub const JOURNAL_FORMAT: u32 = 1;

/// The size limit of a journal, which is one small object. A larger file is ignored.
const CAP: u64 = 64 * 1024;

/// A partial file, as an earlier run left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The format, [`JOURNAL_FORMAT`].
    pub format: u32,
    /// The URL from which the bytes came.
    pub url: String,
    /// The strong entity tag of the version, if the server sent one.
    pub etag: Option<String>,
    /// The time of the last change, according to the server.
    pub last_modified: Option<String>,
    /// The length of the complete file, if the server stated it.
    pub size: Option<u64>,
    /// The number of bytes that survive a power failure.
    pub durable: u64,
    /// The boot identifier of the machine at the time of writing.
    pub boot: Option<String>,
}

/// Returns the path of the journal of a partial file.
pub fn journal_path(partial: &Utf8Path) -> Utf8PathBuf {
    partial.with_extension("json")
}

impl Journal {
    /// Returns the journal of a partial file, or `None` if it is missing or invalid.
    pub fn read(partial: &Utf8Path) -> Option<Self> {
        let bytes = disk::read(&journal_path(partial), CAP).ok()?;
        let journal: Self = serde_json::from_slice(&bytes).ok()?;
        (journal.format == JOURNAL_FORMAT).then_some(journal)
    }

    /// Writes the journal of a partial file atomically.
    pub fn write(&self, partial: &Utf8Path) -> Result<()> {
        let text = serde_json::to_string(self).map_err(Error::cannot_write_json)?;
        disk::write_atomic(&journal_path(partial), text.as_bytes())
    }

    /// Returns the number of usable bytes of a partial file with `on_disk` bytes. During the same boot all written
    /// bytes are present; after another boot only the durable ones are.
    pub fn usable_bytes(&self, on_disk: u64, boot: Option<&str>) -> u64 {
        let is_same_boot = boot.is_some() && self.boot.as_deref() == boot;
        if is_same_boot { on_disk } else { on_disk.min(self.durable) }
    }

    /// Returns the validators of the version.
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
    fn only_durable_bytes_count_after_another_boot() {
        assert_eq!(journal().usable_bytes(60, Some("this")), 60);
        assert_eq!(journal().usable_bytes(60, Some("another")), 40);
        assert_eq!(journal().usable_bytes(60, None), 40, "an unknown boot");
        assert_eq!(journal().usable_bytes(30, Some("another")), 30);
        assert_eq!(Journal { boot: None, ..journal() }.usable_bytes(60, None), 40);
    }

    #[test]
    fn a_journal_is_read_back_and_invalid_ones_are_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let partial = Utf8PathBuf::try_from(folder.path().join("0123")).unwrap();
        assert_eq!(Journal::read(&partial), None);
        journal().write(&partial).unwrap();
        assert_eq!(Journal::read(&partial), Some(journal()));
        for text in ["", "{}", "[]", "null", "{\"format\":2,\"url\":\"x\",\"durable\":0}"] {
            disk::write_atomic(&journal_path(&partial), text.as_bytes()).unwrap();
            assert_eq!(Journal::read(&partial), None, "{text}");
        }
    }
}
