//! The family of an answer, and the age of the known facts about it.

use super::answer::{Plan, Status};
use super::context::ResolveContext;
use super::freshness::Freshness;
use super::library::Library;
use super::machine_families::possible_families;
use super::request::Request;
use crate::error::Result;
use crate::servicing::{Family, Knowledge};
use crate::update::{Build, Kb};

/// Adds the age of the facts to an answer.
pub(super) fn add_freshness(plan: &mut Plan, context: &ResolveContext<'_>) -> Result<()> {
    let Some(family) = family_of(plan, context)? else { return Ok(()) };
    plan.freshness = Freshness::of(family, context.request, context.library, context.knowledge)?;
    let is_done = plan.status == Status::NothingToDo;
    plan.warnings.extend(plan.freshness.warnings(is_done, &context.request.goal));
    Ok(())
}

/// Returns the freshness of the facts about the family of a KB, or of a machine.
pub fn freshness_of(
    kb: Option<Kb>,
    request: &Request,
    library: &dyn Library,
    knowledge: &Knowledge,
) -> Result<Freshness> {
    let at = possible_families(request, knowledge).unwrap_or_default();
    let is_of_family = |build: Build| knowledge.families().of_build(build.number).next().is_some();
    if request.machine.baseline.is_some_and(|build| !is_of_family(build)) {
        return Ok(Freshness::default());
    }
    let family = match (at.as_slice(), kb) {
        ([only], _) => Some(*only),
        (_, Some(kb)) => family_of_kb(kb, request, library, knowledge)?,
        _ => None,
    };
    match family {
        Some(family) => Freshness::of(family, request, library, knowledge),
        None => Ok(Freshness::default()),
    }
}

/// Returns the family of an answer: that of the product, else of the machine, else of the set, else the only
/// one that fits. Client and server share sets, so a set alone does not identify the requested one.
pub(super) fn family_of<'k>(plan: &Plan, context: &ResolveContext<'k>) -> Result<Option<&'k Family>> {
    let (request, library, knowledge) = (context.request, context.library, context.knowledge);
    let at = context.families.as_slice();
    // A product that is not in the table has no family. `resolve` refused an ambiguous one.
    let product = request.product.as_ref();
    let of_product = product
        .and_then(|asked| knowledge.families().one_product(asked, request.machine.installation).ok())
        .map(|product| product.family);
    let is_at = |family: &&Family| {
        at.iter().any(|own| (own.id, own.installation) == (family.id, family.installation))
    };
    if let Some(family) = of_product.filter(|family| at.is_empty() || is_at(family)) {
        return Ok(Some(family));
    }
    let is_own = |family: &&Family| {
        plan.serves.iter().any(|own| (own.id, own.installation) == (family.id, family.installation))
    };
    let fits = |family: &&Family| request.machine.installation.is_none_or(|own| own == family.installation);
    let of_machine = at.iter().copied().find(is_own);
    let all = knowledge.families();
    let of_set = || all.iter().filter(is_own).find(fits).or_else(|| all.iter().find(is_own));
    let of_folder =
        || all.iter().find(|family| plan.family.as_deref().is_some_and(|folder| folder == family.folder));
    if let Some(family) = of_machine.or_else(of_set).or_else(of_folder) {
        return Ok(Some(family));
    }
    if let [only] = at {
        return Ok(Some(only));
    }
    if let Some(kb) = plan.kb
        && let Some(family) = family_of_kb(kb, request, library, knowledge)?
    {
        return Ok(Some(family));
    }
    Ok(of_product)
}

