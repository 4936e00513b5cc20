//! The outcome of an import.

use camino::Utf8PathBuf;

use super::examine::ExaminedMedium;
use crate::carrier::trust::PublicKey;
use crate::documents::{AbsentFile, HealedFile, ImportDocument, ImportedDocument};
use crate::update::{Kb, Sha256, count, human_size};

/// The outcome of an import.
#[derive(Debug)]
pub struct ImportSummary {
    /// The sequence number of the set in its lineage.
    pub seq: u64,
    /// The number of the set, for people.
    pub number: u64,
    /// The digest of `set.json`, which identifies the set.
    pub set_id: Sha256,
    /// `true` if the mirror already had exactly this set.
    pub already_applied: bool,
    /// `true` if a later set of the lineage was imported before. Only missing files were added.
    pub older: bool,
    /// The number of payload files that were read and verified.
    pub checked: u64,
    /// Their bytes.
    pub checked_bytes: u64,
    /// The number of files that are new in the pool.
    pub added: u64,
    /// Their bytes.
    pub added_bytes: u64,
    /// The number of payload files that the pool already had, by size and without recorded damage. They were not
    /// read again in the pool.
    pub present: u64,
    /// Their bytes.
    pub present_bytes: u64,
    /// Damaged or missing pool files that were replaced from the medium.
    pub healed: Vec<HealedFile>,
    /// Other set folders that were rebuilt, because they shared the damaged files.
    pub healed_folders: Vec<String>,
    /// Files beside the set folders that were damaged, missing, foreign, or outdated, and were rewritten.
    pub rewritten: Vec<Utf8PathBuf>,
    /// Set folders that are new or have new content.
    pub published: Vec<String>,
    /// The number of set folders that existed already, by names and sizes. They were not read again.
    pub unchanged: usize,
    /// KBs that were not imported, because files of them are missing.
    pub left: Vec<Kb>,
    /// Set folders of the medium that were skipped, because they were removed from this mirror on purpose.
    pub skipped: Vec<String>,
    /// The missing files.
    pub missing: Vec<AbsentFile>,
    /// The names of unknown entries on the medium. They were not read.
    pub litter: Vec<String>,
    /// `true` if the medium's tables replaced the mirror's: they are newer, or have the same version with other
    /// rows.
    pub knowledge_adopted: bool,
    /// The reason why the medium's tables were ignored, if they cannot be used.
    pub knowledge_left: Option<String>,
    /// The root key of the signature.
    pub key: PublicKey,
}

impl ImportSummary {
    /// Returns the outcome of an import that has just begun. `mended` lists the views that the mirror rewrote when
    /// it was opened.
    pub(super) fn new(examined: &ExaminedMedium, older: bool, mended: &[Utf8PathBuf]) -> Self {
        Self {
            seq: examined.signed.set.seq,
            number: examined.signed.set.number(),
            set_id: examined.signed.set_id,
            already_applied: false,
            older,
            checked: 0,
            checked_bytes: 0,
            added: 0,
            added_bytes: 0,
            present: 0,
            present_bytes: 0,
            healed: Vec::new(),
            healed_folders: Vec::new(),
            rewritten: mended.to_vec(),
            published: Vec::new(),
            unchanged: 0,
            left: Vec::new(),
            skipped: Vec::new(),
            missing: examined.missing.clone(),
            litter: examined.litter.clone(),
            knowledge_adopted: false,
            knowledge_left: None,
            key: examined.signed.root_key.clone(),
        }
    }

    /// Returns the document of the import.
    pub fn document(&self) -> ImportDocument<'_> {
        ImportDocument {
            imported: ImportedDocument {
                seq: self.seq,
                number: self.number,
                set_id: self.set_id,
                already_applied: self.already_applied,
                older: self.older,
                checked: self.checked,
                checked_bytes: self.checked_bytes,
                added: self.added,
                added_bytes: self.added_bytes,
                present: self.present,
                present_bytes: self.present_bytes,
                healed: &self.healed,
                healed_folders: &self.healed_folders,
                rewritten: &self.rewritten,
                published: &self.published,
                unchanged: self.unchanged,
                left: &self.left,
                skipped: &self.skipped,
                missing: &self.missing,
                litter: &self.litter,
                knowledge_adopted: self.knowledge_adopted,
                knowledge_left: self.knowledge_left.as_deref(),
                key: self.key.to_string(),
            },
            evidence: self.evidence(),
        }
    }

    /// Returns one line that states what was done and checked.
    pub fn evidence(&self) -> String {
        if self.already_applied {
            let mended = match self.healed_folders.len() + self.rewritten.len() {
                0 => String::new(),
                number => format!("; rebuilt {}", count(number, "item")),
            };
            return format!(
                "set {:04} is imported already: signatures, manifest, and listing verified, payload not read again{mended}; key {}",
                self.number,
                self.key.short()
            );
        }
        let files = |number: u64| count(number, "file");
        let mut parts = vec![
            format!("verified {} on the medium, {}", files(self.checked), human_size(self.checked_bytes)),
            format!("added {}, {}", files(self.added), human_size(self.added_bytes)),
        ];
        if !self.healed.is_empty() {
            let healed = count(self.healed.len(), "damaged or missing file");
            parts.push(format!("replaced {healed}"));
        }
        if self.present > 0 {
            parts.push(format!(
                "{} already present, {} (not re-read)",
                files(self.present),
                human_size(self.present_bytes)
            ));
        }
        format!("{}; set {:04}, key {}", parts.join("; "), self.number, self.key.short())
    }
}
