//! Writing a medium: preflight, payload, tag files, manifest, and the signature last; then all of it is read back with
//! the eyes of the receiving side.
//!
//! What lies there and is right already is not written again, so that last month's stick is brought up to date in place. A
//! file gets its name when it is whole. A medium that is being written has no signature, so that one which was cut off is
//! refused and not mistaken. Nothing of others is ever removed: a target that holds such things is refused before the
//! first byte.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use sha2::Digest as _;

use super::check::{Trust, examine, hash_file};
use super::keys::SigningKeys;
use super::medium::{
    DATA, KEYS, KEYS_SIGNATURE, KNOWLEDGE, KnowledgeMark, LISTING, MANIFEST, MANIFEST_SIGNATURE, SET,
    SET_FORMAT, SET_SIGNATURE, START_HERE, SetDocument, TAG_MANIFEST, TOOLS, UNFINISHED, Volume,
    WithdrawnItem, caps, is_litter_of_systems, manifest_text, read_manifest,
};
use super::pages::{self, Contents};
use super::plan::{ExportPlan, Payload};
use crate::disk::{self, Entry, NewFile};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events, Work};
use crate::mirror::{Mirror, REPLAY};
use crate::servicing::Knowledge;
use crate::update::{Sha256, human_size};

/// What an export did.
#[derive(Debug, Serialize)]
pub struct Exported {
    /// Where the medium is.
    pub folder: Utf8PathBuf,
    /// The number of the set.
    pub seq: u64,
    /// Which set it is.
    pub set_id: Sha256,
    /// Package files that were written.
    pub written: u64,
    /// Their bytes.
    pub written_bytes: u64,
    /// Install scripts.
    pub scripts: u64,
    /// Package files that were there and right.
    pub kept: u64,
    /// Files of an earlier set that were taken away.
    pub removed: u64,
    /// Files of the payload that were read back.
    pub read_back: u64,
    /// Their bytes.
    pub read_back_bytes: u64,
    /// Whether the system's memory was emptied before, so that the medium itself answered.
    pub read_back_cold: bool,
    /// The key that signed.
    pub key: super::signature::PublicKey,
    /// Whether everything that was wanted is there.
    pub complete: bool,
}

impl Exported {
    /// One line that tells what was done and checked.
    pub fn evidence(&self) -> String {
        let kept =
            if self.kept == 0 { String::new() } else { format!(", kept {} that were right", self.kept) };
        format!(
            "wrote {} files and {} scripts, {}{kept}, read back {}, set {:04}, key {}",
            self.written,
            self.scripts,
            human_size(self.written_bytes),
            self.read_back,
            self.seq,
            self.key.short()
        )
    }
}

/// What the whole of an export needs besides its plan.
#[derive(Debug)]
pub struct Context<'a> {
    /// The keys.
    pub keys: &'a SigningKeys,
    /// What is known, and travels along.
    pub knowledge: &'a Knowledge,
    /// Its tables by their file names.
    pub tables: &'a [(String, String)],
    /// When (RFC 3339).
    pub now: &'a str,
    /// Who watches.
    pub events: &'a Events,
}

/// Writes the medium. The mirror's lock is held, because sets are numbered.
pub fn export(
    plan: &ExportPlan,
    to: &Utf8Path,
    mirror: &mut Mirror,
    context: &Context<'_>,
) -> Result<Exported> {
    let identity = identity(mirror)?;
    let mut target = Target::new(to, plan, &identity)?;
    target.preflight(plan)?;
    // The receiving side makes the same views from the same facts.
    mirror.refresh_views()?;
    let seq = next_number(mirror)?;
    disk::create_dir_all(to)?;
    // From here on the medium is no finished one.
    disk::remove_file(&to.join(SET_SIGNATURE))?;
    let origin = mirror.origin()?;
    let demo = origin == REPLAY;
    let contents = Contents::new(plan, seq, context, &identity, demo);
    write_if_other(&to.join(START_HERE), pages::start_here(&contents).as_bytes())?;

    let manifest = target.write_payload(plan, context.events)?;
    target.remove_earlier(&manifest)?;
    let mut tags = tag_texts(plan, &contents, context);
    let manifest_text = manifest_text(&manifest);
    let label = format!("kbmirror set {seq:04} of {identity}, {}", context.now);
    let manifest_signature = context.keys.export.sign(manifest_text.as_bytes(), &label)?;
    tags.insert(MANIFEST.to_owned(), manifest_text.into_bytes());
    tags.insert(MANIFEST_SIGNATURE.to_owned(), manifest_signature.into_bytes());
    let listing = plan.listing.to_text()?;
    let listing_sha256 = digest(listing.as_bytes());
    tags.insert(LISTING.to_owned(), listing.into_bytes());
    let mut tag_files: BTreeMap<String, Sha256> =
        tags.iter().map(|(name, bytes)| (name.clone(), digest(bytes))).collect();
    tag_files.extend(target.write_tools(&plan.tools)?);
    let tag_manifest = super::medium::manifest_text(&tag_files);
    tag_files.insert(TAG_MANIFEST.to_owned(), digest(tag_manifest.as_bytes()));
    tags.insert(TAG_MANIFEST.to_owned(), tag_manifest.into_bytes());
    let bytes = plan.bytes + plan.scripts.values().map(|script| script.len() as u64).sum::<u64>();
    let set = SetDocument {
        format: SET_FORMAT,
        what: "kbmirror export set".to_owned(),
        mirror_id: identity,
        lineage: context.keys.root.id(),
        seq,
        created: context.now.to_owned(),
        tool: format!("kbmirror {}", env!("CARGO_PKG_VERSION")),
        origin,
        demo,
        knowledge: KnowledgeMark {
            version: context.knowledge.version().to_owned(),
            date: context.knowledge.date().to_string(),
        },
        selection: plan.selection.clone(),
        complete: plan.is_complete(),
        missing: plan.missing.clone(),
        base: None,
        listing_sha256,
        volumes: vec![Volume {
            number: 1,
            files: manifest.len() as u64,
            bytes,
            manifest_sha256: tag_files.get(MANIFEST).copied().unwrap_or(listing_sha256),
        }],
        withdrawn: withdrawn(plan, context.knowledge),
        tag_files,
    };
    for (name, bytes) in &tags {
        write_if_other(&to.join(name), bytes)?;
    }
    let set_text = set.to_text()?;
    write_if_other(&to.join(SET), set_text.as_bytes())?;
    let signature = context.keys.export.sign(set_text.as_bytes(), &label)?;
    disk::write_atomic(&to.join(SET_SIGNATURE), signature.as_bytes())?;
    disk::sync_dir(to)?;

    let read_back = read_back(to, context)?;
    Ok(Exported {
        folder: to.to_owned(),
        seq,
        set_id: digest(set_text.as_bytes()),
        written: target.written,
        written_bytes: target.written_bytes,
        scripts: plan.scripts.len() as u64,
        kept: target.kept,
        removed: target.removed,
        read_back: read_back.files,
        read_back_bytes: read_back.bytes,
        read_back_cold: read_back.cold,
        key: context.keys.root.clone(),
        complete: plan.is_complete(),
    })
}

