//! The steps of a repair, with and without the Catalog.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::foreign::move_foreign;
use super::missing::{MissingFile, missing_files};
use super::sources::{expect_folder, restore_from, restored_file};
use crate::clock::Time;
use crate::crawl::{Failure, JobOutcome, RunJob, Session};
use crate::disk;
use crate::documents::{
    FailedItem, MovedPath, RepairDocument, RestoredFile, SkippedFile, VerifyFinding, VerifyReport,
};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Events;
use crate::exit_code::ExitCode;
use crate::fetch::redownload;
use crate::mirror::{Access, Mirror, RunInfo, WriteAccess};
use crate::servicing::Knowledge;
use crate::update::Kb;

/// The request of a repair.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepairJob {
    /// The KBs to repair; an empty list means the complete mirror.
    pub kbs: Vec<Kb>,
    /// The folders and media from which files are restored, in this order.
    pub from: Vec<Utf8PathBuf>,
    /// `true` to repair the recorded damage without a first verification.
    pub recorded: bool,
}

/// The values that every step of a repair needs.
#[derive(Debug, Clone, Copy)]
struct RepairContext<'a> {
    knowledge: &'a Knowledge,
    now: Time,
    events: &'a Events,
}

/// A repair in progress.
#[derive(Debug, Clone, Default)]
pub struct RepairProgress {
    before: Vec<VerifyFinding>,
    /// The parent folder of the KB folders, the first source of files.
    folders: Utf8PathBuf,
    missing: Vec<MissingFile>,
    restored: Vec<RestoredFile>,
    skipped: Vec<SkippedFile>,
    moved: Vec<MovedPath>,
    failures: Vec<Failure>,
    bytes_downloaded: u64,
}

/// The outcome of a repair.
#[derive(Debug)]
pub struct RepairOutcome {
    /// The document.
    pub document: RepairDocument,
    /// The verification after the repair, or `None` in a dry run.
    pub report: Option<VerifyReport>,
    failures: Vec<Failure>,
    bytes_downloaded: u64,
}

impl RepairJob {
    /// Repairs the findings of [`RepairJob::begin`] without the Catalog.
    pub fn run(
        &self,
        mut repairing: RepairProgress,
        mirror: &mut Mirror<WriteAccess>,
        knowledge: &Knowledge,
        now: Time,
        events: &Events,
    ) -> Result<RepairOutcome> {
        let context = RepairContext { knowledge, now, events };
        self.restore(&mut repairing, Some(&mut *mirror), context)?;
        self.conclude(repairing, mirror, context)
    }

    /// Returns the actions of a repair without taking them. Only the verification records its findings.
    pub fn rehearse(
        &self,
        mut repairing: RepairProgress,
        knowledge: &Knowledge,
        now: Time,
        events: &Events,
    ) -> Result<RepairOutcome> {
        let context = RepairContext { knowledge, now, events };
        self.restore(&mut repairing, None, context)?;
        let findings = repairing.before.clone();
        let is_sound = findings.is_empty() && repairing.missing.is_empty() && repairing.restored.is_empty();
        let mut document = self.document(&repairing, findings, is_sound);
        document.dry_run = true;
        Ok(RepairOutcome { document, report: None, failures: Vec::new(), bytes_downloaded: 0 })
    }

    /// Verifies the mirror and lists the missing files. A damaged index is an error, because a repair relies on
    /// its facts.
    pub fn begin(
        &self,
        mirror: &Mirror<impl Access>,
        knowledge: &Knowledge,
        now: Time,
        events: &Events,
    ) -> Result<RepairProgress> {
        self.from.iter().try_for_each(|source| expect_folder(source))?;
        let before = if self.recorded {
            let of_scope =
                |kb: Option<Kb>| self.kbs.is_empty() || kb.is_some_and(|kb| self.kbs.contains(&kb));
            let recorded = mirror.index().damage()?.into_iter().filter(|damage| of_scope(damage.kb));
            let finding = |damage: crate::mirror::Damage| VerifyFinding {
                path: damage.path,
                kind: damage.kind,
                kbs: damage.kb.into_iter().collect(),
                message: damage.message,
            };
            recorded.map(finding).collect()
        } else {
            mirror.verify(&self.kbs, false, knowledge, now, events)?.findings
        };
        let index = mirror.layout().relative(mirror.layout().index()).to_owned();
        if let Some(finding) = before.iter().find(|finding: &&VerifyFinding| finding.path == index) {
            return Err(Error::new(ErrorKind::Integrity, format!("{index} is damaged: {}", finding.message))
                .hint(
                    "run kbmirror repair --rebuild-index, which keeps the index as evidence and rebuilds it",
                ));
        }
        let (missing, folders) = (missing_files(mirror, &self.kbs)?, mirror.layout().kbs());
        Ok(RepairProgress { before, folders, missing, ..RepairProgress::default() })
    }

