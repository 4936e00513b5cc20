//! Removals from a medium: obsolete files once the new set is signed, or before where their room is needed, and what an
//! unfinished export has beside it.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::copy::on_medium;
use super::medium::{
    DATA, KEYS, KEYS_SIGNATURE, KNOWLEDGE, LISTING, MANIFEST, MANIFEST_SIGNATURE, SET, SET_SIGNATURE, TOOLS,
    UNFINISHED_FOLDER, UNFINISHED_MARK, caps,
};
use super::target::Target;
use crate::disk::{self, Entry};
use crate::error::Result;
use crate::update::Sha256;

/// The files that describe a set, in the order in which they are copied aside.
pub(super) const COPIED: [(&str, u64); 7] = [
    (KEYS, caps::SMALL),
    (KEYS_SIGNATURE, caps::SMALL),
    (MANIFEST, caps::MANIFEST),
    (MANIFEST_SIGNATURE, caps::SMALL),
    (LISTING, caps::LISTING),
    (SET, caps::SMALL),
    (SET_SIGNATURE, caps::SMALL),
];

impl Target<'_> {
    /// Removes everything that only the earlier set had, once the new one is signed, and the marks of an unfinished export.
    pub(super) fn finish(&mut self, tags: &BTreeMap<String, Sha256>) -> Result<()> {
        self.remove_obsolete()?;
        self.remove_empty_folders()?;
        self.remove_earlier_tags(tags)?;
        self.remove_copies()?;
        let mark = self.root.join(UNFINISHED_MARK);
        disk::remove_file(&mark).map_err(|error| on_medium(error, &mark))?;
        let _left = disk::remove_empty_dir(&self.root.join(UNFINISHED_FOLDER));
        disk::sync_dir(self.root).map_err(|error| on_medium(error, self.root))
    }

    pub(super) fn remove_copies(&self) -> Result<()> {
        for (name, _) in COPIED.iter().rev() {
            let path = self.root.join(UNFINISHED_FOLDER).join(name);
            disk::remove_file(&path).map_err(|error| on_medium(error, &path))?;
        }
        Ok(())
    }

    pub(super) fn remove_obsolete(&mut self) -> Result<()> {
        for (path, size) in std::mem::take(&mut self.obsolete) {
            let file = self.root.join(&path);
            // One that this run has written in its place, such as a replacement under its unfinished name, is gone already.
            if disk::entry(&file)? != Entry::Nothing {
                disk::remove_file(&file).map_err(|error| on_medium(error, &file))?;
                self.removed += 1;
                self.removed_bytes += size;
            }
        }
        Ok(())
    }

    /// Removes empty folders under `data/`: nothing but the folders of sets may lie there.
    fn remove_empty_folders(&self) -> Result<()> {
        let mut open = vec![self.root.join(DATA)];
        let mut folders = Vec::new();
        while let Some(folder) = open.pop() {
            for name in disk::list(&folder)? {
                let path = folder.join(name);
                if disk::entry(&path)? == Entry::Folder {
                    folders.push(path.clone());
                    open.push(path);
                }
            }
        }
        // Deepest first.
        for folder in folders.iter().rev() {
            let _holds_files = disk::remove_empty_dir(folder);
        }
        Ok(())
    }

    /// Removes what the earlier set had beside `data/` and this one does not have: nothing vouches for it any more.
    fn remove_earlier_tags(&mut self, tags: &BTreeMap<String, Sha256>) -> Result<()> {
        let Some(earlier) = &self.found.earlier else { return Ok(()) };
        for name in earlier.set.tag_files.keys().filter(|name| !tags.contains_key(*name)) {
            let folder = Utf8Path::new(name).parent().unwrap_or(Utf8Path::new(""));
            let path = self.root.join(name);
            if [KNOWLEDGE, TOOLS].contains(&folder.as_str())
                && let Entry::File(size) = disk::entry(&path)?
            {
                disk::remove_file(&path).map_err(|error| on_medium(error, &path))?;
                self.removed += 1;
                self.removed_bytes += size;
                let _holds_files = disk::remove_empty_dir(&self.root.join(folder));
            }
        }
        Ok(())
    }
}
