//! The judgement of a set before its steps are computed. It covers the place, a withdrawal, a baseline that
//! already has the update, Extended Security Updates, and the edition.

use super::account::Account;
use super::answer::{Missing, Status};
use super::candidates::candidates;
use super::grounds::{extended_security_is_met, not_there_yet, of_build, right_place, withdrawal};
use super::judgement::{Judgement, Proof, Statement};
use super::place::Place;
use super::question::Question;
use super::refusal::{Judged, Refusal};
use super::requirements::preparation;
use super::sets::PackageSet;
use crate::error::Result;
use crate::facts::Role;
use crate::servicing::{Esu, Ltsc};
use crate::update::{Build, Kb, Kind, Month};

/// Judges a set in the fixed order.
pub(super) fn judge(question: &Question<'_>, set: &PackageSet, account: &mut Account) -> Judged<()> {
    if let Some(advice) = out_of_place(question, set)? {
        let status =
            if set.kind == Some(Kind::DuAmbiguous) { Status::Unknown } else { Status::NotApplicable };
        return Err(Refusal::new(status, advice).into());
    }
    account.judgements.push(right_place(question, set));
    if let Some(refusal) = withdrawn(question, set.kb) {
        if question.request.machine.place != Place::Mirror && !question.request.accept_withdrawn {
            return Err(refusal.into());
        }
        // The request accepts the withdrawn update, or a mirror keeps it without installing it. Add a warning
        // and continue.
        account.successor = refusal.successor;
        account.warnings.extend(refusal.advice);
    }
    account.judgements.push(withdrawal(question, set.kb));
    nothing_to_do(question, set, account)?;
    account.judgements.extend(not_there_yet(question, set));
    account.judgements.extend(extended_security_is_met(question, set));
    extended_security(question, set, account)
}

