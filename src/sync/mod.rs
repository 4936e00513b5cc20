//! The scheduled job: what a configuration wants, and what a run leaves behind for people and for monitoring.
//!
//! A run ([`run_sync`]) is what a [`Config`] says. The wanted rows are pure (`window`, `select`), fetching is
//! [`crate::fetch`]'s, and `keep`, `health`, and `news` write the traces of a run. `monitor` judges the state of a mirror.

mod config;
mod health;
mod keep;
mod monitor;
mod news;
mod schedule;
mod scheduled;
mod select;
mod template;
mod window;

pub use config::{Config, Options, Profile};
pub use health::{HEALTH_FORMAT, Health, LastVerify, ProfileSeen, keep_report, keep_verify_report};
pub use keep::{SYNC_FORMAT, keep_error, keep_run, newest_news, sync_document};
pub use monitor::{Check, Checks, DEFAULT_MAX_AGE, Facts, Filled, Medium, Mirrored, Unfinished, Verdict};
pub use news::{NEWS_FORMAT, News, NewsItem};
pub use schedule::{Job, cron_line, systemd_units, windows_task};
pub use scheduled::{Outside, Searched, SyncOutcome, SyncRequest, run_sync, why_unwanted};
pub use select::{Candidate, Expected, Selection, Unwanted, select};
pub use template::template;
pub use window::{Window, queries};
