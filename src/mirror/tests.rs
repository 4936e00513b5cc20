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
use crate::facts::{Checked, FileKey, PlainName, SetFolder, Source};
use crate::resolve::package_sets;
use crate::servicing::Knowledge;
use crate::update::{Digests, DualHasher, Kb, UpdateId, classify};

mod unknown;

const MONDAY: Time = Time::constant(1_790_000_000);
const TUESDAY: Time = Time::constant(1_790_086_400);
const CAP: u64 = 1 << 20;

const TITLE: &str =
    "2026-09 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5129195) (26100.9457)";
const FOLDER: &str = "windows-11-24h2-x64";
/// A family without checkpoints: its set is just what the dialog lists.
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
type Content = (String, Vec<u8>);

/// A package file whose name carries the SHA-1 of its bytes, as Microsoft's do.
fn package(number: &str, words: &str) -> Content {
    let bytes = words.as_bytes().to_vec();
    (format!("windows11.0-{number}-x64_{}.msu", digests(&bytes).sha1), bytes)
}

/// Target and checkpoint of KB5129195.
fn first_issue() -> Vec<Content> {
    vec![package("kb5129195", "the target, first issue"), package("kb5043080", "the checkpoint")]
}

/// The same KB issued again: another target, the same checkpoint.
fn second_issue() -> Vec<Content> {
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

fn open(layout: &Layout) -> Mirror<Writing> {
    Mirror::open_to_write(layout.clone(), REPLAY, &knowledge(), time(MONDAY)).unwrap()
}

/// Records an update with its dialog and the set that comes of them.
fn record(mirror: &mut Mirror<Writing>, title: &str, files: &[Content], now: Time) -> SetRow {
    let class = classify(title, "Windows 11", None);
    let (kb, architecture) = (class.kb.unwrap(), class.architecture);
    // One of each architecture.
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

/// A file with these bytes, as the dialog states them.
fn vetted<'p>(path: &'p Utf8Path, bytes: &[u8]) -> Vetted<'p> {
    let found = digests(bytes);
    let stated = Stated { sha256: Some((found.sha256, Source::Dialog)), ..Stated::default() };
    Vetted::new(path, found, &stated, None).unwrap()
}

/// Lays bytes down where a download would and takes them into the pool.
fn admit(mirror: &mut Mirror<Writing>, key: FileKey, bytes: &[u8]) -> FileKey {
    let path = mirror.layout().partial().join(digests(bytes).sha256.to_string());
    let mut file = NewFile::create(&path).unwrap();
    file.write(bytes).unwrap();
    let path = file.finish().unwrap();
    let key = mirror.admit(key, &vetted(&path, bytes), Run { command: "test", now: MONDAY }).unwrap().key;
    assert!(!disk::exists(&path), "the partial file is gone");
    key
}

/// The set with all its bytes in the pool.
fn ready(mirror: &mut Mirror<Writing>, title: &str, files: &[Content], now: Time) -> SetRow {
    let set = record(mirror, title, files, now);
    assert_eq!(set.members.len(), files.len());
    for member in &set.members {
        let sha256 = member.file.sha256.unwrap();
        let (_, bytes) = files.iter().find(|(_, bytes)| digests(bytes).sha256 == sha256).unwrap();
        admit(mirror, member.file.key.unwrap(), bytes);
    }
    again(mirror, &set)
}

/// The set as the index has it now.
fn again(mirror: &Mirror<impl Access>, set: &SetRow) -> SetRow {
    mirror.index().set(set.id).unwrap().unwrap()
}

/// The content of a folder by name.
fn content(path: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    let names = disk::list(path).unwrap();
    names.into_iter().map(|name| (name.clone(), disk::read(&path.join(name), CAP).unwrap())).collect()
}

fn expected(files: &[Content]) -> BTreeMap<String, Vec<u8>> {
    files.iter().cloned().collect()
}

/// What shows that a file was not written anew, only as far as the system tells.
fn traces(path: &Utf8Path) -> Vec<String> {
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

/// Every path below a folder with the bytes of its files, without what changes by being open.
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

/// The folders under `partial/` that are not whole. What was replaced stays until the next run that writes.
fn half_made(layout: &Layout) -> Vec<String> {
    leftovers(layout).into_iter().filter(|name| !name.starts_with("replaced-")).collect()
}

// Publishing.

#[test]
fn publish_makes_just_the_files_of_the_set() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    assert!(!mirror.stands(&set).unwrap());
    let (published, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    assert_eq!(published, Published::Published);
    assert_eq!(made.path, layout.root().join("kb").join("KB5129195").join(FOLDER));
    let [target, checkpoint] = <[Content; 2]>::try_from(first_issue()).unwrap();
    assert_eq!(made.names, [checkpoint.0, target.0], "the checkpoint comes first");
    assert_eq!(content(&made.path), expected(&first_issue()));
    assert!(mirror.stands(&again(&mirror, &set)).unwrap());
    assert_eq!(again(&mirror, &set).state, Some(PublishState::Published));
    assert_eq!(
        disk::list(&layout.kb(main_kb())).unwrap(),
        ["KB5129195.json", "README.txt", "SHA256SUMS", FOLDER, &format!("{FOLDER}.cmd")]
    );
    assert_eq!(leftovers(&layout), Vec::<String>::new());
}

#[test]
fn bytes_are_in_the_pool_once_and_nobody_may_write_them() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    for (name, bytes) in first_issue() {
        let sha256 = digests(&bytes).sha256;
        let pooled = layout.pool_file(&sha256);
        let digits = sha256.to_string();
        assert_eq!(layout.relative(&pooled), format!("pool/sha256/{}/{digits}", &digits[..2]));
        let metadata = disk::open(&pooled).unwrap().metadata().unwrap();
        assert!(metadata.permissions().readonly());
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let link = disk::open(&made.path.join(&name)).unwrap().metadata().unwrap();
            assert_eq!((link.dev(), link.ino()), (metadata.dev(), metadata.ino()), "{name} is a link");
            assert_eq!(metadata.mode() & 0o777, 0o444);
        }
        assert_eq!(disk::read(&made.path.join(&name), CAP).unwrap(), bytes);
    }
}

