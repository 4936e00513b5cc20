//! The staging of the files of a medium, beside the pool, until the complete medium is verified.
//!
//! Every file of the medium is read once; a file that the mirror does not have is copied in the same pass. A fault
//! in any file removes the complete staging folder, so that an import takes all of a medium or nothing.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::examine::ExaminedMedium;
use super::imported::ImportSummary;
use crate::carrier::medium::refused;
use crate::disk::{self, NewFile};
use crate::documents::AbsentFile;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events, TransferDirection, TransferOutcome};
use crate::mirror::{Access, Mirror, WriteAccess};
use crate::update::{Digests, Kb, Sha256, human_size};

/// The prefix of the names of staging folders under `partial/`.
const STAGING: &str = "import-";

/// Removes the staged files of interrupted imports. The lock excludes other processes.
pub(super) fn remove_interrupted_staging(mirror: &Mirror<impl Access>) -> Result<()> {
    let partial = mirror.layout().partial();
    for name in disk::list(&partial)? {
        if name.starts_with(STAGING) {
            disk::remove_dir_all(&partial.join(name))?;
        }
    }
    Ok(())
}

/// Returns the KBs that are incomplete on the medium.
pub(super) fn incomplete_kbs(examined: &ExaminedMedium, missing: &[AbsentFile]) -> BTreeSet<Kb> {
    let missing_digests: BTreeSet<Sha256> = missing.iter().map(|file| file.sha256).collect();
    (examined.listing.sets.iter())
        .filter(|(_, set)| {
            set.files.iter().any(|file| file.sha256.is_some_and(|own| missing_digests.contains(&own)))
        })
        .map(|(kb, _)| *kb)
        .collect()
}

/// Returns the files that only incomplete KBs need and that the index does not know. They would be foreign files in
/// the pool. A file that the index knows is imported, also as a replacement of damaged bytes.
pub(super) fn unneeded_files(
    examined: &ExaminedMedium,
    mirror: &Mirror<impl Access>,
    missing: &[AbsentFile],
) -> Result<BTreeSet<Sha256>> {
    let left = incomplete_kbs(examined, missing);
    let files_of = |is_left: bool| -> BTreeSet<Sha256> {
        let sets = examined.listing.sets.iter().filter(|(kb, _)| left.contains(kb) == is_left);
        sets.flat_map(|(_, set)| set.files.iter().filter_map(|file| file.sha256)).collect()
    };
    let wanted = files_of(false);
    let mut unneeded = BTreeSet::new();
    // Files of sets that are not imported count too: those of sets that were removed from this mirror on purpose.
    let others = examined.sizes.keys().filter_map(|path| examined.manifest.get(path)).copied();
    for sha256 in files_of(true).into_iter().chain(others) {
        if !wanted.contains(&sha256) && !mirror.index().is_pooled(&sha256)? {
            unneeded.insert(sha256);
        }
    }
    Ok(unneeded)
}

pub(super) fn check_space(
    examined: &ExaminedMedium,
    mirror: &Mirror<impl Access>,
    unneeded: &BTreeSet<Sha256>,
) -> Result<()> {
    /// The index grows by less than this per medium.
    const INDEX: u64 = 4 << 20;
    let mut wanted: BTreeMap<Sha256, u64> = BTreeMap::new();
    for (path, size) in &examined.sizes {
        if let Some(sha256) = examined.manifest.get(path)
            && !unneeded.contains(sha256)
            && !mirror.has_in_pool(sha256, *size)?
        {
            wanted.insert(*sha256, *size);
        }
    }
    let mut sum: u64 = wanted.values().sum();
    if !disk::supports_links(&mirror.layout().partial())? {
        // Without links, published files are copies of the pool files.
        sum += examined.sizes.values().sum::<u64>();
    }
    let needed = disk::with_overhead(sum) + INDEX;
    let free = disk::available_space(mirror.layout().root())?;
    if free < needed {
        return Err(Error::new(
            ErrorKind::NoSpace,
            format!(
                "{} has {} free, and {} are needed",
                mirror.layout().root(),
                human_size(free),
                human_size(needed)
            ),
        )
        .hint("free some space and import again; nothing was changed"));
    }
    Ok(())
}

pub(super) fn staging_folder(examined: &ExaminedMedium, mirror: &Mirror<impl Access>) -> Utf8PathBuf {
    mirror.layout().partial().join(format!("{STAGING}{}", examined.signed.set_id))
}

