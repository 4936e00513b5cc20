//! The outcome of a fetch: each set with its status, and the failures.

use camino::Utf8PathBuf;

use super::plan::{FetchPlan, PlannedSet};
use crate::crawl::{Failure, JobOutcome};
use crate::documents::{FetchedSetDocument, SetStatus};
use crate::error::Result;
use crate::mirror::{Access, Mirror};

/// A planned set with its outcome.
#[derive(Debug)]
pub struct FetchedSet {
    /// The planned set; its row has the sizes and digests from the download.
    pub planned: PlannedSet,
    /// The status of the set.
    pub status: SetStatus,
    /// The path of its folder; `None` if it is not published.
    pub place: Option<Utf8PathBuf>,
    /// The error message, if the set failed.
    pub error: Option<String>,
}

impl FetchedSet {
    /// Returns the set as a document.
    pub fn document(&self, mirror: &Mirror<impl Access>) -> Result<FetchedSetDocument> {
        Ok(FetchedSetDocument {
            set: mirror.set_document(&self.planned.row, self.status, self.error.as_deref())?,
            needed_by: self.planned.needed_by.clone(),
            place: self.place.clone(),
        })
    }
}

/// The outcome of a fetch.
#[derive(Debug, Default)]
pub struct FetchOutcome {
    /// The sets, sorted by KB, architecture, and folder.
    pub sets: Vec<FetchedSet>,
    /// The plan, with the excluded sets.
    pub plan: FetchPlan,
    /// The failures.
    pub failures: Vec<Failure>,
    /// The payload bytes received over the network.
    pub bytes_downloaded: u64,
}

impl JobOutcome for FetchOutcome {
    fn done(&self) -> usize {
        self.sets.iter().filter(|set| set.status != SetStatus::Failed).count()
    }

    fn failures(&self) -> &[Failure] {
        &self.failures
    }

    fn failures_mut(&mut self) -> &mut Vec<Failure> {
        &mut self.failures
    }

    fn bytes_downloaded(&self) -> u64 {
        self.bytes_downloaded
    }
}
