//! The role of each file of an entry.
//!
//! A file with the entry's own KB is the target. If no file has it, the entry is a bundle, and all files are
//! the update (the children of a .NET parent, or one renamed file). Beside a target, a file of another KB is
//! a *candidate*. It comes first if a known edge states it, or if its build is lower in the same family.
//! Otherwise it is a companion of unknown order.

use super::age::place_companions;
use super::entry_part::EntryPart;
use super::member::Member;
use crate::facts::{Evidence, Facts, FileFacts, NeedsEdge, Role, Source, UpdateFacts};
use crate::servicing::{Checkpoint, Family, Knowledge};
use crate::update::{Architecture, Build, Kb, Kind, Month};

/// Returns the members of a part of an entry, in order, and the warnings.
pub(super) fn members_of(
    update: &UpdateFacts,
    part: &EntryPart<'_>,
    facts: &Facts,
    knowledge: &Knowledge,
) -> (Vec<Member>, Vec<String>) {
    let family = update.family(knowledge);
    let architecture = part.architecture;
    let mut warnings = Vec::new();
    let listed = Evidence::Dialog { update: update.id, seen: update.files_seen };

    let mut of_entry = facts.files_of(update).into_iter();
    let has_target = of_entry.any(|file| file.kb.is_some() && file.kb == update.kb);
    let mut members: Vec<Member> = Vec::new();
    for &file in &part.files {
        let mut evidence = vec![listed.clone()];
        let is_own = file.kb.is_some() && file.kb == update.kb;
        let (role, build) = if part.is_unclear(file) && !is_own {
            (Role::Companion, None)
        } else if has_target && !is_own {
            let (role, build, basis) = judge_candidate(file, update, family, facts, knowledge);
            evidence.extend(basis);
            (role, build)
        } else {
            let own = update.kb.and_then(|kb| {
                own_build(kb, update, family).or_else(|| build_of(kb, update, family, facts, knowledge))
            });
            let own = own.map(|(build, source)| {
                evidence.push(source);
                build
            });
            let whole = has_target || !update.kind.is_some_and(Kind::is_dotnet);
            (if whole { Role::of_kind(kind_of(update, knowledge)) } else { Role::DotnetChild }, own)
        };
        if role == Role::Companion && part.is_unclear(file) {
            warnings.push(format!(
                "neither the title \"{}\" nor the name {} states the architecture of this file: it is unknown if and when it is needed",
                update.title, file.name
            ));
        }
        members.push(Member { build, evidence, ..Member::new(file.clone(), role) });
    }
    if let (Some(family), Some(architecture), true, false) = (family, architecture, has_target, part.is_delta)
    {
        add_unlisted_checkpoints(update, family, architecture, facts, knowledge, &mut members, &mut warnings);
    }
    members.sort_by(|a, b| a.rank().cmp(&b.rank()));
    place_companions(&mut members, update, facts);
    members.sort_by(|a, b| a.rank().cmp(&b.rank()));
    warnings.extend(members.iter().filter(|member| !member.is_ordered()).map(|member| {
        format!(
            "{} belongs to the entry \"{}\" without evidence that it comes before or after the target: its order is unknown",
            member.file.name, update.title
        )
    }));
    (members, warnings)
}

/// Returns the kind of an update: that of its entry, unless the entry leaves open which dynamic update it is and
/// the knowledge does not.
pub(super) fn kind_of(update: &UpdateFacts, knowledge: &Knowledge) -> Option<Kind> {
    let (Some(Kind::DuAmbiguous), Some(kb)) = (update.kind, update.kb) else { return update.kind };
    let of_packages = || knowledge.packages().of_kb(kb).first().map(|package| package.kind);
    knowledge.stated_kind(kb).or_else(of_packages).or(update.kind)
}

/// Returns role, build, and evidence of a file of another KB beside the target.
fn judge_candidate(
    file: &FileFacts,
    update: &UpdateFacts,
    family: Option<&Family>,
    facts: &Facts,
    knowledge: &Knowledge,
) -> (Role, Option<Build>, Vec<Evidence>) {
    let of_its_kb = |kb: Kb| facts.updates.iter().filter(move |other| other.kb == Some(kb));
    let is_stack = file.name.to_ascii_lowercase().starts_with("ssu-")
        || file.kb.is_some_and(|kb| of_its_kb(kb).any(|other| other.kind == Some(Kind::Ssu)));
    if is_stack {
        return (Role::Ssu, None, Vec::new());
    }
    let Some(kb) = file.kb else { return (Role::Companion, None, Vec::new()) };
    let mut checkpoints = family.into_iter().flat_map(|family| knowledge.checkpoints().of_family(family));
    if let Some(checkpoint) = checkpoints.find(|row| row.kb == kb) {
        return (
            Role::Checkpoint,
            Some(checkpoint.build),
            vec![Evidence::of_checkpoint(checkpoint, knowledge)],
        );
    }
    let build_of = |kb: Kb| build_of(kb, update, family, facts, knowledge).map(|(build, _)| build);
    match (build_of(kb), update.kb.and_then(build_of)) {
        (Some(build), Some(target))
            if build < target && update.kind.is_some_and(Kind::is_windows_cumulative) =>
        {
            (Role::Checkpoint, Some(build), vec![Evidence::TitleBuild { kb, build }])
        }
        (build, _) => (Role::Companion, build, Vec::new()),
    }
}

