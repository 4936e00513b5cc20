//! The steps under other KBs that come before an update, and the same without a machine: the closure that `fetch` and
//! `export` bring along. Which KBs those are is computed by [`requirements`].

use std::collections::BTreeSet;

use super::answer::{Plan, Reason, Step};
use super::condition::Condition;
use super::library::Library;
use super::place::Place;
use super::plan::Ask;
use super::requirement::{Requirement, Rule};
use super::requirements::{requirements, requirements_of_all, takes_separate_stack};
use super::sets::PackageSet;
use crate::error::Result;
use crate::facts::{Evidence, Role};
use crate::servicing::{Knowledge, NeededAs};
use crate::update::Kb;

impl From<NeededAs> for Role {
    fn from(needed: NeededAs) -> Self {
        match needed {
            NeededAs::Ssu => Self::Ssu,
            NeededAs::Prerequisite => Self::Prerequisite,
        }
    }
}

impl Ask<'_> {
    /// Returns the steps before a set that are not of the set, in order.
    pub(super) fn before(&self, set: &PackageSet, answer: &mut Plan) -> Result<Vec<Step>> {
        let family = self.family_of(set);
        let needed = requirements(set, family, self.library, self.knowledge)?;
        let mut steps: Vec<Step> = Vec::new();
        for requirement in self.unmet(set, &needed) {
            let (kb, step) = self.step_before(requirement, set, answer)?;
            if steps.iter().all(|known| known.kb != Some(kb)) {
                steps.push(step);
            }
        }
        answer.reasons.extend(self.installed_stack(set, &needed));
        let lacks_stack = family.filter(|family| {
            takes_separate_stack(set, family, self.knowledge).is_some()
                && !needed.iter().any(|one| one.role == Role::Ssu)
        });
        if let Some(family) = lacks_stack {
            answer.warnings.push(format!(
                "{} takes its servicing stack as a package of its own, and none is known that was published up to {}: install the newest one first",
                family.name, set.kb
            ));
        }
        Ok(steps)
    }

    /// Returns the requirements under other KBs that the machine does not meet, in order. What only a met requirement
    /// needs is not needed either.
    fn unmet<'r>(&self, set: &PackageSet, needed: &'r [Requirement]) -> Vec<&'r Requirement> {
        let mut unmet: Vec<&Requirement> = Vec::new();
        for requirement in needed.iter().rev() {
            let is_step = match requirement.rule {
                // A judgement and a plan of their own deal with these.
                Rule::EsuPreparation | Rule::EnablementFloor { .. } => false,
                Rule::Before { update } => update == set.kb || unmet.iter().any(|other| other.kb == update),
                _ => requirement.is_elsewhere(),
            };
            let is_met = requirement.when.holds(&self.request.machine) == Some(false)
                || self.request.machine.has(requirement.kb);
            if is_step && !is_met {
                unmet.push(requirement);
            }
        }
        unmet.reverse();
        unmet
    }

    fn step_before(
        &self,
        requirement: &Requirement,
        set: &PackageSet,
        answer: &mut Plan,
    ) -> Result<(Kb, Step)> {
        let kb = self.available_for(requirement);
        let mut evidence = requirement.evidence.clone();
        let mut when = requirement.when.clone();
        if kb != requirement.kb {
            let row = format!("{kb} is available and not older than {}", requirement.kb);
            evidence.insert(0, Evidence::Knowledge { row, date: self.knowledge.date().to_string() });
            when = Condition::StackBelow { kb, newer: Vec::new() };
        }
        let because = requirement.because(set.kb, self.request.machine.at());
        let mut step = self.step_of_kb(kb, requirement.role, set, because, &evidence, answer)?;
        let is_open = self.request.machine.baseline.is_none() && self.request.machine.place != Place::Mirror;
        step.needed_if = is_open.then_some(when);
        if let Rule::Floor { below } = requirement.rule {
            step.needed_below = Some(below);
        }
        Ok((kb, step))
    }

    /// Returns the KB that meets a requirement and is available: its own, else the newest that serves in its place.
    fn available_for(&self, requirement: &Requirement) -> Kb {
        let available: BTreeSet<Kb> = self
            .request
            .available
            .iter()
            .flatten()
            .filter_map(|name| self.knowledge.parents().kb_of_file(name))
            .collect();
        let own_first = [requirement.kb].into_iter().chain(requirement.in_place().iter().copied());
        own_first.into_iter().find(|kb| available.contains(kb)).unwrap_or(requirement.kb)
    }

    /// Returns the reason why a separate servicing stack is not a step.
    fn installed_stack(&self, set: &PackageSet, needed: &[Requirement]) -> Option<Reason> {
        let stack = needed.iter().find(|one| matches!(one.rule, Rule::SeparateStack { .. }))?;
        let serves = |kb: &&Kb| self.request.machine.has(**kb) && stack.is_met_by(**kb);
        let installed = self.request.machine.installed.iter().find(serves)?;
        let reason =
            Reason::new(format!("the servicing stack {installed} is installed, which serves {}", set.kb));
        Some(reason.said_by(stack.evidence.last().map(ToString::to_string)))
    }
}

/// Something that a set cannot do without and that has a KB of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Along {
    /// Its KB.
    pub kb: Kb,
    /// Its type.
    pub role: Role,
    /// Whether every machine needs it; else only some do, and the set is of use without it.
    pub always: bool,
}

/// Returns what a set needs beside its own files, whatever the machine: stacks, floors, prerequisites, and the
/// preparation for Extended Security Updates. The update that brings an enablement package's floor is not among them:
/// policy and date choose it.
pub fn closure(set: &PackageSet, library: &dyn Library, knowledge: &Knowledge) -> Result<Vec<Along>> {
    let needed = requirements_of_all(set, library, knowledge)?;
    let elsewhere =
        needed.iter().filter(|one| one.is_elsewhere() && !matches!(one.rule, Rule::EnablementFloor { .. }));
    let along: BTreeSet<Along> = elsewhere
        .map(|one| Along { kb: one.kb, role: one.role, always: !one.when.spares_some_machines() })
        .collect();
    Ok(along.into_iter().collect())
}
