//! Changes of the keys of the connected side: a new export key, the revocation of an old one, and the move of a
//! root key.
//!
//! A change replaces several files. They are first written completely into `next/` and then moved to their places.
//! The next command that needs the keys finishes an interrupted change, and no mix of two changes ever signs
//! anything.

use camino::{Utf8Path, Utf8PathBuf};

use super::keys::{ExportKey, KeyFolder, KeyList, RetiredKey};
use super::passphrase::Passphrases;
use super::secret_file::{CAP, read_private, read_secret};
use super::signature::{PublicKey, SecretKey};
use crate::disk;
use crate::error::{Error, ErrorKind, Result};

/// The files of a change, in the order in which they are moved to their places. The list is last, as when keys are
/// created.
const CHANGED: [&str; 3] = ["export.key", "keys.json.minisig", "keys.json"];

/// The folder of a complete change.
const NEXT: &str = "next";

/// A new export key that replaces an old one.
#[derive(Debug)]
pub struct KeyRotation {
    /// The new key.
    pub new: ExportKey,
    /// The retired key.
    pub retired: PublicKey,
    /// The version of the list of export keys.
    pub version: u32,
}

/// A revoked key.
#[derive(Debug)]
pub struct KeyRevocation {
    /// The revoked key.
    pub key: PublicKey,
    /// The version of the list that revokes the key.
    pub version: u32,
    /// `true` if the key was not revoked before.
    pub is_new: bool,
}

impl KeyFolder {
    /// Creates a new export key, signed by the root key, and retires the old one. Does not ask for the passphrase
    /// of the old key. The new key gets a passphrase if one is requested or if the old key has one.
    pub fn rotate(
        &self,
        root_key: Option<&Utf8Path>,
        valid_until: Option<String>,
        with_passphrase: bool,
        passphrases: &dyn Passphrases,
        now: &str,
    ) -> Result<KeyRotation> {
        let (root, mut list) = self.read_root_and_list(root_key, passphrases)?;
        let Some(old) = list.export_keys.last().map(|row| row.key.clone()) else {
            return Err(Error::usage(format!("{} has no export key", self.path_of("keys.json"))));
        };
        let is_locked = with_passphrase || self.has_passphrase("export.key") == Some(true);
        let passphrase = is_locked.then(|| passphrases.for_new_key()).transpose()?;
        let (new, text) = SecretKey::generate_with("export", passphrase.as_deref())?;
        let row = ExportKey { key: new.public()?, valid_from: now.to_owned(), valid_until };
        for gone in std::mem::take(&mut list.export_keys) {
            let (retired, revoked) = (now.to_owned(), false);
            list.retired.push(RetiredKey { key: gone.key, valid_from: gone.valid_from, retired, revoked });
        }
        list.export_keys.push(row.clone());
        let version = self.write_list(list, &root, Some(&text))?;
        Ok(KeyRotation { new: row, retired: old, version })
    }

    /// Revokes a retired export key. `id` is the number of the key.
    pub fn revoke(
        &self,
        id: &str,
        root_key: Option<&Utf8Path>,
        passphrases: &dyn Passphrases,
    ) -> Result<KeyRevocation> {
        let (root, mut list) = self.read_root_and_list(root_key, passphrases)?;
        if list.export_keys.iter().any(|row| row.key.id() == id) {
            return Err(Error::usage(format!("{id} is the current export key of this mirror"))
                .hint("create a new key first, which retires this key: kbmirror keys rotate"));
        }
        let Some(row) = list.retired.iter_mut().find(|row| row.key.id() == id) else {
            return Err(Error::new(ErrorKind::NotFound, format!("{id} is not an export key of this mirror"))
                .hint("print the keys with kbmirror keys list"));
        };
        let (key, is_new) = (row.key.clone(), !row.revoked);
        row.revoked = true;
        let version = if is_new { self.write_list(list, &root, None)? } else { list.version };
        Ok(KeyRevocation { key, version, is_new })
    }

