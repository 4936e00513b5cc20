//! A goal instead of a KB: the latest update of a kind, by policy and date.

use super::answer::{Choice, Plan, Status};
use super::candidates::{BestCandidate, UpdateCandidate, best_candidate, candidates};
use super::context::ResolveContext;
use super::draft::PlanDraft;
use super::dynamic::{is_dynamic_goal, newest_dynamic};
use super::esu::GatedUpdates;
use super::grounds::goal_judgement;
use super::member::Member;
use super::one_kb::plan_kb;
use super::package_set::PackageSet;
use super::refusal::{JudgementResult, Refusal};
use super::request::Policy;
use super::undated::undated_warning;
use crate::error::Result;
use crate::facts::Role;
use crate::servicing::{Family, ReleaseKind};
use crate::update::{Kb, Kind};

/// The goal, with the kinds and the policy that it implies.
struct LatestGoal {
    kinds: Vec<Kind>,
    /// `true` if the requested kind is a preview, which is then allowed.
    wants_preview: bool,
    policy: Policy,
    /// The kind as text.
    what: &'static str,
}

impl LatestGoal {
    fn new(kind: Option<Kind>, policy: Policy) -> Self {
        let kinds = match kind {
            None | Some(Kind::Lcu | Kind::LcuPreview) => vec![Kind::Lcu, Kind::LcuPreview],
            Some(Kind::DotnetCu | Kind::DotnetPreview) => vec![Kind::DotnetCu, Kind::DotnetPreview],
            Some(kind) => vec![kind],
        };
        let wants_preview = matches!(kind, Some(Kind::LcuPreview | Kind::DotnetPreview));
        let policy = if wants_preview { Policy::Preview } else { policy };
        Self { kinds, wants_preview, policy, what: kind.map_or("cumulative update", Kind::as_str) }
    }
}

/// Returns the plan for the latest update of a kind.
pub(super) fn plan_latest(context: &ResolveContext<'_>, kind: Option<Kind>) -> Result<Plan> {
    let wish = LatestGoal::new(kind, context.request.policy);
    match find_latest(context, &wish) {
        Ok((family, kb, gated)) => {
            let mut plan = plan_kb(context, kb)?;
            plan.warnings.extend(undated_warning(context, &wish.kinds, family, kb));
            gated.add_note(context, &mut plan);
            plan.judgements.insert(0, goal_judgement(context, kb, wish.what, family, wish.policy));
            Ok(plan)
        }
        Err(stop) => PlanDraft::of(context, None).into_plan(context, Err(stop)),
    }
}

/// Returns the latest update, its family, and the updates that the machine does not take.
fn find_latest<'k>(
    context: &ResolveContext<'k>,
    wish: &LatestGoal,
) -> JudgementResult<(&'k Family, Kb, GatedUpdates)> {
    context.check_product(&[])?;
    let families = context.families_of_goal();
    if let Some(product) = context.request.product.as_deref().filter(|_| families.is_empty()) {
        let advice = format!("the product {product:?} contradicts --baseline or --installation");
        let source = context.row_evidence("families.toml, builds and products of the families");
        return Err(Refusal::not_applicable(advice, source).into());
    }
    if families.is_empty() {
        let advice = "the Windows version is not specified: pass --baseline or --product";
        let all = context.knowledge.families().iter().map(|family| Choice::of_family(family, None));
        return Err(Refusal::new(Status::Ambiguous, advice).with_choices(all).into());
    }
    let mut found: Vec<(&Family, Kb)> = Vec::new();
    let mut gated = GatedUpdates::default();
    for family in families {
        let (best, own) = find_best(context, wish, family)?;
        match best {
            BestCandidate::None => {}
            BestCandidate::One(kb) => {
                found.push((family, kb));
                gated.join(own);
            }
            BestCandidate::Several(kbs) => {
                return Err(ambiguous_order(context, &kbs, family, wish)?.into());
            }
        }
    }
    found.dedup_by_key(|(_, kb)| *kb);
    match found.as_slice() {
        [] => {
            let advice = format!(
                "no {} is known under the policy {}{}: {}",
                wish.what,
                wish.policy.as_str(),
                context.request.as_of.map_or_else(String::new, |date| format!(" as of {date}")),
                context.library.side().advise_newer()
            );
            Err(Refusal::new(Status::Unknown, advice).into())
        }
        [(family, kb)] => Ok((*family, *kb, gated)),
        several => {
            let kbs: Vec<String> =
                several.iter().map(|(family, kb)| format!("{kb} for {}", family.name)).collect();
            let advice = format!("{}: select one with --installation or --product", kbs.join(", "));
            let choices = several.iter().map(|(family, kb)| Choice::of_family(family, Some(*kb)));
            Err(Refusal::new(Status::Ambiguous, advice).with_choices(choices).into())
        }
    }
}

/// Returns the latest update for one family, and the updates that the machine does not take.
fn find_best(
    context: &ResolveContext<'_>,
    wish: &LatestGoal,
    family: &Family,
) -> Result<(BestCandidate, GatedUpdates)> {
    if let [kind] = wish.kinds.as_slice()
        && is_dynamic_goal(*kind)
    {
        return Ok((newest_dynamic(context, *kind, family)?, GatedUpdates::default()));
    }
    let mut candidates = candidates(context, &wish.kinds, family)?;
    if wish.wants_preview {
        candidates.retain(|candidate| candidate.kind == Some(ReleaseKind::Preview));
    }
    drop_children(context, &mut candidates)?;
    let gated = GatedUpdates::split(context, &wish.kinds, family, &mut candidates);
    Ok((best_candidate(&candidates, wish.policy, context.request.as_of), gated))
}

/// Removes the packages that another candidate bundles.
fn drop_children(context: &ResolveContext<'_>, candidates: &mut Vec<UpdateCandidate>) -> Result<()> {
    let newest = candidates.iter().filter_map(UpdateCandidate::month).max();
    let mut children = Vec::new();
    for candidate in
        candidates.iter().filter(|candidate| candidate.month() == newest && candidate.build.is_none())
    {
        for set in context.library.sets(candidate.kb)?.iter() {
            let of_bundle = set.members.iter().filter(|member| member.role == Role::DotnetChild);
            children.extend(of_bundle.filter_map(Member::kb));
        }
    }
    candidates.retain(|candidate| !children.contains(&candidate.kb));
    Ok(())
}

/// Returns the refusal to choose between updates whose order or kind is unknown.
fn ambiguous_order(
    context: &ResolveContext<'_>,
    kbs: &[Kb],
    family: &Family,
    wish: &LatestGoal,
) -> Result<Refusal> {
    let mut choices = Vec::new();
    for &kb in kbs {
        let sets = context.library.sets(kb)?;
        let fits = |set: &&PackageSet| set.serves(family) && context.fits(set.architecture);
        let mut of_kb: Vec<Choice> = sets.iter().filter(fits).map(Choice::of_set).collect();
        if of_kb.is_empty() {
            of_kb.push(Choice::of_family(family, Some(kb)));
        }
        choices.extend(of_kb);
    }
    choices.sort();
    let names = kbs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let what = wish.what;
    let advice = if wish.kinds.iter().copied().any(is_dynamic_goal) {
        format!("no source states which of {names} is the newest {what}: request one by its KB")
    } else {
        format!(
            "{names} are of the same month, and it is unknown which {what} is later: request one by its KB"
        )
    };
    Ok(Refusal::new(Status::Ambiguous, advice).with_choices(choices))
}
