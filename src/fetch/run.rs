//! The two calls of a fetch: the plan is made with the Catalog, then it is run. `--dry-run` shows the plan and stops.

use std::collections::BTreeSet;

use super::closure::add_closure;
use super::collect::{add_sets, crawl_for_files};
use super::intact::intact_sets;
use super::outcome::{FetchOutcome, FetchedSet};
use super::plan::{FetchPlan, FetchRequest, PlannedSet};
use super::publish::{publish, publish_intact, repair_folders};
use super::transfers::{download, transfer_requests};
use crate::crawl::{Failure, RunJob, Session};
use crate::documents::SetStatus;
use crate::error::Result;
use crate::resolve::PackageSet;

impl FetchPlan {
    /// Makes the plan of a request: crawls the KBs, and adds the requirements of their sets. Downloads nothing.
    pub async fn make(session: &mut Session, request: &FetchRequest) -> Result<Self> {
        let mut plan = Self::default();
        for &kb in &request.kbs {
            match crawl_for_files(session, request, kb).await {
                Ok(crawled) => {
                    plan.failures.extend(crawled.failures);
                    add_sets(session, request, crawled.kb, crawled.sets, &mut plan, &BTreeSet::new())?;
                }
                Err(error) => {
                    let intact = intact_sets(session, request, kb, &error)?;
                    if intact.is_empty() {
                        plan.failures.push(Failure::new(kb.to_string(), &error));
                    }
                    plan.intact.extend(intact);
                }
            }
        }
        let planned = plan.sets.iter().map(|planned| &planned.set);
        let excluded = plan.excluded.iter().map(|(set, _)| set);
        let intact = plan.intact.iter().map(|intact| &intact.set);
        let sets: Vec<&PackageSet> = planned.chain(excluded).chain(intact).collect();
        if !sets.is_empty() {
            // Without any set, the failure of the crawl is reported.
            request.check_products(sets.into_iter())?;
        }
        if request.closure {
            add_closure(session, request, &mut plan).await?;
        }
        if let Some(error) = request.max_bytes.and_then(|budget| plan.cut_to_budget(budget)) {
            plan.failures.push(Failure::new(error.message().to_owned(), &error));
        }
        Ok(plan)
    }

    /// Runs the plan: downloads the files that are not in the pool, and publishes the sets that are then complete.
    pub async fn run(mut self, session: &mut Session, request: &FetchRequest) -> Result<FetchOutcome> {
        let mut outcome =
            FetchOutcome { failures: std::mem::take(&mut self.failures), ..FetchOutcome::default() };
        publish_intact(session, &self.intact, &mut outcome)?;
        let absent = transfer_requests(session, &self, request, &mut outcome.failures)?;
        let failed = download(session, absent, &self, &mut outcome).await?;
        publish(session, &self, &failed, &mut outcome)?;
        repair_folders(session)?;
        outcome.plan = self;
        Ok(outcome)
    }

    /// Returns the outcome of a plan that is not run: each set as it would be fetched.
    pub fn rehearse(mut self, session: &mut Session) -> Result<FetchOutcome> {
        let mut outcome =
            FetchOutcome { failures: std::mem::take(&mut self.failures), ..FetchOutcome::default() };
        for intact in &self.intact {
            let is_right = session.mirror()?.is_intact(&intact.row)?;
            let status = if is_right { SetStatus::Unchanged } else { SetStatus::Planned };
            outcome.sets.push(rehearse_set(session, intact, status)?);
        }
        for planned in &self.sets {
            outcome.sets.push(rehearse_set(session, planned, SetStatus::Planned)?);
        }
        outcome.plan = self;
        Ok(outcome)
    }
}

/// Returns the outcome of a set in a plan that is not run.
fn rehearse_set(session: &mut Session, planned: &PlannedSet, status: SetStatus) -> Result<FetchedSet> {
    let place = Some(session.mirror()?.folder_of(&planned.row)?.path);
    Ok(FetchedSet { planned: planned.clone(), status, place, error: None })
}

/// The job of `fetch`.
#[derive(Debug, Clone)]
pub struct FetchJob {
    /// The request.
    pub request: FetchRequest,
    /// `true` to make the plan without running it.
    pub dry_run: bool,
}

impl RunJob for FetchJob {
    type Outcome = FetchOutcome;

    async fn work(&self, session: &mut Session) -> Result<FetchOutcome> {
        let plan = FetchPlan::make(session, &self.request).await?;
        if self.dry_run { plan.rehearse(session) } else { plan.run(session, &self.request).await }
    }
}
