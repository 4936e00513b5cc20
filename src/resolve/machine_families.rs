//! The families that a machine may be of, by its build and installation.

use std::collections::{BTreeMap, BTreeSet};

use super::request::Request;
use super::words::words;
use crate::servicing::{Family, Installation, Knowledge};
use crate::update::Build;

/// Returns the families that the machine may be of; none when its build is not known. An error is the sentence why there is
/// none.
pub(super) fn families_at<'k>(
    request: &Request,
    knowledge: &'k Knowledge,
) -> Result<Vec<&'k Family>, String> {
    let Some(build) = request.machine.baseline else { return Ok(Vec::new()) };
    let mut families: Vec<&Family> = knowledge.families().of_build(build.number).collect();
    if families.is_empty() {
        return Err(format!("build {build} is of no family that is known as of {}", knowledge.date()));
    }
    if let Some(wanted) = request.machine.installation {
        let there = words(families.iter().map(|family| family.name.as_str()));
        families.retain(|family| family.installation == wanted);
        if families.is_empty() {
            return Err(format!("build {build} is {there}, and no {} has it", wanted.as_str()));
        }
    } else if let Some(line) = line_of(build, &families, knowledge) {
        families.retain(|family| family.installation == line);
    }
    Ok(families)
}

/// Client or server by the revision, where both have the build and their releases have parted. A revision that just
/// one of them released is that one's. So is one past the last that they shared when the release next below it is: a
/// hotpatched machine is between two releases.
fn line_of(build: Build, families: &[&Family], knowledge: &Knowledge) -> Option<Installation> {
    let mut released: BTreeMap<u32, BTreeSet<Installation>> = BTreeMap::new();
    for family in families.iter().filter(|_| families.len() > 1) {
        for release in knowledge.releases().of_family(family) {
            released.entry(release.build.revision).or_default().insert(family.installation);
        }
    }
    let shared = released.iter().rfind(|(_, by)| by.len() > 1).map_or(0, |(&revision, _)| revision);
    let (&nearest, by) = released.range(..=build.revision).next_back()?;
    let tells = by.len() == 1 && (nearest == build.revision || nearest > shared);
    by.first().copied().filter(|_| tells)
}
