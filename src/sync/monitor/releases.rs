//! The checks that compare releases with Patch Tuesdays.

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

use super::model::{MonitorFacts, check};
use crate::documents::{
    CheckVerdict, ContentRoute, FamilyRelease, FamilyReleases, ProfileMatch, ProfileMatches, ProfileRecord,
    ReleaseAge, StatusCheck,
};
use crate::servicing::{Family, ServicingScope, due_day, patch_tuesdays_since, second_tuesday};
use crate::sync::config::Profile;
use crate::update::Month;

/// The number of Patch Tuesdays without a release that raises an alarm for a family in service. One may pass, because
/// releases slip and a run may be due. After two, the security updates of a month are certainly missing.
const PATCH_TUESDAYS_BEHIND: usize = 2;

/// The finding about a profile or a family.
struct CheckFinding<N> {
    verdict: CheckVerdict,
    /// The message; `None` if there is nothing to report.
    sentence: Option<String>,
    numbers: N,
}

/// Combines findings: the worst verdict, and the messages that belong to it.
fn combine<N, All>(
    compares: &'static str,
    fine: &str,
    none: &str,
    next: &str,
    findings: Vec<CheckFinding<N>>,
    all: impl FnOnce(Vec<N>) -> All,
) -> StatusCheck<All> {
    let is_ok = |finding: &CheckFinding<N>| finding.verdict == CheckVerdict::Ok;
    let worst = findings.iter().map(|finding| finding.verdict).filter(|verdict| verdict.is_wrong()).max();
    let verdict = match worst {
        Some(worst) => worst,
        None if findings.iter().any(is_ok) => CheckVerdict::Ok,
        None => CheckVerdict::NotApplicable,
    };
    let said = |wanted: &dyn Fn(&CheckFinding<N>) -> bool| -> Vec<&str> {
        findings.iter().filter(|one| wanted(one)).filter_map(|one| one.sentence.as_deref()).collect()
    };
    // Failures come first. Families that were not compared are always named.
    let mut sentences = said(&|one| one.verdict.is_wrong());
    if verdict == CheckVerdict::Ok {
        sentences.push(fine);
    }
    sentences.extend(said(&|one| !one.verdict.is_wrong()));
    if sentences.is_empty() {
        sentences.push(none);
    }
    let reason = sentences.join("; ");
    let numbers = all(findings.into_iter().map(|one| one.numbers).collect());
    check(compares, verdict, reason, Some(next), numbers)
}

/// Compares the newest known release of each mirrored family with later Patch Tuesdays.
pub(super) fn releases(facts: &MonitorFacts<'_>) -> StatusCheck<FamilyReleases> {
    let today = facts.today();
    let made = facts.newest_medium().and_then(|medium| medium.created.parse::<Timestamp>().ok());
    let until = match (facts.filled, made) {
        (ContentRoute::ByImport, Some(made)) => Offset::UTC.to_datetime(made).date().min(today),
        _ => today,
    };
    let findings = facts.families.iter().map(|mirrored| {
        let newest = mirrored.newest.unwrap_or_default();
        let mut numbers = FamilyRelease {
            family: mirrored.folder.clone(),
            sets: mirrored.sets,
            known_through: newest.any,
            known_cumulative: newest.cumulative,
            counted_until: until,
            compared: None,
        };
        let (Some(_), Some(family)) = (mirrored.newest, facts.family(&mirrored.folder)) else {
            let sentence = Some(format!("{} is not in the family table and was not compared", mirrored.folder));
            return CheckFinding { verdict: CheckVerdict::NotApplicable, sentence, numbers };
        };
        let servicing = facts.knowledge.servicing(family, ServicingScope::default(), until);
        let since = newest.cumulative.map(|newest| patch_tuesdays_since(newest, until).len());
        numbers.compared =
            Some(ReleaseAge { patch_tuesdays_since: since, servicing: servicing.clone() });
        let (verdict, sentence) = match (servicing.has_ended(), since, newest.cumulative) {
            (true, ..) => {
                let ended = servicing.until.map_or_else(String::new, |until| format!(" ended on {until}"));
                (CheckVerdict::NotApplicable, Some(format!("servicing of {}{ended}", family.name)))
            }
            (false, Some(since), Some(newest)) if since >= PATCH_TUESDAYS_BEHIND => {
                let sentence = match facts.filled {
                    ContentRoute::ByImport => format!(
                        "{since} Patch Tuesdays lie between the newest known release of {} ({newest}) and the creation of the newest medium ({until})",
                        family.name
                    ),
                    ContentRoute::BySync | ContentRoute::ByHand => format!(
                        "{since} Patch Tuesdays have passed since the newest known release of {} ({newest})",
                        family.name
                    ),
                };
                (CheckVerdict::Alarm, Some(sentence))
            }
            (false, Some(_), Some(_)) => (CheckVerdict::Ok, None),
            _ => (CheckVerdict::Unknown, Some(format!("no dated release of {} is known", family.name))),
        };
        CheckFinding { verdict, sentence, numbers }
    });
    let next = match facts.filled {
        ContentRoute::BySync => {
            "run kbmirror sync, and check that kbmirror.toml has a profile for the family"
        }
        ContentRoute::ByImport => "update the connected side before its next export",
        ContentRoute::ByHand => "run kbmirror crawl and kbmirror fetch for the newest updates",
    };
    combine(
        "the newest known release of each mirrored family, compared with later Patch Tuesdays",
        "every family in service has a known release of the last Patch Tuesday or the one before",
        "no family is mirrored",
        next,
        findings.collect(),
        |families| FamilyReleases { families },
    )
}

