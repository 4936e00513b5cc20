//! A requirement of a package set, as a value: the KB, the rule that it follows from, and the machines that
//! need it. [`super::requirements()`] computes the requirements.

use super::condition::Condition;
use crate::facts::{Evidence, Role};
use crate::update::{Build, Kb};

/// The rule that a requirement follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// All updates of the family from a date on need it.
    Since {
        /// The reason that the row states.
        why: String,
    },
    /// A row for one update requires it.
    Before {
        /// The update that needs it: the requested one, or another requirement of the requested one.
        update: Kb,
    },
    /// The family takes its servicing stack as a separate package.
    SeparateStack {
        /// The family's name.
        family: String,
    },
    /// The servicing stack of an old machine is too old for the stack inside the update.
    Floor {
        /// The first build whose machines do not need it.
        below: Build,
    },
    /// The update is for machines with Extended Security Updates.
    EsuPreparation,
    /// An enablement package needs a minimum revision.
    EnablementFloor {
        /// The minimum build.
        floor: Build,
    },
    /// A preparation for Extended Security Updates needs a minimum revision.
    PreparationFloor {
        /// The minimum build.
        floor: Build,
    },
    /// The update builds upon it.
    Checkpoint,
    /// The entry of the update lists the servicing stack.
    ListedStack,
    /// A package of the bundle that the update is.
    Child,
}

/// A package that must be installed before a set, or a member of the set that the others build upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The KB.
    pub kb: Kb,
    /// The role in a plan.
    pub role: Role,
    /// The rule that it follows from.
    pub rule: Rule,
    /// The machines that need it.
    pub when: Condition,
    /// The sources of the statement.
    pub evidence: Vec<Evidence>,
}

impl Requirement {
    /// Returns `true` if it is published under another KB than the set.
    pub fn is_of_other_kb(&self) -> bool {
        !matches!(self.rule, Rule::Checkpoint | Rule::ListedStack | Rule::Child)
    }

    /// Returns `true` if a KB meets the requirement.
    pub fn is_met_by(&self, kb: Kb) -> bool {
        self.kb == kb || self.alternatives().contains(&kb)
    }

    /// Returns the alternative KBs that meet the requirement, newest first.
    pub fn alternatives(&self) -> &[Kb] {
        match &self.when {
            Condition::StackBelow { newer, .. } => newer,
            Condition::EsuUnprepared(preparations) => preparations,
            _ => &[],
        }
    }

    /// Returns the reason for a step as a sentence, for a requested KB and the machine's build.
    pub(super) fn reason(&self, kb: Kb, at: Option<Build>) -> String {
        match &self.rule {
            Rule::Since { why } => why.clone(),
            Rule::Before { update } => format!("{update} cannot be installed without it"),
            Rule::SeparateStack { family } => {
                format!("{family} takes its servicing stack as a separate package, before {kb}")
            }
            Rule::Floor { below } => match at {
                Some(at) => {
                    format!("{at} is below {below}: its servicing stack is too old for the stack inside {kb}")
                }
                None => {
                    format!("below {below}, the servicing stack is too old for the stack inside {kb}")
                }
            },
            Rule::EsuPreparation => {
                format!("{kb} is for machines that are prepared for Extended Security Updates")
            }
            Rule::EnablementFloor { floor } | Rule::PreparationFloor { floor } => {
                format!("{kb} needs {floor} or later")
            }
            Rule::Checkpoint => format!("{kb} builds upon this checkpoint"),
            Rule::ListedStack => format!("the servicing stack comes before {kb}"),
            Rule::Child => format!("a package of the bundle {kb}"),
        }
    }
}
