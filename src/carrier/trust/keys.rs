//! The keys on both sides of the gap.
//!
//! The connected side has two key pairs. The **root** key signs only the list of export keys and may be kept
//! offline. The **export** key signs every set. The isolated side has a list of trusted root keys, which the
//! operator installed beforehand; a key that travels with a medium proves nothing about the medium. Only their
//! owner may read the files of secret keys.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::passphrase::Passphrases;
use super::secret_file::{CAP, read_secret};
use super::signature::{PublicKey, SecretKey, check_form, is_locked};
use crate::disk;
use crate::error::{Error, ErrorKind, Result};

/// The format of `keys.json`.
const KEYS_FORMAT: u32 = 1;

/// The list of export keys that a root key vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyList {
    /// The format.
    pub format: u32,
    /// The version of the list. A later list replaces an earlier one.
    pub version: u32,
    /// The root key that vouches for the export keys.
    pub root: PublicKey,
    /// The keys that sign sets.
    pub export_keys: Vec<ExportKey>,
    /// The keys that signed sets before; absent if the list is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<RetiredKey>,
}

/// A key that signs sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportKey {
    /// The key.
    pub key: PublicKey,
    /// The time from which it is valid, RFC 3339.
    pub valid_from: String,
    /// The time until which it is valid, RFC 3339; absent for a key that does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
}

/// A key that signed sets before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredKey {
    /// The key.
    pub key: PublicKey,
    /// The time from which it was valid, RFC 3339.
    pub valid_from: String,
    /// The time at which another key replaced it, RFC 3339.
    pub retired: String,
    /// `true` if other people may have the key. No set that it signed is accepted, whatever its date.
    #[serde(default)]
    pub revoked: bool,
}

impl ExportKey {
    /// Returns `true` if the validity of the key has ended at a time. Also returns `true` if the time or the end
    /// cannot be parsed.
    pub fn has_ended(&self, time: &str) -> bool {
        let Some(end) = &self.valid_until else { return false };
        match (end.parse::<Timestamp>(), time.parse::<Timestamp>()) {
            (Ok(end), Ok(time)) => time > end,
            _ => true,
        }
    }
}

impl KeyList {
    /// Reads a list and checks its signature. A trusted root key must have signed the list.
    pub fn read(text: &str, signature: &str, trusted: &[PublicKey]) -> Result<Self> {
        let refused = |what: &str| Error::new(ErrorKind::Refused, format!("keys.json {what}"));
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| refused("cannot be read").caused_by(error))?;
        let format = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX);
        if format > u64::from(KEYS_FORMAT) {
            return Err(refused(&format!(
                "has format {format}; this program reads formats up to {KEYS_FORMAT}"
            )));
        }
        let list: Self =
            serde_json::from_value(value).map_err(|error| refused("cannot be read").caused_by(error))?;
        check_form(signature).map_err(|error| error.context("keys.json.minisig"))?;
        // The claimed root key only decides the wording of the refusal, never whether the list is trusted.
        list.root.verify(text.as_bytes(), signature).map_err(|error| {
            let doubt = "keys.json or keys.json.minisig was changed after it was signed";
            Error::new(ErrorKind::Refused, format!("keys.json: {}; {doubt}", error.message()))
                .caused_by(error)
        })?;
        if !trusted.contains(&list.root) {
            return Err(untrusted_root(&list.root, trusted).context("keys.json"));
        }
        Ok(list)
    }

    /// Refuses a set of this date if the list revokes its key, or if the validity of the key had ended.
    pub(in crate::carrier) fn expect_valid(&self, key: &PublicKey, created: &str) -> Result<()> {
        let refused = |what: String| {
            Error::new(ErrorKind::Refused, format!("the export key {} (id {}) {what}", key.short(), key.id()))
        };
        if self.retired.iter().any(|row| row.key == *key && row.revoked) {
            return Err(refused("was revoked by the root key".to_owned())
                .hint("do not use anything from this medium: other people may have the key"));
        }
        match self.export_keys.iter().find(|row| row.key == *key) {
            Some(row) if row.has_ended(created) => Err(refused(format!(
                "was valid until {}, but the set was exported on {created:?}",
                row.valid_until.as_deref().unwrap_or_default()
            ))
            .hint("create a new key on the connected side, and export again: kbmirror keys rotate")),
            _ => Ok(()),
        }
    }

    /// Returns the text of the list, which is signed in this form.
    pub fn to_text(&self) -> Result<String> {
        let mut text = serde_json::to_string_pretty(self).map_err(Error::cannot_write_json)?;
        text.push('\n');
        Ok(text)
    }
}

