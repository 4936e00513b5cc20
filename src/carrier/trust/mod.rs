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

pub use change::{Revoked, Rotated};
pub use dates::Dates;
pub(in crate::carrier) use dates::{behind, refuse_contradiction};
pub use distrust::key_number;
pub use keys::{ExportKey, KeyFolder, KeyList, RetiredKey, SigningKeys};
pub(in crate::carrier) use mark::{mark_text, new_mark, read_mark};
pub use memory::last_imports;
pub(in crate::carrier) use memory::{last_import, memory, note, noted, refuse_replaced_key};
pub use passphrase::{NoPassphrases, Passphrases, locked, unasked};
pub use secret_file::read_passphrase;
pub(in crate::carrier) use signature::check_form;
pub use signature::{PublicKey, SecretKey};
pub(in crate::carrier) use signed::signer;
pub use signed::{Signed, Trust};
