//! The integration tests: one binary, so that they link once.

#[path = "../support/mod.rs"]
mod support;

mod air_gap;
mod bad_input;
mod changed_views;
mod corpus;
mod damage;
mod dependencies;
mod documents;
mod every_byte;
mod expiry;
mod facts_catalog;
mod failing_catalog;
mod failing_sticks;
mod forget;
mod freshness;
mod graph;
mod harness;
mod hostile_pages;
mod interrupted_export;
mod journey;
mod key_changes;
mod killed_jobs;
mod knowledge;
mod lineage;
mod lint;
mod main_job;
mod media;
mod migration;
mod misleading_requests;
mod monitoring;
mod named_knowledge;
mod network;
mod neutral;
mod operator;
mod oracle;
#[cfg(unix)]
mod power_cut;
mod products;
mod progress;
#[cfg(unix)]
mod readme;
mod recorded_pages;
mod recorded_runs;
mod repair;
mod resolver_cases;
mod scheduled;
mod schemas;
mod scripts;
mod searching;
mod show;
mod show_catalog;
mod sockets;
mod stacks;
mod staging;
mod sticks;
mod stock_judges;
mod stopping;
mod syncing;
mod terminal;
#[cfg(unix)]
mod texts;
mod titles;
mod transfers;
mod unlisted;
mod untrusted_media;
mod upgrades;
mod verify;
mod why;
mod wine;
