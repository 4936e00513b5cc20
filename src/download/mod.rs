//! From a plan to bytes: one file after another arrives under `partial/`, is hashed while it is written, and is
//! judged before anybody sees it.
//!
//! The network is read on the async side; writing and hashing happen on one blocking thread a transfer, behind a
//! bounded channel, so that memory does not grow with the size of a file. A file that differs from what the Catalog
//! said is told apart from one that could not be fetched: the first is bad, the second may come later.
//!
//! Nothing here touches the pool or the index: what to do with a finished file is the caller's to decide.

mod judge;
mod transfer;

pub use judge::{Expected, Mismatch, judge};
pub use transfer::{Arrived, Wanted, fetch_file};
