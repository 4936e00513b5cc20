//! The integration tests: one binary, so that they link once.

#[path = "../support/mod.rs"]
mod support;

mod direction;
mod documents;
mod harness;
mod main_job;
mod recorded_pages;
mod titles;
