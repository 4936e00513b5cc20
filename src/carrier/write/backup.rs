//! The backup of the earlier set's description, which an export keeps on the medium until its own description is
//! signed.

use super::target::MediumTarget;
use crate::carrier::medium::{
    KEYS, KEYS_SIGNATURE, LISTING, MANIFEST, MANIFEST_SIGNATURE, SET, SET_SIGNATURE, UNFINISHED_FOLDER, caps,
};
use crate::error::Result;

/// The files that describe a set, in the order in which they are backed up. The signature is last: the backup is
/// complete once it exists.
const DESCRIPTION: [(&str, u64); 7] = [
    (KEYS, caps::SMALL),
    (KEYS_SIGNATURE, caps::SMALL),
    (MANIFEST, caps::MANIFEST),
    (MANIFEST_SIGNATURE, caps::SMALL),
    (LISTING, caps::LISTING),
    (SET, caps::SMALL),
    (SET_SIGNATURE, caps::SMALL),
];

/// Backs up the description on the medium.
pub(super) fn back_up_description(target: &MediumTarget) -> Result<()> {
    remove_backup(target)?;
    for (name, cap) in DESCRIPTION {
        let bytes = target.read_small(name, cap)?;
        target.write(&format!("{UNFINISHED_FOLDER}/{name}"), &bytes)?;
    }
    Ok(())
}

/// Removes the backup, the signature first.
pub(super) fn remove_backup(target: &MediumTarget) -> Result<()> {
    let mut copies = DESCRIPTION.iter().rev();
    copies.try_for_each(|(name, _)| target.remove(&format!("{UNFINISHED_FOLDER}/{name}")))
}
