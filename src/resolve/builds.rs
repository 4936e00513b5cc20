//! The build that a KB brings to a family.

use crate::facts::{Evidence, Facts};
use crate::servicing::{Checkpoint, Family, Knowledge};
use crate::update::{Build, Kb};

/// Returns the build that a KB brings to a family: the suffix of its titles there, else that of its known release.
pub(super) fn build_of(facts: &Facts, kb: Kb, family: &Family, knowledge: &Knowledge) -> Option<Build> {
    build_with_source(facts, kb, family, knowledge).map(|(build, _)| build)
}

/// Returns the same build with its evidence.
pub(super) fn build_with_source(
    facts: &Facts,
    kb: Kb,
    family: &Family,
    knowledge: &Knowledge,
) -> Option<(Build, Evidence)> {
    let of_titles = facts.updates.iter().filter(|update| update.kb == Some(kb));
    let of_titles = of_titles.filter_map(|update| update.build).filter_map(|build| family.canonical(build));
    if let Some(build) = of_titles.max() {
        return Some((build, Evidence::TitleBuild { kb, build }));
    }
    // A KB that was released again has two builds in time; the newest is what its files bring now.
    if let Some(release) = knowledge.releases_of(kb, family).pop() {
        let row = format!("{kb} is {} (release history)", release.build);
        return Some((release.build, Evidence::Knowledge { row, date: knowledge.date().to_string() }));
    }
    let checkpoint = knowledge.checkpoints_of(family).find(|checkpoint| checkpoint.kb == kb)?;
    Some((checkpoint.build, known_checkpoint(checkpoint, knowledge)))
}

/// Returns the evidence that a table has a checkpoint.
pub(super) fn known_checkpoint(checkpoint: &Checkpoint, knowledge: &Knowledge) -> Evidence {
    let row = format!("{} is the checkpoint {} ({})", checkpoint.kb, checkpoint.build, checkpoint.source);
    Evidence::Knowledge { row, date: knowledge.date().to_string() }
}
