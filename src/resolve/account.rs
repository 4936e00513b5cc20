//! The account of a judgement: the subject of an answer, and the findings that do not depend on the outcome.
//! It becomes an answer once, with steps or with a refusal.

use super::answer::{Plan, Status, Step};
use super::freshness::Freshness;
use super::judgement::Judgement;
use super::question::Question;
use super::refusal::{Judged, NoPlan, Refusal};
use super::sets::{FamilyName, PackageSet};
use crate::error::Result;
use crate::update::{Architecture, Build, Kb};

/// The part of an answer that does not depend on the outcome.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) kb: Option<Kb>,
    pub(super) architecture: Option<Architecture>,
    pub(super) product: Option<String>,
    pub(super) family: Option<String>,
    pub(super) serves: Vec<FamilyName>,
    pub(super) warnings: Vec<String>,
    pub(super) judgements: Vec<Judgement>,
    /// The update to install instead, or the one that replaces the KB.
    pub(super) successor: Option<Kb>,
    /// A note for a plan.
    pub(super) advice: Option<String>,
    /// The build after the last step of a plan.
    pub(super) expected_build: Option<Build>,
}

/// The steps of a plan, with the sums of their sizes.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) steps: Vec<Step>,
    pub(super) total_bytes: Option<u64>,
    pub(super) missing_bytes: Option<u64>,
}

impl Account {
    /// Returns the account of a question about a KB or a goal, without findings.
    pub(super) fn of(question: &Question<'_>, kb: Option<Kb>) -> Self {
        Self {
            kb,
            architecture: question.request.machine.architecture,
            product: question.request.product.clone(),
            family: None,
            serves: Vec::new(),
            warnings: Vec::new(),
            judgements: Vec::new(),
            successor: None,
            advice: None,
            expected_build: None,
        }
    }

    /// Returns the account of a question about a package set.
    pub(super) fn of_set(question: &Question<'_>, set: &PackageSet) -> Self {
        Self {
            architecture: set.architecture.or(question.request.machine.architecture),
            product: Some(set.products.join("; ")),
            family: set.families.first().map(|family| family.folder.clone()),
            serves: set.families.clone(),
            warnings: set.warnings.clone(),
            ..Self::of(question, Some(set.kb))
        }
    }

    /// Returns the answer of a judgement.
    pub(super) fn close(self, question: &Question<'_>, judged: Judged<Counted>) -> Result<Plan> {
        match judged {
            Ok(counted) => Ok(self.planned(question, counted)),
            Err(NoPlan::Refused(refusal)) => Ok(self.refused(question, *refusal)),
            Err(NoPlan::Failed(error)) => Err(error),
        }
    }

    fn planned(self, question: &Question<'_>, counted: Counted) -> Plan {
        Plan {
            status: Status::Install,
            advice: self.advice.clone(),
            expected_build: self.expected_build,
            successor: self.successor,
            steps: counted.steps,
            total_bytes: counted.total_bytes,
            missing_bytes: counted.missing_bytes,
            ..self.unfinished(question)
        }
    }

    /// Returns the answer of a refusal.
    pub(super) fn refused(self, question: &Question<'_>, refusal: Refusal) -> Plan {
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
            unheard_of: refusal.unheard_of,
            ..self.unfinished(question)
        };
        plan.judgements.extend(refusal.judgement);
        plan
    }

    /// Returns the fields that do not depend on the outcome.
    fn unfinished(self, question: &Question<'_>) -> Plan {
        Plan {
            id: question.request.id.clone(),
            kb: self.kb,
            architecture: self.architecture,
            product: self.product,
            family: self.family,
            baseline: question.request.machine.baseline,
            status: Status::Unknown,
            steps: Vec::new(),
            missing: Vec::new(),
            choices: Vec::new(),
            advice: None,
            total_bytes: None,
            missing_bytes: None,
            expected_build: None,
            successor: None,
            warnings: self.warnings,
            knowledge_date: question.knowledge.date().to_string(),
            knowledge_version: question.knowledge.version().to_owned(),
            fresh: Freshness::default(),
            replaced_by: None,
            serves: self.serves,
            judgements: self.judgements,
            unheard_of: false,
        }
    }
}
