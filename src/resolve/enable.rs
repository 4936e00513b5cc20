//! Enablement packages: small updates that switch on a version whose files a cumulative update has already
//! installed.
//!
//! On a machine below the package's floor, a cumulative update and a restart come first. The update is the
//! newest one that policy and date allow, or with `minimal` the floor's own. It is a preview only if no other
//! update reaches the floor.

use super::answer::{Choice, MissingPackage, Plan, Status, Step};
use super::candidates::{BestCandidate, best_candidate, candidates};
use super::condition::Condition;
use super::context::ResolveContext;
use super::draft::{PlanDraft, StepList};
use super::esu::ltsc_rows;
use super::grounds::{enablement_judgement, floor_judgement};
use super::judgement::{Judgement, Statement};
use super::one_kb::plan_kb;
use super::package_set::PackageSet;
use super::place::Place;
use super::refusal::{JudgementResult, Refusal};
use super::request::{Goal, Policy, Request};
use super::requirements::floor_update;
use super::steps::number_steps;
use super::text::join_names;
use crate::error::Result;
use crate::facts::{Evidence, FileFacts, Role};
use crate::servicing::{Enablement, Family, Installation};
use crate::update::{Architecture, Build, Kb, Kind};

/// Returns the plan for a version by its name: 25H2.
pub(super) fn plan_release(context: &ResolveContext<'_>, release: &str) -> Result<Plan> {
    match package_of_release(context, release) {
        Ok(row) => plan_enablement(context, row),
        Err(stop) => PlanDraft::of(context, None).into_plan(context, Err(stop)),
    }
}

/// Returns the package that switches a version on for the machine.
fn package_of_release<'k>(context: &ResolveContext<'k>, release: &str) -> JudgementResult<&'k Enablement> {
    let knowledge = context.knowledge;
    context.check_product(&[])?;
    if let Some(at) =
        context.request.machine.effective_build().filter(|at| is_release(context, at.number, release))
    {
        return Err(already_at_version(at, format!("build {at} is {release} already")).into());
    }
    let mut named = knowledge.enablement().of_release(release);
    let of_product = |row: &&Enablement| {
        knowledge.families().of_id(row.family).any(|family| is_of_product(context, family))
    };
    if named.iter().any(of_product) {
        named.retain(of_product);
    }
    // Versions of two families may have the same name: Windows 10 22H2 and Windows 11 22H2.
    let here = named.iter().find(|row| context.families.iter().any(|family| family.id == row.family));
    if let Some(row) = here.or(named.first().filter(|_| context.families.is_empty())) {
        return Ok(row);
    }
    if let Some(row) = knowledge.enablement().missing_package(release) {
        return Err(Refusal::not_applicable(row.why.clone(), context.row_evidence(&row.source)).into());
    }
    Err(refusal_without_package(context, release).into())
}

/// Returns the answer for a version that no recorded package switches on for the machine.
///
/// An enablement package switches on what the cumulative updates of a family have installed. It therefore never leads
/// to a version of another family. Within a family, a package that is not recorded may exist.
fn refusal_without_package(context: &ResolveContext<'_>, release: &str) -> Refusal {
    let knowledge = context.knowledge;
    let owners: Vec<&Family> =
        knowledge.families().iter().filter(|family| family.has_release(release)).collect();
    if owners.is_empty() {
        let there = join_names(knowledge.enablement().all().iter().map(|row| row.release.as_str()));
        let advice = format!(
            "version {release} is unknown as of {}; packages are recorded for {there}",
            knowledge.date()
        );
        return Refusal::new(Status::Unknown, advice);
    }
    let machine = join_names(context.families.iter().map(|family| family.name.as_str()));
    let is_own = |family: &&&Family| owners.iter().any(|owner| owner.id == family.id);
    if let Some(family) = context.families.iter().find(is_own) {
        let number = family.builds.iter().find(|build| is_release(context, **build, release));
        let at = context.request.machine.effective_build();
        if let Some(at) = at.filter(|at| number.is_some_and(|number| at.number > *number)) {
            return already_at_version(at, format!("build {at} is later than {release}"));
        }
    } else if !context.families.is_empty() {
        let there = join_names(owners.iter().map(|family| family.name.as_str()));
        let advice = format!(
            "{release} is a version of {there}; an enablement package cannot lead there from {machine}: use media or a feature update"
        );
        return Refusal::not_applicable(
            advice,
            context.row_evidence("families.toml, versions of the families"),
        );
    }
    let machine = if machine.is_empty() { "this machine".to_owned() } else { machine };
    let advice = format!(
        "no package from {machine} to {release} is recorded: {}",
        context.library.side().advise_newer()
    );
    Refusal::new(Status::Unknown, advice)
}

