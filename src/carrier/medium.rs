//! The format of a medium: its file names, `set.json`, and the manifests. Pure: texts in, values out.
//!
//! A medium is a `BagIt` bag. `data/` holds the package sets, `manifest-sha256.txt` their digests (`sha256sum -c` reads it
//! from the medium's root), `set.json` says what the whole is and has the digest of every other file outside of
//! `data/`. `set.json` and the manifest are signed by the export key, the list of export keys by the root key.
//! `set.json.minisig` is written last: a medium without it was never finished.

use std::collections::{BTreeMap, BTreeSet};

use crate::documents::MediumSet;
use crate::error::{Error, ErrorKind, Result};
use crate::facts::{NameFault, PlainName};
use crate::update::{Kb, Sha256};

/// The format of `set.json` and of the listing.
pub const SET_FORMAT: u32 = 1;

/// What the set is, in one small signed file.
pub const SET: &str = "set.json";
/// Written last.
pub const SET_SIGNATURE: &str = "set.json.minisig";
/// The export keys.
pub const KEYS: &str = "keys.json";
/// The root's word for them.
pub const KEYS_SIGNATURE: &str = "keys.json.minisig";
/// The digests of `data/`.
pub const MANIFEST: &str = "manifest-sha256.txt";
/// The export key's word for them.
pub const MANIFEST_SIGNATURE: &str = "manifest-sha256.txt.minisig";
/// The digests of the files outside of `data/`, for `BagIt` readers.
pub const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
/// Updates, sets, and graph, as sorted JSON lines.
pub const LISTING: &str = "listing.jsonl";
/// For people. No decision reads it.
pub const START_HERE: &str = "START-HERE.txt";
/// The payload.
pub const DATA: &str = "data";
/// The knowledge tables.
pub const KNOWLEDGE: &str = "knowledge";
/// Programs that somebody sent along.
pub const TOOLS: &str = "tools";
/// The folder that is there while an export runs, or after one was cut off.
pub const UNFINISHED_FOLDER: &str = "unfinished";
/// The mark of an export that was begun: whose it is, and every file that it may leave. Its signature is inside.
pub const UNFINISHED_MARK: &str = "unfinished/export.json";
/// The public export key, for `minisign -p`. It only shows that nothing was damaged; the root key vouches for it.
pub const EXPORT_KEY: &str = "export.pub";
/// What a file is called while it is being written.
pub const UNFINISHED: &str = ".kbm-part";

/// The caps of what is read whole (transfer notes §2, row 17: a manifest is cut off at 64 MiB).
pub mod caps {
    /// `set.json`, `keys.json`, and signatures.
    pub const SMALL: u64 = 4 << 20;
    /// The manifests.
    pub const MANIFEST: u64 = 64 << 20;
    /// The listing: some 2 KB an update.
    pub const LISTING: u64 = 512 << 20;
    /// An install script: ours have some 20 KB.
    pub const SCRIPT: u64 = 4 << 20;
    /// A program that somebody sent along.
    pub const TOOL: u64 = 1 << 30;
    /// Files of the payload: far beyond every package of the Catalog for one family.
    pub const FILES: usize = 500_000;
}

/// The longest path on a medium, seen from its root (transfer notes §2, row 26).
pub const LONGEST_PATH: usize = 180;

/// A refusal of what a medium says.
pub(super) fn refused(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Refused, what)
}

/// Returns the text of `set.json`, which is signed as it stands.
pub fn set_text(set: &MediumSet) -> Result<String> {
    let mut text = serde_json::to_string_pretty(set).map_err(Error::cannot_write_json)?;
    text.push('\n');
    Ok(text)
}

/// Reads a `set.json` whose signature was checked already.
pub fn read_set(text: &str) -> Result<MediumSet> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| refused("set.json cannot be read").caused_by(error))?;
    let format = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX);
    if format > u64::from(SET_FORMAT) {
        return Err(refused(format!(
            "set.json has format {format}; this program reads formats up to {SET_FORMAT}"
        ))
        .hint("use the version of kbmirror that wrote it, or a newer one"));
    }
    let set: MediumSet =
        serde_json::from_value(value).map_err(|error| refused("set.json cannot be read").caused_by(error))?;
    for name in set.tag_files.keys() {
        check_path(name)?;
    }
    Ok(set)
}

/// The manifest of some files: digest, two spaces, path; sorted.
pub fn manifest_text(files: &BTreeMap<String, Sha256>) -> String {
    let lines: Vec<String> = files.iter().map(|(path, sha256)| format!("{sha256}  {path}\n")).collect();
    lines.concat()
}

/// Reads a manifest of ours: strictly, so that every byte counts.
pub fn read_manifest(text: &str) -> Result<BTreeMap<String, Sha256>> {
    let mut files = BTreeMap::new();
    let mut last: Option<&str> = None;
    let mut folded = BTreeSet::new();
    for line in text.split_inclusive('\n') {
        let wrong = || refused(format!("a line of {MANIFEST} is not as kbmirror writes them: {line:?}"));
        let body = line.strip_suffix('\n').ok_or_else(wrong)?;
        let (digits, path) = body.split_at_checked(64).ok_or_else(wrong)?;
        let path = path.strip_prefix("  ").ok_or_else(wrong)?;
        let sha256: Sha256 = digits.parse().map_err(|_| wrong())?;
        if sha256.to_string() != digits || last.is_some_and(|last| last >= path) {
            return Err(wrong());
        }
        check_payload_path(path)?;
        if !folded.insert(path.to_ascii_lowercase()) {
            return Err(refused(format!("{path} would be another listed file on media that take A for a")));
        }
        files.insert(path.to_owned(), sha256);
        last = Some(path);
        if files.len() > caps::FILES {
            return Err(refused(format!("{MANIFEST} has more than {} files", caps::FILES)));
        }
    }
    Ok(files)
}

