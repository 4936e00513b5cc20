//! The construction of a step from a file of the requested set or of another KB.

use super::answer::Step;
use super::condition::Condition;
use super::context::ResolveContext;
use super::issue::GenerationChoice;
use super::member::Member;
use super::package_set::PackageSet;
use crate::error::Result;
use crate::facts::{Evidence, FileFacts, Role};
use crate::update::Kb;

impl Step {
    /// Returns a step from a member of a set, without its position in the order.
    pub(super) fn of_member(
        member: &Member,
        set: &PackageSet,
        because: String,
        needed_if: Option<Condition>,
    ) -> Self {
        let is_until_build = matches!(member.role, Role::Checkpoint | Role::Target);
        Self {
            needed_if,
            evidence: member.evidence.clone(),
            brings: member.build,
            is_ordered: member.is_ordered(),
            needed_below: member.build.filter(|_| is_until_build),
            set: Some((set.kb, set.folder.clone())),
            ..Self::of_file(
                member.role,
                member.kb().or(member.role.is_update().then_some(set.kb)),
                &member.file,
                because,
            )
        }
    }

    /// Returns a step from a file, without its position in the order.
    pub(super) fn of_file(role: Role, kb: Option<Kb>, file: &FileFacts, because: String) -> Self {
        Self {
            order: None,
            role,
            kb,
            name: file.known_name().map(str::to_owned),
            sha1: file.sha1,
            sha256: file.sha256,
            size: file.size,
            url: file.urls.first().cloned(),
            present: file.present,
            because,
            needed_if: None,
            evidence: Vec::new(),
            restart_after: false,
            file: file.key,
            architecture: file.architecture,
            brings: None,
            is_ordered: role != Role::Companion,
            needed_below: None,
            set: None,
        }
    }
}

/// Returns a member of another KB's set as a step before the requested set. Adds a warning if the file name
/// is unknown.
pub(super) fn step_of_kb(
    context: &ResolveContext<'_>,
    kb: Kb,
    role: Role,
    like: &PackageSet,
    because: String,
    evidence: &[Evidence],
    warnings: &mut Vec<String>,
) -> Result<Step> {
    let sets = context.library.sets(kb)?;
    let fits = |set: &&PackageSet| {
        (set.architecture.is_none() || set.architecture == like.architecture)
            && (set.families.is_empty()
                || set.families.iter().any(|family| like.families.iter().any(|own| own.id == family.id)))
    };
    let is_newest = |set: &&PackageSet| GenerationChoice::Newest.includes(set.generation);
    let found = sets.iter().filter(|set| set.is_main()).filter(fits).filter(is_newest).find_map(|set| {
        let member = set.members.iter().rfind(|member| member.role != Role::Companion)?;
        Some((set, member))
    });
    let mut stated = evidence.to_vec();
    let (file, build, set) = match found {
        Some((set, member)) => {
            stated.extend(member.evidence.iter().cloned());
            (member.file.clone(), member.build, Some((set.kb, set.folder.clone())))
        }
        None => (FileFacts::unnamed(kb, like.architecture), None, None),
    };
    if file.known_name().is_none() {
        let architecture = like.architecture.map_or_else(String::new, |word| format!(" for {word}"));
        warnings.push(format!(
            "no file of {kb}{architecture} is known: {}",
            context.library.side().advise_unknown_kb(kb)
        ));
    }
    Ok(Step { evidence: stated, brings: build, set, ..Step::of_file(role, Some(kb), &file, because) })
}
