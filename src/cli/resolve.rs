//! `resolve`: asks the index and the knowledge, never the Catalog. A finding that is no plan exits 10.

use super::args::Resolve;
use super::asking::{Sources, names_in};
use super::output::Output;
use super::setup::Setup;
use crate::disk;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::resolve::{Plan, Request, Status, Step, read_line, resolve};
use crate::update::{Architecture, human_size};

/// `resolve`: the plan, from the index layered over the knowledge.
pub(super) fn run(setup: &Setup, arguments: &Resolve, output: &mut Output) -> Result<ExitCode> {
    let sources = Sources::open(setup)?;
    if let Some(batch) = &arguments.batch {
        /// 10,000 requests are some 4 MB.
        const CAP: u64 = 1 << 30;
        let text =
            disk::read_text(batch, CAP).map_err(|error| error.with_kind(crate::error::ErrorKind::Usage))?;
        return answer_lines(&sources, &text, output);
    }
    let request = request(arguments)?;
    let plan = sources.plan(&request, setup)?;
    if output.is_json() {
        output.document(&plan)?;
    } else {
        show(&plan, output);
    }
    Ok(if plan.status.is_plan() { ExitCode::OK } else { ExitCode::UNRESOLVED })
}

fn request(arguments: &Resolve) -> Result<Request> {
    let mut request = arguments.goal.request(&arguments.machine)?;
    request.available = arguments.available.as_ref().map(names_in).transpose()?;
    Ok(request)
}

/// One answer a line, in the order of the requests. A line that is no request is answered with its error.
fn answer_lines(sources: &Sources, text: &str, output: &mut Output) -> Result<ExitCode> {
    let mut code = ExitCode::OK;
    sources.with_library(|library| {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (id, request) = read_line(line);
            let answer = request.and_then(|request| resolve(&request, library, &sources.knowledge));
            match answer {
                Ok(plan) => output.json_line(&plan)?,
                Err(error) => {
                    code = ExitCode::USAGE;
                    output.json_line(&serde_json::json!({ "id": id, "error": error }))?;
                }
            }
        }
        Ok(())
    })?;
    Ok(code)
}

/// What a plan is about: the KB, the architecture, and the baseline.
pub(super) fn subject(plan: &Plan) -> String {
    let at = plan.baseline.map_or_else(|| "an unknown build".to_owned(), |build| format!("build {build}"));
    let architecture = plan.architecture.map(|architecture| format!(" ({architecture})")).unwrap_or_default();
    match plan.kb {
        Some(kb) => format!("{kb}{architecture} at {at}"),
        None => format!("The latest{architecture} at {at}"),
    }
}

/// The answer as one line.
pub(super) fn headline(plan: &Plan) -> String {
    let subject = subject(plan);
    match plan.status {
        Status::Install => format!("{subject}: install {}", count(plan.steps.len(), "file")),
        Status::NothingToDo => format!("{subject}: nothing to do"),
        Status::NotApplicable => format!("{subject}: not applicable"),
        Status::NeedsPrerequisite => format!("{subject}: something else has to be there first"),
        Status::Withdrawn => format!("{subject}: withdrawn"),
        Status::UnavailableOffline => format!("{subject}: not to be had offline"),
        Status::Ambiguous => format!("{subject}: not clear which"),
        Status::Unknown => format!("{subject}: unknown"),
    }
}

/// A plan for people.
pub(super) fn show(plan: &Plan, output: &mut Output) {
    output.line(headline(plan));
    if let Some(advice) = &plan.advice {
        output.line(format!("  {advice}"));
    }
    if !plan.steps.is_empty() {
        let mut files = output.table(&["#", "role", "size", "here", "file"]).right(2);
        // The reasons have a table of their own: beside the names there is no room for sentences.
        let mut reasons = output.table(&["#", "because"]);
        for step in &plan.steps {
            files.row([
                order(step),
                step.role.to_string(),
                step.size.map_or_else(|| "?".to_owned(), human_size),
                if step.present { "yes" } else { "no" }.to_owned(),
                file_name(step, output),
            ]);
            let because = match &step.needed_if {
                Some(needed_if) => format!("{}; needed if: {needed_if}", step.because),
                None => step.because.clone(),
            };
            reasons.row([order(step), because]);
            if step.restart_after {
                reasons.row([String::new(), "then restart the machine".to_owned()]);
            }
        }
        output.text(files.render());
        output.text(reasons.render());
    }
    for missing in &plan.missing {
        let name = missing.name.clone().or(missing.kb.map(|kb| kb.to_string())).unwrap_or_default();
        output.line(format!("  missing: {} {name}", missing.role));
    }
    if let Some(total) = plan.total_bytes.filter(|_| plan.steps.len() > 1) {
        output.line(format!("together: {}", human_size(total)));
    }
    for choice in &plan.choices {
        let kb = choice.kb.filter(|_| plan.kb.is_none()).map(|kb| format!("{kb} ")).unwrap_or_default();
        let architecture =
            choice.architecture.map(|architecture| format!("--arch {} ", Architecture::as_str(architecture)));
        output.line(format!("  {kb}{}--product {:?}", architecture.unwrap_or_default(), choice.product));
    }
    if let Some(build) = plan.expected_build.filter(|_| plan.status == Status::Install) {
        output.line(format!("afterwards: build {build}"));
    }
    for warning in &plan.warnings {
        output.note(format!("warning: {warning}"));
    }
}

fn order(step: &Step) -> String {
    step.order.map_or_else(|| "?".to_owned(), |order| order.to_string())
}

/// The name of a step's file; where nobody recorded it, the KB stands for it.
pub(super) fn file_name(step: &Step, output: &Output) -> String {
    match (&step.name, step.kb) {
        (Some(name), _) => output.file_name(name),
        (None, Some(kb)) => format!("{kb} (name not known)"),
        (None, None) => "?".to_owned(),
    }
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s, in this order") }
}
