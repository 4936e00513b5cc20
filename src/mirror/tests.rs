//! The store on a real file system.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde_json::Value;

use super::index::{PublishState, SetRow, UpdateRecord};
use super::*;
use crate::clock::Time;
use crate::disk::NewFile;
use crate::documents::FindingKind;
use crate::facts::{FileKey, FileProperty, PlainName, SetFolder, Source};
use crate::resolve::package_sets;
use crate::servicing::Knowledge;
use crate::update::{Digests, DualHasher, Kb, UpdateId, classify};

mod bytes;
mod crashes;
mod opening;
mod publishing;
mod unknown;

const MONDAY: Time = Time::constant(1_790_000_000);
const TUESDAY: Time = Time::constant(1_790_086_400);
const CAP: u64 = 1 << 20;

const TITLE: &str =
    "2026-09 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5129195) (26100.9457)";
const FOLDER: &str = "windows-11-24h2-x64";
/// A family without checkpoints: its set has exactly the files of the dialog.
const BUNDLE: &str =
    "2023-09 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5030211)";
const BUNDLE_FOLDER: &str = "windows-10-22h2-x64";

fn main_kb() -> Kb {
    "KB5129195".parse().unwrap()
}

fn set_folder(name: &str) -> SetFolder {
    SetFolder::new(name).unwrap()
}

fn time(time: Time) -> Timestamp {
    time.into()
}

fn digests(bytes: &[u8]) -> Digests {
    let mut hasher = DualHasher::new();
    hasher.update(bytes);
    hasher.finish()
}

/// A file as the Catalog has it: the name, the bytes.
type NamedBytes = (String, Vec<u8>);

/// Returns a package file whose name contains the SHA-1 of its bytes, as Microsoft's names do.
fn package(number: &str, words: &str) -> NamedBytes {
    let bytes = words.as_bytes().to_vec();
    (format!("windows11.0-{number}-x64_{}.msu", digests(&bytes).sha1), bytes)
}

/// Returns target and checkpoint of KB5129195.
fn first_issue() -> Vec<NamedBytes> {
    vec![package("kb5129195", "the target, first issue"), package("kb5043080", "the checkpoint")]
}

/// Returns the same KB issued again: another target, the same checkpoint.
fn second_issue() -> Vec<NamedBytes> {
    vec![package("kb5129195", "the target, second issue, longer"), package("kb5043080", "the checkpoint")]
}

fn folder() -> (tempfile::TempDir, Layout) {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::try_from(folder.path().join("mirror")).unwrap();
    (folder, Layout::new(root, None))
}

fn knowledge() -> Knowledge {
    static BUILT_IN: std::sync::LazyLock<Knowledge> =
        std::sync::LazyLock::new(|| Knowledge::built_in().unwrap());
    BUILT_IN.clone()
}

fn open(layout: &Layout) -> Mirror<WriteAccess> {
    Mirror::open_for_writing(layout.clone(), REPLAY, &knowledge(), time(MONDAY)).unwrap()
}

/// Records an update with its dialog and the resulting set.
fn record(mirror: &mut Mirror<WriteAccess>, title: &str, files: &[NamedBytes], now: Time) -> SetRow {
    let class = classify(title, "Windows 11", None);
    let (kb, architecture) = (class.kb.unwrap(), class.architecture);
    // A different id for each architecture.
    let number = u64::from(kb.number()) + if title.contains("arm64") { 1_000_000_000 } else { 0 };
    let id: UpdateId = format!("be656f78-0714-440c-a0be-{number:012}").parse().unwrap();
    let update = UpdateRecord {
        id,
        title: title.to_owned(),
        class,
        products: "Windows 11".to_owned(),
        classification: "Security Updates".to_owned(),
        last_updated: jiff::civil::date(2026, 9, 14),
        size: files.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
    };
    let listed: Vec<index::FileRecord> = files
        .iter()
        .map(|(name, bytes)| index::FileRecord {
            name: name.clone(),
            url: format!("https://catalog.s.download.windowsupdate.com/c/{name}"),
            sha1: Some(digests(bytes).sha1),
            sha256: Some(digests(bytes).sha256),
        })
        .collect();
    let set = mirror
        .index_mut()
        .in_transaction(|index| {
            index.record_update(&update, now)?;
            assert_eq!(index.record_dialog(id, &listed, now)?.conflicts, []);
            let sets = package_sets(kb, &index.facts_of(&[kb].into())?, &knowledge());
            let own: Vec<_> = sets.iter().filter(|set| set.architecture == architecture).collect();
            assert_eq!(own.len(), 1);
            index.record_set(own[0], now)
        })
        .unwrap();
    mirror.index().set(set).unwrap().unwrap()
}

