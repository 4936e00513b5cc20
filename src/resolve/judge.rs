//! The judgement of a set before its steps are computed. It covers the place, a withdrawal, a baseline that
//! already has the update, Extended Security Updates, and the edition.

use super::answer::{MissingPackage, Status};
use super::candidates::candidates;
use super::context::ResolveContext;
use super::draft::PlanDraft;
use super::grounds::{
    build_evidence, build_judgement, extended_security_judgement, place_judgement, withdrawal_judgement,
};
use super::judgement::{Judgement, Proof, Statement};
use super::place::Place;
use super::refusal::{JudgementResult, Refusal};
use super::requirements::preparation;
use super::sets::PackageSet;
use crate::error::Result;
use crate::facts::Role;
use crate::servicing::{Esu, Ltsc};
use crate::update::{Build, Kb, Kind, Month};

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

/// Refuses an update for Extended Security Updates on a machine without them, unless its edition has longer
/// support.
fn check_extended_security(
    context: &ResolveContext<'_>,
    set: &PackageSet,
    draft: &mut PlanDraft,
) -> JudgementResult<()> {
    let (request, knowledge) = (context.request, context.knowledge);
    let Some(family) = context.family_of(set) else { return Ok(()) };
    let (Some(esu), Some(month)) = (knowledge.editions().esu_of(family), context.month_of(set)) else {
        return Ok(());
    };
    let Some(preparation) = preparation(set, family, knowledge) else { return Ok(()) };
    if request.machine.place == Place::Mirror || request.machine.esu == Some(true) {
        return Ok(());
    }
    if let Some(ltsc) = supported_ltsc(context, family.id, month) {
        let statement = Statement::LongTerm { name: ltsc.name.clone(), until: ltsc.until };
        let judgement = Judgement::new(statement).with_evidence([context.row_evidence(&ltsc.source)]);
        draft.judgements.push(judgement);
        return Ok(());
    }
    if preparation.when.holds(&request.machine) == Some(false) {
        return Ok(());
    }
    let unless = ltsc_exception(context, family.id);
    let needs = format!(
        "updates of {} from {} on are for machines with Extended Security Updates: install {} and activate a key, which no file can do{unless}",
        family.name, esu.from, preparation.kb
    );
    if request.machine.esu == Some(false) {
        let refusal = Refusal::new(Status::NeedsPrerequisite, needs);
        let refusal = refusal.with_evidence([context.row_evidence(&esu.source)]);
        return Err(refusal.with_missing(missing_preparation(context, esu, preparation.kb)).into());
    }
    draft.warnings.push(needs);
    Ok(())
}

/// Returns the missing preparation, preceded by the update that the preparation needs.
fn missing_preparation(context: &ResolveContext<'_>, esu: &Esu, preparation: Kb) -> Vec<MissingPackage> {
    let mut missing = Vec::new();
    let at = context.request.machine.effective_build();
    if let (Some(least), Some(at)) = (esu.needs_at_least, at) {
        let build = context.knowledge.releases().of_kb(least).into_iter().map(|release| release.build).max();
        if build.is_some_and(|build| at.revision < build.revision)
            && !context.request.machine.has_installed(least)
        {
            missing.push(MissingPackage { kb: Some(least), role: Role::Prerequisite, name: None });
        }
    }
    missing.push(MissingPackage { kb: Some(preparation), role: Role::EsuPreparation, name: None });
    missing
}

/// Returns the long-term edition of the machine if its support includes this month.
fn supported_ltsc<'k>(context: &ResolveContext<'k>, family: u32, month: Month) -> Option<&'k Ltsc> {
    ltsc_rows(context, family).into_iter().find(|row| month.first_day() <= row.until)
}

/// Returns the rows of the machine's known long-term edition.
pub(super) fn ltsc_rows<'k>(context: &ResolveContext<'k>, family: u32) -> Vec<&'k Ltsc> {
    let Some(edition) = &context.request.machine.edition else { return Vec::new() };
    let at = context.request.machine.baseline;
    let is_it = |row: &&Ltsc| {
        row.family == family
            && at.is_none_or(|at| row.builds.contains(&at.number))
            && row.editions.iter().any(|own| own.eq_ignore_ascii_case(edition))
    };
    context.knowledge.editions().ltsc().iter().filter(is_it).collect()
}

/// Returns an exception for the long-term edition if the edition is unknown and the build may be a long-term
/// one.
fn ltsc_exception(context: &ResolveContext<'_>, family: u32) -> String {
    let at = context.request.machine.baseline;
    let mut rows = context
        .knowledge
        .editions()
        .ltsc()
        .iter()
        .filter(|row| row.family == family && at.is_none_or(|at| row.builds.contains(&at.number)));
    match rows.next() {
        Some(row) if context.request.machine.edition.is_none() => {
            format!("; {} is exempt (pass --edition)", row.name)
        }
        _ => String::new(),
    }
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
