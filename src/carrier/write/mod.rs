//! The sending side: from a selection to a medium.
//!
//! The stages of an export are types. `ExportPlan` has the sets; `TargetPlan` is compared with its target;
//! `MediumTree` is the medium as a value; `WriteSummary` and `ReadBack` describe the written medium. Only
//! `MediumTarget` changes a medium.

mod backup;
mod copy;
mod export;
mod exported;
mod found;
mod pages;
mod payload;
mod place;
mod plan;
mod planned;
mod preflight;
mod read_back;
mod removal;
mod retained;
mod selection;
mod sets;
mod target;
mod tree;
mod union;
mod writer;

pub use export::{ExportContext, dry_run, export, lineage_state};
pub use exported::ExportSummary;
pub use found::TargetContent;
pub use place::TargetFolder;
pub use plan::ExportPlan;
pub use selection::ExportRequest;
pub use sets::{ChangedSet, PayloadFile, PayloadSource, PlannedPackageSet};
