//! The steps of a plan: the packages before the target, and the members of the set that the machine needs.
//! All of them must be available.

use super::answer::{MissingPackage, Status, Step};
use super::applicability::condition_of_titles;
use super::before::steps_before;
use super::bundle::dotnet_steps;
use super::candidates::latest_of_family;
use super::condition::Condition;
use super::context::ResolveContext;
use super::draft::{PlanDraft, StepList};
use super::media_notes::media_notes;
use super::member::Member;
use super::package_set::PackageSet;
use super::place::Place;
use super::refusal::{JudgementResult, Refusal};
use super::requirements::condition_of;
use crate::error::Result;
use crate::facts::Role;
use crate::update::{Build, Kind, PackageName};

/// Returns the steps of a set that no judgement refused.
pub(super) fn plan_steps(
    context: &ResolveContext<'_>,
    set: &PackageSet,
    draft: &mut PlanDraft,
) -> JudgementResult<StepList> {
    let is_dotnet = set.kind.is_some_and(Kind::is_dotnet)
        || set.members.iter().any(|member| member.role == Role::DotnetChild);
    let own = if is_dotnet {
        dotnet_steps(context, set, &mut draft.warnings)?
    } else {
        own_steps(context, set, draft)
    };
    let mut steps = steps_before(context, set, draft)?;
    let whole = steps.is_empty() && own.len() == set.members.len();
    steps.extend(own);
    add_notes(context, set, draft)?;
    number_steps(context, steps, set.stated_size.filter(|_| whole))
}

/// Returns the members of a set that the machine needs.
fn own_steps(context: &ResolveContext<'_>, set: &PackageSet, draft: &mut PlanDraft) -> Vec<Step> {
    let request = context.request;
    let at = request.machine.effective_build();
    let target = set.build();
    if let (Some(build), None) = (target, draft.expected_build) {
        let number = at.map_or(build.number, |at| at.number);
        let cumulative = set.kind.is_some_and(Kind::is_windows_cumulative);
        draft.expected_build = Some(Build::new(number, build.revision)).filter(|_| cumulative);
    }
    let needed = |member: &&Member| {
        let condition = condition_of(member).filter(|_| member.role == Role::Checkpoint);
        condition.is_none_or(|condition| condition.holds(&request.machine) != Some(false))
    };
    let members = set.members.iter().filter(needed);
    members
        .map(|member| {
            Step::of_member(member, set, reason_for(context, member, set), needed_if(context, member, set))
        })
        .collect()
}

/// Returns the reason why a member of a set is a step.
fn reason_for(context: &ResolveContext<'_>, member: &Member, set: &PackageSet) -> String {
    let (kb, at) = (set.kb, context.request.machine.effective_build());
    match (member.role, member.build, at) {
        (Role::Checkpoint, Some(build), Some(_)) if context.request.machine.adds_features_to_image() => {
            format!(
                "features or languages are being added to an image: {kb} needs its checkpoint {build} beside it"
            )
        }
        (Role::Checkpoint, Some(build), Some(at)) => {
            format!("{at} is below the checkpoint {build} that {kb} builds upon")
        }
        (Role::Checkpoint, Some(build), None) => format!("{kb} builds upon the checkpoint {build}"),
        (Role::Checkpoint, None, _) => format!("{kb} builds upon this checkpoint"),
        (Role::Ssu, ..) => format!("the servicing stack comes before {kb}"),
        (Role::DotnetChild, ..) => format!("a package of the bundle {kb}"),
        (Role::SafeOs, ..) => "the requested update of the recovery environment".to_owned(),
        (Role::Setup, ..) => "the requested update of the setup files: expand it over \\sources".to_owned(),
        (Role::Target, Some(build), Some(at)) => {
            format!("the requested update: from {at} to {}", Build::new(at.number, build.revision))
        }
        (Role::Target, Some(build), None) => format!("the requested update: brings build {build}"),
        (Role::Companion, ..) if member.is_ordered() => {
            format!("listed with {kb}, which replaces it: it comes before {kb}")
        }
        (Role::Companion, ..) => {
            format!("listed with {kb}; no evidence states whether it comes before or after")
        }
        _ => "the requested update".to_owned(),
    }
}

/// Returns the machines that need a member, if the baseline is unknown.
fn needed_if(context: &ResolveContext<'_>, member: &Member, set: &PackageSet) -> Option<Condition> {
    if context.request.machine.baseline.is_some() || context.request.machine.place == Place::Mirror {
        return None;
    }
    match member.build.filter(|_| member.role == Role::Checkpoint) {
        // WinPE does not take a checkpoint again to add features.
        Some(build) if context.request.machine.place == Place::Winpe => Some(Condition::BuildBelow(build)),
        _ => condition_of(member).or_else(|| {
            let is_update = member.role.is_update();
            condition_of_titles(set, context.knowledge).filter(|_| is_update)
        }),
    }
}

