//! The names of the files on a medium, and the size limits for files that are read into memory.

use crate::error::{Error, ErrorKind};

/// The signed description of the set.
pub(in crate::carrier) const SET: &str = "set.json";
/// The signature of the description by the export key, written last.
pub(in crate::carrier) const SET_SIGNATURE: &str = "set.json.minisig";
/// The list of export keys.
pub(in crate::carrier) const KEYS: &str = "keys.json";
/// The signature of the list of export keys by the root key.
pub(in crate::carrier) const KEYS_SIGNATURE: &str = "keys.json.minisig";
/// The digests of `data/`.
pub(in crate::carrier) const MANIFEST: &str = "manifest-sha256.txt";
/// The signature of the manifest by the export key.
pub(in crate::carrier) const MANIFEST_SIGNATURE: &str = "manifest-sha256.txt.minisig";
/// The digests of the files outside of `data/`, for `BagIt` readers.
pub(in crate::carrier) const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
/// The updates, package sets, and graph, as sorted JSON lines.
pub(in crate::carrier) const LISTING: &str = "listing.jsonl";
/// The page for people. The program never reads it.
pub(in crate::carrier) const START_HERE: &str = "START-HERE.txt";
/// The payload.
pub(in crate::carrier) const DATA: &str = "data";
/// The knowledge tables.
pub(in crate::carrier) const KNOWLEDGE: &str = "knowledge";
/// The programs that the operator added to the medium.
pub(in crate::carrier) const TOOLS: &str = "tools";
/// The folder of an unfinished export.
pub(in crate::carrier) const UNFINISHED_FOLDER: &str = "unfinished";
/// The signed mark of an unfinished export: its mirror, and every file that the export may leave behind.
pub(in crate::carrier) const UNFINISHED_MARK: &str = "unfinished/export.json";
/// The public export key, for `minisign -p`. It shows damage only; trust comes from the root key.
pub(in crate::carrier) const EXPORT_KEY: &str = "export.pub";
/// The suffix of the name of a file that is being written.
pub(in crate::carrier) const UNFINISHED: &str = ".kbm-part";

/// The size limits. Larger files are refused, so that a hostile medium cannot exhaust memory.
pub(in crate::carrier) mod caps {
    /// The limit of `set.json`, `keys.json`, and signatures.
    pub(in crate::carrier) const SMALL: u64 = 4 << 20;
    /// The limit of a manifest.
    pub(in crate::carrier) const MANIFEST: u64 = 64 << 20;
    /// The limit of the listing, which has about 2 KB per update.
    pub(in crate::carrier) const LISTING: u64 = 512 << 20;
    /// The limit of an install script. Generated scripts have about 20 KB.
    pub(in crate::carrier) const SCRIPT: u64 = 4 << 20;
    /// The limit of a program under `tools/`.
    pub(in crate::carrier) const TOOL: u64 = 1 << 30;
    /// The limit of the number of payload files: far more than the Catalog has for one family.
    pub(in crate::carrier) const FILES: usize = 500_000;
}

/// Returns an error that refuses a medium.
pub(in crate::carrier) fn refused(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Refused, what)
}

/// Returns `true` if this format defines a name at the root of a medium.
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

/// Returns `true` if operating systems, scanners, or file browsers create files of this name on media. Such files
/// are reported and never read.
pub(in crate::carrier) fn is_system_file(name: &str) -> bool {
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
