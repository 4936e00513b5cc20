//! The passphrases of secret keys: from a file for unattended runs, or from a person at the terminal.
//!
//! A key file with a passphrase is encrypted in the format of minisign. The passphrase file is as secret as a key
//! without a passphrase: a file that others can read is refused in the same way.

use camino::Utf8Path;

use crate::error::{Error, Result};

/// A source of passphrases.
pub trait Passphrases {
    /// Returns the passphrase of a secret key file that has one.
    fn of_key(&self, path: &Utf8Path) -> Result<String>;

    /// Returns the passphrase that a new secret key gets.
    fn for_new_key(&self) -> Result<String>;
}

/// A source that does not have any passphrase.
#[derive(Debug, Clone, Copy)]
pub struct NoPassphrases;

impl Passphrases for NoPassphrases {
    fn of_key(&self, path: &Utf8Path) -> Result<String> {
        Err(locked_key_error(path))
    }

    fn for_new_key(&self) -> Result<String> {
        Err(missing_passphrase_error("the new secret key needs a passphrase"))
    }
}

/// Returns the error for a key with a passphrase that is not available.
pub fn locked_key_error(path: &Utf8Path) -> Error {
    missing_passphrase_error(&format!("the secret key {path} has a passphrase"))
}

/// Returns the error for a passphrase that is needed without a passphrase file or a terminal.
pub fn missing_passphrase_error(why: &str) -> Error {
    Error::usage(format!("{why}, but without a terminal it cannot be asked for")).hint(
        "put it into a file that only you can read, and name the file: KBMIRROR_KEY_PASSPHRASE_FILE or --key-passphrase-file FILE",
    )
}
