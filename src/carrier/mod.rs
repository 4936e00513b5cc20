//! Transfer across the air gap: from a mirror to a medium, and from a medium into another mirror.
//!
//! - [`ExportPlan`] lists the sets of an export. [`export`] writes the sets, signs them last, and reads all of them
//!   back.
//! - [`examine`] checks a medium without changing anything. [`ImportJob`] imports the medium into a mirror.
//!
//! An import depends on content, never on a sequence. The medium carries the complete listing of its sets. An
//! import is complete when every listed file is in the mirror or on the medium. The number of a set only serves to
//! detect an older set, which may add missing files and never replaces newer ones.
//!
//! Everything on a medium is hostile until it is checked. Sizes are limited, every path is checked against the name
//! policy, only regular files are opened, and each file is read once. Nothing becomes visible in the mirror before
//! the complete medium is verified. The medium may be read-only; the receiving side never changes it.
//!
//! The folders build on each other in this order: `medium` is the format, `trust` has the keys and signatures,
//! `read` is the receiving side, and `write` is the sending side, which reads back its own output.

mod medium;
#[doc(hidden)]
pub mod parsers;
mod read;
mod report;
mod trust;
mod write;

pub use medium::Listing;
pub use read::{CheckJob, ExaminedMedium, ImportJob, ImportOutcome, ImportSummary, MediumCheck, examine};
pub use report::keep_report;
pub use trust::{
    ExportKey, KeyFolder, KeyList, KeyRevocation, KeyRotation, NoPassphrases, Passphrases, PublicKey,
    RetiredKey, SecretKey, SetDates, SignedSet, SigningKeys, TrustedRoots, key_number, last_imports,
    locked_key_error, missing_passphrase_error, read_passphrase,
};
pub use write::{
    ChangedSet, ExportContext, ExportPlan, ExportRequest, ExportSummary, PayloadFile, PayloadSource,
    PlannedPackageSet, TargetContent, TargetFolder, dry_run, export, lineage_state,
};