/// Returns the error for a medium under an untrusted root key. The error names the trusted keys and the key of the
/// medium.
fn untrusted_root(root: &PublicKey, trusted: &[PublicKey]) -> Error {
    let known: Vec<&str> = trusted.iter().map(PublicKey::as_str).collect();
    if known.is_empty() {
        return Error::new(
            ErrorKind::Refused,
            format!("this mirror does not trust any root key yet, and the medium was signed under {root} (id {})", root.id()),
        )
        .hint(format!(
            "compare the key with the output of kbmirror keys show on the connected side, then run: kbmirror keys trust {root}"
        ))
        .hint("or trust the key without a comparison: --trust-on-first-use");
    }
    Error::new(
        ErrorKind::Refused,
        format!(
            "the medium was signed under the root key {root} (id {}), but this mirror trusts {}",
            root.id(),
            known.join(", ")
        ),
    )
    .hint("ask who made the medium before you use it: it comes from another mirror, or is forged")
}

/// The folder with the keys of a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFolder {
    folder: Utf8PathBuf,
}

/// The keys that sign a set.
#[derive(Debug)]
pub struct SigningKeys {
    /// The export key, which signs the set.
    pub export: SecretKey,
    /// The text of `keys.json`.
    pub list: String,
    /// The text of `keys.json.minisig`.
    pub list_signature: String,
    /// The root key that vouches for the export key.
    pub root: PublicKey,
}

impl SigningKeys {
    /// Returns the export keys for which the root key vouches.
    pub fn key_list(&self) -> Result<KeyList> {
        KeyList::read(&self.list, &self.list_signature, std::slice::from_ref(&self.root))
    }

    /// Refuses an export key whose validity has ended.
    pub fn expect_valid(&self, now: &str) -> Result<()> {
        let public = self.export.public()?;
        match self.key_list()?.export_keys.iter().find(|row| row.key == public && row.has_ended(now)) {
            None => Ok(()),
            Some(row) => Err(Error::usage(format!(
                "the export key {} was valid until {}",
                public.id(),
                row.valid_until.as_deref().unwrap_or_default()
            ))
            .hint("create a new key: kbmirror keys rotate; nothing was written")),
        }
    }
}

