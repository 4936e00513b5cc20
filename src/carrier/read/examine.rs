//! The check of a medium, which changes nothing.
//!
//! The check has stages, and each makes the next one safe. [`UncheckedMedium`] looks like a finished medium.
//! `SignedSet` has a trusted `set.json`. [`SetDescription`] has the listing and the manifest, which agree.
//! [`ExaminedMedium`] has compared the digest of every file outside of `data/`, and every name and size inside.
//! After that, the payload is read once ([`ExaminedMedium::read_file`]).
//!
//! An unknown entry inside `data/` is an error, because an operator could be made to install it. Unknown entries
//! outside of `data/` are reported and never read, because Windows and virus scanners leave files on every medium.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::description::{LISTING_FILES, SetDescription, expect_digest, read_listing, read_signed_set};
use super::reading::{as_medium_error, digest, hash_file, read_small, utf8};
use crate::carrier::medium::{
    DATA, KNOWLEDGE, Listing, SET, SET_SIGNATURE, TOOLS, UNFINISHED_MARK, caps, refused,
};
use crate::carrier::trust::{SignedSet, TrustedRoots};
use crate::disk::{self, Entry, OpenFolder};
use crate::documents::{AbsentFile, MediumSet, SetRecord};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events};
use crate::update::{Digests, Kb, Sha256, count, human_size};

/// A folder that has the files of a finished medium. Their content was not read yet.
struct UncheckedMedium {
    folder: OpenFolder,
}

/// A medium whose files were all checked, except for the bytes of the payload.
#[derive(Debug)]
pub struct ExaminedMedium {
    /// The folder of the medium.
    pub root: Utf8PathBuf,
    /// The open folder; every file is read through it.
    pub(in crate::carrier) folder: OpenFolder,
    /// The signed `set.json`.
    pub signed: SignedSet,
    /// The content of the set.
    pub listing: Listing,
    /// The digests of the payload, by path.
    pub manifest: BTreeMap<String, Sha256>,
    /// The sizes of package files, by path.
    pub sizes: BTreeMap<String, u64>,
    /// Listed files that are missing on the medium.
    pub missing: Vec<AbsentFile>,
    /// The names of unknown entries outside of `data/`. They were not read.
    pub litter: Vec<String>,
    /// The knowledge tables on the medium, by file name.
    pub knowledge: Vec<(String, String)>,
}

/// Checks a medium completely, except for the bytes of its payload.
pub fn examine(root: &Utf8Path, trust: &TrustedRoots) -> Result<ExaminedMedium> {
    examine_open(UncheckedMedium::open(root)?, trust)
}

/// Checks an open medium completely, except for the bytes of its payload.
pub(in crate::carrier) fn examine_open(folder: OpenFolder, trust: &TrustedRoots) -> Result<ExaminedMedium> {
    let found = UncheckedMedium::new(folder)?;
    let signed = read_signed_set(&found.folder, trust)?;
    let description = read_listing(&found.folder, signed)?;
    ExaminedMedium::check(found.folder, description)
}

impl UncheckedMedium {
    /// Opens a folder that may be a medium.
    fn open(root: &Utf8Path) -> Result<OpenFolder> {
        if disk::is_folder(root).map_err(as_medium_error)? {
            return OpenFolder::open(root).map_err(as_medium_error);
        }
        Err(Error::new(ErrorKind::Medium, format!("{root} is not a folder that could be a medium"))
            .hint("name the folder that contains START-HERE.txt"))
    }

    /// Checks that the folder holds a finished medium: a signed `set.json`, without the mark of an unfinished
    /// export.
    fn new(folder: OpenFolder) -> Result<Self> {
        let root = folder.path();
        let has = |name: &str| Ok::<_, Error>(folder.entry(name).map_err(as_medium_error)? != Entry::Missing);
        if has(UNFINISHED_MARK)? {
            return Err(refused(format!(
                "{root} is unfinished: an export to it was interrupted ({UNFINISHED_MARK})"
            ))
            .hint("run the same kbmirror export again on the connected side"));
        }
        if !has(SET)? {
            return Err(refused(format!("{root} is not a medium of kbmirror: {SET} is missing")).hint(
                "name the folder that contains START-HERE.txt; if an export was interrupted, run it again",
            ));
        }
        if !has(SET_SIGNATURE)? {
            return Err(refused(format!("{root} is not signed: {SET_SIGNATURE} is missing"))
                .hint("export again: the export was interrupted, or the signature was removed"));
        }
        Ok(Self { folder })
    }
}

