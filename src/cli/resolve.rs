//! `resolve`: asks the index and the knowledge, never the Catalog. A finding that is no plan exits 10.

use super::args::Resolve;
use super::output::Output;
use super::setup::Setup;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::resolve::{PackageSet, Plan, Request, Status, Step, known_sets, plan};
use crate::servicing::Knowledge;
use crate::sync::sets_of;
use crate::update::{Architecture, Kb, human_size};

/// `resolve`: the plan, from the index layered over the knowledge.
pub(super) fn run(setup: &Setup, arguments: &Resolve, output: &mut Output) -> Result<ExitCode> {
    let knowledge = Knowledge::built_in()?;
    let sets = sets(setup, arguments.kb, &knowledge)?;
    let request = Request {
        kb: arguments.kb,
        architecture: arguments.arch,
        product: arguments.product.clone(),
        baseline: arguments.baseline,
        installation: arguments.installation.map(Into::into),
        place: arguments.place.into(),
        features_on_demand: arguments.fod,
    };
    let plan = plan(&request, &sets, &knowledge);
    if output.is_json() {
        output.document(&plan)?;
    } else {
        show(&plan, output);
    }
    Ok(if plan.status.is_plan() { ExitCode::OK } else { ExitCode::UNRESOLVED })
}

/// The sets of a KB from the index; where that has nothing of it, or where there is none, from knowledge.
fn sets(setup: &Setup, kb: Kb, knowledge: &Knowledge) -> Result<Vec<PackageSet>> {
    let mirror = match setup.mirror() {
        Ok(mirror) => Some(mirror),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut is_listed = false;
    if let Some(mirror) = &mirror {
        let sets = sets_of(kb, mirror.index(), knowledge)?;
        if !sets.is_empty() {
            return Ok(sets);
        }
        is_listed = mirror.index().knows_kb(kb)?;
    }
    let sets = known_sets(kb, knowledge);
    // Of a hotpatch there is never a file, and the plan says why.
    if !sets.is_empty() || knowledge.hotpatch(kb).is_some() {
        return Ok(sets);
    }
    let message = match (is_listed, &mirror) {
        (true, _) => format!("the index knows {kb} and none of its files"),
        (false, Some(_)) => format!("neither the index nor the knowledge has anything of {kb}"),
        (false, None) => {
            format!("there is no mirror at {}, and the knowledge has nothing of {kb}", setup.layout().root())
        }
    };
    Err(Error::new(ErrorKind::NotFound, message).hint(format!("kbmirror crawl {kb} asks the Catalog")))
}

fn show(plan: &Plan, output: &mut Output) {
    let at = plan.baseline.map_or_else(|| "an unknown build".to_owned(), |build| format!("build {build}"));
    let architecture = plan.architecture.map(|architecture| format!(" ({architecture})")).unwrap_or_default();
    let subject = format!("{}{architecture} at {at}", plan.kb);
    output.line(match plan.status {
        Status::Install => format!("{subject}: install {}", count(plan.steps.len(), "file")),
        Status::NothingToDo => format!("{subject}: nothing to do"),
        Status::NotApplicable => format!("{subject}: not applicable"),
        Status::Withdrawn => format!("{subject}: withdrawn"),
        Status::UnavailableOffline => format!("{subject}: not to be had offline"),
        Status::Ambiguous => format!("{subject}: several package sets match"),
        Status::Unknown => format!("{subject}: unknown"),
    });
    if let Some(advice) = &plan.advice {
        output.line(format!("  {advice}"));
    }
    if !plan.steps.is_empty() {
        let order = |step: &Step| step.order.map_or_else(|| "?".to_owned(), |order| order.to_string());
        let mut files = output.table(&["#", "role", "size", "here", "file"]).right(2);
        // The reasons have a table of their own: beside the names there is no room for sentences.
        let mut reasons = output.table(&["#", "because"]);
        for step in &plan.steps {
            files.row([
                order(step),
                step.role.to_string(),
                step.size.map_or_else(|| "?".to_owned(), human_size),
                if step.present { "yes" } else { "no" }.to_owned(),
                output.file_name(&step.name),
            ]);
            let because = match &step.needed_if {
                Some(needed_if) => format!("{}; needed if: {needed_if}", step.because),
                None => step.because.clone(),
            };
            reasons.row([order(step), because]);
        }
        output.text(files.render());
        output.text(reasons.render());
    }
    if let Some(total) = plan.total_bytes.filter(|_| plan.steps.len() > 1) {
        output.line(format!("together: {}", human_size(total)));
    }
    for choice in &plan.choices {
        let architecture = choice.architecture.map_or("any", Architecture::as_str);
        output.line(format!("  --arch {architecture} --product {:?}", choice.product));
    }
    if let Some(build) = plan.expected_build.filter(|_| plan.status == Status::Install) {
        output.line(format!("afterwards: build {build}"));
    }
    for warning in &plan.warnings {
        output.note(format!("warning: {warning}"));
    }
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s, in this order") }
}
