//! Removals from a medium: obsolete files after the new set is signed (or earlier if their space is needed), and
//! the rest of an interrupted export.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::found::is_unfinished;
use super::target::MediumTarget;
use crate::carrier::medium::{DATA, KNOWLEDGE, TOOLS, UNFINISHED_FOLDER};
use crate::disk::Entry;
use crate::error::Result;

/// The totals of removed files.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RemovalTotals {
    /// The number of files.
    pub(super) files: u64,
    /// The bytes of the files.
    pub(super) bytes: u64,
}

impl RemovalTotals {
    /// Removes files of an earlier set under `data/`.
    pub(super) fn remove_obsolete(
        &mut self,
        target: &MediumTarget,
        obsolete: &BTreeMap<String, u64>,
    ) -> Result<()> {
        for (path, size) in obsolete {
            // A file that this run has replaced, such as a replacement under its unfinished name, is already gone.
            if target.entry(path)? != Entry::Missing {
                target.remove(path)?;
                self.files += 1;
                self.bytes += size;
            }
        }
        Ok(())
    }

    /// Removes the programs and tables of an earlier set that the new set does not vouch for.
    pub(super) fn remove_earlier_tags<'a>(
        &mut self,
        target: &MediumTarget,
        earlier: impl Iterator<Item = &'a String>,
        tags: &BTreeSet<&str>,
    ) -> Result<()> {
        for path in earlier.filter(|path| !tags.contains(path.as_str())) {
            let folder = Utf8Path::new(path).parent().map_or("", Utf8Path::as_str);
            if [KNOWLEDGE, TOOLS].contains(&folder)
                && let Entry::File(size) = target.entry(path)?
            {
                target.remove(path)?;
                self.files += 1;
                self.bytes += size;
                let _holds_files = target.remove_empty_folder(folder);
            }
        }
        Ok(())
    }
}

/// Removes the unfinished files of an interrupted export outside of `data/`.
pub(super) fn remove_unfinished_files(target: &MediumTarget) -> Result<()> {
    for folder in ["", KNOWLEDGE, TOOLS, UNFINISHED_FOLDER] {
        if target.entry(folder)? != Entry::Folder {
            continue;
        }
        for name in target.list(folder)?.into_iter().filter(|name| is_unfinished(name)) {
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if let Entry::File(_) = target.entry(&path)? {
                target.remove(&path)?;
            }
        }
    }
    Ok(())
}

/// Removes empty folders under `data/`, where only the folders of sets may lie. Makes this and every earlier
/// removal durable. A file that reappeared after a power cut would belong to no set, and the medium would be
/// refused.
pub(super) fn remove_empty_folders(target: &MediumTarget) -> Result<()> {
    let mut open = vec![DATA.to_owned()];
    let mut folders = Vec::new();
    while let Some(folder) = open.pop() {
        for name in target.list(&folder)? {
            let path = format!("{folder}/{name}");
            if target.entry(&path)? == Entry::Folder {
                folders.push(path.clone());
                open.push(path);
            }
        }
    }
    // Deepest folders first. A folder is synced after the last removal in it.
    for folder in folders.iter().rev() {
        if !target.remove_empty_folder(folder) {
            target.sync_folder(folder)?;
        }
    }
    target.sync_folder(DATA)
}
