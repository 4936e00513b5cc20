//! The files with secret keys and passphrases, which only their owner may read.

use camino::Utf8Path;

use super::passphrase::Passphrases;
use super::signature::{SecretKey, is_locked};
use crate::disk::{self, Privacy};
use crate::error::{Error, ErrorKind, Result};

/// The size limit of a key file, a passphrase file, or a list of keys: far more than any of them needs.
pub(super) const CAP: u64 = 1 << 20;

/// Reads a secret key, and asks for its passphrase if it has one. Refuses a key that others can read.
pub(super) fn read_secret(path: &Utf8Path, passphrases: &dyn Passphrases) -> Result<SecretKey> {
    let text = read_private(path, "the secret key")?;
    if !is_locked(&text) {
        return SecretKey::from_text(&text).map_err(|error| error.context(path.as_str()));
    }
    let passphrase = passphrases.of_key(path)?;
    SecretKey::unlock(&text, &passphrase).map_err(|error| error.context(path.as_str()))
}

/// Reads a passphrase: the first line of a file that only its owner can read.
pub fn read_passphrase(path: &Utf8Path) -> Result<String> {
    let text = read_private(path, "the passphrase file")?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(Error::usage(format!("the passphrase file {path} has no passphrase in its first line"))),
    }
}

/// Reads a file that only its owner may read, and refuses any other file. `what` names the file in errors.
pub(super) fn read_private(path: &Utf8Path, what: &str) -> Result<String> {
    let readable = |how: &str| Error::usage(format!("other users can read {what} {path}{how}"));
    if !disk::is_file(path)? {
        return Err(Error::usage(format!("{what} {path} is not a file")));
    }
    match disk::privacy(path)? {
        Privacy::Owner => disk::read_text(path, CAP).map_err(|error| error.with_kind(ErrorKind::Usage)),
        Privacy::Others => Err(readable("")
            .hint(format!("remove the permissions: chmod 600 {path}"))
            .hint("create a new key if other people had access to this machine: kbmirror keys rotate")),
        Privacy::Mount(system) => Err(readable(&format!(
            ", because its mount ({system}) makes every file readable for other users"
        ))
        .hint(
            "keep secret keys on a file system that stores modes; the folder keys of a mirror may be a link to it",
        )
        .hint("or mount it for your user only: umask=077 for FAT and exFAT, file_mode=0600 for CIFS")
        .hint(format!("or run chmod 600 {path} if the file system stores modes"))),
    }
}
