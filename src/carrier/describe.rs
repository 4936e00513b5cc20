//! The signed description of a medium: keys, `set.json`, manifest, and listing. Both sides read it: the receiving side before
//! anything else, and an export before it adds to a medium.
//!
//! In this order, each step before what it makes safe: the root key's word for the export keys; the export key's word for
//! `set.json`; the digests of manifest and listing; both against each other.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::keys::KeyList;
use super::listing::Listing;
use super::medium::{
    DATA, KEYS, KEYS_SIGNATURE, LISTING, MANIFEST, MANIFEST_SIGNATURE, SET, SET_SIGNATURE, caps,
    read_manifest, read_set, refused,
};
use super::reading::{digest, read_small, read_text, utf8};
use super::signature::{self, PublicKey};
use crate::documents::MediumSet;
use crate::error::Result;
use crate::update::Sha256;

/// The signed description of a set: its texts, each checked, and the keys that vouch for them.
#[derive(Debug, Clone)]
pub(super) struct Description {
    /// `set.json`.
    pub(super) set: MediumSet,
    /// The digest of `set.json`.
    pub(super) set_id: Sha256,
    /// The listing.
    pub(super) listing: Listing,
    /// The digests of the payload by path.
    pub(super) manifest: BTreeMap<String, Sha256>,
    /// The sizes of the package files by path.
    pub(super) sizes: BTreeMap<String, u64>,
    /// The root key that vouches for the export key.
    pub(super) root_key: PublicKey,
    /// The key that signed the set.
    pub(super) export_key: PublicKey,
    /// The export keys that the root vouches for.
    pub(super) key_list: KeyList,
    /// The root key was not trusted before.
    pub(super) first_use: bool,
    /// The texts that were read, by name.
    pub(super) texts: BTreeMap<String, Vec<u8>>,
}

/// By which root keys media are trusted.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Those that were there before the medium.
    pub keys: Vec<PublicKey>,
    /// Take the medium's own where there are none: a conscious word.
    pub on_first_use: bool,
}

/// Reads and checks the description in a folder.
pub(super) fn describe(root: &Utf8Path, trust: &Trust) -> Result<Description> {
    let (root_key, first_use, key_list) = key_list(root, trust)?;
    let set_bytes = read_small(root, SET, caps::SMALL)?;
    let signature = read_text(root, SET_SIGNATURE, caps::SMALL)?;
    let export_key = signer(&key_list, &set_bytes, &signature, SET)?;
    let set_id = digest(&set_bytes);
    let set = read_set(&utf8(set_bytes, SET)?)?;
    if set.lineage != root_key.id() {
        return Err(refused(format!(
            "{SET} is of the lineage {}, and its root key is {}",
            set.lineage,
            root_key.id()
        )));
    }
    let volume = set.volumes.first().ok_or_else(|| refused(format!("{SET} names no volume")))?;
    let mut texts = BTreeMap::new();
    for (name, cap) in
        [(MANIFEST, caps::MANIFEST), (MANIFEST_SIGNATURE, caps::SMALL), (LISTING, caps::LISTING)]
    {
        let expected =
            set.tag_files.get(name).ok_or_else(|| refused(format!("{SET} does not name {name}")))?;
        let bytes = read_small(root, name, cap)?;
        expect_digest(name, digest(&bytes), *expected)?;
        texts.insert(name.to_owned(), bytes);
    }
    let text = |name: &str| utf8(texts.get(name).cloned().unwrap_or_default(), name);
    let manifest_text = text(MANIFEST)?;
    if digest(manifest_text.as_bytes()) != volume.manifest_sha256 {
        return Err(refused(format!("{MANIFEST} is not the one of this set")));
    }
    signer(&key_list, manifest_text.as_bytes(), &text(MANIFEST_SIGNATURE)?, MANIFEST)?;
    let manifest = read_manifest(&manifest_text)?;
    let listing_text = text(LISTING)?;
    if digest(listing_text.as_bytes()) != set.listing_sha256 {
        return Err(refused(format!("{LISTING} is not the one of this set")));
    }
    let listing = Listing::read(&listing_text)?;
    let sizes = compare(&listing, &manifest)?;
    Ok(Description {
        set,
        set_id,
        listing,
        manifest,
        sizes,
        root_key,
        export_key,
        key_list,
        first_use,
        texts,
    })
}

/// Refuses a file whose digest is not the signed one.
pub(super) fn expect_digest(name: &str, found: Sha256, signed: Sha256) -> Result<()> {
    if found == signed {
        return Ok(());
    }
    Err(refused(format!("{name} is not as it was signed: its digest is {found}, and {signed} was signed"))
        .hint("the medium was changed after it was made, or its bytes are damaged"))
}

/// The list of export keys, when a trusted root vouches for it.
fn key_list(root: &Utf8Path, trust: &Trust) -> Result<(PublicKey, bool, KeyList)> {
    let text = read_text(root, KEYS, caps::SMALL)?;
    let signature = read_text(root, KEYS_SIGNATURE, caps::SMALL)?;
    let first_use = trust.keys.is_empty() && trust.on_first_use;
    let list = if first_use {
        let claimed: KeyList = serde_json::from_str(&text)
            .map_err(|error| refused("keys.json cannot be read").caused_by(error))?;
        KeyList::read(&text, &signature, &[claimed.root])?
    } else {
        KeyList::read(&text, &signature, &trust.keys)?
    };
    Ok((list.root.clone(), first_use, list))
}

/// Returns the export key that signed some bytes. The error names the file and its signature: either may have been changed.
pub(super) fn signer(list: &KeyList, bytes: &[u8], signature: &str, name: &str) -> Result<PublicKey> {
    signature::check_form(signature).map_err(|error| error.context(format!("{name}.minisig")))?;
    let mut last = None;
    for row in &list.export_keys {
        match row.key.verify(bytes, signature) {
            Ok(_) => return Ok(row.key.clone()),
            Err(error) => last = Some(error),
        }
    }
    let error = last.unwrap_or_else(|| refused("no export key is known"));
    Err(refused(format!(
        "{name}: {}; {name} or {name}.minisig was changed after it was signed",
        error.message()
    ))
    .hint("ask who made the medium; a key for which the root key does not vouch gives the same error"))
}

/// Listing and manifest have to speak of the same files; the manifest has the install scripts besides.
fn compare(listing: &Listing, manifest: &BTreeMap<String, Sha256>) -> Result<BTreeMap<String, u64>> {
    let files = listing.files()?;
    for (path, (sha256, _)) in &files {
        if manifest.get(path) != Some(sha256) {
            return Err(refused(format!("{LISTING} and {MANIFEST} differ about {path}")));
        }
    }
    let scripts: BTreeSet<String> =
        listing.sets.iter().map(|(kb, set)| format!("{DATA}/{kb}/{}.cmd", set.folder)).collect();
    if let Some(path) = manifest.keys().find(|path| !files.contains_key(*path) && !scripts.contains(*path)) {
        return Err(refused(format!("{MANIFEST} has {path}, which is of no set")));
    }
    Ok(files.into_iter().map(|(path, (_, size))| (path, size)).collect())
}
