//! A finding with the facts that the index needs to record it.

use crate::documents::VerifyFinding;
use crate::facts::SetFolder;
use crate::mirror::Layout;
use crate::mirror::index::{Damage, NewDamage};
use crate::update::{Kb, Sha256};

/// The owner of a faulty path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathOwner {
    /// A path in the pool, with the digest that belongs there, or `None` for an unexpected entry.
    Pool(Option<Sha256>),
    /// A path in a set folder, with the digest that belongs there, or `None` for the folder itself or an
    /// unexpected entry in it.
    Folder(Kb, SetFolder, Option<Sha256>),
    /// A path in the folder of a KB, beside the set folders.
    Beside(Kb),
    /// The index, which cannot record its own damage.
    Index,
}

/// A finding and the owner of its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathFault {
    pub(super) finding: VerifyFinding,
    pub(super) place: PathOwner,
}

impl PathFault {
    /// Returns the finding as the index records it, or `None` for a fault of the index itself.
    pub(super) fn damage(&self, layout: &Layout) -> Option<NewDamage> {
        let (kb, folder, sha256) = match &self.place {
            PathOwner::Pool(sha256) => (None, None, *sha256),
            PathOwner::Folder(kb, folder, sha256) => (Some(*kb), Some(folder.clone()), *sha256),
            PathOwner::Beside(kb) => (Some(*kb), None, None),
            PathOwner::Index => return None,
        };
        Some(NewDamage {
            path: layout.portable(&self.finding.path),
            kb,
            folder,
            sha256,
            kind: self.finding.kind,
            message: self.finding.message.clone(),
        })
    }
}

/// Returns the recorded damage that a verification checks again: all of it, or only that of some KBs and their
/// pool files.
pub(super) fn damage_in_scope(mut recorded: Vec<Damage>, kbs: &[Kb], pool: &[Sha256]) -> Vec<Damage> {
    recorded.retain(|damage| match damage.kb {
        _ if kbs.is_empty() => true,
        Some(kb) => kbs.contains(&kb),
        None => damage.sha256.is_some_and(|sha256| pool.contains(&sha256)),
    });
    recorded
}
