//! The folder that becomes a medium: room, and the files themselves, in an order in which nothing is lost.
//!
//! 1. A signed mark names every file that the export may leave (`mark`).
//! 2. New files are written beside what lies there; a file that replaces another one keeps its unfinished name. If that fails,
//!    everything new is removed, and the medium is what it was.
//! 3. The signed description of the earlier set is copied aside, its signature removed, and the replacements get their names.
//! 4. The new description is written, its signature last.
//! 5. Obsolete files are removed, then the copy and the mark.
//!
//! Obsolete files are removed between 1 and 2 if their room is needed. Files that stay are never removed, so that an export
//! which was cut off anywhere loses nothing that it was to keep.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::check::hash_tool;
use super::copy::{Copy, CopyFault, check_source, on_medium, unfinished};
use super::found::{Found, State, is_unfinished};
use super::mark::mark_text;
use super::medium::{KNOWLEDGE, SET_SIGNATURE, TOOLS, UNFINISHED_FOLDER, UNFINISHED_MARK};
use super::place::Place;
use super::plan::ExportPlan;
use super::planned::Source;
use super::reading::{hash_file, read_small};
use super::removal::COPIED;
use super::signature::SecretKey;
use super::union::damaged;
use crate::disk::{self, Entry};
use crate::documents::{ExportMark, FindingKind};
use crate::error::{Error, Result};
use crate::event::{Doing, Event, Events};
use crate::mirror::{Access, Mirror};
use crate::update::Sha256;

/// Writes a file when it is not there with just these bytes.
pub(super) fn write_if_other(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    if has_bytes(path, bytes)? {
        return Ok(());
    }
    disk::write_atomic(path, bytes).map_err(|error| on_medium(error, path))
}

fn has_bytes(path: &Utf8Path, bytes: &[u8]) -> Result<bool> {
    let length = bytes.len() as u64;
    Ok(disk::entry(path)? == Entry::File(length)
        && disk::read(path, length).is_ok_and(|there| there == bytes))
}

/// The folder that becomes a medium.
pub(super) struct Target<'a> {
    pub(super) root: &'a Utf8Path,
    is_new: bool,
    pub(super) found: &'a Found,
    /// Everything that will lie under `data/`.
    pub(super) manifest: &'a BTreeMap<String, Sha256>,
    /// Files of ours that will not lie there any more, with their sizes.
    pub(super) obsolete: BTreeMap<String, u64>,
    /// Obsolete files make room for the new ones.
    pub(super) removes_first: bool,
    /// Retained files that were read again and are right.
    verified: BTreeSet<String>,
    /// Sources in the mirror, or elsewhere on the medium, for retained files that are damaged.
    replacements: BTreeMap<String, Utf8PathBuf>,
    /// Files and folders that this run made.
    made_files: Vec<Utf8PathBuf>,
    made_folders: Vec<Utf8PathBuf>,
    /// Files that get their names when everything is there.
    parts: Vec<Utf8PathBuf>,
    is_invalid: bool,
    /// Pool files that do not have their bytes: digest, kind of damage, and the message.
    pub(super) damaged_in_pool: Vec<(Sha256, FindingKind, String)>,
    pub(super) written: u64,
    pub(super) written_bytes: u64,
    pub(super) written_scripts: u64,
    pub(super) kept: u64,
    pub(super) removed: u64,
    pub(super) removed_bytes: u64,
}

impl<'a> Target<'a> {
    /// Compares what lies there with what will; refuses files under `data/` that are not ours.
    pub(super) fn new(
        place: &'a Place,
        found: &'a Found,
        manifest: &'a BTreeMap<String, Sha256>,
    ) -> Result<Self> {
        let folded: BTreeSet<String> = manifest.keys().map(|path| path.to_ascii_lowercase()).collect();
        let mut obsolete = BTreeMap::new();
        for (path, size) in &found.present {
            let name = path.rsplit('/').next().unwrap_or_default();
            if manifest.contains_key(path) {
                continue;
            }
            if !found.ours.contains(path) && !is_unfinished(name) {
                return Err(Error::usage(format!("{path} on the medium is not of this mirror"))
                    .hint("move it away, or name another folder; nothing was changed"));
            }
            if folded.contains(&path.to_ascii_lowercase()) {
                // One file on media that take A for a, so that the removal of one would be that of the other.
                return Err(Error::usage(format!(
                    "{path} on the medium and a file of this export differ in the case of letters alone"
                ))
                .hint("move it away, or name another folder; nothing was changed"));
            }
            obsolete.insert(path.clone(), *size);
        }
        Ok(Self {
            root: &place.root,
            is_new: place.is_new,
            found,
            manifest,
            obsolete,
            removes_first: false,
            verified: BTreeSet::new(),
            replacements: BTreeMap::new(),
            made_files: Vec::new(),
            made_folders: Vec::new(),
            parts: Vec::new(),
            is_invalid: false,
            damaged_in_pool: Vec::new(),
            written: 0,
            written_bytes: 0,
            written_scripts: 0,
            kept: 0,
            removed: 0,
            removed_bytes: 0,
        })
    }

