//! The main job: from KB numbers to published folders.
//!
//! The KBs are crawled, and the selected sets with their requirements become a [`FetchPlan`]. The files that are not in
//! the pool are downloaded and checked, and the complete sets are published. A failing file fails its set but not the
//! run. [`StagePlan`] puts exactly the files of a plan into an empty folder.

mod again;
mod closure;
mod collect;
mod intact;
mod outcome;
mod plan;
mod publish;
mod run;
mod stage;
mod transfers;

pub use again::{RedownloadOutcome, redownload};
pub use outcome::{FetchOutcome, FetchedSet};
pub use plan::{Exclusion, FetchPlan, FetchRequest, PlannedSet};
pub use run::FetchJob;
pub use stage::StagePlan;
