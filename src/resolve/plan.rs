//! From a request to its answer. The order of judgement is fixed, so that the same request always gets the same kind of
//! answer; every refusal names the way out where there is one.
//!
//! Judged in this order: is the baseline known at all; is it a hotpatch; is there a set for the architecture, for the
//! family and installation; is it for the place; is it withdrawn; does the baseline have it already; Extended Security
//! Updates and edition; then the steps. Where several sets are left and all are refused for the same reason, that is
//! the answer; else the choices are.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Choice, Plan, Reason, Status};
use super::fresh::{Freshness, add_freshness, family_of};
use super::library::Library;
use super::machine::Machine;
use super::request::{Goal, Request};
use super::sets::PackageSet;
use crate::error::Result;
use crate::servicing::{Family, Filed, Installation, Knowledge, ProductFilter};
use crate::update::{Architecture, Build, Kb, Kind};

/// Makes the plan for a request. Fails where the library does, and on a product name that means no one product.
pub fn resolve(request: &Request, library: &dyn Library, knowledge: &Knowledge) -> Result<Plan> {
    let product = match &request.product {
        Some(asked) => Some(ProductFilter::new(asked, request.machine.installation, knowledge.families())?),
        None => None,
    };
    let at = match families_at(request, knowledge) {
        Ok(at) => at,
        Err(advice) => {
            let ask = Ask { request, library, knowledge, product, at: Vec::new() };
            let kb = match request.goal {
                Goal::Kb(kb) => Some(kb),
                _ => None,
            };
            return Ok(ask.refused(ask.answer(kb), Status::Unknown, advice));
        }
    };
    let ask = Ask { request, library, knowledge, product, at };
    let mut plan = match &request.goal {
        Goal::Kb(kb) => match knowledge.enablement().all().iter().find(|row| row.kb == *kb) {
            Some(row) => ask.plan_enablement(row),
            None => ask.plan_kb(*kb),
        },
        Goal::Latest(kind) => ask.plan_latest(*kind),
        Goal::Enable(release) => ask.plan_release(release),
    }?;
    if !plan.unheard_of
        && matches!(request.goal, Goal::Kb(_))
        && let Some(family) = family_of(&plan, request, &ask.at, library, knowledge)?
    {
        plan.replaced_by = ask.replacement(&plan, family)?;
    }
    add_freshness(&mut plan, request, &ask.at, library, knowledge)?;
    Ok(plan)
}

/// The complete plan for one set, on a machine of which nothing is known.
pub fn complete_plan(set: &PackageSet, library: &dyn Library, knowledge: &Knowledge) -> Result<Plan> {
    let machine = Machine { architecture: set.architecture, ..Machine::default() };
    let request = Request { machine, accept_withdrawn: true, ..Request::new(set.kb) };
    let ask = Ask { request: &request, library, knowledge, product: None, at: Vec::new() };
    match knowledge.enablement().all().iter().find(|row| row.kb == set.kb) {
        Some(row) => ask.plan_enablement(row),
        None => ask.plan_set(set, &ask.answer(Some(set.kb))),
    }
}

/// The families that the machine may be of; none when its build is not known. An error is the sentence why there is none.
pub(super) fn families_at<'k>(
    request: &Request,
    knowledge: &'k Knowledge,
) -> Result<Vec<&'k Family>, String> {
    let Some(build) = request.machine.baseline else { return Ok(Vec::new()) };
    let mut families: Vec<&Family> = knowledge.families().of_build(build.number).collect();
    if families.is_empty() {
        return Err(format!("build {build} is of no family that is known as of {}", knowledge.date()));
    }
    if let Some(wanted) = request.machine.installation {
        let there = words(families.iter().map(|family| family.name.as_str()));
        families.retain(|family| family.installation == wanted);
        if families.is_empty() {
            return Err(format!("build {build} is {there}, and no {} has it", wanted.as_str()));
        }
    } else if let Some(line) = line_of(build, &families, knowledge) {
        families.retain(|family| family.installation == line);
    }
    Ok(families)
}

