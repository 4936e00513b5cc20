//! The outcome of an export.

use camino::Utf8PathBuf;

use super::plan::ExportPlan;
use crate::carrier::trust::PublicKey;
use crate::documents::{ExportDocument, ExportedDocument, SharedFileSystem};
use crate::update::{Sha256, count, human_size};

/// The outcome of an export.
#[derive(Debug)]
pub struct ExportSummary {
    /// The folder of the medium.
    pub folder: Utf8PathBuf,
    /// The sequence number of the set in its lineage.
    pub seq: u64,
    /// The number of the set, for people.
    pub number: u64,
    /// The digest of `set.json`, which identifies the set.
    pub set_id: Sha256,
    /// The number of package files that were written.
    pub written: u64,
    /// Their bytes.
    pub written_bytes: u64,
    /// The number of install scripts of the set.
    pub scripts: u64,
    /// The number of install scripts that were written.
    pub written_scripts: u64,
    /// The number of package files that existed already and were verified.
    pub kept: u64,
    /// The number of files of an earlier set that were removed.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
    /// The number of payload files that were read back.
    pub read_back: u64,
    /// Their bytes.
    pub read_back_bytes: u64,
    /// `true` if the read-back is proven to come from the medium itself and not from a cache. This program cannot
    /// prove that, so the value is always `false`. The proof is a check after the medium was plugged in again.
    pub read_back_cold: bool,
    /// `true` if the system accepted the advice to drop the cached bytes of every file before the read-back. Lower
    /// caches may remain.
    pub cache_dropped: bool,
    /// The file system that the folder shares with the system or the mirror, if the folder is not a separate
    /// medium.
    pub local: Option<SharedFileSystem>,
    /// The key that signed.
    pub key: PublicKey,
    /// `true` if the set holds everything that was selected.
    pub complete: bool,
}

impl ExportSummary {
    /// Returns the document of the export.
    pub fn document<'a>(&'a self, plan: &'a ExportPlan) -> ExportDocument<'a> {
        ExportDocument {
            plan: plan.document(),
            exported: ExportedDocument {
                folder: &self.folder,
                path: &self.folder,
                seq: self.seq,
                number: self.number,
                set_id: self.set_id,
                written: self.written,
                written_bytes: self.written_bytes,
                scripts: self.scripts,
                written_scripts: self.written_scripts,
                kept: self.kept,
                removed: self.removed,
                removed_bytes: self.removed_bytes,
                read_back: self.read_back,
                read_back_bytes: self.read_back_bytes,
                read_back_cold: self.read_back_cold,
                cache_dropped: self.cache_dropped,
                local: self.local,
                key: self.key.to_string(),
                complete: self.complete,
            },
            evidence: self.evidence(),
            claim: self.claim(),
        }
    }

    /// Returns one line that states what was done and checked.
    pub fn evidence(&self) -> String {
        let kept = match self.kept {
            0 => String::new(),
            kept => format!(", kept {}", count(kept, "verified file")),
        };
        format!(
            "wrote {} and {}, {}{kept}, read back {}, set {:04}, key {}",
            count(self.written, "file"),
            count(self.written_scripts, "script"),
            human_size(self.written_bytes),
            self.read_back,
            self.number,
            self.key.short()
        )
    }

    /// Returns one line with the state of the medium: what is proven, and what is not proven.
    pub fn claim(&self) -> String {
        let completeness = if self.complete { "complete" } else { "incomplete" };
        format!(
            "{}: {completeness}, synced; content not proven until the medium is re-plugged and checked",
            self.folder
        )
    }
}