#[test]
fn the_files_beside_the_folder_say_what_is_in_it() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    let sums = disk::read_text(&layout.kb_sums(main_kb()), CAP).unwrap();
    let lines: Vec<&str> = sums.lines().collect();
    assert_eq!(lines.len(), 2);
    for (line, name) in lines.iter().zip(&made.names) {
        let (digest, path) = line.split_once("  ").unwrap();
        assert_eq!(path, format!("{FOLDER}/{name}"));
        let bytes = disk::read(&layout.kb(main_kb()).join(path), CAP).unwrap();
        assert_eq!(digest, digests(&bytes).sha256.to_string());
    }
    assert!(sums.ends_with('\n') && !sums.contains('\r'));

    let document: Value =
        serde_json::from_str(&disk::read_text(&layout.kb_json(main_kb()), CAP).unwrap()).unwrap();
    assert_eq!(
        (&document["format"], &document["kb"], &document["origin"]),
        (&1.into(), &"KB5129195".into(), &REPLAY.into())
    );
    let of_set = &document["sets"][0];
    assert_eq!(of_set["folder"], FOLDER);
    let files = of_set["files"].as_array().unwrap();
    for ((place, file), (name, role)) in (1..).zip(files).zip(made.names.iter().zip(["checkpoint", "target"]))
    {
        assert_eq!((&file["order"], &file["role"]), (&place.into(), &role.into()));
        assert_eq!(file["path"], format!("{FOLDER}/{name}"));
        let found = digests(&disk::read(&made.path.join(name), CAP).unwrap());
        assert_eq!(file["sha1"], found.sha1.to_string());
        assert_eq!(file["sha256"], found.sha256.to_string());
        assert_eq!((&file["size"], &file["sha256_source"]), (&found.size.into(), &"dialog".into()));
        assert_eq!(file["checks"], serde_json::json!([{ "what": "sha256", "against": "dialog" }]));
    }
    let needs = serde_json::json!([{ "from": 2, "to": 1, "role": "checkpoint", "source": "dialog" }]);
    assert_eq!(of_set["needs"], needs);
    assert_eq!(document["updates"][0]["title"], TITLE);

    let readme = disk::read_text(&layout.kb_readme(main_kb()), CAP).unwrap();
    assert!(readme.starts_with("KB5129195\r\n") && readme.contains("DEMO"), "{readme}");
    let place = |name: &PlainName| readme.find(name.as_str()).unwrap();
    assert!(place(&made.names[0]) < place(&made.names[1]), "{readme}");
}

#[test]
fn publishing_again_changes_nothing() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    let set = again(&mirror, &set);
    let before = (traces(&made.path), content_beside(&layout));
    let (published, same) = mirror.publish(&set, &knowledge(), TUESDAY).unwrap();
    assert_eq!((published, &same), (Published::Unchanged, &made));
    assert_eq!((traces(&made.path), content_beside(&layout)), before);
}

/// The files that lie beside the set folders of the main KB.
fn content_beside(layout: &Layout) -> Vec<Vec<u8>> {
    let kb = main_kb();
    let paths = [layout.kb_sums(kb), layout.kb_json(kb), layout.kb_readme(kb)];
    paths.iter().map(|path| disk::read(path, CAP).unwrap()).collect()
}

