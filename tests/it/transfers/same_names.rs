//! Files of one update with equal names: each gets a name of its own, or the set is not published.

use std::collections::BTreeSet;

use super::super::harness::{Bench, RunOutput, read_tree, sha256_hex};
use super::super::support::{FileSpec, Loopback};
use super::{World, kb, published, run_against, update, world_of};

/// Contents whose SHA-256 digests begin with the same eight digits, `afa3d8b9`. A search of one second finds such
/// contents.
const COLLIDING: [u32; 2] = [50_855, 76_136];

fn file(name: &str, content: &str) -> FileSpec {
    FileSpec {
        name: name.to_owned(),
        bytes: format!("MSCF\0\0\0\0{content}").into_bytes(),
        ..FileSpec::default()
    }
}

fn fetch(bench: &Bench, files: &[FileSpec]) -> RunOutput {
    let loopback = Loopback::start(World::new().update(update(0, files.to_vec())));
    run_against(bench, &loopback, &["fetch", "--no-closure", &kb(0)])
}

#[test]
fn digests_with_equal_first_digits_stay_separate_files() {
    let digests = COLLIDING.map(|number| sha256_hex(&file("", &number.to_string()).bytes));
    assert_eq!(digests.map(|digest| digest[..8].to_owned()), ["afa3d8b9"; 2]);
    for names in [
        ["windows11.0-kb5100001-arm64.msu"; 3],
        // Names that differ only in case are one file on most media.
        ["PKG-kb5100001-arm64.msu", "pkg-kb5100001-arm64.msu", "Pkg-kb5100001-arm64.msu"],
    ] {
        let bench = Bench::new();
        let contents = ["1".to_owned(), COLLIDING[0].to_string(), COLLIDING[1].to_string()];
        let files: Vec<FileSpec> =
            names.iter().zip(&contents).map(|(name, content)| file(name, content)).collect();
        fetch(&bench, &files).exits(0);
        let published_files = read_tree(&published(&bench, 0));
        let folded: BTreeSet<String> = published_files.keys().map(|name| name.to_lowercase()).collect();
        assert_eq!(folded.len(), 3, "{:?}", published_files.keys());
        let bytes: BTreeSet<&Vec<u8>> = published_files.values().collect();
        assert_eq!(bytes, files.iter().map(|file| &file.bytes).collect());
        // The pool was not changed through a link.
        for (path, bytes) in read_tree(&bench.mirror().join("pool")) {
            assert!(path.ends_with(&sha256_hex(&bytes)), "{path}");
        }
        bench.json(&["verify"]).exits(0);
    }
}

/// A read-only partial file: an earlier version made it read-only before the rename into the pool, and was killed in
/// between. Only root can open it for writing.
#[test]
fn a_read_only_partial_file_does_not_stop_a_run() {
    let file = super::package(0, 5000);
    let bench = Bench::new();
    let loopback = Loopback::start(world_of(std::slice::from_ref(&file)));
    for length in [5000, 2000, 0] {
        let partial = bench.mirror().join("partial").join(sha256_hex(&file.bytes));
        std::fs::create_dir_all(partial.parent().unwrap()).unwrap();
        std::fs::write(&partial, &file.bytes[..length]).unwrap();
        let mut permissions = std::fs::metadata(&partial).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&partial, permissions).unwrap();
        super::fetch(&bench, &loopback, 1, &[]).exits(0);
        super::check_all_published(&bench, std::slice::from_ref(&file)).unwrap();
        for (path, _) in read_tree(&bench.mirror().join("pool")) {
            let file = bench.mirror().join("pool").join(&path);
            assert!(std::fs::metadata(&file).unwrap().permissions().readonly(), "{path}");
        }
        std::fs::remove_dir_all(bench.mirror()).unwrap();
    }
}
