//! A judgement that ends without steps: the machine needs nothing, or the update cannot be planned.

use super::answer::{Choice, MissingPackage, Status};
use super::judgement::{Judgement, Proof, Statement};
use crate::error::Error;
use crate::facts::Evidence;
use crate::update::{Build, Kb};

/// The content of an answer without steps, except for the findings of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: Status,
    /// The last judgement, if the refusal is one.
    pub(super) judgement: Option<Judgement>,
    /// The way out, or a note.
    pub(super) advice: Option<String>,
    pub(super) missing: Vec<MissingPackage>,
    pub(super) choices: Vec<Choice>,
    pub(super) successor: Option<Kb>,
    pub(super) expected_build: Option<Build>,
    /// `true` if neither the index nor the knowledge has the KB.
    pub(super) is_unknown_kb: bool,
}

impl Refusal {
    /// Returns a refusal with its reason, which is also the advice.
    pub(super) fn new(status: Status, advice: impl Into<String>) -> Self {
        let advice = advice.into();
        let judgement = Judgement::new(Statement::Advice(advice.clone()));
        Self { judgement: Some(judgement), advice: Some(advice), ..Self::nothing_to_do() }.with_status(status)
    }

    /// Returns the refusal of an update that is not for the machine. The source of the rule is required.
    pub(super) fn not_applicable(advice: impl Into<String>, source: Evidence) -> Self {
        Self::new(Status::NotApplicable, advice).with_evidence([source])
    }

    /// Returns the answer for a machine that needs nothing.
    pub(super) fn nothing_to_do() -> Self {
        Self {
            status: Status::NothingToDo,
            judgement: None,
            advice: None,
            missing: Vec::new(),
            choices: Vec::new(),
            successor: None,
            expected_build: None,
            is_unknown_kb: false,
        }
    }

    /// Returns the answer for a machine that has an update, with the proof.
    pub(super) fn has_installed(kb: Kb, proof: Proof, evidence: Vec<Evidence>) -> Self {
        let statement = Statement::Has(kb, proof);
        let advice = Some(&statement).filter(|statement| statement.is_advice()).map(ToString::to_string);
        let judgement = Some(Judgement::new(statement).with_evidence(evidence));
        Self { judgement, advice, ..Self::nothing_to_do() }
    }

    fn with_status(self, status: Status) -> Self {
        Self { status, ..self }
    }

    /// Adds sources of the reason.
    #[must_use]
    pub(super) fn with_evidence(self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        Self { judgement: self.judgement.map(|judgement| judgement.with_evidence(evidence)), ..self }
    }

    /// Adds the choices.
    #[must_use]
    pub(super) fn with_choices(self, choices: impl IntoIterator<Item = Choice>) -> Self {
        Self { choices: choices.into_iter().collect(), ..self }
    }

    /// Adds the missing packages.
    #[must_use]
    pub(super) fn with_missing(self, missing: Vec<MissingPackage>) -> Self {
        Self { missing, ..self }
    }
}

/// The end of a judgement: a refusal, or a failure of the library.
#[derive(Debug)]
pub(super) enum JudgementEnd {
    Refused(Box<Refusal>),
    Failed(Error),
}

impl From<Refusal> for JudgementEnd {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Error> for JudgementEnd {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The result of a judgement: a value if nothing prevents a plan, else the end of the judgement.
pub(super) type JudgementResult<T> = Result<T, JudgementEnd>;
