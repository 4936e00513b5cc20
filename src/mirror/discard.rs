//! Removal of a folder that was replaced. Only files that the program wrote are deleted.
//!
//! - In a set folder, the program's files have names that the index lists for the folder's sets, and the pool has
//!   their bytes. A file under another name is deleted only if its bytes are in the pool, or under the same name
//!   in the new folder.
//! - Beside the set folders, the program's files are the views. A view that was changed from outside was kept as
//!   evidence before.
//! - Other files beside the set folders move into the new folder. Other files in a set folder move to
//!   `quarantine/`, as in `repair`.
//! - Nothing is deleted before all of these files have been moved. An interrupted run leaves the rest to the next
//!   one.
//!
//! A file whose name is not Unicode cannot be moved on its own: the complete folder moves to `quarantine/`.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::evidence::{EvidenceEntry, EvidenceReason};
use super::pool::sha256_of;
use super::{Access, Mirror, WriteAccess};
use crate::disk::{self, Entry};
use crate::error::Result;
use crate::facts::SetFolder;
use crate::update::{Kb, Sha256};

/// The program's files in the set folders of a KB.
struct RecordedFiles {
    /// Digest and size by folder and name, from the index. A KB that was issued again has several per name.
    files: BTreeMap<(String, String), Vec<(Sha256, u64)>>,
}

impl RecordedFiles {
    /// Returns the digests and sizes that a file of this name may have in a folder.
    fn in_folder(&self, folder: &str, name: &str) -> &[(Sha256, u64)] {
        self.files.get(&(folder.to_owned(), name.to_owned())).map(Vec::as_slice).unwrap_or_default()
    }

    fn has_folder(&self, folder: &str) -> bool {
        self.files.keys().any(|(own, _)| own == folder)
    }
}

impl<S: Access> Mirror<S> {
    /// Collects the file names that the index has for a KB. `others` are earlier folders of its sets that the
    /// index no longer has.
    fn known_files(&self, kb: Kb, others: &[SetFolder]) -> Result<RecordedFiles> {
        let mut files: BTreeMap<(String, String), Vec<(Sha256, u64)>> = BTreeMap::new();
        let published = self.index.published_folders(Some(kb))?;
        for set in self.index.sets(Some(kb))? {
            let names = self.folder_of(&set).map(|folder| folder.names).unwrap_or_default();
            let earlier =
                published.iter().filter(|(_, _, id, _)| *id == set.id).map(|(_, folder, ..)| folder);
            for folder in earlier.chain(others).chain([&set.folder]) {
                for (member, name) in set.members.iter().zip(&names) {
                    let (Some(sha256), Some(size)) = (member.file.sha256, member.file.size) else { continue };
                    files.entry((folder.to_string(), name.to_string())).or_default().push((sha256, size));
                }
            }
        }
        Ok(RecordedFiles { files })
    }
}

impl Mirror<WriteAccess> {
    /// Removes the old folder of a KB after an exchange. Files that the program did not write are moved first.
    pub(super) fn discard_kb_folder(&mut self, kb: Kb, old: &Utf8Path, others: &[SetFolder]) -> Result<()> {
        let portable = self.layout.portable(&self.layout.kb(kb));
        let is_complete = self.move_unknown_entries(kb, old, others)?;
        self.remove_discarded(old, &portable, is_complete)
    }

    /// Removes a set folder that was renamed away. Files that the program did not write are moved first.
    pub(super) fn discard_set_folder(&mut self, kb: Kb, folder: &SetFolder, old: &Utf8Path) -> Result<()> {
        let mut known = self.known_files(kb, &[])?;
        if !known.has_folder(folder.as_str()) {
            known = self.known_files(kb, std::slice::from_ref(folder))?;
        }
        let place = self.layout.set(kb, folder);
        let is_complete = self.quarantine_unknown_in(old, &place, &known, folder.as_str())?;
        let portable = self.layout.portable(&place);
        self.remove_discarded(old, &portable, is_complete)
    }

    fn remove_discarded(&mut self, old: &Utf8Path, path: &Utf8Path, is_complete: bool) -> Result<()> {
        if is_complete { disk::remove_dir_all(old) } else { self.quarantine_unknown(old, path) }
    }