    /// Restores files of the pool from the folders of `--from`.
    fn restore(
        &self,
        repairing: &mut RepairProgress,
        mut mirror: Option<&mut Mirror<WriteAccess>>,
        context: RepairContext<'_>,
    ) -> Result<()> {
        let run = RunInfo { command: "repair", now: context.now };
        if let Some(mirror) = mirror.as_deref() {
            repairing.moved = move_foreign(mirror, &repairing.before, &repairing.missing)?;
        }
        // The mirror's own set folders are the nearest source: they may have a copy, or a link to a file that the
        // pool has lost.
        let own = restore_from(
            &repairing.folders,
            &mut repairing.missing,
            mirror.as_deref_mut(),
            run,
            context.events,
        )?;
        repairing.restored.extend(own.restored);
        for source in &self.from {
            let found =
                restore_from(source, &mut repairing.missing, mirror.as_deref_mut(), run, context.events)?;
            repairing.restored.extend(found.restored);
            repairing.skipped.extend(found.skipped);
        }
        Ok(())
    }

    /// Rebuilds folders and views, and verifies the repaired mirror.
    fn conclude(
        &self,
        repairing: RepairProgress,
        mirror: &mut Mirror<WriteAccess>,
        context: RepairContext<'_>,
    ) -> Result<RepairOutcome> {
        let mut republished = Vec::new();
        for set in mirror.rebuild_damaged_folders(context.knowledge, context.now)? {
            republished.push(format!("kb/{}/{}", set.kb, set.folder));
        }
        let mut rewritten: BTreeSet<Utf8PathBuf> = mirror.rewritten_views().iter().cloned().collect();
        rewritten.extend(mirror.refresh_views(context.knowledge)?);
        for path in mirror.writable_files()? {
            disk::set_read_only(&mirror.layout().root().join(path))?;
        }
        mirror.evidence().iter().for_each(|evidence| context.events.warn(evidence.warning()));
        let report = mirror.verify(&self.kbs, false, context.knowledge, context.now, context.events)?;
        let is_sound = report.findings.is_empty() && repairing.missing.is_empty();
        let mut document = self.document(&repairing, report.findings.clone(), is_sound);
        document.republished = republished;
        document.rewritten = rewritten.into_iter().collect();
        let RepairProgress { failures, bytes_downloaded, .. } = repairing;
        Ok(RepairOutcome { document, report: Some(report), failures, bytes_downloaded })
    }

    fn document(
        &self,
        repairing: &RepairProgress,
        findings: Vec<VerifyFinding>,
        is_sound: bool,
    ) -> RepairDocument {
        RepairDocument {
            dry_run: false,
            asked: self.kbs.clone(),
            findings_before: repairing.before.clone(),
            restored: repairing.restored.clone(),
            skipped: repairing.skipped.clone(),
            moved: repairing.moved.clone(),
            republished: Vec::new(),
            rewritten: Vec::new(),
            needed: repairing.missing.iter().map(MissingFile::to_needed_file).collect(),
            failures: repairing.failures.iter().map(Failure::item).collect::<Vec<FailedItem>>(),
            findings,
            sound: is_sound,
        }
    }
}

impl RepairOutcome {
    /// Returns the exit code: 0 only if the verification after the repair has no findings, or if a dry run has
    /// nothing to do.
    pub fn code(&self) -> ExitCode {
        if self.document.sound {
            return ExitCode::OK;
        }
        let kinds: Vec<ErrorKind> = self.failures.iter().map(|failure| failure.kind).collect();
        if kinds.is_empty() {
            ExitCode::INCOMPLETE
        } else {
            ExitCode::of_run(self.document.restored.len(), &kinds)
        }
    }
}

/// A repair that downloads the files that no folder has.
#[derive(Debug, Clone)]
pub struct OnlineRepair {
    /// The request.
    pub job: RepairJob,
    /// The findings of [`RepairJob::begin`].
    pub begun: RepairProgress,
}

impl RunJob for OnlineRepair {
    type Outcome = RepairOutcome;

    async fn work(&self, session: &mut Session) -> Result<RepairOutcome> {
        let Self { job, begun } = self;
        let (knowledge, now, events) = (session.knowledge(), session.now(), session.events().clone());
        let context = RepairContext { knowledge: &knowledge, now, events: &events };
        let mut repairing = begun.clone();
        job.restore(&mut repairing, Some(session.mirror()?), context)?;
        let keys: Vec<_> = repairing.missing.iter().map(|one| one.key).collect();
        let again = redownload(session, &keys).await?;
        repairing.bytes_downloaded = again.bytes_downloaded;
        repairing.failures = again.failures;
        for one in std::mem::take(&mut repairing.missing) {
            if session.mirror()?.has_in_pool(&one.sha256, one.size)? {
                repairing.restored.push(restored_file(&one, "download".to_owned()));
            } else {
                repairing.missing.push(one);
            }
        }
        job.conclude(repairing, session.mirror()?, context)
    }
}

impl JobOutcome for RepairOutcome {
    fn done(&self) -> usize {
        self.document.restored.len()
    }

    fn failures(&self) -> &[Failure] {
        &self.failures
    }

    fn failures_mut(&mut self) -> &mut Vec<Failure> {
        &mut self.failures
    }

    fn bytes_downloaded(&self) -> u64 {
        self.bytes_downloaded
    }

    fn exit_code(&self) -> ExitCode {
        self.code()
    }
}
