//! A folder on disk as input of `lint`. Links are not followed, and pipes and devices are not opened.
//!
//! Files whose content may settle a finding, such as renamed ones, are read without being asked, up to
//! [`DOUBTFUL_BYTES`] together.

use camino::Utf8Path;

use super::index::Index;
use super::library::facts_of_folder;
use crate::disk;
use crate::error::Result;
use crate::facts::Facts;
use crate::lint::{EntryKind, FileHead, FolderEntry, LintFolder, LintReport, LintRequest, lint};
use crate::servicing::Knowledge;
use crate::update::container::{Container, FIRST_BYTES};
use crate::update::{Digests, DualHasher};

/// The most bytes that are read without `--deep`: a few seconds from a slow stick.
const DOUBTFUL_BYTES: u64 = 256 << 20;

/// Reads the entries of a folder: names, lengths, and the beginning of every file. With `deep`, also the digests of
/// the packages.
pub fn read_folder(path: &Utf8Path, deep: bool) -> Result<LintFolder> {
    let mut entries = Vec::new();
    for name in disk::list(path)? {
        let place = path.join(&name);
        let kind = match disk::entry(&place)? {
            disk::Entry::File(_) => EntryKind::File,
            disk::Entry::Folder => EntryKind::Folder,
            // A name that is not Unicode cannot be opened by its displayed form.
            disk::Entry::Other | disk::Entry::Missing => EntryKind::Other,
        };
        let mut entry = FolderEntry { name, kind, head: None, content: None };
        if entry.kind == EntryKind::File {
            let (size, first) = disk::read_start(&place, FIRST_BYTES as u64)?;
            let may_be_package = || Container::of(&first).is_some_and(Container::is_package);
            if deep && (entry.is_package() || may_be_package()) {
                entry.content = Some(digests_of(&place)?);
            }
            entry.head = Some(FileHead { size, first });
        }
        entries.push(entry);
    }
    Ok(LintFolder { entries })
}

/// Reads a folder and judges it by index and knowledge. With `deep`, every content is read, otherwise only that of
/// doubtful files.
pub fn lint_folder(
    path: &Utf8Path,
    deep: bool,
    request: &LintRequest,
    index: Option<&Index>,
    knowledge: &Knowledge,
) -> Result<LintReport> {
    let judge = |folder: &LintFolder| {
        let facts = match index {
            Some(index) => facts_of_folder(folder, request, index, knowledge)?,
            None => Facts::default(),
        };
        Ok(lint(folder, request, knowledge, &facts))
    };
    let mut folder = read_folder(path, deep)?;
    let report = judge(&folder)?;
    let mut doubtful: Vec<&mut FolderEntry> =
        folder.entries.iter_mut().filter(|entry| report.doubtful.contains(&entry.name)).collect();
    doubtful.sort_by_key(|entry| entry.head.as_ref().map(|head| head.size));
    let (mut read, mut left) = (0, DOUBTFUL_BYTES);
    for entry in doubtful {
        let size = entry.head.as_ref().map_or(0, |head| head.size);
        let Some(rest) = left.checked_sub(size) else { break };
        left = rest;
        entry.content = Some(digests_of(&path.join(&entry.name))?);
        read += 1;
    }
    if read == 0 { Ok(report) } else { judge(&folder) }
}

fn digests_of(path: &Utf8Path) -> Result<Digests> {
    let mut hasher = DualHasher::new();
    let mut pieces = disk::PieceReader::open_regular(path)?;
    while pieces.read_next()? {
        hasher.update(pieces.piece());
    }
    Ok(hasher.finish())
}
