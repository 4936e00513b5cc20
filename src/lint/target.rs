//! Which file is the target, for which architecture and installation the set is, and what that makes of the others.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::identify::{About, Package, about};
use super::{Code, Finding, LintRequest, finding_of};
use crate::facts::Facts;
use crate::resolve::Place;
use crate::servicing::{Family, Installation, Knowledge};
use crate::update::{Architecture, Build, Kb, Kind};

/// What a judgement rests on.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) request: &'a LintRequest,
    pub(super) knowledge: &'a Knowledge,
    pub(super) facts: &'a Facts,
}

/// The update that the folder is for.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) kb: Kb,
    pub(super) about: About,
    pub(super) architecture: Option<Architecture>,
    /// The family that it is installed in here; `None` when none is known.
    pub(super) family: Option<&'a Family>,
}

impl Target<'_> {
    /// The build that it brings.
    pub(super) fn build(&self) -> Option<Build> {
        self.family.and_then(|family| self.about.families.get(&family.id)).and_then(|known| known.build)
    }
}

impl<'a> View<'a> {
    /// Judges the packages of a folder; gives the target's KB.
    pub(super) fn judge(&self, packages: Vec<Package<'_>>, findings: &mut BTreeSet<Finding>) -> Option<Kb> {
        let architecture = self.request.machine.architecture.or_else(|| self.architecture_of(&packages));
        let (packages, others): (Vec<_>, Vec<_>) = packages.into_iter().partition(|package| {
            package.architecture.is_none() || architecture.is_none() || package.architecture == architecture
        });
        for package in others {
            let own = package.architecture.map_or("another", Architecture::as_str);
            let asked = architecture.map_or("another", Architecture::as_str);
            let message = format!("it is for {own}, the set is for {asked}");
            findings.insert(finding_of(Code::WrongArchitecture, &package, message));
        }
        let installation = self.installation(&packages);
        let (servers, packages): (Vec<_>, Vec<_>) = packages.into_iter().partition(|package| {
            installation == Some(Installation::Client)
                && package.about.is_cumulative()
                && package.about.is_only_for(Installation::Server)
        });
        for package in &servers {
            let message = "it is for Windows Server 2025, whose revisions are no later ones of the client's";
            findings.insert(finding_of(Code::ServerInClientSet, package, message.to_owned()));
        }
        let kb = match self.request.target {
            Some(kb) => kb,
            None => self.find_target(&packages, findings)?,
        };
        // A KB's copy for Setup may lie beside its package, and is not what the KB is.
        let of_target = packages.iter().filter(|package| package.kb == Some(kb));
        let is_copy = |about: &About| about.kind.is_some_and(Kind::is_dynamic);
        let main = about(kb, None, self.knowledge, self.facts);
        let found = of_target.map(|package| &package.about).find(|about| !is_copy(about) || is_copy(&main));
        let about = found.cloned().unwrap_or(main);
        let family = self.family_of(&about, installation);
        let target = Target { kb, about, architecture, family };
        let is_a_server = servers.iter().any(|package| package.kb == Some(kb));
        self.judge_members(&target, packages, is_a_server, findings);
        Some(kb)
    }