/// Returns `true` if a build of the machine's family has this version. In a family of one version, every
/// build has it.
fn is_release(context: &ResolveContext<'_>, build: u32, release: &str) -> bool {
    context.families.iter().any(|family| match family.release_of(build) {
        Some(own) => own.eq_ignore_ascii_case(release),
        None => family.has_release(release),
    })
}

/// Returns the plan for an enablement package.
pub(super) fn plan_enablement(context: &ResolveContext<'_>, row: &Enablement) -> Result<Plan> {
    let mut draft = PlanDraft::of(context, Some(row.kb));
    let judged = steps_to_version(context, row, &mut draft);
    draft.into_plan(context, judged)
}

/// Returns the steps that lead to a version.
fn steps_to_version(
    context: &ResolveContext<'_>,
    row: &Enablement,
    draft: &mut PlanDraft,
) -> JudgementResult<StepList> {
    let knowledge = context.knowledge;
    let mut families = knowledge.families().of_id(row.family);
    let Some(family) = families.find(|family| family.installation == Installation::Client) else {
        return Err(Refusal::new(Status::Unknown, format!("the family of {} is unknown", row.kb)).into());
    };
    draft.family = Some(family.folder.clone());
    draft.serves = vec![family.into()];
    draft.product = Some(format!("{} (to {})", family.name, row.release));
    let architecture = architecture_of(context, row, family)?;
    draft.architecture = Some(architecture);
    draft.judgements.push(enablement_judgement(context, row, family));
    draft.warnings.extend(row.note.iter().map(|note| format!("{}: {note}", row.kb)));
    let (mut steps, revision) = steps_to_floor(context, row, family, architecture, draft)?;
    steps.push(enablement_step(context, row, architecture)?);
    draft.expected_build = revision.map(|revision| Build::new(row.to, revision));
    number_steps(context, steps, None)
}

/// Returns the architecture of the package that the machine takes.
fn architecture_of(
    context: &ResolveContext<'_>,
    row: &Enablement,
    family: &Family,
) -> JudgementResult<Architecture> {
    let request = context.request;
    if let Some(architecture) = request.machine.architecture.filter(|it| !family.architectures.contains(it)) {
        let advice = format!("{} has no package for {architecture}", row.kb);
        return Err(Refusal::not_applicable(advice, context.row_evidence(&family.source)).into());
    }
    if !is_of_product(context, family) {
        context.check_product(&context.library.sets(row.kb)?)?;
        let asked = request.product.as_deref().unwrap_or_default();
        let advice = format!("{} is not for {asked:?}; it is for {}", row.kb, family.name);
        return Err(Refusal::not_applicable(advice, context.row_evidence(&row.source)).into());
    }
    if let Some(refusal) = machine_refusal(context, row, family) {
        return Err(refusal.into());
    }
    match (request.machine.architecture, row.files()) {
        (Some(architecture), _) => Ok(architecture),
        (None, [only]) => Ok(only.architecture),
        (None, files) => {
            let sets = context.library.sets(row.kb)?;
            let of_files: Vec<Architecture> = files.iter().map(|file| file.architecture).collect();
            let there = if of_files.is_empty() { &family.architectures } else { &of_files };
            let there = join_names(there.iter().map(|architecture| architecture.as_str()));
            let advice = format!("{} has packages for {there}: select one with --arch", row.kb);
            let refusal = Refusal::new(Status::Ambiguous, advice);
            Err(refusal.with_choices(sets.iter().map(Choice::of_set)).into())
        }
    }
}

/// Returns `true` if the requested product belongs to a client family, or if none was requested.
fn is_of_product(context: &ResolveContext<'_>, family: &Family) -> bool {
    let product = context.product.as_ref();
    family.installation == Installation::Client && product.is_none_or(|product| product.is_family(family))
}