#[test]
fn a_folder_that_somebody_changed_is_published_anew() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    let set = again(&mirror, &set);
    let file = made.path.join(&made.names[0]);
    let damages: [(&str, &dyn Fn()); 4] = [
        ("a file is gone", &|| disk::remove_file(&file).unwrap()),
        ("a file was added", &|| disk::write_atomic(&made.path.join("extra.txt"), b"x").unwrap()),
        ("a file has another size", &|| disk::write_atomic(&file, b"cut").unwrap()),
        ("the folder is gone", &|| disk::remove_dir_all(&made.path).unwrap()),
    ];
    for (what, damage) in damages {
        damage();
        assert!(!mirror.stands(&set).unwrap(), "{what}");
        let (published, same) = mirror.publish(&set, &knowledge(), TUESDAY).unwrap();
        assert_eq!((published, &same), (Published::Published, &made), "{what}");
        assert_eq!(content(&made.path), expected(&first_issue()), "{what}");
        assert!(mirror.stands(&set).unwrap(), "{what}");
        assert_eq!(half_made(&layout), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn a_set_that_was_issued_again_replaces_the_folder_whole() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let old = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&old, &knowledge(), MONDAY).unwrap();
    let new = ready(&mut mirror, TITLE, &second_issue(), TUESDAY);
    assert_ne!(new.id, old.id);
    assert_eq!(new.folder, old.folder);
    assert!(!mirror.stands(&new).unwrap());
    assert!(mirror.stands(&again(&mirror, &old)).unwrap(), "until then the old one stands");
    let (published, same) = mirror.publish(&new, &knowledge(), TUESDAY).unwrap();
    assert_eq!((published, &same.path), (Published::Published, &made.path));
    assert_eq!(content(&made.path), expected(&second_issue()));
    assert!(mirror.stands(&again(&mirror, &new)).unwrap());
    let old = again(&mirror, &old);
    assert_eq!((old.state, mirror.stands(&old).unwrap()), (None, false));
    let sums = disk::read_text(&layout.kb_sums(main_kb()), CAP).unwrap();
    assert_eq!((sums.lines().count(), sums.contains(&first_issue()[0].0)), (2, false));
    assert_eq!(half_made(&layout), Vec::<String>::new());
    // The pool forgets nothing.
    assert!(mirror.pooled(old.members[1].file.key.unwrap()).unwrap().is_some());
}

#[test]
fn a_set_that_lacks_a_file_is_not_published() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record(&mut mirror, TITLE, &first_issue(), MONDAY);
    admit(&mut mirror, set.members[0].file.key.unwrap(), b"the checkpoint");
    let set = again(&mirror, &set);
    let error = mirror.publish(&set, &knowledge(), MONDAY).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
    assert!(error.message().contains(&set.members[1].file.name), "{error}");
    assert!(!disk::exists(&layout.kb(main_kb())));
    assert_eq!(mirror.index().published_as(main_kb(), &set_folder(FOLDER)).unwrap(), None);
    drop(mirror);
    let mirror = open(&layout);
    assert_eq!(leftovers(&layout), Vec::<String>::new());
    assert!(!mirror.stands(&again(&mirror, &set)).unwrap());
}

#[test]
fn an_old_set_stands_until_every_file_of_the_new_one_is_here() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let old = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&old, &knowledge(), MONDAY).unwrap();
    let before = (traces(&made.path), content_beside(&layout));
    let new = record(&mut mirror, TITLE, &second_issue(), TUESDAY);
    assert_eq!(mirror.publish(&new, &knowledge(), TUESDAY).unwrap_err().kind(), ErrorKind::Incomplete);
    assert_eq!((traces(&made.path), content_beside(&layout)), before);
    assert!(mirror.stands(&again(&mirror, &old)).unwrap());
}

#[test]
fn a_pool_file_that_is_gone_or_cut_is_not_in_the_pool() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    let key = set.members[1].file.key.unwrap();
    let pooled = mirror.pooled(key).unwrap().unwrap();
    assert_eq!(pooled.size, set.members[1].file.size.unwrap());
    let damages: [&dyn Fn(); 2] =
        [&|| disk::write_atomic(&pooled.path, b"cut").unwrap(), &|| disk::remove_file(&pooled.path).unwrap()];
    for damage in damages {
        damage();
        assert_eq!(mirror.pooled(key).unwrap(), None);
        assert_eq!(mirror.publish(&set, &knowledge(), MONDAY).unwrap_err().kind(), ErrorKind::Incomplete);
        assert!(!disk::exists(&layout.set(main_kb(), &set_folder(FOLDER))));
    }
    // The bytes come again: the index knows them already.
    admit(&mut mirror, key, &first_issue()[0].1);
    assert_eq!(mirror.pooled(key).unwrap(), Some(pooled));
    assert_eq!(mirror.publish(&set, &knowledge(), MONDAY).unwrap().0, Published::Published);
}

#[test]
fn names_that_differ_in_case_only_stay_two_files() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let files: Vec<Content> =
        vec![("Setup.msu".to_owned(), b"upper".to_vec()), ("setup.msu".to_owned(), b"lower".to_vec())];
    let set = ready(&mut mirror, BUNDLE, &files, MONDAY);
    let (_, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    assert!(made.path.ends_with(BUNDLE_FOLDER), "{}", made.path);
    let digits: String = digests(b"lower").sha256.to_string().chars().take(8).collect();
    assert_eq!(made.names, ["Setup.msu".to_owned(), format!("setup~{digits}.msu")]);
    let bytes: Vec<Vec<u8>> =
        made.names.iter().map(|name| disk::read(&made.path.join(name), CAP).unwrap()).collect();
    assert_eq!(bytes, [b"upper", b"lower"]);
    assert_eq!(disk::list(&made.path).unwrap().len(), 2);
    assert!(mirror.stands(&again(&mirror, &set)).unwrap());
    let sums = disk::read_text(&layout.kb_sums(set.kb), CAP).unwrap();
    assert!(sums.contains(&format!("{BUNDLE_FOLDER}/setup~{digits}.msu")), "{sums}");
}

