//! Crawls the Catalog into the index: updates, files, and the graph of a KB, without any payload.
//!
//! Every job is a [`RunJob`]; [`Session::run`] executes it and concludes the run. A [`Session`] is one run: the
//! Catalog, the mirror, the knowledge, and the time. The mirror is created and locked before the first write, so that a
//! KB that does not exist leaves nothing behind. A failing update or file does not stop the others: [`Failure`]s are
//! collected and decide the exit code at the end.

mod absence;
mod catalog_state;
mod confirm;
mod crawled;
mod differences;
mod interruption;
mod job;
mod kb;
mod listed;
mod readings;
mod run;
mod session;
mod unlisted;

pub use catalog_state::{CatalogState, CatalogUpdate, read_kb_state, read_update_state};
pub use crawled::CrawledKb;
pub use differences::{IndexedUpdate, update_differences};
pub(crate) use interruption::report_stop_once;
pub use job::{CrawlGoal, CrawlJob, CrawlOutcome};
pub use kb::sets_of;
pub use listed::ListedUpdate;
pub use run::{ConcludedRun, JobOutcome, RunJob, RunOptions};
pub use session::{Failure, PARALLEL, Session, TransferOptions};
