//! The steps of a plan: what comes before the target, which of it the machine has already, and what is at hand.

use super::answer::{Missing, Plan, Status, Step};
use super::condition::Condition;
use super::place::Place;
use super::plan::Ask;
use super::requirements::condition_of;
use super::roles::Member;
use super::sets::PackageSet;
use crate::error::Result;
use crate::facts::FileFacts;
use crate::facts::{Evidence, Role};
use crate::update::{Build, Kb, Kind, PackageName};

impl Step {
    /// A step from a member of a set, without its place in the order.
    pub(super) fn of_member(
        member: &Member,
        set: &PackageSet,
        because: String,
        needed_if: Option<Condition>,
    ) -> Self {
        let is_until_build = matches!(member.role, Role::Checkpoint | Role::Target);
        Self {
            needed_if,
            evidence: member.evidence.clone(),
            brings: member.build,
            needed_below: member.build.filter(|_| is_until_build),
            set: Some((set.kb, set.folder.clone())),
            ..Self::of_file(
                member.role,
                member.kb().or(member.role.is_update().then_some(set.kb)),
                &member.file,
                because,
            )
        }
    }

    /// A step from a file, without its place in the order.
    pub(super) fn of_file(role: Role, kb: Option<Kb>, file: &FileFacts, because: String) -> Self {
        Self {
            order: None,
            role,
            kb,
            name: file.known_name().map(str::to_owned),
            sha1: file.sha1,
            sha256: file.sha256,
            size: file.size,
            url: file.urls.first().cloned(),
            present: file.present,
            because,
            needed_if: None,
            evidence: Vec::new(),
            restart_after: false,
            file: file.key,
            architecture: file.architecture,
            brings: None,
            needed_below: None,
            set: None,
        }
    }
}