#[test]
fn a_name_that_is_a_path_is_refused() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = ready(&mut mirror, BUNDLE, &[("../../escaped.msu".to_owned(), b"bytes".to_vec())], MONDAY);
    let error = mirror.publish(&set, &knowledge(), MONDAY).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.message().contains("../../escaped.msu"), "{error}");
    assert!(!disk::exists(&layout.kbs()) && !disk::exists(&layout.root().join("escaped.msu")));
}

// What a crash leaves.

/// Where a process was when it ended while it published the second issue over the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crash {
    /// The intent is noted and nothing was renamed; no older folder was there.
    FolderAbsent,
    /// The intent is noted and nothing was renamed; the older folder is in place.
    OldInPlace,
    /// The older folder is aside.
    OldAside,
    /// The new folder is in place, and the older one is still aside.
    NewInPlace,
}

/// Brings a mirror into the state of a crash; the mirror is closed. Returns the old set and the new one.
fn crash(layout: &Layout, crash: Crash) -> (SetRow, SetRow) {
    let mut mirror = open(layout);
    let old = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    let place = layout.set(main_kb(), &set_folder(FOLDER));
    if crash != Crash::FolderAbsent {
        mirror.publish(&old, &knowledge(), MONDAY).unwrap();
    }
    let new = ready(&mut mirror, TITLE, &second_issue(), TUESDAY);
    // As the publication makes it: whole.
    let staged = layout.partial().join(format!("publish-KB5129195-{FOLDER}"));
    disk::create_dir_all(&staged).unwrap();
    for (name, bytes) in second_issue() {
        assert!(disk::link(&layout.pool_file(&digests(&bytes).sha256), &staged.join(name)).unwrap());
    }
    let index = mirror.index_mut();
    index
        .in_transaction(|index| {
            index.set_published(main_kb(), &set_folder(FOLDER), new.id, PublishState::Publishing, TUESDAY)
        })
        .unwrap();
    let aside = layout.partial().join(format!("replaced-KB5129195-{FOLDER}"));
    if matches!(crash, Crash::OldAside | Crash::NewInPlace) {
        disk::rename(&place, &aside).unwrap();
    }
    if crash == Crash::NewInPlace {
        disk::rename(&staged, &place).unwrap();
    }
    (old, new)
}

/// Reads every file that the sums of a KB list, through a handle of the KB's folder; returns how many.
fn read_generation(layout: &Layout) -> usize {
    let authority = cap_std::ambient_authority();
    let folder = cap_std::fs::Dir::open_ambient_dir(layout.kb(main_kb()), authority).unwrap();
    let sums = folder.read_to_string("SHA256SUMS").unwrap();
    for line in sums.lines() {
        let (sha256, path) = line.split_once("  ").unwrap();
        assert_eq!(digests(&folder.read(path).unwrap()).sha256.to_string(), sha256, "{path}");
    }
    sums.lines().count()
}

#[test]
fn a_reader_sees_one_generation_while_a_set_is_replaced_thirty_times() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let issues = [
        ready(&mut mirror, TITLE, &first_issue(), MONDAY),
        ready(&mut mirror, TITLE, &second_issue(), TUESDAY),
    ];
    mirror.publish(&issues[0], &knowledge(), MONDAY).unwrap();
    // An unknown file stays.
    let notes = layout.kb(main_kb()).join("notes.txt");
    disk::write_atomic(&notes, b"mine").unwrap();
    let (a, b) = (layout.partial().join("a"), layout.partial().join("b"));
    disk::create_dir_all(&a).unwrap();
    disk::create_dir_all(&b).unwrap();
    if !disk::exchange(&a, &b).unwrap() {
        // Nothing is promised there.
        return;
    }
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut files = 0;
            loop {
                let last = is_over.load(std::sync::atomic::Ordering::SeqCst);
                files += read_generation(&layout);
                if last {
                    return files;
                }
            }
        });
        for round in 0..30 {
            let set = again(&mirror, &issues[(round + 1) % 2]);
            let (published, _) = mirror.publish(&set, &knowledge(), TUESDAY).unwrap();
            assert_eq!(published, Published::Published, "round {round}");
        }
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
        assert!(reader.join().unwrap() > 0);
    });
    assert_eq!(disk::read(&notes, CAP).unwrap(), b"mine");
    assert_eq!(leftovers(&layout).len(), 30, "the old folders stay for their readers");
    drop(mirror);
    drop(open(&layout));
    assert_eq!(leftovers(&layout), Vec::<String>::new(), "until the next run that writes");
}

