//! The folder that becomes a medium: what lies there, whether there is room, and the files themselves.
//!
//! What lies there and is right already is not written again, so that last month's stick is brought up to date in place. A
//! file gets its name when it is whole. Nothing of others is ever removed: a target that holds such things is refused
//! before the first byte.
//!
//! Before the payload is written the manifest names all that an earlier set had and all that this one will have, so that
//! a run which was cut off can be followed by one with another choice. What this set has not is removed first: its room
//! may be needed.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::check::hash_file;
use super::medium::{
    DATA, KNOWLEDGE, MANIFEST, SET, START_HERE, SetDocument, TOOLS, UNFINISHED, caps, is_litter_of_systems,
    manifest_text, read_manifest,
};
use super::pages;
use super::plan::{ExportPlan, Payload};
use crate::disk::{self, Entry, NewFile};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Doing, Event, Events};
use crate::update::{Sha256, human_size};

/// FAT32 takes a byte less than 4 GiB; below that every file system of media does.
const SMALL_LIMIT: u64 = u32::MAX as u64;

/// How the file begins whose name is tried before anything is written.
const PROBE: &str = "kbm-probe.";

/// Whether a name is one that a run of ours which was cut off may have left.
fn is_unfinished(name: &str) -> bool {
    let is_new = name
        .strip_prefix(".new-")
        .is_some_and(|end| end.len() == 6 && end.bytes().all(|letter| letter.is_ascii_alphanumeric()));
    is_new || name.ends_with(UNFINISHED) || name.starts_with(PROBE)
}

/// Writes a file when it is not there with just these bytes.
pub(super) fn write_if_other(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    if disk::entry(path)? == Entry::File(bytes.len() as u64)
        && disk::read(path, bytes.len() as u64).is_ok_and(|there| there == bytes)
    {
        return Ok(());
    }
    disk::write_atomic(path, bytes).map_err(|error| on_medium(error, path))
}

/// A write error of a medium is one of the medium, unless it is full.
fn on_medium(error: Error, path: &Utf8Path) -> Error {
    match error.kind() {
        ErrorKind::Internal => error.with_kind(ErrorKind::Medium).hint(format!(
            "{path} could not be written: try another medium; this one is not finished and will be refused"
        )),
        _ => error,
    }
}

/// The folder that becomes a medium.
pub(super) struct Target<'a> {
    root: &'a Utf8Path,
    /// The payload of an earlier set of ours that lies there, or was begun.
    earlier: BTreeMap<String, Sha256>,
    /// What an earlier set of ours had outside of `data/`.
    earlier_tags: BTreeSet<String>,
    /// The bytes under `data/` that are neither of this set nor will stay.
    obsolete: u64,
    pub(super) written: u64,
    pub(super) written_bytes: u64,
    pub(super) kept: u64,
    pub(super) removed: u64,
}

impl<'a> Target<'a> {
    /// Looks at what lies there; refuses what is neither ours nor an operating system's litter.
    pub(super) fn new(
        root: &'a Utf8Path,
        manifest: &BTreeMap<String, Sha256>,
        identity: &str,
    ) -> Result<Self> {
        let mut target = Self {
            root,
            earlier: BTreeMap::new(),
            earlier_tags: BTreeSet::new(),
            obsolete: 0,
            written: 0,
            written_bytes: 0,
            kept: 0,
            removed: 0,
        };
        match disk::entry(root)? {
            Entry::Nothing => return Ok(target),
            Entry::Folder => {}
            Entry::Other if disk::is_folder(root)? => {}
            _ => return Err(Error::usage(format!("{root} is no folder"))),
        }
        let names = disk::list(root)?;
        let strangers: Vec<String> =
            names.into_iter().filter(|name| !is_litter_of_systems(name) && !is_unfinished(name)).collect();
        if strangers.is_empty() {
            return Ok(target);
        }
        let start = root.join(START_HERE);
        let is_ours = disk::exists(&start)
            && disk::read_text(&start, caps::SMALL)
                .is_ok_and(|text| text.contains(&pages::identity_line(identity)));
        if !is_ours {
            return Err(Error::usage(format!(
                "{root} holds things that are not of this mirror: {}",
                strangers.join(", ")
            ))
            .hint("name an empty folder or medium, or a medium that this mirror made; nothing was changed"));
        }
        if disk::exists(&root.join(MANIFEST))
            && let Ok(text) = disk::read_text(&root.join(MANIFEST), caps::MANIFEST)
            && let Ok(manifest) = read_manifest(&text)
        {
            target.earlier = manifest;
        }
        if disk::exists(&root.join(SET))
            && let Ok(text) = disk::read_text(&root.join(SET), caps::SMALL)
            && let Ok(set) = SetDocument::read(&text)
        {
            target.earlier_tags = set.tag_files.into_keys().collect();
        }
        target.look_into_data(manifest)?;
        Ok(target)
    }