struct ReadBack {
    files: u64,
    bytes: u64,
    cold: bool,
}

/// Reads everything as the receiving side will.
fn read_back(to: &Utf8Path, context: &Context<'_>) -> Result<ReadBack> {
    context.events.send(Event::Phase("reading everything back".to_owned()));
    // Everything was synced; as root the system can be told to forget it, so that the medium itself has to answer.
    let cold = disk::forget_caches();
    let trust = Trust { keys: vec![context.keys.root.clone()], on_first_use: false };
    let spoiled = |error: Error| {
        error.with_kind(ErrorKind::Medium).context("the medium does not hold what was written").hint(
            "do not use it; try another one. Whether it is the medium, the reader, or the cable, it does not keep bytes",
        )
    };
    let examined = examine(to, &trust).map_err(spoiled)?;
    if let Some(error) = examined.missing_error() {
        return Err(spoiled(error));
    }
    let (files, bytes) = examined.read_all(context.events).map_err(spoiled)?;
    Ok(ReadBack { files, bytes, cold })
}

fn digest(bytes: &[u8]) -> Sha256 {
    Sha256::from_bytes(sha2::Sha256::digest(bytes).into())
}

/// The mirror's own name, made at the first export.
fn identity(mirror: &mut Mirror) -> Result<String> {
    if let Some(known) = mirror.index().meta("mirror_id")? {
        return Ok(known);
    }
    let new = uuid::Uuid::new_v4().to_string();
    mirror.index_mut().in_transaction(|index| index.set_meta("mirror_id", &new))?;
    Ok(new)
}

/// The number of this set; a number that was begun is never used again.
fn next_number(mirror: &mut Mirror) -> Result<u64> {
    let last: u64 = mirror.index().meta("export_seq")?.and_then(|text| text.parse().ok()).unwrap_or_default();
    let next = last + 1;
    mirror.index_mut().in_transaction(|index| index.replace_meta("export_seq", &next.to_string()))?;
    Ok(next)
}

fn withdrawn(plan: &ExportPlan, knowledge: &Knowledge) -> Vec<WithdrawnItem> {
    let kbs: BTreeSet<_> = plan.sets.iter().map(|set| set.kb).collect();
    kbs.into_iter()
        .filter_map(|kb| knowledge.withdrawn(kb))
        .map(|row| WithdrawnItem { kb: row.kb, successor: row.successor, why: row.why.clone() })
        .collect()
}

/// Every file outside of `data/` but the manifests, the listing, and the set itself.
fn tag_texts(plan: &ExportPlan, contents: &Contents, context: &Context<'_>) -> BTreeMap<String, Vec<u8>> {
    let mut tags: BTreeMap<String, Vec<u8>> = pages::all(contents).into_iter().collect();
    tags.insert(KEYS.to_owned(), context.keys.list.clone().into_bytes());
    tags.insert(KEYS_SIGNATURE.to_owned(), context.keys.list_signature.clone().into_bytes());
    for (name, text) in context.tables {
        tags.insert(format!("{KNOWLEDGE}/{name}"), text.clone().into_bytes());
    }
    tags.insert("collect.cmd".to_owned(), crate::resolve::script::collect_script().into_bytes());
    tags.insert("bagit.txt".to_owned(), b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_vec());
    tags.insert("bag-info.txt".to_owned(), pages::bag_info(contents, plan).into_bytes());
    tags
}

/// Writes a file when it is not there with just these bytes.
fn write_if_other(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
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
struct Target<'a> {
    root: &'a Utf8Path,
    /// The payload of an earlier set of ours that lies there.
    earlier: BTreeSet<String>,
    written: u64,
    written_bytes: u64,
    kept: u64,
    removed: u64,
}

impl<'a> Target<'a> {
    /// Looks at what lies there; refuses what is neither ours nor an operating system's litter.
    fn new(root: &'a Utf8Path, plan: &ExportPlan, identity: &str) -> Result<Self> {
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
    fn preflight(&self, plan: &ExportPlan) -> Result<()> {
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
    fn write_payload(&mut self, plan: &ExportPlan, events: &Events) -> Result<BTreeMap<String, Sha256>> {
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

    fn write_tools(&self, tools: &BTreeMap<String, Utf8PathBuf>) -> Result<BTreeMap<String, Sha256>> {
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
