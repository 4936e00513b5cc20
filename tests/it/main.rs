//! The integration tests: one binary, so that they link once.

#[path = "../support/mod.rs"]
mod support;

mod air_gap;
mod bad_input;
mod changed_views;
mod corpus;
mod custom_knowledge;
mod damage;
mod dependencies;
mod documents;
mod escaping;
mod every_byte;
mod expiry;
mod external_tools;
mod facts_catalog;
mod failing_catalog;
mod failing_sticks;
mod forget;
mod freshness;
mod graph;
mod harness;
mod hostile_pages;
mod inspect;
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
mod network;
mod operator;
mod oracle;
#[cfg(unix)]
mod power_cut;
mod products;
mod progress;
mod published;
#[cfg(unix)]
mod readme;
mod recorded_pages;
mod recorded_runs;
mod repair;
mod report_worlds;
mod resolver_cases;
mod scheduled;
mod schemas;
mod script_places;
mod scripts;
mod search;
mod show;
mod show_catalog;
mod sockets;
mod stacks;
mod stage;
mod status;
mod sticks;
mod stop_requests;
mod sync;
mod terminal;
#[cfg(unix)]
mod texts;
mod titles;
mod transfers;
mod unknown_windows;
mod unlisted;
mod untrusted_media;
mod upgrades;
mod verify;
mod why;
mod wine;
