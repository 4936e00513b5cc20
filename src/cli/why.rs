//! `why`: the reasons behind a plan, as an indented tree or as data. Exits as `resolve` does.

use serde::Serialize;

use super::args::Why;
use super::asking::{Sources, names_in, note_age};
use super::output::Output;
use super::setup::Setup;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::resolve::{Freshness, Plan, Reason, Replacement, Status, why};
use crate::update::{Architecture, Build, Kb};

/// The document of `why`. Below the top every reason has its conclusion, its evidence, and what it follows from.
#[derive(Debug, Serialize)]
struct WhyDocument<'a> {
    kb: Option<Kb>,
    architecture: Option<Architecture>,
    baseline: Option<Build>,
    status: Status,
    conclusion: &'a str,
    evidence: &'a [String],
    because: &'a [Reason],
    knowledge_date: &'a str,
    knowledge_version: &'a str,
    #[serde(flatten)]
    fresh: &'a Freshness,
    replaced_by: Option<&'a Replacement>,
}

/// `why`: asks as `resolve` does, and tells the reasons.
pub(super) fn run(setup: &Setup, arguments: &Why, output: &mut Output) -> Result<ExitCode> {
    let sources = Sources::open(setup)?;
    let mut request = arguments.goal.request(&arguments.machine)?;
    request.available = arguments.available.as_ref().map(names_in).transpose()?;
    let plan = sources.plan(&request, setup)?;
    let reason = why(&plan);
    if output.is_json() {
        output.document(&document(&plan, &reason))?;
    } else {
        output.sentence("", &reason.conclusion);
        show_below(&reason, "", output);
        note_age(&plan.fresh, &plan.warnings, output);
    }
    if let Err(error) = arguments.goal.expect_fresh(&plan.fresh) {
        output.note(error.to_string());
        return Ok(ExitCode::UNRESOLVED);
    }
    Ok(if plan.status.is_plan() { ExitCode::OK } else { ExitCode::UNRESOLVED })
}

fn document<'a>(plan: &'a Plan, reason: &'a Reason) -> WhyDocument<'a> {
    WhyDocument {
        kb: plan.kb,
        architecture: plan.architecture,
        baseline: plan.baseline,
        status: plan.status,
        conclusion: &reason.conclusion,
        evidence: &reason.evidence,
        because: &reason.because,
        knowledge_date: &plan.knowledge_date,
        knowledge_version: &plan.knowledge_version,
        fresh: &plan.fresh,
        replaced_by: plan.replaced_by.as_ref(),
    }
}

/// The evidence and the reasons of a conclusion, under it.
fn show_below(reason: &Reason, indent: &str, output: &mut Output) {
    for evidence in &reason.evidence {
        output.sentence(&format!("{indent}  source: "), evidence);
    }
    for below in &reason.because {
        output.sentence(&format!("{indent}- "), &below.conclusion);
        show_below(below, &format!("{indent}  "), output);
    }
}
