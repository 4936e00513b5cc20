//! The trust in a medium: keys, signatures, the mark of an unfinished export, and the memory of earlier imports.

mod change;
mod dates;
mod distrust;
mod keys;
mod mark;
mod memory;
mod passphrase;
mod secret_file;
mod signature;
mod signed;

pub use change::{KeyRevocation, KeyRotation};
pub use dates::SetDates;
pub(in crate::carrier) use dates::{refuse_contradiction, time_ahead_of_clock};
pub use distrust::key_number;
pub use keys::{ExportKey, KeyFolder, KeyList, RetiredKey, SigningKeys};
pub(in crate::carrier) use mark::{mark_text, new_mark, read_mark};
pub use memory::last_imports;
pub(in crate::carrier) use memory::{
    last_import, load_memory, refuse_replaced_key, save_memory, updated_memory,
};
pub use passphrase::{NoPassphrases, Passphrases, locked_key_error, missing_passphrase_error};
pub use secret_file::read_passphrase;
pub(in crate::carrier) use signature::check_form;
pub use signature::{PublicKey, SecretKey};
pub(in crate::carrier) use signed::signer;
pub use signed::{SignedSet, TrustedRoots};
