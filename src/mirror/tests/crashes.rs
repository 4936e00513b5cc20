//! A run that is interrupted, and the next one.

use super::*;

/// The point at which a process was killed while it published the second issue over the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CrashPoint {
    /// The intent is recorded, nothing was renamed, and no older folder existed.
    FolderAbsent,
    /// The intent is recorded, nothing was renamed, and the older folder is in place.
    OldInPlace,
    /// The older folder is renamed away.
    OldAside,
    /// The new folder is in place, and the older one is still renamed away.
    NewInPlace,
}

/// Brings a mirror into the state after a crash and closes it. Returns the old set and the new one.
fn crash(layout: &Layout, crash: CrashPoint) -> (SetRow, SetRow) {
    let mut mirror = open(layout);
    let old = record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY);
    let place = layout.set(main_kb(), &set_folder(FOLDER));
    if crash != CrashPoint::FolderAbsent {
        mirror.publish(&old, &knowledge(), MONDAY).unwrap();
    }
    let new = record_and_admit(&mut mirror, TITLE, &second_issue(), TUESDAY);
    // Complete, as the publication builds it.
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
    if matches!(crash, CrashPoint::OldAside | CrashPoint::NewInPlace) {
        disk::rename(&place, &aside).unwrap();
    }
    if crash == CrashPoint::NewInPlace {
        disk::rename(&staged, &place).unwrap();
    }
    (old, new)
}

/// Reads every file that the sums of a KB list, through a handle of the KB's folder. Returns the number of files.
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
fn reader_sees_one_generation_during_thirty_replacements() {
    let (_guard, layout) = folder();
    let mut mirror = open(&layout);
    let issues = [
        record_and_admit(&mut mirror, TITLE, &first_issue(), MONDAY),
        record_and_admit(&mut mirror, TITLE, &second_issue(), TUESDAY),
    ];
    mirror.publish(&issues[0], &knowledge(), MONDAY).unwrap();
    // An unknown file stays.
    let notes = layout.kb(main_kb()).join("notes.txt");
    disk::write_atomic(&notes, b"mine").unwrap();
    let (a, b) = (layout.partial().join("a"), layout.partial().join("b"));
    disk::create_dir_all(&a).unwrap();
    disk::create_dir_all(&b).unwrap();
    if !disk::exchange(&a, &b).unwrap() {
        // The guarantee does not apply to this file system.
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
            let set = reloaded(&mirror, &issues[(round + 1) % 2]);
            let (published, _) = mirror.publish(&set, &knowledge(), TUESDAY).unwrap();
            assert_eq!(published, PublishOutcome::Published, "round {round}");
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

const CRASHES: [CrashPoint; 4] =
    [CrashPoint::FolderAbsent, CrashPoint::OldInPlace, CrashPoint::OldAside, CrashPoint::NewInPlace];

#[test]
fn next_run_completes_an_interrupted_publication() {
    for state in CRASHES {
        let (_guard, layout) = folder();
        let (_, new) = crash(&layout, state);
        let place = layout.set(main_kb(), &set_folder(FOLDER));
        let mirror = open(&layout);
        assert!(mirror.is_intact(&reloaded(&mirror, &new)).unwrap(), "{state:?}");
        assert_eq!(content(&place), expected(&second_issue()), "{state:?}");
        assert_eq!(leftovers(&layout), Vec::<String>::new(), "{state:?}");
        assert_eq!(mirror.index().interrupted_publications().unwrap(), []);
        let sums = disk::read_text(&layout.kb_sums(main_kb()), CAP).unwrap();
        assert!(sums.contains(&second_issue()[0].0), "{state:?}: the files beside the folder follow");
        let before = file_stamps(&place);
        drop(mirror);
        drop(open(&layout));
        assert_eq!(file_stamps(&place), before, "{state:?}: the second run changes nothing");
    }
}

#[test]
fn next_run_undoes_what_it_cannot_complete() {
    for state in CRASHES {
        let (_guard, layout) = folder();
        let (old, new) = crash(&layout, state);
        // The new target's bytes were lost.
        disk::remove_file(&layout.pool_file(&digests(&second_issue()[0].1).sha256)).unwrap();
        let place = layout.set(main_kb(), &set_folder(FOLDER));
        let mirror = open(&layout);
        assert_eq!(mirror.index().publication_of(main_kb(), &set_folder(FOLDER)).unwrap(), None, "{state:?}");
        for set in [&old, &new] {
            assert!(!mirror.is_intact(&reloaded(&mirror, set)).unwrap(), "{state:?}");
        }
        let there = match state {
            CrashPoint::FolderAbsent => BTreeMap::new(),
            CrashPoint::OldInPlace | CrashPoint::OldAside => expected(&first_issue()),
            // The folder was complete when it was renamed, and its links keep the bytes.
            CrashPoint::NewInPlace => expected(&second_issue()),
        };
        assert_eq!(content(&place), there, "{state:?}");
        assert_eq!(leftovers(&layout), Vec::<String>::new(), "{state:?}");
    }
}

#[test]
fn staged_folders_are_removed_and_partial_files_stay() {
    let (_guard, layout) = folder();
    drop(open(&layout));
    let half = layout.partial().join("publish-KB5129195-windows-11-24h2-x64").join("half.msu");
    disk::write_atomic(&half, b"half").unwrap();
    disk::write_atomic(&layout.partial().join("replaced-KB5129195-x").join("old.msu"), b"old").unwrap();
    disk::write_atomic(&layout.partial().join("0123"), b"the first bytes").unwrap();
    drop(open(&layout));
    assert_eq!(disk::list(&layout.partial()).unwrap(), ["0123"], "a download can resume");
    // The index does not know the file, so it may be the only copy.
    assert_eq!(disk::list(&layout.quarantine()).unwrap(), ["evidence-KB5129195-x-old.msu"]);
    assert!(!disk::exists(&layout.kbs()));
}