    /// Inside `data/` there may be what an earlier set of ours had, what this one will have, and what was cut off.
    fn look_into_data(&mut self, manifest: &BTreeMap<String, Sha256>) -> Result<()> {
        let mut open = vec![DATA.to_owned()];
        while let Some(folder) = open.pop() {
            for name in disk::list(&self.root.join(&folder))? {
                let path = format!("{folder}/{name}");
                match disk::entry(&self.root.join(&path))? {
                    Entry::Folder => open.push(path),
                    Entry::File(_) if manifest.contains_key(&path) => {}
                    Entry::File(size) if self.earlier.contains_key(&path) || is_unfinished(&name) => {
                        self.obsolete += size;
                    }
                    _ => {
                        return Err(Error::usage(format!("{path} on the medium is not of this mirror"))
                            .hint("take it away, or name another folder; nothing was changed"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Room, the largest file, and names, before the first byte.
    pub(super) fn preflight(&self, plan: &ExportPlan) -> Result<()> {
        /// What file systems need for themselves (transfer notes §2, row 36: 2 %).
        const SLACK: u64 = 50;
        let there = self.root.ancestors().find(|path| disk::exists(path) && !path.as_str().is_empty());
        let there = there.unwrap_or_else(|| Utf8Path::new("."));
        disk::check_writable(there).map_err(|error| {
            error.with_kind(ErrorKind::Medium).hint("the medium is read-only or not yours to write")
        })?;
        self.refuse_too_large(plan, there)?;
        let mut absent = 0;
        for (path, file) in &plan.payload {
            if disk::entry(&self.root.join(path))? != Entry::File(file.size) {
                absent += file.size;
            }
        }
        let tables: u64 = 4 << 20;
        let needed = absent
            + absent / SLACK
            + tables
            + plan.scripts.values().map(|script| script.len() as u64).sum::<u64>();
        let free = disk::available_space(there)? + self.obsolete;
        if free < needed {
            return Err(Error::new(
                ErrorKind::NoSpace,
                format!("{} has {} free, and {} are needed", self.root, human_size(free), human_size(needed)),
            )
            .hint("choose fewer KBs or one architecture (--arch), or a larger medium; nothing was written"));
        }
        self.probe_names(there)
    }

    /// Refuses a file that the file system cannot take, whatever room there is.
    fn refuse_too_large(&self, plan: &ExportPlan, there: &Utf8Path) -> Result<()> {
        let largest = plan.payload.iter().max_by_key(|(path, file)| (file.size, *path));
        if let Some((path, file)) = largest.filter(|(_, file)| file.size > SMALL_LIMIT)
            && !disk::takes_file_of(there, file.size)?
        {
            return Err(Error::new(
                ErrorKind::NoSpace,
                format!(
                    "{path} has {}, and the file system of {} takes no file of that size",
                    human_size(file.size),
                    self.root
                ),
            )
            .hint("FAT32 ends at 4 GiB a file: format the medium as exFAT or NTFS; nothing was written"));
        }
        Ok(())
    }

    /// Whether the file system takes the names that sets have: a file with all their letters and of their length.
    fn probe_names(&self, folder: &Utf8Path) -> Result<()> {
        /// Every letter that the name policy allows besides letters and digits, in a name as long as it allows.
        const LETTERS: &str = "_()+,=@ -";
        let name = format!("{PROBE}{LETTERS}{}.msu", "0".repeat(120 - PROBE.len() - LETTERS.len() - 4));
        let path = folder.join(name);
        disk::write_atomic(&path, b"probe").map_err(|error| {
            on_medium(error, &path).context(format!("{} does not take the names of package files", self.root))
        })?;
        disk::remove_file(&path)
    }

    /// Names all that will lie here before it does, and takes away what will not.
    pub(super) fn begin(&mut self, manifest: &BTreeMap<String, Sha256>) -> Result<()> {
        let mut all = self.earlier.clone();
        all.extend(manifest.iter().map(|(path, sha256)| (path.clone(), *sha256)));
        write_if_other(&self.root.join(MANIFEST), manifest_text(&all).as_bytes())?;
        for folder in ["", KNOWLEDGE, TOOLS] {
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
        self.remove_earlier(manifest)
    }

    /// Writes what is not there yet.
    pub(super) fn write_payload(&mut self, plan: &ExportPlan, events: &Events) -> Result<()> {
        let mut first: BTreeMap<Sha256, Utf8PathBuf> = BTreeMap::new();
        let absent = plan.payload.iter().filter(|(path, file)| {
            disk::entry(&self.root.join(path)).is_ok_and(|entry| entry != Entry::File(file.size))
        });
        let sizes: Vec<u64> = absent.map(|(_, file)| file.size).collect();
        events.send(Event::Phase(format!("writing to {}", self.root)));
        events.send(Event::TransfersPlanned {
            doing: Doing::Writing,
            files: sizes.len(),
            bytes: Some(sizes.iter().sum()),
        });
        for (id, (path, file)) in (1_u64..).zip(&plan.payload) {
            let to = self.root.join(path);
            let is_there = disk::entry(&to)? == Entry::File(file.size)
                && hash_file(&to, &mut |_| Ok(())).is_ok_and(|found| found.sha256 == file.sha256);
            if is_there {
                self.kept += 1;
            } else {
                disk::create_dir_all(disk::parent(&to)).map_err(|error| on_medium(error, &to))?;
                // What is there is wrong, and its room may be needed.
                disk::remove_file(&to).map_err(|error| on_medium(error, &to))?;
                let linked = match first.get(&file.sha256) {
                    Some(known) => disk::link(known, &to),
                    None => false,
                };
                if !linked {
                    copy(file, &to, id, events)?;
                }
                self.written += 1;
                self.written_bytes += file.size;
            }
            first.entry(file.sha256).or_insert(to);
        }
        for (path, script) in &plan.scripts {
            write_if_other(&self.root.join(path), script)?;
        }
        let folders: BTreeSet<&Utf8Path> = (plan.payload.keys())
            .chain(plan.scripts.keys())
            .flat_map(|path| Utf8Path::new(path).ancestors().skip(1))
            .collect();
        for folder in folders {
            disk::sync_dir(&self.root.join(folder)).map_err(|error| on_medium(error, folder))?;
        }
        Ok(())
    }

    /// Takes away what an earlier set had and this one has not, and what was cut off.
    fn remove_earlier(&mut self, manifest: &BTreeMap<String, Sha256>) -> Result<()> {
        let mut open = vec![(DATA.to_owned(), false)];
        let mut folders = Vec::new();
        while let Some((folder, _)) = open.pop() {
            for name in disk::list(&self.root.join(&folder))? {
                let path = format!("{folder}/{name}");
                match disk::entry(&self.root.join(&path))? {
                    Entry::Folder => {
                        folders.push(path.clone());
                        open.push((path, false));
                    }
                    _ if !manifest.contains_key(&path) => {
                        disk::remove_file(&self.root.join(&path))
                            .map_err(|error| on_medium(error, Utf8Path::new(&path)))?;
                        self.removed += 1;
                    }
                    _ => {}
                }
            }
        }
        // Deepest first.
        for folder in folders.iter().rev() {
            if disk::list(&self.root.join(folder))?.is_empty() {
                disk::remove_dir_all(&self.root.join(folder))?;
            }
        }
        Ok(())
    }

    /// Takes away what an earlier set had beside `data/` and this one has not: nothing vouches for it any more.
    pub(super) fn remove_earlier_tags(&mut self, tags: &BTreeMap<String, Sha256>) -> Result<()> {
        for name in self.earlier_tags.iter().filter(|name| !tags.contains_key(*name)) {
            let folder = Utf8Path::new(name).parent().unwrap_or(Utf8Path::new(""));
            let path = self.root.join(name);
            if [KNOWLEDGE, TOOLS].contains(&folder.as_str())
                && disk::entry(&self.root.join(folder))? == Entry::Folder
                && let Entry::File(_) = disk::entry(&path)?
            {
                disk::remove_file(&path).map_err(|error| on_medium(error, &path))?;
                self.removed += 1;
            }
        }
        Ok(())
    }

    pub(super) fn write_tools(
        &self,
        tools: &BTreeMap<String, Utf8PathBuf>,
    ) -> Result<BTreeMap<String, Sha256>> {
        let mut digests = BTreeMap::new();
        for (name, from) in tools {
            let path = format!("{TOOLS}/{name}");
            let to = self.root.join(&path);
            let known = hash_file(from, &mut |_| Ok(()))?;
            if !hash_file(&to, &mut |_| Ok(())).is_ok_and(|found| found.sha256 == known.sha256) {
                let payload = Payload { from: from.clone(), sha256: known.sha256, size: known.size };
                copy(&payload, &to, 0, &Events::ignored())?;
            }
            digests.insert(path, known.sha256);
        }
        Ok(digests)
    }
}

/// Copies a file; what is read has to be what the pool should have, and it gets its name when it is whole.
fn copy(file: &Payload, to: &Utf8Path, id: u64, events: &Events) -> Result<()> {
    let unfinished = Utf8PathBuf::from(format!("{to}{UNFINISHED}"));
    let name = to.file_name().unwrap_or_default().to_owned();
    events.send(Event::TransferStarted { id, name, size: Some(file.size) });
    let mut new = NewFile::create(&unfinished).map_err(|error| on_medium(error, to))?;
    let mut count = 0;
    let written = hash_file(&file.from, &mut |piece| {
        count += piece.len() as u64;
        events.send(Event::TransferProgress { id, bytes: count });
        new.write(piece).map_err(|error| on_medium(error, to))
    });
    let found = match written {
        Ok(found) => found,
        Err(error) => {
            disk::remove_file(&unfinished)?;
            return Err(error);
        }
    };
    new.finish().map_err(|error| on_medium(error, to))?;
    if found.sha256 != file.sha256 {
        disk::remove_file(&unfinished)?;
        return Err(Error::new(
            ErrorKind::Integrity,
            format!("{} in the pool is damaged: its digest is {}", file.from, found.sha256),
        )
        .hint("kbmirror verify names all damage; running what brought the file here again replaces it"));
    }
    disk::rename(&unfinished, to).map_err(|error| on_medium(error, to))?;
    events.send(Event::TransferFinished { id, bytes: count, failure: None });
    Ok(())
}
