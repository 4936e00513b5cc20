//! The report of a command about a medium, written to `runs/` of the mirror as evidence of the check.

use camino::Utf8Path;
use jiff::Timestamp;
use serde::Serialize;

use crate::clock::Time;
use crate::disk;
use crate::documents::{ErrorBody, MediumReport};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::mirror::{Layout, RunReport};

/// The format of the reports about media.
const REPORT_FORMAT: u32 = 1;

/// Writes the outcome of a command about a medium to `runs/<time>-<report>.json`. Writes nothing if the mirror does
/// not exist.
pub fn keep_report<T: Serialize>(
    layout: &Layout,
    report: RunReport,
    medium: &Utf8Path,
    outcome: std::result::Result<T, &Error>,
    now: Timestamp,
) -> Result<()> {
    if !disk::exists(layout.index()) {
        return Ok(());
    }
    let (code, done, error) = match outcome {
        Ok(document) => (ExitCode::OK, Some(document), None),
        Err(error) => (error.code(), None, Some(ErrorBody::from(error))),
    };
    let now = Time::from(now);
    let document = MediumReport {
        format: REPORT_FORMAT,
        command: report.as_str(),
        medium,
        tool: format!("kbmirror {}", env!("CARGO_PKG_VERSION")),
        time: now.to_string(),
        exit_code: code.number(),
        done,
        error,
    };
    let mut text = serde_json::to_string_pretty(&document).map_err(Error::cannot_write_json)?;
    text.push('\n');
    disk::write_atomic(&layout.run_report(now, report), text.as_bytes())
}
