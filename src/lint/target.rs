//! The target of a folder, and the architecture and installation of the set.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::finding::{LintCode, LintFinding};
use super::identify::{LintPackage, LintedKb, facts_of_kb};
use super::recorded::RecordedSet;
use super::request::LintRequest;
use crate::facts::Facts;
use crate::resolve::Place;
use crate::servicing::{Family, Installation, Knowledge};
use crate::update::{Architecture, Build, Kb, Kind};

/// The request about a folder, with the knowledge and the facts that answer it.
#[derive(Debug, Clone, Copy)]
pub(super) struct LintContext<'a> {
    pub(super) request: &'a LintRequest,
    /// The record of the folder, if it is one of the target.
    pub(super) recorded: Option<&'a RecordedSet>,
    pub(super) knowledge: &'a Knowledge,
    pub(super) facts: &'a Facts,
}

/// The update that the folder is for.
#[derive(Debug)]
pub(super) struct LintTarget<'a> {
    pub(super) kb: Kb,
    pub(super) about: LintedKb,
    pub(super) architecture: Option<Architecture>,
    /// The family in which the target is installed; `None` if it is unknown.
    pub(super) family: Option<&'a Family>,
}

impl LintTarget<'_> {
    /// Returns the build that the target brings.
    pub(super) fn build(&self) -> Option<Build> {
        self.family.and_then(|family| self.about.families.get(&family.id)).and_then(|known| known.build)
    }
}

/// The inferred target of a folder if the request does not name one.
#[derive(Debug)]
pub(super) enum InferredTarget<'a> {
    /// Exactly one update.
    One(Kb),
    /// Several possible targets; the first of them if they are cumulative updates.
    Several(Option<LintTarget<'a>>),
    /// The folder has no possible target.
    None,
}

