//! The entry point: computes the plan for a request.

use super::account::Account;
use super::answer::{Plan, Status};
use super::enable::{plan_enablement, plan_release};
use super::fresh::{add_freshness, family_of};
use super::goal::plan_latest;
use super::library::Library;
use super::machine::Machine;
use super::machine_families::families_at;
use super::one_kb::{plan_kb, plan_set};
use super::question::Question;
use super::refusal::Refusal;
use super::replaced::replacement;
use super::request::{Goal, Request};
use super::sets::PackageSet;
use crate::error::Result;
use crate::servicing::{Knowledge, ProductFilter};

/// Returns the plan for a request. Fails if the library fails, or if a product name does not mean exactly one
/// product.
pub fn resolve(request: &Request, library: &dyn Library, knowledge: &Knowledge) -> Result<Plan> {
    let mut question = Question::new(request, library, knowledge);
    if let Some(asked) = &request.product {
        question.product =
            Some(ProductFilter::new(asked, request.machine.installation, knowledge.families())?);
    }
    match families_at(request, knowledge) {
        Ok(at) => question.at = at,
        Err(advice) => {
            let kb = match request.goal {
                Goal::Kb(kb) => Some(kb),
                _ => None,
            };
            let refusal = Refusal::new(Status::Unknown, advice);
            return Ok(Account::of(&question, kb).refused(&question, refusal));
        }
    }
    let mut plan = match &request.goal {
        Goal::Kb(kb) => match knowledge.enablement().of_kb(*kb) {
            Some(row) => plan_enablement(&question, row),
            None => plan_kb(&question, *kb),
        },
        Goal::Latest(kind) => plan_latest(&question, *kind),
        Goal::Enable(release) => plan_release(&question, release),
    }?;
    if !plan.unheard_of
        && matches!(request.goal, Goal::Kb(_))
        && let Some(family) = family_of(&plan, &question)?
    {
        plan.replaced_by = replacement(&question, &plan, family)?;
    }
    add_freshness(&mut plan, &question)?;
    Ok(plan)
}

/// Returns the complete plan for one set, on a machine without known facts.
pub fn complete_plan(set: &PackageSet, library: &dyn Library, knowledge: &Knowledge) -> Result<Plan> {
    let machine = Machine { architecture: set.architecture, ..Machine::default() };
    let request = Request { machine, accept_withdrawn: true, ..Request::new(set.kb) };
    let question = Question::new(&request, library, knowledge);
    match knowledge.enablement().of_kb(set.kb) {
        Some(row) => plan_enablement(&question, row),
        None => plan_set(&question, set),
    }
}
