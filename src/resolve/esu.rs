//! Extended Security Updates: the updates that a machine without them does not take, for one KB and for a goal.
//!
//! The rules are per month, with exceptions by KB. A goal never chooses an update that the machine does not
//! take; it reports how many later updates need Extended Security Updates.

use super::answer::{MissingPackage, Plan, Status};
use super::candidates::UpdateCandidate;
use super::context::ResolveContext;
use super::draft::PlanDraft;
use super::judgement::{Judgement, Statement};
use super::package_set::PackageSet;
use super::place::Place;
use super::refusal::{JudgementResult, Refusal};
use super::requirements::{is_gated, preparation};
use crate::facts::Role;
use crate::servicing::{Esu, Family, Ltsc};
use crate::update::{Build, Kb, Kind, Month, count};

/// Refuses an update for Extended Security Updates on a machine without them, unless its edition has longer
/// support.
pub(super) fn check_extended_security(
    context: &ResolveContext<'_>,
    set: &PackageSet,
    draft: &mut PlanDraft,
) -> JudgementResult<()> {
    let (request, knowledge) = (context.request, context.knowledge);
    let Some(family) = context.family_of(set) else { return Ok(()) };
    let (Some(esu), Some(month)) = (knowledge.editions().esu_of(family), context.month_of(set)) else {
        return Ok(());
    };
    if let Some(row) = esu.exception(set.kb).filter(|_| request.machine.place != Place::Mirror) {
        draft.warnings.push(format!("{} is for {}", row.kb, row.machines));
    }
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

/// The updates of a family that a goal leaves out because the machine is without Extended Security Updates.
#[derive(Debug, Default)]
pub(super) struct GatedUpdates(Vec<UpdateCandidate>);

impl GatedUpdates {
    /// Removes the updates from the candidates of a goal that a machine without Extended Security Updates does
    /// not take.
    pub(super) fn split(
        context: &ResolveContext<'_>,
        kinds: &[Kind],
        family: &Family,
        candidates: &mut Vec<UpdateCandidate>,
    ) -> Self {
        let machine = &context.request.machine;
        let esu = context.knowledge.editions().esu_of(family);
        let is_kind = kinds.iter().any(|kind| is_gated(Some(*kind)));
        let Some(esu) = esu.filter(|_| is_kind && machine.esu == Some(false)) else { return Self::default() };
        let is_prepared = |kb| machine.has_installed(kb);
        if machine.place == Place::Mirror || esu.preparations().any(is_prepared) {
            return Self::default();
        }
        let is_gated = |candidate: &UpdateCandidate| {
            let month = candidate.month().filter(|month| *month >= esu.from);
            esu.exception(candidate.kb).is_none()
                && month.is_some_and(|month| supported_ltsc(context, family.id, month).is_none())
        };
        let (gated, free) = std::mem::take(candidates).into_iter().partition(is_gated);
        *candidates = free;
        Self(gated)
    }

    /// Adds the updates of another family.
    pub(super) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Adds a note to a plan: how many later updates the machine would take with Extended Security Updates.
    pub(super) fn add_note(self, context: &ResolveContext<'_>, plan: &mut Plan) {
        let request = context.request;
        let after = plan.expected_build.max(request.machine.effective_build());
        let is_later = |candidate: &UpdateCandidate| {
            let build = candidate.build.zip(after);
            let is_above = |(build, after): (Build, Build)| build.revision > after.revision;
            candidate.is_allowed(request.policy, request.as_of) && build.is_none_or(is_above)
        };
        let mut later: Vec<UpdateCandidate> = self.0.into_iter().filter(is_later).collect();
        later.sort_by_key(|candidate| (candidate.build, candidate.kb));
        let Some(newest) = later.last() else { return };
        let needs = if later.len() == 1 { "needs" } else { "need" };
        let note = format!(
            "{} {needs} Extended Security Updates; the newest is {}",
            count(later.len(), "later update"),
            newest.kb
        );
        if plan.status == Status::NothingToDo {
            plan.advice = Some(match plan.advice.take() {
                Some(advice) => format!("{advice}; {note}"),
                None => note,
            });
        } else {
            plan.warnings.push(note);
        }
    }
}