/// Reads every file outside of `data/` that the set names, except those of the listing. Refuses a file that is
/// missing, is not regular, or has another digest.
fn read_tag_files(root: &OpenFolder, set: &MediumSet) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut texts = BTreeMap::new();
    for (name, expected) in &set.tag_files {
        for parent in Utf8Path::new(name).ancestors().skip(1).filter(|parent| !parent.as_str().is_empty()) {
            if root.entry(parent.as_str()).map_err(as_medium_error)? != Entry::Folder {
                return Err(refused(format!("{parent} is not a folder on the medium")));
            }
        }
        if LISTING_FILES.iter().any(|(read, _)| read == name) {
            continue;
        }
        let found = if name.starts_with(&format!("{TOOLS}/")) {
            hash_tool(root, name)?
        } else {
            let bytes = read_small(root, name, caps::MANIFEST)?;
            let found = digest(&bytes);
            texts.insert(name.clone(), bytes);
            found
        };
        expect_digest(name, found, *expected)?;
    }
    Ok(texts)
}

/// Returns the digest of a program on the medium. The program is not kept in memory, because it may be large.
pub(in crate::carrier) fn hash_tool(root: &OpenFolder, name: &str) -> Result<Sha256> {
    if let Entry::File(size) = root.entry(name).map_err(as_medium_error)?
        && size > caps::TOOL
    {
        return Err(refused(format!("{name} has {size} bytes; the limit is {}", caps::TOOL)));
    }
    Ok(hash_file(root, name, &mut |_| Ok(()))?.sha256)
}

/// Checks every name under `data/`. Returns the listed files that are missing.
fn check_data_folder(
    root: &OpenFolder,
    manifest: &BTreeMap<String, Sha256>,
    sizes: &BTreeMap<String, u64>,
) -> Result<Vec<AbsentFile>> {
    let folders: BTreeSet<&Utf8Path> =
        manifest.keys().flat_map(|path| Utf8Path::new(path).ancestors().skip(1)).collect();
    let mut found = BTreeSet::new();
    let mut open = vec![DATA.to_owned()];
    match root.entry(DATA).map_err(as_medium_error)? {
        Entry::Folder => {}
        Entry::Missing => open.clear(),
        Entry::File(_) | Entry::Other => {
            return Err(refused(format!("{DATA} is not a folder on the medium")));
        }
    }
    while let Some(folder) = open.pop() {
        for name in root.list(&folder).map_err(as_medium_error)? {
            let path = format!("{folder}/{name}");
            let is_known = manifest.contains_key(&path);
            match root.entry(&path).map_err(as_medium_error)? {
                Entry::File(size) if is_known => {
                    if let Some(listed) = sizes.get(&path).filter(|listed| **listed != size) {
                        return Err(refused(format!("{path} has {size} bytes, but {listed} are listed"))
                            .hint("export again: the file was truncated or changed"));
                    }
                    if !sizes.contains_key(&path) && size > caps::SCRIPT {
                        return Err(refused(format!(
                            "{path} is too large for an install script: {size} bytes"
                        )));
                    }
                    found.insert(path);
                }
                Entry::Folder if folders.contains(Utf8Path::new(&path)) => open.push(path),
                Entry::Other => {
                    return Err(refused(format!(
                        "{path} is a link or a device, which is not allowed on a medium"
                    )));
                }
                Entry::File(_) | Entry::Folder | Entry::Missing => {
                    return Err(refused(format!("{path} does not belong to the set, and {DATA} must not contain anything else"))
                        .hint("remove it, and find out who put it there: DISM also installs files that lie beside its target"));
                }
            }
        }
    }
    let absent = manifest.iter().filter(|(path, _)| !found.contains(*path));
    Ok(absent
        .map(|(path, sha256)| AbsentFile {
            path: path.clone(),
            bytes: sizes.get(path).copied(),
            sha256: *sha256,
        })
        .collect())
}

/// Returns the names outside of `data/` that do not belong to the set.
fn unknown_entries(root: &OpenFolder, set: &MediumSet) -> Result<Vec<String>> {
    let mut litter = Vec::new();
    let of_set =
        |path: &str| path == SET || path == SET_SIGNATURE || path == DATA || set.tag_files.contains_key(path);
    for name in root.list("").map_err(as_medium_error)? {
        let is_folder_of_set = [KNOWLEDGE, TOOLS].contains(&name.as_str());
        match root.entry(&name).map_err(as_medium_error)? {
            Entry::Other => {
                return Err(refused(format!(
                    "{name} is a link or a device, which is not allowed on a medium"
                )));
            }
            Entry::Folder if is_folder_of_set => {
                for inner in root.list(&name).map_err(as_medium_error)? {
                    let path = format!("{name}/{inner}");
                    if !of_set(&path) {
                        litter.push(path);
                    }
                }
            }
            _ if of_set(&name) => {}
            _ => litter.push(name),
        }
    }
    Ok(litter)
}