impl KeyFolder {
    /// Wraps the path of a key folder.
    pub fn new(folder: Utf8PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn path_of(&self, name: &str) -> Utf8PathBuf {
        self.folder.join(name)
    }

    /// Creates both key pairs and the signed list. Writes the secret root key to another folder if requested, so
    /// that it can be kept offline. Both secret keys get the passphrase of the source, if a source is given.
    pub fn init(
        &self,
        root_to: Option<&Utf8Path>,
        passphrases: Option<&dyn Passphrases>,
        now: &str,
    ) -> Result<(PublicKey, Utf8PathBuf)> {
        let root_path = root_to.unwrap_or(&self.folder).join("root.key");
        for path in [self.path_of("export.key"), self.path_of("keys.json"), root_path.clone()] {
            if disk::exists(&path) {
                return Err(Error::usage(format!("{path} exists already, and keys are never overwritten"))
                    .hint("print the root key with kbmirror keys show, or move the files away to create new keys"));
            }
        }
        let passphrase = passphrases.map(Passphrases::for_new_key).transpose()?;
        let (root, root_text) = SecretKey::generate_with("root", passphrase.as_deref())?;
        let (export, export_text) = SecretKey::generate_with("export", passphrase.as_deref())?;
        let list = KeyList {
            format: KEYS_FORMAT,
            version: 1,
            root: root.public()?,
            export_keys: vec![ExportKey {
                key: export.public()?,
                valid_from: now.to_owned(),
                valid_until: None,
            }],
            retired: Vec::new(),
        };
        let text = list.to_text()?;
        let signature = root.sign(text.as_bytes(), &format!("export keys, version {}", list.version))?;
        disk::write_secret(&root_path, root_text.as_bytes())?;
        disk::write_secret(&self.path_of("export.key"), export_text.as_bytes())?;
        disk::write_atomic(&self.path_of("keys.json.minisig"), signature.as_bytes())?;
        disk::write_atomic(&self.path_of("root.pub"), format!("{}\n", list.root).as_bytes())?;
        // The list is last: the keys are complete once it exists.
        disk::write_atomic(&self.path_of("keys.json"), text.as_bytes())?;
        Ok((list.root, root_path))
    }

    /// Refuses a folder without keys. Finishes an interrupted change of the keys.
    pub(super) fn expect_keys(&self) -> Result<()> {
        self.finish_change()?;
        if self.has_list() {
            return Ok(());
        }
        Err(Error::usage(format!("{} does not contain keys", self.folder))
            .hint("create the keys once with kbmirror keys init, and keep root.key in a safe place"))
    }

    /// Returns `true` if the secret key in a file has a passphrase, or `None` if the file is missing or cannot be
    /// read.
    pub fn has_passphrase(&self, name: &str) -> Option<bool> {
        let path = self.path_of(name);
        let is_there = disk::is_file(&path).is_ok_and(|is_file| is_file);
        is_there.then(|| disk::read_text(&path, CAP).ok()).flatten().map(|text| is_locked(&text))
    }

    /// Returns the keys that sign a set. Refuses a folder without keys.
    pub fn signing_keys(&self, passphrases: &dyn Passphrases) -> Result<SigningKeys> {
        self.expect_keys()?;
        let list = self.read_text("keys.json")?;
        let list_signature = self.read_text("keys.json.minisig")?;
        self.expect_file("export.key")?;
        let export = read_secret(&self.path_of("export.key"), passphrases)?;
        let root =
            self.own_root()?.ok_or_else(|| Error::usage(format!("{} has no root.pub", self.folder)))?;
        let known = KeyList::read(&list, &list_signature, std::slice::from_ref(&root))?;
        let public = export.public()?;
        if !known.export_keys.iter().any(|row| row.key == public) {
            return Err(Error::usage(format!(
                "{} is not among the export keys of keys.json",
                self.path_of("export.key")
            )));
        }
        Ok(SigningKeys { export, list, list_signature, root })
    }

    /// Returns `true` if a list of export keys exists.
    pub fn has_list(&self) -> bool {
        disk::exists(&self.path_of("keys.json"))
    }

    /// Returns the list of export keys of this side. Does not need a secret key.
    pub fn key_list(&self) -> Result<KeyList> {
        let root =
            self.own_root()?.ok_or_else(|| Error::usage(format!("{} has no root.pub", self.folder)))?;
        KeyList::read(&self.read_text("keys.json")?, &self.read_text("keys.json.minisig")?, &[root])
    }

    /// Reads a file that signing needs. Refuses a pipe or a device in its place, because reading it could block.
    fn read_text(&self, name: &str) -> Result<String> {
        self.expect_file(name)?;
        disk::read_text(&self.path_of(name), CAP)
    }

    pub(super) fn expect_file(&self, name: &str) -> Result<()> {
        let path = self.path_of(name);
        if !disk::is_file(&path)? {
            let what = if disk::exists(&path) { "is not a regular file" } else { "is missing" };
            return Err(Error::usage(format!("{path} {what}, so media cannot be signed"))
                .hint("put the file back from a backup of the key folder"));
        }
        Ok(())
    }

    /// Returns the root key of this side, or `None` if it has none.
    pub fn own_root(&self) -> Result<Option<PublicKey>> {
        let path = self.path_of("root.pub");
        if !disk::exists(&path) {
            return Ok(None);
        }
        disk::read_text(&path, CAP)?.trim().parse().map(Some)
    }

    /// Returns the trusted root keys: the pinned ones, and this side's own.
    pub fn trusted(&self) -> Result<Vec<PublicKey>> {
        let mut trusted: Vec<PublicKey> = self.own_root()?.into_iter().collect();
        let path = self.path_of("trusted.txt");
        if disk::exists(&path) {
            for line in disk::read_text(&path, CAP)?.lines() {
                let word = line.split('#').next().unwrap_or_default().trim();
                if !word.is_empty() {
                    let key = word.parse().map_err(|error: Error| error.context(format!("{path}")))?;
                    trusted.push(key);
                }
            }
        }
        trusted.dedup();
        let distrusted = self.distrusted()?;
        trusted.retain(|key| !distrusted.contains(&key.id()));
        Ok(trusted)
    }

    /// Pins a root key. Returns `true` if it was not trusted before.
    pub fn trust(&self, key: &PublicKey, how: &str, now: &str) -> Result<bool> {
        if self.distrusted()?.contains(&key.id()) {
            return Err(Error::usage(format!("{key} (id {}) is distrusted", key.id()))
                .hint(format!("remove its line from {} to trust it again", self.path_of("distrusted.txt"))));
        }
        if self.trusted()?.contains(key) {
            return Ok(false);
        }
        let path = self.path_of("trusted.txt");
        let mut text = if disk::exists(&path) {
            disk::read_text(&path, CAP)?
        } else {
            "# Trusted root keys: media under these keys are accepted. One key per line.\n".to_owned()
        };
        // Formatting into a string cannot fail.
        let _written = writeln!(text, "{key} # id {}, {how}, {now}", key.id());
        disk::write_atomic(&path, text.as_bytes())?;
        Ok(true)
    }
}
