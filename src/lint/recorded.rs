//! A published set as a value: the files that a mirror recorded for a set folder.
//!
//! The record names the target and the expected files. It never identifies a file that has other content: each
//! file is compared with the recorded length and digests.

use super::folder::FolderEntry;
use crate::facts::{FileFacts, Role, SetFolder};
use crate::resolve::Member;
use crate::update::{Architecture, Kb, Sha1};

/// A file of a published set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFile {
    /// The name in the set folder. It follows the name policy and may differ from the Catalog's.
    pub name: String,
    /// The role in the set.
    pub role: Role,
    /// The recorded facts.
    pub file: FileFacts,
}

/// A package set as a mirror published it, or is about to publish it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedSet {
    /// The KB.
    pub kb: Kb,
    /// The set folder.
    pub folder: SetFolder,
    /// The architecture; `None` if the set has files for several, or none is stated.
    pub architecture: Option<Architecture>,
    /// `true` for a copy that only Windows Setup takes.
    pub is_dynamic: bool,
    /// The files, in order of installation.
    pub files: Vec<RecordedFile>,
}

impl RecordedSet {
    /// Returns the place of the recorded file that an entry of the folder stands for: by its name in the folder,
    /// else by the SHA-1 in its name, else by its content.
    pub(super) fn position(&self, entry: &FolderEntry, named: Option<Sha1>) -> Option<usize> {
        let place = |is_it: &dyn Fn(&RecordedFile) -> bool| self.files.iter().position(is_it);
        place(&|file| file.name.eq_ignore_ascii_case(&entry.name))
            .or_else(|| place(&|file| named.is_some() && file.file.sha1 == named))
            .or_else(|| {
                let content = entry.content?;
                place(&|file| {
                    file.file.sha256 == Some(content.sha256)
                        || (file.file.sha256.is_none() && file.file.sha1 == Some(content.sha1))
                })
            })
    }

    /// Returns the files as members of a set.
    pub(super) fn members(&self) -> Vec<Member> {
        self.files.iter().map(|recorded| Member::new(recorded.file.clone(), recorded.role)).collect()
    }
}
