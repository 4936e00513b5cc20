//! The judgement of a set before its steps are computed. It covers the place, a withdrawal, a baseline that
//! already has the update, Extended Security Updates, and the edition.

use super::answer::Status;
use super::candidates::candidates;
use super::context::ResolveContext;
use super::draft::PlanDraft;
use super::esu::check_extended_security;
use super::grounds::{
    build_evidence, build_judgement, extended_security_judgement, place_judgement, withdrawal_judgement,
};
use super::judgement::Proof;
use super::package_set::PackageSet;
use super::place::Place;
use super::refusal::{JudgementResult, Refusal};
use crate::error::Result;
use crate::update::{Build, Kb, Kind};

/// The source of the rules about the places of packages.
const PLACE_SOURCE: &str = "learn.microsoft.com, Update Windows installation media with Dynamic Update";

/// Judges a set in the fixed order.
pub(super) fn judge(
    context: &ResolveContext<'_>,
    set: &PackageSet,
    draft: &mut PlanDraft,
) -> JudgementResult<()> {
    if let Some(advice) = wrong_place_advice(context, set)? {
        return Err(match set.kind {
            None | Some(Kind::DuAmbiguous | Kind::KbHeading) => Refusal::new(Status::Unknown, advice),
            _ => Refusal::not_applicable(advice, context.row_evidence(PLACE_SOURCE)),
        }
        .into());
    }
    draft.judgements.push(place_judgement(context, set));
    if let Some(refusal) = withdrawal_refusal(context, set.kb) {
        if context.request.machine.place != Place::Mirror && !context.request.accept_withdrawn {
            return Err(refusal.into());
        }
        // The request accepts the withdrawn update, or a mirror keeps it without installing it. Add a warning
        // and continue.
        draft.successor = refusal.successor;
        draft.warnings.extend(refusal.advice);
    }
    draft.judgements.push(withdrawal_judgement(context, set.kb));
    add_faulty_warning(context, set.kb, draft);
    check_not_installed(context, set, draft)?;
    draft.judgements.extend(build_judgement(context, set));
    draft.judgements.extend(extended_security_judgement(context, set));
    check_extended_security(context, set, draft)
}

/// Returns the reason why a set is not for the place, and the package that is.
fn wrong_place_advice(context: &ResolveContext<'_>, set: &PackageSet) -> Result<Option<String>> {
    let (kb, place) = (set.kb, context.request.machine.place);
    if place == Place::Mirror {
        return Ok(None);
    }
    let advice = match set.kind {
        Some(Kind::Lcu | Kind::LcuPreview) if place == Place::Winre => {
            let safe_os = safe_os_of_month(context, set)?;
            format!(
                "winre.wim does not take {kb}: install the servicing stack inside {kb} (SSU-*.cab), then the Safe OS dynamic update of that month{safe_os}"
            )
        }
        Some(Kind::Lcu | Kind::LcuPreview | Kind::MonthlyRollup | Kind::SecurityOnly)
            if matches!(place, Place::Media | Place::Winre) =>
        {
            format!(
                "{kb} goes into install.wim (--for image) and boot.wim (--for winpe); the files in \\sources take a Setup dynamic update"
            )
        }
        Some(Kind::DynamicCu) => format!(
            "{kb} for this product is the copy for Windows Setup: install the cumulative update of that month"
        ),
        Some(Kind::SafeosDu) if place != Place::Winre => {
            format!("{kb} is a Safe OS dynamic update: it goes into winre.wim only (--for winre)")
        }
        Some(Kind::SetupDu | Kind::ComponentDuCritical) if place != Place::Media => format!(
            "{kb} is a Setup dynamic update: its files are expanded over \\sources of media (--for media), never installed with DISM"
        ),
        Some(Kind::DuAmbiguous) => format!(
            "no source states whether {kb} is for the recovery environment or for Setup: {}",
            context.library.side().advise_unknown_kb(kb)
        ),
        Some(Kind::DotnetCu | Kind::DotnetPreview | Kind::DotnetFeature)
            if !matches!(place, Place::Online | Place::Image) =>
        {
            format!(
                "{kb} is for .NET Framework: it goes onto a running machine or into install.wim (--for image)"
            )
        }
        Some(Kind::EsuLicensing | Kind::Enablement | Kind::SecurityStandalone)
            if !matches!(place, Place::Online | Place::Image) =>
        {
            format!("{kb} goes onto a running machine or into install.wim (--for image)")
        }
        None | Some(Kind::KbHeading) if matches!(place, Place::Winre | Place::Media) => {
            format!("no source states the kind of {kb}: cannot decide if it is for {}", noun_of(place))
        }
        Some(kind) if place == Place::Winre && !matches!(kind, Kind::SafeosDu | Kind::Ssu) => {
            format!(
                "{kb} is not for winre.wim, which takes only servicing stacks and Safe OS dynamic updates"
            )
        }
        _ if place == Place::Media
            && !matches!(set.kind, Some(Kind::SetupDu | Kind::ComponentDuCritical)) =>
        {
            format!(
                "{kb} is not a Setup dynamic update: the files in \\sources of media take only Setup dynamic updates"
            )
        }
        _ => return Ok(None),
    };
    Ok(Some(advice))
}

/// Returns the noun for a place with few packages.
fn noun_of(place: Place) -> &'static str {
    if place == Place::Winre { "winre.wim" } else { "the files in \\sources of media" }
}

