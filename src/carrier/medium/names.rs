//! The names of the files on a medium, and the caps of what is read whole.

use crate::error::{Error, ErrorKind};

/// The description of the set, signed.
pub(in crate::carrier) const SET: &str = "set.json";
/// The export key's signature of the description, written last.
pub(in crate::carrier) const SET_SIGNATURE: &str = "set.json.minisig";
/// The export keys.
pub(in crate::carrier) const KEYS: &str = "keys.json";
/// The root key's signature of the export keys.
pub(in crate::carrier) const KEYS_SIGNATURE: &str = "keys.json.minisig";
/// The digests of `data/`.
pub(in crate::carrier) const MANIFEST: &str = "manifest-sha256.txt";
/// The export key's signature of the digests.
pub(in crate::carrier) const MANIFEST_SIGNATURE: &str = "manifest-sha256.txt.minisig";
/// The digests of the files outside of `data/`, for `BagIt` readers.
pub(in crate::carrier) const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
/// Updates, sets, and graph, as sorted JSON lines.
pub(in crate::carrier) const LISTING: &str = "listing.jsonl";
/// The page for people; no decision reads it.
pub(in crate::carrier) const START_HERE: &str = "START-HERE.txt";
/// The payload.
pub(in crate::carrier) const DATA: &str = "data";
/// The knowledge tables.
pub(in crate::carrier) const KNOWLEDGE: &str = "knowledge";
/// The programs that were sent along.
pub(in crate::carrier) const TOOLS: &str = "tools";
/// The folder of an unfinished export.
pub(in crate::carrier) const UNFINISHED_FOLDER: &str = "unfinished";
/// The signed mark of an unfinished export: its mirror, and every file that it may leave.
pub(in crate::carrier) const UNFINISHED_MARK: &str = "unfinished/export.json";
/// The public export key, for `minisign -p`. It only shows that nothing was damaged; the root key vouches for it.
pub(in crate::carrier) const EXPORT_KEY: &str = "export.pub";
/// The end of the name of a file that is being written.
pub(in crate::carrier) const UNFINISHED: &str = ".kbm-part";

/// The caps of what is read whole (transfer notes §2, row 17: a manifest is cut off at 64 MiB).
pub(in crate::carrier) mod caps {
    /// `set.json`, `keys.json`, and signatures.
    pub(in crate::carrier) const SMALL: u64 = 4 << 20;
    /// The manifests.
    pub(in crate::carrier) const MANIFEST: u64 = 64 << 20;
    /// The listing: some 2 KB an update.
    pub(in crate::carrier) const LISTING: u64 = 512 << 20;
    /// An install script: ours have some 20 KB.
    pub(in crate::carrier) const SCRIPT: u64 = 4 << 20;
    /// A program that was sent along.
    pub(in crate::carrier) const TOOL: u64 = 1 << 30;
    /// Files of the payload: far beyond every package of the Catalog for one family.
    pub(in crate::carrier) const FILES: usize = 500_000;
}

/// Returns the refusal of a medium.
pub(in crate::carrier) fn refused(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Refused, what)
}

/// Returns `true` if a name at the root of a medium is one that this format has.
pub(in crate::carrier) fn is_name_of_format(name: &str) -> bool {
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

/// Returns `true` if operating systems, scanners, or file browsers leave this name on media. Such things are named and never read.
pub(in crate::carrier) fn is_litter_of_systems(name: &str) -> bool {
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
