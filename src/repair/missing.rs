//! The files of the pool that are damaged or missing.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use crate::disk;
use crate::documents::NeededFile;
use crate::error::Result;
use crate::facts::FileKey;
use crate::mirror::{Access, Mirror};
use crate::update::{Kb, Sha1, Sha256};

/// A file that the pool needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MissingFile {
    /// The file.
    pub(super) key: FileKey,
    /// The name of the package file.
    pub(super) name: String,
    /// The digest of the right bytes.
    pub(super) sha256: Sha256,
    /// The SHA-1, if known.
    pub(super) sha1: Option<Sha1>,
    /// The size in bytes.
    pub(super) size: u64,
    /// The path, relative to the mirror.
    pub(super) path: Utf8PathBuf,
    /// The KBs that have it in a published set.
    pub(super) kbs: BTreeSet<Kb>,
}

impl MissingFile {
    /// Returns the file for the report.
    pub(super) fn to_needed_file(&self) -> NeededFile {
        NeededFile {
            path: self.path.clone(),
            name: self.name.clone(),
            sha256: self.sha256,
            sha1: self.sha1,
            size: self.size,
            kbs: self.kbs.iter().copied().collect(),
        }
    }

    /// Returns `true` if a file of this name claims to be this one.
    pub(super) fn matches_name(&self, name: &str) -> bool {
        name == self.name || self.sha256.to_string() == name
    }
}

/// Returns the files that are recorded as damaged, or are missing or of another size on the disk. With `only`,
/// returns just the files in the published sets of these KBs.
pub(super) fn missing_files(mirror: &Mirror<impl Access>, only: &[Kb]) -> Result<Vec<MissingFile>> {
    let (index, layout) = (mirror.index(), mirror.layout());
    let mut missing = Vec::new();
    for (key, sha256, size) in index.pool()? {
        let path = layout.pool_file(&sha256);
        let is_sound =
            !index.is_damaged(&sha256)? && disk::file_size(&path).is_ok_and(|found| found == Some(size));
        if is_sound {
            continue;
        }
        let kbs: BTreeSet<Kb> = index.published_sets_of_file(&sha256)?.iter().map(|set| set.kb).collect();
        if !only.is_empty() && !only.iter().any(|kb| kbs.contains(kb)) {
            continue;
        }
        let file = index.file(key)?;
        missing.push(MissingFile {
            key,
            name: file.as_ref().map(|file| file.name.clone()).unwrap_or_default(),
            sha256,
            sha1: file.and_then(|file| file.sha1),
            size,
            path: layout.portable(&path),
            kbs,
        });
    }
    missing.sort_by(|a, b| (&a.name, a.sha256).cmp(&(&b.name, b.sha256)));
    Ok(missing)
}