/// Adds notes and warnings to a plan that was not refused.
fn add_notes(context: &ResolveContext<'_>, set: &PackageSet, draft: &mut PlanDraft) -> Result<()> {
    let request = context.request;
    let cumulative = set.kind.is_some_and(Kind::is_windows_cumulative);
    if request.machine.features_on_demand && request.machine.place == Place::Online && cumulative {
        let text = "after adding features on demand or languages to a running machine, apply the cumulative update again";
        draft.warnings.push(text.to_owned());
    }
    let has_checkpoint = set.members.iter().any(|member| member.role == Role::Checkpoint);
    draft.notes = media_notes(context, set);
    if request.machine.place == Place::Winpe && has_checkpoint && request.machine.baseline.is_none() {
        draft.notes.push(
            "leave the checkpoint out of the folder if boot.wim is at or past it: DISM fails with 0x80073712 otherwise"
                .to_owned(),
        );
    }
    if request.machine.place == Place::Media {
        draft.advice = Some(media_advice(set, &draft.notes));
    } else {
        draft.warnings.extend(draft.notes.iter().cloned());
    }
    if let Some(row) = context.knowledge.withdrawn().hotpatch_baseline(set.kb) {
        draft.warnings.push(format!("{}: {}", set.kb, row.note));
    }
    if let Some(row) = context.knowledge.withdrawn().expired_update(set.kb) {
        draft.successor = latest_of_family(context, set)?.filter(|kb| *kb != set.kb);
        let later = draft.successor.map_or_else(String::new, |kb| format!("; {kb} is later"));
        draft
            .warnings
            .push(format!("{} left the Catalog and is still valid ({}){later}", set.kb, row.source));
    }
    Ok(())
}

/// Returns the advice for setup files, which are expanded and not installed.
fn media_advice(set: &PackageSet, notes: &[String]) -> String {
    let names: Vec<&str> = set.members.iter().filter_map(|member| member.file.known_name()).collect();
    let name = match names.as_slice() {
        [only] => only,
        _ => "FILE.cab",
    };
    let expand = format!("run expand.exe {name} -F:* MEDIA\\sources");
    [expand].into_iter().chain(notes.iter().cloned()).collect::<Vec<_>>().join("; ")
}

/// Numbers the steps, counts their bytes, and refuses steps that are not available.
pub(super) fn number_steps(
    context: &ResolveContext<'_>,
    steps: Vec<Step>,
    stated: Option<u64>,
) -> JudgementResult<StepList> {
    let absent = steps.iter().filter(|step| !is_available(context, step));
    let missing: Vec<MissingPackage> =
        absent.map(|step| MissingPackage { kb: step.kb, role: step.role, name: step.name.clone() }).collect();
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(display_name).collect();
        let advice = format!("not among the available files: {}", names.join(", "));
        return Err(Refusal::new(Status::NeedsPrerequisite, advice).with_missing(missing).into());
    }
    let are_alternatives = Role::are_alternatives(steps.iter().map(|step| step.role));
    let mut order = 0;
    let mut numbered = Vec::new();
    for step in steps {
        let is_ordered = step.is_ordered && !(are_alternatives && step.role == Role::Target);
        order += usize::from(is_ordered);
        numbered.push(Step { order: is_ordered.then_some(order), ..step });
    }
    let total_bytes = numbered.iter().map(|step| step.size).sum::<Option<u64>>().or(stated);
    let absent: Vec<&Step> = numbered.iter().filter(|step| !step.present).collect();
    let counted: Option<u64> = absent.iter().map(|step| step.size).sum();
    let missing_bytes = counted.or(total_bytes.filter(|_| absent.len() == numbered.len()));
    Ok(StepList { steps: numbered, total_bytes, missing_bytes })
}

/// Returns `true` if a step's file is among the available names, or if no names were given.
fn is_available(context: &ResolveContext<'_>, step: &Step) -> bool {
    let Some(names) = &context.request.available else { return true };
    names.iter().any(|name| {
        // A delta update is never the file of a plan, although its name has the same KB.
        if PackageName::parse(name).delta {
            return false;
        }
        if let Some(wanted) = &step.name {
            return wanted.eq_ignore_ascii_case(name);
        }
        // Without a known name, the KB and the architecture must match.
        step.kb.is_some()
            && context.knowledge.parents().kb_of_file(name) == step.kb
            && PackageName::parse(name).architecture == step.architecture
    })
}

fn display_name(missing: &MissingPackage) -> String {
    match (&missing.name, missing.kb) {
        (Some(name), _) => name.clone(),
        (None, Some(kb)) => kb.to_string(),
        (None, None) => missing.role.to_string(),
    }
}