/// Returns the refusal of an update that Microsoft withdrew.
pub(super) fn withdrawal_refusal(context: &ResolveContext<'_>, kb: Kb) -> Option<Refusal> {
    let row = context.knowledge.withdrawn().of_kb(kb)?;
    let advice = format!("{kb} is withdrawn ({}): take {} instead", row.why, row.successor);
    let refusal = Refusal::new(Status::Withdrawn, advice).with_evidence([context.row_evidence(&row.source)]);
    Some(Refusal { successor: Some(row.successor), ..refusal })
}

/// Adds a warning about a faulty update that Microsoft replaced and still lists, and names the replacement.
fn add_faulty_warning(context: &ResolveContext<'_>, kb: Kb, draft: &mut PlanDraft) {
    let Some(row) = context.knowledge.withdrawn().faulty_update(kb) else { return };
    draft.successor = Some(row.successor);
    draft.warnings.push(format!("{kb} is faulty ({}): {} replaces it", row.why, row.successor));
}

/// Refuses the update if the machine has it.
fn check_not_installed(
    context: &ResolveContext<'_>,
    set: &PackageSet,
    draft: &mut PlanDraft,
) -> JudgementResult<()> {
    let machine = &context.request.machine;
    let cumulative = set.kind.is_some_and(Kind::is_windows_cumulative);
    // If features are added to an image, the update is applied again, even if it is installed.
    let installed = machine.has_installed(set.kb) && !(cumulative && machine.adds_features_to_image());
    let has = |proof| Refusal::has_installed(set.kb, proof, build_evidence(set));
    if let Some(level) = context.knowledge.prerequisites().service_level(set.kb)
        && let Some(at) = machine.effective_build()
        && level.is_in(at, context.knowledge.families()) == Some(true)
    {
        let refusal = has(Proof::AtBuild { at, target: level.build });
        let refusal = refusal.with_evidence([context.row_evidence(&level.source)]);
        return Err(Refusal { expected_build: Some(at), ..refusal }.into());
    }
    let Some(at) = machine.effective_build() else {
        return if installed { Err(has(Proof::Installed).into()) } else { Ok(()) };
    };
    let Some(target) = set.build().filter(|_| cumulative || set.kind.is_none()) else {
        if installed {
            return Err(has(Proof::Installed).into());
        }
        if cumulative {
            draft.warnings.push(format!(
                "the build of {} is unknown: cannot decide whether {at} has the update already",
                set.kb
            ));
        }
        return Ok(());
    };
    let after = Build::new(at.number, target.revision);
    draft.expected_build = Some(after);
    draft.warnings.extend(newer_build_warning(context, set, at, target));
    if at.revision < target.revision {
        if installed {
            let refusal = has(Proof::AwaitsRestart { at, target });
            return Err(Refusal { expected_build: Some(after), ..refusal }.into());
        }
        return Ok(());
    }
    if machine.adds_features_to_image() && at.revision == target.revision {
        draft.advice = Some("applied again for the added features; the build does not change".to_owned());
        return Ok(());
    }
    let advice = advice_at_build(context, set, at, target);
    Err(Refusal { advice, expected_build: Some(at), ..has(Proof::AtBuild { at, target }) }.into())
}

/// Returns the advice for a machine at or past the build of an update.
fn advice_at_build(
    context: &ResolveContext<'_>,
    set: &PackageSet,
    at: Build,
    target: Build,
) -> Option<String> {
    if context.request.machine.features_on_demand {
        let later = if at.revision == target.revision { "this" } else { "the later" };
        let owner = kb_of_build(context, set, at).map_or_else(String::new, |kb| format!(" ({kb})"));
        return Some(format!(
            "apply {later} cumulative update again after adding features or languages{owner}"
        ));
    }
    let owner = kb_of_build(context, set, at).filter(|_| at.revision > target.revision)?;
    Some(format!("{} is superseded: the machine is at {at}, which is {owner}", set.kb))
}

/// Returns the KB that brought a build to the machine's family.
fn kb_of_build(context: &ResolveContext<'_>, set: &PackageSet, at: Build) -> Option<Kb> {
    let family = context.family_of(set)?;
    let mut owners = context
        .knowledge
        .releases()
        .of_family(family)
        .filter(|release| release.build.revision == at.revision);
    owners.next().map(|release| release.kb)
}

/// Returns the warning about a revision newer than every known one. The comparison is still valid.
fn newer_build_warning(
    context: &ResolveContext<'_>,
    set: &PackageSet,
    at: Build,
    target: Build,
) -> Option<String> {
    let (family, knowledge) = (context.family_of(set)?, context.knowledge);
    let known = knowledge.releases().of_family(family).map(|release| release.build.revision).max();
    (at.revision > known.unwrap_or_default().max(target.revision)).then(|| {
        format!("build {at} is newer than any known build of {} as of {}", family.name, knowledge.date())
    })
}

/// Returns the Safe OS updates of a set's month and family as an addition to a sentence; empty if none is known.
fn safe_os_of_month(context: &ResolveContext<'_>, set: &PackageSet) -> Result<String> {
    let (Some(family), Some(month)) = (context.family_of(set), context.month_of(set)) else {
        return Ok(String::new());
    };
    let candidates = candidates(context, &[Kind::SafeosDu], family)?;
    let of_month = candidates.iter().filter(|found| found.month() == Some(month));
    let names: Vec<String> = of_month.map(|found| found.kb.to_string()).collect();
    Ok(if names.is_empty() { String::new() } else { format!(" ({})", names.join(" or ")) })
}
