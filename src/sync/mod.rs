//! The scheduled job: the updates that a configuration selects, and the files that a run writes for people and for
//! monitoring.
//!
//! A run ([`SyncJob`]) executes a [`Config`]. Selection is pure (`window`, `select`), [`crate::fetch`] downloads, and
//! `keep`, `health`, and `news` write the results of a run. `monitor` judges the state of a mirror.

mod config;
mod health;
mod job;
mod keep;
mod monitor;
mod news;
mod schedule;
mod scheduled;
mod select;
mod template;
mod window;

pub use config::{Config, Profile};
pub use health::{HEALTH_FORMAT, keep_verify_report};
pub use job::SyncJob;
pub use keep::{SYNC_FORMAT, newest_news, sync_document};
pub use monitor::{AppliedMedium, DEFAULT_MAX_AGE, MirroredFamily, MonitorFacts, UnfinishedRun};
pub use news::NEWS_FORMAT;
pub use schedule::{ScheduledCommand, cron_line, systemd_units, windows_task};
pub use scheduled::{SyncOutcome, SyncRequest, exclusion_text};
pub use select::{Candidate, Selection, select};
pub use template::template;
pub use window::{Window, queries};
