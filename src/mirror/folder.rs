//! A folder on disk as input of `lint`. Links are not followed, and pipes and devices are not opened.

use camino::Utf8Path;

use crate::disk;
use crate::error::Result;
use crate::lint::{EntryKind, FileHead, FolderEntry, LintFolder};
use crate::update::DualHasher;
use crate::update::container::FIRST_BYTES;

/// Reads the entries of a folder: names, lengths, and the beginning of every package. With `deep`, also their
/// digests.
pub fn read_folder(path: &Utf8Path, deep: bool) -> Result<LintFolder> {
    let mut entries = Vec::new();
    for name in disk::list(path)? {
        let place = path.join(&name);
        let kind = match disk::entry(&place)? {
            disk::Entry::File(_) => EntryKind::File,
            disk::Entry::Folder => EntryKind::Folder,
            // A name that is not Unicode cannot be opened by its displayed form.
            disk::Entry::Other | disk::Entry::Missing => EntryKind::Other,
        };
        let mut entry = FolderEntry { name, kind, head: None, content: None };
        if entry.is_package() {
            let (size, first) = disk::read_start(&place, FIRST_BYTES as u64)?;
            entry.head = Some(FileHead { size, first });
            if deep {
                let mut hasher = DualHasher::new();
                let mut pieces = disk::PieceReader::open_regular(&place)?;
                while pieces.read_next()? {
                    hasher.update(pieces.piece());
                }
                entry.content = Some(hasher.finish());
            }
        }
        entries.push(entry);
    }
    Ok(LintFolder { entries })
}
