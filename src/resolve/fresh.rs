//! How fresh the facts behind an answer are: through which day releases of the family are known, how many Patch Tuesdays
//! have passed since, and whether the family is still served.
//!
//! Index and knowledge count together, and every kind of release counts for `known_through`. Patch Tuesdays are counted
//! from the newest cumulative update alone, so that a package of another kind does not hide one that is missing.

use std::time::Duration;

use jiff::civil::Date;
use serde::Serialize;

use super::answer::{Plan, Status};
use super::library::Library;
use super::newest::newest_of;
use super::request::{Goal, Request};
use crate::error::Result;
use crate::servicing::{Family, Knowledge, Served, Servicing, patch_tuesdays_since};
use crate::update::{Kb, count};

/// How fresh an answer is. The names of the fields are a promise of the JSON output.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, schemars::JsonSchema)]
pub struct Freshness {
    /// The day of the newest known release of the family, of whatever kind.
    #[schemars(with = "Option<crate::update::schema::DateText>")]
    pub known_through: Option<Date>,
    /// The day of the newest known cumulative update of the family.
    #[schemars(with = "Option<crate::update::schema::DateText>")]
    pub known_cumulative: Option<Date>,
    /// The second Tuesdays after the newest known cumulative update, counted from their third day on.
    pub patch_tuesdays_since: Option<u32>,
    /// The servicing of the family, or of the machine's version and edition.
    pub servicing: Option<Servicing>,
    /// The name of the family.
    #[serde(skip)]
    family: Option<String>,
    /// The day that the answer takes for today.
    #[serde(skip)]
    today: Option<Date>,
    /// `true` if the caller chose that day.
    #[serde(skip)]
    is_chosen_day: bool,
}

/// A doubt about the age of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The answer is about no known family.
    NoFamily,
    /// No release of the family has a known date.
    Undated,
    /// The newest release is later than today: the clock or the entry is wrong.
    AfterToday(Date),
    /// The number of Patch Tuesdays since the newest cumulative update.
    Tuesdays(u32),
    /// The facts are older than the caller allows.
    Older {
        /// The day through which they are known.
        through: Date,
        /// Their age in days.
        days: i64,
    },
}

/// Days by which a release may seem to be of the future: the zones of clocks differ by as much.
const ZONE_DAYS: i64 = 1;

impl Freshness {
    /// Returns the freshness of what is known of a family.
    pub fn of(
        family: &Family,
        request: &Request,
        library: &dyn Library,
        knowledge: &Knowledge,
    ) -> Result<Self> {
        let newest = newest_of(family, library, knowledge)?;
        let today = request.as_of.or(request.today);
        let build = request.machine.baseline.map(|build| build.number);
        let served = Served {
            build: build.filter(|build| family.builds.contains(build)),
            edition: request.machine.edition.as_deref(),
        };
        let since = |(day, today)| u32::try_from(patch_tuesdays_since(day, today).len()).ok();
        Ok(Self {
            known_through: newest.any,
            known_cumulative: newest.cumulative,
            patch_tuesdays_since: newest.cumulative.zip(today).and_then(since),
            servicing: today.map(|today| knowledge.servicing(family, served, today)),
            family: Some(family.name.clone()),
            today,
            is_chosen_day: request.as_of.is_some(),
        })
    }

    /// Returns the doubt about the answer that an operator should know of; none without a family, which says it itself.
    pub fn doubt(&self) -> Option<Doubt> {
        self.family.as_ref()?;
        let today = self.today?;
        let (Some(through), Some(since)) = (self.known_through, self.patch_tuesdays_since) else {
            return Some(Doubt::Undated);
        };
        if !self.is_chosen_day && days_between(today, through) > ZONE_DAYS {
            return Some(Doubt::AfterToday(through));
        }
        (since > 0).then_some(Doubt::Tuesdays(since))
    }