const CRASHES: [Crash; 4] = [Crash::FolderAbsent, Crash::OldInPlace, Crash::OldAside, Crash::NewInPlace];

#[test]
fn the_next_run_finishes_what_a_crash_cut_off() {
    for state in CRASHES {
        let (_guard, layout) = folder();
        let (_, new) = crash(&layout, state);
        let place = layout.set(main_kb(), &set_folder(FOLDER));
        let mirror = open(&layout);
        assert!(mirror.stands(&again(&mirror, &new)).unwrap(), "{state:?}");
        assert_eq!(content(&place), expected(&second_issue()), "{state:?}");
        assert_eq!(leftovers(&layout), Vec::<String>::new(), "{state:?}");
        assert_eq!(mirror.index().cut_off().unwrap(), []);
        let sums = disk::read_text(&layout.kb_sums(main_kb()), CAP).unwrap();
        assert!(sums.contains(&second_issue()[0].0), "{state:?}: the files beside the folder follow");
        let before = traces(&place);
        drop(mirror);
        drop(open(&layout));
        assert_eq!(traces(&place), before, "{state:?}: once is enough");
    }
}

#[test]
fn the_next_run_undoes_what_it_cannot_finish() {
    for state in CRASHES {
        let (_guard, layout) = folder();
        let (old, new) = crash(&layout, state);
        // The new target's bytes were lost.
        disk::remove_file(&layout.pool_file(&digests(&second_issue()[0].1).sha256)).unwrap();
        let place = layout.set(main_kb(), &set_folder(FOLDER));
        let mirror = open(&layout);
        assert_eq!(mirror.index().published_as(main_kb(), &set_folder(FOLDER)).unwrap(), None, "{state:?}");
        for set in [&old, &new] {
            assert!(!mirror.stands(&again(&mirror, set)).unwrap(), "{state:?}");
        }
        let there = match state {
            Crash::FolderAbsent => BTreeMap::new(),
            Crash::OldInPlace | Crash::OldAside => expected(&first_issue()),
            // It came into place whole and keeps its bytes.
            Crash::NewInPlace => expected(&second_issue()),
        };
        assert_eq!(content(&place), there, "{state:?}");
        assert_eq!(leftovers(&layout), Vec::<String>::new(), "{state:?}");
    }
}

#[test]
fn folders_half_made_belong_to_nobody_and_files_half_loaded_stay() {
    let (_guard, layout) = folder();
    drop(open(&layout));
    let half = layout.partial().join("publish-KB5129195-windows-11-24h2-x64").join("half.msu");
    disk::write_atomic(&half, b"half").unwrap();
    disk::write_atomic(&layout.partial().join("replaced-KB5129195-x").join("old.msu"), b"old").unwrap();
    disk::write_atomic(&layout.partial().join("0123"), b"the first bytes").unwrap();
    drop(open(&layout));
    assert_eq!(disk::list(&layout.partial()).unwrap(), ["0123"], "a download may go on");
    // The index does not know it: it may be the only one.
    assert_eq!(disk::list(&layout.quarantine()).unwrap(), ["evidence-KB5129195-x-old.msu"]);
    assert!(!disk::exists(&layout.kbs()));
}

// Bytes.

#[test]
fn bytes_that_the_pool_has_already_are_kept_once() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    let key = set.members[0].file.key.unwrap();
    let pool = layout.root().join("pool");
    let before = (tree(&pool), mirror.pooled(key).unwrap().unwrap());
    let bytes = before.1.path.clone();
    let trace = traces(disk::parent(&bytes));
    assert_eq!(admit(&mut mirror, key, b"the checkpoint"), key);
    // From another address and under another name, known by its name's SHA-1 alone.
    let digest = digests(b"the checkpoint");
    let record = index::FileRecord {
        name: format!("renamed_{}.msu", digest.sha1),
        url: "https://elsewhere/renamed.msu".to_owned(),
        sha1: None,
        sha256: None,
    };
    let (other, _) = mirror
        .index_mut()
        .in_transaction(|index| index.record_file(&record, Source::Dialog, None, TUESDAY))
        .unwrap();
    assert_eq!(admit(&mut mirror, other, b"the checkpoint"), key);
    // And one that nobody could know to be the same before its bytes were here.
    let record = index::FileRecord { name: "unknown.msu".to_owned(), ..record };
    let (other, _) = mirror
        .index_mut()
        .in_transaction(|index| index.record_file(&record, Source::Dialog, None, TUESDAY))
        .unwrap();
    assert_ne!(other, key);
    assert_eq!(admit(&mut mirror, other, b"the checkpoint"), key);
    assert_eq!(mirror.index().file(other).unwrap(), None, "the two are one file now");
    assert_eq!((tree(&pool), mirror.pooled(key).unwrap().unwrap()), before);
    assert_eq!(traces(disk::parent(&bytes)), trace);
}

