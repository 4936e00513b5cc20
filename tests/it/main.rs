//! The integration tests: one binary, so that they link once.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod broken_off;
mod carry;
mod catalog_of_facts;
mod damage;
mod direction;
mod documents;
mod every_byte;
mod freshness;
mod graph;
mod harness;
mod honest_liars;
mod hostile;
mod ill_catalog;
mod journey;
mod kiosk;
mod knowledge;
mod lint;
mod main_job;
mod network;
mod operator;
mod oracle;
mod progress;
mod recorded_pages;
mod recorded_runs;
mod resolver_cases;
mod scheduled;
mod scripts;
mod searching;
mod show;
mod show_catalog;
mod sockets;
mod staging;
mod stock_judges;
mod stopping;
mod syncing;
mod titles;
mod transfers;
mod unlisted;
mod upgrades;
mod verify;
mod why;
mod wine;
