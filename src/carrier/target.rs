//! The folder that becomes a medium: what lies there, whether it can take what is to come, and the writing of the payload.
//!
//! What is there and right is not written again. A file gets its name when it is whole and synced. What is neither ours
//! nor an operating system's litter is never touched: the folder is refused before the first byte.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::check::{digest, hash_file};
use super::medium::{
    DATA, MANIFEST, START_HERE, TOOLS, UNFINISHED, caps, is_litter_of_systems, read_manifest,
};
use super::pages;
use super::plan::{ExportPlan, Payload};
use crate::disk::{self, Entry, NewFile};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events, Work};
use crate::update::{Sha256, human_size};

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
    /// The payload of an earlier set of ours that lies there.
    earlier: BTreeSet<String>,
    pub(super) written: u64,
    pub(super) written_bytes: u64,
    pub(super) kept: u64,
    pub(super) removed: u64,
}

impl<'a> Target<'a> {
    /// Looks at what lies there; refuses what is neither ours nor an operating system's litter.
    pub(super) fn new(root: &'a Utf8Path, plan: &ExportPlan, identity: &str) -> Result<Self> {
        let mut target =
            Self { root, earlier: BTreeSet::new(), written: 0, written_bytes: 0, kept: 0, removed: 0 };
        match disk::entry(root)? {
            Entry::Nothing => return Ok(target),
            Entry::Folder => {}
            Entry::Other if disk::is_folder(root)? => {}
            _ => return Err(Error::usage(format!("{root} is no folder"))),
        }
        let names = disk::list(root)?;
        let strangers: Vec<String> = names.into_iter().filter(|name| !is_litter_of_systems(name)).collect();
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
            target.earlier = manifest.into_keys().collect();
        }
        target.refuse_strangers_in_data(plan)?;
        Ok(target)
    }

    /// Inside `data/` there may be what an earlier set of ours had, what this one will have, and what was cut off.
    fn refuse_strangers_in_data(&self, plan: &ExportPlan) -> Result<()> {
        let mut open = vec![DATA.to_owned()];
        while let Some(folder) = open.pop() {
            for name in disk::list(&self.root.join(&folder))? {
                let path = format!("{folder}/{name}");
                match disk::entry(&self.root.join(&path))? {
                    Entry::Folder => open.push(path),
                    Entry::File(_)
                        if self.earlier.contains(&path)
                            || plan.payload.contains_key(&path)
                            || plan.scripts.contains_key(&path)
                            || path.ends_with(UNFINISHED) => {}
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
        /// FAT32 takes a byte less than 4 GiB; below that every file system of media does.
        const SMALL_LIMIT: u64 = u32::MAX as u64;
        let there = self.root.ancestors().find(|path| disk::exists(path) && !path.as_str().is_empty());
        let there = there.unwrap_or_else(|| Utf8Path::new("."));
        disk::check_writable(there).map_err(|error| {
            error.with_kind(ErrorKind::Medium).hint("the medium is read-only or not yours to write")
        })?;
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
        let gained: u64 = self
            .earlier
            .iter()
            .filter(|path| !plan.payload.contains_key(*path))
            .try_fold(0, |sum, path| {
                disk::file_size(&self.root.join(path)).map(|size| sum + size.unwrap_or_default())
            })?;
        let free = disk::available_space(there)? + gained;
        if free < needed {
            return Err(Error::new(
                ErrorKind::NoSpace,
                format!("{} has {} free, and {} are needed", self.root, human_size(free), human_size(needed)),
            )
            .hint("choose fewer KBs or one architecture (--arch), or a larger medium; nothing was written"));
        }
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
        self.probe_names(there)
    }

    /// Whether the file system takes the names that sets have: a file with all their letters and of their length.
    fn probe_names(&self, folder: &Utf8Path) -> Result<()> {
        /// Every letter that the name policy allows besides letters and digits, in a name as long as it allows.
        const LETTERS: &str = "kbm-probe._()+,=@ -";
        let name = format!("{LETTERS}{}.msu", "0".repeat(120 - LETTERS.len() - 4));
        let path = folder.join(name);
        disk::write_atomic(&path, b"probe").map_err(|error| {
            on_medium(error, &path).context(format!("{} does not take the names of package files", self.root))
        })?;
        disk::remove_file(&path)
    }

    /// Writes what is not there yet; gives the manifest.
    pub(super) fn write_payload(
        &mut self,
        plan: &ExportPlan,
        events: &Events,
    ) -> Result<BTreeMap<String, Sha256>> {
        let mut manifest = BTreeMap::new();
        let mut first: BTreeMap<Sha256, Utf8PathBuf> = BTreeMap::new();
        let absent = plan.payload.iter().filter(|(path, file)| {
            disk::entry(&self.root.join(path)).is_ok_and(|entry| entry != Entry::File(file.size))
        });
        let sizes: Vec<u64> = absent.map(|(_, file)| file.size).collect();
        events.send(Event::Phase(format!("writing to {}", self.root)));
        events.send(Event::TransfersPlanned {
            work: Work::Write,
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
                let linked = match first.get(&file.sha256) {
                    Some(known) => {
                        disk::remove_file(&to)?;
                        disk::link(known, &to)
                    }
                    None => false,
                };
                if !linked {
                    copy(file, &to, id, events)?;
                }
                self.written += 1;
                self.written_bytes += file.size;
            }
            first.entry(file.sha256).or_insert(to);
            manifest.insert(path.clone(), file.sha256);
        }
        for (path, script) in &plan.scripts {
            write_if_other(&self.root.join(path), script)?;
            manifest.insert(path.clone(), digest(script));
        }
        let folders: BTreeSet<&Utf8Path> =
            manifest.keys().flat_map(|path| Utf8Path::new(path).ancestors().skip(1)).collect();
        for folder in folders {
            disk::sync_dir(&self.root.join(folder)).map_err(|error| on_medium(error, folder))?;
        }
        Ok(manifest)
    }

    /// Takes away what an earlier set had and this one has not, and what was cut off.
    pub(super) fn remove_earlier(&mut self, manifest: &BTreeMap<String, Sha256>) -> Result<()> {
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
        .hint(
            "kbmirror verify tells what else is; kbmirror fetch brings it anew once the damaged file is away",
        ));
    }
    disk::rename(&unfinished, to).map_err(|error| on_medium(error, to))?;
    events.send(Event::TransferFinished { id, bytes: count, failure: None });
    Ok(())
}
