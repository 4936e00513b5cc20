//! The question, as a value.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::machine::Machine;
use crate::update::{Kb, Kind};

/// The releases that a goal may choose from.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Those of the second Tuesday.
    Security,
    /// Those and out-of-band ones.
    #[default]
    Oob,
    /// Previews too.
    Preview,
}

impl Policy {
    /// The word in options and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Oob => "oob",
            Self::Preview => "preview",
        }
    }
}

/// The goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// One KB.
    Kb(Kb),
    /// The latest update of a kind; of Windows itself, where none is named.
    Latest(Option<Kind>),
    /// A version, switched on by its enablement package: 25H2.
    Enable(String),
}

/// A question to the resolver: a goal, a machine, and the available files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The caller's own name of it.
    pub id: Option<serde_json::Value>,
    /// The goal.
    pub goal: Goal,
    /// The releases that a goal may choose from.
    pub policy: Policy,
    /// Nothing that was published later.
    pub as_of: Option<Date>,
    /// The day of the program's clock, for the age of the answer; `as_of` goes before it.
    pub today: Option<Date>,
    /// Before an enablement package: just the update that brings its floor.
    pub minimal: bool,
    /// Plan an update although Microsoft pulled it.
    pub accept_withdrawn: bool,
    /// A product by any of its names; needed where the KB has different sets.
    pub product: Option<String>,
    /// The names of the files at hand; `None` when everything can be had.
    pub available: Option<Vec<String>>,
    /// The device or image.
    pub machine: Machine,
}

impl Request {
    /// A goal on a running machine of which nothing is known.
    pub fn of(goal: Goal) -> Self {
        Self {
            id: None,
            goal,
            policy: Policy::default(),
            as_of: None,
            today: None,
            minimal: false,
            accept_withdrawn: false,
            product: None,
            available: None,
            machine: Machine::default(),
        }
    }

    /// The complete plan for a KB, on a running machine at an unknown build.
    pub fn new(kb: Kb) -> Self {
        Self::of(Goal::Kb(kb))
    }
}
