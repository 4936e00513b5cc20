//! From a plan to bytes: several files at a time arrive under `partial/`, are hashed while they are written, and are judged
//! before they are used.
//!
//! A state machine that knows no socket and no disk decides the next step of a transfer (`machine`); `transfer` takes it. The
//! network is read on the async side; writing and hashing happen on one blocking thread a transfer, behind a
//! channel that is bounded in bytes, so that memory does not grow with the size of a file. What is under way is kept with a
//! `journal`, so that a run which was killed, stopped, or cut off from its power goes on where it was.
//!
//! A file that differs from the statements of the Catalog is bad; one that could not be fetched may come later
//! ([`TransferFault`] and `net::RequestFault` tell them apart). Nothing here touches the pool or the index: the caller decides
//! about a finished file.

mod batch;
mod fault;
mod journal;
mod machine;
mod rate;
mod stall;
mod transfer;
mod writer;

pub use batch::{Receiver, TransferEnd, Transferred, ends_batch, transfer_batch};
pub use fault::TransferFault;
pub use journal::{JOURNAL_FORMAT, Journal, journal_of};
pub use machine::{Bounds, ContentRange, Head, LARGEST_PACKAGE, Machine, Step, Validators};
pub use rate::RateLimit;
pub use stall::{Pulse, STALL_WINDOW};
pub use transfer::{Arrived, Terms, Wanted, fetch_file};
