//! The format of a medium: its file names, `set.json`, the manifests, and the listing. Pure: texts in, values out.
//!
//! A medium is a `BagIt` bag. `data/` holds the package sets, `manifest-sha256.txt` their digests (`sha256sum -c` reads it
//! from the medium's root), `set.json` describes the whole and has the digest of every other file outside of
//! `data/`. `set.json` and the manifest are signed by the export key, the list of export keys by the root key.
//! `set.json.minisig` is written last: a medium without it was never finished.

mod listing;
mod manifest;
mod names;
mod paths;
mod set;

pub use listing::Listing;
pub(in crate::carrier) use listing::path_of;
pub(in crate::carrier) use manifest::{manifest_text, read_manifest};
pub(in crate::carrier) use names::{
    DATA, EXPORT_KEY, KEYS, KEYS_SIGNATURE, KNOWLEDGE, LISTING, MANIFEST, MANIFEST_SIGNATURE, SET,
    SET_SIGNATURE, START_HERE, TAG_MANIFEST, TOOLS, UNFINISHED, UNFINISHED_FOLDER, UNFINISHED_MARK, caps,
    is_litter_of_systems, is_name_of_format, refused,
};
pub(in crate::carrier) use paths::{LONGEST_PATH, check_path};
pub(in crate::carrier) use set::{SET_FORMAT, read_set, set_text};
