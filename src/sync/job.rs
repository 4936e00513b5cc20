//! The job of `sync`: the scheduled run, and the report that it writes, whatever the outcome.

use super::keep::{keep_error, keep_run};
use super::scheduled::{SyncOutcome, SyncRequest, run_sync};
use crate::crawl::{RunJob, Session};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;

/// The job of `sync`.
#[derive(Debug, Clone)]
pub struct SyncJob {
    /// The request.
    pub request: SyncRequest,
}

impl RunJob for SyncJob {
    type Outcome = SyncOutcome;

    async fn work(&self, session: &mut Session) -> Result<SyncOutcome> {
        run_sync(session, &self.request).await
    }

    fn report(&self, session: &mut Session, outcome: &mut SyncOutcome, code: ExitCode) -> Result<()> {
        keep_run(session, &self.request, outcome, code)
    }

    fn report_error(&self, session: &mut Session, error: &Error) -> Result<()> {
        keep_error(session, error)
    }
}
