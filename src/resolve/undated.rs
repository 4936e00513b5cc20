//! The warning of a goal about updates that may have been released by its day: public lists contained them a few days
//! later, and no source states their release dates.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::candidates::is_regular;
use super::context::ResolveContext;
use super::dynamic::{LIST_LAG_DAYS, is_dynamic_goal};
use super::known::is_package_for;
use crate::servicing::{Family, PackageDate};
use crate::update::{Kb, Kind};

/// Returns the warning for updates of some kinds and a family, or `None` if the dates of all of them are known.
pub(super) fn undated_warning(
    context: &ResolveContext<'_>,
    kinds: &[Kind],
    family: &Family,
    chosen: Kb,
) -> Option<String> {
    let as_of = context.request.as_of?;
    let last = as_of.checked_add(LIST_LAG_DAYS.days()).ok()?;
    let listed = first_listed(context, kinds, family);
    let open: Vec<String> = listed
        .into_iter()
        // A list of the second Tuesday has the releases of that day.
        .filter(|&(kb, day)| kb != chosen && day > as_of && day <= last && !is_regular(day))
        .map(|(kb, day)| format!("{kb} ({day})"))
        .collect();
    (!open.is_empty()).then(|| {
        format!(
            "public lists first contained these after {as_of}, and no source states that they were released later than {as_of}: {}",
            open.join(", ")
        )
    })
}

/// Returns the updates without a known release date, each with the day on which a public list first contained it.
fn first_listed(context: &ResolveContext<'_>, kinds: &[Kind], family: &Family) -> BTreeMap<Kb, Date> {
    let knowledge = context.knowledge;
    let mut found = BTreeMap::new();
    if kinds.iter().any(|kind| kind.is_windows_cumulative()) {
        for release in knowledge.releases().of_family(family).filter(|release| release.date.is_none()) {
            found.extend(release.first_seen.map(|day| (release.kb, day)));
        }
        return found;
    }
    for package in knowledge.packages().all() {
        let kind = knowledge.stated_kind(package.kb).unwrap_or(package.kind);
        let is_dated = knowledge.articles().of_kb(package.kb).is_some_and(|article| article.date.is_some());
        let is_wanted = kinds.contains(&kind)
            || (kind == Kind::DuAmbiguous && kinds.iter().copied().any(is_dynamic_goal));
        let fits = is_package_for(package, family) && context.fits(Some(package.architecture));
        if is_wanted && fits && !is_dated && package.date_is == PackageDate::FirstListed {
            found.extend(package.date.map(|day| (package.kb, day)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::resolve::{FactsLibrary, Goal, Request, resolve};
    use crate::servicing::Knowledge;

    /// Returns the warnings of the newest cumulative update of Windows 11 26H1 on a day.
    fn warnings(as_of: &str) -> Vec<String> {
        let knowledge = Knowledge::built_in().unwrap();
        let request = Request {
            as_of: as_of.parse().ok(),
            product: Some("Windows 11 26H1".to_owned()),
            ..Request::of(Goal::Latest(None))
        };
        resolve(&request, &FactsLibrary::of_knowledge(&knowledge), &knowledge).unwrap().warnings
    }

    #[test]
    fn update_of_an_unknown_day_is_named() {
        let named = |as_of: &str| warnings(as_of).iter().any(|text| text.contains("KB5101681 (2026-07-28)"));
        assert!(named("2026-07-25"), "{:?}", warnings("2026-07-25"));
        for as_of in ["2026-07-28", "2026-08-20", "2026-06-01"] {
            assert!(!named(as_of), "{as_of}");
        }
        // A list of the second Tuesday has the releases of that day.
        assert!(!warnings("2026-08-10").iter().any(|text| text.contains("public lists first")));
    }
}
