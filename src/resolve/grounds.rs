//! The judgements that support an answer, each with its sources.
//!
//! A refusal has its own reason. This module adds the judgements that passed, so that a reader can follow the
//! complete order of judgement:
//!
//! - the kind and the products of the update
//! - the place
//! - that no withdrawal is known, or that the request accepts it
//! - the machine's build, which is below the update's
//! - the state of Extended Security Updates

use super::context::ResolveContext;
use super::judgement::{Judgement, Statement};
use super::package_set::PackageSet;
use super::place::Place;
use super::request::Policy;
use crate::facts::Evidence;
use crate::servicing::{Enablement, Family};
use crate::update::{Build, Kb};

/// Returns the kind and the products of a set.
pub(super) fn kind_judgement(set: &PackageSet) -> Judgement {
    let judgement = Judgement::new(Statement::Is {
        kb: set.kb,
        kind: set.kind,
        products: set.products.clone(),
        architecture: set.architecture,
    });
    if set.updates.is_empty() {
        judgement.with_evidence(build_evidence(set))
    } else {
        judgement.with_evidence([Evidence::Titles { kb: set.kb }])
    }
}

/// Returns the judgement that the machine belongs to a family of the set, or `None` if the build is unknown.
pub(super) fn family_judgement(context: &ResolveContext<'_>, set: &PackageSet) -> Option<Judgement> {
    let (build, family) = (context.request.machine.baseline?, context.family_of(set)?);
    let statement = Statement::ForFamily { kb: set.kb, build, family: family.name.clone() };
    Some(Judgement::new(statement).with_evidence([context.row_evidence(&family.source)]))
}

/// Returns the judgement that the place takes the set.
pub(super) fn place_judgement(context: &ResolveContext<'_>, set: &PackageSet) -> Judgement {
    Judgement::new(Statement::RightPlace(set.kb, context.request.machine.place))
}

/// Returns the judgement that an update is not withdrawn, or that the request accepts the withdrawn update.
pub(super) fn withdrawal_judgement(context: &ResolveContext<'_>, kb: Kb) -> Judgement {
    match context.knowledge.withdrawn().of_kb(kb) {
        Some(row) => Judgement::new(Statement::WithdrawnAccepted { kb, why: row.why.clone() })
            .with_evidence([context.row_evidence(&row.source)]),
        None => Judgement::new(Statement::NotWithdrawn(kb))
            .with_evidence([context.row_evidence("no row of withdrawn.toml has it")]),
    }
}

/// Returns the judgement that the machine does not have a set yet, as far as builds prove it.
pub(super) fn build_judgement(context: &ResolveContext<'_>, set: &PackageSet) -> Option<Judgement> {
    let machine = &context.request.machine;
    if machine.place == Place::Mirror {
        return None;
    }
    let Some(at) = machine.effective_build() else { return Some(Judgement::new(Statement::UnknownBuild)) };
    let (kb, target) = (set.kb, set.build()?);
    let statement = if at.revision < target.revision {
        Statement::Below { kb, at, target }
    } else {
        Statement::AppliedAgain { kb, at }
    };
    Some(Judgement::new(statement).with_evidence(build_evidence(set)))
}

/// Returns the sources of the build that a set brings. For a set without a build, returns the sources that
/// know the set.
pub(super) fn build_evidence(set: &PackageSet) -> Vec<Evidence> {
    let members = set.members.iter().filter(|member| member.role.is_update());
    let mut stated: Vec<Evidence> = Vec::new();
    for evidence in members.flat_map(|member| &member.evidence) {
        if !matches!(evidence, Evidence::Dialog { .. }) && !stated.contains(evidence) {
            stated.push(evidence.clone());
        }
    }
    stated
}

/// Returns the judgement that a set is allowed by the Extended Security Updates of its family, or `None` if
/// the family has none.
pub(super) fn extended_security_judgement(
    context: &ResolveContext<'_>,
    set: &PackageSet,
) -> Option<Judgement> {
    let machine = &context.request.machine;
    let family = context.family_of(set).filter(|_| machine.place != Place::Mirror)?;
    let (esu, month) = (context.knowledge.editions().esu_of(family)?, context.month_of(set)?);
    let name = family.name.clone();
    let installed = esu.preparations().find(|kb| machine.installed.contains(kb));
    let statement = match (machine.esu, installed) {
        _ if month < esu.from => {
            Statement::BeforeExtendedSecurity { kb: set.kb, month, family: name, from: esu.from }
        }
        (Some(true), _) => Statement::PreparationStated(name),
        (_, Some(kb)) => Statement::PreparedBy { kb, family: name },
        _ => return None,
    };
    Some(Judgement::new(statement).with_evidence([context.row_evidence(&esu.source)]))
}

/// Returns the judgement by which a goal chose an update.
pub(super) fn goal_judgement(
    context: &ResolveContext<'_>,
    kb: Kb,
    what: &str,
    family: &Family,
    policy: Policy,
) -> Judgement {
    let as_of = context.request.as_of.unwrap_or(context.knowledge.date());
    let (what, family) = (what.to_owned(), family.name.clone());
    Judgement::new(Statement::Chosen { kb, what, family, policy, as_of })
        .with_evidence([context.row_evidence("release history and packages, beside the Catalog's titles")])
}

/// Returns the judgement that an enablement package switches its version on, and which versions take it.
pub(super) fn enablement_judgement(
    context: &ResolveContext<'_>,
    row: &Enablement,
    family: &Family,
) -> Judgement {
    let name = |&build: &u32| family.release_of(build).map_or_else(|| build.to_string(), str::to_owned);
    let from = row.from.iter().map(name).collect();
    Judgement::new(Statement::Switches { kb: row.kb, release: row.release.clone(), from })
        .with_evidence([context.row_evidence(&row.source)])
}

/// Returns the judgement that a cumulative update comes before an enablement package.
pub(super) fn floor_judgement(
    context: &ResolveContext<'_>,
    row: &Enablement,
    update: Kb,
    brings: Option<Build>,
) -> Judgement {
    let at = context.request.machine.effective_build();
    Judgement::new(Statement::FloorFirst { kb: row.kb, floor: row.floor_build(), at, update, brings })
        .with_evidence([context.row_evidence(&row.source)])
}
