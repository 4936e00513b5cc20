//! The write of a tree to a medium, in an order in which no data is lost.
//!
//! 1. A signed mark names every file that the export may leave behind (`mark`).
//! 2. New files are written beside the existing files (`payload`). If that fails, all new files are removed, and
//!    the medium is as before.
//! 3. The signed description of the earlier set is backed up on the medium, its signature is removed, and the
//!    replacements get their final names.
//! 4. The new description is written, its signature last.
//! 5. Obsolete files are removed, then the backup and the mark.
//!
//! If their space is needed, obsolete files are removed between 1 and 2. Files that stay are never removed, so an
//! export that is interrupted at any point loses no file that should stay.

use super::backup::{back_up_description, remove_backup};
use super::copy::{CopyFault, CopySource, FileCopy, unfinished_name};
use super::payload::{PayloadWriter, PoolDamage, WriteCounts};
use super::planned::TargetPlan;
use super::removal::{RemovalTotals, remove_empty_folders, remove_unfinished_files};
use super::retained::RetainedFiles;
use super::target::MediumTarget;
use super::tree::MediumTree;
use crate::carrier::medium::{SET_SIGNATURE, UNFINISHED_FOLDER, UNFINISHED_MARK};
use crate::carrier::trust::{SecretKey, mark_text, new_mark};
use crate::error::{Error, Result};
use crate::event::Events;

/// A medium that is completely written and signed, and was not read back yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct WriteSummary {
    pub(super) counts: WriteCounts,
    pub(super) removed: RemovalTotals,
}

/// A failed export.
#[derive(Debug)]
pub(super) struct WriteFailure {
    pub(super) error: Error,
    /// The damaged pool files that were found.
    pub(super) damaged: Vec<PoolDamage>,
}

/// The writer of a tree.
pub(super) struct MediumWriter<'a> {
    planned: &'a TargetPlan<'a>,
    tree: &'a MediumTree,
    payload: PayloadWriter<'a>,
    /// `true` if obsolete files are removed first to make room for the new ones.
    removes_first: bool,
    removed: RemovalTotals,
    /// `true` if the signature of the earlier set was removed.
    is_invalid: bool,
}

impl<'a> MediumWriter<'a> {
    pub(super) fn new(
        planned: &'a TargetPlan<'a>,
        tree: &'a MediumTree,
        retained: RetainedFiles,
        removes_first: bool,
    ) -> Self {
        let payload = PayloadWriter::new(planned, retained);
        Self { planned, tree, payload, removes_first, removed: RemovalTotals::default(), is_invalid: false }
    }

    /// Writes the tree.
    pub(super) fn write(
        mut self,
        key: &SecretKey,
        events: &Events,
    ) -> Result<WriteSummary, Box<WriteFailure>> {
        match self.run(key, events) {
            Ok(()) => Ok(WriteSummary { counts: self.payload.counts, removed: self.removed }),
            Err(error) => Err(Box::new(WriteFailure { error, damaged: self.payload.damaged })),
        }
    }

    fn run(&mut self, key: &SecretKey, events: &Events) -> Result<()> {
        if let Err(error) = self.write_payload(key, events) {
            self.roll_back();
            return Err(error);
        }
        let invalidated = self.invalidate();
        if invalidated.is_err() && !self.is_invalid {
            // The earlier set is still signed.
            self.roll_back();
        }
        invalidated?;
        self.payload.replace()?;
        self.write_description()?;
        self.finish()
    }

    fn target(&self) -> &'a MediumTarget {
        &self.planned.target
    }

    /// Begins the export, and writes everything under `data/`.
    fn write_payload(&mut self, key: &SecretKey, events: &Events) -> Result<()> {
        if self.removes_first {
            self.payload.check_sources(self.tree, events)?;
        }
        self.begin(key)?;
        self.payload.write(self.tree, events)
    }

    /// Creates the folder, removes the rest of an interrupted export, and writes the mark.
    fn begin(&mut self, key: &SecretKey) -> Result<()> {
        let (target, set) = (self.target(), &self.tree.set);
        if self.planned.is_new {
            target.make_root()?;
        }
        remove_unfinished_files(target)?;
        let files = self.planned.possible_files();
        let mark = new_mark(&set.mirror_id, &set.lineage, set.seq, self.tree.created, files);
        target.write(UNFINISHED_MARK, mark_text(&mark, key)?.as_bytes())?;
        if self.removes_first {
            self.invalidate()?;
            self.removed.remove_obsolete(target, &self.planned.obsolete)?;
        }
        Ok(())
    }

    /// Backs up the signed description of the earlier set and removes its signature.
    fn invalidate(&mut self) -> Result<()> {
        if self.is_invalid {
            return Ok(());
        }
        if self.planned.is_finished() {
            back_up_description(self.target())?;
        }
        self.is_invalid = true;
        self.target().remove(SET_SIGNATURE)?;
        self.target().sync_folder("")
    }

    /// Writes the programs, the pages, and the description of the set, its signature last.
    fn write_description(&self) -> Result<()> {
        for program in self.tree.programs() {
            let Some(from) = program.from else { continue };
            if !self.target().has_digest(program.path, program.sha256) {
                self.target().make_folders_above(program.path)?;
                let (sha256, size) = (program.sha256, program.size);
                let from = &CopySource::Local(from.to_owned());
                let copy = FileCopy { from, sha256, size, to: program.path, id: 0 };
                copy.run(self.target(), &Events::ignored()).map_err(CopyFault::into_error)?;
                self.target().rename(&unfinished_name(program.path), program.path)?;
            }
        }
        self.tree.texts().try_for_each(|(path, bytes)| self.target().write_if_other(path, bytes))
    }

    /// Removes everything that only the earlier set had, and the mark of the unfinished export.
    fn finish(&mut self) -> Result<()> {
        let target = self.target();
        self.removed.remove_obsolete(target, &self.planned.obsolete)?;
        remove_empty_folders(target)?;
        self.removed.remove_earlier_tags(target, self.planned.earlier_tags(), &self.tree.paths())?;
        remove_backup(target)?;
        target.remove(UNFINISHED_MARK)?;
        let _left = target.remove_empty_folder(UNFINISHED_FOLDER);
        target.sync_folder("")
    }

    /// Removes the files of this run and restores the earlier state. A medium whose set was invalidated to make
    /// room stays marked as unfinished.
    fn roll_back(&self) {
        let target = self.target();
        self.payload.undo();
        if self.is_invalid || self.planned.is_interrupted() {
            return;
        }
        let _left = remove_backup(target);
        let _left = target.remove(UNFINISHED_MARK);
        let _left = target.remove_empty_folder(UNFINISHED_FOLDER);
        if self.planned.is_new {
            let _left = target.remove_empty_root();
        }
    }
}
