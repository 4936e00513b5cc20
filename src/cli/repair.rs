//! `repair`: restores damaged files from media and folders, and on the connected side also from the Catalog's servers.
//!
//! The servers are used only if the content of the mirror comes from the origin of this run. An isolated mirror, a
//! run with `--offline`, and a demo without its recording are repaired from `--from` alone.

use super::args::RepairArgs;
use super::output::Output;
use super::setup::Setup;
use crate::clock::Time;
use crate::crawl::RunOptions;
use crate::documents::RepairDocument;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::mirror::{Mirror, quarantine_index, stored_origin};
use crate::repair::{OnlineRepair, RepairJob, RepairOutcome};
use crate::report::Column;
use crate::resolve::Side;
use crate::sync::keep_verify_report;
use crate::update::{count, human_size};

/// Runs `repair`.
pub(super) fn run(setup: &Setup, arguments: &RepairArgs, output: &mut Output) -> Result<ExitCode> {
    if arguments.rebuild_index {
        rebuild_index(setup, output)?;
    }
    let job =
        RepairJob { kbs: arguments.kbs.clone(), from: arguments.from.clone(), recorded: arguments.recorded };
    let (knowledge, now) = (setup.knowledge()?, Time::from(setup.now()));
    let mirror = setup.mirror()?;
    let side = setup.side(Some(&mirror))?;
    let begun = setup.with_progress(|events| job.begin(&mirror, &knowledge, now, events))?;
    let outcome = if arguments.dry_run {
        setup.with_progress(|events| job.rehearse(begun, &knowledge, now, events))?
    } else if side == Side::Connected && setup.origin()? == mirror.origin()? {
        drop(mirror);
        setup.run(&OnlineRepair { job, begun }, RunOptions::default())?.outcome
    } else {
        drop(mirror);
        let mut mirror = setup.mirror_to_write()?;
        setup.with_progress(|events| job.run(begun, &mut mirror, &knowledge, now, events))?
    };
    if let Some(report) = &outcome.report
        && let Err(error) = keep_verify_report(&setup.layout(), report, now)
    {
        output.warn(format!("cannot save the report: {}", error.full_message()));
    }
    let code = outcome.code();
    if output.is_json() {
        output.document(&outcome.document)?;
        return Ok(code);
    }
    show(&outcome, side, output);
    Ok(code)
}

/// Moves the index to `quarantine/` and rebuilds it from `kb/`, `pool/`, and `state.json`.
fn rebuild_index(setup: &Setup, output: &mut Output) -> Result<()> {
    let layout = setup.layout();
    let origin = match stored_origin(&layout)? {
        Some(origin) => origin,
        None => setup.origin()?,
    };
    if let Some(kept) = quarantine_index(&layout, setup.now())? {
        output.note(format!("kept the old index as {kept}"));
    }
    let mirror = Mirror::open_for_writing(layout, &origin, &*setup.knowledge()?, setup.now())?;
    output.note(format!(
        "rebuilt the index from kb/ and pool/: {}",
        count(mirror.rebuilt_sets(), "package set")
    ));
    Ok(())
}

fn show(outcome: &RepairOutcome, side: Side, output: &mut Output) {
    let document = &outcome.document;
    if !document.restored.is_empty() {
        let mut table = output.table([
            Column::file_name("restored"),
            Column::number("size").importance(1),
            Column::sentence("source"),
        ]);
        for file in &document.restored {
            table.row([file.name.clone(), human_size(file.size), file.from.clone()]);
        }
        output.text(table.render());
    }
    for folder in &document.republished {
        output.line(format!("published {folder} again"));
    }
    for path in &document.rewritten {
        output.line(format!("rewrote {path}"));
    }
    for moved in &document.moved {
        output.line(format!("moved {} to {}", moved.path, moved.kept));
    }
    for skipped in &document.skipped {
        output.warn(format!("skipped {}: {}", skipped.path, skipped.reason));
    }
    show_needed(document, side, output);
    for failure in &document.failures {
        output.warn(format!("{}: {}", failure.what, failure.message));
    }
    if outcome.report.is_none() {
        output.line(format!(
            "dry run: {}; {} can be restored from --from, {} cannot; nothing was changed",
            count(document.findings_before.len(), "finding"),
            count(document.restored.len(), "file"),
            document.needed.len()
        ));
        return;
    }
    // Needed files are in the table already.
    let is_needed = |path: &camino::Utf8PathBuf| document.needed.iter().any(|file| file.path == *path);
    for finding in document.findings.iter().filter(|finding| !is_needed(&finding.path)) {
        output.note(format!("still {}: {} ({})", finding.kind.as_str(), finding.path, finding.message));
    }
    output.line(format!(
        "{} before, {} after the repair; {} restored, {} still needed",
        count(document.findings_before.len(), "finding"),
        document.findings.len(),
        count(document.restored.len(), "file"),
        document.needed.len()
    ));
}

fn show_needed(document: &RepairDocument, side: Side, output: &mut Output) {
    if document.needed.is_empty() {
        return;
    }
    let mut table = output.table([
        Column::file_name("needed"),
        Column::number("size").importance(2),
        Column::sentence("kb"),
        Column::new("sha256").importance(1),
    ]);
    for file in &document.needed {
        let kbs: Vec<String> = file.kbs.iter().map(ToString::to_string).collect();
        table.row([file.name.clone(), human_size(file.size), kbs.join(" "), file.sha256.to_string()]);
    }
    output.text(table.render());
    output.note(match side {
        Side::Isolated => {
            "  hint: get a medium with these files from the connected side, and run kbmirror repair --from DIR"
        }
        Side::Connected => "  hint: run kbmirror repair again when the Catalog is reachable, or name a copy with --from DIR",
    });
}
