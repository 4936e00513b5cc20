//! The content of an export's target: nothing, a medium of this mirror, the rest of an interrupted export, or
//! foreign files.
//!
//! Signatures prove that a medium belongs to this mirror; unsigned text never does. The proof is the signed
//! description of a finished set, the backup of a description that an interrupted export kept, or the signed mark
//! of that export. Version 0.1 did not write a mark. Its interrupted media belong to this mirror in three cases:
//! our root key signed their list of keys, our export key signed their manifest, or the mirror knows every path and
//! digest in that manifest.
//!
//! No link is followed. A link in place of a file or folder of a medium is refused.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::carrier::medium::{
    DATA, KEYS, KEYS_SIGNATURE, KNOWLEDGE, MANIFEST, MANIFEST_SIGNATURE, SET_SIGNATURE, TOOLS, UNFINISHED,
    UNFINISHED_FOLDER, UNFINISHED_MARK, caps, is_name_of_format, is_system_file, read_manifest, refused,
};
use crate::carrier::read::{SetDescription, read_description};
use crate::carrier::read::{as_medium_error, digest, hash_file, read_small, read_text, utf8};
use crate::carrier::trust::{KeyList, PublicKey, SigningKeys, TrustedRoots, read_mark, signer};
use crate::disk::{self, Entry, OpenFolder};
use crate::documents::ExportMark;
use crate::error::{Error, Result};
use crate::facts::SetFolder;
use crate::mirror::index::{PublishState, SetRow};
use crate::mirror::{Access, Mirror};
use crate::update::{Kb, Sha256};

/// The prefix of the file name that is tried before anything is written.
pub(super) const PROBE: &str = "kbm-probe.";

/// The state of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum TargetState {
    /// The target is empty.
    #[default]
    Blank,
    /// A finished set with a verified description.
    Finished,
    /// The rest of an interrupted export. Its mark names the files that it may have left. The earlier set may still
    /// have a description.
    Interrupted,
    /// A medium of this mirror, by a key or by its content, without a verified description.
    Undescribed,
}

/// The content of an export's target.
#[derive(Debug, Default)]
pub struct TargetContent {
    pub(super) root: Utf8PathBuf,
    /// The open folder, or `None` if it does not exist.
    pub(super) folder: Option<OpenFolder>,
    pub(super) state: TargetState,
    /// The verified description of the set on the target.
    pub(super) earlier: Option<Box<SetDescription>>,
    /// Every file under `data/`, with its size.
    pub(super) present: BTreeMap<String, u64>,
    /// The files under `data/` that are proven to belong to this mirror.
    pub(super) own_files: BTreeSet<String>,
    /// Complete package sets by the mirror's own digests, if the target has no verified description.
    pub(super) complete_sets: BTreeSet<(Kb, SetFolder)>,
    /// Incomplete package sets of the mirror, if the target has no verified description.
    pub(super) partial_sets: BTreeSet<(Kb, SetFolder)>,
    /// Set folders that our key signed, but that neither the mirror nor a verified description describes.
    pub(super) unknown_sets: BTreeSet<String>,
    /// Warnings about the target for the operator.
    pub(super) warnings: Vec<String>,
}

/// Returns `true` if an interrupted run of kbmirror may have left a file of this name.
pub(super) fn is_unfinished(name: &str) -> bool {
    let is_new = name
        .strip_prefix(disk::TEMPORARY_PREFIX)
        .is_some_and(|end| end.len() == 6 && end.bytes().all(|letter| letter.is_ascii_alphanumeric()));
    is_new || name.ends_with(UNFINISHED) || name.starts_with(PROBE)
}

