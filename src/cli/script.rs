//! `script`: writes the install script of a plan, the same as beside its set folder, or the script that collects the
//! facts of a machine.

use super::args::ScriptArgs;
use super::output::Output;
use super::plan_sources::{Sources, warn_if_stale};
use super::setup::Setup;
use crate::disk;
use crate::documents::ScriptDocument;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::facts::PlainName;
use crate::mirror::REPLAY;
use crate::resolve::{Place, Plan, Status, Step};
use crate::script::{FileLocations, NoScript, ScriptTarget, collect_script, install_script, script_job};
use crate::update::Kb;

/// Runs `script`: prints a script or writes it into a file.
pub(super) fn run(setup: &Setup, arguments: &ScriptArgs, output: &mut Output) -> Result<ExitCode> {
    let (text, plan) = if arguments.collect {
        (collect_script(), None)
    } else {
        let sources = Sources::open(setup)?;
        let request = arguments.goal.request(&arguments.machine)?;
        let plan = sources.plan(&request, setup)?;
        if plan.status != Status::Install {
            output.error(&no_steps_error(&plan));
            return Ok(ExitCode::UNRESOLVED);
        }
        arguments.goal.expect_fresh(&plan.freshness)?;
        (script_text(&plan, request.machine.place, &sources)?, Some(plan))
    };
    if let Some(path) = &arguments.to {
        disk::write_named(path, text.as_bytes())?;
        output.note(format!("wrote {path}"));
    }
    if output.is_json() {
        output.document(&ScriptDocument::of(&text, plan.as_ref(), arguments.to.clone()))?;
    } else if arguments.to.is_none() {
        output.text(text);
    }
    if let Some(plan) = &plan {
        warn_if_stale(&plan.freshness, &plan.warnings, output);
    }
    for warning in plan.iter().flat_map(|plan| &plan.warnings) {
        output.warn(warning);
    }
    Ok(ExitCode::OK)
}

/// Returns the error of a command that needs steps, for a request without steps.
pub(super) fn no_steps_error(plan: &Plan) -> Error {
    // Some answers have no advice. The last judgement is their reason.
    let reason = plan.judgements.last().filter(|_| plan.advice.is_none());
    let message = match reason {
        Some(reason) => format!("{}: {}", plan.headline(), reason.statement),
        None => plan.headline(),
    };
    let error = Error::new(ErrorKind::Unresolved, message);
    let error = plan.advice.iter().fold(error, |error, advice| error.hint(advice.clone()));
    plan.successor.iter().fold(error, |error, kb| error.hint(format!("use {kb} instead")))
}

/// Returns the script of a plan for a place, or fails with the reason why the plan has none.
fn script_text(plan: &Plan, place: Place, sources: &Sources) -> Result<String> {
    let is_demo = match &sources.mirror {
        Some(mirror) => mirror.origin()? == REPLAY,
        None => false,
    };
    let target = ScriptTarget::of_place(place);
    let planned = PlannedPlaces { kb: plan.kb, plan };
    let made = match (&sources.mirror, plan.kb) {
        (Some(mirror), Some(kb)) => {
            let places = PublishedOrPlanned(&mirror.places(kb, &plan.steps)?, planned);
            script_job(plan, target, &sources.knowledge, is_demo, &places)
        }
        _ => script_job(plan, target, &sources.knowledge, is_demo, &planned),
    };
    made.map(|job| install_script(&job)).map_err(|reason| no_script_error(plan, place, &reason))
}

/// Returns the error for a plan that no script can carry out, with the way to install it.
fn no_script_error(plan: &Plan, place: Place, reason: &NoScript) -> Error {
    let kb = plan.kb.map_or_else(|| "the plan".to_owned(), |kb| kb.to_string());
    let error =
        Error::new(ErrorKind::Unresolved, format!("cannot write an install script for {kb}: {reason}"));
    match (place, reason) {
        (Place::Media, _) => {
            let advice = plan.advice.iter().cloned();
            advice.fold(error, Error::hint)
        }
        (Place::Mirror, _) => error.hint("pass --for online, image, winpe, or winre"),
        (_, NoScript::OrderUnknown { .. }) => error
            .hint("read the articles of the KBs in the file names, then install the files one by one")
            .hint("run kbmirror stage to put all of them into a folder"),
        (_, NoScript::WrongPlace { .. }) => error.hint(format!("run kbmirror resolve {kb} to see its place")),
        _ => error.hint(format!(
            "run kbmirror show {kb} and look for a file without a name, or one that DISM cannot install"
        )),
    }
}

/// The places of the files in a mirror, from the plan alone.
struct PlannedPlaces<'p> {
    kb: Option<Kb>,
    plan: &'p Plan,
}

impl FileLocations for PlannedPlaces<'_> {
    fn path(&self, step: &Step) -> Option<String> {
        let ((kb, folder), name) = (step.set.as_ref()?, PlainName::of(step.name.as_deref()?).ok()?);
        let up = if Some(*kb) == self.kb { String::new() } else { format!("..\\{kb}\\") };
        Some(format!("{up}{folder}\\{name}"))
    }

    fn folder_names(&self, step: &Step) -> Vec<String> {
        let beside = self.plan.steps.iter().filter(|other| other.set == step.set);
        let names = beside.filter_map(|other| PlainName::of(other.name.as_deref()?).ok());
        names.map(|name| name.to_string()).collect()
    }
}

/// The published place of a file, else its place after a `fetch`.
struct PublishedOrPlanned<'p, P>(&'p P, PlannedPlaces<'p>);

impl<P: FileLocations> FileLocations for PublishedOrPlanned<'_, P> {
    fn path(&self, step: &Step) -> Option<String> {
        self.0.path(step).or_else(|| self.1.path(step))
    }

    fn folder_names(&self, step: &Step) -> Vec<String> {
        let names = self.0.folder_names(step);
        if names.is_empty() { self.1.folder_names(step) } else { names }
    }
}
