//! The possible families of a machine, by its build and installation.

use std::collections::{BTreeMap, BTreeSet};

use super::request::{Goal, Request};
use super::text::join_names;
use crate::servicing::{Family, Installation, Knowledge};
use crate::update::Build;

/// Returns the possible families of the machine. The result is empty if its build is unknown, or if a KB is
/// requested for a build of no known family. The error is a sentence that states why no family fits.
pub(super) fn possible_families<'k>(
    request: &Request,
    knowledge: &'k Knowledge,
) -> Result<Vec<&'k Family>, String> {
    let Some(build) = request.machine.baseline else { return Ok(Vec::new()) };
    let mut families: Vec<&Family> = knowledge.families().of_build(build.number).collect();
    if families.is_empty() && matches!(request.goal, Goal::Kb(_)) {
        // Titles of the Catalog may state the number. The sets of the KB decide.
        return Ok(families);
    }
    if families.is_empty() {
        return Err(format!("build {build} does not belong to any family known as of {}", knowledge.date()));
    }
    if let Some(wanted) = request.machine.installation {
        let there = join_names(families.iter().map(|family| family.name.as_str()));
        families.retain(|family| family.installation == wanted);
        if families.is_empty() {
            return Err(format!("build {build} is {there}; no {} has this build", wanted.as_str()));
        }
    } else if let Some(line) = installation_by_revision(build, &families, knowledge) {
        families.retain(|family| family.installation == line);
    }
    Ok(families)
}

/// Returns client or server by the revision, for a build whose client and server releases have separated.
///
/// A revision that only one of them released belongs to that one. A hotpatched machine is between two
/// releases: its revision belongs to the next lower release if that release is later than the last shared
/// one.
fn installation_by_revision(
    build: Build,
    families: &[&Family],
    knowledge: &Knowledge,
) -> Option<Installation> {
    let mut released: BTreeMap<u32, BTreeSet<Installation>> = BTreeMap::new();
    for family in families.iter().filter(|_| families.len() > 1) {
        for release in knowledge.releases().of_family(family) {
            released.entry(release.build.revision).or_default().insert(family.installation);
        }
    }
    let shared = released.iter().rfind(|(_, by)| by.len() > 1).map_or(0, |(&revision, _)| revision);
    let (&nearest, by) = released.range(..=build.revision).next_back()?;
    let is_decisive = by.len() == 1 && (nearest == build.revision || nearest > shared);
    by.first().copied().filter(|_| is_decisive)
}