    /// Returns the doubt where the facts are older than this. Age is counted in whole days, from the earlier one of
    /// `known_through` and `known_cumulative` to today.
    pub fn older_than(&self, most: Duration) -> Option<Doubt> {
        let (Some(_), Some(today)) = (&self.family, self.today) else { return Some(Doubt::NoFamily) };
        let (Some(through), Some(cumulative)) = (self.known_through, self.known_cumulative) else {
            return Some(Doubt::Undated);
        };
        if let Some(doubt @ Doubt::AfterToday(_)) = self.doubt() {
            return Some(doubt);
        }
        let through = through.min(cumulative);
        let days = days_between(through, today);
        let is_older = u64::try_from(days).is_ok_and(|days| days.saturating_mul(86_400) > most.as_secs());
        is_older.then_some(Doubt::Older { through, days })
    }

    /// Returns the sentence for people about a doubt.
    pub fn sentence(&self, doubt: Doubt) -> String {
        let family = self.family.as_deref().unwrap_or("the family");
        let through = self.known_cumulative.map_or_else(|| "?".to_owned(), |date| date.to_string());
        match doubt {
            Doubt::NoFamily => "the family is unknown, so the age of this answer is unknown".to_owned(),
            Doubt::Undated => {
                format!(
                    "no dated cumulative update of {family} is known here, so the age of this answer is unknown"
                )
            }
            Doubt::AfterToday(date) => format!(
                "the newest known release of {family} is of {date}, which is in the future: check the clock of this machine"
            ),
            Doubt::Tuesdays(number) => {
                let have = if number == 1 { "has" } else { "have" };
                let passed = format!("{} {have} passed", count(number, "Patch Tuesday"));
                let ended = self.servicing.as_ref().filter(|servicing| servicing.has_ended());
                let outlook = match ended.and_then(|servicing| servicing.until) {
                    Some(until) => format!("its servicing ended on {until}"),
                    None => "newer ones may exist".to_owned(),
                };
                format!(
                    "the newest known cumulative update of {family} is of {through}: {passed} since, and {outlook}"
                )
            }
            Doubt::Older { through, days } => {
                format!("{family} is known through {through}, which is {} ago", count(days, "day"))
            }
        }
    }

    /// Returns what a script's header says about its facts; nothing without a known day.
    pub fn header(&self) -> Option<String> {
        let (today, through) = (self.today?, self.known_through?);
        let known = format!("releases known through {through}");
        Some(match self.doubt() {
            Some(Doubt::Tuesdays(number)) => {
                format!("{known}, {} before {today}", count(number, "Patch Tuesday"))
            }
            Some(Doubt::AfterToday(_)) => format!("{known}, which is after {today}: check the clock"),
            _ => known,
        })
    }

    /// Returns what an answer that claims to be the latest, or that nothing is to do, has to say with it.
    fn warnings(&self, plan: &Plan, goal: &Goal) -> Vec<String> {
        let is_done = plan.status == Status::NothingToDo;
        let mut warnings = Vec::new();
        if is_done || !matches!(goal, Goal::Kb(_)) {
            warnings.extend(self.doubt().map(|doubt| self.sentence(doubt)));
        }
        if is_done && let (Some(servicing), Some(family)) = (&self.servicing, &self.family) {
            let ended = servicing.sentence(family);
            // The sentence about Patch Tuesdays says it already.
            let is_said = servicing.has_ended() && !warnings.is_empty();
            warnings.extend(ended.filter(|_| !is_said));
        }
        warnings
    }
}

/// Returns the days from one day to another.
fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24
}

/// Adds to an answer how fresh it is.
pub(super) fn add_freshness(
    plan: &mut Plan,
    request: &Request,
    at: &[&Family],
    library: &dyn Library,
    knowledge: &Knowledge,
) -> Result<()> {
    let Some(family) = family_of(plan, request, at, library, knowledge)? else { return Ok(()) };
    plan.fresh = Freshness::of(family, request, library, knowledge)?;
    let warnings = plan.fresh.warnings(plan, &request.goal);
    plan.warnings.extend(warnings);
    Ok(())
}

