//! `resolve`: plans from the index and the knowledge, without the Catalog. A result other than a plan exits 10.

use std::collections::BTreeSet;

use super::args::ResolveArgs;
use super::output::Output;
use super::plan_sources::{Sources, add_host_warnings, file_names, list_missing_files, warn_if_stale};
use super::setup::Setup;
use crate::disk;
use crate::documents::BatchError;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::report::Column;
use crate::resolve::{Plan, Request, Status, Step, read_line, resolve};
use crate::update::{count, human_size};

/// Runs `resolve`: prints the plan, or answers a batch.
pub(super) fn run(setup: &Setup, arguments: &ResolveArgs, output: &mut Output) -> Result<ExitCode> {
    let sources = Sources::open(setup)?;
    if let Some(batch) = &arguments.batch {
        /// The largest batch. 10,000 requests take about 4 MB.
        const CAP: u64 = 1 << 30;
        let text = if batch == "-" {
            setup.read_stdin(CAP)?
        } else {
            disk::read_text(batch, CAP).map_err(|error| error.with_kind(crate::error::ErrorKind::Usage))?
        };
        return answer_lines(setup, &sources, &text, arguments, output);
    }
    let request = request(arguments)?;
    let mut plan = sources.plan(&request, setup)?;
    if let Some(host) = arguments.machine.host()? {
        add_host_warnings(&host, &mut plan);
    }
    let is_whole = !sources.cannot_download(setup)? || list_missing_files(&mut plan);
    let is_fresh = warn_of_age(&mut plan, arguments);
    if output.is_json() {
        output.document(&plan)?;
    } else {
        show(&plan, output);
    }
    Ok(if plan.status.is_plan() && is_whole && is_fresh { ExitCode::OK } else { ExitCode::UNRESOLVED })
}

fn request(arguments: &ResolveArgs) -> Result<Request> {
    let mut request = arguments.goal.request(&arguments.machine)?;
    request.available = arguments.available.as_ref().map(file_names).transpose()?;
    Ok(request)
}

/// Returns `true` if the facts of a plan are as fresh as the operator requires. Otherwise adds a warning to the plan.
fn warn_of_age(plan: &mut Plan, arguments: &ResolveArgs) -> bool {
    let refused = arguments.goal.expect_fresh(&plan.freshness).err();
    plan.warnings.extend(refused.iter().map(|error| error.message().to_owned()));
    refused.is_none()
}

/// Prints one answer per line, in the order of the requests. The answer to an invalid line is its error.
fn answer_lines(
    setup: &Setup,
    sources: &Sources,
    text: &str,
    arguments: &ResolveArgs,
    output: &mut Output,
) -> Result<ExitCode> {
    let (mut code, mut old) = (ExitCode::OK, 0);
    let cut_off = sources.cannot_download(setup)?;
    sources.with_library(|library| {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (id, request) = read_line(line);
            let request = request.map(|request| {
                // A line overrides the command line.
                let as_of = request.as_of.or(arguments.goal.as_of);
                Request { today: Some(setup.today()), as_of, ..request }
            });
            let answer = request.and_then(|request| resolve(&request, library, &sources.knowledge));
            match answer {
                Ok(mut plan) => {
                    if cut_off {
                        list_missing_files(&mut plan);
                    }
                    old += usize::from(!warn_of_age(&mut plan, arguments));
                    output.json_line(&plan)?;
                }
                Err(error) => {
                    code = ExitCode::USAGE;
                    output.json_line(&BatchError { id, error: (&error).into() })?;
                }
            }
        }
        Ok(())
    })?;
    if old > 0 {
        output.note(format!(
            "--fail-if-older-than: facts are older, or of unknown age, in {}",
            count(old, "answer")
        ));
        // An invalid line has precedence: it needs a correction first.
        if code == ExitCode::OK {
            code = ExitCode::UNRESOLVED;
        }
    }
    Ok(code)
}

/// Prints a plan.
pub(super) fn show(plan: &Plan, output: &mut Output) {
    output.line(plan.headline());
    if let Some(advice) = &plan.advice {
        output.line(format!("  {advice}"));
    }
    if !plan.steps.is_empty() {
        let mut files = output.table([
            Column::new("#"),
            Column::new("role").importance(2),
            Column::number("size").importance(1),
            Column::new("present").status(),
            Column::file_name("file"),
        ]);
        // Reasons have a separate table: file names leave no room for sentences.
        let mut reasons = output.table([Column::new("#"), Column::sentence("reason")]);
        for step in &plan.steps {
            files.row([
                order(step),
                step.role.to_string(),
                step.size.map_or_else(|| "?".to_owned(), human_size),
                if step.present { "yes" } else { "no" }.to_owned(),
                file_name(step),
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
        output.line(format!("total: {}", human_size(total)));
    }
    let options: BTreeSet<String> = plan.choices.iter().map(|choice| choice.options(plan.kb)).collect();
    for line in options {
        output.line(format!("  {line}"));
    }
    if let Some(build) = plan.expected_build.filter(|_| plan.status == Status::Install) {
        output.line(format!("resulting build: {build}"));
    }
    if let Some(replacement) = &plan.replaced_by {
        let place = if replacement.present { "in this mirror" } else { "not in this mirror" };
        output.line(format!("replaced by: {} ({place})", replacement.kb));
    }
    for warning in &plan.warnings {
        output.warn(warning);
    }
    warn_if_stale(&plan.freshness, &plan.warnings, output);
}

fn order(step: &Step) -> String {
    step.order.map_or_else(|| "?".to_owned(), |order| order.to_string())
}

/// Returns the file name of a step, or its KB if the name is unknown.
pub(super) fn file_name(step: &Step) -> String {
    match (&step.name, step.kb) {
        (Some(name), _) => name.clone(),
        (None, Some(kb)) => format!("{kb} (name unknown)"),
        (None, None) => "?".to_owned(),
    }
}
