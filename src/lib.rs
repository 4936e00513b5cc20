//! x
pub mod update;
