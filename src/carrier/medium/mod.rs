//! The format of a medium: its file names, `set.json`, the manifests, and the listing. Pure: texts in, values out.
//!
//! A medium is a `BagIt` bag (RFC 8493). `data/` holds the package sets. `manifest-sha256.txt` has their digests,
//! and `sha256sum -c` reads it from the root of the medium. `set.json` describes the set and has the digest of
//! every other file outside of `data/`. The export key signs `set.json` and the manifest, and the root key signs
//! the list of export keys. `set.json.minisig` is written last: a medium without it is unfinished.

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
    is_name_of_format, is_system_file, refused,
};
pub(in crate::carrier) use paths::{LONGEST_PATH, check_path};
pub(in crate::carrier) use set::{SET_FORMAT, read_set, set_text};