impl<'a> LintContext<'a> {
    /// Returns the architecture of the target's files, else of most files. A tie goes to the first in listing
    /// order.
    pub(super) fn architecture_of(&self, packages: &[LintPackage<'_>]) -> Option<Architecture> {
        let of_target = packages.iter().filter(|package| package.kb == self.request.target);
        let of_target: BTreeSet<Architecture> =
            of_target.filter_map(|package| package.architecture).collect();
        if self.request.target.is_some() && of_target.len() == 1 {
            return of_target.first().copied();
        }
        let mut count: BTreeMap<Architecture, usize> = BTreeMap::new();
        // A checkpoint of another architecture must not outvote the target.
        let is_checkpoint = |package: &LintPackage<'_>| self.checkpoint_family(package).is_some();
        let mut voters: Vec<_> = packages.iter().filter(|package| !is_checkpoint(package)).collect();
        if voters.is_empty() {
            voters = packages.iter().collect();
        }
        for architecture in voters.iter().filter_map(|package| package.architecture) {
            *count.entry(architecture).or_default() += 1;
        }
        let most = count.values().max().copied()?;
        count.into_iter().find(|(_, number)| *number == most).map(|(architecture, _)| architecture)
    }

    /// Returns the installation, client or server: as requested, else by the baseline, else by the target. A
    /// set with updates for clients only is a client's set.
    pub(super) fn installation(&self, packages: &[LintPackage<'_>]) -> Option<Installation> {
        if self.request.machine.installation.is_some() {
            return self.request.machine.installation;
        }
        if let Some(baseline) = self.request.machine.baseline {
            /// The first revision of the server's line of 26100. The client's revisions stay far below.
            const FIRST_OF_SERVER: Build = Build::new(26100, 32230);
            let of_build: BTreeSet<Installation> = self
                .knowledge
                .families()
                .of_build(baseline.number)
                .map(|family| family.installation)
                .collect();
            if of_build.len() == 1 {
                return of_build.first().copied();
            }
            if baseline.number == FIRST_OF_SERVER.number && baseline >= FIRST_OF_SERVER {
                return Some(Installation::Server);
            }
        }
        let both = [Installation::Client, Installation::Server];
        if let Some(kb) = self.request.target {
            let about = facts_of_kb(kb, None, self.knowledge, self.facts);
            if let Some(only) = both.into_iter().find(|&only| about.is_only_for(only)) {
                return Some(only);
            }
        }
        let cumulative = || packages.iter().filter(|package| package.about.is_cumulative());
        both.into_iter().find(|&only| cumulative().any(|package| package.about.is_only_for(only)))
    }

    /// Returns the family of a known checkpoint, or `None` if the package is not a checkpoint.
    pub(super) fn checkpoint_family(&self, package: &LintPackage<'_>) -> Option<&'a Family> {
        let is_row = |family: &&Family| {
            self.knowledge.checkpoints().of_family(family).any(|row| Some(row.kb) == package.kb)
        };
        self.knowledge.families().iter().find(is_row)
    }

    /// Returns the family in which the target is installed: the baseline's, else the first of the target's
    /// families.
    pub(super) fn family_of(
        &self,
        about: &LintedKb,
        installation: Option<Installation>,
    ) -> Option<&'a Family> {
        let is_it = |family: &&Family| {
            about.families.get(&family.id).is_some_and(|known| {
                known.installations.is_empty() || known.installations.contains(&family.installation)
            })
        };
        let fits = |family: &&Family| installation.is_none_or(|asked| asked == family.installation);
        let has_baseline = |family: &&Family| {
            self.request.machine.baseline.is_some_and(|baseline| family.builds.contains(&baseline.number))
        };
        let families = || self.knowledge.families().iter().filter(is_it);
        families()
            .find(|family| has_baseline(family) && fits(family))
            .or_else(|| families().find(has_baseline))
            .or_else(|| families().find(fits))
            .or_else(|| families().next())
    }

    /// Returns `true` if a package may be the target by its kind: a cumulative update that is not a checkpoint, or
    /// for `winre.wim` a Safe OS update.
    pub(super) fn is_candidate(&self, package: &LintPackage<'_>) -> bool {
        let for_winre = self.request.machine.place == Place::Winre;
        match package.about.kind {
            Some(Kind::SafeosDu | Kind::DuAmbiguous) => for_winre,
            _ => !for_winre && package.about.is_cumulative() && self.checkpoint_family(package).is_none(),
        }
    }

    /// Infers the target from the cumulative updates. Reports a missing or ambiguous target as a finding.
    pub(super) fn infer_target(
        &self,
        packages: &[LintPackage<'_>],
        findings: &mut BTreeSet<LintFinding>,
    ) -> InferredTarget<'a> {
        let for_winre = self.request.machine.place == Place::Winre;
        let mut candidates: Vec<&LintPackage<'_>> =
            packages.iter().filter(|package| self.is_candidate(package)).collect();
        candidates.sort_by_key(|package| (package.kb, package.entry.name.as_str()));
        let kbs: BTreeSet<Kb> = candidates.iter().filter_map(|package| package.kb).collect();
        if kbs.is_empty() {
            let what =
                if for_winre { "Safe OS update" } else { "cumulative update that is not a checkpoint" };
            let message = format!("the folder has no {what}: pass another target with --target");
            findings.insert(LintFinding {
                code: LintCode::MissingTarget,
                kb: None,
                name: None,
                message,
                right_name: None,
            });
            return InferredTarget::None;
        }
        let best = highest_candidates(&candidates);
        let kbs: BTreeSet<Kb> = best.iter().filter_map(|package| package.kb).collect();
        let Some(&kb) = kbs.first() else { return InferredTarget::None };
        if kbs.len() == 1 {
            return InferredTarget::One(kb);
        }
        for package in &best {
            let message = "several updates may be the target: pass the target with --target";
            findings.insert(package.finding(LintCode::TwoTargets, message));
        }
        let about = facts_of_kb(kb, None, self.knowledge, self.facts);
        let family = self.family_of(&about, self.request.machine.installation);
        let architecture = best.first().and_then(|first| first.architecture);
        InferredTarget::Several(Some(LintTarget { kb, about, architecture, family }))
    }
}

/// Returns the candidates of the highest build. If a build is unknown, returns those of the latest month.
fn highest_candidates<'p, 'e>(candidates: &[&'p LintPackage<'e>]) -> Vec<&'p LintPackage<'e>> {
    let build =
        |package: &LintPackage<'_>| package.about.families.values().filter_map(|known| known.build).max();
    let month = |package: &LintPackage<'_>| package.about.date.map(Date::first_of_month);
    let ranked = |candidates: &[&'p LintPackage<'e>]| -> Option<Vec<&'p LintPackage<'e>>> {
        let known = candidates.iter().all(|package| build(package).is_some());
        let most = candidates.iter().map(|package| build(package)).max()?;
        known.then(|| candidates.iter().copied().filter(|package| build(package) == most).collect())
    };
    ranked(candidates).unwrap_or_else(|| {
        let latest = candidates.iter().map(|package| month(package)).max().flatten();
        // A candidate of unknown month may be the latest too.
        let of_month = |package: &&&LintPackage<'_>| month(package).is_none() || month(package) == latest;
        let best: Vec<_> = candidates.iter().filter(of_month).copied().collect();
        ranked(&best).unwrap_or(best)
    })
}
