//! `health.json`: how the mirror is, in one small file that a monitoring system may read without this program.
//!
//! Written by every `sync` at its end, however that was, and by a `verify` of the whole mirror; always by whoever holds the
//! lock, and by a rename, so that a reader sees the old state or the new one. A field that is not known is null. A file of a
//! newer format is refused with a sentence.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::select::Expected;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::mirror::{Layout, VerifyReport};
use crate::update::Kb;

/// The format that this program writes.
pub const HEALTH_FORMAT: u32 = 1;

/// The last verification of the whole mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastVerify {
    /// When.
    pub time: String,
    /// How many findings.
    pub findings: usize,
}

/// How the mirror is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Health {
    /// [`HEALTH_FORMAT`].
    pub format: u32,
    /// When a sync ended last, RFC 3339.
    pub last_attempt: Option<String>,
    /// How it ended.
    pub last_exit_code: Option<u8>,
    /// When a sync last ended with everything done.
    pub last_success: Option<String>,
    /// The date of the newest update that is published.
    pub newest_content: Option<String>,
    /// What failed in the last sync.
    pub items_failed: usize,
    /// What the profiles expect and the Catalog does not show.
    pub expected: Vec<Expected>,
    /// KBs that are published here and that Microsoft withdrew.
    pub withdrawn: Vec<Kb>,
    /// KBs that are published here and that the Catalog shows no more.
    pub unlisted: Vec<Kb>,
    /// The last verification.
    pub last_verify: Option<LastVerify>,
    /// The room that is left on the disk.
    pub bytes_free: Option<u64>,
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
                .hint("the next kbmirror sync writes it anew")
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

    /// What is known before it is written anew: nothing, where it is not there or damaged. A newer format stays refused.
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
        self.last_verify = Some(LastVerify { time: report.time.clone(), findings: report.findings.len() });
    }

    /// What is wrong with the mirror's currency; nothing when it is as it should be.
    pub fn complaints(&self, now: Timestamp, max_age: Duration) -> Vec<String> {
        /// Clocks differ; a day is more than that.
        const SKEW: i64 = 86_400;
        let mut complaints = Vec::new();
        match self.last_exit_code {
            None | Some(0) => {}
            Some(13) => {
                complaints.push("the last sync stopped at its budget; running again continues".to_owned());
            }
            Some(130 | 143) => {
                complaints.push("the last sync was stopped; running again continues".to_owned());
            }
            Some(code) => complaints.push(format!(
                "the last sync ended with exit code {code}; its report under runs/ names what failed"
            )),
        }
        let succeeded = self.last_success.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
        match succeeded {
            None => complaints.push("no sync was ever complete".to_owned()),
            Some(time) if time.as_second() > now.as_second() + SKEW => complaints.push(format!(
                "the last complete sync was at {time}, which is in the future: this machine's clock is wrong, and nothing can be said of the age"
            )),
            Some(time) => {
                let age = now.as_second().saturating_sub(time.as_second());
                if u64::try_from(age).is_ok_and(|age| age > max_age.as_secs()) {
                    complaints.push(format!(
                        "the last complete sync is {} days old, and {} are allowed",
                        age / 86_400,
                        max_age.as_secs() / 86_400
                    ));
                }
            }
        }
        complaints
    }
}

/// Writes a document as JSON that people can read too.
pub(super) fn write_json(path: &camino::Utf8Path, document: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(document).map_err(Error::cannot_write_json)?;
    text.push('\n');
    disk::write_atomic(path, text.as_bytes())
}

/// Keeps the report of a run beside the mirror, as `runs/<time>-<what>.json`; gives its path.
pub fn keep_report(
    layout: &Layout,
    what: &str,
    document: &impl Serialize,
    now: Timestamp,
) -> Result<camino::Utf8PathBuf> {
    let path = layout.run_report(now, what);
    write_json(&path, document)?;
    Ok(path)
}

/// Keeps the report of a verification, and notes one of the whole mirror in `health.json` unless another process
/// holds the mirror: that one looks for the report itself.
pub fn keep_verify_report(layout: &Layout, report: &VerifyReport, now: Timestamp) -> Result<()> {
    write_json(&layout.run_report(now, "verify"), report)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn health(success: Option<&str>, code: Option<u8>) -> Health {
        Health { last_success: success.map(str::to_owned), last_exit_code: code, ..Health::default() }
    }

    #[test]
    fn age_failure_and_a_wrong_clock_are_complaints() {
        let now: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        let week = Duration::from_hours(8 * 24);
        let complaints = |health: Health| health.complaints(now, week);
        assert_eq!(complaints(health(Some("2026-11-16T08:00:00Z"), Some(0))), Vec::<String>::new());
        assert!(complaints(health(Some("2026-11-14T08:00:00Z"), Some(0)))[0].contains("9 days old"));
        assert!(complaints(health(Some("2026-11-23T07:00:00Z"), Some(6)))[0].contains("exit code 6"));
        assert!(complaints(health(Some("2026-11-23T07:00:00Z"), Some(13)))[0].contains("budget"));
        assert!(complaints(health(Some("2026-11-23T07:00:00Z"), Some(143)))[0].contains("was stopped"));
        assert!(complaints(health(None, Some(4))).len() == 2);
        assert!(complaints(health(Some("2027-11-23T07:00:00Z"), Some(0)))[0].contains("clock"));
    }
}
