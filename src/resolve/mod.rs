//! The resolver: computes package sets and plans from the facts of the index and the servicing knowledge.
//! Pure.
//!
//! - [`package_sets`] joins updates that have the same files into sets and gives every file its role
//!   (`roles`). A role marks the update, a file that comes before it in a known order, or a file of the entry
//!   whose place nothing proves.
//! - [`resolve()`] answers, with or without a baseline, which files a KB needs, in which order, and why.
//! - [`requirements()`] computes the packages that come before a set. Plans, closures, graphs, and `lint` use
//!   it.
//!
//! Order comes from builds, never from the order of a download dialog, from KB numbers, or from dates. An
//! order that cannot be known is reported as unknown. The Catalog's statements have precedence over
//! knowledge; if the two differ, a warning reports it. Nothing here uses the network: the same input gives
//! the same answer on both sides of the air gap.

mod age;
mod answer;
mod applicability;
mod batch;
mod before;
mod bundle;
mod candidates;
mod condition;
mod context;
mod differences;
mod dot;
mod draft;
mod dynamic;
mod enable;
mod entry_part;
mod esu;
mod fresh;
mod freshness;
mod generations;
mod goal;
mod graph;
mod graph_parts;
mod grounds;
pub mod host;
mod issue;
mod judge;
mod judgement;
#[cfg(test)]
mod knowledge_tests;
mod known;
mod library;
mod machine;
mod machine_families;
mod matching;
mod media_notes;
mod member;
mod newest;
mod one_kb;
mod package_set;
mod place;
mod plan;
mod published;
mod refusal;
mod replaced;
mod request;
mod requirement;
mod requirements;
mod roles;
mod sets;
mod side;
mod stacks;
mod step;
mod steps;
#[cfg(test)]
mod tests;
mod text;
mod undated;
mod versions;
mod why;
mod windows_update;

pub use answer::{Choice, MissingPackage, Plan, Replacement, Status, Step};
pub use batch::{BatchLine, read_line};
pub use before::{ClosureMember, closure};
pub use candidates::is_regular;
pub use condition::Condition;
pub use differences::{Difference, DifferenceKind, differences};
pub use fresh::freshness_of;
pub use freshness::{Freshness, FreshnessIssue};
pub use graph::Graph;
pub use graph_parts::{Edge, EdgeKind, Node, NodeKind, RecordedNeed, RecordedSupersedence, UpdateName};
pub use issue::{Generation, GenerationChoice, Issue};
pub use judgement::{Judgement, Proof, Statement};
pub use known::{knowledge_only_warning, known_sets};
pub use library::{FactsLibrary, Library, layered_sets, newest_of};
pub use machine::Machine;
pub use member::Member;
pub use newest::NewestReleases;
pub use package_set::{FamilyName, PackageSet};
pub use place::Place;
pub use plan::{complete_plan, resolve};
pub use request::{Goal, Policy, Request};
pub use requirement::{Requirement, Rule};
pub use requirements::{families_without_pair, requirements, requirements_of_all};
pub use sets::{package_sets, unlisted_kbs};
pub use side::Side;
pub use stacks::stack_of_titles;
pub use versions::newer_versions;
pub use why::{Reason, why};
