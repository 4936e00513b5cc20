//! From a plan to bytes: several files at a time arrive under `partial/`, are hashed while they are written, and are judged
//! before anybody sees them.
//!
//! What one transfer does next is decided by a state machine that knows no socket and no disk (`machine`); `transfer`
//! does it. The network is read on the async side; writing and hashing happen on one blocking thread a transfer, behind a
//! channel that is bounded in bytes, so that memory does not grow with the size of a file. What is under way is kept with a
//! `journal`, so that a run which was killed, stopped, or cut off from its power goes on where it was.
//!
//! A file that differs from what the Catalog said is told apart from one that could not be fetched: the first is bad, the
//! second may come later. Nothing here touches the pool or the index: what to do with a finished file is the caller's to
//! decide.

mod batch;
mod journal;
mod judge;
mod machine;
mod rate;
mod stall;
mod transfer;
mod writer;

pub use batch::{Receiver, TransferEnd, Transferred, ends_batch, transfer_batch};
pub use journal::{JOURNAL_FORMAT, Journal, journal_of};
pub use judge::{Expected, Mismatch, judge};
pub use machine::{Bounds, ContentRange, Head, Machine, Step, Validators};
pub use rate::RateLimit;
pub use stall::{Pulse, STALL_WINDOW};
pub use transfer::{Arrived, Terms, Wanted, fetch_file};
