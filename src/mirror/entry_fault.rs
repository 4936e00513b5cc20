//! The fault of an entry on the disk where a file of the mirror belongs. Pure: nothing is read.

use crate::disk::Entry;
use crate::documents::FindingKind;
use crate::error::Result;

/// Returns what is wrong with an entry where a regular file of this size belongs; `None` where nothing is.
pub(super) fn fault_of_entry(entry: Result<Entry>, size: u64) -> Option<(FindingKind, String)> {
    Some(match entry {
        Ok(Entry::File(found)) if found == size => return None,
        Ok(Entry::File(found)) => (FindingKind::Size, format!("it has {found} bytes and should have {size}")),
        Ok(Entry::Nothing) => (FindingKind::Missing, "it is missing".to_owned()),
        Ok(Entry::Folder | Entry::Other) => (FindingKind::Foreign, "it is not a regular file".to_owned()),
        Err(error) => (FindingKind::Unreadable, error.full_message()),
    })
}
