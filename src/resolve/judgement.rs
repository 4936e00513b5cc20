//! The judgements behind an answer, as data. Only this module converts them into text.

use std::fmt;

use jiff::civil::Date;

use super::place::Place;
use super::request::Policy;
use crate::facts::Evidence;
use crate::update::{Architecture, Build, Kb, Kind, Month};

/// A judgement that leads to an answer: a statement, its sources, and the judgements that it follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The statement.
    pub statement: Statement,
    /// The sources.
    pub evidence: Vec<Evidence>,
    /// The judgements that it follows from.
    pub because: Vec<Self>,
}

impl Judgement {
    /// Returns a judgement without sources.
    pub(super) fn new(statement: Statement) -> Self {
        Self { statement, evidence: Vec::new(), because: Vec::new() }
    }

    /// Adds sources.
    #[must_use]
    pub(super) fn with_evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// Adds judgements that it follows from.
    #[must_use]
    pub(super) fn with_reasons(mut self, judgements: impl IntoIterator<Item = Self>) -> Self {
        self.because.extend(judgements);
        self
    }
}

/// The proof that a machine has an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The list of installed KBs contains the update.
    Installed,
    /// The list contains the update, but the build is still the old one.
    AwaitsRestart {
        /// The machine's build.
        at: Build,
        /// The build of the update.
        target: Build,
    },
    /// The machine's build is the update's build or a later one.
    AtBuild {
        /// The machine's build.
        at: Build,
        /// The build of the update.
        target: Build,
    },
}

/// The content of a judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Statement {
    /// The advice of the answer.
    Advice(String),
    /// The machine has the update.
    Has(Kb, Proof),
    /// The kind and the products of an update.
    Is {
        /// The update.
        kb: Kb,
        /// The kind.
        kind: Option<Kind>,
        /// The products, as titles name them.
        products: Vec<String>,
        /// The architecture.
        architecture: Option<Architecture>,
    },
    /// The machine's family is one of the update's families.
    ForFamily {
        /// The update.
        kb: Kb,
        /// The machine's build.
        build: Build,
        /// The family's name.
        family: String,
    },
    /// The place takes the update.
    RightPlace(Kb, Place),
    /// The tables do not list the update as withdrawn.
    NotWithdrawn(Kb),
    /// The update is withdrawn, and the request accepts it.
    WithdrawnAccepted {
        /// The update.
        kb: Kb,
        /// The fault of the update.
        why: String,
    },
    /// The build of the machine is unknown.
    UnknownBuild,
    /// The machine is below the update's build.
    Below {
        /// The update.
        kb: Kb,
        /// The machine's build.
        at: Build,
        /// The build of the update, in the numbering of its family.
        target: Build,
    },
    /// The update is applied again to an image that has its build.
    AppliedAgain {
        /// The update.
        kb: Kb,
        /// The build.
        at: Build,
    },
    /// The update is older than the Extended Security Updates of its family.
    BeforeExtendedSecurity {
        /// The update.
        kb: Kb,
        /// The month of the update.
        month: Month,
        /// The family's name.
        family: String,
        /// The first month of Extended Security Updates.
        from: Month,
    },
    /// The request states that the machine is prepared for Extended Security Updates of a family.
    PreparationStated(String),
    /// An installed package prepares for Extended Security Updates.
    PreparedBy {
        /// The package.
        kb: Kb,
        /// The family's name.
        family: String,
    },
    /// A long-term edition is supported without Extended Security Updates.
    LongTerm {
        /// The edition's name.
        name: String,
        /// The end of its support.
        until: Date,
    },
    /// An installed servicing stack is sufficient for the update.
    StackInstalled {
        /// The stack.
        stack: Kb,
        /// The update.
        kb: Kb,
    },
    /// A goal chose the update.
    Chosen {
        /// The update.
        kb: Kb,
        /// The kind that the goal names.
        what: String,
        /// The family's name.
        family: String,
        /// The policy.
        policy: Policy,
        /// The date of the request.
        as_of: Date,
    },
    /// An enablement package switches a version on.
    Switches {
        /// The package.
        kb: Kb,
        /// The version.
        release: String,
        /// The versions that take the package.
        from: Vec<String>,
    },
    /// The machine is at or above the floor of an enablement package.
    AtFloor {
        /// The machine's build.
        at: Build,
        /// The floor.
        floor: Build,
    },
    /// A cumulative update brings the floor before an enablement package.
    FloorFirst {
        /// The package.
        kb: Kb,
        /// The floor.
        floor: Build,
        /// The machine's build, if it is known.
        at: Option<Build>,
        /// The cumulative update.
        update: Kb,
        /// The build that the update brings, if it is known.
        brings: Option<Build>,
    },
}

