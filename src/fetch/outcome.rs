//! The outcome of a fetch: what became of each set, and what failed.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::plan::FetchPlan;
use crate::crawl::{Failure, JobOutcome};
use crate::documents::{FetchedSetDocument, SetStatus};
use crate::error::Result;
use crate::mirror::index::SetRow;
use crate::mirror::{Access, Mirror};
use crate::resolve::PackageSet;
use crate::update::Kb;

/// A set with what became of it.
#[derive(Debug)]
pub struct FetchedSet {
    /// As the resolver sees it, where the Catalog was asked.
    pub set: Option<PackageSet>,
    /// As the index keeps it.
    pub row: SetRow,
    /// What became of it.
    pub status: SetStatus,
    /// The published folder and the names of its files.
    pub folder: Option<(Utf8PathBuf, Vec<String>)>,
    /// Why it failed.
    pub error: Option<String>,
    /// The KBs with which it comes along; none when it was asked for itself.
    pub needed_by: BTreeSet<Kb>,
}

impl FetchedSet {
    /// Returns the document.
    pub fn document(&self, mirror: &Mirror<impl Access>) -> Result<FetchedSetDocument> {
        Ok(FetchedSetDocument {
            set: mirror.set_document(&self.row, self.status, self.error.as_deref())?,
            needed_by: self.needed_by.clone(),
            place: self.folder.as_ref().map(|(path, _)| path.clone()),
        })
    }
}

/// The outcome of a fetch.
#[derive(Debug, Default)]
pub struct FetchOutcome {
    /// The sets, by KB, architecture, and folder.
    pub sets: Vec<FetchedSet>,
    /// What was planned and what was left out.
    pub plan: FetchPlan,
    /// What failed.
    pub failures: Vec<Failure>,
    /// Payload bytes that came over the wire.
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
