//! Enablement packages: small updates that switch on a version whose files a cumulative update has brought already.
//!
//! Below the package's floor a cumulative update comes first, and a restart between the two: the newest that policy
//! and date allow, or just the floor's own when that is asked for; a preview only where nothing else reaches the floor.

use super::answer::{Missing, Plan, Reason, Status, Step};
use super::condition::Condition;
use super::goal::{Best, same_machine};
use super::place::Place;
use super::plan::{Ask, words};
use super::request::{Goal, Policy};
use super::requirements::floor_update;
use super::sets::PackageSet;
use crate::error::Result;
use crate::facts::FileFacts;
use crate::facts::{Evidence, Role};
use crate::servicing::{Enablement, Family, Installation};
use crate::update::{Architecture, Build, Kb, Kind};

impl Ask<'_> {
    /// The plan for a version by its name: 25H2.
    pub(super) fn plan_release(&self, release: &str) -> Result<Plan> {
        let knowledge = self.knowledge;
        self.check_product(&[])?;
        let answer = self.answer(None);
        if let Some(at) = self.request.machine.at().filter(|at| self.is_release(at.number, release)) {
            return Ok(done(answer, at, format!("build {at} is {release} already")));
        }
        let mut named: Vec<&Enablement> = knowledge
            .enablement()
            .all()
            .iter()
            .filter(|row| row.release.eq_ignore_ascii_case(release))
            .collect();
        let of_product = |row: &&Enablement| {
            let is_it = |family: &Family| family.id == row.family && self.is_of_product(family);
            knowledge.families().iter().any(is_it)
        };
        if named.iter().any(of_product) {
            named.retain(of_product);
        }
        // The versions of two families may have one name: Windows 10 22H2 and Windows 11 22H2.
        let here = named.iter().find(|row| self.at.iter().any(|family| family.id == row.family));
        if let Some(row) = here.or(named.first().filter(|_| self.at.is_empty())) {
            return self.plan_enablement(row);
        }
        if let Some(row) = knowledge.enablement().no_package(release) {
            let mut answer = self.refused(answer, Status::NotApplicable, row.why.clone());
            answer.reasons.push(Reason::new(row.why.clone()).said_by([self.knowledge_says(&row.source)]));
            return Ok(answer);
        }
        let known = knowledge.families().iter().any(|family| family.has_release(release));
        if named.is_empty() && !known {
            let there = words(knowledge.enablement().all().iter().map(|row| row.release.as_str()));
            let advice = format!(
                "no version {release} is known as of {}; there are packages for {there}",
                knowledge.date()
            );
            return Ok(self.refused(answer, Status::Unknown, advice));
        }
        let machine = words(self.at.iter().map(|family| family.name.as_str()));
        let machine = if machine.is_empty() { "this machine".to_owned() } else { machine };
        let advice =
            format!("no package leads from {machine} to {release}: that takes media or a feature update");
        Ok(self.refused(answer, Status::NotApplicable, advice))
    }

    /// Whether a build of the machine's family is this version; of a family of one version every build is.
    fn is_release(&self, build: u32, release: &str) -> bool {
        self.at.iter().any(|family| match family.release_of(build) {
            Some(own) => own.eq_ignore_ascii_case(release),
            None => family.has_release(release),
        })
    }

    /// The plan for an enablement package.
    pub(super) fn plan_enablement(&self, row: &Enablement) -> Result<Plan> {
        let request = self.request;
        let mut answer = self.answer(Some(row.kb));
        let families = self.knowledge.families().iter();
        let clients: Vec<&Family> = families
            .filter(|family| family.id == row.family && family.installation == Installation::Client)
            .collect();
        let Some(&family) = clients.first() else {
            return Ok(self.refused(answer, Status::Unknown, format!("{} is of no known family", row.kb)));
        };
        answer.family = Some(family.folder.clone());
        answer.serves = vec![family.into()];
        answer.product = Some(format!("{} (to {})", family.name, row.release));
        if let Some(architecture) =
            request.machine.architecture.filter(|it| !family.architectures.contains(it))
        {
            let advice = format!("{} has no package for {architecture}", row.kb);
            return Ok(self.refused(answer, Status::NotApplicable, advice));
        }
        if !self.is_of_product(family) {
            self.check_product(&self.library.sets(row.kb)?)?;
            let asked = request.product.as_deref().unwrap_or_default();
            let advice = format!("{} is not for {asked:?}; it is for {}", row.kb, family.name);
            return Ok(self.refused(answer, Status::NotApplicable, advice));
        }
        if let Some(refused) = self.out_of_reach(row, family, &answer) {
            return Ok(refused);
        }
        let architecture = match (request.machine.architecture, row.files()) {
            (Some(architecture), _) => architecture,
            (None, [only]) => only.architecture,
            (None, files) => {
                let set = self.library.sets(row.kb)?;
                answer.choices = set.iter().map(super::plan::choice).collect();
                let there = words(files.iter().map(|file| file.architecture.as_str()));
                let advice = format!("{} is there for {there}: name one with --arch", row.kb);
                return Ok(self.refused(answer, Status::Ambiguous, advice));
            }
        };
        answer.architecture = Some(architecture);
        answer.reasons.push(self.what_it_switches(row, family));
        answer.warnings.extend(row.note.iter().map(|note| format!("{}: {note}", row.kb)));
        let (mut steps, revision) = match self.up_to_floor(row, family, architecture, answer)? {
            Ok((steps, revision, left)) => {
                answer = left;
                (steps, revision)
            }
            Err(refused) => return Ok(*refused),
        };
        steps.push(self.enablement_step(row, architecture)?);
        answer.expected_build = revision.map(|revision| Build::new(row.to, revision));
        Ok(self.finish(answer, steps, None))
    }

    /// Returns `true` if the product asked for is of a client family, or none was asked for.
    fn is_of_product(&self, family: &Family) -> bool {
        let product = self.product.as_ref();
        family.installation == Installation::Client && product.is_none_or(|product| product.is_family(family))
    }

    /// Why a machine does not take the package.
    fn out_of_reach(&self, row: &Enablement, family: &Family, answer: &Plan) -> Option<Plan> {
        let request = self.request;
        let no = |advice: String| Some(self.refused(answer.clone(), Status::NotApplicable, advice));
        if request.machine.installation == Some(Installation::Server) {
            return no(format!(
                "{} switches on {} of {}: a server takes no such package",
                row.kb, row.release, family.name
            ));
        }
        if let Some(at) = request.machine.baseline {
            if !family.builds.contains(&at.number) {
                let machine = words(self.at.iter().map(|family| family.name.as_str()));
                return no(format!(
                    "{} is for {}; build {at} is {machine}, which never takes its packages",
                    row.kb, family.name
                ));
            }
            if !self.at.iter().any(|own| own.installation == Installation::Client) {
                return no(format!(
                    "{} switches on {} of {}: a server takes no such package",
                    row.kb, row.release, family.name
                ));
            }
        }
        if !matches!(request.machine.place, Place::Online | Place::Image | Place::Mirror) {
            return no(format!("{} goes onto a running machine or into install.wim (--for image)", row.kb));
        }
        if let Some(at) = request.machine.at().filter(|at| at.number >= row.to || request.machine.has(row.kb))
        {
            let why = if at.number >= row.to {
                format!("build {at} is {} or later already", row.release)
            } else {
                format!("{} is installed: restart the machine", row.kb)
            };
            return Some(done(answer.clone(), at, why));
        }
        if let Some(ltsc) = self.ltsc_of(family.id).first() {
            return no(format!(
                "{} takes no enablement package: an LTSC edition keeps its version",
                ltsc.name
            ));
        }
        if let Some(at) = request.machine.at().filter(|at| !row.from.contains(&at.number)) {
            let from: Vec<String> = row.from.iter().map(|&build| release_name(family, build)).collect();
            return no(format!(
                "{} is taken by {}; build {at} is {}",
                row.kb,
                words(from.iter().map(String::as_str)),
                release_name(family, at.number)
            ));
        }
        None
    }

    /// The steps that bring a machine to the floor, and the revision that it has then.
    #[expect(
        clippy::type_complexity,
        reason = "steps, revision, and answer so far, or the answer that ends the matter"
    )]
    fn up_to_floor(
        &self,
        row: &Enablement,
        family: &Family,
        architecture: Architecture,
        mut answer: Plan,
    ) -> Result<std::result::Result<(Vec<Step>, Option<u32>, Plan), Box<Plan>>> {
        let request = self.request;
        let at = request.machine.at();
        if let Some(at) = at.filter(|at| at.revision >= row.floor) {
            let enough = Reason::new(format!("{at} is at or above the floor {}", row.floor_build()));
            answer.reasons.push(enough.said_by([self.knowledge_says(&row.source)]));
            return Ok(Ok((Vec::new(), Some(at.revision), answer)));
        }
        let Some(kb) = self.reaching(row, family, &mut answer)? else {
            answer.missing = vec![Missing { kb: row.minimum, role: Role::Prerequisite, name: None }];
            let advice = format!(
                "{} needs {} or later first, and no cumulative update up to {} is known that brings it",
                row.kb,
                row.floor_build(),
                request.as_of.map_or_else(|| self.knowledge.date().to_string(), |date| date.to_string())
            );
            return Ok(Err(Box::new(self.refused(answer, Status::NeedsPrerequisite, advice))));
        };
        let mut below = same_machine(request, Goal::Kb(kb));
        below.machine.architecture = Some(architecture);
        below.product = None;
        below.machine.installation = Some(Installation::Client);
        let ask = Ask {
            request: &below,
            library: self.library,
            knowledge: self.knowledge,
            product: None,
            at: self.at.clone(),
        };
        let plan = ask.plan_kb(kb)?;
        if plan.status != Status::Install {
            let advice = plan.advice.unwrap_or_default();
            answer.missing = plan.missing;
            answer.choices = plan.choices;
            answer.successor = plan.successor;
            let advice = format!("{} needs {kb} first: {advice}", row.kb);
            // It waits for its restart, and so does the package: there is something to do yet.
            let status = match plan.status {
                Status::NothingToDo => {
                    answer.missing = vec![Missing { kb: Some(kb), role: Role::Prerequisite, name: None }];
                    Status::NeedsPrerequisite
                }
                other => other,
            };
            return Ok(Err(Box::new(self.refused(answer, status, advice))));
        }
        answer.warnings.extend(plan.warnings.iter().cloned());
        let mut steps = plan.steps.clone();
        let brings = steps.last().and_then(|step| step.brings);
        answer.reasons.push(self.floor_first(row, kb, brings, plan));
        for step in &mut steps {
            if step.role != Role::Target {
                continue;
            }
            let from = at.map_or_else(String::new, |at| format!("{at} is below it, and "));
            step.role = Role::Prerequisite;
            step.because = format!(
                "{} needs {} or later: {from}{kb} brings {}",
                row.kb,
                row.floor_build(),
                step.brings.map(|build| build.to_string()).unwrap_or_default()
            );
            if step.needed_if.is_some() {
                step.needed_if = Some(Condition::BuildBelow(row.floor_build()));
            }
            step.needed_below = Some(row.floor_build());
        }
        if let Some(last) = steps.last_mut() {
            // The package checks the revision that runs; an image has none.
            last.restart_after = request.machine.place == Place::Online;
        }
        let revision = steps.iter().filter_map(|step| step.brings).map(|build| build.revision).max();
        Ok(Ok((steps, revision, answer)))
    }

    /// The cumulative update that brings the floor.
    fn reaching(&self, row: &Enablement, family: &Family, answer: &mut Plan) -> Result<Option<Kb>> {
        let request = self.request;
        let floor = row.floor_build();
        let mut candidates = self.candidates(&[Kind::Lcu, Kind::LcuPreview], family)?;
        candidates.retain(|candidate| candidate.build.is_some_and(|build| build >= floor));
        if request.minimal {
            let lowest = candidates.iter().min_by_key(|candidate| candidate.build);
            return Ok(floor_update(row, self.knowledge).or(lowest.map(|candidate| candidate.kb)));
        }
        if let Best::One(kb) = Self::best(&candidates, request.policy, request.as_of) {
            return Ok(Some(kb));
        }
        let Best::One(kb) = Self::best(&candidates, Policy::Preview, request.as_of) else { return Ok(None) };
        answer.warnings.push(format!(
            "only the preview {kb} reaches {floor} so far; the policy {} would not take it by itself",
            request.policy.as_str()
        ));
        Ok(Some(kb))
    }

    /// The package itself: as the index has it, else as knowledge does.
    fn enablement_step(&self, row: &Enablement, architecture: Architecture) -> Result<Step> {
        let sets = self.library.sets(row.kb)?;
        let of_architecture = |set: &&PackageSet| set.architecture == Some(architecture);
        let found = sets.iter().find(of_architecture).and_then(|set| Some((set, set.members.first()?)));
        let row_says =
            Evidence::Knowledge { row: row.source.clone(), date: self.knowledge.date().to_string() };
        let because = format!("switches {} on", row.release);
        let mut step = if let Some((set, member)) = found {
            Step::of_member(member, set, because, None)
        } else {
            let file = row.file(architecture).map(FileFacts::from);
            let file = file.unwrap_or_else(|| FileFacts::unnamed(row.kb, Some(architecture)));
            Step::of_file(Role::Enablement, Some(row.kb), &file, because)
        };
        step.role = Role::Enablement;
        step.evidence.push(row_says);
        let open = self.request.machine.baseline.is_none() && self.request.machine.place != Place::Mirror;
        step.needed_if = open.then_some(Condition::VersionBelow(row.to));
        Ok(step)
    }
}

/// The answer for a machine that has the version.
fn done(mut answer: Plan, at: Build, why: String) -> Plan {
    answer.status = Status::NothingToDo;
    answer.total_bytes = Some(0);
    answer.missing_bytes = Some(0);
    answer.expected_build = Some(at);
    answer.advice = Some(why);
    answer
}

fn release_name(family: &Family, build: u32) -> String {
    family.release_of(build).map_or_else(|| build.to_string(), str::to_owned)
}
