//! The files that belong beside the target: the needed checkpoints, a separate servicing stack if its family
//! has them, and the files of its own entry. All other files are foreign.

use std::collections::BTreeSet;

use super::finding::{LintCode, LintFinding};
use super::identify::LintPackage;
use super::recorded::RecordedSet;
use super::target::{LintContext, LintTarget};
use crate::facts::Role;
use crate::resolve::{
    FactsLibrary, Member, PackageSet, Place, Requirement, Rule, layered_sets, requirements,
};
use crate::servicing::{Checkpoint, Installation};
use crate::update::{Build, Kb, Kind};

/// A cumulative update that the target builds upon.
struct CheckpointBelow {
    kb: Kb,
    build: Option<Build>,
    /// The file's name, if it is known.
    name: Option<String>,
}

impl LintContext<'_> {
    /// Judges the packages of the set's architecture and installation. Returns the KBs outside of the folder that
    /// some machines need first.
    pub(super) fn judge_members(
        &self,
        target: &LintTarget<'_>,
        packages: Vec<LintPackage<'_>>,
        is_a_server: bool,
        findings: &mut BTreeSet<LintFinding>,
    ) -> BTreeSet<Kb> {
        let members = self.members_of(target);
        let is_child = |package: &LintPackage<'_>| {
            members.iter().any(|member| member.role.is_update() && is_file_of_member(member, package))
        };
        let is_target = |package: &LintPackage<'_>| {
            let is_copy = package.about.kind.is_some_and(Kind::is_dynamic)
                && !target.about.kind.is_some_and(Kind::is_dynamic);
            (package.kb == Some(target.kb) && !is_copy) || is_child(package)
        };
        let (targets, others): (Vec<_>, Vec<_>) = packages.into_iter().partition(is_target);
        if targets.is_empty() && !is_a_server && self.published().is_none() {
            let message = format!("the folder has no file of {}", target.kb);
            let name = self.known_name(target, target.kb);
            findings.insert(LintFinding {
                code: LintCode::MissingTarget,
                kb: Some(target.kb),
                name,
                message,
                right_name: None,
            });
        }
        for package in &targets {
            let is_rival = |other: &LintPackage<'_>| {
                let both_listed = other.member.is_some() && package.member.is_some();
                other.sha1 != package.sha1 && other.is_of_same_kb(package) && !both_listed
            };
            if targets.iter().any(is_rival) {
                let message = format!("two different files have the KB {}", target.kb);
                findings.insert(package.finding(LintCode::TwoTargets, message));
            }
            if let Some(message) = self.wrong_place(target) {
                findings.insert(package.finding(LintCode::ForeignUpdate, message));
            }
            if package.member.is_none() && self.published().is_some() {
                let message = format!("not a file of the published set of {}", target.kb);
                findings.insert(package.finding(LintCode::ForeignUpdate, message));
            }
        }
        let checkpoints = self.judge_checkpoints(target, &others, findings);
        let set = self.set_of(target);
        let needed = set.map(|set| self.requirements_of(&set, target)).unwrap_or_default();
        let (required, requires) = self.judge_required(target, &needed, &others, findings);
        for package in others {
            let is_beside = |package: &LintPackage<'_>| {
                package.kb.is_some_and(|kb| checkpoints.contains(&kb) || required.contains(&kb))
                    || members.iter().any(|member| is_file_of_member(member, package))
            };
            let in_set = package.member.is_some() || (self.published().is_none() && is_beside(&package));
            if !in_set {
                findings.insert(package.finding(LintCode::ForeignUpdate, reason_against(target, &package)));
            }
        }
        requires
    }

    /// Returns the record of the folder if it is judged as a published set, not for a machine.
    fn published(&self) -> Option<&RecordedSet> {
        self.recorded.filter(|_| self.request.machine.place == Place::Mirror)
    }

    /// Reports the files of a published set that are not in its folder. `here` has the places of the others.
    pub(super) fn find_absent_files(&self, here: &BTreeSet<usize>, findings: &mut BTreeSet<LintFinding>) {
        let Some(set) = self.published() else { return };
        for (_, absent) in (0..).zip(&set.files).filter(|(place, _)| !here.contains(place)) {
            let code = match absent.role {
                Role::Checkpoint => LintCode::MissingCheckpoint,
                Role::Ssu => LintCode::MissingServicingStack,
                Role::Prerequisite | Role::EsuPreparation => LintCode::MissingPrerequisite,
                _ => LintCode::MissingTarget,
            };
            let kb = absent.file.kb.or(Some(set.kb));
            // The rule that needs a checkpoint reports it too.
            let is_reported = |one: &LintFinding| one.code == LintCode::MissingCheckpoint && one.kb == kb;
            if absent.role == Role::Checkpoint && findings.iter().any(is_reported) {
                continue;
            }
            let message = format!("the published set {}/{} has this file", set.kb, set.folder);
            let name = Some(absent.name.clone());
            findings.insert(LintFinding { code, kb, name, message, right_name: None });
        }
    }

    /// Judges the checkpoints. Returns those that may be in the folder of the target.
    pub(super) fn judge_checkpoints(
        &self,
        target: &LintTarget<'_>,
        packages: &[LintPackage<'_>],
        findings: &mut BTreeSet<LintFinding>,
    ) -> BTreeSet<Kb> {
        let needed = self.checkpoints_below(target);
        for checkpoint in &needed {
            let present = packages.iter().find(|package| package.kb == Some(checkpoint.kb));
            let baseline = self
                .request
                .machine
                .baseline
                .and_then(|baseline| target.family.and_then(|family| family.canonical(baseline)));
            let is_past = baseline.zip(checkpoint.build).is_some_and(|(baseline, build)| baseline >= build);
            let (place, build) = (self.request.machine.place, checkpoint.build);
            let at = build.map(|build| format!(" ({build})")).unwrap_or_default();
            match present {
                Some(package) if is_past && place == Place::Winpe => {
                    let message = format!(
                        "the image is at or past the checkpoint {}{at}: WinPE cannot install the checkpoint again",
                        checkpoint.kb
                    );
                    findings.insert(package.finding(LintCode::CheckpointPastImage, message));
                }
                Some(_) => {}
                None => {
                    let always = place == Place::Mirror
                        || (self.request.machine.features_on_demand && place != Place::Winpe);
                    if is_past && !always {
                        continue;
                    }
                    let message = format!("{} builds upon the checkpoint {}{at}", target.kb, checkpoint.kb);
                    findings.insert(LintFinding {
                        code: LintCode::MissingCheckpoint,
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

    /// Returns the checkpoints that the target builds upon: those of its set, else those below it in the
    /// knowledge.
    fn checkpoints_below(&self, target: &LintTarget<'_>) -> Vec<CheckpointBelow> {
        if self.request.machine.place == Place::Winre || !target.about.is_cumulative() {
            return Vec::new();
        }
        let rows =
            || target.family.into_iter().flat_map(|family| self.knowledge.checkpoints().of_family(family));
        let known_name = |kb: Kb| {
            let row = rows().find(|row| row.kb == kb);
            let file = row.zip(target.architecture).and_then(|(row, architecture)| row.file(architecture));
            file.map(|file| file.name.clone())
        };
        // A set from knowledge alone whose build is unknown lists no checkpoints, although it may build upon
        // some.
        let is_judged = |set: &PackageSet| !set.updates.is_empty() || set.build().is_some();
        if let Some(set) = self.set_of(target).filter(is_judged) {
            let (needed, members) = (self.requirements_of(&set, target), self.members_of(target));
            let is_it = |member: &&Member, kb| member.kb() == Some(kb) && member.role == Role::Checkpoint;
            let listed = needed.into_iter().filter(|one| one.rule == Rule::Checkpoint);
            let mut listed = listed.peekable();
            let is_without = listed.peek().is_none() && set.build().is_some();
            if is_without && rows().any(|row| row.kb != target.kb && Some(row.build) < set.build()) {
                // No file of the checkpoint is known for the architecture: the set is incomplete.
                return self.known_checkpoints_below(target);
            }
            return listed
                .map(|one| {
                    let member = members.iter().find(|member| is_it(member, one.kb));
                    let name = member.and_then(|member| member.file.known_name()).map(str::to_owned);
                    let build = member.and_then(|member| member.build);
                    CheckpointBelow { kb: one.kb, build, name: name.or_else(|| known_name(one.kb)) }
                })
                .collect();
        }
        self.known_checkpoints_below(target)
    }

    /// Returns the checkpoints below the target in the knowledge.
    fn known_checkpoints_below(&self, target: &LintTarget<'_>) -> Vec<CheckpointBelow> {
        let rows =
            target.family.into_iter().flat_map(|family| self.knowledge.checkpoints().of_family(family));
        let known_name = |row: &Checkpoint| {
            let file = target.architecture.and_then(|architecture| row.file(architecture));
            file.map(|file| file.name.clone())
        };
        let is_below = |row: &&Checkpoint| match target.build() {
            Some(build) => row.build < build,
            // The build is unknown. A later update builds upon the checkpoint.
            None => target.about.date.zip(row.date).is_some_and(|(own, date)| date < own),
        };
        rows.filter(|row| row.kb != target.kb)
            .filter(is_below)
            .map(|row| CheckpointBelow { kb: row.kb, build: Some(row.build), name: known_name(row) })
            .collect()
    }

    /// Returns the files of the recorded set, else those of the target's sets in the index.
    fn members_of(&self, target: &LintTarget<'_>) -> Vec<Member> {
        if let Some(set) = self.recorded {
            return set.members();
        }
        layered_sets(target.kb, self.facts, self.knowledge)
            .into_iter()
            .filter(|set| set.architecture == target.architecture && set.is_main())
            .flat_map(|set| set.members)
            .collect()
    }

    /// Judges the packages of other KBs that must be installed before the target. Returns the KBs that may be
    /// in its folder, and those outside of it that some machines need.
    ///
    /// A published set holds no package of another KB: each has a folder of its own.
    fn judge_required(
        &self,
        target: &LintTarget<'_>,
        needed: &[Requirement],
        packages: &[LintPackage<'_>],
        findings: &mut BTreeSet<LintFinding>,
    ) -> (BTreeSet<Kb>, BTreeSet<Kb>) {
        let mut outside = BTreeSet::new();
        let is_here = |kb: Kb| packages.iter().any(|package| package.kb == Some(kb));
        let machine = &self.request.machine;
        let mut members = BTreeSet::new();
        // A package that only a met requirement needs is not needed. The last requirement is therefore
        // examined first.
        let mut unmet: BTreeSet<Kb> = BTreeSet::from([target.kb]);
        for requirement in needed.iter().rev().filter(|one| one.is_of_other_kb()) {
            let newest_first = requirement.alternatives().iter().copied().chain([requirement.kb]);
            if let Some(kb) = newest_first.into_iter().find(|kb| is_here(*kb)) {
                members.insert(kb);
                unmet.insert(kb);
                continue;
            }
            let of_unmet = match requirement.rule {
                Rule::EsuPreparation | Rule::EnablementFloor { .. } | Rule::PreparationFloor { .. } => false,
                Rule::Before { update } => unmet.contains(&update),
                _ => true,
            };
            let is_installed = machine.has_installed(requirement.kb);
            let when = requirement.when.holds(machine);
            if !is_installed && when != Some(false) {
                outside.insert(requirement.kb);
            }
            if !of_unmet || is_installed || when != Some(true) || self.published().is_some() {
                continue;
            }
            unmet.insert(requirement.kb);
            let (code, what) = match requirement.role {
                Role::Ssu => (LintCode::MissingServicingStack, "the servicing stack "),
                _ => (LintCode::MissingPrerequisite, ""),
            };
            let kb = requirement.kb;
            let later = match requirement.rule {
                Rule::SeparateStack { .. } => " or a later one",
                _ => "",
            };
            let message = format!(
                "{} needs {what}{kb}{later} installed first: pass --installed {kb} if it is installed",
                target.kb
            );
            let name = self.known_name(target, kb);
            findings.insert(LintFinding { code, kb: Some(kb), name, message, right_name: None });
        }
        let names_stack = needed.iter().any(|one| one.is_of_other_kb() && one.role == Role::Ssu);
        if !names_stack && target.about.is_cumulative() {
            members.extend(newest_stack(target, packages));
        }
        // A finding names it already.
        outside.retain(|kb| !findings.iter().any(|finding| finding.kb == Some(*kb)));
        (members, outside)
    }

    /// Returns the target's set: the recorded one, else the one for the architecture, else any for the family.
    fn set_of(&self, target: &LintTarget<'_>) -> Option<PackageSet> {
        let mut sets = layered_sets(target.kb, self.facts, self.knowledge);
        let is_recorded = |set: &PackageSet| {
            let recorded = self.recorded.filter(|recorded| recorded.files.len() == set.members.len());
            recorded.is_some_and(|recorded| {
                set.members
                    .iter()
                    .all(|member| recorded.files.iter().any(|file| file.file.sha1 == member.file.sha1))
            })
        };
        if let Some(own) = sets.iter().position(is_recorded) {
            return Some(sets.swap_remove(own));
        }
        sets.retain(|set| set.is_main() && target.family.is_none_or(|family| set.serves(family)));
        let own = sets.iter().position(|set| set.architecture == target.architecture);
        (!sets.is_empty()).then(|| sets.swap_remove(own.unwrap_or(0)))
    }

    /// Returns the requirements of the target's set.
    fn requirements_of(&self, set: &PackageSet, target: &LintTarget<'_>) -> Vec<Requirement> {
        let library = FactsLibrary::new(self.facts.clone(), self.knowledge);
        // A library of facts in memory cannot fail.
        requirements(set, target.family, &library, self.knowledge).unwrap_or_default()
    }

    /// Returns the name of a KB's file for the target's architecture.
    fn known_name(&self, target: &LintTarget<'_>, kb: Kb) -> Option<String> {
        let architecture = target.architecture?;
        let of_index = self.facts.file_of_kb(kb, architecture).map(|file| file.name.clone());
        let of_releases = || {
            let files = self.knowledge.releases().files_of(kb).into_iter();
            files.filter(|(own, _)| *own == architecture).map(|(_, name)| name).next()
        };
        let of_packages = || {
            let packages = self.knowledge.packages().of_kb(kb).into_iter();
            let fitting = packages.filter(|package| package.architecture == architecture);
            // The Catalog has the .msu. WSUS has a .cab with another digest.
            let mut names: Vec<String> = fitting.filter_map(|package| package.name).collect();
            names.sort_by_key(|name| std::cmp::Reverse(name.rsplit('.').next().map(str::to_owned)));
            names.into_iter().next()
        };
        of_index.or_else(of_releases).or_else(of_packages)
    }

    /// Returns the reason why a target does not belong in its destination.
    fn wrong_place(&self, target: &LintTarget<'_>) -> Option<String> {
        if self.request.machine.place == Place::Winre && target.about.is_cumulative() {
            return Some("winre.wim does not take a cumulative update: use the Safe OS update".to_owned());
        }
        match (target.about.kind, self.request.machine.place) {
            (_, Place::Mirror) => {}
            (Some(Kind::SafeosDu), place) if place != Place::Winre => {
                return Some("a Safe OS update is for winre.wim only: pass --for winre".to_owned());
            }
            (Some(Kind::SetupDu | Kind::DynamicCu), place) if place != Place::Media => {
                return Some("only Windows Setup takes this update: pass --for media".to_owned());
            }
            _ => {}
        }
        if self.request.machine.installation == Some(Installation::Server)
            && target.about.is_cumulative()
            && target.about.is_only_for(Installation::Client)
        {
            return Some(format!("{} is for clients; the set is for a server", target.kb));
        }
        let (family, baseline) = (target.family?, self.request.machine.baseline?);
        (!family.builds.contains(&baseline.number))
            .then(|| format!("{} is for {}; {baseline} is a build of another family", target.kb, family.name))
    }
}

/// Returns the newest servicing stack of the target's family in a folder.
fn newest_stack(target: &LintTarget<'_>, packages: &[LintPackage<'_>]) -> Option<Kb> {
    let family = target.family?;
    let stacks = packages.iter().filter(|package| {
        package.about.kind == Some(Kind::Ssu) && package.about.families.contains_key(&family.id)
    });
    stacks.filter_map(|package| package.kb.map(|kb| (package.about.date, kb))).max().map(|(_, kb)| kb)
}

/// Returns `true` if a file in the folder is this member of a set.
pub(super) fn is_file_of_member(member: &Member, package: &LintPackage<'_>) -> bool {
    match (member.file.sha1, package.sha1) {
        (Some(own), Some(others)) => own == others,
        _ => member.kb() == package.kb && member.file.architecture == package.architecture,
    }
}

/// Returns the reason why a package does not belong beside the target.
fn reason_against(target: &LintTarget<'_>, package: &LintPackage<'_>) -> String {
    let target_kb = target.kb;
    match package.about.kind {
        Some(Kind::Enablement) => {
            "install the enablement package from a separate folder, after the restart".to_owned()
        }
        Some(Kind::DynamicCu) => "a copy of the cumulative update for Windows Setup only".to_owned(),
        Some(Kind::SafeosDu) => "a Safe OS update for winre.wim: keep it outside the set's folder".to_owned(),
        Some(Kind::SetupDu) => {
            "a Setup update for the setup files of media: never pass it to DISM".to_owned()
        }
        Some(Kind::Ssu) => format!("not the servicing stack for {target_kb}"),
        Some(kind) if kind.is_windows_cumulative() => {
            format!(
                "not the cumulative update {target_kb}: DISM processes every update in the target's folder"
            )
        }
        _ => format!("the package does not belong to {target_kb}"),
    }
}
