//! The scope of a run: every job that writes the mirror from the Catalog begins and ends here.
//!
//! Every run is concluded, also after an error. The failures of a stop request are reported once, the exit code is
//! computed, and the views are updated. Then the end is recorded in the index, and the job's report is written. A trial
//! (`--dry-run`) leaves no trace.

use super::interruption::report_stop_once;
use super::session::{Failure, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;

/// The options that every job has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// `true` to read everything again, regardless of earlier readings.
    pub refresh: bool,
    /// `true` to leave no trace on the disk.
    pub trial: bool,
}

/// The outcome of a job, as far as the run needs it.
pub trait JobOutcome {
    /// Returns the number of completed items.
    fn done(&self) -> usize;
    /// Returns the failures.
    fn failures(&self) -> &[Failure];
    /// Returns the failures, to be reduced to those that are reported.
    fn failures_mut(&mut self) -> &mut Vec<Failure>;
    /// Returns the payload bytes received over the network.
    fn bytes_downloaded(&self) -> u64;

    /// Returns the exit code from the completed items and the failures.
    fn exit_code(&self) -> ExitCode {
        let kinds: Vec<ErrorKind> = self.failures().iter().map(|failure| failure.kind).collect();
        ExitCode::of_run(self.done(), &kinds)
    }
}

/// A job of a run.
pub trait RunJob {
    /// The outcome of a job that ended without an error.
    type Outcome: JobOutcome;

    /// Executes the job.
    fn work(&self, session: &mut Session) -> impl Future<Output = Result<Self::Outcome>>;

    /// Writes the report of a job that ended without an error. The run is already recorded as finished.
    fn report(&self, _session: &mut Session, _outcome: &mut Self::Outcome, _code: ExitCode) -> Result<()> {
        Ok(())
    }

    /// Writes the report of a job that ended with an error after it had opened the mirror.
    fn report_error(&self, _session: &mut Session, _error: &Error) -> Result<()> {
        Ok(())
    }
}

/// A concluded run.
#[derive(Debug)]
pub struct ConcludedRun<O> {
    /// The session, for the output.
    pub session: Session,
    /// The outcome of the job.
    pub outcome: O,
    /// The exit code.
    pub code: ExitCode,
}

impl Session {
    /// Executes a job and concludes the run, whether the job succeeds or not.
    pub async fn run<J: RunJob>(mut self, job: &J, options: RunOptions) -> Result<ConcludedRun<J::Outcome>> {
        if options.refresh {
            self.refresh();
        }
        if options.trial {
            self.set_trial();
        }
        let mut outcome = match job.work(&mut self).await {
            Ok(outcome) => outcome,
            Err(error) => return Err(self.conclude_failed(job, error)),
        };
        report_stop_once(&self, outcome.failures_mut());
        let code = outcome.exit_code();
        // Both are tried, and the first failure is that of the run.
        let finished = self.finish(code, outcome.bytes_downloaded());
        let reported = job.report(&mut self, &mut outcome, code);
        finished.and(reported)?;
        Ok(ConcludedRun { session: self, outcome, code })
    }

    /// Concludes a run that ended with an error, and returns that error; a failure to record the end becomes a warning.
    /// A mirror that this run does not hold belongs to another process, and so does its report.
    fn conclude_failed<J: RunJob>(&mut self, job: &J, error: Error) -> Error {
        if self.holds_mirror() && !self.is_trial() {
            let steps = [self.finish(error.code(), 0), job.report_error(self, &error)];
            for failure in steps.into_iter().filter_map(Result::err) {
                self.warn(format!("did not record the end of the run: {}", failure.full_message()));
            }
        }
        error
    }
}
