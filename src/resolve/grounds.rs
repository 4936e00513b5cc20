//! The judgements that support an answer, each with its sources.
//!
//! A refusal has its own reason. This module adds the judgements that passed, so that a reader can follow the
//! complete order of judgement:
//!
//! - the kind and the products of the update
//! - the place
//! - the missing withdrawal
//! - the machine's build, which is below the update's
//! - the state of Extended Security Updates

use super::judgement::{Judgement, Statement};
use super::place::Place;
use super::question::Question;
use super::request::Policy;
use super::sets::PackageSet;
use crate::facts::Evidence;
use crate::servicing::{Enablement, Family};
use crate::update::{Build, Kb};

/// Returns the kind and the products of a set.
pub(super) fn what_it_is(set: &PackageSet) -> Judgement {
    let judgement = Judgement::new(Statement::Is {
        kb: set.kb,
        kind: set.kind,
        products: set.products.clone(),
        architecture: set.architecture,
    });
    if set.updates.is_empty() {
        judgement.said_by(of_build(set))
    } else {
        judgement.said_by([Evidence::Titles { kb: set.kb }])
    }
}

/// Returns the judgement that the machine belongs to a family of the set, or `None` if the build is unknown.
pub(super) fn for_family(question: &Question<'_>, set: &PackageSet) -> Option<Judgement> {
    let (build, family) = (question.request.machine.baseline?, question.family_of(set)?);
    let statement = Statement::ForFamily { kb: set.kb, build, family: family.name.clone() };
    Some(Judgement::new(statement).said_by([question.knowledge_says(&family.source)]))
}

/// Returns the judgement that the place takes the set.
pub(super) fn right_place(question: &Question<'_>, set: &PackageSet) -> Judgement {
    Judgement::new(Statement::RightPlace(set.kb, question.request.machine.place))
}

/// Returns the judgement that an update is not withdrawn, or that the request accepts the withdrawn update.
pub(super) fn withdrawal(question: &Question<'_>, kb: Kb) -> Judgement {
    match question.knowledge.withdrawn().of_kb(kb) {
        Some(row) => Judgement::new(Statement::WithdrawnAccepted { kb, why: row.why.clone() })
            .said_by([question.knowledge_says(&row.source)]),
        None => Judgement::new(Statement::NotWithdrawn(kb))
            .said_by([question.knowledge_says("no row of withdrawn.toml has it")]),
    }
}

/// Returns the judgement that the machine does not have a set yet, as far as builds prove it.
pub(super) fn not_there_yet(question: &Question<'_>, set: &PackageSet) -> Option<Judgement> {
    let machine = &question.request.machine;
    if machine.place == Place::Mirror {
        return None;
    }
    let Some(at) = machine.at() else { return Some(Judgement::new(Statement::UnknownBuild)) };
    let (kb, target) = (set.kb, set.build()?);
    let statement = if at.revision < target.revision {
        Statement::Below { kb, at, target }
    } else {
        Statement::AppliedAgain { kb, at }
    };
    Some(Judgement::new(statement).said_by(of_build(set)))
}

/// Returns the sources of the build that a set brings. For a set without a build, returns the sources that
/// know the set.
pub(super) fn of_build(set: &PackageSet) -> Vec<Evidence> {
    let members = set.members.iter().filter(|member| member.role.is_update());
    let mut said: Vec<Evidence> = Vec::new();
    for evidence in members.flat_map(|member| &member.evidence) {
        if !matches!(evidence, Evidence::Dialog { .. }) && !said.contains(evidence) {
            said.push(evidence.clone());
        }
    }
    said
}

/// Returns the judgement that a set is allowed by the Extended Security Updates of its family, or `None` if
/// the family has none.
pub(super) fn extended_security_is_met(question: &Question<'_>, set: &PackageSet) -> Option<Judgement> {
    let machine = &question.request.machine;
    let family = question.family_of(set).filter(|_| machine.place != Place::Mirror)?;
    let (esu, month) = (question.knowledge.editions().esu_of(family)?, question.month_of(set)?);
    let name = family.name.clone();
    let installed = esu.preparations().find(|kb| machine.installed.contains(kb));
    let statement = match (machine.esu, installed) {
        _ if month < esu.from => {
            Statement::BeforeExtendedSecurity { kb: set.kb, month, family: name, from: esu.from }
        }
        (Some(true), _) => Statement::SaidToBePrepared(name),
        (_, Some(kb)) => Statement::PreparedBy { kb, family: name },
        _ => return None,
    };
    Some(Judgement::new(statement).said_by([question.knowledge_says(&esu.source)]))
}

/// Returns the judgement by which a goal chose an update.
pub(super) fn chosen(
    question: &Question<'_>,
    kb: Kb,
    what: &str,
    family: &Family,
    policy: Policy,
) -> Judgement {
    let as_of = question.request.as_of.unwrap_or(question.knowledge.date());
    let (what, family) = (what.to_owned(), family.name.clone());
    Judgement::new(Statement::Chosen { kb, what, family, policy, as_of })
        .said_by([question.knowledge_says("release history and packages, beside the Catalog's titles")])
}

/// Returns the judgement that an enablement package switches its version on, and which versions take it.
pub(super) fn what_it_switches(question: &Question<'_>, row: &Enablement, family: &Family) -> Judgement {
    let name = |&build: &u32| family.release_of(build).map_or_else(|| build.to_string(), str::to_owned);
    let from = row.from.iter().map(name).collect();
    Judgement::new(Statement::Switches { kb: row.kb, release: row.release.clone(), from })
        .said_by([question.knowledge_says(&row.source)])
}

/// Returns the judgement that a cumulative update comes before an enablement package.
pub(super) fn floor_first(
    question: &Question<'_>,
    row: &Enablement,
    update: Kb,
    brings: Option<Build>,
) -> Judgement {
    let at = question.request.machine.at();
    Judgement::new(Statement::FloorFirst { kb: row.kb, floor: row.floor_build(), at, update, brings })
        .said_by([question.knowledge_says(&row.source)])
}
