//! The trust in a medium: keys, signatures, the mark of an unfinished export, and the memory of earlier imports.

mod keys;
mod mark;
mod memory;
mod signature;
mod signed;

pub use keys::{KeyFolder, KeyList, SigningKeys};
pub(in crate::carrier) use mark::{mark_text, new_mark, read_mark};
pub use memory::last_imports;
pub(in crate::carrier) use memory::{last_import, memory, note, noted, refuse_replaced_key};
pub use signature::{PublicKey, SecretKey};
pub(in crate::carrier) use signed::signer;
pub use signed::{Signed, Trust};
