//! The files of a medium, staged beside the pool until all of the medium is right.
//!
//! Every file of the medium is read once; a file that the mirror does not have is copied on the way. A fault in any file
//! removes the whole staging folder, so that an import takes all of a medium or nothing.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::check::Examined;
use super::imported::Imported;
use super::medium::refused;
use crate::disk::{self, NewFile};
use crate::documents::Leftover;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Doing, Event, Events, TransferOutcome};
use crate::mirror::{Access, Mirror};
use crate::update::{Digests, Kb, Sha256, human_size};

/// The beginning of the names of staging folders under `partial/`.
const STAGING: &str = "import-";

/// Removes the files that interrupted imports staged. The lock keeps other processes out.
pub(super) fn remove_what_was_cut_off(mirror: &Mirror<impl Access>) -> Result<()> {
    let partial = mirror.layout().partial();
    for name in disk::list(&partial)? {
        if name.starts_with(STAGING) {
            disk::remove_dir_all(&partial.join(name))?;
        }
    }
    Ok(())
}

/// Returns the KBs that are not whole on the medium.
pub(super) fn left_of(examined: &Examined, missing: &[Leftover]) -> BTreeSet<Kb> {
    let lacking: BTreeSet<Sha256> = missing.iter().map(|leftover| leftover.sha256).collect();
    (examined.listing.sets.iter())
        .filter(|(_, set)| set.files.iter().any(|file| file.sha256.is_some_and(|own| lacking.contains(&own))))
        .map(|(kb, _)| *kb)
        .collect()
}

/// Returns the files that only KBs need that are left, and that the index does not know: in the pool they would be foreign. A
/// file that it knows is taken, also as a replacement of damaged bytes.
pub(super) fn unwanted(
    examined: &Examined,
    mirror: &Mirror<impl Access>,
    missing: &[Leftover],
) -> Result<BTreeSet<Sha256>> {
    let left = left_of(examined, missing);
    let files_of = |is_left: bool| -> BTreeSet<Sha256> {
        let sets = examined.listing.sets.iter().filter(|(kb, _)| left.contains(kb) == is_left);
        sets.flat_map(|(_, set)| set.files.iter().filter_map(|file| file.sha256)).collect()
    };
    let wanted = files_of(false);
    let mut unwanted = BTreeSet::new();
    for sha256 in files_of(true) {
        if !wanted.contains(&sha256) && !mirror.index().is_pooled(&sha256)? {
            unwanted.insert(sha256);
        }
    }
    Ok(unwanted)
}

pub(super) fn check_room(
    examined: &Examined,
    mirror: &Mirror<impl Access>,
    unwanted: &BTreeSet<Sha256>,
) -> Result<()> {
    /// The index grows by less than this for a medium.
    const INDEX: u64 = 4 << 20;
    let mut wanted: BTreeMap<Sha256, u64> = BTreeMap::new();
    for (path, size) in &examined.sizes {
        if let Some(sha256) = examined.manifest.get(path)
            && !unwanted.contains(sha256)
            && !mirror.has_in_pool(sha256, *size)?
        {
            wanted.insert(*sha256, *size);
        }
    }
    let mut sum: u64 = wanted.values().sum();
    if !disk::takes_links(&mirror.layout().partial())? {
        // What is published is copied from the pool then.
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
        .hint("make room and import again; nothing was changed"));
    }
    Ok(())
}

pub(super) fn staging_folder(examined: &Examined, mirror: &Mirror<impl Access>) -> Utf8PathBuf {
    mirror.layout().partial().join(format!("{STAGING}{}", examined.set_id))
}

/// Reads every file once; what the mirror lacks is copied aside on the way, except for unwanted files.
pub(super) fn stage(
    examined: &Examined,
    mirror: &Mirror<impl Access>,
    unwanted: &BTreeSet<Sha256>,
    imported: &mut Imported,
    events: &Events,
) -> Result<BTreeMap<Sha256, (Utf8PathBuf, Digests)>> {
    let folder = staging_folder(examined, mirror);
    disk::remove_dir_all(&folder)?;
    let missing: BTreeSet<&String> = examined.missing.iter().map(|leftover| &leftover.path).collect();
    let paths: Vec<(&String, &Sha256)> =
        examined.manifest.iter().filter(|(path, _)| !missing.contains(path)).collect();
    events.send(Event::Phase(format!("reading set {}", examined.set.label())));
    events.send(Event::TransfersPlanned {
        doing: Doing::Reading,
        files: examined.sizes.len(),
        bytes: Some(examined.sizes.values().sum()),
    });
    let mut staged: BTreeMap<Sha256, (Utf8PathBuf, Digests)> = BTreeMap::new();
    let mut present: BTreeSet<Sha256> = BTreeSet::new();
    let mut wrong = Vec::new();
    for (id, (path, sha256)) in (1_u64..).zip(paths) {
        let size = examined.sizes.get(path).copied();
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        // Scripts are checked and made anew.
        if size.is_some() {
            events.send(Event::TransferStarted { id, name, size });
        }
        let is_new = match size {
            Some(_) if unwanted.contains(sha256) => false,
            Some(size) => !staged.contains_key(sha256) && !mirror.has_in_pool(sha256, size)?,
            None => false,
        };
        let aside = folder.join(sha256.to_string());
        let mut new = if is_new { Some(NewFile::create(&aside)?) } else { None };
        let mut count = 0;
        let read = examined.read_file(path, &mut |piece| {
            count += piece.len() as u64;
            events.send(Event::TransferProgress { id, bytes: count });
            match &mut new {
                Some(new) => new.write(piece),
                None => Ok(()),
            }
        });
        match read {
            Ok(digests) => {
                if size.is_some() {
                    events.send(Event::TransferFinished {
                        id,
                        bytes: count,
                        outcome: TransferOutcome::Complete,
                    });
                }
                imported.checked += 1;
                imported.checked_bytes += digests.size;
                if let Some(new) = new {
                    new.finish()?;
                    imported.added += 1;
                    imported.added_bytes += digests.size;
                    staged.insert(*sha256, (aside, digests));
                } else if size.is_some()
                    && !unwanted.contains(sha256)
                    && !staged.contains_key(sha256)
                    && present.insert(*sha256)
                {
                    imported.present += 1;
                    imported.present_bytes += digests.size;
                }
            }
            Err(error) if error.kind() == ErrorKind::Refused => {
                events.send(Event::TransferFinished {
                    id,
                    bytes: count,
                    outcome: TransferOutcome::Failed(error.message().to_owned()),
                });
                wrong.push(error);
            }
            Err(error) => {
                disk::remove_dir_all(&folder)?;
                return Err(error);
            }
        }
    }
    if wrong.is_empty() {
        return Ok(staged);
    }
    disk::remove_dir_all(&folder)?;
    let names: Vec<&str> = wrong.iter().map(Error::message).collect();
    Err(refused(names.join("; "))
        .hint("nothing was imported: the medium was changed after it was made, or is damaged"))
}
