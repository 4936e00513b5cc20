//! The writer of the files under `data/`.
//!
//! New files are written beside existing ones. A file that replaces another file of the earlier set keeps its
//! unfinished name until [`PayloadWriter::replace`]. Before that, [`PayloadWriter::undo`] restores the medium.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::copy::{CopyFault, CopySource, FileCopy, check_source, unfinished_name};
use super::planned::TargetPlan;
use super::retained::RetainedFiles;
use super::target::MediumTarget;
use super::tree::{BinaryFile, MediumTree};
use super::union::damaged_files_error;
use crate::disk::Entry;
use crate::documents::FindingKind;
use crate::error::{Error, Result};
use crate::event::{Event, Events, TransferDirection};
use crate::update::Sha256;

/// A pool file with wrong bytes.
#[derive(Debug)]
pub(super) struct PoolDamage {
    /// The expected digest.
    pub(super) sha256: Sha256,
    /// The kind of damage.
    pub(super) kind: FindingKind,
    /// The error message.
    pub(super) message: String,
}

/// The numbers of written and kept files.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WriteCounts {
    /// The number of package files that were written.
    pub(super) written: u64,
    /// Their bytes.
    pub(super) written_bytes: u64,
    /// The number of install scripts that were written.
    pub(super) scripts: u64,
    /// The number of package files that existed already and were verified.
    pub(super) kept: u64,
}

/// The writer of the files under `data/`.
pub(super) struct PayloadWriter<'a> {
    planned: &'a TargetPlan<'a>,
    retained: RetainedFiles,
    /// The files and folders that this run created.
    made_files: Vec<String>,
    made_folders: Vec<String>,
    /// The files that get their final names when every file is written.
    parts: Vec<String>,
    pub(super) damaged: Vec<PoolDamage>,
    pub(super) counts: WriteCounts,
}

impl<'a> PayloadWriter<'a> {
    pub(super) fn new(planned: &'a TargetPlan<'a>, retained: RetainedFiles) -> Self {
        Self {
            planned,
            retained,
            made_files: Vec::new(),
            made_folders: Vec::new(),
            parts: Vec::new(),
            damaged: Vec::new(),
            counts: WriteCounts::default(),
        }
    }

