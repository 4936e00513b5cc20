//! The files that a scheduled run writes: its report, the news, and the mirror's health.
//!
//! The files are written under the lock, whatever the outcome. A run that failed before its first request is an
//! attempt, too. A trial run (`--dry-run`) writes nothing. mirror-layout.md describes the formats.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde_json::Value;

use super::config::{Profile, is_monthly_kind};
use super::health::{HEALTH_FORMAT, write_json};
use super::scheduled::{SyncOutcome, SyncRequest};
use super::select::Candidate;
use super::window::Window;
use crate::crawl::{Failure, Session};
use crate::disk;
use crate::documents::{
    FailureHints, FindingKind, Health, LastVerify, News, PlannedDownload, ProfileCandidate, ProfileRecord,
    SetStatus, SyncDocument, SyncErrorDocument, SyncedSet,
};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::fetch::FetchedSet;
use crate::mirror::{Layout, RunReport};
use crate::servicing::ReleaseKind;

/// The format of the report of `sync`.
pub const SYNC_FORMAT: u32 = 1;

/// Returns the report of a run.
pub fn sync_document<'r>(
    session: &'r Session,
    request: &SyncRequest,
    outcome: &'r SyncOutcome,
    code: ExitCode,
) -> SyncDocument<'r> {
    let fetch = &outcome.fetch;
    let count = |status| fetch.sets.iter().filter(|set| set.status == status).count();
    let files = fetch.plan.absent_files();
    SyncDocument {
        format: SYNC_FORMAT,
        command: "sync",
        started: session.now(),
        finished: session.time(),
        today: request.today,
        dry_run: request.dry_run,
        exit_code: code.number(),
        searches: &outcome.searches,
        found: outcome.found.iter().map(|(profile, one)| found_for_profile(profile, one)).collect(),
        sets: fetch.sets.iter().map(synced_set).collect(),
        published: count(SetStatus::Published),
        unchanged: count(SetStatus::Unchanged),
        planned: PlannedDownload {
            files,
            file_count: files,
            bytes: fetch.plan.absent_bytes(),
            bytes_at_most: fetch.plan.absent_bytes_at_most(),
        },
        failures: by_kind(&fetch.failures),
        failure_list: fetch.failures.iter().map(Failure::item).collect(),
        expected: &outcome.expected,
        outside: &outcome.outside,
        withdrawn: &outcome.withdrawn,
        unlisted: &outcome.unlisted,
        news: &outcome.news,
        requests: session.requests(),
        bytes_downloaded: fetch.bytes_downloaded,
        warnings: session.warnings().collect(),
    }
}

fn found_for_profile<'r>(profile: &'r str, one: &'r Candidate) -> ProfileCandidate<'r> {
    ProfileCandidate {
        profile,
        kb: one.kb,
        kind: one.kind,
        month: one.month,
        date: one.date,
        release: release_word(one.release_kind),
        architectures: &one.architectures,
        wanted: one.unwanted.is_none(),
        because: one.unwanted,
    }
}

fn synced_set(set: &FetchedSet) -> SyncedSet<'_> {
    let row = &set.planned.row;
    SyncedSet {
        kb: row.kb,
        architecture: row.architecture,
        family: row.family.as_deref(),
        folder: format!("kb/{}/{}", row.kb, row.folder),
        status: set.status,
        files: row.members.len(),
        file_count: row.members.len(),
        size: row.members.iter().map(|member| member.file.size).sum(),
        needed_by: &set.planned.needed_by,
        error: set.error.as_deref(),
    }
}

fn release_word(release_kind: ReleaseKind) -> &'static str {
    match release_kind {
        ReleaseKind::Regular => "security",
        ReleaseKind::OutOfBand => "oob",
        ReleaseKind::Preview => "preview",
    }
}

fn by_kind(failures: &[Failure]) -> BTreeMap<&'static str, Vec<FailureHints<'_>>> {
    let mut grouped: BTreeMap<&'static str, Vec<FailureHints<'_>>> = BTreeMap::new();
    for Failure { what, kind, message, hints } in failures {
        grouped.entry(kind.as_str()).or_default().push(FailureHints { what, message, hints });
    }
    grouped
}

