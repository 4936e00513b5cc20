//! The result of a crawl.

use super::session::Failure;
use crate::resolve::PackageSet;
use crate::update::Kb;

/// The result of the crawl of one KB.
#[derive(Debug)]
pub struct Crawled {
    /// The KB.
    pub kb: Kb,
    /// Its sets with their numbers in the index.
    pub sets: Vec<(i64, PackageSet)>,
    /// How many updates of the KB the Catalog has.
    pub updates: usize,
    /// What failed while the rest went on.
    pub failures: Vec<Failure>,
}
