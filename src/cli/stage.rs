//! `stage`: puts exactly the files of a plan into an empty folder, and the script beside the folder.

use super::args::StageArgs;
use super::output::Output;
use super::plan_sources::Sources;
use super::resolve::show;
use super::script::no_steps_error;
use super::setup::Setup;
use crate::documents::StageDocument;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::fetch::StagePlan;
use crate::mirror::RunInfo;
use crate::resolve::Status;
use crate::script::ScriptTarget;
use crate::update::human_size;

/// Runs `stage`: writes the folder and the script, and prints their content.
pub(super) fn run(setup: &Setup, arguments: &StageArgs, output: &mut Output) -> Result<ExitCode> {
    let sources = Sources::open(setup)?;
    let request = arguments.goal.request(&arguments.machine)?;
    let plan = sources.plan(&request, setup)?;
    if plan.status != Status::Install {
        output.error(&no_steps_error(&plan));
        return Ok(ExitCode::UNRESOLVED);
    }
    arguments.goal.expect_fresh(&plan.freshness)?;
    let Some(mirror) = &sources.mirror else {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("no mirror exists at {}", setup.layout().root()),
        )
        .hint("fetch or import the KB first: stage copies files of a mirror")
        .hint(sources.side.advise_new_mirror()));
    };
    // Setup files of media have no script, but can be staged.
    let target = ScriptTarget::of_place(request.machine.place);
    let run = RunInfo { command: "stage", now: setup.now().into() };
    let staging = StagePlan::new(&plan, target, mirror, &sources.knowledge, &arguments.to, run)?;
    let staged = staging.run(&plan, &request, mirror, &sources.knowledge, run)?;
    if output.is_json() {
        output.document(&StageDocument { plan: &plan, staged: &staged })?;
        return Ok(ExitCode::OK);
    }
    show(&plan, output);
    let files = match staged.file_list.len() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    output.line(format!(
        "staged {files}, {}, in {}: compared the digest of every byte",
        human_size(staged.bytes),
        staged.path
    ));
    if staged.linted.is_empty() {
        output.line("not linted: these files are not installed with DISM from a folder");
    }
    for linted in &staged.linted {
        let part = linted.part.as_ref().map_or_else(String::new, |part| format!("{part}: "));
        output.line(format!("linted: {part}{}", linted.checked));
        for doubt in &linted.unchecked {
            output.sentence("  ", doubt);
        }
    }
    if let Some(script) = &staged.script {
        output.line(format!("script: {script}"));
    }
    if let Some(reason) = &staged.no_script {
        output.sentence("no script: ", reason);
    }
    Ok(ExitCode::OK)
}
