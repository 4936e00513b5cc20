//! Keys that an operator of the isolated side no longer trusts, before a medium brings their revocation.
//!
//! `distrusted.txt` in the key folder has one key number per line. A medium under such a root key, or signed with
//! such an export key, is refused.

use std::fmt::Write as _;

use super::keys::KeyFolder;
use super::secret_file::CAP;
use super::signed::SignedSet;
use crate::carrier::medium::refused;
use crate::disk;
use crate::error::{Error, Result};

const FILE: &str = "distrusted.txt";

impl KeyFolder {
    /// Returns the numbers of the distrusted keys.
    pub fn distrusted(&self) -> Result<Vec<String>> {
        let path = self.path_of(FILE);
        if !disk::exists(&path) {
            return Ok(Vec::new());
        }
        let mut numbers = Vec::new();
        for line in disk::read_text(&path, CAP)?.lines() {
            let word = line.split('#').next().unwrap_or_default().trim();
            if !word.is_empty() {
                let number = key_number(word).ok_or_else(|| {
                    Error::usage(format!("{path}: {word:?} is not a key number"))
                        .hint("use the 16 hexadecimal digits that kbmirror keys list prints")
                })?;
                numbers.push(number);
            }
        }
        Ok(numbers)
    }

    /// Records that a key is distrusted. Returns `true` if it was not distrusted before.
    pub fn distrust(&self, number: &str, now: &str) -> Result<bool> {
        if self.distrusted()?.iter().any(|known| known == number) {
            return Ok(false);
        }
        let path = self.path_of(FILE);
        let mut text = if disk::exists(&path) {
            disk::read_text(&path, CAP)?
        } else {
            "# Distrusted keys: media under these keys are refused. One key number per line.\n".to_owned()
        };
        // Formatting into a string cannot fail.
        let _written = writeln!(text, "{number} # {now}");
        disk::write_atomic(&path, text.as_bytes())?;
        Ok(true)
    }

    /// Refuses a medium under a distrusted key.
    pub(in crate::carrier) fn refuse_distrusted(&self, signed: &SignedSet) -> Result<()> {
        let numbers = self.distrusted()?;
        for (what, key) in [
            ("signed under the root key", &signed.root_key),
            ("signed with the export key", &signed.export_key),
        ] {
            if numbers.contains(&key.id()) {
                return Err(refused(format!(
                    "set {} is {what} {} (id {}), which is distrusted",
                    signed.set.label(),
                    key.short(),
                    key.id()
                ))
                .hint("ask the connected side for a medium under a new key: kbmirror keys rotate there")
                .hint(format!(
                    "remove its line from {} if the key was distrusted by mistake",
                    self.path_of(FILE)
                )));
            }
        }
        Ok(())
    }
}

/// Returns the normalised number of a key as minisign prints it, or `None` if the word is not a key number.
pub fn key_number(word: &str) -> Option<String> {
    /// Eight bytes in hexadecimal digits.
    const DIGITS: usize = 16;
    let is_number = word.len() == DIGITS && word.bytes().all(|letter| letter.is_ascii_hexdigit());
    is_number.then(|| word.to_ascii_uppercase())
}
