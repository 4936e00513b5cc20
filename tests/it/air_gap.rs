//! Helpers for both sides of the air gap: a mirror with keys that exports, a mirror that trusts these keys, and media
//! that tests can damage.
#![expect(clippy::disallowed_methods, reason = "tests create and damage their media directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use kbmirror::carrier::{PublicKey, SecretKey, TrustedRoots};

use super::harness::{Bench, RunOutput, copy_folder, read_tree, recording, sha256_hex, text_of};
use super::support::{FileSpec, Loopback, UpdateSpec, World, id};

/// The main KB of the demo recording.
pub(crate) const KB: &str = "KB5086672";

/// Creates a mirror with KBs of the demo recording and with keys.
pub(crate) fn connected_mirror(fetch: &[&str]) -> Bench {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &[&["fetch"], fetch].concat()).exits(0);
    create_keys(&bench);
    bench
}

/// Creates a mirror with KBs of a loopback Catalog and with keys.
pub(crate) fn connected_mirror_to(loopback: &Loopback, kbs: &[&str]) -> Bench {
    let bench = Bench::new();
    fetch_from(&bench, loopback, kbs).exits(0);
    create_keys(&bench);
    bench
}

/// Creates keys and returns the public root key.
pub(crate) fn create_keys(bench: &Bench) -> String {
    text_of(&bench.json(&["keys", "init"]).exits(0).json()["root"])
}

/// Returns the public root key of a mirror.
pub(crate) fn root_key_of(bench: &Bench) -> String {
    text_of(&bench.json(&["keys", "show"]).exits(0).json()["root"])
}

/// Copies the keys of mirror `from` to mirror `to`.
pub(crate) fn share_keys(from: &Bench, to: &Bench) {
    let keys = to.mirror().join("keys");
    if keys.exists() {
        fs::remove_dir_all(&keys).unwrap();
    }
    copy_folder(&from.mirror().join("keys"), &keys);
}

/// Runs `export` and returns its result.
pub(crate) fn export(bench: &Bench, what: &[&str], to: &Utf8Path) -> RunOutput {
    bench.json(&[&["export"], what, &["--to", to.as_str()]].concat())
}

/// Creates a mirror on the isolated side that trusts a root key.
pub(crate) fn isolated_mirror(root: &str) -> Bench {
    let bench = Bench::new();
    bench.json(&["keys", "trust", root]).exits(0);
    bench
}

/// Runs `import` and returns its result.
pub(crate) fn import(bench: &Bench, medium: &Utf8Path) -> RunOutput {
    bench.json(&["import", medium.as_str()])
}

/// Returns the SHA-256 of every file below a folder, by its path.
pub(crate) fn file_digests(folder: &Utf8Path) -> BTreeMap<String, String> {
    read_tree(folder).into_iter().map(|(path, bytes)| (path, sha256_hex(&bytes))).collect()
}

/// Returns the SHA-256 of every file of a mirror, without the lock, the side files of `SQLite`, and the reports of
/// runs.
pub(crate) fn mirror_digests(mirror: &Utf8Path) -> BTreeMap<String, String> {
    let mut files = file_digests(mirror);
    files.retain(|path, _| path != "lock" && !path.starts_with("mirror.db-") && !path.starts_with("runs/"));
    files
}

/// Creates a package for arm64 with a name in the form that Microsoft uses.
pub(crate) fn package(kb: &str, bytes: &str) -> FileSpec {
    FileSpec::package(&format!("windows11.0-{}-arm64", kb.to_lowercase()), "msu", bytes)
}

/// Creates a cumulative update of 24H2 for arm64.
pub(crate) fn lcu(number: u32, month: &str, kb: &str, build: &str, files: Vec<FileSpec>) -> UpdateSpec {
    let title = format!(
        "{month} Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems ({kb}) ({build})"
    );
    UpdateSpec { files, ..UpdateSpec::new(&id(number), &title) }
}

/// Creates a Catalog of two KBs with one file each.
pub(crate) fn world_of_two_kbs() -> World {
    World::new()
        .update(lcu(1, "2024-08", "KB5041865", "26100.1457", vec![package("KB5041865", "the first file")]))
        .update(lcu(2, "2024-07", "KB5040435", "26100.1150", vec![package("KB5040435", "the other file")]))
}

