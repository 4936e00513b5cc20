//! A medium with any changed byte is refused, and none of its content reaches the mirror.
#![expect(clippy::disallowed_methods, reason = "tests damage media directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::fs;
use std::thread;

use camino::Utf8Path;
use kbmirror::carrier::examine;
use kbmirror::error::ErrorKind;
use proptest::prelude::*;

use super::air_gap::{
    SmallMedium, file_digests, import, isolated_mirror, mirror_digests, small_medium, small_medium_of_two_kbs,
};
use super::harness::Bench;

const SIGNED: [&str; 7] = [
    "set.json",
    "set.json.minisig",
    "keys.json",
    "keys.json.minisig",
    "manifest-sha256.txt",
    "manifest-sha256.txt.minisig",
    "tagmanifest-sha256.txt",
];

/// Flips one bit of a byte. The bit depends on the place, so that every bit is tested.
fn with_flipped_bit(byte: u8, place: usize) -> u8 {
    byte ^ 1_u8.rotate_left(u32::try_from(place % 8).unwrap())
}

#[test]
fn every_byte_of_the_signed_files_is_checked() {
    let small = small_medium();
    let trust = small.trust();
    let part = |half: usize| {
        let bench = Bench::new();
        let medium = bench.path("medium");
        small.copy_to(&medium);
        let mut count = 0;
        for name in SIGNED {
            let path = medium.join(name);
            let right = fs::read(&path).unwrap();
            for place in (0..right.len()).filter(|place| place % 2 == half) {
                let mut wrong = right.clone();
                wrong[place] = with_flipped_bit(wrong[place], place);
                fs::write(&path, &wrong).unwrap();
                let refused = examine(&medium, &trust).expect_err(&format!("byte {place} of {name}"));
                assert_eq!(refused.kind(), ErrorKind::Refused, "byte {place} of {name}: {refused}");
                count += 1;
            }
            fs::write(&path, &right).unwrap();
            examine(&medium, &trust).unwrap();
        }
        count
    };
    let changed: usize = thread::scope(|scope| {
        let threads = [0, 1].map(|half| scope.spawn(move || part(half)));
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(changed > 5000, "{changed}");
}

#[test]
fn a_changed_byte_does_not_reach_the_mirror() {
    let small = small_medium();
    let isolated = isolated_mirror(&small.root);
    let before = mirror_digests(&isolated.mirror());
    let medium = isolated.path("medium");
    small.copy_to(&medium);
    let names: Vec<String> = file_digests(&medium).into_keys().collect();
    let mut count = 0;
    for name in &names {
        let path = medium.join(name);
        let right = fs::read(&path).unwrap();
        for place in [0, right.len() / 2, right.len() - 1] {
            let mut wrong = right.clone();
            wrong[place] = with_flipped_bit(wrong[place], place);
            fs::write(&path, &wrong).unwrap();
            let (_, message) = import(&isolated, &medium).exits(11).error();
            assert!(message.contains(name.as_str()), "{name}: {message}");
            assert_eq!(mirror_digests(&isolated.mirror()), before, "byte {place} of {name}");
            count += 1;
        }
        fs::write(&path, &right).unwrap();
    }
    assert!(count > 60, "{count}");
    import(&isolated, &medium).exits(0);
}

/// A fault of a file: its name, and the function that causes it.
type Fault = (&'static str, fn(&Utf8Path));

const FAULTS: [Fault; 7] = [
    ("flipped", |path| {
        let mut bytes = fs::read(path).unwrap();
        let place = bytes.len() / 3;
        bytes[place] ^= 4;
        fs::write(path, bytes).unwrap();
    }),
    ("truncated", |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
    }),
    ("longer", |path| fs::write(path, [fs::read(path).unwrap(), vec![0]].concat()).unwrap()),
    ("empty", |path| fs::write(path, b"").unwrap()),
    ("removed", |path| fs::remove_file(path).unwrap()),
    ("renamed", |path| fs::rename(path, format!("{path}x")).unwrap()),
    ("a folder", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
];

#[test]
fn every_fault_of_every_payload_file_is_reported() {
    let small = small_medium_of_two_kbs();
    let isolated = isolated_mirror(&small.root);
    let before = mirror_digests(&isolated.mirror());
    for file in small.payload() {
        for (what, damage) in FAULTS {
            let bench = Bench::new();
            let medium = bench.path("medium");
            small.copy_to(&medium);
            damage(&medium.join(&file));
            for command in ["check-medium", "import"] {
                let (_, message) = isolated.json(&[command, medium.as_str()]).exits(11).error();
                assert!(message.contains(&file), "{file} {what}, {command}: {message}");
            }
            assert_eq!(mirror_digests(&isolated.mirror()), before, "{file} {what}");
        }
    }
    import(&isolated, &small.medium).exits(0);
    assert_eq!(
        file_digests(&isolated.mirror().join("kb")),
        file_digests(&small.maker.mirror().join("kb")),
        "the undamaged medium is imported"
    );
}

/// A change of a medium. Indexes are taken modulo the number of files or bytes.
#[derive(Debug, Clone)]
enum Change {
    Flip(usize, usize),
    Truncate(usize, usize),
    Remove(usize),
    Rename(usize, String),
    Add(usize, String),
    Swap(usize, usize),
    Copy(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let name = "[a-z]{1,6}(\\.msu|\\.ini|)";
    prop_oneof![
        (any::<usize>(), any::<usize>()).prop_map(|(file, place)| Change::Flip(file, place)),
        (any::<usize>(), any::<usize>()).prop_map(|(file, length)| Change::Truncate(file, length)),
        any::<usize>().prop_map(Change::Remove),
        (any::<usize>(), name).prop_map(|(file, name)| Change::Rename(file, name)),
        (any::<usize>(), name).prop_map(|(file, name)| Change::Add(file, name)),
        (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Change::Swap(a, b)),
        (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Change::Copy(a, b)),
    ]
}

fn apply(medium: &Utf8Path, change: &Change) {
    let names: Vec<String> = file_digests(medium).into_keys().collect();
    let path = |place: usize| medium.join(&names[place % names.len()]);
    match change {
        Change::Flip(file, place) => {
            let mut bytes = fs::read(path(*file)).unwrap();
            if !bytes.is_empty() {
                let place = place % bytes.len();
                bytes[place] ^= 1;
                fs::write(path(*file), bytes).unwrap();
            }
        }
        Change::Truncate(file, length) => {
            let bytes = fs::read(path(*file)).unwrap();
            fs::write(path(*file), &bytes[..length % (bytes.len() + 1)]).unwrap();
        }
        Change::Remove(file) => fs::remove_file(path(*file)).unwrap(),
        Change::Rename(file, name) => fs::rename(path(*file), path(*file).with_file_name(name)).unwrap(),
        Change::Add(file, name) => fs::write(path(*file).with_file_name(name), b"added").unwrap(),
        Change::Swap(a, b) => {
            let (one, two) = (fs::read(path(*a)).unwrap(), fs::read(path(*b)).unwrap());
            fs::write(path(*a), two).unwrap();
            fs::write(path(*b), one).unwrap();
        }
        Change::Copy(a, b) => fs::write(path(*b), fs::read(path(*a)).unwrap()).unwrap(),
    }
}

/// Imports the undamaged medium. Returns the digests below `kb/` and the number of files in the pool.
fn undisturbed(small: &SmallMedium) -> (std::collections::BTreeMap<String, String>, usize) {
    let isolated = isolated_mirror(&small.root);
    import(&isolated, &small.medium).exits(0);
    (file_digests(&isolated.mirror().join("kb")), file_digests(&isolated.mirror().join("pool")).len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_medium_is_refused_or_imported_completely(
        changes in prop::collection::vec(change(), 1..4),
        partial in any::<bool>(),
    ) {
        let small = small_medium_of_two_kbs();
        let isolated = isolated_mirror(&small.root);
        let before = mirror_digests(&isolated.mirror());
        let medium = isolated.path("medium");
        small.copy_to(&medium);
        for change in &changes {
            apply(&medium, change);
        }
        let partial = if partial { &["--partial-ok"][..] } else { &[] };
        let ran = isolated.json(&[&["import", medium.as_str()], partial].concat());
        let (kb, pool) = undisturbed(small);
        match ran.code {
            0 => {
                prop_assert_eq!(file_digests(&isolated.mirror().join("kb")), kb);
                prop_assert_eq!(file_digests(&isolated.mirror().join("pool")).len(), pool);
            }
            // Only complete KBs, each with the same files as after a full import.
            4 if !partial.is_empty() => {
                for (path, digest) in file_digests(&isolated.mirror().join("kb")) {
                    prop_assert_eq!(kb.get(&path), Some(&digest), "{}", path);
                }
            }
            11 => prop_assert_eq!(mirror_digests(&isolated.mirror()), before),
            code => prop_assert!(false, "{:?}: exit {}: {} {}", changes, code, ran.stdout, ran.stderr),
        }
    }
}