    /// Reads again what comes from the medium itself, before anything is changed. A damaged file is replaced from the pool or
    /// from its twin on the medium; without either the export is refused.
    pub(super) fn read_retained(
        &mut self,
        plan: &ExportPlan,
        mirror: &Mirror<impl Access>,
        events: &Events,
    ) -> Result<()> {
        let retained = plan.payload.iter().filter(|(_, file)| file.from == Source::Medium);
        let retained: Vec<_> = retained.collect();
        if !retained.is_empty() {
            events.send(Event::Phase(format!("reading what stays on {}", self.root)));
        }
        let mut right: BTreeMap<Sha256, Utf8PathBuf> = BTreeMap::new();
        for (path, file) in &retained {
            let there = self.root.join(path);
            if hash_file(&there, &mut |_| Ok(())).is_ok_and(|found| found.sha256 == file.sha256) {
                self.verified.insert((*path).clone());
                right.entry(file.sha256).or_insert(there);
            }
        }
        let mut lost = Vec::new();
        for (path, file) in retained.iter().filter(|(path, _)| !self.verified.contains(*path)) {
            let pooled = mirror.layout().pool_file(&file.sha256);
            let twin = right.get(&file.sha256).cloned();
            let pooled = (disk::file_size(&pooled)? == Some(file.size)).then_some(pooled);
            match twin.or(pooled) {
                Some(source) => drop(self.replacements.insert((*path).clone(), source)),
                None => lost.push((*path).clone()),
            }
        }
        for (name, sha256) in &plan.kept_tools {
            let path = format!("{TOOLS}/{name}");
            if hash_tool(self.root, &path).ok() != Some(*sha256) {
                lost.push(path);
            }
        }
        if lost.is_empty() { Ok(()) } else { Err(damaged(&lost)) }
    }

    /// Begins: makes the folder, sweeps what was cut off, and leaves the mark.
    pub(super) fn begin(
        &mut self,
        mark: impl FnOnce(Vec<String>) -> ExportMark,
        key: &SecretKey,
    ) -> Result<()> {
        if self.is_new {
            disk::create_dir(self.root).map_err(|error| on_medium(error, self.root))?;
        }
        for folder in ["", KNOWLEDGE, TOOLS, UNFINISHED_FOLDER] {
            let folder = self.root.join(folder);
            if disk::entry(&folder)? != Entry::Folder {
                continue;
            }
            for name in disk::list(&folder)?.into_iter().filter(|name| is_unfinished(name)) {
                let path = folder.join(name);
                if let Entry::File(_) = disk::entry(&path)? {
                    disk::remove_file(&path).map_err(|error| on_medium(error, &path))?;
                }
            }
        }
        let paths = self.manifest.keys().chain(&self.found.ours);
        let paths: BTreeSet<String> = paths.cloned().collect();
        let text = mark_text(&mark(paths.into_iter().collect()), key)?;
        disk::write_atomic(&self.root.join(UNFINISHED_MARK), text.as_bytes())
            .map_err(|error| on_medium(error, self.root))?;
        if self.removes_first {
            self.invalidate()?;
            self.remove_obsolete()?;
        }
        Ok(())
    }

