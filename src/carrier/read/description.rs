//! The signed description of a medium: keys, `set.json`, manifest, and listing. The receiving side reads the
//! description before anything else. An export reads it before it adds sets to a medium.
//!
//! There are two stages, and each makes the next one safe. [`read_signed_set`] checks the root key's signature of
//! the export keys, and the export key's signature of `set.json`. [`read_listing`] checks the digests of manifest
//! and listing, and compares the two.

use std::collections::{BTreeMap, BTreeSet};

use super::reading::{digest, read_small, read_text, utf8};
use crate::carrier::medium::{
    DATA, KEYS, KEYS_SIGNATURE, LISTING, Listing, MANIFEST, MANIFEST_SIGNATURE, SET, SET_SIGNATURE, caps,
    read_manifest, read_set, refused,
};
use crate::carrier::trust::{SignedSet, TrustedRoots, signer};
use crate::disk::OpenFolder;
use crate::error::Result;
use crate::update::Sha256;

/// A signed set with its listing and its manifest, which agree with each other.
#[derive(Debug, Clone)]
pub(in crate::carrier) struct SetDescription {
    /// The signed `set.json`.
    pub(in crate::carrier) signed: SignedSet,
    /// The listing.
    pub(in crate::carrier) listing: Listing,
    /// The digests of the payload, by path.
    pub(in crate::carrier) manifest: BTreeMap<String, Sha256>,
    /// The sizes of the package files, by path.
    pub(in crate::carrier) sizes: BTreeMap<String, u64>,
}

/// The files that [`read_listing`] reads, with their size limits.
pub(super) const LISTING_FILES: [(&str, u64); 3] =
    [(MANIFEST, caps::MANIFEST), (MANIFEST_SIGNATURE, caps::SMALL), (LISTING, caps::LISTING)];

/// Reads and checks the description in a folder.
pub(in crate::carrier) fn read_description(
    root: &OpenFolder,
    trust: &TrustedRoots,
) -> Result<SetDescription> {
    read_listing(root, read_signed_set(root, trust)?)
}

/// Reads `set.json` and checks the keys and signatures that vouch for it.
pub(super) fn read_signed_set(root: &OpenFolder, trust: &TrustedRoots) -> Result<SignedSet> {
    let keys = read_text(root, KEYS, caps::SMALL)?;
    let (key_list, first_use) = trust.key_list(&keys, &read_text(root, KEYS_SIGNATURE, caps::SMALL)?)?;
    let root_key = key_list.root.clone();
    let bytes = read_small(root, SET, caps::SMALL)?;
    let signature = read_text(root, SET_SIGNATURE, caps::SMALL)?;
    let export_key = signer(&key_list, &bytes, &signature, SET)?;
    let set_id = digest(&bytes);
    let set = read_set(&utf8(bytes, SET)?)?;
    if set.lineage != root_key.id() {
        return Err(refused(format!(
            "{SET} names the lineage {}, but its root key is {}",
            set.lineage,
            root_key.id()
        )));
    }
    key_list.expect_valid(&export_key, &set.created)?;
    Ok(SignedSet { set, set_id, root_key, export_key, key_list, first_use })
}

/// Reads the listing and the manifest of a signed set, and compares them.
pub(super) fn read_listing(root: &OpenFolder, signed: SignedSet) -> Result<SetDescription> {
    let set = &signed.set;
    let volume = set.volumes.first().ok_or_else(|| refused(format!("{SET} does not name a volume")))?;
    let mut texts = BTreeMap::new();
    for (name, cap) in LISTING_FILES {
        let expected =
            set.tag_files.get(name).ok_or_else(|| refused(format!("{SET} does not name {name}")))?;
        let bytes = read_small(root, name, cap)?;
        expect_digest(name, digest(&bytes), *expected)?;
        texts.insert(name, bytes);
    }
    let mut text = |name: &str| utf8(texts.remove(name).unwrap_or_default(), name);
    let manifest_text = text(MANIFEST)?;
    if digest(manifest_text.as_bytes()) != volume.manifest_sha256 {
        return Err(refused(format!("{MANIFEST} does not belong to this set")));
    }
    signer(&signed.key_list, manifest_text.as_bytes(), &text(MANIFEST_SIGNATURE)?, MANIFEST)?;
    let manifest = read_manifest(&manifest_text)?;
    let listing_text = text(LISTING)?;
    if digest(listing_text.as_bytes()) != set.listing_sha256 {
        return Err(refused(format!("{LISTING} does not belong to this set")));
    }
    let listing = Listing::read(&listing_text)?;
    let sizes = check_agreement(&listing, &manifest)?;
    Ok(SetDescription { signed, listing, manifest, sizes })
}

/// Refuses a file whose digest is not the signed one.
pub(in crate::carrier) fn expect_digest(name: &str, found: Sha256, signed: Sha256) -> Result<()> {
    if found == signed {
        return Ok(());
    }
    Err(refused(format!(
        "{name} does not match its signature: its digest is {found}, the signed digest is {signed}"
    ))
    .hint("export again: the medium was changed after the export, or is damaged"))
}

/// Compares listing and manifest, which must name the same files; only the manifest also names install scripts.
/// Returns the sizes of the package files by path.
fn check_agreement(listing: &Listing, manifest: &BTreeMap<String, Sha256>) -> Result<BTreeMap<String, u64>> {
    let files = listing.files()?;
    for (path, (sha256, _)) in &files {
        if manifest.get(path) != Some(sha256) {
            return Err(refused(format!("{LISTING} and {MANIFEST} disagree about {path}")));
        }
    }
    let scripts: BTreeSet<String> =
        listing.sets.iter().map(|(kb, set)| format!("{DATA}/{kb}/{}.cmd", set.folder)).collect();
    if let Some(path) = manifest.keys().find(|path| !files.contains_key(*path) && !scripts.contains(*path)) {
        return Err(refused(format!("{MANIFEST} has {path}, which does not belong to any set")));
    }
    Ok(files.into_iter().map(|(path, (_, size))| (path, size)).collect())
}
