//! The integration tests: one binary, so that they link once.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod direction;
mod documents;
mod graph;
mod harness;
mod knowledge;
mod main_job;
mod recorded_pages;
mod resolver_cases;
mod show;
mod sockets;
mod titles;
mod why;
