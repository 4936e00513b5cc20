//! The jobs: what `crawl`, `fetch`, and `sync` do, from a KB number or a configuration to the index and to published
//! folders.
//!
//! A [`Session`] is one run: the Catalog, the mirror, what is known, and the time. The mirror is made and locked when
//! there is something to write for the first time, so that a KB that does not exist leaves nothing behind. One
//! failing update, file, or KB does not stop the others; [`Failure`]s are collected and decide the exit code at the end.
//!
//! A scheduled run ([`run_sync`]) is what a [`Config`] says: which rows are wanted is pure (`window`, `select`), fetching is
//! [`run_fetch`]'s, and what is left behind for people and monitoring is written in `keep`, `health`, and `news`.

mod absence;
mod closure;
mod config;
mod crawl;
mod fetch;
mod health;
mod keep;
mod look;
mod monitor;
mod news;
mod plan;
mod revised;
mod schedule;
mod scheduled;
mod select;
mod session;
mod stage;
mod stopped;
mod template;
mod transfers;
mod unlisted;
mod window;
mod words;

pub use config::{Config, Options, Profile};
pub use crawl::{Crawled, sets_of};
pub use fetch::{FetchOutcome, FetchedSet, SetStatus, run_fetch};
pub use health::{HEALTH_FORMAT, Health, LastVerify, ProfileSeen, keep_report, keep_verify_report};
pub use keep::{SYNC_FORMAT, keep_error, keep_run, newest_news, sync_document};
pub use look::{Look, Looked, look_at_kb, look_at_update};
pub use monitor::{Check, Checks, DEFAULT_MAX_AGE, Facts, Filled, Medium, Mirrored, Unfinished, Verdict};
pub use news::{NEWS_FORMAT, News, NewsItem};
pub use plan::{FetchPlan, FetchRequest, LeftOut, PlannedSet};
pub use revised::{OfIndex, Revised, RevisedWhat, revised};
pub use schedule::{Job, cron_line, systemd_units, windows_task};
pub use scheduled::{Outside, Searched, SyncOutcome, SyncRequest, run_sync, why_unwanted};
pub use select::{Candidate, Expected, Listed, Selection, Unwanted, select};
pub use session::{Failure, Session, TransferOptions};
pub use stage::{Linted, StagePlan, Staged};
pub use stopped::told_once;
pub use template::template;
pub use transfers::PARALLEL;
pub use window::{Window, queries};
pub use words::{parse_age, parse_bytes, parse_duration, parse_parallel, parse_stall};
