//! The target of a folder without a cumulative update of Windows: a .NET parent, a servicing stack, an enablement
//! package, a rollup, a program.
//!
//! The target is the update whose set has all packages of the folder. A set with exactly these files precedes a
//! larger one, and the KB in all names precedes the other updates that list the files.

use std::collections::BTreeSet;

use super::finding::{LintCode, LintFinding};
use super::identify::LintPackage;
use super::members::is_file_of_member;
use super::target::{InferredTarget, LintContext};
use crate::resolve::{PackageSet, Place, layered_sets};
use crate::update::{Kb, Kind};

impl<'a> LintContext<'a> {
    /// Infers the target from packages of any kind. Reports a missing or ambiguous target as a finding.
    pub(super) fn infer_any_target(
        &self,
        packages: &[LintPackage<'_>],
        findings: &mut BTreeSet<LintFinding>,
    ) -> InferredTarget<'a> {
        // A checkpoint is left of a set whose target is missing. Copies for Windows Setup are never a target.
        let is_other = |package: &LintPackage<'_>| {
            !self.is_candidate(package)
                && self.checkpoint_family(package).is_none()
                && !package.about.kind.is_some_and(Kind::is_dynamic)
        };
        let for_winre = self.request.machine.place == Place::Winre;
        if for_winre || packages.is_empty() || !packages.iter().all(is_other) {
            return self.infer_target(packages, findings);
        }
        self.infer_other_target(packages, findings)
    }

    /// Infers the target from the sets that have all packages. Reports packages of several updates as findings.
    fn infer_other_target(
        &self,
        packages: &[LintPackage<'_>],
        findings: &mut BTreeSet<LintFinding>,
    ) -> InferredTarget<'a> {
        let named: BTreeSet<Kb> = packages.iter().filter_map(|package| package.kb).collect();
        let (mut exact, mut larger) = (BTreeSet::new(), BTreeSet::new());
        for kb in self.owners(packages) {
            for set in layered_sets(kb, self.facts, self.knowledge) {
                if has_all(&set, packages) {
                    larger.insert(kb);
                    if set.members.len() == packages.len() {
                        exact.insert(kb);
                    }
                }
            }
        }
        let only = named.first().copied().filter(|_| named.len() == 1);
        let of_name = |kbs: &BTreeSet<Kb>| only.filter(|kb| kbs.contains(kb));
        // Several updates with the same files are the same set. The newest KB names it.
        let found = of_name(&exact).or(exact.last().copied()).or(only).or(larger.last().copied());
        if let Some(kb) = found {
            return InferredTarget::One(kb);
        }
        for package in packages {
            let message = "the packages belong to several updates: pass the target with --target";
            findings.insert(package.finding(LintCode::TwoTargets, message));
        }
        InferredTarget::Several(None)
    }

    /// Returns the updates that may list a package of the folder.
    fn owners(&self, packages: &[LintPackage<'_>]) -> BTreeSet<Kb> {
        let mut kbs: BTreeSet<Kb> = packages.iter().filter_map(|package| package.kb).collect();
        let lists_one = |keys: &Vec<_>| {
            let mut files = keys.iter().filter_map(|key| self.facts.files.get(key));
            files.any(|file| {
                packages.iter().any(|package| package.sha1.is_some() && package.sha1 == file.sha1)
            })
        };
        let updates = self.facts.updates.iter().filter(|update| update.files.as_ref().is_some_and(lists_one));
        let of_index: Vec<Kb> = updates.filter_map(|update| update.kb).collect();
        let parents = self.knowledge.dotnet().parents().iter();
        let has_child = |kb: &Kb| kbs.contains(kb);
        let of_tables: Vec<Kb> = parents
            .filter(|parent| parent.children.iter().any(|child| has_child(&child.kb)))
            .map(|parent| parent.kb)
            .collect();
        kbs.extend(of_index);
        kbs.extend(of_tables);
        kbs
    }
}

/// Returns `true` if every package is a file of the set, and one of them is the update itself.
fn has_all(set: &PackageSet, packages: &[LintPackage<'_>]) -> bool {
    let is_file = |package: &LintPackage<'_>, only_update: bool| {
        let members = set.members.iter().filter(|member| !only_update || member.role.is_update());
        members.into_iter().any(|member| is_file_of_member(member, package))
    };
    packages.iter().all(|package| is_file(package, false))
        && packages.iter().any(|package| is_file(package, true))
}