    /// Writes what is not there yet.
    /// Hashes every file that will be copied from the pool, where sets are removed to make room for them: damage that is
    /// found only while copying would come too late for the sets.
    pub(super) fn check_sources(&mut self, plan: &ExportPlan, events: &Events) -> Result<()> {
        if !self.removes_first {
            return Ok(());
        }
        events.send(Event::Phase("checking the pool before anything is removed".to_owned()));
        let is_there = |path: &str, size: u64| self.found.present.get(path) == Some(&size);
        let absent = plan.payload.iter().filter(|(path, file)| !is_there(path, file.size));
        let sources: BTreeMap<Sha256, &Utf8PathBuf> = absent
            .filter_map(|(_, file)| match &file.from {
                Source::Pool(from) => Some((file.sha256, from)),
                Source::Medium => None,
            })
            .collect();
        for (sha256, from) in sources {
            if let Err(fault) = check_source(from, sha256) {
                let kind = fault.kind();
                let error = fault.into_error();
                self.damaged_in_pool.extend(kind.map(|kind| (sha256, kind, error.message().to_owned())));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Writes what is not there yet.
    pub(super) fn write_payload(&mut self, plan: &ExportPlan, events: &Events) -> Result<()> {
        let is_there = |path: &str, size: u64| self.found.present.get(path) == Some(&size);
        let absent = plan.payload.iter().filter(|(path, file)| !is_there(path, file.size));
        let sizes: Vec<u64> = absent.map(|(_, file)| file.size).collect();
        events.send(Event::Phase(format!("writing to {}", self.root)));
        events.send(Event::TransfersPlanned {
            doing: Doing::Writing,
            files: sizes.len(),
            bytes: Some(sizes.iter().sum()),
        });
        let mut first: BTreeMap<Sha256, Utf8PathBuf> = BTreeMap::new();
        for (id, (path, file)) in (1_u64..).zip(&plan.payload) {
            let to = self.root.join(path);
            let is_right = self.verified.contains(path)
                || disk::entry(&to)? == Entry::File(file.size)
                    && hash_file(&to, &mut |_| Ok(())).is_ok_and(|found| found.sha256 == file.sha256);
            if is_right {
                self.kept += 1;
                first.entry(file.sha256).or_insert(to);
                continue;
            }
            let from = match (&file.from, self.replacements.get(path)) {
                (_, Some(source)) => source.clone(),
                (Source::Pool(pooled), None) => pooled.clone(),
                (Source::Medium, None) => return Err(damaged(std::slice::from_ref(path))),
            };
            let part = self.place(path, &to, |to| {
                let part = unfinished(to);
                if let Some(known) = first.get(&file.sha256) {
                    disk::remove_file(&part).map_err(CopyFault::Medium)?;
                    if disk::link(known, &part) {
                        return Ok(part);
                    }
                }
                Copy { from: &from, sha256: file.sha256, size: file.size, to, id }.run(events)
            });
            match part {
                Ok(written) => drop(first.entry(file.sha256).or_insert(written)),
                Err(fault) => {
                    let kind = match (&fault, &file.from) {
                        (CopyFault::Source(kind, _), Source::Pool(_)) => Some(*kind),
                        _ => None,
                    };
                    let error = fault.into_error();
                    if let Some(kind) = kind {
                        self.damaged_in_pool.push((file.sha256, kind, error.message().to_owned()));
                    }
                    return Err(error);
                }
            }
            self.written += 1;
            self.written_bytes += file.size;
        }
        for (path, script) in &plan.scripts {
            let to = self.root.join(path);
            if !has_bytes(&to, script)? {
                let written = self.place(path, &to, |to| {
                    let part = unfinished(to);
                    let written = disk::write_atomic(&part, script).map_err(|error| on_medium(error, to));
                    written.map(|()| part).map_err(CopyFault::Medium)
                });
                written.map_err(CopyFault::into_error)?;
                self.written_scripts += 1;
            }
        }
        let paths = plan.payload.keys().chain(plan.scripts.keys());
        let folders: BTreeSet<&Utf8Path> =
            paths.flat_map(|path| Utf8Path::new(path).ancestors().skip(1)).collect();
        for folder in folders {
            disk::sync_dir(&self.root.join(folder)).map_err(|error| on_medium(error, folder))?;
        }
        Ok(())
    }

    /// Writes one file and gives it its name, or leaves it under its unfinished name where another file of the earlier set has
    /// the name. Returns the path under which it lies.
    fn place(
        &mut self,
        path: &str,
        to: &Utf8Path,
        write: impl FnOnce(&Utf8Path) -> Result<Utf8PathBuf, CopyFault>,
    ) -> Result<Utf8PathBuf, CopyFault> {
        self.make_folders(path).map_err(CopyFault::Medium)?;
        let medium = |error| CopyFault::Medium(on_medium(error, to));
        let signed = self.found.earlier.as_ref().and_then(|earlier| earlier.manifest.get(path));
        let replaces = signed.is_some_and(|signed| self.manifest.get(path) != Some(signed));
        if !replaces {
            // A file that lies there is not as it was signed, and its room may be needed.
            disk::remove_file(to).map_err(medium)?;
        }
        let part = write(to)?;
        if replaces && disk::entry(to).map_err(medium)? != Entry::Nothing {
            self.made_files.push(part.clone());
            self.parts.push(to.to_owned());
            return Ok(part);
        }
        disk::rename(&part, to).map_err(medium)?;
        self.made_files.push(to.to_owned());
        Ok(to.to_owned())
    }

    /// Makes the folders above a path of the medium, one by one.
    fn make_folders(&mut self, path: &str) -> Result<()> {
        let mut folder = self.root.to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        for part in parts.iter().take(parts.len().saturating_sub(1)) {
            folder.push(part);
            if disk::create_dir(&folder).map_err(|error| on_medium(error, &folder))? {
                self.made_folders.push(folder.clone());
            }
        }
        Ok(())
    }

    /// Removes what this run wrote, so that the medium is what it was. A medium that was made invalid to make room stays
    /// marked as unfinished.
    pub(super) fn roll_back(&self) {
        // The fault that led here says more than a failure to clean up; the next export sweeps the rest.
        for file in &self.made_files {
            let _left = disk::remove_file(file);
        }
        for folder in self.made_folders.iter().rev() {
            let _left = disk::remove_empty_dir(folder);
        }
        if self.is_invalid || self.found.state == State::CutOff {
            return;
        }
        let folder = self.root.join(UNFINISHED_FOLDER);
        for (name, _) in COPIED.iter().rev() {
            let _left = disk::remove_file(&folder.join(name));
        }
        let _left = disk::remove_file(&self.root.join(UNFINISHED_MARK));
        let _left = disk::remove_empty_dir(&folder);
        if self.is_new {
            let _left = disk::remove_empty_dir(self.root);
        }
    }

    /// Invalidates the earlier set before the new one is described. What fails while it is still signed is rolled back.
    pub(super) fn commit(&mut self) -> Result<()> {
        let invalidated = self.invalidate();
        if invalidated.is_err() && !self.is_invalid {
            self.roll_back();
        }
        invalidated
    }

    /// Copies the signed description of the earlier set aside and removes its signature.
    fn invalidate(&mut self) -> Result<()> {
        if self.is_invalid {
            return Ok(());
        }
        let aside = self.root.join(UNFINISHED_FOLDER);
        if self.found.state == State::Finished {
            self.remove_copies()?;
            // The signature last: with it the copy is whole.
            for (name, cap) in COPIED {
                let bytes = read_small(self.root, name, cap)?;
                let path = aside.join(name);
                disk::write_atomic(&path, &bytes).map_err(|error| on_medium(error, &path))?;
            }
        }
        self.is_invalid = true;
        disk::remove_file(&self.root.join(SET_SIGNATURE)).map_err(|error| on_medium(error, self.root))?;
        disk::sync_dir(self.root).map_err(|error| on_medium(error, self.root))
    }

    /// Gives the replacements their names.
    pub(super) fn replace(&mut self) -> Result<()> {
        for to in &self.parts {
            disk::rename(&unfinished(to), to).map_err(|error| on_medium(error, to))?;
        }
        Ok(())
    }

    /// Writes the programs to send along; returns the digests of all that are there.
    pub(super) fn write_tools(&mut self, plan: &ExportPlan) -> Result<BTreeMap<String, Sha256>> {
        let mut digests = BTreeMap::new();
        for (name, from) in &plan.tools {
            let path = format!("{TOOLS}/{name}");
            let to = self.root.join(&path);
            let known = hash_file(from, &mut |_| Ok(()))?;
            if !hash_file(&to, &mut |_| Ok(())).is_ok_and(|found| found.sha256 == known.sha256) {
                self.make_folders(&path)?;
                let copy = Copy { from, sha256: known.sha256, size: known.size, to: &to, id: 0 };
                let part = copy.run(&Events::ignored()).map_err(CopyFault::into_error)?;
                disk::rename(&part, &to).map_err(|error| on_medium(error, &to))?;
            }
            digests.insert(path, known.sha256);
        }
        let kept = plan.kept_tools.iter().map(|(name, sha256)| (format!("{TOOLS}/{name}"), *sha256));
        digests.extend(kept);
        Ok(digests)
    }
}