/// Returns the refusal of a machine that does not take the package.
fn machine_refusal(context: &ResolveContext<'_>, row: &Enablement, family: &Family) -> Option<Refusal> {
    let request = context.request;
    let no = |advice: String| Some(Refusal::not_applicable(advice, context.row_evidence(&row.source)));
    if request.machine.installation == Some(Installation::Server) {
        return no(format!(
            "{} switches on {} of {}: a server does not take this package",
            row.kb, row.release, family.name
        ));
    }
    if let Some(at) = request.machine.baseline {
        if !family.builds.contains(&at.number) {
            let machine = join_names(context.families.iter().map(|family| family.name.as_str()));
            return no(format!("{} is for {}, and build {at} is {machine}", row.kb, family.name));
        }
        if !context.families.iter().any(|own| own.installation == Installation::Client) {
            return no(format!(
                "{} switches on {} of {}: a server does not take this package",
                row.kb, row.release, family.name
            ));
        }
    }
    if !matches!(request.machine.place, Place::Online | Place::Image | Place::Mirror) {
        return no(format!("{} goes onto a running machine or into install.wim (--for image)", row.kb));
    }
    if let Some(at) = request
        .machine
        .effective_build()
        .filter(|at| at.number >= row.to || request.machine.has_installed(row.kb))
    {
        let why = if at.number >= row.to {
            format!("build {at} is {} or later already", row.release)
        } else {
            format!("{} is installed: restart the machine", row.kb)
        };
        return Some(already_at_version(at, why));
    }
    if let Some(ltsc) = ltsc_rows(context, family.id).first() {
        return no(format!(
            "{} does not take an enablement package: an LTSC edition keeps its version",
            ltsc.name
        ));
    }
    if let Some(at) = request.machine.effective_build().filter(|at| !row.from.contains(&at.number)) {
        let from: Vec<String> = row.from.iter().map(|&build| release_name(family, build)).collect();
        return no(format!(
            "{} is for {}; build {at} is {}",
            row.kb,
            join_names(from.iter().map(String::as_str)),
            release_name(family, at.number)
        ));
    }
    None
}

/// Returns the steps that bring a machine to the floor, and the resulting revision.
fn steps_to_floor(
    context: &ResolveContext<'_>,
    row: &Enablement,
    family: &Family,
    architecture: Architecture,
    draft: &mut PlanDraft,
) -> JudgementResult<(Vec<Step>, Option<u32>)> {
    let request = context.request;
    let at = request.machine.effective_build();
    if let Some(at) = at.filter(|at| at.revision >= row.floor) {
        let enough = Judgement::new(Statement::AtFloor { at, floor: row.floor_build() });
        draft.judgements.push(enough.with_evidence([context.row_evidence(&row.source)]));
        return Ok((Vec::new(), Some(at.revision)));
    }
    let Some(kb) = update_reaching_floor(context, row, family, &mut draft.warnings)? else {
        let advice = format!(
            "{} needs {} or later first, and no known cumulative update up to {} brings it",
            row.kb,
            row.floor_build(),
            request.as_of.map_or_else(|| context.knowledge.date().to_string(), |date| date.to_string())
        );
        let missing = MissingPackage { kb: row.minimum, role: Role::Prerequisite, name: None };
        return Err(Refusal::new(Status::NeedsPrerequisite, advice).with_missing(vec![missing]).into());
    };
    let plan = plan_floor_update(context, kb, architecture)?;
    if plan.status != Status::Install {
        return Err(floor_refusal(row, kb, plan).into());
    }
    draft.warnings.extend(plan.warnings);
    let brings = plan.steps.last().and_then(|step| step.brings);
    draft.judgements.push(floor_judgement(context, row, kb, brings).with_reasons(plan.judgements));
    let mut steps: Vec<Step> =
        plan.steps.into_iter().map(|step| prerequisite_step(row, kb, at, step)).collect();
    if let Some(last) = steps.last_mut() {
        // The package checks the running revision. An image does not run.
        last.restart_after = request.machine.place == Place::Online;
    }
    let revision = steps.iter().filter_map(|step| step.brings).map(|build| build.revision).max();
    Ok((steps, revision))
}

/// Returns the plan for the cumulative update before the package, on the same machine.
fn plan_floor_update(context: &ResolveContext<'_>, kb: Kb, architecture: Architecture) -> Result<Plan> {
    let mut below = Request { goal: Goal::Kb(kb), available: None, ..context.request.clone() };
    below.machine.architecture = Some(architecture);
    below.product = None;
    below.machine.installation = Some(Installation::Client);
    let (library, knowledge) = (context.library, context.knowledge);
    let below = ResolveContext {
        families: context.families.clone(),
        ..ResolveContext::new(&below, library, knowledge)
    };
    plan_kb(&below, kb)
}