#[test]
fn quarantine_keeps_the_bytes_and_says_why() {
    let (_guard, layout) = folder();
    let mirror = open(&layout);
    let digest = digests(b"not what was stated").sha256;
    for _ in 0..2 {
        let partial = layout.partial().join("download");
        disk::write_atomic(&partial, b"not what was stated").unwrap();
        let kept = mirror.quarantine(&partial, &digest, Some(Checked::Sha256), MONDAY).unwrap();
        assert_eq!(layout.relative(&kept), format!("quarantine/{digest}.sha256-differs"));
        assert_eq!(disk::read(&kept, CAP).unwrap(), b"not what was stated");
        assert!(!disk::exists(&partial));
    }
    assert_eq!(disk::list(&layout.quarantine()).unwrap().len(), 1);
    assert!(!disk::exists(&layout.root().join("pool")));
}

#[test]
fn what_was_kept_for_long_enough_is_purged_and_nothing_else() {
    /// Names and what becomes of them after 31 days.
    const EVIDENCE: [&str; 5] = [
        "quarantine/evidence-2026-01-01T000000Z-windows-11-24h2-arm64.cmd",
        "quarantine/notes.txt",
        "runs/2026-01-01T000000Z-export.json",
        "runs/2026-01-01T000000Z-check-medium.json",
        "runs/my page.html",
    ];
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let files = [("package.msu".to_owned(), b"the right bytes".to_vec())];
    let set = ready(&mut mirror, BUNDLE, &files, MONDAY);
    for name in EVIDENCE {
        disk::write_atomic(&layout.root().join(name), b"kept").unwrap();
        disk::set_modified(&layout.root().join(name), Time::UNIX_EPOCH);
    }
    // A rejected download, a saved page, and a damaged file of the pool that is here again.
    let digest = digests(b"not what was stated").sha256;
    let partial = layout.partial().join("download");
    disk::write_atomic(&partial, b"not what was stated").unwrap();
    let rejected = mirror.quarantine(&partial, &digest, Some(Checked::Sha256), MONDAY).unwrap();
    let page = layout.runs().join("2026-09-01T000000Z-search.html");
    disk::write_atomic(&page, b"<html>").unwrap();
    let right = set.members[0].file.sha256.unwrap();
    let replaced = layout.quarantine().join(format!("{right}.damaged"));
    let only = layout.quarantine().join(format!("{digest}.damaged-2"));
    for path in [&replaced, &only] {
        disk::write_atomic(path, b"damaged").unwrap();
        disk::set_modified(path, MONDAY);
    }
    let trashed = |date: Time| layout.trash().join(date.date().to_string()).join("KB5043080");
    for days in [0, 20, 40] {
        disk::write_atomic(&trashed(MONDAY.shifted_by(days * 86_400)), b"removed").unwrap();
    }
    disk::write_atomic(&layout.trash().join("mine"), b"kept").unwrap();

    let after = |days: i64| MONDAY.shifted_by(days * 86_400);
    // Whatever the clock says: an entry of the future is new.
    mirror.purge(after(-4000)).unwrap();
    assert!(disk::exists(&rejected) && disk::exists(&replaced) && disk::exists(&trashed(MONDAY)));
    mirror.purge(after(30)).unwrap();
    assert!(disk::exists(&rejected) && disk::exists(&replaced));
    assert_eq!([0, 20, 40].map(|days| disk::exists(&trashed(after(days)))), [false, true, true]);
    let purged = mirror.purge(after(31)).unwrap();
    assert!(!disk::exists(&rejected) && !disk::exists(&replaced) && disk::exists(&only));
    assert!(purged.files >= 2 && purged.bytes >= 26, "{purged:?}");
    mirror.purge(after(400)).unwrap();
    assert!(!disk::exists(&page) && disk::exists(&only));
    for name in EVIDENCE {
        assert!(disk::exists(&layout.root().join(name)), "{name}");
    }
    assert_eq!(disk::list(&layout.trash()).unwrap(), ["mine"]);
    // What the pool holds under the name of the right bytes has to be these.
    disk::write_atomic(&replaced, b"damaged").unwrap();
    disk::set_modified(&replaced, MONDAY);
    disk::write_atomic(&layout.pool_file(&right), b"other bytes").unwrap();
    mirror.purge(after(400)).unwrap();
    assert!(disk::exists(&replaced), "it may be the only copy");
}

// Opening.

#[test]
fn a_mirror_takes_content_of_one_origin_only() {
    let (_guard, layout) = folder();
    Mirror::check_usable(&layout, "live").unwrap();
    assert!(!disk::exists(layout.root()), "to ask makes nothing");
    let mut mirror = open(&layout);
    let set = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    drop(mirror);
    let before = tree(layout.root());
    for origin in ["live", "catalog.example"] {
        let refused = [
            Mirror::check_usable(&layout, origin).unwrap_err(),
            Mirror::open_to_write(layout.clone(), origin, &knowledge(), time(TUESDAY)).unwrap_err(),
        ];
        for error in refused {
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.message().contains("a recording"), "{error}");
            assert!(error.message().contains(layout.root().as_str()), "{error}");
        }
    }
    assert_eq!(tree(layout.root()), before);
    Mirror::check_usable(&layout, REPLAY).unwrap();
    let mirror = Mirror::open_to_write(layout.clone(), REPLAY, &knowledge(), time(TUESDAY)).unwrap();
    assert_eq!(mirror.origin().unwrap(), REPLAY);
    assert!(mirror.stands(&again(&mirror, &set)).unwrap());
}

