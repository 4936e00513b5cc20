//! A tree becomes a medium, in an order in which nothing is lost.
//!
//! 1. A signed mark names every file that the export may leave (`mark`).
//! 2. New files are written beside what lies there (`payload`). If that fails, everything new is removed, and the medium is
//!    what it was.
//! 3. The signed description of the earlier set is copied aside, its signature removed, and the replacements get their names.
//! 4. The new description is written, its signature last.
//! 5. Obsolete files are removed, then the copy and the mark.
//!
//! Obsolete files are removed between 1 and 2 if their room is needed. Files that stay are never removed, so that an export
//! which was cut off anywhere loses nothing that it was to keep.

use super::aside::{copy_aside, remove_copies};
use super::copy::{Copy, CopyFault, Origin, unfinished};
use super::payload::{Counts, PayloadWriter, PoolDamage};
use super::planned::Planned;
use super::removal::{Removed, remove_empty_folders, sweep};
use super::retained::Retained;
use super::target::Target;
use super::tree::Tree;
use crate::carrier::medium::{SET_SIGNATURE, UNFINISHED_FOLDER, UNFINISHED_MARK};
use crate::carrier::trust::{SecretKey, mark_text, new_mark};
use crate::error::{Error, Result};
use crate::event::Events;

/// A medium that was written to its end and is signed. It was not read back yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub(super) counts: Counts,
    pub(super) removed: Removed,
}

/// An export that failed.
#[derive(Debug)]
pub(super) struct WriteFailure {
    pub(super) error: Error,
    /// The files of the pool that were found damaged.
    pub(super) damaged: Vec<PoolDamage>,
}

/// Writes a tree.
pub(super) struct Writer<'a> {
    planned: &'a Planned<'a>,
    tree: &'a Tree,
    payload: PayloadWriter<'a>,
    /// Obsolete files make room for the new ones.
    removes_first: bool,
    removed: Removed,
    /// The set that lay there is not signed any more.
    is_invalid: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        planned: &'a Planned<'a>,
        tree: &'a Tree,
        retained: Retained,
        removes_first: bool,
    ) -> Self {
        let payload = PayloadWriter::new(planned, retained);
        Self { planned, tree, payload, removes_first, removed: Removed::default(), is_invalid: false }
    }

    /// Writes the tree.
    pub(super) fn write(mut self, key: &SecretKey, events: &Events) -> Result<Written, Box<WriteFailure>> {
        match self.run(key, events) {
            Ok(()) => Ok(Written { counts: self.payload.counts, removed: self.removed }),
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
            // The set that lies there is still signed.
            self.roll_back();
        }
        invalidated?;
        self.payload.replace()?;
        self.write_description()?;
        self.finish()
    }

    fn target(&self) -> &'a Target {
        &self.planned.target
    }

    /// Begins, and writes everything under `data/`.
    fn write_payload(&mut self, key: &SecretKey, events: &Events) -> Result<()> {
        if self.removes_first {
            self.payload.check_sources(self.tree, events)?;
        }
        self.begin(key)?;
        self.payload.write(self.tree, events)
    }

    /// Makes the folder, sweeps what an interrupted export left, and leaves the mark.
    fn begin(&mut self, key: &SecretKey) -> Result<()> {
        let (target, set) = (self.target(), &self.tree.set);
        if self.planned.is_new {
            target.make_root()?;
        }
        sweep(target)?;
        let files = self.planned.possible_files();
        let mark = new_mark(&set.mirror_id, &set.lineage, set.seq, self.tree.created, files);
        target.write(UNFINISHED_MARK, mark_text(&mark, key)?.as_bytes())?;
        if self.removes_first {
            self.invalidate()?;
            self.removed.take_obsolete(target, &self.planned.obsolete)?;
        }
        Ok(())
    }

    /// Copies the signed description of the earlier set aside and removes its signature.
    fn invalidate(&mut self) -> Result<()> {
        if self.is_invalid {
            return Ok(());
        }
        if self.planned.is_finished() {
            copy_aside(self.target())?;
        }
        self.is_invalid = true;
        self.target().remove(SET_SIGNATURE)?;
        self.target().sync_folder("")
    }

    /// Writes programs, pages, and the description of the set, its signature last.
    fn write_description(&self) -> Result<()> {
        for program in self.tree.programs() {
            let Some(from) = program.from else { continue };
            if !self.target().has_digest(program.path, program.sha256) {
                self.target().make_folders_above(program.path)?;
                let (sha256, size) = (program.sha256, program.size);
                let from = &Origin::Local(from.to_owned());
                let copy = Copy { from, sha256, size, to: program.path, id: 0 };
                copy.run(self.target(), &Events::ignored()).map_err(CopyFault::into_error)?;
                self.target().rename(&unfinished(program.path), program.path)?;
            }
        }
        self.tree.texts().try_for_each(|(path, bytes)| self.target().write_if_other(path, bytes))
    }

    /// Removes everything that only the earlier set had, and the marks of an unfinished export.
    fn finish(&mut self) -> Result<()> {
        let target = self.target();
        self.removed.take_obsolete(target, &self.planned.obsolete)?;
        remove_empty_folders(target)?;
        self.removed.take_earlier_tags(target, self.planned.earlier_tags(), &self.tree.paths())?;
        remove_copies(target)?;
        target.remove(UNFINISHED_MARK)?;
        let _left = target.remove_empty_folder(UNFINISHED_FOLDER);
        target.sync_folder("")
    }

    /// Removes what this run wrote, so that the medium is what it was. A medium that was made invalid to make room stays
    /// marked as unfinished.
    fn roll_back(&self) {
        let target = self.target();
        self.payload.undo();
        if self.is_invalid || self.planned.is_cut_off() {
            return;
        }
        let _left = remove_copies(target);
        let _left = target.remove(UNFINISHED_MARK);
        let _left = target.remove_empty_folder(UNFINISHED_FOLDER);
        if self.planned.is_new {
            let _left = target.remove_empty_root();
        }
    }
}
