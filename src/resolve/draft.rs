//! The account of a judgement: the subject of an answer, and the findings that do not depend on the outcome.
//! It becomes an answer once, with steps or with a refusal.

use super::answer::{Plan, Status, Step};
use super::context::ResolveContext;
use super::freshness::Freshness;
use super::judgement::Judgement;
use super::package_set::{FamilyName, PackageSet};
use super::refusal::{JudgementEnd, JudgementResult, Refusal};
use crate::error::Result;
use crate::update::{Architecture, Build, Kb};

/// The part of an answer that does not depend on the outcome.
#[derive(Debug, Clone)]
pub(super) struct PlanDraft {
    pub(super) kb: Option<Kb>,
    pub(super) architecture: Option<Architecture>,
    pub(super) product: Option<String>,
    pub(super) family: Option<String>,
    pub(super) serves: Vec<FamilyName>,
    pub(super) warnings: Vec<String>,
    pub(super) judgements: Vec<Judgement>,
    /// The update to install instead, or the one that replaces the KB.
    pub(super) successor: Option<Kb>,
    /// The needs of an image or of media beside the packages.
    pub(super) notes: Vec<String>,
    /// A note for a plan.
    pub(super) advice: Option<String>,
    /// The build after the last step of a plan.
    pub(super) expected_build: Option<Build>,
}

/// The steps of a plan, with the sums of their sizes.
#[derive(Debug)]
pub(super) struct StepList {
    pub(super) steps: Vec<Step>,
    pub(super) total_bytes: Option<u64>,
    pub(super) missing_bytes: Option<u64>,
}

impl PlanDraft {
    /// Returns the account of a request about a KB or a goal, without findings.
    pub(super) fn of(context: &ResolveContext<'_>, kb: Option<Kb>) -> Self {
        Self {
            kb,
            architecture: context.request.machine.architecture,
            product: context.request.product.clone(),
            family: None,
            serves: Vec::new(),
            warnings: Vec::new(),
            judgements: Vec::new(),
            successor: None,
            notes: Vec::new(),
            advice: None,
            expected_build: None,
        }
    }

    /// Returns the account of a request about a package set.
    pub(super) fn of_set(context: &ResolveContext<'_>, set: &PackageSet) -> Self {
        Self {
            architecture: set.architecture.or(context.request.machine.architecture),
            product: Some(set.products.join("; ")),
            family: set.families.first().map(|family| family.folder.clone()),
            serves: set.families.clone(),
            warnings: set.warnings.clone(),
            ..Self::of(context, Some(set.kb))
        }
    }

    /// Returns the answer of a judgement.
    pub(super) fn into_plan(
        self,
        context: &ResolveContext<'_>,
        judged: JudgementResult<StepList>,
    ) -> Result<Plan> {
        match judged {
            Ok(counted) => Ok(self.into_install_plan(context, counted)),
            Err(JudgementEnd::Refused(refusal)) => Ok(self.into_refusal_plan(context, *refusal)),
            Err(JudgementEnd::Failed(error)) => Err(error),
        }
    }

    fn into_install_plan(self, context: &ResolveContext<'_>, counted: StepList) -> Plan {
        Plan {
            status: Status::Install,
            advice: self.advice.clone(),
            notes: self.notes.clone(),
            expected_build: self.expected_build,
            successor: self.successor,
            steps: counted.steps,
            total_bytes: counted.total_bytes,
            missing_bytes: counted.missing_bytes,
            ..self.into_base_plan(context)
        }
    }

    /// Returns the answer of a refusal.
    pub(super) fn into_refusal_plan(self, context: &ResolveContext<'_>, refusal: Refusal) -> Plan {
        let nothing = (refusal.status == Status::NothingToDo).then_some(0);
        let successor = refusal.successor.or(self.successor);
        let mut plan = Plan {
            status: refusal.status,
            advice: refusal.advice,
            missing: refusal.missing,
            choices: refusal.choices,
            expected_build: refusal.expected_build,
            total_bytes: nothing,
            missing_bytes: nothing,
            successor,
            is_unknown_kb: refusal.is_unknown_kb,
            ..self.into_base_plan(context)
        };
        plan.judgements.extend(refusal.judgement);
        plan
    }

    /// Returns the fields that do not depend on the outcome.
    fn into_base_plan(self, context: &ResolveContext<'_>) -> Plan {
        Plan {
            id: context.request.id.clone(),
            kb: self.kb,
            architecture: self.architecture,
            product: self.product,
            family: self.family,
            baseline: context.request.machine.baseline,
            status: Status::Unknown,
            steps: Vec::new(),
            missing: Vec::new(),
            choices: Vec::new(),
            advice: None,
            total_bytes: None,
            missing_bytes: None,
            expected_build: None,
            notes: Vec::new(),
            successor: None,
            warnings: self.warnings,
            knowledge_date: context.knowledge.date().to_string(),
            knowledge_version: context.knowledge.version().to_owned(),
            freshness: Freshness::default(),
            replaced_by: None,
            serves: self.serves,
            judgements: self.judgements,
            is_unknown_kb: false,
        }
    }
}