impl Ask<'_> {
    /// The steps of a set against which nothing stands.
    pub(super) fn plan_steps(&self, set: &PackageSet, mut answer: Plan) -> Result<Plan> {
        let is_dotnet = set.kind.is_some_and(Kind::is_dotnet)
            || set.members.iter().any(|member| member.role == Role::DotnetChild);
        let own = if is_dotnet {
            match self.dotnet_steps(set, answer) {
                Ok((steps, left)) => {
                    answer = left;
                    steps
                }
                Err(done) => return Ok(*done),
            }
        } else {
            self.own_steps(set, &mut answer)
        };
        let mut steps = self.before(set, &mut answer)?;
        let whole = steps.is_empty() && own.len() == set.members.len();
        steps.extend(own);
        self.mind(set, &mut answer)?;
        Ok(self.finish(answer, steps, set.stated_size.filter(|_| whole)))
    }

    /// The members of a set that the machine needs.
    fn own_steps(&self, set: &PackageSet, answer: &mut Plan) -> Vec<Step> {
        let request = self.request;
        let at = request.machine.at();
        let target = set.build();
        if let (Some(build), None) = (target, answer.expected_build) {
            let number = at.map_or(build.number, |at| at.number);
            let cumulative = set.kind.is_some_and(Kind::is_windows_cumulative);
            answer.expected_build = Some(Build::new(number, build.revision)).filter(|_| cumulative);
        }
        let needed = |member: &&Member| {
            let condition = condition_of(member).filter(|_| member.role == Role::Checkpoint);
            condition.is_none_or(|condition| condition.holds(&request.machine) != Some(false))
        };
        let members = set.members.iter().filter(needed);
        members
            .map(|member| Step::of_member(member, set, self.because(member, set), self.needed_if(member)))
            .collect()
    }

    /// Why a member of a set is a step.
    fn because(&self, member: &Member, set: &PackageSet) -> String {
        let (kb, at) = (set.kb, self.request.machine.at());
        match (member.role, member.build, at) {
            (Role::Checkpoint, Some(build), Some(_)) if self.request.machine.adds_features_to_image() => {
                format!(
                    "features or languages are being added to an image: {kb} needs its checkpoint {build} beside it"
                )
            }
            (Role::Checkpoint, Some(build), Some(at)) => {
                format!("{at} is below the checkpoint {build} that {kb} builds upon")
            }
            (Role::Checkpoint, Some(build), None) => format!("{kb} builds upon the checkpoint {build}"),
            (Role::Checkpoint, None, _) => format!("{kb} builds upon this checkpoint"),
            (Role::Ssu, ..) => format!("the servicing stack comes before {kb}"),
            (Role::DotnetChild, ..) => format!("one of the packages that make up {kb}"),
            (Role::SafeOs, ..) => "the update of the recovery environment that was asked for".to_owned(),
            (Role::Setup, ..) => {
                "the update of the setup files that was asked for: expand it over \\sources".to_owned()
            }
            (Role::Target, Some(build), Some(at)) => {
                format!("the update asked for: from {at} to {}", Build::new(at.number, build.revision))
            }
            (Role::Target, Some(build), None) => format!("the update asked for: brings build {build}"),
            (Role::Companion, ..) => {
                format!("listed with {kb}; nothing proves whether it comes before or after")
            }
            _ => "the update asked for".to_owned(),
        }
    }

    /// Returns the machines that need a member, where the baseline is not known.
    fn needed_if(&self, member: &Member) -> Option<Condition> {
        if self.request.machine.baseline.is_some() || self.request.machine.place == Place::Mirror {
            return None;
        }
        match member.build.filter(|_| member.role == Role::Checkpoint) {
            // WinPE takes no checkpoint again for the sake of features.
            Some(build) if self.request.machine.place == Place::Winpe => Some(Condition::BuildBelow(build)),
            _ => condition_of(member),
        }
    }

    /// What to mind with a plan that stands.
    fn mind(&self, set: &PackageSet, answer: &mut Plan) -> Result<()> {
        let request = self.request;
        let cumulative = set.kind.is_some_and(Kind::is_windows_cumulative);
        if request.machine.features_on_demand && request.machine.place == Place::Online && cumulative {
            let text = "after adding features on demand or languages to a running machine, apply the cumulative update again";
            answer.warnings.push(text.to_owned());
        }
        let has_checkpoint = set.members.iter().any(|member| member.role == Role::Checkpoint);
        if request.machine.place == Place::Winpe && has_checkpoint && request.machine.baseline.is_none() {
            answer.warnings.push(
                "leave the checkpoint out of the folder when boot.wim is at it or past it: DISM fails with 0x80073712 there"
                    .to_owned(),
            );
        }
        if let Some(row) = self.knowledge.withdrawn().hotpatch_baseline(set.kb) {
            answer.warnings.push(format!("{}: {}", set.kb, row.note));
        }
        if let Some(row) = self.knowledge.withdrawn().left_catalog(set.kb) {
            answer.successor = self.latest_of_family(set)?.filter(|kb| *kb != set.kb);
            let later = answer.successor.map_or_else(String::new, |kb| format!("; {kb} is later"));
            answer
                .warnings
                .push(format!("{} left the Catalog and is still good ({}){later}", set.kb, row.source));
        }
        Ok(())
    }

    /// Numbers the steps, counts their bytes, and checks which of them are available.
    pub(super) fn finish(&self, mut answer: Plan, steps: Vec<Step>, stated: Option<u64>) -> Plan {
        let absent = steps.iter().filter(|step| !self.is_available(step));
        answer.missing =
            absent.map(|step| Missing { kb: step.kb, role: step.role, name: step.name.clone() }).collect();
        if !answer.missing.is_empty() {
            let names: Vec<String> = answer.missing.iter().map(name_of).collect();
            let advice = format!("not among the files at hand: {}", names.join(", "));
            return self.refused(answer, Status::NeedsPrerequisite, advice);
        }
        let mut order = 0;
        for step in steps {
            let known = step.role != Role::Companion;
            order += usize::from(known);
            answer.steps.push(Step { order: known.then_some(order), ..step });
        }
        answer.total_bytes = answer.steps.iter().map(|step| step.size).sum::<Option<u64>>().or(stated);
        let absent: Vec<&Step> = answer.steps.iter().filter(|step| !step.present).collect();
        answer.missing_bytes = absent.iter().map(|step| step.size).sum();
        if answer.missing_bytes.is_none() && absent.len() == answer.steps.len() {
            answer.missing_bytes = answer.total_bytes;
        }
        answer
    }

    /// Returns `true` if a step's file is among the available names, or if no names were given.
    fn is_available(&self, step: &Step) -> bool {
        let Some(names) = &self.request.available else { return true };
        names.iter().any(|name| {
            if let Some(wanted) = &step.name {
                return wanted.eq_ignore_ascii_case(name);
            }
            // Without a known name, the KB and the architecture have to match.
            step.kb.is_some()
                && self.knowledge.parents().kb_of_file(name) == step.kb
                && PackageName::parse(name).architecture == step.architecture
        })
    }

    /// A member of another KB's set as a step before the one asked for.
    pub(super) fn step_of_kb(
        &self,
        kb: Kb,
        role: Role,
        like: &PackageSet,
        because: String,
        evidence: &[Evidence],
        answer: &mut Plan,
    ) -> Result<Step> {
        let sets = self.library.sets(kb)?;
        let fits = |set: &&PackageSet| {
            (set.architecture.is_none() || set.architecture == like.architecture)
                && (set.families.is_empty()
                    || set.families.iter().any(|family| like.families.iter().any(|own| own.id == family.id)))
        };
        let found = sets.iter().filter(fits).find_map(|set| {
            let member = set.members.iter().rfind(|member| member.role != Role::Companion)?;
            Some((set, member))
        });
        let mut said = evidence.to_vec();
        let (file, build, set) = match found {
            Some((set, member)) => {
                said.extend(member.evidence.iter().cloned());
                (member.file.clone(), member.build, Some((set.kb, set.folder.clone())))
            }
            None => (FileFacts::unnamed(kb, like.architecture), None, None),
        };
        if file.known_name().is_none() {
            let architecture = like.architecture.map_or_else(String::new, |word| format!(" for {word}"));
            answer
                .warnings
                .push(format!("no file of {kb}{architecture} is known: {}", self.library.side().to_know(kb)));
        }
        Ok(Step { evidence: said, brings: build, set, ..Step::of_file(role, Some(kb), &file, because) })
    }
}

fn name_of(missing: &Missing) -> String {
    match (&missing.name, missing.kb) {
        (Some(name), _) => name.clone(),
        (None, Some(kb)) => kb.to_string(),
        (None, None) => missing.role.to_string(),
    }
}
