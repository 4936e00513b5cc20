//! The folders and media of `--from`: any folder with files in it.
//!
//! The digest decides. Signatures and expiry do not matter here, because only bytes that the index already knows
//! are accepted. Links are not followed.

use camino::{Utf8Path, Utf8PathBuf};

use super::missing::MissingFile;
use crate::disk::{self, Entry, NewFile, PieceReader};
use crate::documents::{RestoredFile, SkippedFile};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events};
use crate::mirror::{Mirror, RunInfo, VettedFile, WriteAccess};
use crate::update::{Digests, DualHasher};

/// The maximum depth of the search. Media and mirrors have their files four levels deep; a parent folder adds a
/// few levels.
const DEPTH: usize = 12;

/// Refuses a source that is not a folder.
pub(super) fn expect_folder(source: &Utf8Path) -> Result<()> {
    if disk::entry(source)? == Entry::Folder {
        return Ok(());
    }
    Err(Error::usage(format!("cannot restore from {source}: it is not a folder"))
        .hint("specify the folder of a medium, of a mirror, or of package files with --from"))
}

/// The result of searching a source.
#[derive(Debug, Default)]
pub(super) struct SourceSearch {
    /// The files that are restored, or can be.
    pub(super) restored: Vec<RestoredFile>,
    /// The files that have the name of a needed file, but other bytes.
    pub(super) skipped: Vec<SkippedFile>,
}

/// Restores files from a folder, and removes them from the list of missing files. Without a mirror to write to,
/// only reports which files could be restored.
pub(super) fn restore_from(
    source: &Utf8Path,
    missing: &mut Vec<MissingFile>,
    mut mirror: Option<&mut Mirror<WriteAccess>>,
    run: RunInfo<'_>,
    events: &Events,
) -> Result<SourceSearch> {
    let mut searched = SourceSearch::default();
    if missing.is_empty() {
        return Ok(searched);
    }
    events.send(Event::Phase(format!("searching {source}")));
    let mut files = Vec::new();
    list_files(source, DEPTH, &mut files, &mut searched.skipped)?;
    for (path, size) in files {
        let name = path.file_name().unwrap_or_default();
        let is_claimed = missing.iter().any(|one| one.matches_name(name));
        let is_possible = missing.iter().any(|one| one.size == size);
        if !is_possible {
            if is_claimed {
                let reason = format!("has {size} bytes, unlike every needed file of this name");
                searched.skipped.push(SkippedFile { path, reason });
            }
            continue;
        }
        let aside = mirror.as_ref().map(|mirror| mirror.layout().partial().join("repair-file"));
        let digests = match read_file(&path, aside.as_deref())? {
            Ok(digests) => digests,
            Err(error) => {
                searched.skipped.push(SkippedFile { path, reason: error.full_message() });
                continue;
            }
        };
        let Some(place) = missing.iter().position(|one| one.sha256 == digests.sha256) else {
            if is_claimed {
                let reason = format!("SHA-256 is {}, unlike that of every needed file", digests.sha256);
                searched.skipped.push(SkippedFile { path, reason });
            }
            continue;
        };
        let one = missing.remove(place);
        if let (Some(mirror), Some(aside)) = (mirror.as_mut(), aside) {
            admit(mirror, &one, &aside, digests, run)?;
        }
        searched.restored.push(restored_file(&one, path.to_string()));
        if missing.is_empty() {
            break;
        }
    }
    if let Some(mirror) = mirror {
        disk::remove_file(&mirror.layout().partial().join("repair-file"))?;
    }
    Ok(searched)
}

/// Returns a file for the report.
pub(super) fn restored_file(one: &MissingFile, from: String) -> RestoredFile {
    RestoredFile { path: one.path.clone(), name: one.name.clone(), sha256: one.sha256, size: one.size, from }
}

fn admit(
    mirror: &mut Mirror<WriteAccess>,
    one: &MissingFile,
    aside: &Utf8Path,
    digests: Digests,
    run: RunInfo<'_>,
) -> Result<()> {
    let vetted = VettedFile::by_manifest(aside, digests, &one.sha256).ok_or_else(|| {
        Error::new(ErrorKind::Integrity, format!("{aside} does not have the SHA-256 {}", one.sha256))
    })?;
    mirror.admit(one.key, &vetted, run).map(drop)
}

/// Lists the regular files below a folder with their sizes, sorted by path. A folder that cannot be read is
/// skipped and named.
fn list_files(
    folder: &Utf8Path,
    depth: usize,
    files: &mut Vec<(Utf8PathBuf, u64)>,
    skipped: &mut Vec<SkippedFile>,
) -> Result<()> {
    let names = match disk::list(folder) {
        Ok(names) => names,
        Err(error) => {
            skipped.push(SkippedFile { path: folder.to_owned(), reason: error.full_message() });
            return Ok(());
        }
    };
    for name in names {
        let path = folder.join(name);
        match disk::entry(&path) {
            Ok(Entry::File(size)) => files.push((path, size)),
            Ok(Entry::Folder) if depth > 0 => list_files(&path, depth - 1, files, skipped)?,
            Ok(Entry::Folder | Entry::Other | Entry::Missing) => {}
            Err(error) => skipped.push(SkippedFile { path, reason: error.full_message() }),
        }
    }
    Ok(())
}

/// Reads a file, and copies it at the same time if `to` is given. A read error is the inner error, a write error
/// the outer one.
fn read_file(path: &Utf8Path, to: Option<&Utf8Path>) -> Result<Result<Digests>> {
    let mut new = to.map(NewFile::create).transpose()?;
    let mut hasher = DualHasher::new();
    let mut pieces = match PieceReader::open_regular(path) {
        Ok(pieces) => pieces,
        Err(error) => return Ok(Err(error)),
    };
    loop {
        match pieces.read_next() {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Ok(Err(error)),
        }
        hasher.update(pieces.piece());
        if let Some(new) = &mut new {
            new.write(pieces.piece())?;
        }
    }
    new.map(NewFile::finish).transpose()?;
    Ok(Ok(hasher.finish()))
}