/// Returns the freshness of what is known of the family of a KB, or of a machine.
pub fn freshness_of(
    kb: Option<Kb>,
    request: &Request,
    library: &dyn Library,
    knowledge: &Knowledge,
) -> Result<Freshness> {
    let at = super::plan::families_at(request, knowledge).unwrap_or_default();
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

/// Returns the family that an answer is about: that of the product, else that of the machine, else that of the set,
/// else the only one that fits. Client and server share sets, so that a set does not tell which of them was asked for.
pub(super) fn family_of<'k>(
    plan: &Plan,
    request: &Request,
    at: &[&'k Family],
    library: &dyn Library,
    knowledge: &'k Knowledge,
) -> Result<Option<&'k Family>> {
    // A product that the table does not have names no family; `resolve` refused an ambiguous one.
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

/// Returns the family of the sets of a KB, where all of them begin with the same one.
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
    use super::*;
    use crate::facts::{Facts, UpdateFacts};
    use crate::resolve::{Shelf, resolve};
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

    fn fresh(updates: Vec<UpdateFacts>, today: &str) -> Freshness {
        let knowledge = Knowledge::built_in().unwrap();
        let library = Shelf::new(Facts { updates, ..Facts::default() }, &knowledge);
        let request = Request {
            today: Some(today.parse().unwrap()),
            product: Some("windows-11-24h2".to_owned()),
            machine: crate::resolve::Machine {
                architecture: Some(crate::update::Architecture::X64),
                ..crate::resolve::Machine::default()
            },
            ..Request::of(Goal::Latest(None))
        };
        resolve(&request, &library, &knowledge).unwrap().fresh
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
        let alone = fresh(Vec::new(), "2026-11-30");
        assert_eq!((day(alone.known_through), alone.patch_tuesdays_since), ("2026-09-29".into(), Some(2)));
        let more = fresh(vec![lcu("2026-11", "2026-11-10")], "2026-11-30");
        assert_eq!((day(more.known_through), more.patch_tuesdays_since), ("2026-11-10".into(), Some(0)));
        assert_eq!((more.doubt(), more.older_than(Duration::from_hours(20 * 24))), (None, None));
        assert!(more.older_than(Duration::from_hours(19 * 24)).is_some());
        // An entry that was revised later is of its title's month all the same.
        let revised = fresh(vec![lcu("2026-10", "2026-11-29")], "2026-11-30");
        assert_eq!(
            (day(revised.known_through), revised.patch_tuesdays_since),
            ("2026-10-31".into(), Some(1))
        );
        // An update of an older month is not news.
        let old = fresh(vec![lcu("2026-03", "2026-11-29")], "2026-11-30");
        assert_eq!(day(old.known_through), "2026-09-29");
        // Another family's update says nothing.
        let other = update(
            "2026-11 Cumulative Update for Windows 11, version 23H2 for x64-based Systems (KB5990002)",
            "2026-11-10",
        );
        assert_eq!(day(fresh(vec![other], "2026-11-30").known_through), "2026-09-29");
    }

    #[test]
    fn another_kind_does_not_hide_a_missing_cumulative_update() {
        let dotnet = update(
            "2026-11 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Windows 11, version 24H2 for x64 (KB5990005)",
            "2026-11-10",
        );
        let fresh = fresh(vec![dotnet], "2026-11-30");
        assert_eq!(
            (day(fresh.known_through), day(fresh.known_cumulative)),
            ("2026-11-10".into(), "2026-09-29".into())
        );
        assert_eq!(fresh.doubt(), Some(Doubt::Tuesdays(2)));
        assert!(matches!(
            fresh.older_than(Duration::from_hours(30 * 24)),
            Some(Doubt::Older { days: 62, .. })
        ));
    }

    #[test]
    fn a_release_of_the_future_is_a_doubt() {
        let behind = fresh(Vec::new(), "2026-09-01");
        assert!(matches!(behind.doubt(), Some(Doubt::AfterToday(_))));
        assert!(behind.older_than(Duration::from_hours(365 * 24)).is_some());
        assert_eq!(fresh(Vec::new(), "2026-09-28").doubt(), None, "zones differ");
    }

    #[test]
    fn what_is_not_known_is_a_doubt() {
        let none = Freshness::default();
        assert_eq!((none.doubt(), none.older_than(Duration::MAX)), (None, Some(Doubt::NoFamily)));
    }
}