/// Returns the reason why a set is not for the place, and the package that is.
fn out_of_place(question: &Question<'_>, set: &PackageSet) -> Result<Option<String>> {
    let (kb, place) = (set.kb, question.request.machine.place);
    if place == Place::Mirror {
        return Ok(None);
    }
    let advice = match set.kind {
        Some(Kind::Lcu | Kind::LcuPreview) if place == Place::Winre => {
            let safe_os = safe_os_of_month(question, set)?.map_or_else(String::new, |kb| format!(" ({kb})"));
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
            "no source states if {kb} is for the recovery environment or for Setup: {}",
            question.library.side().to_know(kb)
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

/// Returns the refusal of an update that Microsoft withdrew.
pub(super) fn withdrawn(question: &Question<'_>, kb: Kb) -> Option<Refusal> {
    let row = question.knowledge.withdrawn().of_kb(kb)?;
    let advice = format!("{kb} is withdrawn ({}): take {} instead", row.why, row.successor);
    let refusal = Refusal::new(Status::Withdrawn, advice).said_by([question.knowledge_says(&row.source)]);
    Some(Refusal { successor: Some(row.successor), ..refusal })
}

/// Refuses the update if the machine has it.
fn nothing_to_do(question: &Question<'_>, set: &PackageSet, account: &mut Account) -> Judged<()> {
    let machine = &question.request.machine;
    let cumulative = set.kind.is_some_and(Kind::is_windows_cumulative);
    // If features are added to an image, the update is applied again, even if it is installed.
    let installed = machine.has(set.kb) && !(cumulative && machine.adds_features_to_image());
    let has = |proof| Refusal::has(set.kb, proof, of_build(set));
    let Some(at) = machine.at() else {
        return if installed { Err(has(Proof::Installed).into()) } else { Ok(()) };
    };
    let Some(target) = set.build().filter(|_| cumulative || set.kind.is_none()) else {
        if installed {
            return Err(has(Proof::Installed).into());
        }
        if cumulative {
            account.warnings.push(format!(
                "the build of {} is unknown: cannot decide if {at} has the update already",
                set.kb
            ));
        }
        return Ok(());
    };
    let after = Build::new(at.number, target.revision);
    account.expected_build = Some(after);
    account.warnings.extend(news(question, set, at, target));
    if at.revision < target.revision {
        if installed {
            let refusal = has(Proof::AwaitsRestart { at, target });
            return Err(Refusal { expected_build: Some(after), ..refusal }.into());
        }
        return Ok(());
    }
    if machine.adds_features_to_image() && at.revision == target.revision {
        account.advice = Some("applied again for the added features; the build does not change".to_owned());
        return Ok(());
    }
    let advice = advice_at_build(question, set, at, target);
    Err(Refusal { advice, expected_build: Some(at), ..has(Proof::AtBuild { at, target }) }.into())
}

/// Returns the advice for a machine at or past the build of an update.
fn advice_at_build(question: &Question<'_>, set: &PackageSet, at: Build, target: Build) -> Option<String> {
    if question.request.machine.features_on_demand {
        let later = if at.revision == target.revision { "this" } else { "the later" };
        let owner = owner_of(question, set, at).map_or_else(String::new, |kb| format!(" ({kb})"));
        return Some(format!(
            "apply {later} cumulative update again after adding features or languages{owner}"
        ));
    }
    let owner = owner_of(question, set, at).filter(|_| at.revision > target.revision)?;
    Some(format!("{} is superseded: the machine is at {at}, which is {owner}", set.kb))
}

/// Returns the KB that brought a build to the machine's family.
fn owner_of(question: &Question<'_>, set: &PackageSet, at: Build) -> Option<Kb> {
    let family = question.family_of(set)?;
    let mut owners = question
        .knowledge
        .releases()
        .of_family(family)
        .filter(|release| release.build.revision == at.revision);
    owners.next().map(|release| release.kb)
}

/// Returns the warning about a revision newer than every known one. The comparison is still valid.
fn news(question: &Question<'_>, set: &PackageSet, at: Build, target: Build) -> Option<String> {
    let (family, knowledge) = (question.family_of(set)?, question.knowledge);
    let known = knowledge.releases().of_family(family).map(|release| release.build.revision).max();
    (at.revision > known.unwrap_or_default().max(target.revision)).then(|| {
        format!("build {at} is newer than any known build of {} as of {}", family.name, knowledge.date())
    })
}

/// Refuses an update for Extended Security Updates on a machine without them, unless its edition has longer
/// support.
fn extended_security(question: &Question<'_>, set: &PackageSet, account: &mut Account) -> Judged<()> {
    let (request, knowledge) = (question.request, question.knowledge);
    let Some(family) = question.family_of(set) else { return Ok(()) };
    let (Some(esu), Some(month)) = (knowledge.editions().esu_of(family), question.month_of(set)) else {
        return Ok(());
    };
    let Some(preparation) = preparation(set, family, knowledge) else { return Ok(()) };
    if request.machine.place == Place::Mirror || request.machine.esu == Some(true) {
        return Ok(());
    }
    if let Some(ltsc) = long_term(question, family.id, month) {
        let statement = Statement::LongTerm { name: ltsc.name.clone(), until: ltsc.until };
        let judgement = Judgement::new(statement).said_by([question.knowledge_says(&ltsc.source)]);
        account.judgements.push(judgement);
        return Ok(());
    }
    if preparation.when.holds(&request.machine) == Some(false) {
        return Ok(());
    }
    let unless = long_term_chance(question, family.id);
    let needs = format!(
        "updates of {} from {} on are for machines with Extended Security Updates: install {} and activate a key, which no file can do{unless}",
        family.name, esu.from, preparation.kb
    );
    if request.machine.esu == Some(false) {
        let refusal = Refusal::new(Status::NeedsPrerequisite, needs);
        let refusal = refusal.said_by([question.knowledge_says(&esu.source)]);
        return Err(refusal.missing(missing_preparation(question, esu, preparation.kb)).into());
    }
    account.warnings.push(needs);
    Ok(())
}

/// Returns the missing preparation, preceded by the update that the preparation needs.
fn missing_preparation(question: &Question<'_>, esu: &Esu, preparation: Kb) -> Vec<Missing> {
    let mut missing = Vec::new();
    let at = question.request.machine.at();
    if let (Some(least), Some(at)) = (esu.needs_at_least, at) {
        let build = question.knowledge.releases().of_kb(least).into_iter().map(|release| release.build).max();
        if build.is_some_and(|build| at.revision < build.revision) && !question.request.machine.has(least) {
            missing.push(Missing { kb: Some(least), role: Role::Prerequisite, name: None });
        }
    }
    missing.push(Missing { kb: Some(preparation), role: Role::EsuPreparation, name: None });
    missing
}

/// Returns the long-term edition of the machine if its support includes this month.
fn long_term<'k>(question: &Question<'k>, family: u32, month: Month) -> Option<&'k Ltsc> {
    ltsc_of(question, family).into_iter().find(|row| month.first_day() <= row.until)
}

/// Returns the rows of the machine's known long-term edition.
pub(super) fn ltsc_of<'k>(question: &Question<'k>, family: u32) -> Vec<&'k Ltsc> {
    let Some(edition) = &question.request.machine.edition else { return Vec::new() };
    let at = question.request.machine.baseline;
    let is_it = |row: &&Ltsc| {
        row.family == family
            && at.is_none_or(|at| row.builds.contains(&at.number))
            && row.editions.iter().any(|own| own.eq_ignore_ascii_case(edition))
    };
    question.knowledge.editions().ltsc().iter().filter(is_it).collect()
}

/// Returns an exception for the long-term edition if the edition is unknown and the build may be a long-term
/// one.
fn long_term_chance(question: &Question<'_>, family: u32) -> String {
    let at = question.request.machine.baseline;
    let mut rows = question
        .knowledge
        .editions()
        .ltsc()
        .iter()
        .filter(|row| row.family == family && at.is_none_or(|at| row.builds.contains(&at.number)));
    match rows.next() {
        Some(row) if question.request.machine.edition.is_none() => {
            format!("; {} is exempt (pass --edition)", row.name)
        }
        _ => String::new(),
    }
}

/// Returns the Safe OS update of a set's month and family, or `None` if there are several or none.
fn safe_os_of_month(question: &Question<'_>, set: &PackageSet) -> Result<Option<Kb>> {
    let (Some(family), Some(month)) = (question.family_of(set), question.month_of(set)) else {
        return Ok(None);
    };
    let candidates = candidates(question, &[Kind::SafeosDu], family)?;
    let mut of_month = candidates.into_iter().filter(|found| found.month() == Some(month));
    let first = of_month.next().map(|found| found.kb);
    Ok(first.filter(|_| of_month.next().is_none()))
}