/// Runs `fetch` with a loopback Catalog.
pub(crate) fn fetch_from(bench: &Bench, loopback: &Loopback, kbs: &[&str]) -> RunOutput {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000", "fetch"];
    bench.json(&[&network, kbs].concat())
}

/// A small medium. Tests damage copies of it.
pub(crate) struct SmallMedium {
    pub(crate) maker: Bench,
    pub(crate) root: String,
    pub(crate) medium: Utf8PathBuf,
}

/// Returns the medium with one KB of one small file. It is created once per process.
pub(crate) fn small_medium() -> &'static SmallMedium {
    static SMALL: OnceLock<SmallMedium> = OnceLock::new();
    SMALL.get_or_init(|| small_of(&["KB5041865"]))
}

/// Returns the medium with two KBs of one small file each. It is created once per process.
pub(crate) fn small_medium_of_two_kbs() -> &'static SmallMedium {
    static SMALL: OnceLock<SmallMedium> = OnceLock::new();
    SMALL.get_or_init(|| small_of(&["KB5041865", "KB5040435"]))
}

fn small_of(kbs: &[&str]) -> SmallMedium {
    let (maker, loopback) = (Bench::new(), Loopback::start(world_of_two_kbs()));
    fetch_from(&maker, &loopback, kbs).exits(0);
    let root = create_keys(&maker);
    let medium = maker.path("medium");
    export(&maker, kbs, &medium).exits(0);
    SmallMedium { maker, root, medium }
}

impl SmallMedium {
    /// Copies the medium, so that a test can damage the copy.
    pub(crate) fn copy_to(&self, to: &Utf8Path) {
        copy_folder(&self.medium, to);
    }

    /// Returns the trust in the root key of this medium.
    pub(crate) fn trust(&self) -> TrustedRoots {
        TrustedRoots { keys: vec![self.root.parse::<PublicKey>().unwrap()], on_first_use: false }
    }

    /// Returns the paths under `data/`.
    pub(crate) fn payload(&self) -> Vec<String> {
        read_tree(&self.medium).into_keys().filter(|path| path.starts_with("data/")).collect()
    }
}

/// Applies `change` to `set.json` and signs the texts of a medium again with the key of its maker. The signatures are
/// valid, so only the content of the texts can be refused.
pub(crate) fn sign_again(small: &SmallMedium, medium: &Utf8Path, change: impl Fn(&mut serde_json::Value)) {
    sign_again_with(&secret_key(small, "export.key"), medium, change);
}

/// Reads a secret key of the maker of a medium.
pub(crate) fn secret_key(small: &SmallMedium, name: &str) -> SecretKey {
    let text = fs::read_to_string(small.maker.mirror().join("keys").join(name)).unwrap();
    SecretKey::from_text(&text).unwrap()
}

/// Does the same as [`sign_again`] with any key.
pub(crate) fn sign_again_with(key: &SecretKey, medium: &Utf8Path, change: impl Fn(&mut serde_json::Value)) {
    let sign = |name: &str, bytes: &[u8]| {
        fs::write(medium.join(name), bytes).unwrap();
        fs::write(medium.join(format!("{name}.minisig")), key.sign(bytes, "by hand").unwrap()).unwrap();
    };
    let manifest = fs::read(medium.join("manifest-sha256.txt")).unwrap();
    sign("manifest-sha256.txt", &manifest);
    let mut set: serde_json::Value =
        serde_json::from_slice(&fs::read(medium.join("set.json")).unwrap()).unwrap();
    let names: Vec<String> = set["tag_files"].as_object().unwrap().keys().cloned().collect();
    let digest = |name: &str| sha256_hex(&fs::read(medium.join(name)).unwrap());
    for name in names {
        set["tag_files"][&name] = digest(&name).into();
    }
    set["volumes"][0]["manifest_sha256"] = digest("manifest-sha256.txt").into();
    set["listing_sha256"] = digest("listing.jsonl").into();
    change(&mut set);
    sign("set.json", serde_json::to_string_pretty(&set).unwrap().as_bytes());
}
