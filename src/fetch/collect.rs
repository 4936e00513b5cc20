//! Turns a crawled KB into the sets of a plan.

use std::collections::BTreeSet;

use super::plan::{FetchPlan, FetchRequest, PlannedSet};
use crate::crawl::{CrawledKb, Failure, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::facts::SetId;
use crate::resolve::PackageSet;
use crate::update::Kb;

/// Crawls a KB. Crawls it again if files are missing whose URLs come from an earlier reading, because URLs change.
pub(super) async fn crawl_for_files(
    session: &mut Session,
    request: &FetchRequest,
    kb: Kb,
) -> Result<CrawledKb> {
    let crawled = session.crawl_kb(kb, &request.architectures).await?;
    let mut is_missing = false;
    let excluded = request.exclusions(&crawled.sets.iter().map(|(_, set)| set).collect::<Vec<_>>());
    let wanted = crawled.sets.iter().zip(&excluded).filter(|(_, excluded)| excluded.is_none());
    for ((id, set), _) in wanted {
        if !session.took_from_index(kb, &set.updates) {
            continue;
        }
        let mirror = session.mirror()?;
        let members = mirror.index().set(*id)?.map(|row| row.members).unwrap_or_default();
        for key in members.iter().filter_map(|member| member.file.key) {
            is_missing |= mirror.pooled_file(key)?.is_none();
        }
    }
    if !is_missing {
        return Ok(crawled);
    }
    session.recrawl_kb(kb, &request.architectures).await
}

/// Adds the selected sets of a KB to the plan, and the others to its exclusions.
pub(super) fn add_sets(
    session: &mut Session,
    request: &FetchRequest,
    kb: Kb,
    sets: Vec<(SetId, PackageSet)>,
    plan: &mut FetchPlan,
    needed_by: &BTreeSet<Kb>,
) -> Result<()> {
    let mut wanted = 0;
    let any = !sets.is_empty();
    let excluded = request.exclusions(&sets.iter().map(|(_, set)| set).collect::<Vec<_>>());
    for ((id, set), excluded) in sets.into_iter().zip(excluded) {
        if let Some(reason) = excluded {
            plan.excluded.push((set, reason));
            continue;
        }
        wanted += 1;
        if set.architecture.is_none() && !request.architectures.is_empty() {
            session.warn(format!(
                "neither the titles nor the names of {kb} state the architecture of {}; fetched it for any architecture",
                set.folder
            ));
        }
        let mirror = session.mirror()?;
        let Some(row) = mirror.index().set(id)? else { continue };
        let mut absent = Vec::new();
        let mut present_bytes = 0;
        for key in row.members.iter().filter_map(|member| member.file.key) {
            match mirror.pooled_file(key)? {
                Some(pooled) => present_bytes += pooled.size,
                None => absent.push(key),
            }
        }
        let absent_bytes = if absent.is_empty() {
            Some(0)
        } else {
            set.total_size().map(|all| all.saturating_sub(present_bytes))
        };
        plan.sets.push(PlannedSet { set, row, absent, absent_bytes, needed_by: needed_by.clone() });
    }
    // A set that failed in the crawl has its own failure. An empty selection is a failure of its own.
    if wanted == 0 && (any || plan.failures.is_empty()) {
        let error = Error::new(
            ErrorKind::NotFound,
            format!("{kb} has no package of the requested architecture, product, and kind"),
        )
        .hint(format!("run kbmirror show {kb} to list its packages"));
        plan.failures.push(Failure::new(kb.to_string(), &error));
    }
    Ok(())
}
