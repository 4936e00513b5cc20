//! The integration tests: one binary, so that they link once.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod direction;
mod documents;
mod harness;
mod journey;
mod lint;
mod main_job;
mod recorded_pages;
mod resolver_cases;
mod scheduled;
mod sockets;
mod titles;
mod verify;