    fn target(&self) -> &'a MediumTarget {
        &self.planned.target
    }

    /// Hashes every file that will be copied from the pool, if sets must be removed to make room. Damage that is
    /// found during the copy would come too late for the removed sets.
    pub(super) fn check_sources(&mut self, tree: &MediumTree, events: &Events) -> Result<()> {
        events.send(Event::Phase("checking the pool before anything is removed".to_owned()));
        let absent = tree.packages().filter(|file| !self.planned.is_there(file.path, file.size));
        let sources: BTreeMap<Sha256, &Utf8Path> =
            absent.filter_map(|file| Some((file.sha256, file.from?))).collect();
        for (sha256, from) in sources {
            check_source(from, sha256).map_err(|fault| self.record_fault(sha256, fault))?;
        }
        Ok(())
    }

    /// Records a fault of a pool file. Returns its error.
    fn record_fault(&mut self, sha256: Sha256, fault: CopyFault) -> Error {
        let kind = fault.kind();
        let error = fault.into_error();
        let damage = kind.map(|kind| PoolDamage { sha256, kind, message: error.message().to_owned() });
        self.damaged.extend(damage);
        error
    }

    /// Writes the missing files.
    pub(super) fn write(&mut self, tree: &MediumTree, events: &Events) -> Result<()> {
        self.send_plan(tree, events);
        let mut first: BTreeMap<Sha256, String> = BTreeMap::new();
        for (id, file) in (1_u64..).zip(tree.packages()) {
            let there = if self.is_verified(file)? {
                self.counts.kept += 1;
                file.path.to_owned()
            } else {
                let there = self.write_package(file, first.get(&file.sha256), id, events)?;
                self.counts.written += 1;
                self.counts.written_bytes += file.size;
                there
            };
            first.entry(file.sha256).or_insert(there);
        }
        for (path, script) in tree.scripts() {
            if !self.target().has_bytes(path, script)? {
                let written = self
                    .place_file(path, |target, part| target.write(part, script).map_err(CopyFault::Medium));
                written.map_err(CopyFault::into_error)?;
                self.counts.scripts += 1;
            }
        }
        let folders: BTreeSet<&Utf8Path> =
            tree.payload_paths().flat_map(|path| Utf8Path::new(path).ancestors().skip(1)).collect();
        folders.into_iter().try_for_each(|folder| self.target().sync_folder(folder.as_str()))
    }

    fn send_plan(&self, tree: &MediumTree, events: &Events) {
        let absent = tree.packages().filter(|file| !self.planned.is_there(file.path, file.size));
        let sizes: Vec<u64> = absent.map(|file| file.size).collect();
        events.send(Event::Phase(format!("writing to {}", self.target().root())));
        events.send(Event::TransfersPlanned {
            doing: TransferDirection::Writing,
            files: sizes.len(),
            bytes: Some(sizes.iter().sum()),
        });
    }

    /// Returns `true` if a package file is on the medium with the right digest.
    fn is_verified(&self, file: BinaryFile<'_>) -> Result<bool> {
        Ok(self.retained.verified.contains(file.path)
            || self.target().entry(file.path)? == Entry::File(file.size)
                && self.target().has_digest(file.path, file.sha256))
    }

    /// Writes a package file, as a link if the same bytes are on the medium already. Returns the path of the
    /// written file.
    fn write_package(
        &mut self,
        file: BinaryFile<'_>,
        twin: Option<&String>,
        id: u64,
        events: &Events,
    ) -> Result<String> {
        let replacement = self.retained.replacements.get(file.path).cloned();
        let from = replacement.or_else(|| file.from.map(|from| CopySource::Local(from.to_owned())));
        let from = from.ok_or_else(|| damaged_files_error(&[file.path.to_owned()]))?;
        let placed = self.place_file(file.path, |target, part| {
            if let Some(twin) = twin {
                target.remove(part).map_err(CopyFault::Medium)?;
                if target.link(twin, part) {
                    return Ok(());
                }
            }
            let copy = FileCopy { from: &from, sha256: file.sha256, size: file.size, to: file.path, id };
            copy.run(target, events)
        });
        placed.map_err(|fault| match file.from {
            Some(_) => self.record_fault(file.sha256, fault),
            None => fault.into_error(),
        })
    }

    /// Writes a file under its unfinished name and renames it, unless another file of the earlier set has the final
    /// name. Returns the path of the written file.
    fn place_file(
        &mut self,
        path: &str,
        write: impl FnOnce(&MediumTarget, &str) -> Result<(), CopyFault>,
    ) -> Result<String, CopyFault> {
        let target = self.target();
        self.made_folders.extend(target.make_folders_above(path).map_err(CopyFault::Medium)?);
        let signed = self.planned.earlier_digest(path);
        let replaces = signed.is_some() && signed != self.planned.manifest.get(path).copied();
        if !replaces {
            // An existing file does not match its signed digest, and its space may be needed.
            target.remove(path).map_err(CopyFault::Medium)?;
        }
        let part = unfinished_name(path);
        write(target, &part)?;
        if replaces && target.entry(path).map_err(CopyFault::Medium)? != Entry::Missing {
            self.made_files.push(part.clone());
            self.parts.push(path.to_owned());
            return Ok(part);
        }
        target.rename(&part, path).map_err(CopyFault::Medium)?;
        self.made_files.push(path.to_owned());
        Ok(path.to_owned())
    }

    /// Renames the replacements to their final names.
    pub(super) fn replace(&self) -> Result<()> {
        self.parts.iter().try_for_each(|path| self.target().rename(&unfinished_name(path), path))
    }

    /// Removes the files that this run wrote.
    pub(super) fn undo(&self) {
        // The original error says more than a failed cleanup. The next export removes the rest.
        for file in &self.made_files {
            let _left = self.target().remove(file);
        }
        for folder in self.made_folders.iter().rev() {
            let _left = self.target().remove_empty_folder(folder);
        }
    }
}
