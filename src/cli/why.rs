//! `why`: prints the reasons behind a plan as an indented tree or as JSON. The exit code is that of `resolve`.

use super::args::WhyArgs;
use super::output::Output;
use super::plan_sources::{Sources, file_names, warn_if_stale};
use super::setup::Setup;
use crate::documents::WhyDocument;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::resolve::{Reason, why};

/// Runs `why`: plans as `resolve` does, and prints the reasons.
pub(super) fn run(setup: &Setup, arguments: &WhyArgs, output: &mut Output) -> Result<ExitCode> {
    let sources = Sources::open(setup)?;
    let mut request = arguments.goal.request(&arguments.machine)?;
    request.available = arguments.available.as_ref().map(file_names).transpose()?;
    let plan = sources.plan(&request, setup)?;
    let reason = why(&plan);
    if output.is_json() {
        output.document(&WhyDocument::of(&plan, &reason))?;
    } else {
        output.sentence("", &reason.conclusion);
        show_below(&reason, "", output);
        warn_if_stale(&plan.freshness, &plan.warnings, output);
    }
    if let Err(error) = arguments.goal.expect_fresh(&plan.freshness) {
        output.note(error.to_string());
        return Ok(ExitCode::UNRESOLVED);
    }
    Ok(if plan.status.is_plan() { ExitCode::OK } else { ExitCode::UNRESOLVED })
}

/// Prints the evidence and the reasons below a conclusion.
fn show_below(reason: &Reason, indent: &str, output: &mut Output) {
    for evidence in &reason.evidence {
        output.sentence(&format!("{indent}  source: "), evidence);
    }
    for below in &reason.because {
        output.sentence(&format!("{indent}- "), &below.conclusion);
        show_below(below, &format!("{indent}  "), output);
    }
}
