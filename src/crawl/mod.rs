//! From the Catalog to the index: updates, files, and the graph of a KB, without a byte of payload.
//!
//! Every job is a [`RunJob`]; [`Session::run`] does it and concludes the run. A [`Session`] is one run: the Catalog, the mirror, the knowledge, and the time. The mirror is made and locked when there
//! is something to write for the first time, so that a KB that does not exist leaves nothing behind. One failing update or
//! file does not stop the others: [`Failure`]s are collected and decide the exit code at the end.

mod absence;
mod confirm;
mod crawled;
mod interruption;
mod job;
mod kb;
mod listed;
mod look;
mod readings;
mod revised;
mod run;
mod session;
mod unlisted;

pub use crawled::Crawled;
pub(crate) use interruption::report_stop_once;
pub use job::{CrawlGoal, CrawlJob, CrawlOutcome};
pub use kb::sets_of;
pub use listed::Listed;
pub use look::{Look, Looked, look_at_kb, look_at_update};
pub use revised::{OfIndex, revised};
pub use run::{JobOutcome, Run, RunJob, RunOptions};
pub use session::{Failure, PARALLEL, Session, TransferOptions};
