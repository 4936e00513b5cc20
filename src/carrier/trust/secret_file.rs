//! Files with secret keys, which their owner alone may read.

use camino::Utf8Path;

use super::signature::SecretKey;
use crate::disk::{self, Privacy};
use crate::error::{Error, Result};

/// Far more than a list of keys needs.
pub(super) const CAP: u64 = 1 << 20;

/// Reads a secret key; refuses one that others can read.
pub(super) fn read_secret(path: &Utf8Path) -> Result<SecretKey> {
    let readable = |how: &str| Error::usage(format!("others can read the secret key {path}{how}"));
    match disk::privacy(path)? {
        Privacy::Owner => {
            SecretKey::from_text(&disk::read_text(path, CAP)?).map_err(|error| error.context(path.as_str()))
        }
        Privacy::Others => Err(readable("")
            .hint(format!("take the rights away: chmod 600 {path}"))
            .hint("if others had access to this machine, make a new key: kbmirror keys rotate")),
        Privacy::Mount(system) => Err(readable(&format!(
            ", because its file system ({system}) has no modes of its own"
        ))
        .hint(
            "keep secret keys on a file system with modes; the folder keys of a mirror may be a link to one",
        )
        .hint("or mount it for yourself alone: umask=077 for FAT and exFAT, file_mode=0600 for CIFS")),
    }
}
