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
use crate::lint::{LintReport, LintRequest, LintStatus, OutsideReason, RecordedSet};
use crate::mirror::{Layout, Mirror, documented_set, layout_around, lint_folder};
use crate::report::{Column, Tone};
use crate::resolve::{Goal, Machine, Place, Request, freshness_of};
use crate::update::count;

/// Runs `lint`: checks if DISM can use the folder as a set.
pub(super) fn run(setup: &Setup, arguments: &LintArgs, output: &mut Output) -> Result<ExitCode> {
    if !disk::is_folder(&arguments.dir)? {
        return Err(Error::usage(format!("{} is not a folder", arguments.dir)));
    }
    let sources = Sources::open(setup)?;
    let knowledge = &sources.knowledge;
    // The mirror in which the folder lies knows its files best.
    let around = match layout_around(&arguments.dir) {
        Some(layout) if sources.mirror.as_ref().is_none_or(|own| !is_same_folder(own.layout(), &layout)) => {
            Mirror::open_if_exists(layout)?
        }
        _ => None,
    };
    let mirror = around.as_ref().or(sources.mirror.as_ref());
    let recorded = match mirror {
        Some(mirror) => mirror.recorded_set_at(&arguments.dir)?,
        None => None,
    };
    let recorded = recorded.or_else(|| documented_set(&arguments.dir));
    let mut request = LintRequest { target: arguments.target, machine: arguments.into(), recorded };
    let is_of_target = |set: &RecordedSet| request.target.is_none_or(|target| target == set.kb);
    if request.recorded.as_ref().is_some_and(is_of_target) && names_no_machine(&request.machine) {
        request.machine.place = Place::Mirror;
    }
    let index = mirror.map(Mirror::index);
    let report = lint_folder(&arguments.dir, arguments.deep, &request, index, knowledge)?;
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

/// Returns `true` if nothing is asked about a machine: the folder is then judged as a set of a mirror.
fn names_no_machine(machine: &Machine) -> bool {
    let asked = Machine { architecture: machine.architecture, ..Machine::default() };
    *machine == Machine { place: machine.place, ..asked } && machine.place == Place::Online
}

/// Returns `true` if both layouts have the same folder.
fn is_same_folder(own: &Layout, other: &Layout) -> bool {
    disk::canonical(own.root()).is_ok_and(|own| own == other.root())
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

/// Prints the limits of the verdict: the updates outside of the folder, the files that are not for DISM, and the
/// checks that were not possible.
fn show_doubts(report: &LintReport, output: &mut Output) {
    if let Some(set) = &report.published_set {
        output.sentence("  ", &format!("compared with the record of the published set {set}"));
    }
    if let Some(target) = report.target.filter(|_| !report.requires.is_empty()) {
        let kbs: Vec<String> = report.requires.iter().map(ToString::to_string).collect();
        let kbs = kbs.join(", ");
        output
            .sentence("  ", &format!("before {target}, some machines need updates of other folders: {kbs}"));
    }
    for outside in &report.not_for_dism {
        let why = match outside.reason {
            OutsideReason::Winre => "DISM installs it into winre.wim only",
            OutsideReason::WindowsSetup => "only Windows Setup takes it",
            _ => "DISM does not take it: it is run or unpacked by itself",
        };
        output.sentence("  ", &format!("{}: {why}", outside.name));
    }
    for doubt in &report.unchecked {
        output.sentence("  ", doubt);
    }
}
