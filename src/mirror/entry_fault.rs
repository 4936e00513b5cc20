//! The fault of a disk entry at the path of a mirror file. Pure: nothing is read.

use crate::disk::Entry;
use crate::documents::FindingKind;
use crate::error::Result;

/// Compares a disk entry with a regular file of this size. Returns the fault, or `None` if the entry is right.
pub(super) fn entry_fault(entry: Result<Entry>, size: u64) -> Option<(FindingKind, String)> {
    Some(match entry {
        Ok(Entry::File(found)) if found == size => return None,
        Ok(Entry::File(found)) => (FindingKind::Size, format!("has {found} bytes instead of {size}")),
        Ok(Entry::Missing) => (FindingKind::Missing, "missing".to_owned()),
        Ok(Entry::Folder | Entry::Other) => (FindingKind::Foreign, "not a regular file".to_owned()),
        Err(error) => (FindingKind::Unreadable, error.full_message()),
    })
}