impl ExaminedMedium {
    /// Checks the files outside of the payload, and the names and sizes of the payload.
    fn check(folder: OpenFolder, description: SetDescription) -> Result<Self> {
        let SetDescription { signed, listing, manifest, sizes } = description;
        let texts = read_tag_files(&folder, &signed.set)?;
        let missing = check_data_folder(&folder, &manifest, &sizes)?;
        let tables = texts.into_iter().filter_map(|(name, bytes)| {
            let name = name.strip_prefix(KNOWLEDGE)?.strip_prefix('/')?.to_owned();
            Some(utf8(bytes, &name).map(|text| (name, text)))
        });
        let knowledge = tables.collect::<Result<Vec<_>>>()?;
        let litter = unknown_entries(&folder, &signed.set)?;
        let root = folder.path().to_owned();
        Ok(Self { root, folder, signed, listing, manifest, sizes, missing, litter, knowledge })
    }

    /// Reads one file of the payload and compares it with the signed digest.
    pub fn read_file(&self, path: &str, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Digests> {
        let expected =
            self.manifest.get(path).ok_or_else(|| refused(format!("{path} does not belong to the set")))?;
        let listed = self.sizes.get(path).copied();
        let mut count = 0_u64;
        let digests = hash_file(&self.folder, path, &mut |piece| {
            count += piece.len() as u64;
            if listed.is_some_and(|listed| count > listed) {
                return Err(refused(format!("{path} grew beyond its listed size while it was read")));
            }
            sink(piece)
        })?;
        if digests.sha256 != *expected {
            return Err(refused(format!(
                "{path} does not match its signature: its digest is {}, the signed digest is {expected}",
                digests.sha256
            )));
        }
        Ok(digests)
    }

    /// Reads the complete payload. Refuses the medium with the names of all damaged files. Returns the number of
    /// files and their bytes.
    pub fn read_all(&self, events: &Events) -> Result<(u64, u64)> {
        /// The bytes between two events.
        const STEP: u64 = 16 * 1024 * 1024;
        let of = self.sizes.values().sum();
        let (mut files, mut bytes, mut read) = (0, 0, 0_u64);
        let mut wrong = Vec::new();
        let absent: BTreeSet<&String> = self.missing.iter().map(|file| &file.path).collect();
        for path in self.manifest.keys().filter(|path| !absent.contains(path)) {
            let mut count = |piece: &[u8]| {
                let before = read;
                read += piece.len() as u64;
                if read / STEP != before / STEP {
                    events.send(Event::Checked { bytes: read, of });
                }
                Ok(())
            };
            match self.read_file(path, &mut count) {
                Ok(digests) => {
                    files += 1;
                    bytes += digests.size;
                }
                Err(error) if error.kind() == ErrorKind::Refused => wrong.push(error),
                Err(error) => return Err(error),
            }
        }
        match wrong.len() {
            0 => Ok((files, bytes)),
            1 => Err(wrong.swap_remove(0)),
            count => {
                let names: Vec<&str> = wrong.iter().map(Error::message).collect();
                Err(refused(format!("{count} files do not match their signatures: {}", names.join("; "))))
            }
        }
    }

    /// Excludes package sets from the import. Returns their paths relative to the mirror.
    pub(super) fn exclude_sets(&mut self, is_left: impl Fn(Kb, &SetRecord) -> bool) -> Vec<String> {
        let mut left = Vec::new();
        self.listing.sets.retain(|(kb, set)| {
            let stays = !is_left(*kb, set);
            if !stays {
                left.push(format!("kb/{kb}/{}", set.folder));
            }
            stays
        });
        left
    }

    /// Refuses a medium without package sets. A check or an import of such a medium must not look like a success.
    pub fn expect_sets(&self) -> Result<()> {
        if !self.listing.sets.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Unresolved,
            format!(
                "set {} on {} matches its signature, but has no package sets",
                self.signed.set.label(),
                self.root
            ),
        )
        .hint("export again on the connected side, and check the plan"))
    }

    /// Returns the error for a medium with missing files, or `None` if no file is missing.
    pub fn missing_error(&self) -> Option<Error> {
        if self.missing.is_empty() {
            return None;
        }
        let bytes: u64 = self.missing.iter().filter_map(|file| file.bytes).sum();
        let names: Vec<&str> = self.missing.iter().map(|file| file.path.as_str()).collect();
        let error = refused(format!(
            "{} missing on the medium ({}): {}",
            count(names.len(), "listed file"),
            human_size(bytes),
            names.join(", ")
        ));
        Some(error.hint("export again, or import the complete KBs with --partial-ok"))
    }
}