    /// Moves the secret root key into another folder. Removes the old file after the new one was read back.
    pub fn move_root(&self, to: &Utf8Path, passphrases: &dyn Passphrases) -> Result<Utf8PathBuf> {
        let from = self.path_of("root.key");
        let new = to.join("root.key");
        self.read_root(None, passphrases)?;
        if !disk::is_folder(to)? {
            return Err(
                Error::usage(format!("{to} is not a folder")).hint("mount the medium, or create the folder")
            );
        }
        if disk::canonical(to)? == disk::canonical(disk::parent(&from))? {
            return Err(Error::usage(format!("the secret root key is already in {to}")));
        }
        if disk::exists(&new) {
            return Err(Error::usage(format!("{new} exists already, and keys are never overwritten")));
        }
        let text = disk::read_text(&from, CAP)?;
        disk::write_secret(&new, text.as_bytes())?;
        if disk::read_text(&new, CAP)? != text {
            return Err(Error::new(ErrorKind::Medium, format!("{new} does not have the written content"))
                .hint(format!("use another medium; {from} was kept")));
        }
        disk::remove_file(&from)?;
        disk::sync_dir(disk::parent(&from))?;
        Ok(new)
    }

    /// Returns `true` if the secret root key lies beside the export key.
    pub fn has_root_beside(&self) -> bool {
        disk::exists(&self.path_of("root.key")) && disk::exists(&self.path_of("export.key"))
    }

    /// Finishes an interrupted change.
    pub(super) fn finish_change(&self) -> Result<()> {
        let next = self.path_of(NEXT);
        if !disk::exists(&next) {
            return Ok(());
        }
        for name in CHANGED {
            let new = next.join(name);
            if disk::exists(&new) {
                disk::rename(&new, &self.path_of(name))?;
            }
        }
        let _gone = disk::remove_empty_dir(&next);
        Ok(())
    }

    /// Signs a list as the next version and puts it in place, with a new export key if one is given.
    fn write_list(&self, mut list: KeyList, root: &SecretKey, export: Option<&str>) -> Result<u32> {
        list.version = list.version.saturating_add(1);
        let text = list.to_text()?;
        let signature = root.sign(text.as_bytes(), &format!("export keys, version {}", list.version))?;
        let part = self.path_of(&format!("{NEXT}.part"));
        disk::remove_dir_all(&part)?;
        if let Some(export) = export {
            disk::write_secret(&part.join("export.key"), export.as_bytes())?;
        }
        disk::write_atomic(&part.join("keys.json.minisig"), signature.as_bytes())?;
        disk::write_atomic(&part.join("keys.json"), text.as_bytes())?;
        disk::rename(&part, &self.path_of(NEXT))?;
        self.finish_change()?;
        Ok(list.version)
    }

    fn read_root_and_list(
        &self,
        root_key: Option<&Utf8Path>,
        passphrases: &dyn Passphrases,
    ) -> Result<(SecretKey, KeyList)> {
        self.expect_keys()?;
        self.expect_file("keys.json.minisig")?;
        if self.has_passphrase("export.key") == Some(true) {
            // The key itself is not needed, and its passphrase may be lost.
            read_private(&self.path_of("export.key"), "the secret key")?;
        } else {
            self.signing_keys(passphrases)?;
        }
        let list = self.key_list()?;
        Ok((self.read_root(root_key, passphrases)?, list))
    }

    /// Reads the secret root key of this mirror, which may lie in another folder.
    fn read_root(&self, elsewhere: Option<&Utf8Path>, passphrases: &dyn Passphrases) -> Result<SecretKey> {
        let path = elsewhere.map_or_else(|| self.path_of("root.key"), Utf8Path::to_owned);
        if !disk::is_file(&path)? {
            return Err(Error::usage(format!("the secret root key is not at {path}"))
                .hint("name the file of the secret root key: --root-key FILE"));
        }
        let root = read_secret(&path, passphrases)?;
        let public = root.public()?;
        match self.own_root()? {
            Some(own) if own == public => Ok(root),
            _ => Err(Error::usage(format!(
                "{path} is not the root key of this mirror: its public key is {public}"
            ))),
        }
    }
}