/// Compares the matches of each profile with the due releases.
pub(super) fn profiles(facts: &MonitorFacts<'_>) -> StatusCheck<ProfileMatches> {
    let findings: Vec<CheckFinding<ProfileMatch>> = match facts.filled {
        ContentRoute::ByImport | ContentRoute::ByHand => Vec::new(),
        ContentRoute::BySync => facts.profiles.iter().map(|profile| of_profile(facts, profile)).collect(),
    };
    combine(
        "the matches of each profile, compared with due releases (3 days after a Patch Tuesday)",
        "every profile matched the releases that were due",
        "this mirror does not search for profiles",
        "run kbmirror sync --dry-run, and compare family, kinds, and policy of the profile in kbmirror.toml",
        findings,
        |profiles| ProfileMatches { profiles },
    )
}

fn of_profile(facts: &MonitorFacts<'_>, profile: &Profile) -> CheckFinding<ProfileMatch> {
    let (name, family) = (&profile.name, &profile.family);
    let health = facts.health;
    let seen = health.and_then(|health| health.profiles.iter().find(|seen| seen.name == *name));
    let seen = seen.filter(|seen| seen.family == family.folder);
    let mut numbers = ProfileMatch {
        profile: name.clone(),
        family: family.folder.clone(),
        searched_for: seen.map(|seen| seen.today),
        matched: seen.map(|seen| seen.wanted),
        newest_month: seen.and_then(|seen| seen.newest),
        due_month: None,
    };
    let finding = |verdict, sentence: Option<String>, numbers| CheckFinding { verdict, sentence, numbers };
    if !profile.expects_monthly() {
        let sentence = format!("profile {name} has no monthly kind and was not compared");
        return finding(CheckVerdict::NotApplicable, Some(sentence), numbers);
    }
    let Some(seen) = seen else {
        // Version 0.1 only recorded expected updates that were missing.
        if let Some(health) =
            health.filter(|health| health.profiles.is_empty() && health.last_success.is_some())
        {
            let missing = health.expected.iter().any(|one| {
                let month = one.month.or_else(|| month_of(health.last_attempt.as_deref()));
                one.profile == *name
                    && one.kb.is_none()
                    && month
                        .is_some_and(|month| is_due(month, facts.today()) && is_served(facts, family, month))
            });
            let sentence = missing.then(|| format!("profile {name} matched no release that was due"));
            return finding(if missing { CheckVerdict::Alarm } else { CheckVerdict::Ok }, sentence, numbers);
        }
        // Another check reports a missing complete sync.
        let never = health.is_none_or(|health| health.last_success.is_none());
        let verdict = if never { CheckVerdict::NotApplicable } else { CheckVerdict::Unknown };
        return finding(verdict, Some(format!("profile {name} was not searched yet")), numbers);
    };
    let Some(due) = due_month(seen, facts.today()).filter(|due| is_served(facts, family, *due)) else {
        return finding(CheckVerdict::Ok, None, numbers);
    };
    numbers.due_month = Some(due);
    if seen.newest.is_some_and(|newest| newest >= due) {
        return finding(CheckVerdict::Ok, None, numbers);
    }
    let newest = seen.newest.map_or_else(String::new, |newest| format!("; its newest month is {newest}"));
    let sentence = format!(
        "profile {name} matched no cumulative update of {due} for {}, which was due{newest}",
        family.name
    );
    finding(CheckVerdict::Alarm, Some(sentence), numbers)
}

fn month_of(time: Option<&str>) -> Option<Month> {
    let time: Timestamp = time?.parse().ok()?;
    Month::of(Offset::UTC.to_datetime(time).date())
}

fn is_due(month: Month, today: Date) -> bool {
    second_tuesday(month.first_day()).is_some_and(|tuesday| due_day(tuesday) <= today)
}

/// Returns `true` if the family was still served on the second Tuesday of a month.
fn is_served(facts: &MonitorFacts<'_>, family: &Family, month: Month) -> bool {
    second_tuesday(month.first_day()).is_none_or(|tuesday| {
        !facts.knowledge.servicing(family, ServicingScope::default(), tuesday).has_ended()
    })
}

/// Returns the newest month whose release was due and inside the window of a search, or `None` if none was.
///
/// The search covered the months up to its own day. Whether a release is due depends on today. A release that a search
/// missed on the day after its Tuesday is missing as soon as the grace period is over.
fn due_month(seen: &ProfileRecord, today: Date) -> Option<Month> {
    // A search before the second Tuesday could not find the release of that month.
    let searched = second_tuesday(seen.today).filter(|tuesday| seen.today > *tuesday);
    let before = seen.today.first_of_month().checked_sub(1.day()).ok();
    let last = if searched.is_some() { Month::of(seen.today) } else { before.and_then(Month::of) };
    let due = last.filter(|month| is_due(*month, today)).or_else(|| last.and_then(Month::previous));
    due.filter(|due| *due >= seen.first)
}
