//! The verified `set.json` of a medium, signed by an export key for which a trusted root key vouches.

use super::keys::KeyList;
use super::signature::{PublicKey, check_form};
use crate::carrier::medium::refused;
use crate::documents::MediumSet;
use crate::error::Result;
use crate::update::Sha256;

/// The trusted root keys.
#[derive(Debug, Clone, Default)]
pub struct TrustedRoots {
    /// The keys that were trusted before the medium.
    pub keys: Vec<PublicKey>,
    /// `true` to trust the medium's own root key if no key is trusted yet. The caller decides.
    pub on_first_use: bool,
}

/// A `set.json` with a valid signature, and the keys that vouch for it.
#[derive(Debug, Clone)]
pub struct SignedSet {
    /// The description of the set.
    pub set: MediumSet,
    /// The digest of `set.json`, which identifies the set.
    pub set_id: Sha256,
    /// The root key that vouches for the export key.
    pub root_key: PublicKey,
    /// The key that signed the set.
    pub export_key: PublicKey,
    /// The export keys for which the root key vouches on this medium.
    pub key_list: KeyList,
    /// `true` if the root key was not trusted before.
    pub first_use: bool,
}

impl TrustedRoots {
    /// Returns the list of export keys in a `keys.json`, and `true` if its root key was not trusted before. Refuses
    /// a list for which no trusted root key vouches.
    pub(in crate::carrier) fn key_list(&self, text: &str, signature: &str) -> Result<(KeyList, bool)> {
        if !self.keys.is_empty() || !self.on_first_use {
            return Ok((KeyList::read(text, signature, &self.keys)?, false));
        }
        let claimed: KeyList = serde_json::from_str(text)
            .map_err(|error| refused("keys.json cannot be read").caused_by(error))?;
        Ok((KeyList::read(text, signature, &[claimed.root])?, true))
    }
}

/// Returns the export key that signed some bytes. The error names the file and its signature, because either may
/// have been changed.
pub(in crate::carrier) fn signer(
    list: &KeyList,
    bytes: &[u8],
    signature: &str,
    name: &str,
) -> Result<PublicKey> {
    check_form(signature).map_err(|error| error.context(format!("{name}.minisig")))?;
    let mut last = None;
    for row in &list.export_keys {
        match row.key.verify(bytes, signature) {
            Ok(_) => return Ok(row.key.clone()),
            Err(error) => last = Some(error),
        }
    }
    let error = last.unwrap_or_else(|| refused("keys.json does not list an export key"));
    Err(refused(format!(
        "{name}: {}; {name} or {name}.minisig was changed after it was signed",
        error.message()
    ))
    .hint("ask who made the medium; a key for which the root key does not vouch gives the same error"))
}
