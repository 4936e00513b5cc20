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
use crate::script::{FileLocations, ScriptTarget, collect_script, install_script, script_job};
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
        let form = script_target(request.machine.place)?;
        (script_text(&plan, form, &sources)?, Some(plan))
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
    let error = Error::new(ErrorKind::Unresolved, plan.headline());
    let error = plan.advice.iter().fold(error, |error, advice| error.hint(advice.clone()));
    plan.successor.iter().fold(error, |error, kb| error.hint(format!("use {kb} instead")))
}

/// Returns the target of the script for a place.
pub(super) fn script_target(place: Place) -> Result<ScriptTarget> {
    match place {
        Place::Online | Place::Mirror => Ok(ScriptTarget::Online),
        Place::Image | Place::Winpe | Place::Winre => Ok(ScriptTarget::Image),
        Place::Media => Err(Error::new(
            ErrorKind::Unresolved,
            "setup files of media cannot be installed with a script: expand the .cab into \\sources",
        )
        .hint("run expand.exe UPDATE.cab -F:* MEDIA\\sources")),
    }
}

fn script_text(plan: &Plan, form: ScriptTarget, sources: &Sources) -> Result<String> {
    let Some(kb) = plan.kb else {
        return Err(Error::new(ErrorKind::Unresolved, "the plan has no KB to install"));
    };
    let is_demo = match &sources.mirror {
        Some(mirror) => mirror.origin()? == REPLAY,
        None => false,
    };
    let made = match &sources.mirror {
        Some(mirror) => {
            let places = mirror.places(kb, &plan.steps)?;
            script_job(
                plan,
                form,
                &sources.knowledge,
                is_demo,
                &PublishedOrPlanned(&places, PlannedPlaces { kb, plan }),
            )
        }
        None => script_job(plan, form, &sources.knowledge, is_demo, &PlannedPlaces { kb, plan }),
    };
    made.map(|job| install_script(&job)).ok_or_else(|| {
        Error::new(ErrorKind::Unresolved, format!("cannot write an install script for {kb}")).hint(format!(
            "run kbmirror show {kb} and look for a file without a name, or one that DISM cannot install"
        ))
    })
}

/// The places of the files in a mirror, from the plan alone.
struct PlannedPlaces<'p> {
    kb: Kb,
    plan: &'p Plan,
}

impl FileLocations for PlannedPlaces<'_> {
    fn path(&self, step: &Step) -> Option<String> {
        let ((kb, folder), name) = (step.set.as_ref()?, PlainName::of(step.name.as_deref()?).ok()?);
        let up = if *kb == self.kb { String::new() } else { format!("..\\{kb}\\") };
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
