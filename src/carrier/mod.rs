//! Across the gap: from a mirror to a medium, and from a medium into another mirror.
//!
//! - [`ExportPlan`] says what an export will write; `run` writes it, with the signature last, and reads all of it back.
//! - [`examine`] checks a medium without changing anything; [`import()`] takes it into a mirror.
//!
//! An import depends on content, never on a sequence: the medium carries the whole listing of its sets, and an import is
//! complete when every listed file is in the mirror or on the medium. The number of a set serves to notice an older one
//! alone, which may add what is missing and never moves anything back.
//!
//! Everything on a medium is hostile until it is checked: sizes are capped, every path is held against the name policy, only
//! regular files are opened, each file is read once, and nothing is visible in the mirror before all of it is right.
//! The medium may be read-only; it is never changed by the receiving side.

mod check;
mod copy;
mod describe;
mod export;
mod found;
mod healed;
mod import;
mod imported;
pub mod keys;
mod listing;
mod mark;
pub mod medium;
mod memory;
mod pages;
mod place;
mod plan;
mod planned;
mod preflight;
mod reading;
mod removal;
mod selection;
pub mod signature;
mod staging;
mod target;
mod union;

pub use check::{Examined, examine};
pub use describe::Trust;
pub use export::{Context, Exported, export, rehearse};
pub use found::Found;
pub use import::{ImportOptions, import};
pub use imported::Imported;
pub use keys::{KeyFolder, KeyList};
pub use memory::{LastImport, last_imports, refuse_replaced_key};
pub use place::Place;
pub use plan::ExportPlan;
pub use planned::{ChangedSet, Payload, PlannedExport, Source};
pub use selection::ExportRequest;
pub use signature::{PublicKey, SecretKey};
