//! `repair`: from damage back to good bytes.
//!
//! - The mirror is verified first. Files of the pool that are damaged or missing are restored from the folders and media of `--from`,
//!   where the digest of the index decides, then downloaded again on the connected side.
//! - A damaged file goes to `quarantine/` in the moment in which good bytes take its place, and never before: the only copy is not
//!   given up. Unknown files are moved there too, and never deleted.
//! - Set folders are made again from the pool, and the files beside them are written again. What is sound is not touched.
//! - The mirror is verified again at the end. The result says "sound" only after that, and names what is still needed.
//!
//! A source that cannot be read, or that holds other bytes, is named and skipped; the rest goes on.

mod foreign;
mod job;
mod lacking;
mod sources;

pub use job::{OnlineRepair, RepairJob, RepairOutcome, Repairing};