/// Client or server by the revision, where both have the build and their releases have parted. A revision that just
/// one of them released is that one's. So is one past the last that they shared when the release next below it is: a
/// hotpatched machine is between two releases.
fn line_of(build: Build, families: &[&Family], knowledge: &Knowledge) -> Option<Installation> {
    let mut released: BTreeMap<u32, BTreeSet<Installation>> = BTreeMap::new();
    for family in families.iter().filter(|_| families.len() > 1) {
        for release in knowledge.releases().of_family(family) {
            released.entry(release.build.revision).or_default().insert(family.installation);
        }
    }
    let shared = released.iter().rfind(|(_, by)| by.len() > 1).map_or(0, |(&revision, _)| revision);
    let (&nearest, by) = released.range(..=build.revision).next_back()?;
    let tells = by.len() == 1 && (nearest == build.revision || nearest > shared);
    by.first().copied().filter(|_| tells)
}

/// A request with all that it is judged by.
pub(super) struct Ask<'a> {
    pub(super) request: &'a Request,
    pub(super) library: &'a dyn Library,
    pub(super) knowledge: &'a Knowledge,
    /// The product asked for.
    pub(super) product: Option<ProductFilter>,
    /// The families that the machine may be of; empty when its build is not known.
    pub(super) at: Vec<&'a Family>,
}

impl<'a> Ask<'a> {
    /// An answer with nothing in it yet.
    pub(super) fn answer(&self, kb: Option<Kb>) -> Plan {
        Plan {
            id: self.request.id.clone(),
            kb,
            architecture: self.request.machine.architecture,
            product: self.request.product.clone(),
            family: None,
            baseline: self.request.machine.baseline,
            status: Status::Install,
            steps: Vec::new(),
            missing: Vec::new(),
            choices: Vec::new(),
            advice: None,
            total_bytes: None,
            missing_bytes: None,
            expected_build: None,
            successor: None,
            warnings: Vec::new(),
            knowledge_date: self.knowledge.date().to_string(),
            knowledge_version: self.knowledge.version().to_owned(),
            fresh: Freshness::default(),
            replaced_by: None,
            serves: Vec::new(),
            reasons: Vec::new(),
            unheard_of: false,
        }
    }

    /// An answer that is a finding and no plan.
    #[expect(clippy::unused_self, reason = "reads as the other judgements do")]
    pub(super) fn refused(&self, mut answer: Plan, status: Status, advice: impl Into<String>) -> Plan {
        let advice = advice.into();
        answer.reasons.push(Reason::new(advice.clone()));
        answer.status = status;
        answer.advice = Some(advice);
        answer.steps.clear();
        answer.expected_build = None;
        answer
    }

    /// The plan for one KB.
    pub(super) fn plan_kb(&self, kb: Kb) -> Result<Plan> {
        let mut answer = self.answer(Some(kb));
        let sets = self.library.sets(kb)?;
        let is_hotpatch = |set: &PackageSet| set.kind == Some(Kind::Hotpatch);
        if self.knowledge.withdrawn().hotpatch(kb).is_some()
            || (!sets.is_empty() && sets.iter().all(is_hotpatch))
        {
            let advice = format!(
                "{kb} is a hotpatch, which the Catalog does not have: take the cumulative update of that month, which needs a restart"
            );
            let plan = self.refused(answer, Status::UnavailableOffline, advice);
            let row = self.knowledge.withdrawn().hotpatch(kb).map(|row| self.knowledge_says(&row.source));
            return Ok(plan.said_by(row));
        }
        if sets.is_empty() {
            if let Some(plan) = self.withdrawn(kb, &answer) {
                return Ok(plan);
            }
            answer.unheard_of = true;
            let advice = format!(
                "neither the index nor the knowledge has anything of {kb}: {}",
                self.library.side().to_know(kb)
            );
            return Ok(self.refused(answer, Status::Unknown, advice));
        }
        self.check_product(&sets)?;
        let candidates = match self.narrow(kb, &sets) {
            Ok(candidates) => candidates,
            Err(advice) => return Ok(self.refused(answer, Status::NotApplicable, advice)),
        };
        let mut plans =
            candidates.iter().map(|set| self.plan_set(set, &answer)).collect::<Result<Vec<Plan>>>()?;
        let same = plans.windows(2).all(|pair| {
            matches!(pair, [a, b] if a.status == b.status && a.successor == b.successor && !is_open(a.status))
        });
        if plans.len() == 1 || same {
            return Ok(plans.swap_remove(0));
        }
        answer.choices = candidates.iter().map(|set| choice(set)).collect();
        answer.choices.sort();
        let flags = self.choosing_flags(&candidates);
        let advice = format!("{} package sets of {kb} match: name one with {flags}", candidates.len());
        Ok(self.refused(answer, Status::Ambiguous, advice))
    }

