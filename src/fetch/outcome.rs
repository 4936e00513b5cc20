//! The outcome of a fetch: what became of each set, and what failed.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::plan::FetchPlan;
use crate::crawl::{Failure, JobOutcome};
use crate::mirror::index::SetRow;
use crate::resolve::PackageSet;
use crate::update::Kb;

/// What became of a set. The words are a promise of the JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetStatus {
    /// The folder is new, or new in what it holds.
    Published,
    /// The folder was there and right already.
    Unchanged,
    /// Nothing of it was published.
    Failed,
    /// It would be fetched (`--dry-run`), or was recorded (`crawl`).
    Planned,
}

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
