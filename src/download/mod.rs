//! Downloads files from a plan: several at a time are written under `partial/`, hashed while they are written, and
//! judged before they are used.
//!
//! A state machine without sockets and disks decides the next step of a transfer (`machine`); `transfer` executes it.
//! The network is read on the async side. One blocking thread per transfer writes and hashes. Its channel is bounded in
//! bytes, so that memory does not grow with the size of a file. A `journal` describes each transfer in progress, so
//! that a run resumes it after a kill, a stop, or a power failure.
//!
//! A file that contradicts the Catalog is bad; a file that could not be fetched may arrive later. [`TransferFault`] and
//! `net::RequestFault` distinguish the two. This module does not touch the pool or the index: the caller decides about
//! a finished file.

mod batch;
mod fault;
mod journal;
mod machine;
mod rate;
mod stall;
mod transfer;
mod writer;

pub use batch::{BatchReceiver, TransferEnd, TransferResult, ends_batch, transfer_batch};
pub use fault::TransferFault;
pub use journal::{JOURNAL_FORMAT, Journal, journal_path};
pub use machine::{
    ContentRange, LARGEST_PACKAGE, ResponseHead, SizeBounds, TransferMachine, TransferStep, Validators,
};
pub use rate::RateLimit;
pub use stall::{STALL_WINDOW, StallDetector};
pub use transfer::{ReceivedFile, TransferRequest, TransferSettings, fetch_file};