#[test]
fn one_process_at_a_time_writes_and_others_may_read() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    let error = Mirror::open_to_write(layout.clone(), REPLAY, &knowledge(), time(TUESDAY)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    #[cfg(unix)]
    {
        let own = format!("process {}", std::process::id());
        assert!(error.message().contains(&own) && error.message().contains("2026-09-21"), "{error}");
    }
    let reader = Mirror::open(layout.clone()).unwrap();
    assert!(!reader.stands(&set).unwrap());
    mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    assert!(reader.stands(&again(&reader, &set)).unwrap(), "a reader sees what was committed");
    drop(mirror);
    let mirror = Mirror::open_to_write(layout, REPLAY, &knowledge(), time(TUESDAY)).unwrap();
    assert!(mirror.stands(&again(&mirror, &set)).unwrap());
}

#[test]
fn there_must_be_a_mirror_to_read() {
    let (_guard, layout) = folder();
    let error = Mirror::open(layout.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains(layout.root().as_str()), "{error}");
    assert!(!disk::exists(layout.root()));
}

#[test]
fn the_index_may_lie_elsewhere() {
    let (guard, layout) = folder();
    let index = Utf8PathBuf::try_from(guard.path().join("local").join("index.db")).unwrap();
    let layout = Layout::new(layout.root().to_owned(), Some(index.clone()));
    let mut mirror = open(&layout);
    let set = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    assert!(disk::exists(&index) && !disk::exists(&layout.root().join("mirror.db")));
}

#[test]
fn a_folder_that_cannot_be_one_is_refused() {
    let (guard, _) = folder();
    let path = Utf8PathBuf::try_from(guard.path().join("notes.txt")).unwrap();
    disk::write_atomic(&path, b"words").unwrap();
    let error = Mirror::open_to_write(Layout::new(path.clone(), None), REPLAY, &knowledge(), time(MONDAY))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.message().contains(path.as_str()), "{error}");
    assert_eq!(disk::read(&path, CAP).unwrap(), b"words");
}

#[test]
fn an_index_that_was_lost_is_made_again_from_what_is_published() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
    let (_, made) = mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    let bundle = ready(&mut mirror, BUNDLE, &[("Setup.msu".to_owned(), b"bytes".to_vec())], MONDAY);
    mirror.publish(&bundle, &knowledge(), MONDAY).unwrap();
    let before = (traces(&made.path), content_beside(&layout), tree(&layout.root().join("kb")));
    drop(mirror);
    for name in disk::list(layout.root()).unwrap() {
        if name.starts_with("mirror.db") {
            disk::remove_file(&layout.root().join(name)).unwrap();
        }
    }
    let mut mirror = open(&layout);
    assert_eq!(mirror.rebuilt_sets(), 2);
    let sets = mirror.index().sets(None).unwrap();
    assert_eq!(sets.len(), 2);
    for set in &sets {
        assert!(mirror.stands(set).unwrap(), "{set:?}");
        assert_eq!(mirror.publish(set, &knowledge(), MONDAY).unwrap().0, Published::Unchanged);
    }
    assert_eq!((traces(&made.path), content_beside(&layout), tree(&layout.root().join("kb"))), before);
    // A reading of the same pages finds the same set.
    let known = record(&mut mirror, TITLE, &first_issue(), TUESDAY);
    assert!(mirror.stands(&known).unwrap());
    drop(mirror);
    assert_eq!(open(&layout).rebuilt_sets(), 0, "once");
}

#[test]
fn a_set_whose_folder_gets_another_name_leaves_nothing_under_the_old_one() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let files = [package("kb5030211", "the update of one version")];
    let set = ready(&mut mirror, BUNDLE, &files, MONDAY);
    mirror.publish(&set, &knowledge(), MONDAY).unwrap();
    // A second set of the same family appears, so that both get a suffix.
    let other = [package("kb5030211", "the update of another version")];
    let renamed = mirror
        .index_mut()
        .in_transaction(|index| {
            let title = BUNDLE.replace("22H2", "21H2");
            let update = UpdateRecord {
                id: "be656f78-0714-440c-a0be-000000000021".parse().unwrap(),
                class: classify(&title, "", None),
                title,
                products: String::new(),
                classification: String::new(),
                last_updated: jiff::civil::date(2023, 9, 12),
                size: 1,
            };
            index.record_update(&update, TUESDAY)?;
            let listed = index::FileRecord {
                name: other[0].0.clone(),
                url: "https://catalog.s.download.windowsupdate.com/d/other".to_owned(),
                sha1: None,
                sha256: None,
            };
            index.record_dialog(update.id, &[listed], TUESDAY)?;
            let sets = package_sets(set.kb, &index.facts_of(&[set.kb].into())?, &knowledge());
            assert_eq!(sets.len(), 2);
            let own = sets.iter().find(|own| own.members[0].file.key == set.members[0].file.key).unwrap();
            index.record_set(own, TUESDAY)
        })
        .unwrap();
    assert_eq!(renamed, set.id);
    let set = again(&mirror, &set);
    assert_ne!(set.folder, BUNDLE_FOLDER);
    let (published, folder) = mirror.publish(&set, &knowledge(), TUESDAY).unwrap();
    assert_eq!((published, content(&folder.path)), (Published::Published, expected(&files)));
    assert!(!disk::exists(&layout.set(set.kb, &set_folder(BUNDLE_FOLDER))));
    assert_eq!(mirror.index().folders_of(set.id).unwrap(), [set.folder]);
    assert_eq!(half_made(&layout), Vec::<String>::new());
}

