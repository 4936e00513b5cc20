//! The sending side: from a selection to a medium.
//!
//! The stages of an export are types. `ExportPlan` has the sets; `Planned` is compared with its target; `Tree` is
//! the medium as a value; `Written` and `ReadBack` describe the written medium. Only `Target` changes a medium.

mod aside;
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

pub use export::{Context, export, lineage, rehearse};
pub use exported::Exported;
pub use found::Found;
pub use place::Place;
pub use plan::ExportPlan;
pub use selection::ExportRequest;
pub use sets::{ChangedSet, Payload, PlannedExport, Source};
