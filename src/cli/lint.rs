//! `lint`: checks any folder of packages. A mirror is not required; if one exists, its index helps to identify files.
//! A finding exits 10.

use camino::Utf8Path;

use super::args::LintArgs;
use super::machine_args::expect_fresh;
use super::output::Output;
use super::plan_sources::{Sources, warn_if_stale};
use super::setup::Setup;
use crate::disk;
use crate::documents::LintDocument;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::facts::Facts;
use crate::lint::{LintReport, LintRequest, LintStatus, lint};
use crate::mirror::{facts_of_folder, read_folder};
use crate::report::{Column, Tone};
use crate::resolve::{Goal, Machine, Request, freshness_of};
use crate::update::count;

/// Runs `lint`: checks if DISM can use the folder as a set.
pub(super) fn run(setup: &Setup, arguments: &LintArgs, output: &mut Output) -> Result<ExitCode> {
    if !disk::is_folder(&arguments.dir)? {
        return Err(Error::usage(format!("{} is not a folder", arguments.dir)));
    }
    let folder = read_folder(&arguments.dir, arguments.deep)?;
    let request = LintRequest { target: arguments.target, machine: arguments.into() };
    let sources = Sources::open(setup)?;
    let knowledge = &sources.knowledge;
    let facts = match &sources.mirror {
        Some(mirror) => facts_of_folder(&folder, request.target, mirror.index(), knowledge)?,
        None => Facts::default(),
    };
    let report = lint(&folder, &request, knowledge, &facts);
    let request = request_of(arguments, &report, setup);
    let fresh = sources.with_library(|library| freshness_of(report.target, &request, library, knowledge))?;
    if output.is_json() {
        output.document(&LintDocument { report: &report, fresh: &fresh })?;
    } else {
        show(&arguments.dir, &report, output);
        warn_if_stale(&fresh, &[], output);
    }
    if let Err(error) = expect_fresh(&fresh, arguments.fail_if_older_than) {
        output.note(error.to_string());
        return Ok(ExitCode::UNRESOLVED);
    }
    Ok(match report.status {
        LintStatus::Ok => ExitCode::OK,
        LintStatus::RefuseSet => ExitCode::UNRESOLVED,
    })
}

impl From<&LintArgs> for Machine {
    fn from(arguments: &LintArgs) -> Self {
        Self {
            architecture: arguments.arch,
            baseline: arguments.baseline,
            installation: arguments.installation.map(Into::into),
            place: arguments.place.into(),
            features_on_demand: arguments.fod,
            installed: arguments.installed.clone(),
            ..Self::default()
        }
    }
}

/// Returns the request that asks for the age of the facts behind a report.
fn request_of(arguments: &LintArgs, report: &LintReport, setup: &Setup) -> Request {
    Request {
        as_of: arguments.as_of,
        today: Some(setup.today()),
        machine: arguments.into(),
        ..Request::of(report.target.map_or(Goal::Latest(None), Goal::Kb))
    }
}

fn show(path: &Utf8Path, report: &LintReport, output: &mut Output) {
    let subject = match report.target {
        Some(kb) => format!("{path} (for {kb})"),
        None => path.to_string(),
    };
    if report.status == LintStatus::Ok {
        output.line(format!("{subject}: ok; {}", report.checked));
        show_doubts(report, output);
        return;
    }
    let findings = count(report.findings.len(), "finding");
    output.line(format!("{subject}: do not use this folder with DISM, {findings}"));
    let mut files = output.table([
        Column::number("#"),
        Column::new("finding").tone(Tone::Bad),
        Column::new("kb"),
        Column::file_name("file"),
    ]);
    // Reasons have a separate table: file names leave no room for sentences.
    let mut reasons = output.table([Column::number("#"), Column::sentence("reason")]);
    for (number, finding) in (1..).zip(&report.findings) {
        let number = format!("{number}");
        files.row([
            number.clone(),
            finding.code.to_string(),
            finding.kb.map_or_else(|| "-".to_owned(), |kb| kb.to_string()),
            finding.name.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
        reasons.row([number, finding.message.clone()]);
    }
    output.text(files.render());
    output.text(reasons.render());
    output.line(&report.checked);
    show_doubts(report, output);
}

/// Prints the checks that were not possible: the verdict has less evidence without them.
fn show_doubts(report: &LintReport, output: &mut Output) {
    for doubt in &report.unchecked {
        output.sentence("  ", doubt);
    }
}
