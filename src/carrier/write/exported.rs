//! The outcome of an export.

use camino::Utf8PathBuf;

use super::plan::ExportPlan;
use crate::carrier::trust::PublicKey;
use crate::documents::{ExportDocument, ExportedDocument, SharedFileSystem};
use crate::update::{Sha256, count, human_size};

/// The work of an export.
#[derive(Debug)]
pub struct Exported {
    /// The folder of the medium.
    pub folder: Utf8PathBuf,
    /// The place of the set in its lineage.
    pub seq: u64,
    /// The number of the set for people.
    pub number: u64,
    /// The digest of `set.json`, which names the set.
    pub set_id: Sha256,
    /// Package files that were written.
    pub written: u64,
    /// Their bytes.
    pub written_bytes: u64,
    /// Install scripts of the set.
    pub scripts: u64,
    /// Install scripts that were written.
    pub written_scripts: u64,
    /// Package files that were there and right.
    pub kept: u64,
    /// Files of an earlier set that were removed.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
    /// Files of the payload that were read back.
    pub read_back: u64,
    /// Their bytes.
    pub read_back_bytes: u64,
    /// The medium itself is proven to have answered the read-back. No means of this program proves that, so that it is
    /// always false: the proof is a check after the medium was plugged in again.
    pub read_back_cold: bool,
    /// The system took the advice to drop the cached bytes of every file before it was read back. Caches below may remain.
    pub cache_dropped: bool,
    /// The owner of the file system of the folder, if the folder is not a separate medium.
    pub local: Option<SharedFileSystem>,
    /// The key that signed.
    pub key: PublicKey,
    /// Everything that was selected is there.
    pub complete: bool,
}

impl Exported {
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

    /// Returns the work and the checks in one line.
    pub fn evidence(&self) -> String {
        let kept =
            if self.kept == 0 { String::new() } else { format!(", kept {} that were right", self.kept) };
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

    /// Returns the state of the medium in one line, with what is proven and what is not.
    pub fn claim(&self) -> String {
        let whole = if self.complete { "complete" } else { "incomplete" };
        format!(
            "{}: {whole}, synced; content not proven until the medium is re-plugged and checked",
            self.folder
        )
    }
}
