//! The request to the resolver, as a value.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::issue::GenerationChoice;
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
    /// Releases of the second Tuesday.
    Security,
    /// Releases of the second Tuesday and out-of-band releases.
    #[default]
    Oob,
    /// All releases, including previews.
    Preview,
}

impl Policy {
    /// Returns the word in options and sentences.
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
    /// A KB.
    Kb(Kb),
    /// The latest update of a kind; without a kind, the latest cumulative update of Windows.
    Latest(Option<Kind>),
    /// A version that its enablement package switches on: 25H2.
    Enable(String),
}

/// A request to the resolver: a goal, a machine, and the available files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The caller's own name of the request.
    pub id: Option<serde_json::Value>,
    /// The goal.
    pub goal: Goal,
    /// The releases that a goal may choose from.
    pub policy: Policy,
    /// The last allowed publication day; later releases are ignored.
    pub as_of: Option<Date>,
    /// Today by the program's clock, for the age of the answer. `as_of` has precedence.
    pub today: Option<Date>,
    /// `true` to put only the update with the exact floor before an enablement package.
    pub minimal: bool,
    /// `true` to plan an update although Microsoft withdrew it.
    pub accept_withdrawn: bool,
    /// The issue of a KB that Microsoft issued again.
    pub generation: GenerationChoice,
    /// A product by any of its names; needed if the KB has different sets.
    pub product: Option<String>,
    /// The names of the available files; `None` if all files are available.
    pub available: Option<Vec<String>>,
    /// The device or image.
    pub machine: Machine,
}

impl Request {
    /// Returns a request for a goal on a running machine without known facts.
    pub fn of(goal: Goal) -> Self {
        Self {
            id: None,
            goal,
            policy: Policy::default(),
            as_of: None,
            today: None,
            minimal: false,
            accept_withdrawn: false,
            generation: GenerationChoice::default(),
            product: None,
            available: None,
            machine: Machine::default(),
        }
    }

    /// Returns a request for the complete plan of a KB, on a running machine of unknown build.
    pub fn new(kb: Kb) -> Self {
        Self::of(Goal::Kb(kb))
    }
}
