//! The entry point: computes the plan for a request.

use super::answer::{Plan, Status};
use super::context::ResolveContext;
use super::draft::PlanDraft;
use super::enable::{plan_enablement, plan_release};
use super::fresh::{add_freshness, family_of};
use super::goal::plan_latest;
use super::library::Library;
use super::machine::Machine;
use super::machine_families::possible_families;
use super::one_kb::{plan_kb, plan_set};
use super::package_set::PackageSet;
use super::refusal::Refusal;
use super::replaced::replacement;
use super::request::{Goal, Request};
use crate::error::Result;
use crate::servicing::{Knowledge, ProductFilter};

/// Returns the plan for a request. Fails if the library fails, or if a product name does not mean exactly one
/// product.
pub fn resolve(request: &Request, library: &dyn Library, knowledge: &Knowledge) -> Result<Plan> {
    let mut context = ResolveContext::new(request, library, knowledge);
    if let Some(asked) = &request.product {
        context.product =
            Some(ProductFilter::new(asked, request.machine.installation, knowledge.families())?);
    }
    match possible_families(request, knowledge) {
        Ok(families) => context.families = families,
        Err(advice) => {
            let kb = match request.goal {
                Goal::Kb(kb) => Some(kb),
                _ => None,
            };
            let refusal = Refusal::new(Status::Unknown, advice);
            return Ok(PlanDraft::of(&context, kb).into_refusal_plan(&context, refusal));
        }
    }
    let mut plan = match &request.goal {
        Goal::Kb(kb) => match knowledge.enablement().of_kb(*kb) {
            Some(row) => plan_enablement(&context, row),
            None => plan_kb(&context, *kb),
        },
        Goal::Latest(kind) => plan_latest(&context, *kind),
        Goal::Enable(release) => plan_release(&context, release),
    }?;
    if !plan.is_unknown_kb
        && matches!(request.goal, Goal::Kb(_))
        && let Some(family) = family_of(&plan, &context)?
    {
        plan.replaced_by = replacement(&context, &plan, family)?;
    }
    // The tables know no release of a machine of no known family, so the age of the facts is unknown.
    if request.machine.baseline.is_none() || !context.families.is_empty() {
        add_freshness(&mut plan, &context)?;
    }
    Ok(plan)
}

/// Returns the complete plan for one set, on a machine without known facts.
pub fn complete_plan(set: &PackageSet, library: &dyn Library, knowledge: &Knowledge) -> Result<Plan> {
    let machine = Machine { architecture: set.architecture, ..Machine::default() };
    let request = Request { machine, accept_withdrawn: true, ..Request::new(set.kb) };
    let context = ResolveContext::new(&request, library, knowledge);
    match knowledge.enablement().of_kb(set.kb) {
        Some(row) => plan_enablement(&context, row),
        None => plan_set(&context, set),
    }
}