/// Returns the family of a KB's sets, or `None` if the sets do not all have the same first family.
fn family_of_kb<'k>(
    kb: Kb,
    request: &Request,
    library: &dyn Library,
    knowledge: &'k Knowledge,
) -> Result<Option<&'k Family>> {
    let sets = library.sets(kb)?;
    let fits =
        |own: crate::servicing::Installation| request.machine.installation.is_none_or(|wanted| wanted == own);
    let mut firsts = sets
        .iter()
        .map(|set| set.families.iter().find(|family| fits(family.installation)).or(set.families.first()));
    let Some(Some(first)) = firsts.next() else { return Ok(None) };
    if !firsts.all(|other| other == Some(first)) {
        return Ok(None);
    }
    let is_it = |family: &&Family| (family.id, family.installation) == (first.id, first.installation);
    Ok(knowledge.families().iter().find(is_it))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::civil::Date;

    use super::*;
    use crate::facts::{Facts, UpdateFacts};
    use crate::resolve::{FactsLibrary, FreshnessIssue, Goal, resolve};
    use crate::update::classify;

    fn update(title: &str, date: &str) -> UpdateFacts {
        let class = classify(title, "", None);
        UpdateFacts {
            id: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
            title: title.to_owned(),
            kb: class.kb,
            kind: class.kind,
            month: class.month,
            product: class.product,
            release: class.release,
            products: String::new(),
            architecture: class.architecture,
            build: class.build,
            last_updated: Some(date.parse().unwrap()),
            size: None,
            files: None,
            files_seen: None,
            expired: None,
        }
    }

    fn freshness_at(updates: Vec<UpdateFacts>, today: &str) -> Freshness {
        let knowledge = Knowledge::built_in().unwrap();
        let library = FactsLibrary::new(Facts { updates, ..Facts::default() }, &knowledge);
        let request = Request {
            today: Some(today.parse().unwrap()),
            product: Some("windows-11-24h2".to_owned()),
            machine: crate::resolve::Machine {
                architecture: Some(crate::update::Architecture::X64),
                ..crate::resolve::Machine::default()
            },
            ..Request::of(Goal::Latest(None))
        };
        resolve(&request, &library, &knowledge).unwrap().freshness
    }

    fn day(date: Option<Date>) -> String {
        date.map_or_else(String::new, |date| date.to_string())
    }

    #[test]
    fn index_and_knowledge_count_together() {
        let lcu = |month: &str, date: &str| {
            update(
                &format!(
                    "{month} Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5990001)"
                ),
                date,
            )
        };
        let alone = freshness_at(Vec::new(), "2026-11-30");
        assert_eq!((day(alone.known_through), alone.patch_tuesdays_since), ("2026-09-29".into(), Some(2)));
        let more = freshness_at(vec![lcu("2026-11", "2026-11-10")], "2026-11-30");
        assert_eq!((day(more.known_through), more.patch_tuesdays_since), ("2026-11-10".into(), Some(0)));
        assert_eq!((more.issue(), more.age_issue(Duration::from_hours(20 * 24))), (None, None));
        assert!(more.age_issue(Duration::from_hours(19 * 24)).is_some());
        // An entry that was revised later still belongs to its title's month.
        let revised = freshness_at(vec![lcu("2026-10", "2026-11-29")], "2026-11-30");
        assert_eq!(
            (day(revised.known_through), revised.patch_tuesdays_since),
            ("2026-10-31".into(), Some(1))
        );
        // An update of an older month does not count as newer.
        let old = freshness_at(vec![lcu("2026-03", "2026-11-29")], "2026-11-30");
        assert_eq!(day(old.known_through), "2026-09-29");
        // An update of another family does not count.
        let other = update(
            "2026-11 Cumulative Update for Windows 11, version 23H2 for x64-based Systems (KB5990002)",
            "2026-11-10",
        );
        assert_eq!(day(freshness_at(vec![other], "2026-11-30").known_through), "2026-09-29");
    }

    #[test]
    fn other_kinds_do_not_hide_a_missing_cumulative_update() {
        let dotnet = update(
            "2026-11 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Windows 11, version 24H2 for x64 (KB5990005)",
            "2026-11-10",
        );
        let fresh = freshness_at(vec![dotnet], "2026-11-30");
        assert_eq!(
            (day(fresh.known_through), day(fresh.known_cumulative)),
            ("2026-11-10".into(), "2026-09-29".into())
        );
        assert_eq!(fresh.issue(), Some(FreshnessIssue::PatchTuesdays(2)));
        assert!(matches!(
            fresh.age_issue(Duration::from_hours(30 * 24)),
            Some(FreshnessIssue::TooOld { days: 62, .. })
        ));
    }

    #[test]
    fn release_in_the_future_is_a_doubt() {
        let behind = freshness_at(Vec::new(), "2026-09-01");
        assert!(matches!(behind.issue(), Some(FreshnessIssue::InFuture(_))));
        assert!(behind.age_issue(Duration::from_hours(365 * 24)).is_some());
        assert_eq!(freshness_at(Vec::new(), "2026-09-28").issue(), None, "zones differ");
    }

    #[test]
    fn unknown_family_is_a_doubt() {
        let none = Freshness::default();
        assert_eq!(
            (none.issue(), none.age_issue(Duration::MAX)),
            (None, Some(FreshnessIssue::UnknownFamily))
        );
    }
}