impl TargetContent {
    /// Examines a target without changing it. Refuses everything that neither belongs to this mirror nor was
    /// created by an operating system.
    pub fn examine(
        root: &Utf8Path,
        keys: Option<&SigningKeys>,
        mirror: &Mirror<impl Access>,
    ) -> Result<Self> {
        let mut found = Self { root: root.to_owned(), ..Self::default() };
        if !disk::exists(root) {
            return Ok(found);
        }
        let folder = OpenFolder::open(root).map_err(as_medium_error)?;
        found.folder = Some(folder.clone());
        let folder = &folder;
        let names: Vec<String> = folder
            .list("")
            .map_err(as_medium_error)?
            .into_iter()
            .filter(|name| !is_system_file(name))
            .collect();
        for name in names.iter().filter(|name| is_name_of_format(name) || is_unfinished(name)) {
            refuse_link(folder, name)?;
        }
        if names.iter().all(|name| is_unfinished(name)) {
            return Ok(found);
        }
        let foreign_files = || {
            Error::usage(format!(
                "{root} contains files that do not belong to this mirror: {}",
                names.join(", ")
            ))
            .hint("name an empty folder or medium, or a medium of this mirror; nothing was changed")
        };
        let Some(keys) = keys else {
            return Err(foreign_files().hint(
                "create keys with kbmirror keys init: without keys a mirror cannot identify its media",
            ));
        };
        let list = keys.key_list()?;
        if let Some(other) = foreign_root(folder, &list) {
            return Err(Error::usage(format!(
                "{root} is a medium of another mirror: its root key is {other} (id {}), and the root key of this mirror is {} (id {})",
                other.id(),
                list.root,
                list.root.id()
            ))
            .hint(format!(
                "use a separate folder of the medium for each mirror, such as --to {}; nothing was changed",
                root.join("NAME")
            )));
        }
        for name in [KNOWLEDGE, TOOLS, UNFINISHED_FOLDER] {
            list_files(folder, name)?;
        }
        found.present = list_files(folder, DATA)?;
        let mark = read_own_mark(folder, &list).unwrap_or_else(|error| {
            found.warnings.push(format!("ignored the mark of an interrupted export: {}", error.message()));
            None
        });
        found.find_description(folder, &list, mark.is_some())?;
        if let Some(mark) = &mark {
            found.own_files.extend(mark.files.iter().cloned());
        }
        if let Some(earlier) = &found.earlier {
            found.own_files.extend(earlier.manifest.keys().cloned());
        }
        // A mark proves the owner of the medium, but never which sets should stay.
        if found.earlier.is_none() && !found.identify(folder, &list, mirror, mark.is_some())? {
            return Err(foreign_files());
        }
        Ok(found)
    }

    /// Finds a verified description: the medium's own, otherwise the backup that an interrupted export kept.
    fn find_description(&mut self, root: &OpenFolder, list: &KeyList, has_mark: bool) -> Result<()> {
        self.state = if has_mark { TargetState::Interrupted } else { TargetState::Undescribed };
        for (below, state) in [("", TargetState::Finished), (UNFINISHED_FOLDER, TargetState::Interrupted)] {
            if root.entry(below).map_err(as_medium_error)? != Entry::Folder {
                continue;
            }
            let folder = root.inner(below).map_err(as_medium_error)?;
            if folder.entry(SET_SIGNATURE).map_err(as_medium_error)? == Entry::Missing {
                continue;
            }
            match read_own_description(&folder, list) {
                Ok(description) if self.earlier.is_none() => {
                    self.earlier = Some(Box::new(description));
                    self.state = state;
                }
                // The set before the finished one. Its files may not be removed yet.
                Ok(description) => self.own_files.extend(description.manifest.into_keys()),
                Err(error) => self.warnings.push(format!(
                    "ignored the description of the set in {}: {}",
                    folder.path(),
                    error.message()
                )),
            }
        }
        if self.state == TargetState::Interrupted {
            self.warnings.push(format!(
                "an earlier export to {} was interrupted; this export completes it",
                self.root
            ));
        }
        Ok(())
    }

    /// Identifies a medium without a verified description. Returns `false` if nothing proves that the medium
    /// belongs to this mirror.
    fn identify(
        &mut self,
        root: &OpenFolder,
        list: &KeyList,
        mirror: &Mirror<impl Access>,
        has_mark: bool,
    ) -> Result<bool> {
        let rows = mirror.index().sets(None)?;
        let known = KnownFiles::new(&rows, mirror)?;
        let signed = signed_manifest(root, list);
        let is_ours =
            has_mark || signed.is_some() || has_our_keys(root, list) || holds_known_manifest(root, &known);
        if !is_ours {
            return Ok(false);
        }
        self.warnings.push(format!(
            "{} has no verified description of a set: kept the package sets of this mirror",
            self.root
        ));
        let signed = signed.unwrap_or_default();
        let described: Vec<&SetRow> = rows.iter().filter(|row| is_described(row)).collect();
        let folders: BTreeSet<String> =
            described.iter().map(|row| format!("{DATA}/{}/{}", row.kb, row.folder)).collect();
        let mut sets_with_files: BTreeSet<String> = BTreeSet::new();
        for path in self.present.keys() {
            let is_known = known.files.contains_key(path) || known.scripts.contains(path);
            if is_known || signed.contains_key(path) {
                self.own_files.insert(path.clone());
            }
            let name = path.rsplit('/').next().unwrap_or_default();
            if !self.own_files.contains(path) || is_unfinished(name) {
                continue;
            }
            let parts: Vec<&str> = path.split('/').take(3).collect();
            let set = parts.join("/").trim_end_matches(".cmd").to_owned();
            if !folders.contains(&set) || !is_known && signed.contains_key(path) {
                self.unknown_sets.insert(set);
            } else if path.starts_with(&format!("{set}/")) {
                sets_with_files.insert(set);
            }
        }
        for row in described {
            if !sets_with_files.contains(&format!("{DATA}/{}/{}", row.kb, row.folder)) {
                continue;
            }
            let is_complete = self.holds_complete_set(root, row, mirror)?;
            let sets = if is_complete { &mut self.complete_sets } else { &mut self.partial_sets };
            sets.insert((row.kb, row.folder.clone()));
        }
        Ok(true)
    }

