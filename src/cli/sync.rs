//! `sync`: a scheduled run, its table, and its document, which is also the report in `runs/`.

use std::collections::BTreeSet;

use super::args::SyncArgs;
use super::fetch::show_set;
use super::output::Output;
use super::setup::Setup;
use crate::crawl::{ConcludedRun, RunOptions, Session};
use crate::documents::SetStatus;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::report::Column;
use crate::sync::{Config, SyncJob, SyncOutcome, SyncRequest, exclusion_text, sync_document};
use crate::update::human_size;

/// Runs `sync`: updates the mirror by its configuration.
pub(super) fn run(setup: &Setup, arguments: &SyncArgs, output: &mut Output) -> Result<ExitCode> {
    let job = SyncJob { request: request(setup, arguments)? };
    let options = RunOptions { refresh: arguments.refresh, trial: arguments.dry_run };
    let ConcludedRun { mut session, outcome, code } = setup.run(&job, options)?;
    let request = &job.request;
    if output.is_json() {
        output.document(&sync_document(&session, request, &outcome, code))?;
        output.failures(&outcome.fetch.failures);
    } else {
        show(&mut session, request, &outcome, output)?;
    }
    Ok(code)
}

fn request(setup: &Setup, arguments: &SyncArgs) -> Result<SyncRequest> {
    let Some(config) = &setup.settings().config else {
        let message = format!("{} does not exist", setup.layout().config());
        return Err(
            Error::usage(message).hint("run kbmirror init, or name a configuration with --config FILE")
        );
    };
    let profiles = config.profiles(&*setup.knowledge()?)?;
    if profiles.is_empty() && config.kbs.is_empty() {
        return Err(Error::usage(format!("{} has no profile and no KB", config.path()))
            .hint("add a [[profile]] or kbs = [\"KB…\"] to the file"));
    }
    let Config { kbs, architectures, .. } = config;
    Ok(SyncRequest {
        profiles,
        kbs: kbs.clone(),
        architectures: architectures.clone(),
        today: arguments.as_of.unwrap_or_else(|| setup.today()),
        dry_run: arguments.dry_run,
        max_bytes: arguments.max_bytes,
    })
}

fn show(
    session: &mut Session,
    request: &SyncRequest,
    outcome: &SyncOutcome,
    output: &mut Output,
) -> Result<()> {
    if !outcome.found.is_empty() {
        let mut table = output.table([
            Column::new("profile").importance(1),
            Column::new("kb"),
            Column::new("month"),
            Column::new("released").importance(2),
            Column::sentence("arch"),
            Column::sentence("status").status(),
        ]);
        for (profile, one) in &outcome.found {
            let architectures: Vec<&str> = one.architectures.iter().map(|own| own.as_str()).collect();
            table.row([
                profile.clone(),
                one.kb.to_string(),
                one.month.to_string(),
                one.date.to_string(),
                architectures.join(" "),
                exclusion_text(one).to_owned(),
            ]);
        }
        output.text(table.render());
        output.line("");
    }
    // Unchanged sets are not printed.
    for set in outcome.fetch.sets.iter().filter(|set| set.status != SetStatus::Unchanged) {
        show_set(&set.document(session.mirror()?)?, output);
    }
    if !request.dry_run && !outcome.news.is_empty() {
        output.line("News:");
        for line in outcome.news.lines() {
            output.line(format!("  {line}"));
        }
        output.line("");
    }
    let expected: BTreeSet<&str> = outcome.expected.iter().map(|one| one.message.as_str()).collect();
    for message in expected {
        output.line(format!("expected: {message}"));
    }
    for one in &outcome.outside {
        output.line(format!("outside the window, kept: {} ({})", one.folder, one.month));
    }
    let count = |status| outcome.fetch.sets.iter().filter(|set| set.status == status).count();
    let requests = session.requests();
    if request.dry_run {
        output.line(format!("{} ({})", outcome.fetch.plan, crate::update::count(requests, "request")));
    } else {
        output.line(format!(
            "{} published, {} unchanged, {} failed; {} downloaded, {}",
            count(SetStatus::Published),
            count(SetStatus::Unchanged),
            count(SetStatus::Failed),
            human_size(outcome.fetch.bytes_downloaded),
            crate::update::count(requests, "request")
        ));
    }
    output.failures(&outcome.fetch.failures);
    if outcome
        .fetch
        .failures
        .iter()
        .any(|failure| failure.kind != ErrorKind::Budget && !failure.kind.is_stop())
        && !request.dry_run
    {
        output.note("complete sets were published; the next sync continues with the rest");
    }
    Ok(())
}