/// Returns the refusal of a package whose cumulative update cannot be installed.
fn floor_refusal(row: &Enablement, kb: Kb, plan: Plan) -> Refusal {
    let advice = format!("{} needs {kb} first: {}", row.kb, plan.advice.unwrap_or_default());
    // The cumulative update is installed and waits for a restart. The package must wait for the restart too.
    let (status, missing) = match plan.status {
        Status::NothingToDo => (
            Status::NeedsPrerequisite,
            vec![MissingPackage { kb: Some(kb), role: Role::Prerequisite, name: None }],
        ),
        other => (other, plan.missing),
    };
    let refusal = Refusal::new(status, advice).with_missing(missing).with_choices(plan.choices);
    Refusal { successor: plan.successor, ..refusal }
}

/// Returns a step of the cumulative update as a step before the package.
fn prerequisite_step(row: &Enablement, kb: Kb, at: Option<Build>, step: Step) -> Step {
    if step.role != Role::Target {
        return step;
    }
    let floor = row.floor_build();
    let from = at.map_or_else(String::new, |at| format!("{at} is lower, and "));
    let brings = step.brings.map(|build| build.to_string()).unwrap_or_default();
    Step {
        role: Role::Prerequisite,
        because: format!("{} needs {floor} or later: {from}{kb} brings {brings}", row.kb),
        needed_if: step.needed_if.map(|_| Condition::BuildBelow(floor)),
        needed_below: Some(floor),
        ..step
    }
}

/// Returns the cumulative update that brings the floor.
fn update_reaching_floor(
    context: &ResolveContext<'_>,
    row: &Enablement,
    family: &Family,
    warnings: &mut Vec<String>,
) -> Result<Option<Kb>> {
    let request = context.request;
    let floor = row.floor_build();
    let mut candidates = candidates(context, &[Kind::Lcu, Kind::LcuPreview], family)?;
    candidates.retain(|candidate| candidate.build.is_some_and(|build| build >= floor));
    if request.minimal {
        let lowest = candidates.iter().min_by_key(|candidate| candidate.build);
        return Ok(floor_update(row, context.knowledge).or(lowest.map(|candidate| candidate.kb)));
    }
    if let BestCandidate::One(kb) = best_candidate(&candidates, request.policy, request.as_of) {
        return Ok(Some(kb));
    }
    let BestCandidate::One(kb) = best_candidate(&candidates, Policy::Preview, request.as_of) else {
        return Ok(None);
    };
    warnings.push(format!(
        "used the preview {kb} in spite of the policy {}: no other update reaches {floor}",
        request.policy.as_str()
    ));
    Ok(Some(kb))
}

/// Returns the step of the package itself: from the index, else from the knowledge.
fn enablement_step(
    context: &ResolveContext<'_>,
    row: &Enablement,
    architecture: Architecture,
) -> Result<Step> {
    let sets = context.library.sets(row.kb)?;
    let of_architecture = |set: &&PackageSet| set.architecture == Some(architecture);
    let found = sets.iter().find(of_architecture).and_then(|set| Some((set, set.members.first()?)));
    let row_says =
        Evidence::Knowledge { row: row.source.clone(), date: context.knowledge.date().to_string() };
    let because = format!("switches {} on", row.release);
    let mut step = if let Some((set, member)) = found {
        Step::of_member(member, set, because, None)
    } else {
        let file = row.file(architecture).map(FileFacts::from);
        let file = file.unwrap_or_else(|| FileFacts::unnamed(row.kb, Some(architecture)));
        Step::of_file(Role::Enablement, Some(row.kb), &file, because)
    };
    step.role = Role::Enablement;
    step.evidence.push(row_says);
    let open = context.request.machine.baseline.is_none() && context.request.machine.place != Place::Mirror;
    step.needed_if = open.then_some(Condition::VersionBelow(row.to));
    Ok(step)
}

/// Returns the answer for a machine that has the version.
fn already_at_version(at: Build, why: String) -> Refusal {
    Refusal { advice: Some(why), expected_build: Some(at), ..Refusal::nothing_to_do() }
}

fn release_name(family: &Family, build: u32) -> String {
    family.release_of(build).map_or_else(|| build.to_string(), str::to_owned)
}