/// Returns the build in an update's own title, with its evidence. Another issue of the KB may bring another build. A
/// number that no family has stays as the title states it.
fn own_build(kb: Kb, update: &UpdateFacts, family: Option<&Family>) -> Option<(Build, Evidence)> {
    let build = update.build?;
    let build = family.and_then(|family| family.canonical(build)).unwrap_or(build);
    Some((build, Evidence::TitleBuild { kb, build }))
}

/// Returns the build that a KB brings to the Windows of an update, with its evidence. Without a known family, builds
/// with the number in the update's own title are of the same Windows.
fn build_of(
    kb: Kb,
    update: &UpdateFacts,
    family: Option<&Family>,
    facts: &Facts,
    knowledge: &Knowledge,
) -> Option<(Build, Evidence)> {
    if let Some(family) = family {
        return facts.build_with_evidence(kb, family, knowledge);
    }
    let number = update.build?.number;
    let of_kb = facts.updates.iter().filter(|other| other.kb == Some(kb));
    let build = of_kb.filter_map(|other| other.build).filter(|build| build.number == number).max()?;
    Some((build, Evidence::TitleBuild { kb, build }))
}

/// Returns `true` if an update builds upon a checkpoint: by builds, else by the months of their releases.
fn builds_upon(update: &UpdateFacts, own: Option<Build>, checkpoint: &Checkpoint) -> bool {
    match (own, update.month) {
        (Some(own), _) => checkpoint.build < own,
        (None, Some(month)) => {
            let released = checkpoint.date.and_then(Month::of);
            released.is_some_and(|released| released < month)
        }
        (None, None) => false,
    }
}

/// Returns the known checkpoints that an update builds upon and that its dialog does not list.
pub(super) fn unlisted_checkpoints<'k>(
    update: &UpdateFacts,
    facts: &Facts,
    knowledge: &'k Knowledge,
) -> Vec<&'k Checkpoint> {
    let Some(family) = update.family(knowledge) else { return Vec::new() };
    if !update.kind.is_some_and(Kind::is_windows_cumulative) {
        return Vec::new();
    }
    let own = update.kb.and_then(|kb| facts.build_of(kb, family, knowledge));
    let files = facts.files_of(update);
    let missing = |row: &&Checkpoint| {
        Some(row.kb) != update.kb
            && builds_upon(update, own, row)
            && !files.iter().any(|file| file.kb == Some(row.kb))
    };
    knowledge.checkpoints().of_family(family).filter(missing).collect()
}

/// Adds known checkpoints that a dialog of the Catalog did not list, which has happened.
///
/// If a dialog lists no checkpoint, every known one is added. If the dialog lists others, those are the
/// Catalog's statement, and a known checkpoint is added only if the index has its file. Either way, a warning
/// reports it.
fn add_unlisted_checkpoints(
    update: &UpdateFacts,
    family: &Family,
    architecture: Architecture,
    facts: &Facts,
    knowledge: &Knowledge,
    members: &mut Vec<Member>,
    warnings: &mut Vec<String>,
) {
    let lists_none = !members.iter().any(|member| member.role == Role::Checkpoint);
    for checkpoint in unlisted_checkpoints(update, facts, knowledge) {
        let unlisted = format!(
            "the download dialog of \"{}\" does not list the checkpoint {}",
            update.title, checkpoint.kb
        );
        let indexed = facts.file_of_kb(checkpoint.kb, architecture);
        if !lists_none && indexed.is_none() {
            warnings.push(format!(
                "{unlisted}, which knowledge has for {}; left it out because the dialog lists others",
                family.name
            ));
            continue;
        }
        let known = || checkpoint.file(architecture).map(FileFacts::from);
        let Some(file) = indexed.cloned().or_else(known) else {
            warnings.push(format!(
                "{unlisted}, and its file for {architecture} is unknown: the set is incomplete"
            ));
            continue;
        };
        warnings.push(format!("{unlisted}; added it from knowledge of {}", knowledge.date()));
        let evidence = vec![Evidence::of_checkpoint(checkpoint, knowledge)];
        let build = Some(checkpoint.build);
        members.push(Member { build, evidence, ..Member::new(file, Role::Checkpoint) });
    }
}

/// Returns the edges of a set whose members are in order: the target needs every checkpoint and stack, and a
/// checkpoint needs the lower ones.
pub(super) fn edges_of(members: &[Member]) -> Vec<NeedsEdge> {
    let mut edges = Vec::new();
    for (from, member) in members.iter().enumerate() {
        if !member.role.is_update() && member.role != Role::Checkpoint {
            continue;
        }
        for (to, needed) in members[..from].iter().enumerate() {
            if !matches!(needed.role, Role::Checkpoint | Role::Ssu) {
                continue;
            }
            // The first evidence is the source that named the needed file: the dialog, else knowledge.
            let source = needed.evidence.first().map_or(Source::Knowledge, Evidence::source);
            edges.push(NeedsEdge { from, to, role: needed.role, source });
        }
    }
    edges
}