    /// Returns `true` if every file of a set exists with the right digest.
    fn holds_complete_set(
        &self,
        root: &OpenFolder,
        row: &SetRow,
        mirror: &Mirror<impl Access>,
    ) -> Result<bool> {
        let names = mirror.folder_of(row)?.names;
        let mut files = Vec::new();
        for (member, name) in row.members.iter().zip(names) {
            let path = format!("{DATA}/{}/{}/{name}", row.kb, row.folder);
            let Some(sha256) = member.file.sha256 else { return Ok(false) };
            if !self.present.contains_key(&path) || self.present.get(&path).copied() != member.file.size {
                return Ok(false);
            }
            files.push((path, sha256));
        }
        Ok(files.iter().all(|(path, sha256)| {
            hash_file(root, path, &mut |_| Ok(())).is_ok_and(|found| found.sha256 == *sha256)
        }))
    }

    /// Returns the open folder, and refuses a folder that does not exist.
    pub(super) fn open(&self) -> Result<&OpenFolder> {
        self.folder.as_ref().ok_or_else(|| refused(format!("{} does not exist", self.root)))
    }

    /// Returns the knowledge tables of the described set by file name. Returns no tables if one of them does not
    /// match its signed digest.
    pub fn knowledge(&self) -> Result<Vec<(String, String)>> {
        let (Some(earlier), Some(folder)) = (&self.earlier, &self.folder) else { return Ok(Vec::new()) };
        let mut tables = Vec::new();
        for (path, signed) in &earlier.signed.set.tag_files {
            let Some(name) = path.strip_prefix(KNOWLEDGE).and_then(|name| name.strip_prefix('/')) else {
                continue;
            };
            let Ok(bytes) = read_small(folder, path, caps::MANIFEST) else { return Ok(Vec::new()) };
            if digest(&bytes) != *signed {
                return Ok(Vec::new());
            }
            tables.push((name.to_owned(), utf8(bytes, path)?));
        }
        Ok(tables)
    }
}

/// The files that a mirror knows, by their paths on a medium.
struct KnownFiles {
    /// The digests of all generations.
    files: BTreeMap<String, BTreeSet<Sha256>>,
    scripts: BTreeSet<String>,
}

impl KnownFiles {
    fn new(rows: &[SetRow], mirror: &Mirror<impl Access>) -> Result<Self> {
        let mut known = Self { files: BTreeMap::new(), scripts: BTreeSet::new() };
        for row in rows {
            known.scripts.insert(format!("{DATA}/{}/{}.cmd", row.kb, row.folder));
            for (member, name) in row.members.iter().zip(mirror.folder_of(row)?.names) {
                let path = format!("{DATA}/{}/{}/{name}", row.kb, row.folder);
                known.files.entry(path).or_default().extend(member.file.sha256);
            }
        }
        Ok(known)
    }
}

/// Returns `true` if the manifest of a medium names only files and scripts of this mirror. This proves the owner of
/// the medium, but never which files may be removed; the mirror's own index decides that.
fn holds_known_manifest(root: &OpenFolder, known: &KnownFiles) -> bool {
    let Ok(text) = read_text(root, MANIFEST, caps::MANIFEST) else { return false };
    read_manifest(&text).is_ok_and(|manifest| {
        !manifest.is_empty()
            && manifest.iter().all(|(path, sha256)| {
                known.scripts.contains(path)
                    || known.files.get(path).is_some_and(|digests| digests.contains(sha256))
            })
    })
}

