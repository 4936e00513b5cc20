//! The result of a crawl.

use super::session::Failure;
use crate::facts::SetId;
use crate::resolve::PackageSet;
use crate::update::Kb;

/// The result of the crawl of one KB.
#[derive(Debug)]
pub struct CrawledKb {
    /// The KB.
    pub kb: Kb,
    /// The sets of the KB with their numbers in the index.
    pub sets: Vec<(SetId, PackageSet)>,
    /// The number of updates of the KB that the Catalog has.
    pub updates: usize,
    /// The failures during the crawl.
    pub failures: Vec<Failure>,
}
