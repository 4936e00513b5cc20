//! The passphrases of secret keys: from the file that an option or its variable names, else from the terminal.
//! Without both, the command fails before it changes anything: a scheduled run never waits for input.

use camino::Utf8Path;

use super::setup::Setup;
use crate::carrier::{Passphrases, locked_key_error, missing_passphrase_error, read_passphrase};
use crate::error::{Error, Result};

/// The passphrases of this process.
pub(super) struct ProcessPassphrases<'s>(pub(super) &'s Setup);

impl Passphrases for ProcessPassphrases<'_> {
    fn of_key(&self, path: &Utf8Path) -> Result<String> {
        if let Some(file) = &self.0.settings().options.key_passphrase_file {
            return read_passphrase(file);
        }
        self.0.prompt_hidden(&format!("Passphrase of {path}: "))?.ok_or_else(|| locked_key_error(path))
    }

    fn for_new_key(&self) -> Result<String> {
        if let Some(file) = &self.0.settings().options.key_passphrase_file {
            return read_passphrase(file);
        }
        let missing_passphrase_error = || missing_passphrase_error("the new secret key needs a passphrase");
        let first = self
            .0
            .prompt_hidden("Passphrase of the new secret key: ")?
            .ok_or_else(missing_passphrase_error)?;
        if first.is_empty() {
            return Err(Error::usage("the passphrase is empty; nothing was changed"));
        }
        if self.0.prompt_hidden("Repeat the passphrase: ")?.ok_or_else(missing_passphrase_error)? != first {
            return Err(Error::usage("the two passphrases differ; nothing was changed"));
        }
        Ok(first)
    }
}