    /// The architecture of the target's files, else of most files; of two with equally many the first in listings.
    fn architecture_of(&self, packages: &[Package<'_>]) -> Option<Architecture> {
        let of_target = packages.iter().filter(|package| package.kb == self.request.target);
        let of_target: BTreeSet<Architecture> =
            of_target.filter_map(|package| package.architecture).collect();
        if self.request.target.is_some() && of_target.len() == 1 {
            return of_target.first().copied();
        }
        let mut count: BTreeMap<Architecture, usize> = BTreeMap::new();
        // The checkpoint of another architecture must not outvote the target.
        let is_checkpoint = |package: &Package<'_>| self.checkpoint_family(package).is_some();
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

    /// Client or server: as asked, as the baseline tells, as the target tells; a set with updates for clients alone is
    /// a client's.
    fn installation(&self, packages: &[Package<'_>]) -> Option<Installation> {
        if self.request.machine.installation.is_some() {
            return self.request.machine.installation;
        }
        if let Some(baseline) = self.request.machine.baseline {
            /// The server's line of revisions of 26100 begins here; the client's stays far below.
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
            let about = about(kb, None, self.knowledge, self.facts);
            if let Some(only) = both.into_iter().find(|&only| about.is_only_for(only)) {
                return Some(only);
            }
        }
        let cumulative = || packages.iter().filter(|package| package.about.is_cumulative());
        both.into_iter().find(|&only| cumulative().any(|package| package.about.is_only_for(only)))
    }

    /// The family of a known checkpoint.
    pub(super) fn checkpoint_family(&self, package: &Package<'_>) -> Option<&'a Family> {
        let is_row = |family: &&Family| {
            self.knowledge.checkpoints().of_family(family).any(|row| Some(row.kb) == package.kb)
        };
        self.knowledge.families().iter().find(is_row)
    }

    /// The family in which the target is installed here: the baseline's, else the first of its own.
    fn family_of(&self, about: &About, installation: Option<Installation>) -> Option<&'a Family> {
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

    /// The target that nobody named; what keeps one from being found is a finding.
    fn find_target(&self, packages: &[Package<'_>], findings: &mut BTreeSet<Finding>) -> Option<Kb> {
        let for_winre = self.request.machine.place == Place::Winre;
        let mut candidates: Vec<&Package<'_>> = packages
            .iter()
            .filter(|package| match package.about.kind {
                Some(Kind::SafeosDu | Kind::DuAmbiguous) => for_winre,
                _ => !for_winre && package.about.is_cumulative() && self.checkpoint_family(package).is_none(),
            })
            .collect();
        candidates.sort_by_key(|package| (package.kb, package.entry.name.as_str()));
        let kbs: BTreeSet<Kb> = candidates.iter().filter_map(|package| package.kb).collect();
        if kbs.is_empty() {
            let what = if for_winre { "Safe OS update" } else { "cumulative update that is no checkpoint" };
            let message = format!("there is no {what} in the folder; name another target with --target");
            findings.insert(Finding {
                code: Code::MissingTarget,
                kb: None,
                name: None,
                message,
                right_name: None,
            });
            return None;
        }
        let best = highest(&candidates);
        let kbs: BTreeSet<Kb> = best.iter().filter_map(|package| package.kb).collect();
        if kbs.len() == 1 {
            return kbs.first().copied();
        }
        for package in &best {
            let message =
                "which of the updates is the target cannot be told: name it with --target".to_owned();
            findings.insert(finding_of(Code::TwoTargets, package, message));
        }
        // Whichever it is, what it needs is missing for it.
        let kb = kbs.first().copied()?;
        let about = about(kb, None, self.knowledge, self.facts);
        let family = self.family_of(&about, self.request.machine.installation);
        let target =
            Target { kb, about, architecture: best.first().and_then(|first| first.architecture), family };
        self.judge_checkpoints(&target, packages, findings);
        None
    }
}

/// The candidates of the highest build; where a build is unknown, those of the latest month.
fn highest<'p, 'e>(candidates: &[&'p Package<'e>]) -> Vec<&'p Package<'e>> {
    let build = |package: &Package<'_>| package.about.families.values().filter_map(|known| known.build).max();
    let month = |package: &Package<'_>| package.about.date.map(Date::first_of_month);
    let ranked = |candidates: &[&'p Package<'e>]| -> Option<Vec<&'p Package<'e>>> {
        let known = candidates.iter().all(|package| build(package).is_some());
        let most = candidates.iter().map(|package| build(package)).max()?;
        known.then(|| candidates.iter().copied().filter(|package| build(package) == most).collect())
    };
    ranked(candidates).unwrap_or_else(|| {
        let latest = candidates.iter().map(|package| month(package)).max().flatten();
        // One whose month is unknown as well may be the latest.
        let of_month = |package: &&&Package<'_>| month(package).is_none() || month(package) == latest;
        let best: Vec<_> = candidates.iter().filter(of_month).copied().collect();
        ranked(&best).unwrap_or(best)
    })
}