/// Returns a file with these bytes, as the dialog states them.
fn vetted<'p>(path: &'p Utf8Path, bytes: &[u8]) -> VettedFile<'p> {
    let found = digests(bytes);
    let stated = FileStatements { sha256: Some((found.sha256, Source::Dialog)), ..FileStatements::default() };
    VettedFile::new(path, found, &stated, None).unwrap()
}

/// Writes bytes to the path of a download and admits them to the pool.
fn admit(mirror: &mut Mirror<WriteAccess>, key: FileKey, bytes: &[u8]) -> FileKey {
    let path = mirror.layout().partial().join(digests(bytes).sha256.to_string());
    let mut file = NewFile::create(&path).unwrap();
    file.write(bytes).unwrap();
    let path = file.finish().unwrap();
    let key = mirror.admit(key, &vetted(&path, bytes), RunInfo { command: "test", now: MONDAY }).unwrap().key;
    assert!(!disk::exists(&path), "the partial file is gone");
    key
}

/// Records a set and admits all its bytes to the pool.
fn record_and_admit(
    mirror: &mut Mirror<WriteAccess>,
    title: &str,
    files: &[NamedBytes],
    now: Time,
) -> SetRow {
    let set = record(mirror, title, files, now);
    assert_eq!(set.members.len(), files.len());
    for member in &set.members {
        let sha256 = member.file.sha256.unwrap();
        let (_, bytes) = files.iter().find(|(_, bytes)| digests(bytes).sha256 == sha256).unwrap();
        admit(mirror, member.file.key.unwrap(), bytes);
    }
    reloaded(mirror, &set)
}

/// Returns the current row of the set.
fn reloaded(mirror: &Mirror<impl Access>, set: &SetRow) -> SetRow {
    mirror.index().set(set.id).unwrap().unwrap()
}

/// Returns the content of a folder by name.
fn content(path: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    let names = disk::list(path).unwrap();
    names.into_iter().map(|name| (name.clone(), disk::read(&path.join(name), CAP).unwrap())).collect()
}

fn expected(files: &[NamedBytes]) -> BTreeMap<String, Vec<u8>> {
    files.iter().cloned().collect()
}

/// Returns properties that change when a file is rewritten, as far as the system has them.
fn file_stamps(path: &Utf8Path) -> Vec<String> {
    let of = |path: &Utf8Path| {
        let metadata = disk::open(path).unwrap().metadata().unwrap();
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        format!("{path} {inode} {:?} {}", metadata.modified().unwrap(), metadata.len())
    };
    disk::list(path).unwrap().iter().map(|name| of(&path.join(name))).collect()
}

/// Returns every path below a folder with the bytes of its files, without files that change while the mirror is
/// open.
fn tree(root: &Utf8Path) -> BTreeMap<Utf8PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for name in disk::list(&folder).unwrap() {
            let path = folder.join(&name);
            if name == "lock" || name.starts_with("mirror.db-") {
                continue;
            }
            let bytes = disk::file_size(&path).unwrap().map(|_| disk::read(&path, CAP).unwrap());
            if bytes.is_none() {
                folders.push(path.clone());
            }
            found.insert(path, bytes);
        }
    }
    found
}

fn leftovers(layout: &Layout) -> Vec<String> {
    let names = disk::list(&layout.partial()).unwrap();
    names.into_iter().filter(|name| name.starts_with("publish-") || name.starts_with("replaced-")).collect()
}

/// Returns the incomplete folders under `partial/`. A replaced folder stays until the next run that writes.
fn incomplete_folders(layout: &Layout) -> Vec<String> {
    leftovers(layout).into_iter().filter(|name| !name.starts_with("replaced-")).collect()
}

/// Returns the content of the files beside the set folders of the main KB.
fn content_beside(layout: &Layout) -> Vec<Vec<u8>> {
    let kb = main_kb();
    let paths = [layout.kb_sums(kb), layout.kb_json(kb), layout.kb_readme(kb)];
    paths.iter().map(|path| disk::read(path, CAP).unwrap()).collect()
}
