//! The jobs: what `crawl` and `fetch` do, from a KB number to the index and to published folders.
//!
//! A [`Session`] is one run: the Catalog, the mirror, what is known, and the time. The mirror is made and locked when
//! there is something to write for the first time, so that a KB that does not exist leaves nothing behind. One
//! failing update, file, or KB does not stop the others; [`Failure`]s are collected and decide the exit code at the end.

mod closure;
mod crawl;
mod fetch;
mod plan;
mod session;
mod stage;
mod transfers;

pub use crawl::{Crawled, sets_of};
pub use fetch::{FetchOutcome, FetchedSet, SetStatus, run_fetch};
pub use plan::{FetchPlan, FetchRequest, LeftOut, PlannedSet};
pub use session::{Failure, Session, error_of};
pub use stage::{StagePlan, Staged};
