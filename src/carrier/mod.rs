//! Across the gap: from a mirror to a medium, and from a medium into another mirror.
//!
//! - [`ExportPlan`] lists the sets of an export; [`export`] writes them, with the signature last, and reads all of it back.
//! - [`examine`] checks a medium without changing anything; [`ImportJob`] takes it into a mirror.
//!
//! An import depends on content, never on a sequence: the medium carries the whole listing of its sets, and an import is
//! complete when every listed file is in the mirror or on the medium. The number of a set serves to notice an older one
//! alone, which may add what is missing and never moves anything back.
//!
//! Everything on a medium is hostile until it is checked: sizes are capped, every path is held against the name policy, only
//! regular files are opened, each file is read once, and nothing is visible in the mirror before all of it is right.
//! The medium may be read-only; it is never changed by the receiving side.
//!
//! The folders, each above those before it: `medium` is the format, `trust` the keys and signatures, `read` the receiving side,
//! and `write` the sending side, which reads back what it wrote.

mod medium;
#[doc(hidden)]
pub mod parsers;
mod read;
mod report;
mod trust;
mod write;

pub use medium::Listing;
pub use read::{CheckJob, Examined, ImportJob, ImportOutcome, Imported, MediumCheck, examine};
pub use report::keep_report;
pub use trust::{
    Dates, ExportKey, KeyFolder, KeyList, NoPassphrases, Passphrases, PublicKey, RetiredKey, Revoked,
    Rotated, SecretKey, Signed, SigningKeys, Trust, key_number, last_imports, locked, read_passphrase,
    unasked,
};
pub use write::{
    ChangedSet, Context, ExportPlan, ExportRequest, Exported, Found, Payload, Place, PlannedExport, Source,
    export, lineage, rehearse,
};
