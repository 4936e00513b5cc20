//! `health.json`: how the mirror is, in one small file that a monitoring system may read without this program.
//!
//! Written by every `sync` at its end, however that was, and by a `verify` of the whole mirror; always under the
//! lock, and by a rename, so that a reader sees the old state or the new one. A field that is not known is null. A file of a
//! newer format is refused with a sentence.

use serde::Serialize;

use crate::clock::Time;
use crate::disk;
use crate::documents::{FindingKind, Health, LastVerify, VerifyReport};
use crate::error::{Error, ErrorKind, Result};
use crate::mirror::{Layout, RunReport};

/// The format that this program writes.
pub const HEALTH_FORMAT: u32 = 1;

impl LastVerify {
    /// Returns the summary of a report.
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
    /// Reads it; `None` when there is none.
    pub fn read(layout: &Layout) -> Result<Option<Self>> {
        /// Far more than it ever has.
        const CAP: u64 = 4 << 20;
        let path = layout.health();
        if !disk::exists(&path) {
            return Ok(None);
        }
        let unreadable = |error: serde_json::Error| {
            Error::new(ErrorKind::Integrity, format!("{path} is damaged"))
                .caused_by(error)
                .hint("remove it: kbmirror verify writes it anew")
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

    /// Returns what is known before it is written anew: nothing where it is missing or damaged. A newer format is refused.
    pub(super) fn before(layout: &Layout) -> Result<Self> {
        match Self::read(layout) {
            Err(error) if error.kind() == ErrorKind::Integrity => Ok(Self::default()),
            other => Ok(other?.unwrap_or_default()),
        }
    }

    /// Writes it in place of the old one.
    pub fn write(&self, layout: &Layout) -> Result<()> {
        write_json(&layout.health(), self)
    }

    /// With a verification of the whole mirror.
    pub fn note_verify(&mut self, report: &VerifyReport) {
        self.format = HEALTH_FORMAT;
        self.last_verify = Some(LastVerify::of(report));
    }
}

/// Writes a document as JSON that people can read too.
pub(super) fn write_json(path: &camino::Utf8Path, document: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(document).map_err(Error::cannot_write_json)?;
    text.push('\n');
    disk::write_atomic(path, text.as_bytes())
}

/// Keeps the report of a verification, and notes one of the whole mirror in `health.json` unless another process
/// holds the mirror: that one looks for the report itself.
pub fn keep_verify_report(layout: &Layout, report: &VerifyReport, now: Time) -> Result<()> {
    write_json(&layout.run_report(now, RunReport::Verify), report)?;
    if !report.asked.is_empty() {
        return Ok(());
    }
    let _lock = match crate::mirror::Lock::take(&layout.lock(), &now.to_string()) {
        Err(error) if error.kind() == ErrorKind::Busy => return Ok(()),
        other => other?,
    };
    let mut health = Health::before(layout)?;
    health.note_verify(report);
    health.write(layout)
}
