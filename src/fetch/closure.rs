//! The packages that a fetch adds: servicing stacks, floors, prerequisites, and preparations that a set requires and
//! that belong to other KBs.
//!
//! The resolver names them ([`closure`]), and this module searches the Catalog for them. A separate servicing stack
//! that knowledge does not pair with the update is found by its title. If a package that every machine needs is
//! unavailable, the run has a failure; if only some machines need it, the run has a warning.

use std::collections::{BTreeMap, BTreeSet};

use super::collect::{add_sets, crawl_for_files};
use super::plan::{FetchPlan, FetchRequest};
use crate::catalog::Query;
use crate::crawl::{Failure, Session};
use crate::error::{ErrorKind, Result};
use crate::mirror::IndexLibrary;
use crate::resolve::{ClosureMember, PackageSet, closure, families_without_pair, stack_of_titles};
use crate::servicing::Family;
use crate::update::{Architecture, Classification, Kb, classify};

/// The sets and machines that need an added KB.
#[derive(Debug, Default)]
struct AddedKb {
    always: bool,
    architectures: BTreeSet<Architecture>,
    families: BTreeSet<u32>,
    needed_by: BTreeSet<Kb>,
}

/// Adds the packages to a plan that its sets require.
pub(super) async fn add_closure(
    session: &mut Session,
    request: &FetchRequest,
    plan: &mut FetchPlan,
) -> Result<()> {
    for set in planned_sets(plan) {
        if let Err(error) = search_stacks(session, &set).await {
            // The plan so far remains valid.
            if !error.kind().is_stop() {
                return Err(error);
            }
            plan.failures.push(Failure::new(set.kb.to_string(), &error));
            return Ok(());
        }
    }
    let mut added: BTreeMap<Kb, AddedKb> = BTreeMap::new();
    for set in planned_sets(plan) {
        let knowledge = session.knowledge();
        let mirror = session.mirror()?;
        let along = closure(&set, &IndexLibrary::new(mirror.index(), &knowledge), &knowledge)?;
        for ClosureMember { kb, always, .. } in along {
            let entry = added.entry(kb).or_default();
            entry.always |= always;
            entry.architectures.extend(set.architecture);
            entry.families.extend(set.families.iter().map(|family| family.id));
            entry.needed_by.insert(set.kb);
        }
    }
    for (kb, added) in added {
        if request.kbs.contains(&kb) {
            continue;
        }
        let needed_by: Vec<String> = added.needed_by.iter().map(ToString::to_string).collect();
        let needed_by = needed_by.join(", ");
        let architectures: Vec<Architecture> = added.architectures.iter().copied().collect();
        let own = FetchRequest {
            kbs: vec![kb],
            architectures,
            accept_unverified: request.accept_unverified,
            ..FetchRequest::default()
        };
        match crawl_for_files(session, &own, kb).await {
            Ok(crawled) => {
                plan.failures.extend(crawled.failures);
                let fits = |set: &PackageSet| {
                    set.families.is_empty()
                        || set.families.iter().any(|family| added.families.contains(&family.id))
                };
                let sets = crawled.sets.into_iter().filter(|(_, set)| fits(set)).collect();
                add_sets(session, &own, kb, sets, plan, &added.needed_by)?;
            }
            Err(error) if error.kind().is_stop() => {
                plan.failures.push(Failure::new(kb.to_string(), &error));
                return Ok(());
            }
            Err(error) if added.always => {
                let error = error.context(format!("{kb}, which must be installed before {needed_by}"));
                plan.failures.push(Failure::new(kb.to_string(), &error));
            }
            Err(error) => session.warn(format!(
                "did not add {kb}, which some machines need before {needed_by}: {}",
                error.full_message()
            )),
        }
    }
    Ok(())
}

fn planned_sets(plan: &FetchPlan) -> Vec<PackageSet> {
    plan.sets.iter().map(|planned| planned.set.clone()).collect()
}

/// Searches the Catalog for the separate servicing stacks of a set that knowledge does not pair with it.
async fn search_stacks(session: &mut Session, set: &PackageSet) -> Result<()> {
    let knowledge = session.knowledge();
    for family in families_without_pair(set, &knowledge) {
        search_stack(session, set, family).await?;
    }
    Ok(())
}

/// Searches the Catalog's titles for the newest servicing stack of a family that is not later than a set, and crawls
/// it.
async fn search_stack(session: &mut Session, set: &PackageSet, family: &Family) -> Result<()> {
    let knowledge = session.knowledge();
    session.check_stop()?;
    let query = Query::new(&format!("Servicing Stack Update {}", family.search_words()))?;
    session.phase(format!("querying the Catalog for the servicing stack of {}", family.name));
    let answer = match session.catalog().search(&query, None).await {
        Ok(answer) => answer,
        Err(error) if matches!(error.kind(), ErrorKind::NotRecorded | ErrorKind::Unreachable) => {
            session.warn(format!(
                "did not search for a newer servicing stack for {}: {}",
                family.name,
                error.full_message()
            ));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let titles: Vec<Classification> =
        answer.rows.iter().map(|row| classify(&row.title, &row.products, None)).collect();
    if let Some(kb) = stack_of_titles(set, family, &titles, &knowledge) {
        let architectures: Vec<Architecture> = set.architecture.into_iter().collect();
        if let Err(error) = session.crawl_kb(kb, &architectures).await {
            if error.kind().is_stop() {
                return Err(error);
            }
            session.warn(format!(
                "{kb}, the servicing stack for {}, could not be looked up: {}",
                set.kb,
                error.full_message()
            ));
        }
    }
    Ok(())
}
