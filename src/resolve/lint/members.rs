//! What belongs beside the target: its checkpoints as far as they are needed, a separate servicing stack where its
//! family has them, and the files of its own entry. Everything else is foreign.

use std::collections::BTreeSet;

use super::identify::Package;
use super::target::{Target, View};
use super::{Code, Finding, finding_of};
use crate::resolve::{Member, Place, Role, layered_sets};
use crate::servicing::Installation;
use crate::update::{Build, Kb, Kind};

/// A cumulative update that the target builds upon.
struct Needed {
    kb: Kb,
    build: Option<Build>,
    /// The file's name, where it is known.
    name: Option<String>,
}

impl View<'_> {
    /// Judges the packages that are of the set's architecture and not for somebody else.
    pub(super) fn judge_members(
        &self,
        target: &Target<'_>,
        packages: Vec<Package<'_>>,
        is_a_server: bool,
        findings: &mut BTreeSet<Finding>,
    ) {
        let members = self.members_of(target);
        let is_child = |package: &Package<'_>| {
            members.iter().any(|member| member.role.is_update() && is_file(member, package))
        };
        let is_target = |package: &Package<'_>| {
            let is_copy = package.about.kind.is_some_and(Kind::is_dynamic)
                && !target.about.kind.is_some_and(Kind::is_dynamic);
            (package.kb == Some(target.kb) && !is_copy) || is_child(package)
        };
        let (targets, others): (Vec<_>, Vec<_>) = packages.into_iter().partition(is_target);
        if targets.is_empty() && !is_a_server {
            let message = format!("no file of {} is in the folder", target.kb);
            let name = self.known_name(target, target.kb);
            findings.insert(Finding {
                code: Code::MissingTarget,
                kb: Some(target.kb),
                name,
                message,
                right_name: None,
            });
        }
        for package in &targets {
            if targets.iter().any(|other| other.sha1 != package.sha1 && other.is_of_same_kb(package)) {
                let message = format!("two different files are {}", target.kb);
                findings.insert(finding_of(Code::TwoTargets, package, message));
            }
            if let Some(message) = self.misplaced(target) {
                findings.insert(finding_of(Code::ForeignUpdate, package, message));
            }
        }
        let checkpoints = self.judge_checkpoints(target, &others, findings);
        let stack = self.judge_stack(target, &others, findings);
        for package in others {
            let in_set = package.kb.is_some_and(|kb| checkpoints.contains(&kb))
                || (stack.is_some() && package.kb == stack)
                || members.iter().any(|member| is_file(member, &package));
            if !in_set {
                findings.insert(finding_of(Code::ForeignUpdate, &package, foreign(target, &package)));
            }
        }
    }

    /// Judges the checkpoints; gives those that may lie beside the target.
    pub(super) fn judge_checkpoints(
        &self,
        target: &Target<'_>,
        packages: &[Package<'_>],
        findings: &mut BTreeSet<Finding>,
    ) -> BTreeSet<Kb> {
        let needed = self.checkpoints_below(target);
        for checkpoint in &needed {
            let present = packages.iter().find(|package| package.kb == Some(checkpoint.kb));
            let baseline = self
                .ask
                .baseline
                .and_then(|baseline| target.family.and_then(|family| family.canonical(baseline)));
            let is_past = baseline.zip(checkpoint.build).is_some_and(|(baseline, build)| baseline >= build);
            let (place, build) = (self.ask.place, checkpoint.build);
            let at = build.map(|build| format!(" ({build})")).unwrap_or_default();
            match present {
                Some(package) if is_past && place == Place::Winpe => {
                    let message = format!(
                        "the image is at or past the checkpoint {}{at}: WinPE does not take it again",
                        checkpoint.kb
                    );
                    findings.insert(finding_of(Code::CheckpointPastImage, package, message));
                }
                Some(_) => {}
                None => {
                    let always =
                        place == Place::Mirror || (self.ask.features_on_demand && place != Place::Winpe);
                    if is_past && !always {
                        continue;
                    }
                    let message = format!("{} builds upon the checkpoint {}{at}", target.kb, checkpoint.kb);
                    findings.insert(Finding {
                        code: Code::MissingCheckpoint,
                        kb: Some(checkpoint.kb),
                        name: checkpoint.name.clone(),
                        message,
                        right_name: None,
                    });
                }
            }
        }
        needed.into_iter().map(|checkpoint| checkpoint.kb).collect()
    }

    /// The checkpoints between nothing and the target, from knowledge and from the target's entry.
    fn checkpoints_below(&self, target: &Target<'_>) -> Vec<Needed> {
        if self.ask.place == Place::Winre || !target.about.is_cumulative() {
            return Vec::new();
        }
        let mut needed: Vec<Needed> = Vec::new();
        let rows = target.family.into_iter().flat_map(|family| self.knowledge.checkpoints_of(family));
        for row in rows.filter(|row| row.kb != target.kb) {
            let is_below = match target.build() {
                Some(build) => row.build < build,
                // Of unknown build: what came later builds upon it.
                None => target.about.date.zip(row.date).is_some_and(|(own, date)| date < own),
            };
            if is_below {
                let file = target.architecture.and_then(|architecture| row.file(architecture));
                let name = file.map(|file| file.name.clone());
                needed.push(Needed { kb: row.kb, build: Some(row.build), name });
            }
        }
        for member in self.members_of(target) {
            let Some(kb) = member.kb().filter(|_| member.role == Role::Checkpoint) else { continue };
            if needed.iter().all(|known| known.kb != kb) {
                needed.push(Needed { kb, build: member.build, name: Some(member.file.name) });
            }
        }
        needed
    }

    /// The files of the target's sets in the index.
    fn members_of(&self, target: &Target<'_>) -> Vec<Member> {
        layered_sets(target.kb, self.facts, self.knowledge)
            .into_iter()
            .filter(|set| set.architecture == target.architecture && !set.is_dynamic_variant)
            .flat_map(|set| set.members)
            .collect()
    }

    /// Judges the separate servicing stack; gives the one that belongs to the set.
    fn judge_stack(
        &self,
        target: &Target<'_>,
        packages: &[Package<'_>],
        findings: &mut BTreeSet<Finding>,
    ) -> Option<Kb> {
        let family = target.family.filter(|_| target.about.is_cumulative())?;
        let is_stack = |package: &&Package<'_>| {
            package.about.kind == Some(Kind::Ssu) && package.about.families.contains_key(&family.id)
        };
        let newest = packages
            .iter()
            .filter(is_stack)
            .filter_map(|package| {
                package.kb.map(|kb| (self.rank_of_stack(kb, family.id), package.about.date, kb))
            })
            .max();
        let Some(needed) = self.stack_for(target, family.id) else {
            return newest.map(|(_, _, kb)| kb);
        };
        let serves = |kb: Kb| {
            kb == needed || self.rank_of_stack(kb, family.id) >= self.rank_of_stack(needed, family.id)
        };
        if let Some((_, _, kb)) = newest.filter(|&(_, _, kb)| serves(kb)) {
            return Some(kb);
        }
        if !self.ask.installed.iter().any(|&kb| self.rank_of_stack(kb, family.id).is_some() && serves(kb)) {
            let message = format!(
                "{} needs the servicing stack {needed}, or a later one, installed before it; say --installed {needed} where it is",
                target.kb
            );
            let name = self.known_name(target, needed);
            findings.insert(Finding {
                code: Code::MissingServicingStack,
                kb: Some(needed),
                name,
                message,
                right_name: None,
            });
        }
        None
    }

    /// The stack that was published beside the target, else beside the newest cumulative update before it.
    fn stack_for(&self, target: &Target<'_>, family: u32) -> Option<Kb> {
        self.knowledge.paired_stack(target.kb, family).or_else(|| {
            let build = target.build()?;
            let before = self
                .knowledge
                .stacks_of(family)
                .filter(|(lcu, _)| self.build_in(*lcu, family).is_some_and(|other| other < build));
            before.max_by_key(|(lcu, _)| self.build_in(*lcu, family)).map(|(_, stack)| stack)
        })
    }

    /// The highest build of the cumulative updates beside which a stack was published.
    fn rank_of_stack(&self, stack: Kb, family: u32) -> Option<Build> {
        let beside = self.knowledge.stacks_of(family).filter(|(_, own)| *own == stack);
        beside.filter_map(|(lcu, _)| self.build_in(lcu, family)).max()
    }

    fn build_in(&self, kb: Kb, family: u32) -> Option<Build> {
        let releases = self.knowledge.releases_of_kb(kb).into_iter();
        releases.map(|release| release.build).filter(|build| build.number == family).max()
    }

    /// The name of a KB's file for the target's architecture.
    fn known_name(&self, target: &Target<'_>, kb: Kb) -> Option<String> {
        let architecture = target.architecture?;
        let of_index = self.facts.file_of_kb(kb, architecture).map(|file| file.name.clone());
        let of_releases = || {
            let files = self.knowledge.files_of_kb(kb).into_iter();
            files.filter(|(own, _)| *own == architecture).map(|(_, name)| name).next()
        };
        let of_packages = || {
            let packages = self.knowledge.packages_of(kb).into_iter();
            let fitting = packages.filter(|package| package.architecture == architecture);
            // The Catalog has the .msu; WSUS has a .cab with another digest.
            let mut names: Vec<String> = fitting.filter_map(|package| package.name).collect();
            names.sort_by_key(|name| std::cmp::Reverse(name.rsplit('.').next().map(str::to_owned)));
            names.into_iter().next()
        };
        of_index.or_else(of_releases).or_else(of_packages)
    }

    /// Why a target does not belong where it is to go.
    fn misplaced(&self, target: &Target<'_>) -> Option<String> {
        if self.ask.place == Place::Winre && target.about.is_cumulative() {
            return Some(
                "a cumulative update does not go into winre.wim: the Safe OS update does".to_owned(),
            );
        }
        if self.ask.installation == Some(Installation::Server)
            && target.about.is_cumulative()
            && target.about.is_only_for(Installation::Client)
        {
            return Some(format!("{} is for clients, the set is for a server", target.kb));
        }
        let (family, baseline) = (target.family?, self.ask.baseline?);
        (!family.builds.contains(&baseline.number))
            .then(|| format!("{} is for {}, and {baseline} is no build of it", target.kb, family.name))
    }
}

/// Whether a file in the folder is this member of a set.
fn is_file(member: &Member, package: &Package<'_>) -> bool {
    match (member.file.sha1, package.sha1) {
        (Some(own), Some(others)) => own == others,
        _ => member.kb() == package.kb && member.file.architecture == package.architecture,
    }
}

/// Why a package has no place beside the target.
fn foreign(target: &Target<'_>, package: &Package<'_>) -> String {
    let target_kb = target.kb;
    match package.about.kind {
        Some(Kind::Enablement) => {
            "an enablement package is installed from a folder of its own, after the restart".to_owned()
        }
        Some(Kind::DynamicCu) => "a copy of the cumulative update that only Windows Setup takes".to_owned(),
        Some(Kind::SafeosDu) => "it is for winre.wim and lies beside the set, not in it".to_owned(),
        Some(Kind::SetupDu) => "it is for the setup files of media and is never handed to DISM".to_owned(),
        Some(Kind::Ssu) => format!("not the servicing stack that goes with {target_kb}"),
        Some(kind) if kind.is_windows_cumulative() => {
            format!(
                "another cumulative update than {target_kb}: DISM processes what lies in the target's folder"
            )
        }
        _ => format!("it does not belong to {target_kb}"),
    }
}