    /// The options that would tell these sets apart.
    fn choosing_flags(&self, sets: &[&PackageSet]) -> String {
        let architectures: BTreeSet<_> = sets.iter().map(|set| set.architecture).collect();
        let families: BTreeSet<_> = sets.iter().map(|set| &set.families).collect();
        let mut flags = Vec::new();
        if architectures.len() > 1 {
            flags.push("--arch");
        }
        if architectures.len() == sets.len() {
            // The architecture alone tells them apart.
        } else if families.len() > 1 && self.request.machine.baseline.is_none() {
            flags.push("--product or --baseline");
        } else if families.len() > 1 {
            flags.push("--product or --installation");
        } else {
            flags.push("--product");
        }
        flags.join(" and ")
    }

    /// Refuses a product name that the tables do not have, unless the Catalog files one of these sets under it.
    pub(super) fn check_product(&self, sets: &[PackageSet]) -> Result<()> {
        let Some(product) = &self.product else { return Ok(()) };
        let sets: Vec<Filed<'_>> = sets.iter().map(PackageSet::filed).collect();
        match product.refusal() {
            Some(refusal) if !product.pick(&sets).contains(&true) => Err(refusal.clone().into()),
            _ => Ok(()),
        }
    }

    /// The sets that a request can mean, at least one; else the sentence why there is none.
    fn narrow<'s>(&self, kb: Kb, sets: &'s [PackageSet]) -> Result<Vec<&'s PackageSet>, String> {
        let request = self.request;
        let mut left: Vec<&PackageSet> = sets.iter().filter(|set| !set.is_dynamic_variant).collect();
        if let Some(architecture) = request.machine.architecture {
            let there = words(left.iter().map(|set| set.architecture.map_or("any", Architecture::as_str)));
            left.retain(|set| set.architecture.is_none_or(|of_set| of_set == architecture));
            if left.is_empty() {
                return Err(format!("{kb} has no package for {architecture}; it has some for {there}"));
            }
        }
        // Without one, what the Catalog said is meant, not what else is known to be.
        let is_crawled = |set: &PackageSet| !set.updates.is_empty();
        if request.machine.architecture.is_none() && left.iter().any(|set| is_crawled(set)) {
            left.retain(|set| is_crawled(set));
        }
        if let Some(product) = &self.product {
            let there = words(left.iter().flat_map(|set| set.products.iter().map(String::as_str)));
            let picked = product.pick(&left.iter().map(|set| set.filed()).collect::<Vec<_>>());
            left = left.into_iter().zip(picked).filter(|(_, picked)| *picked).map(|(set, _)| set).collect();
            if left.is_empty() {
                let asked = request.product.as_deref().unwrap_or_default();
                return Err(format!("{kb} is not for {asked:?}; it is for {there}"));
            }
        }
        if let Some(build) = request.machine.baseline {
            let there =
                words(left.iter().flat_map(|set| set.families.iter().map(|family| family.name.as_str())));
            // A set of no known family cannot be told to be for another one.
            left.retain(|set| set.families.is_empty() || self.at.iter().any(|family| set.serves(family)));
            if left.is_empty() {
                let machine = words(self.at.iter().map(|family| family.name.as_str()));
                let instead = self.at.iter().find_map(|family| self.knowledge.dotnet().instead(kb, family));
                let way_out = instead.map_or_else(String::new, |row| format!("; take {} there", row.take));
                return Err(format!(
                    "{kb} is for {there}; build {build} is {machine}, which never takes its packages{way_out}"
                ));
            }
            if let Some(rule) = self.knowledge.parents().rule(kb).filter(|rule| !rule.accepts(build)) {
                let accepted = words(rule.accepts.iter().map(|parent| service_pack(parent.number)));
                return Err(format!(
                    "{kb} is for {accepted}; build {build} is {}",
                    service_pack(build.number)
                ));
            }
        } else if let Some(installation) = request.machine.installation {
            let for_it = |set: &&PackageSet| {
                set.families.is_empty()
                    || set.families.iter().any(|family| family.installation == installation)
            };
            left.retain(for_it);
            if left.is_empty() {
                return Err(format!("{kb} has no package for a {}", installation.as_str()));
            }
        }
        Ok(left)
    }

    /// The family of a set that the machine is of; the first of them where nothing tells.
    pub(super) fn family_of(&self, set: &PackageSet) -> Option<&'a Family> {
        let of_machine = self.at.iter().copied().find(|family| set.serves(family));
        of_machine.or_else(|| {
            let wanted = |family: &&Family| {
                set.serves(family)
                    && self.request.machine.installation.is_none_or(|wanted| wanted == family.installation)
            };
            let families = self.knowledge.families();
            families.iter().find(wanted).or_else(|| families.iter().find(|family| set.serves(family)))
        })
    }

    /// The answer for one set.
    fn plan_set(&self, set: &PackageSet, answer: &Plan) -> Result<Plan> {
        let mut answer = answer.clone();
        answer.architecture = set.architecture.or(self.request.machine.architecture);
        answer.product = Some(set.products.join("; "));
        answer.family = set.families.first().map(|family| family.folder.clone());
        answer.serves.clone_from(&set.families);
        answer.warnings.clone_from(&set.warnings);
        answer.reasons.push(self.what_it_is(set));
        if let (Some(build), Some(family)) = (self.request.machine.baseline, self.family_of(set)) {
            answer.reasons.push(
                Reason::new(format!("build {build} is {}, and {} is for it", family.name, set.kb))
                    .said_by([self.knowledge_says(&family.source)]),
            );
        }
        match self.judge(set, answer)? {
            Ok(answer) => self.plan_steps(set, answer),
            Err(refused) => Ok(*refused),
        }
    }
}

/// Statuses that do not stand for a whole group of sets: a plan names files of one set.
fn is_open(status: Status) -> bool {
    matches!(status, Status::Install | Status::NeedsPrerequisite | Status::Ambiguous)
}

pub(super) fn choice(set: &PackageSet) -> Choice {
    Choice {
        kb: Some(set.kb),
        product: set.products.first().cloned().unwrap_or_else(|| set.folder.to_string()),
        architecture: set.architecture,
        folder: set.folder.to_string(),
    }
}

pub(super) fn words<'w>(items: impl Iterator<Item = &'w str>) -> String {
    let sorted: BTreeSet<&str> = items.collect();
    sorted.into_iter().collect::<Vec<_>>().join(", ")
}

/// What people call the packages that parent rules speak of.
fn service_pack(number: u32) -> &'static str {
    match number {
        7600 => "Windows 7 without a service pack",
        7601 => "Windows 7 with Service Pack 1",
        _ => "another service pack",
    }
}