impl Statement {
    /// Returns `true` if the statement is also the advice of the answer.
    pub(super) fn is_advice(&self) -> bool {
        matches!(self, Self::Advice(_) | Self::Has(_, Proof::Installed | Proof::AwaitsRestart { .. }))
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Advice(advice) => formatter.write_str(advice),
            Self::Has(kb, proof) => write_proof(*kb, *proof, formatter),
            Self::Is { kb, kind, products, architecture } => {
                let architecture = architecture.map_or("unknown architecture", Architecture::as_str);
                write!(formatter, "{kb} is {} for {} ({architecture})", noun(*kind), products.join(" and "))
            }
            Self::ForFamily { kb, build, family } => {
                write!(formatter, "build {build} is {family}, and {kb} is for this family")
            }
            Self::RightPlace(kb, place) => write_place(*kb, *place, formatter),
            Self::NotWithdrawn(kb) => write!(formatter, "{kb} is not known to be withdrawn"),
            Self::WithdrawnAccepted { kb, why } => {
                write!(formatter, "{kb} is withdrawn ({why}), and the request accepts it")
            }
            Self::UnknownBuild => {
                formatter.write_str("the machine's build is unknown: each step states when it is needed")
            }
            Self::Below { kb, at, target } => {
                let brings = Build::new(at.number, target.revision);
                write!(formatter, "{at} is below {brings}")?;
                if brings != *target {
                    write!(formatter, " ({target} in the numbering of its family)")?;
                }
                write!(formatter, ", which {kb} brings")
            }
            Self::AppliedAgain { kb, at } => {
                write!(
                    formatter,
                    "{at} is the build of {kb}: features are being added to the image, so {kb} is applied again"
                )
            }
            Self::StackInstalled { stack, kb } => {
                write!(formatter, "the installed servicing stack {stack} is sufficient for {kb}")
            }
            Self::Chosen { kb, what, family, policy, as_of } => write!(
                formatter,
                "{kb} is the newest {what} for {family} that the policy {} allows as of {as_of}",
                policy.as_str()
            ),
            Self::Switches { kb, release, from } => {
                write!(formatter, "{kb} switches {release} on and is for {}", from.join(" or "))
            }
            Self::AtFloor { at, floor } => write!(formatter, "{at} is at or above the floor {floor}"),
            Self::FloorFirst { kb, floor, at, update, brings } => {
                let brings = brings.map_or_else(|| "the floor".to_owned(), |build| build.to_string());
                let at = at.map_or_else(String::new, |at| format!(", {at} is lower"));
                write!(formatter, "{kb} needs {floor} or later{at}, and {update} brings {brings}")
            }
            Self::BeforeExtendedSecurity { .. }
            | Self::PreparationStated(_)
            | Self::PreparedBy { .. }
            | Self::LongTerm { .. } => write_extended_security(self, formatter),
        }
    }
}

fn write_proof(kb: Kb, proof: Proof, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    match proof {
        Proof::Installed => write!(formatter, "{kb} is installed"),
        Proof::AwaitsRestart { at, target } => {
            write!(formatter, "{kb} is installed and {at} is still below {target}: restart the machine")
        }
        Proof::AtBuild { at, target } => {
            write!(formatter, "{kb} brings {target}, and the machine is at {at}")
        }
    }
}

fn write_place(kb: Kb, place: Place, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let way = match place {
        Place::Online => "onto a running machine",
        Place::Image => "into install.wim",
        Place::Winpe => "into boot.wim",
        Place::Winre => "into winre.wim",
        Place::Media => "over \\sources of media",
        Place::Mirror => {
            return formatter.write_str("a mirror keeps the complete set for any machine");
        }
    };
    write!(formatter, "{kb} goes {way}, which is the requested place")
}

fn write_extended_security(statement: &Statement, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    match statement {
        Statement::BeforeExtendedSecurity { kb, month, family, from } => write!(
            formatter,
            "Extended Security Updates of {family} begin with {from}, and {kb} is of {month}"
        ),
        Statement::PreparationStated(family) => {
            write!(
                formatter,
                "the request states that the machine is prepared for Extended Security Updates of {family}"
            )
        }
        Statement::PreparedBy { kb, family } => {
            write!(formatter, "the installed {kb} prepares for Extended Security Updates of {family}")
        }
        Statement::LongTerm { name, until } => {
            write!(formatter, "{name} is supported until {until} and does not need Extended Security Updates")
        }
        _ => Ok(()),
    }
}

/// Returns the noun for an update of a kind.
fn noun(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Lcu) => "a cumulative update",
        Some(Kind::LcuPreview) => "a preview of the next cumulative update",
        Some(Kind::DynamicCu) => "the copy of a cumulative update for Windows Setup",
        Some(Kind::DotnetCu) => "a cumulative update of .NET Framework",
        Some(Kind::DotnetPreview) => "a preview of the next cumulative update of .NET Framework",
        Some(Kind::DotnetFeature) => ".NET Framework itself",
        Some(Kind::Ssu) => "a servicing stack",
        Some(Kind::SafeosDu) => "a Safe OS dynamic update",
        Some(Kind::SetupDu) => "a Setup dynamic update",
        Some(Kind::Enablement) => "an enablement package",
        Some(Kind::EsuLicensing) => "a preparation for Extended Security Updates",
        Some(Kind::MonthlyRollup) => "a monthly rollup",
        Some(Kind::SecurityOnly) => "a security-only update",
        _ => "an update",
    }
}
