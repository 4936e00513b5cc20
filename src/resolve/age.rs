//! The order of companions by supersedence: a file that the Catalog's details pages prove to be older comes first.
//!
//! Supersedence proves age, never need. It gives a place to a file that the entry lists anyway. It creates no step, no
//! edge between files, and no role. A missing statement proves nothing. Only statements between identified entries
//! count, because a title may mean several entries.

use std::collections::BTreeSet;

use super::member::Member;
use crate::facts::{Evidence, Facts, Role, UpdateFacts};
use crate::update::{Kb, UpdateId};

/// Gives each companion a place that is proven to be older than the target and comparable with all other placed files.
/// The members must be in order of their roles.
pub(super) fn place_companions(members: &mut [Member], update: &UpdateFacts, facts: &Facts) {
    if facts.supersedes.is_empty() || !members.iter().any(|member| member.role == Role::Companion) {
        return;
    }
    let ages = Ages { update, facts };
    let is_fixed = |member: &Member| member.role != Role::Companion;
    let is_proven = |companion: &Member| {
        !is_fixed(companion)
            && ages.is_older(companion.kb(), update.kb)
            && members
                .iter()
                .filter(|member| is_fixed(member))
                .all(|fixed| ages.is_comparable(companion, fixed))
    };
    let proven: Vec<usize> = (0..members.len()).filter(|&place| is_proven(&members[place])).collect();
    let is_among = |&one: &usize| {
        let mut others = proven.iter().filter(|&&other| other != one);
        others.all(|&other| ages.is_comparable(&members[one], &members[other]))
    };
    let placed: Vec<usize> = proven.iter().copied().filter(is_among).collect();
    if placed.is_empty() {
        return;
    }
    let mut order: Vec<usize> = (0..members.len()).filter(|&place| is_fixed(&members[place])).collect();
    for companion in placed {
        let is_newer = |&other: &usize| !ages.comes_before(&members[other], &members[companion]);
        let place = order.iter().position(is_newer).unwrap_or(order.len());
        order.insert(place, companion);
        if let Some((newer, older)) = ages.statement(update.kb, members[companion].kb()) {
            members[companion].evidence.push(Evidence::Supersedes { newer, older });
        }
    }
    for (place, member) in (1..).zip(order) {
        members[member].position = Some(place);
    }
}

/// The ages of the files of an entry, by the details pages.
struct Ages<'f> {
    update: &'f UpdateFacts,
    facts: &'f Facts,
}

impl Ages<'_> {
    /// Returns the statement that a KB replaces another one, directly or through entries that are known here.
    fn statement(&self, newer: Option<Kb>, older: Option<Kb>) -> Option<(UpdateId, UpdateId)> {
        let (newer, older) = (newer?, older?);
        let of_kb = |kb: Kb| self.facts.updates.iter().filter(move |update| update.kb == Some(kb));
        let is_own = |id: &UpdateId| newer != self.update.kb.unwrap_or(newer) || *id == self.update.id;
        let starts = of_kb(newer).map(|update| update.id).filter(is_own);
        let ends: BTreeSet<UpdateId> = of_kb(older).map(|update| update.id).collect();
        for start in starts {
            let (mut reached, mut next) = (BTreeSet::from([start]), vec![start]);
            while let Some(id) = next.pop() {
                let replaced = self.facts.supersedes.iter().filter(|(newer, _)| *newer == id);
                for (_, older) in replaced {
                    if ends.contains(older) {
                        return Some((start, *older));
                    }
                    if reached.insert(*older) {
                        next.push(*older);
                    }
                }
            }
        }
        None
    }

    /// Returns `true` if a KB is proven to be older than another one. Two statements that contradict each other prove
    /// nothing.
    fn is_older(&self, kb: Option<Kb>, other: Option<Kb>) -> bool {
        self.statement(other, kb).is_some() && self.statement(kb, other).is_none()
    }

    /// Returns `true` if a member comes before a companion: a servicing stack always does.
    fn comes_before(&self, member: &Member, companion: &Member) -> bool {
        let is_stack = member.role == Role::Ssu;
        is_stack || self.is_older(member.kb().or(self.own_kb(member)), companion.kb())
    }

    /// Returns `true` if the order of a companion and another member is proven.
    fn is_comparable(&self, companion: &Member, other: &Member) -> bool {
        self.comes_before(other, companion)
            || self.is_older(companion.kb(), other.kb().or(self.own_kb(other)))
    }

    /// Returns the KB of the entry for a file of the update itself whose name states no KB.
    fn own_kb(&self, member: &Member) -> Option<Kb> {
        self.update.kb.filter(|_| member.role.is_update())
    }
}
