//! The parts of an export plan: package sets with their changes, and files with their sources.

use std::collections::{BTreeMap, BTreeSet};

use crate::documents::{ChangedSetDocument, PlannedSetDocument, SetChange};
use crate::facts::SetFolder;
use crate::update::{Kb, Sha256};
use camino::Utf8PathBuf;

/// A package set that an export changes, keeps, or removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedSet {
    /// The KB of the set.
    pub kb: Kb,
    /// The folder of the set.
    pub folder: SetFolder,
    /// The number of its files on the medium.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes of the generation that it replaces.
    pub replaced_bytes: u64,
    /// `true` if the mirror has the set; otherwise it comes from the medium itself.
    pub in_mirror: bool,
}

/// A package set of an export.
#[derive(Debug, Clone)]
pub struct PlannedPackageSet {
    /// The KB of the set.
    pub kb: Kb,
    /// The folder of the set.
    pub folder: SetFolder,
    /// The products of its titles.
    pub products: String,
    /// The KBs that require this set. Empty if the set was selected itself.
    pub needed_by: BTreeSet<Kb>,
    /// The number of its files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The change of the set on the medium.
    pub change: SetChange,
    /// The bytes of the generation that it replaces.
    pub replaced_bytes: u64,
    /// `true` if the mirror has the set; otherwise it comes from the medium itself.
    pub in_mirror: bool,
    /// `true` if the set was selected, or a selected set requires it; otherwise it stays because the medium has it.
    pub is_selected: bool,
    /// The reasons for its files, by file name.
    pub reasons: BTreeMap<String, String>,
    /// The packages of other KBs that must be installed before: KB, folder, and reason.
    pub before: Vec<(Kb, String, String)>,
}

/// The source of the bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayloadSource {
    /// The pool's copy.
    Pool(Utf8PathBuf),
    /// The medium itself. The mirror cannot supply the file, so it is read again before it is signed again.
    Medium,
}

/// A file of the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadFile {
    /// The source.
    pub from: PayloadSource,
    /// The digest.
    pub sha256: Sha256,
    /// The size in bytes.
    pub size: u64,
}

impl ChangedSet {
    /// Returns the document of the set.
    pub(super) fn document(&self) -> ChangedSetDocument<'_> {
        ChangedSetDocument {
            kb: self.kb,
            folder: self.folder.as_str(),
            folder_name: self.folder.as_str(),
            files: self.files,
            file_count: self.files,
            bytes: self.bytes,
            replaced_bytes: self.replaced_bytes,
            in_mirror: self.in_mirror,
        }
    }
}

impl PlannedPackageSet {
    /// Returns the document of the set.
    pub(super) fn document(&self) -> PlannedSetDocument<'_> {
        PlannedSetDocument {
            kb: self.kb,
            folder: self.folder.as_str(),
            folder_name: self.folder.as_str(),
            products: &self.products,
            product_list: self.products.split("; ").collect(),
            needed_by: &self.needed_by,
            files: self.files,
            file_count: self.files,
            bytes: self.bytes,
            change: self.change,
            replaced_bytes: self.replaced_bytes,
            in_mirror: self.in_mirror,
            is_selected: self.is_selected,
        }
    }

    /// Returns the set as the plan lists it under its change.
    pub(super) fn changed(&self) -> ChangedSet {
        ChangedSet {
            kb: self.kb,
            folder: self.folder.clone(),
            files: self.files,
            bytes: self.bytes,
            replaced_bytes: self.replaced_bytes,
            in_mirror: self.in_mirror,
        }
    }
}