    /// Moves unknown files out of a replaced folder of a KB. Returns `false` if an entry has a name that is not
    /// Unicode.
    pub(super) fn move_unknown_entries(
        &mut self,
        kb: Kb,
        old: &Utf8Path,
        others: &[SetFolder],
    ) -> Result<bool> {
        let place = self.layout.kb(kb);
        let known = self.known_files(kb, others)?;
        let takes_more = disk::entry(&place)? == Entry::Folder;
        let mut is_complete = true;
        for name in disk::list(old)? {
            let (from, to) = (old.join(&name), place.join(&name));
            let entry = disk::entry(&from)?;
            if entry == Entry::Folder && self.is_set_folder(&known, &from, &name)? {
                is_complete &= self.quarantine_unknown_in(&from, &to, &known, &name)?;
                continue;
            }
            let portable = self.layout.portable(&to);
            if entry == Entry::Missing {
                is_complete = false;
            } else if self.is_view(&portable)
                || name.starts_with(disk::TEMPORARY_PREFIX)
                || is_same(&from, &to)?
            {
                // Already kept as evidence if the view was changed from outside.
            } else if takes_more && disk::entry(&to)? == Entry::Missing {
                disk::rename(&from, &to)?;
            } else {
                self.quarantine_unknown(&from, &portable)?;
            }
        }
        Ok(is_complete)
    }

    /// Returns `true` if a folder is a set folder. Either the index has it, or each file is a hard link to a pool
    /// file under a name of this KB's sets.
    fn is_set_folder(&self, known: &RecordedFiles, path: &Utf8Path, name: &str) -> Result<bool> {
        if known.has_folder(name) {
            return Ok(true);
        }
        let names = disk::list(path)?;
        for name in &names {
            let bytes = known.files.iter().filter(|((_, own), _)| own == name).flat_map(|(_, bytes)| bytes);
            let mut is_link = false;
            for (sha256, _) in bytes {
                let number = disk::file_number(&self.layout.pool_file(sha256))?;
                is_link |= number.is_some() && number == disk::file_number(&path.join(name))?;
            }
            if !is_link {
                return Ok(false);
            }
        }
        Ok(!names.is_empty())
    }

    /// Moves unknown files from a set folder, or from a subfolder of it, to `quarantine/`. Returns `false` if an
    /// entry has a name that is not Unicode.
    fn quarantine_unknown_in(
        &mut self,
        old: &Utf8Path,
        place: &Utf8Path,
        known: &RecordedFiles,
        folder: &str,
    ) -> Result<bool> {
        let mut is_complete = true;
        for name in disk::list(old)? {
            let (from, to) = (old.join(&name), place.join(&name));
            match disk::entry(&from)? {
                Entry::Missing => is_complete = false,
                Entry::Folder if disk::entry(&to)? == Entry::Folder => {
                    // No set uses subfolders, so every file here is unknown.
                    is_complete &= self.quarantine_unknown_in(&from, &to, known, "")?;
                }
                Entry::File(_) if self.is_known(&from, known.in_folder(folder, &name))? => {}
                _ if is_same(&from, &to)? => {}
                _ => self.quarantine_unknown(&from, &self.layout.portable(&to))?,
            }
        }
        Ok(is_complete)
    }

    /// Returns `true` if the file belongs to a set whose bytes the pool has, or if the pool has its bytes under
    /// any name.
    fn is_known(&self, path: &Utf8Path, bytes: &[(Sha256, u64)]) -> Result<bool> {
        for (sha256, size) in bytes {
            if self.has_in_pool(sha256, *size)? {
                return Ok(true);
            }
        }
        // A file that cannot be read counts as unknown.
        let Ok(found) = sha256_of(path) else { return Ok(false) };
        Ok(disk::file_size(path)?.map_or(Ok(false), |size| self.has_in_pool(&found, size))?
            && sha256_of(&self.layout.pool_file(&found)).is_ok_and(|pooled| pooled == found))
    }

    /// Moves an unknown entry to `quarantine/`, under the name of its earlier path.
    fn quarantine_unknown(&mut self, from: &Utf8Path, path: &Utf8Path) -> Result<()> {
        let kept = self.move_evidence_of(from, path)?;
        self.state.evidence.push(EvidenceEntry {
            path: path.to_owned(),
            kept,
            reason: EvidenceReason::Foreign,
        });
        Ok(())
    }
}

/// Returns `true` if two paths are regular files with the same bytes.
fn is_same(a: &Utf8Path, b: &Utf8Path) -> Result<bool> {
    let (Entry::File(size), Entry::File(other)) = (disk::entry(a)?, disk::entry(b)?) else {
        return Ok(false);
    };
    let number = disk::file_number(a)?;
    if number.is_some() && number == disk::file_number(b)? {
        return Ok(true);
    }
    Ok(size == other && sha256_of(a).ok().is_some_and(|digest| sha256_of(b).is_ok_and(|same| same == digest)))
}