/// Returns `true` if the mirror publishes a set and knows the digest and the size of each of its files.
fn is_described(row: &SetRow) -> bool {
    row.state == Some(PublishState::Published)
        && row.members.iter().all(|member| member.file.sha256.is_some() && member.file.size.is_some())
}

/// Reads the mark of an interrupted export, which one of our keys must have signed. Returns `None` without a mark.
fn read_own_mark(root: &OpenFolder, list: &KeyList) -> Result<Option<ExportMark>> {
    if root.entry(UNFINISHED_MARK).map_err(as_medium_error)? == Entry::Missing {
        return Ok(None);
    }
    read_mark(&read_text(root, UNFINISHED_MARK, caps::MANIFEST)?, list).map(Some)
}

/// Reads a description that one of our current keys has signed.
fn read_own_description(folder: &OpenFolder, list: &KeyList) -> Result<SetDescription> {
    let trust = TrustedRoots { keys: vec![list.root.clone()], on_first_use: false };
    let description = read_description(folder, &trust)?;
    if !list.export_keys.iter().any(|row| row.key == description.signed.export_key) {
        return Err(refused(format!(
            "it is signed with {}, which is not an export key of this mirror any more",
            description.signed.export_key.short()
        )));
    }
    Ok(description)
}

/// Returns the root key that a medium names, if it is not ours. The key only decides the wording of the refusal.
fn foreign_root(root: &OpenFolder, list: &KeyList) -> Option<PublicKey> {
    let text = read_text(root, KEYS, caps::SMALL).ok()?;
    let claimed: KeyList = serde_json::from_str(&text).ok()?;
    (claimed.root != list.root).then_some(claimed.root)
}

/// Returns `true` if our root key signed the list of keys on a medium.
fn has_our_keys(root: &OpenFolder, list: &KeyList) -> bool {
    let texts = read_text(root, KEYS, caps::SMALL)
        .and_then(|text| Ok((text, read_text(root, KEYS_SIGNATURE, caps::SMALL)?)));
    texts.is_ok_and(|(text, signature)| {
        KeyList::read(&text, &signature, std::slice::from_ref(&list.root)).is_ok()
    })
}

/// Returns the manifest of a medium if one of our keys signed it, otherwise `None`.
fn signed_manifest(root: &OpenFolder, list: &KeyList) -> Option<BTreeMap<String, Sha256>> {
    let text = read_text(root, MANIFEST, caps::MANIFEST).ok()?;
    let signature = read_text(root, MANIFEST_SIGNATURE, caps::SMALL).ok()?;
    signer(list, text.as_bytes(), &signature, MANIFEST).ok()?;
    read_manifest(&text).ok()
}

/// Refuses a link or a device, a folder in place of a file, and a file in place of a folder.
fn refuse_link(root: &OpenFolder, name: &str) -> Result<()> {
    let is_folder = [DATA, KNOWLEDGE, TOOLS, UNFINISHED_FOLDER].contains(&name);
    match root.entry(name).map_err(as_medium_error)? {
        Entry::Folder if is_folder => Ok(()),
        Entry::File(_) if !is_folder => Ok(()),
        Entry::Missing => Ok(()),
        Entry::Other => Err(link_error(name)),
        Entry::File(_) => Err(Error::usage(format!("{name} on the medium is a file instead of a folder"))
            .hint("move it away, or name another folder; nothing was changed")),
        Entry::Folder => Err(Error::usage(format!("{name} on the medium is a folder instead of a file"))
            .hint("move it away, or name another folder; nothing was changed")),
    }
}

fn link_error(path: &str) -> Error {
    Error::usage(format!("{path} on the medium is a link or a device, which is not followed"))
        .hint("move it away, or name another folder; nothing was changed")
}

/// Returns every file below a folder of the medium with its size. Refuses links and devices.
fn list_files(root: &OpenFolder, folder: &str) -> Result<BTreeMap<String, u64>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for name in root.list(&folder).map_err(as_medium_error)? {
            let path = format!("{folder}/{name}");
            match root.entry(&path).map_err(as_medium_error)? {
                Entry::Folder => open.push(path),
                Entry::File(size) => {
                    files.insert(path, size);
                }
                Entry::Other => return Err(link_error(&path)),
                // The name is not UTF-8.
                Entry::Missing => {
                    return Err(Error::usage(format!("{path} on the medium does not belong to this mirror")));
                }
            }
        }
    }
    Ok(files)
}
