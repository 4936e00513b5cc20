//! The receiving side: the check of a medium, and the import into a mirror.

mod description;
mod examine;
mod healed;
mod import;
mod imported;
mod job;
mod reading;
mod staging;

pub(in crate::carrier) use description::{SetDescription, read_description};
pub use examine::{ExaminedMedium, examine};
pub(in crate::carrier) use examine::{examine_open, hash_tool};
pub use imported::ImportSummary;
pub use job::{CheckJob, ImportJob, ImportOutcome, MediumCheck};
pub(in crate::carrier) use reading::{
    as_medium_error, digest, hash_file, hash_local, read_small, read_text, utf8,
};