// Damage.

/// Writes other bytes of the same length into a file, under all its names.
fn flip(path: &Utf8Path) {
    let size = disk::file_size(path).unwrap().unwrap();
    let mut bytes = disk::read(path, CAP).unwrap();
    bytes[0] ^= 1;
    assert_eq!(bytes.len() as u64, size);
    let metadata = disk::open(path).unwrap().metadata().unwrap();
    let mut permissions = metadata.permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a test's own folder")]
    permissions.set_readonly(false);
    #[expect(clippy::disallowed_methods, reason = "the file is spoiled where it lies")]
    {
        std::fs::set_permissions(path, permissions).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn checked_bytes_replace_what_is_not_the_same() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let set = record(&mut mirror, TITLE, &first_issue(), MONDAY);
    for (member, (_, bytes)) in set.members.iter().zip(expected(&first_issue())) {
        let key = member.file.key.unwrap();
        let bytes = first_issue()
            .into_iter()
            .find(|(name, _)| *name == member.file.name)
            .map_or(bytes, |(_, own)| own);
        let path = layout.pool_file(&digests(&bytes).sha256);
        // Bytes of the same length that are other ones, and of which the index knows nothing.
        disk::write_atomic(&path, &bytes).unwrap();
        flip(&path);
        admit(&mut mirror, key, &bytes);
        assert_eq!(disk::read(&path, CAP).unwrap(), bytes);
    }
    assert_eq!(disk::list(&layout.quarantine()).unwrap().len(), 2, "the other bytes are kept");
    // The same bytes again are read and stay.
    let pooled = layout.pool_file(&set.members[0].file.sha256.unwrap());
    let before = traces(disk::parent(&pooled));
    let bytes = disk::read(&pooled, CAP).unwrap();
    admit(&mut mirror, set.members[0].file.key.unwrap(), &bytes);
    assert_eq!(traces(disk::parent(&pooled)), before);
}

#[test]
fn a_heal_that_is_killed_anywhere_is_finished_later() {
    for killed_after in 0..3 {
        let (_guard, layout) = folder();
        let mut mirror = open(&layout);
        let set = ready(&mut mirror, TITLE, &first_issue(), MONDAY);
        mirror.publish(&set, &knowledge(), MONDAY).unwrap();
        let set = again(&mirror, &set);
        let file = &set.members[0].file;
        let (key, sha256) = (file.key.unwrap(), file.sha256.unwrap());
        let bytes = disk::read(&layout.pool_file(&sha256), CAP).unwrap();
        flip(&layout.pool_file(&sha256));
        let damage = mirror.damage_in_pool(sha256, FindingKind::Digest, "flipped");
        mirror.record_damage(&[damage], "verify", MONDAY).unwrap();
        assert!(!mirror.stands(&set).unwrap() && mirror.pooled(key).unwrap().is_none());
        assert_eq!(
            mirror.heal_folders(&knowledge(), MONDAY).unwrap(),
            [],
            "without good bytes nothing is healed"
        );

        let run = Run { command: "fetch", now: MONDAY };
        let partial = |name: &str| {
            let mut new = NewFile::create(&layout.partial().join(name)).unwrap();
            new.write(&bytes).unwrap();
            new.finish().unwrap()
        };
        if killed_after >= 1 {
            mirror.place_in_pool(&vetted(&partial("a"), &bytes), run).unwrap();
        }
        if killed_after >= 2 {
            mirror.admit(key, &vetted(&partial("b"), &bytes), run).unwrap();
        }
        drop(mirror);
        let mut mirror = open(&layout);
        assert!(!mirror.stands(&set).unwrap(), "killed after step {killed_after}");
        if killed_after < 2 {
            assert!(mirror.pooled(key).unwrap().is_none(), "it is fetched again");
            mirror.admit(key, &vetted(&partial("c"), &bytes), run).unwrap();
        }
        assert_eq!(mirror.heal_folders(&knowledge(), MONDAY).unwrap().len(), 1);
        assert!(mirror.stands(&set).unwrap());
        assert_eq!(content(&layout.set(set.kb, &set.folder)), expected(&first_issue()));
        assert_eq!(mirror.index().damage().unwrap(), []);
        assert_eq!(mirror.damaged_sets().unwrap(), []);
    }
}
