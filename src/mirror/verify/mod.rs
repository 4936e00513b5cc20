//! Is the mirror what its index says it is? Pool, set folders, `SHA256SUMS`, KB JSON, and index against each other.
//!
//! Nothing is changed, and no lock is taken: a run that writes goes on beside it. What looked wrong at the beginning is
//! looked at once more at the end, and only what is wrong both times is a [`Finding`].
//!
//! Every byte of the pool is read once, two files at a time, with memory that does not grow with their size. A name in a
//! set folder that is the same file as the pool's is not read again; a copy is. What cannot be read, or reads wrongly, is
//! read once more; when it is good then, that is no finding and still a warning: disks and memory do not do so.
//!
//! Findings go by path and kind, so that the same state gives the same report. A mirror that cannot be opened at all, or a
//! KB that is not published, is an error and no report.

mod lanes;
mod read;
mod survey;

use camino::Utf8PathBuf;
use serde::Serialize;

use self::read::{Verdict, read_all};
use self::survey::{Survey, survey};
use super::Mirror;
use super::index::FindingKind;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events};
use crate::update::{Kb, human_size};

/// The format of a verification's report.
pub const VERIFY_FORMAT: u32 = 1;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file or folder, relative to the mirror.
    pub path: Utf8PathBuf,
    /// What is wrong with it.
    pub kind: FindingKind,
    /// The KBs that it is published for.
    pub kbs: Vec<Kb>,
    /// The same for people.
    pub message: String,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// [`VERIFY_FORMAT`].
    pub format: u32,
    /// When, RFC 3339.
    pub time: String,
    /// Only these KBs; none is the whole mirror.
    pub asked: Vec<Kb>,
    /// Whether both digests were compared.
    pub deep: bool,
    /// Files of the pool that were looked at.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Set folders that were looked at.
    pub folders: usize,
    /// KBs that these belong to.
    pub kbs: usize,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What was right in the end and is still no good sign.
    pub warnings: Vec<String>,
    /// What runs that were cut off left; the next run that writes takes care of it.
    pub leftovers: Vec<Utf8PathBuf>,
}

impl VerifyReport {
    /// The evidence as one line.
    pub fn evidence(&self) -> String {
        let count = |number: usize, one: &str, many: &str| match number {
            1 => format!("1 {one}"),
            _ => format!("{number} {many}"),
        };
        format!(
            "verified {}, {} in the pool, {}, {}: {}",
            count(self.files, "file", "files"),
            human_size(self.bytes),
            count(self.folders, "folder", "folders"),
            count(self.kbs, "KB", "KBs"),
            match self.findings.len() {
                0 => "no findings".to_owned(),
                number => count(number, "finding", "findings"),
            }
        )
    }
}

impl Mirror {
    /// Looks at everything, or at what is published of some KBs. `deep` compares SHA-1 too.
    pub fn verify(&self, kbs: &[Kb], deep: bool, time: String, events: &Events) -> Result<VerifyReport> {
        let Survey { readings, mut findings, leftovers, files, bytes, folders, kbs: seen } =
            survey(self, kbs)?;
        if let Some(kb) = kbs.iter().find(|kb| !seen.contains(kb)) {
            return Err(Error::new(ErrorKind::NotFound, format!("nothing is published of {kb}"))
                .hint("kbmirror list tells what is"));
        }
        events.send(Event::Phase(format!("reading {files} files, {}", human_size(bytes))));
        let verdicts = read_all(&readings, deep, events)?;
        let mut warnings = Vec::new();
        for (reading, verdict) in readings.iter().zip(verdicts) {
            let path = self.layout.relative(&reading.path).to_owned();
            let kbs = reading.kbs.iter().copied().collect();
            let finding = |kind, message| Finding { path: path.clone(), kind, kbs, message };
            match verdict {
                Verdict::Good => {}
                Verdict::GoodOnSecondRead(first) => warnings.push(format!(
                    "{path} was good on the second reading only ({first}): look after disk, cable, and memory"
                )),
                Verdict::Size(found) => findings.push(finding(
                    FindingKind::Size,
                    format!("it has {found} bytes and should have {}", reading.size),
                )),
                Verdict::Digest { what, found, stated } => findings.push(finding(
                    FindingKind::Digest,
                    format!("its {what} is {found} and should be {stated}"),
                )),
                Verdict::Unreadable(message) => findings.push(finding(FindingKind::Unreadable, message)),
            }
        }
        if !findings.is_empty() {
            // What a run changed meanwhile was on its way, not wrong. Bytes that were read are never right by themselves
            // later.
            let again = survey(self, kbs)?.findings;
            let was_read = |finding: &Finding| {
                readings.iter().any(|reading| self.layout.relative(&reading.path) == finding.path)
            };
            findings.retain(|finding| was_read(finding) || again.contains(finding));
        }
        findings.sort();
        warnings.sort();
        Ok(VerifyReport {
            format: VERIFY_FORMAT,
            time,
            asked: kbs.to_vec(),
            deep,
            files,
            bytes,
            folders,
            kbs: seen.len(),
            findings,
            warnings,
            leftovers,
        })
    }
}
