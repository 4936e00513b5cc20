//! `health.json`: the state of the mirror in one small file that a monitoring system can read without this program.
//!
//! Every `sync` writes it at its end, whatever the outcome, and so does a `verify` of the complete mirror. The file is
//! written under the lock and renamed into place, so a reader sees the old state or the new state. An unknown field is
//! null. A file in a newer format is refused.

use serde::Serialize;

use crate::clock::Time;
use crate::disk;
use crate::documents::{FindingKind, Health, LastVerify, VerifyReport};
use crate::error::{Error, ErrorKind, Result};
use crate::mirror::{Layout, RunReport};

/// The format that this program writes.
pub const HEALTH_FORMAT: u32 = 1;

impl LastVerify {
    /// Returns the summary of a verification report.
    fn of(report: &VerifyReport) -> Self {
        let foreign = report.findings.iter().filter(|finding| finding.kind == FindingKind::Foreign).count();
        Self {
            time: report.time.clone(),
            findings: report.findings.len(),
            foreign: Some(foreign),
            recorded: report.recorded == Some(true),
        }
    }
}

impl Health {
    /// Reads the file, or returns `None` if it does not exist.
    pub fn read(layout: &Layout) -> Result<Option<Self>> {
        /// The size limit, far above every real file.
        const CAP: u64 = 4 << 20;
        let path = layout.health();
        if !disk::exists(&path) {
            return Ok(None);
        }
        let unreadable = |error: serde_json::Error| {
            Error::new(ErrorKind::Integrity, format!("{path} is damaged"))
                .caused_by(error)
                .hint("remove the file; kbmirror verify writes a new one")
        };
        let value: serde_json::Value =
            serde_json::from_str(&disk::read_text(&path, CAP)?).map_err(unreadable)?;
        let format = value["format"].as_u64().unwrap_or(u64::MAX);
        if format > u64::from(HEALTH_FORMAT) {
            let message =
                format!("{path} has format {format}; this program reads formats up to {HEALTH_FORMAT}");
            return Err(
                Error::usage(message).hint("use the version of kbmirror that wrote it, or a newer one")
            );
        }
        serde_json::from_value(value).map(Some).map_err(unreadable)
    }

    /// Returns the state before the next write, or an empty state if the file is missing or damaged. Refuses a newer
    /// format.
    pub(super) fn before(layout: &Layout) -> Result<Self> {
        match Self::read(layout) {
            Err(error) if error.kind() == ErrorKind::Integrity => Ok(Self::default()),
            other => Ok(other?.unwrap_or_default()),
        }
    }

    /// Replaces the file.
    pub fn write(&self, layout: &Layout) -> Result<()> {
        write_json(&layout.health(), self)
    }

    /// Adds the result of a verification of the complete mirror.
    pub fn note_verify(&mut self, report: &VerifyReport) {
        self.format = HEALTH_FORMAT;
        self.last_verify = Some(LastVerify::of(report));
    }
}

/// Writes a document as indented JSON.
pub(super) fn write_json(path: &camino::Utf8Path, document: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(document).map_err(Error::cannot_write_json)?;
    text.push('\n');
    disk::write_atomic(path, text.as_bytes())
}

/// Writes the report of a verification. A verification of the complete mirror also updates `health.json`, unless
/// another process holds the lock; that process reads the report itself.
pub fn keep_verify_report(layout: &Layout, report: &VerifyReport, now: Time) -> Result<()> {
    write_json(&layout.run_report(now, RunReport::Verify), report)?;
    if !report.asked.is_empty() {
        return Ok(());
    }
    let _lock = match crate::mirror::Lock::acquire(&layout.lock(), &now.to_string()) {
        Err(error) if error.kind() == ErrorKind::Busy => return Ok(()),
        other => other?,
    };
    let mut health = Health::before(layout)?;
    health.note_verify(report);
    health.write(layout)
}
