//! The main job: crawl, resolve, download, check, publish.

use std::collections::BTreeSet;

use super::closure::add_closure;
use super::collect::{add_sets, crawl_for_files};
use super::outcome::{FetchOutcome, FetchedSet, SetStatus};
use super::plan::FetchRequest;
use super::publish::{heal_folders, publish};
use super::standing::standing_sets;
use super::transfers::{download, wanted_files};
use crate::crawl::{Failure, Session};
use crate::error::Result;
use crate::resolve::PackageSet;

/// Fetches KBs. With `dry_run` the Catalog is asked and nothing is downloaded or published.
pub async fn run_fetch(session: &mut Session, request: &FetchRequest, dry_run: bool) -> Result<FetchOutcome> {
    let mut outcome = FetchOutcome::default();
    for &kb in &request.kbs {
        match crawl_for_files(session, request, kb).await {
            Ok(crawled) => {
                outcome.failures.extend(crawled.failures);
                add_sets(session, request, crawled.kb, crawled.sets, &mut outcome, &BTreeSet::new())?;
            }
            Err(error) => {
                let standing = standing_sets(session, request, kb, &error, dry_run)?;
                if standing.is_empty() {
                    outcome.failures.push(Failure::new(kb.to_string(), &error));
                }
                outcome.sets.extend(standing);
            }
        }
    }
    let planned = outcome.plan.sets.iter().map(|planned| &planned.set);
    let excluded = outcome.plan.left_out.iter().map(|(set, _)| set);
    let standing = outcome.sets.iter().filter_map(|fetched| fetched.set.as_ref());
    let sets: Vec<&PackageSet> = planned.chain(excluded).chain(standing).collect();
    if !sets.is_empty() {
        // Without any set, the failure of the crawl is the answer.
        request.check_products(sets.into_iter())?;
    }
    if request.closure {
        add_closure(session, request, &mut outcome).await?;
    }
    if let Some(error) = request.max_bytes.and_then(|budget| outcome.plan.keep_within(budget)) {
        outcome.failures.push(Failure::new(error.message().to_owned(), &error));
    }
    if dry_run {
        for planned in &outcome.plan.sets {
            let names = session.mirror()?.folder_of(&planned.row)?;
            outcome.sets.push(FetchedSet {
                set: Some(planned.set.clone()),
                row: planned.row.clone(),
                status: SetStatus::Planned,
                folder: Some((names.path, names.names)),
                error: None,
                needed_by: planned.needed_by.clone(),
            });
        }
        return Ok(outcome);
    }
    let absent = wanted_files(session, &outcome.plan, request, &mut outcome.failures)?;
    let failed = download(session, absent, &mut outcome).await?;
    publish(session, &failed, &mut outcome)?;
    heal_folders(session)?;
    Ok(outcome)
}