/// The files of a medium while they are staged.
struct Stager<'a> {
    examined: &'a ExaminedMedium,
    mirror: &'a Mirror<WriteAccess>,
    unneeded: &'a BTreeSet<Sha256>,
    events: &'a Events,
    folder: Utf8PathBuf,
    /// The files that were copied to the staging folder.
    staged: StagedFiles,
    /// The files that the pool already has.
    present: BTreeSet<Sha256>,
}

/// Staged files, by digest.
pub(super) type StagedFiles = BTreeMap<Sha256, (Utf8PathBuf, Digests)>;

/// Reads every file once. Copies the files that the mirror does not have to the staging folder, except for unneeded
/// ones.
pub(super) fn stage(
    examined: &ExaminedMedium,
    mirror: &Mirror<WriteAccess>,
    unneeded: &BTreeSet<Sha256>,
    imported: &mut ImportSummary,
    events: &Events,
) -> Result<StagedFiles> {
    let folder = staging_folder(examined, mirror);
    disk::remove_dir_all(&folder)?;
    let (staged, present) = (BTreeMap::new(), BTreeSet::new());
    let mut staging = Stager { examined, mirror, unneeded, events, folder: folder.clone(), staged, present };
    let read = staging.read_all(imported);
    if read.is_err() {
        disk::remove_dir_all(&folder)?;
    }
    read.map(|()| staging.staged)
}

impl Stager<'_> {
    /// Reads every file. Refuses the medium with the names of all damaged files.
    fn read_all(&mut self, imported: &mut ImportSummary) -> Result<()> {
        let examined = self.examined;
        self.events.send(Event::Phase(format!("reading set {}", examined.signed.set.label())));
        self.events.send(Event::TransfersPlanned {
            doing: TransferDirection::Reading,
            files: examined.sizes.len(),
            bytes: Some(examined.sizes.values().sum()),
        });
        let missing: BTreeSet<&String> = examined.missing.iter().map(|file| &file.path).collect();
        let there = examined.manifest.iter().filter(|(path, _)| !missing.contains(path));
        let mut wrong = Vec::new();
        for (id, (path, sha256)) in (1_u64..).zip(there) {
            match self.read(id, path, *sha256, imported) {
                Err(error) if error.kind() == ErrorKind::Refused => wrong.push(error),
                other => other?,
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = wrong.iter().map(Error::message).collect();
        Err(refused(names.join("; ")).hint(
            "export again: the medium was changed after the export, or is damaged; nothing was imported",
        ))
    }

    /// Reads one file. An install script, which has no listed size, is only checked, because the mirror generates
    /// its own.
    fn read(&mut self, id: u64, path: &str, sha256: Sha256, imported: &mut ImportSummary) -> Result<()> {
        let size = self.examined.sizes.get(path).copied();
        let wanted = size.filter(|_| !self.unneeded.contains(&sha256));
        let is_new = match wanted {
            Some(size) => !self.staged.contains_key(&sha256) && !self.mirror.has_in_pool(&sha256, size)?,
            None => false,
        };
        let staged_path = self.folder.join(sha256.to_string());
        let mut new = if is_new { Some(NewFile::create(&staged_path)?) } else { None };
        let digests = self.read_into(id, path, size, new.as_mut())?;
        imported.checked += 1;
        imported.checked_bytes += digests.size;
        if let Some(new) = new {
            new.finish()?;
            imported.added += 1;
            imported.added_bytes += digests.size;
            self.staged.insert(sha256, (staged_path, digests));
        } else if wanted.is_some() && !self.staged.contains_key(&sha256) && self.present.insert(sha256) {
            imported.present += 1;
            imported.present_bytes += digests.size;
        }
        Ok(())
    }

    /// Reads one file, copies it into a new file if one is given, and reports the progress.
    fn read_into(
        &self,
        id: u64,
        path: &str,
        size: Option<u64>,
        mut new: Option<&mut NewFile>,
    ) -> Result<Digests> {
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        if size.is_some() {
            self.events.send(Event::TransferStarted { id, name, size });
        }
        let mut count = 0;
        let read = self.examined.read_file(path, &mut |piece| {
            count += piece.len() as u64;
            self.events.send(Event::TransferProgress { id, bytes: count });
            new.as_mut().map_or(Ok(()), |new| new.write(piece))
        });
        let outcome = match &read {
            Ok(_) => size.map(|_| TransferOutcome::Complete),
            Err(error) if error.kind() == ErrorKind::Refused => {
                Some(TransferOutcome::Failed(error.message().to_owned()))
            }
            Err(_) => None,
        };
        if let Some(outcome) = outcome {
            self.events.send(Event::TransferFinished { id, bytes: count, outcome });
        }
        read
    }
}
