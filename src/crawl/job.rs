//! The job of `crawl`: records updates, files, and the graph of KBs or of a query in the index, without payload.

use super::crawled::CrawledKb;
use super::run::{JobOutcome, RunJob};
use super::session::{Failure, Session};
use crate::catalog::Query;
use crate::error::Result;
use crate::update::{Architecture, Kb};

/// The KBs or the query of a crawl.
#[derive(Debug, Clone)]
pub enum CrawlGoal {
    /// A list of KBs, crawled one after the other.
    Kbs(Vec<Kb>),
    /// A query; the KBs of all its updates are crawled.
    Query(Query),
}

/// The job of `crawl`.
#[derive(Debug, Clone)]
pub struct CrawlJob {
    /// The KBs or the query.
    pub goal: CrawlGoal,
    /// The architectures whose details and files are read; an empty list means all.
    pub architectures: Vec<Architecture>,
}

/// The outcome of `crawl`.
#[derive(Debug, Default)]
pub struct CrawlOutcome {
    /// The KBs that were crawled.
    pub crawled: Vec<CrawledKb>,
    /// The failures during the crawl.
    pub failures: Vec<Failure>,
}

impl JobOutcome for CrawlOutcome {
    fn done(&self) -> usize {
        self.crawled.len()
    }

    fn failures(&self) -> &[Failure] {
        &self.failures
    }

    fn failures_mut(&mut self) -> &mut Vec<Failure> {
        &mut self.failures
    }

    fn bytes_downloaded(&self) -> u64 {
        0
    }
}

impl CrawlOutcome {
    fn add(&mut self, mut crawled: CrawledKb) {
        self.failures.append(&mut crawled.failures);
        self.crawled.push(crawled);
    }
}

impl RunJob for CrawlJob {
    type Outcome = CrawlOutcome;

    async fn work(&self, session: &mut Session) -> Result<CrawlOutcome> {
        let mut outcome = CrawlOutcome::default();
        match &self.goal {
            CrawlGoal::Kbs(kbs) => {
                for kb in kbs {
                    match session.crawl_kb(*kb, &self.architectures).await {
                        Ok(crawled) => outcome.add(crawled),
                        Err(error) => outcome.failures.push(Failure::new(kb.to_string(), &error)),
                    }
                }
            }
            CrawlGoal::Query(query) => {
                let (found, without_kb) = session.crawl_query(query, &self.architectures).await?;
                outcome.failures.extend(without_kb);
                for crawled in found {
                    outcome.add(crawled);
                }
            }
        }
        Ok(outcome)
    }
}