/// A path of the payload: `data/KB…/<folder>/<file>` or `data/KB…/<folder>.cmd`.
fn check_payload_path(path: &str) -> Result<()> {
    check_path(path)?;
    let parts: Vec<&str> = path.split('/').collect();
    let plausible = match parts.as_slice() {
        [DATA, kb, _, _] | [DATA, kb, _] => kb.parse::<Kb>().is_ok_and(|parsed| parsed.to_string() == **kb),
        _ => false,
    };
    if plausible { Ok(()) } else { Err(refused(format!("the path {path:?} is no place for a package"))) }
}

/// Refuses what could lead out of the medium, or means different things on different systems: every part has to be a
/// plain name, and the whole short.
pub fn check_path(path: &str) -> Result<()> {
    let refuse = |why: &str| {
        refused(format!("the path {:?} is refused: {why}", path.chars().take(200).collect::<String>()))
    };
    if path.len() > LONGEST_PATH {
        return Err(refuse("it is too long"));
    }
    for part in path.split('/') {
        // Files of one set whose names differ in the case of letters alone get digits behind a tilde.
        let part = &without_digits(part);
        match PlainName::exact(part) {
            Ok(_) => {}
            Err(NameFault::NotPlain) => return Err(refuse("a part of it is no plain name")),
            Err(fault) => return Err(refuse(&fault.to_string())),
        }
    }
    Ok(())
}

/// A name without the `~` and eight digits by which the name policy tells files of one set apart.
fn without_digits(part: &str) -> String {
    if let Some((stem, rest)) = part.split_once('~')
        && let Some((digits, end)) = rest.split_at_checked(8)
        && !stem.is_empty()
        && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        && (end.is_empty() || end.starts_with('.'))
    {
        return format!("{stem}{end}");
    }
    part.to_owned()
}

/// Returns `true` if a name at the root of a medium is one that this format has.
pub(super) fn is_name_of_format(name: &str) -> bool {
    const NAMES: [&str; 20] = [
        SET,
        SET_SIGNATURE,
        KEYS,
        KEYS_SIGNATURE,
        MANIFEST,
        MANIFEST_SIGNATURE,
        TAG_MANIFEST,
        LISTING,
        START_HERE,
        EXPORT_KEY,
        DATA,
        KNOWLEDGE,
        TOOLS,
        UNFINISHED_FOLDER,
        "index.html",
        "verify.cmd",
        "verify.ps1",
        "collect.cmd",
        "bagit.txt",
        "bag-info.txt",
    ];
    NAMES.contains(&name)
}

/// What operating systems, scanners, and file browsers leave on media. It is named and never read.
pub fn is_litter_of_systems(name: &str) -> bool {
    const NAMES: [&str; 16] = [
        "system volume information",
        "$recycle.bin",
        "recycler",
        "desktop.ini",
        "thumbs.db",
        "ehthumbs.db",
        "autorun.inf",
        "lost+found",
        ".trashes",
        ".fseventsd",
        ".spotlight-v100",
        ".temporaryitems",
        ".ds_store",
        ".apdisk",
        "windowsimagebackup",
        ".metadata_never_index",
    ];
    let name = name.to_lowercase();
    NAMES.contains(&name.as_str())
        || name.starts_with("._")
        || name.starts_with(".trash-")
        || name.starts_with("found.0")
        || name.starts_with("fsck")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digest(number: u8) -> Sha256 {
        Sha256::from_bytes([number; 32])
    }

    fn files() -> BTreeMap<String, Sha256> {
        [
            ("data/KB5086672/windows-11-24h2-arm64.cmd", 1),
            ("data/KB5086672/windows-11-24h2-arm64/windows11.0-kb5086672-arm64_ec8e.msu", 2),
        ]
        .into_iter()
        .map(|(path, number)| (path.to_owned(), digest(number)))
        .collect()
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written_and_every_byte_counts() {
        let text = manifest_text(&files());
        assert_eq!(read_manifest(&text).unwrap(), files());
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert_ne!(read_manifest(&changed).ok(), Some(files()), "byte {place}");
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for path in [
            "data/KB5086672/a/b",
            "data/KB5086672/windows-11-24h2-arm64.cmd",
            "data/KB5086672/a/b~0123abcd.msu",
        ] {
            check_payload_path(path).unwrap();
        }
        for path in [
            "",
            "data",
            "data/KB5086672",
            "data/../KB5086672/a/b",
            "data/KB5086672/../b",
            "data/KB5086672/a/..",
            "/data/KB5086672/a/b",
            "data//KB5086672/a",
            "data/kb5086672/a/b",
            "data/KB5086672/a/b/c",
            "data\\KB5086672\\a\\b",
            "C:/KB5086672/a/b",
            "data/KB5086672/a/NUL",
            "data/KB5086672/a/NUL~01234567.msu",
            "data/KB5086672/a/WINDOW~1.MSU",
            "data/KB5086672/a/~01234567",
            "data/KB5086672/a/b ",
            "data/KB5086672/a/b\u{0}",
            "other/KB5086672/a/b",
        ] {
            assert!(check_payload_path(path).is_err(), "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn no_manifest_is_too_strange(text in "\\PC{0,200}") {
            let _read = read_manifest(&text);
        }

        #[test]
        fn no_path_leads_out(path in "[a-zA-Z0-9./\\\\: ~]{0,60}") {
            if check_path(&path).is_ok() {
                prop_assert!(!path.split('/').any(|part| part == ".." || part == "." || part.is_empty()));
                prop_assert!(!path.contains('\\') && !path.contains(':'));
            }
        }
    }
}
