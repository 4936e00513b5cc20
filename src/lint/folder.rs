//! A folder as data: the names in it, and the properties that were read of each file.

use crate::update::Digests;

/// The files and sub-folders of a folder.
#[derive(Debug, Clone, Default)]
pub struct LintFolder {
    /// The files and sub-folders, in any order.
    pub entries: Vec<FolderEntry>,
}

impl LintFolder {
    /// Returns a folder of files of which only the names are known.
    pub fn of_names<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let file =
            |name: N| FolderEntry { name: name.into(), kind: EntryKind::File, head: None, content: None };
        Self { entries: names.into_iter().map(file).collect() }
    }
}

/// The type of a folder entry. Links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link, a device, or a pipe.
    Other,
}

/// The length of a file and its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHead {
    /// The length.
    pub size: u64,
    /// The first bytes, up to [`FIRST_BYTES`](crate::update::container::FIRST_BYTES).
    pub first: Vec<u8>,
}

/// A file or sub-folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// The name.
    pub name: String,
    /// The type.
    pub kind: EntryKind,
    /// The length and beginning, if they were read.
    pub head: Option<FileHead>,
    /// The digests of the content, if it was read.
    pub content: Option<Digests>,
}

impl FolderEntry {
    /// Returns `true` for a file with an extension that DISM accepts as an update.
    pub fn is_package(&self) -> bool {
        let extension = std::path::Path::new(&self.name).extension();
        let is_one_of = |extension: &std::ffi::OsStr| {
            extension.eq_ignore_ascii_case("msu") || extension.eq_ignore_ascii_case("cab")
        };
        self.kind == EntryKind::File && extension.is_some_and(is_one_of)
    }
}
