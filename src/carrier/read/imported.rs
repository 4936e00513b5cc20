//! The outcome of an import.

use camino::Utf8PathBuf;

use super::examine::Examined;
use crate::carrier::trust::PublicKey;
use crate::documents::{Healed, ImportDocument, ImportedDocument, Leftover};
use crate::update::{Kb, Sha256, count, human_size};

/// The work of an import.
#[derive(Debug)]
pub struct Imported {
    /// The place of the set in its lineage.
    pub seq: u64,
    /// The number of the set for people.
    pub number: u64,
    /// The digest of `set.json`, which names the set.
    pub set_id: Sha256,
    /// The mirror had just this set already.
    pub already_applied: bool,
    /// A later set of the lineage was imported before: only missing things were added.
    pub older: bool,
    /// Files of the payload that were read and right.
    pub checked: u64,
    /// Their bytes.
    pub checked_bytes: u64,
    /// Files that are new in the pool.
    pub added: u64,
    /// Their bytes.
    pub added_bytes: u64,
    /// Files of the payload that the pool had already, by their size and without recorded damage. They were not read again there.
    pub present: u64,
    /// Their bytes.
    pub present_bytes: u64,
    /// Damaged or missing files of the pool that the medium's bytes replaced.
    pub healed: Vec<Healed>,
    /// Set folders beside the medium's that were made again, because they had the damaged files too.
    pub healed_folders: Vec<String>,
    /// Files beside the set folders that were damaged, missing, foreign, or outdated, and were put right.
    pub rewritten: Vec<Utf8PathBuf>,
    /// Set folders that are new or have new content.
    pub published: Vec<String>,
    /// Set folders that were there, by names and sizes. They were not read again.
    pub unchanged: usize,
    /// KBs that were left because files of theirs are missing.
    pub left: Vec<Kb>,
    /// Set folders of the medium that were left out, because they were removed here on purpose.
    pub skipped: Vec<String>,
    /// The missing files.
    pub missing: Vec<Leftover>,
    /// The names on the medium beside the set; these were not read.
    pub litter: Vec<String>,
    /// `true` if the medium's tables took the place of the mirror's: they are newer, or of the same version with other rows.
    pub knowledge_adopted: bool,
    /// The reason for which the medium's tables were left, if they cannot be used.
    pub knowledge_left: Option<String>,
    /// The root key under which it was signed.
    pub key: PublicKey,
}

impl Imported {
    /// Returns the work of an import that begins, after the mirror mended some of its views.
    pub(super) fn begun(examined: &Examined, older: bool, mended: &[Utf8PathBuf]) -> Self {
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

    /// Returns the work and the checks in one line.
    pub fn evidence(&self) -> String {
        if self.already_applied {
            let mended = match self.healed_folders.len() + self.rewritten.len() {
                0 => String::new(),
                number => format!("; {} made again", count(number, "item")),
            };
            return format!(
                "set {:04} is applied already: signatures, manifest, and listing verified, payload not read again{mended}; key {}",
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
            parts.push(format!("of them {} that were damaged or missing here", self.healed.len()));
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
