//! `repair`: restores damaged or missing content from good copies.
//!
//! - The mirror is verified first. Damaged or missing pool files are restored from the folders and media of
//!   `--from`, where the digest in the index decides. On the connected side, the remaining files are downloaded
//!   again.
//! - A damaged file moves to `quarantine/` when good bytes replace it, and never before, because it may be the
//!   only copy. Unknown files are moved there too, and are never deleted.
//! - Set folders are rebuilt from the pool, and the files beside them are rewritten. Sound files are not touched.
//! - The mirror is verified again at the end. The result says "sound" only after that, and names the files that
//!   are still needed.
//!
//! A source that cannot be read, or that has other bytes, is named and skipped; the repair continues.

mod foreign;
mod job;
mod missing;
mod sources;

pub use job::{OnlineRepair, RepairJob, RepairOutcome, RepairProgress};
