//! The age of the facts behind an answer. It consists of the day through which releases of the family are
//! known, the Patch Tuesdays since then, and the servicing of the family.
//!
//! Index and knowledge count together, and every kind of release counts for `known_through`. Patch Tuesdays
//! are counted from the newest cumulative update only, so that a package of another kind does not hide a
//! missing one.

use std::time::Duration;

use jiff::civil::Date;
use serde::Serialize;

use super::library::{Library, newest_of};
use super::request::{Goal, Request};
use crate::error::Result;
use crate::servicing::{Family, Knowledge, Servicing, ServicingScope, patch_tuesdays_since};
use crate::update::count;

/// The age of the facts behind an answer. The field names are part of the JSON output and do not change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, schemars::JsonSchema)]
pub struct Freshness {
    /// The day of the newest known release of the family, of any kind.
    #[schemars(with = "Option<crate::update::schema::DateText>")]
    pub known_through: Option<Date>,
    /// The day of the newest known cumulative update of the family.
    #[schemars(with = "Option<crate::update::schema::DateText>")]
    pub known_cumulative: Option<Date>,
    /// The number of second Tuesdays after the newest known cumulative update, each counted from its third
    /// day on.
    pub patch_tuesdays_since: Option<u32>,
    /// The servicing of the family, or of the machine's version and edition.
    pub servicing: Option<Servicing>,
    /// The name of the family.
    #[serde(skip)]
    family: Option<String>,
    /// The name whose servicing is stated: the machine's version, else the family.
    #[serde(skip)]
    serviced: Option<String>,
    /// The day that the answer uses as today.
    #[serde(skip)]
    today: Option<Date>,
    /// `true` if the caller chose that day.
    #[serde(skip)]
    is_chosen_day: bool,
}

/// A doubt about the age of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreshnessIssue {
    /// The family of the answer is unknown.
    UnknownFamily,
    /// No release of the family has a known date.
    Undated,
    /// The newest release is later than today: the clock or the entry is wrong.
    InFuture(Date),
    /// The number of Patch Tuesdays since the newest cumulative update.
    PatchTuesdays(u32),
    /// The facts are older than the caller allows.
    TooOld {
        /// The day through which releases are known.
        through: Date,
        /// The age in days.
        days: i64,
    },
}

/// The days by which a release may seem to be in the future, because time zones differ.
const ZONE_DAYS: i64 = 1;

impl Freshness {
    /// Returns the freshness of the facts about a family.
    pub fn of(
        family: &Family,
        request: &Request,
        library: &dyn Library,
        knowledge: &Knowledge,
    ) -> Result<Self> {
        let newest = newest_of(family, library, knowledge)?;
        let today = request.as_of.or(request.today);
        let build = request.machine.baseline.map(|build| build.number);
        let served = ServicingScope {
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
            serviced: Some(serviced_name(family, served.build)),
            today,
            is_chosen_day: request.as_of.is_some(),
        })
    }

    /// Returns the doubt that an operator should know, or `None`. Without a family, the answer itself states
    /// that.
    pub fn issue(&self) -> Option<FreshnessIssue> {
        self.family.as_ref()?;
        let today = self.today?;
        let (Some(through), Some(since)) = (self.known_through, self.patch_tuesdays_since) else {
            return Some(FreshnessIssue::Undated);
        };
        if !self.is_chosen_day && days_between(today, through) > ZONE_DAYS {
            return Some(FreshnessIssue::InFuture(through));
        }
        (since > 0).then_some(FreshnessIssue::PatchTuesdays(since))
    }

    /// Returns a doubt if the facts are older than this. Age is counted in complete days, from the earlier of
    /// `known_through` and `known_cumulative` to today.
    pub fn age_issue(&self, most: Duration) -> Option<FreshnessIssue> {
        let (Some(_), Some(today)) = (&self.family, self.today) else {
            return Some(FreshnessIssue::UnknownFamily);
        };
        let (Some(through), Some(cumulative)) = (self.known_through, self.known_cumulative) else {
            return Some(FreshnessIssue::Undated);
        };
        if let Some(issue @ FreshnessIssue::InFuture(_)) = self.issue() {
            return Some(issue);
        }
        let through = through.min(cumulative);
        let days = days_between(through, today);
        let is_older = u64::try_from(days).is_ok_and(|days| days.saturating_mul(86_400) > most.as_secs());
        is_older.then_some(FreshnessIssue::TooOld { through, days })
    }

    /// Returns the sentence about a doubt, for display.
    pub fn sentence(&self, issue: FreshnessIssue) -> String {
        let family = self.family.as_deref().unwrap_or("the family");
        let through = self.known_cumulative.map_or_else(|| "?".to_owned(), |date| date.to_string());
        match issue {
            FreshnessIssue::UnknownFamily => {
                "the family is unknown, so the age of this answer is unknown".to_owned()
            }
            FreshnessIssue::Undated => {
                format!(
                    "no dated cumulative update of {family} is known, so the age of this answer is unknown"
                )
            }
            FreshnessIssue::InFuture(date) => format!(
                "the newest known release of {family} is of {date}, which is in the future: check the clock of this machine"
            ),
            FreshnessIssue::PatchTuesdays(number) => {
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
            FreshnessIssue::TooOld { through, days } => {
                format!("{family} is known through {through}, which is {} ago", count(days, "day"))
            }
        }
    }

    /// Returns the statement of a script's header about its facts, or `None` without a known day.
    pub fn header(&self) -> Option<String> {
        let (today, through) = (self.today?, self.known_through?);
        let known = format!("releases known through {through}");
        Some(match self.issue() {
            Some(FreshnessIssue::PatchTuesdays(number)) => {
                format!("{known}, {} before {today}", count(number, "Patch Tuesday"))
            }
            Some(FreshnessIssue::InFuture(_)) => format!("{known}, which is after {today}: check the clock"),
            _ => known,
        })
    }

    /// Returns the warnings of an answer that claims to be the latest, or that nothing is to do, or that is about a
    /// family whose servicing has ended.
    pub(super) fn warnings(&self, is_done: bool, goal: &Goal) -> Vec<String> {
        let mut warnings = Vec::new();
        if is_done || !matches!(goal, Goal::Kb(_)) {
            warnings.extend(self.issue().map(|issue| self.sentence(issue)));
        }
        if let (Some(servicing), Some(family), Some(serviced)) =
            (&self.servicing, &self.family, &self.serviced)
            && (is_done || servicing.has_ended())
        {
            let ended = servicing.sentence(if servicing.has_ended() { serviced } else { family });
            // The sentence about Patch Tuesdays already states it.
            let is_said = servicing.has_ended() && !warnings.is_empty();
            warnings.extend(ended.filter(|_| !is_said));
        }
        warnings
    }
}

/// Returns the name of a machine's version, because the versions of a family end on different days; else the family's
/// name.
fn serviced_name(family: &Family, build: Option<u32>) -> String {
    let release = build.and_then(|build| family.release_of(build));
    let named = release.and_then(|release| family.title_products().find(|name| name.ends_with(release)));
    named.unwrap_or_else(|| family.name.clone())
}

/// Returns the number of days from one day to another.
fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24
}