/// Writes report, news, and health after a run, and removes KBs from the news that the previous run already reported.
pub(super) fn keep_run(
    session: &mut Session,
    request: &SyncRequest,
    outcome: &mut SyncOutcome,
    code: ExitCode,
) -> Result<()> {
    let layout = session.layout().clone();
    let old = Health::before(&layout)?;
    let since = |kbs: &[crate::update::Kb], known: &[crate::update::Kb]| {
        kbs.iter().filter(|kb| !known.contains(kb)).copied().collect()
    };
    outcome.news.withdrawn = since(&outcome.withdrawn, &old.withdrawn);
    outcome.news.unlisted = since(&outcome.unlisted, &old.unlisted);
    if request.dry_run {
        return Ok(());
    }
    let document = sync_document(session, request, outcome, code);
    let (started, now) = (session.now(), session.time());
    write_json(&layout.run_report(started, RunReport::Sync), &document)?;
    if !outcome.news.is_empty() {
        write_json(&layout.run_report(started, RunReport::News), &outcome.news)?;
    }
    let time = now.to_string();
    let last_verify = newest_verify(&layout)?.or(old.last_verify);
    let health = Health {
        format: HEALTH_FORMAT,
        last_success: if code == ExitCode::OK { Some(time.clone()) } else { old.last_success },
        last_attempt: Some(time),
        last_exit_code: Some(code.number()),
        newest_content: session.mirror()?.index().newest_published()?.map(|day| day.to_string()),
        items_failed: outcome.news.failed.len(),
        expected: outcome.expected.clone(),
        withdrawn: outcome.withdrawn.clone(),
        unlisted: outcome.unlisted.clone(),
        last_verify,
        bytes_free: disk::available_space(layout.root()).ok(),
        last_today: if code == ExitCode::OK { Some(request.today) } else { old.last_today },
        profiles: profiles_seen(request, outcome, &old.profiles),
    };
    health.write(&layout)
}

/// Returns the matches of each profile. If the search for a profile was incomplete, its previous matches are kept.
fn profiles_seen(
    request: &SyncRequest,
    outcome: &SyncOutcome,
    before: &[ProfileRecord],
) -> Vec<ProfileRecord> {
    let seen = |profile: &Profile| {
        let mut searches = outcome.searches.iter().filter(|search| search.profile == profile.name).peekable();
        let is_complete = searches.peek().is_some() && searches.all(|search| search.complete);
        let window = Window::back(request.today, profile.months).filter(|_| is_complete);
        let Some(window) = window else {
            return before.iter().find(|seen| seen.name == profile.name).cloned();
        };
        let wanted = || {
            let of_profile = outcome.found.iter().filter(|(name, _)| *name == profile.name);
            of_profile.map(|(_, one)| one).filter(|one| one.unwanted.is_none())
        };
        Some(ProfileRecord {
            name: profile.name.clone(),
            family: profile.family.folder.clone(),
            today: request.today,
            first: window.first,
            wanted: wanted().count(),
            newest: wanted().filter(|one| is_monthly_kind(one.kind)).map(|one| one.month).max(),
        })
    };
    request.profiles.iter().filter_map(seen).collect()
}

/// Writes report and health after a run that ended with an error.
pub(super) fn keep_error(session: &mut Session, error: &Error) -> Result<()> {
    let layout = session.layout().clone();
    let (started, now) = (session.now(), session.time());
    let time = now.to_string();
    let document = SyncErrorDocument {
        format: SYNC_FORMAT,
        command: "sync",
        started: session.now(),
        finished: now,
        exit_code: error.code().number(),
        error: error.into(),
    };
    write_json(&layout.run_report(started, RunReport::Sync), &document)?;
    let mut health = Health::before(&layout)?;
    health.format = HEALTH_FORMAT;
    health.last_attempt = Some(time);
    health.last_exit_code = Some(error.code().number());
    health.items_failed = 1;
    health.bytes_free = disk::available_space(layout.root()).ok();
    health.write(&layout)
}

/// Returns the newest report of a kind under `runs/`, or `None` if none exists. File names sort by time.
fn newest_report(layout: &Layout, report: RunReport) -> Result<Option<Utf8PathBuf>> {
    let end = format!("-{}.json", report.as_str());
    let names = disk::list(&layout.runs())?;
    Ok(names.into_iter().rfind(|name| name.ends_with(&end)).map(|name| layout.runs().join(name)))
}

fn read_report(path: &camino::Utf8Path) -> Result<Value> {
    /// The size limit. The report of a run over all families has a few hundred KB.
    const CAP: u64 = 64 << 20;
    serde_json::from_str(&disk::read_text(path, CAP)?)
        .map_err(|error| Error::usage(format!("{path} cannot be read")).caused_by(error))
}

/// Returns the summary of the newest verification, or `None` if it was not of the complete mirror.
fn newest_verify(layout: &Layout) -> Result<Option<LastVerify>> {
    let Some(path) = newest_report(layout, RunReport::Verify)? else { return Ok(None) };
    let report = read_report(&path)?;
    let is_complete = report["asked"].as_array().is_some_and(Vec::is_empty);
    let all = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let foreign = all.iter().filter(|finding| finding["kind"] == FindingKind::Foreign.as_str()).count();
    let time = report["time"].as_str().map(str::to_owned);
    Ok(time.filter(|_| is_complete).map(|time| LastVerify {
        time,
        findings: all.len(),
        foreign: Some(foreign),
        recorded: report["recorded"] == true,
    }))
}

/// Returns the news of the newest run with news, or `None` if no run had any.
pub fn newest_news(layout: &Layout) -> Result<Option<News>> {
    let Some(path) = newest_report(layout, RunReport::News)? else { return Ok(None) };
    serde_json::from_value(read_report(&path)?)
        .map(Some)
        .map_err(|error| Error::usage(format!("{path} cannot be read")).caused_by(error))
}
