//! The checks that compare times.

use std::time::Duration;

use jiff::Timestamp;

use super::model::{MonitorFacts, SKEW_SECONDS, check};
use crate::documents::{
    CheckVerdict, ClockTimes, ContentRoute, LastRun, MediumAge, MediumNumbers, StatusCheck, UpdateAge,
};
use crate::update::count;

/// The age of a recorded time.
enum Age {
    /// Nothing is recorded.
    Never,
    /// The record is not a time.
    NotATime(String),
    /// The record is later than the clock.
    Future(Timestamp),
    /// The age in seconds.
    Seconds(u64),
}

/// Returns the age of a recorded time. The age is 0 if the time is later than the clock by less than the allowed skew.
fn age_of(time: Timestamp, now: Timestamp) -> Age {
    let seconds = now.as_second().saturating_sub(time.as_second());
    if seconds < -SKEW_SECONDS {
        return Age::Future(time);
    }
    Age::Seconds(u64::try_from(seconds).unwrap_or(0))
}

fn age_of_text(text: Option<&str>, now: Timestamp) -> Age {
    match text.map(|text| (text, text.parse::<Timestamp>())) {
        None => Age::Never,
        Some((_, Ok(time))) => age_of(time, now),
        Some((text, Err(_))) => Age::NotATime(text.to_owned()),
    }
}

/// Returns an age for people, in the largest unit with sufficient precision.
fn words(seconds: u64) -> String {
    let (number, unit) = match seconds {
        172_800.. => (seconds / 86_400, "day"),
        7_200.. => (seconds / 3_600, "hour"),
        _ => (seconds / 60, "minute"),
    };
    count(number, unit)
}

/// Returns the verdict on an age and its reason.
fn judge(what: &str, age: &Age, never: &str, max_age: Duration) -> (CheckVerdict, String) {
    match age {
        Age::Never => (CheckVerdict::Alarm, never.to_owned()),
        Age::NotATime(text) => {
            (CheckVerdict::Unknown, format!("the recorded time of {what}, {text:?}, is not a time"))
        }
        Age::Future(time) => (
            CheckVerdict::Unknown,
            format!(
                "the time of {what}, {time}, is in the future: the clock of this machine is wrong, and the age is unknown"
            ),
        ),
        Age::Seconds(seconds) => {
            let (old, most) = (words(*seconds), words(max_age.as_secs()));
            if *seconds > max_age.as_secs() {
                (CheckVerdict::Alarm, format!("{what} is {old} old, but the maximum is {most}"))
            } else {
                (CheckVerdict::Ok, format!("{what} is {old} old; the maximum is {most}"))
            }
        }
    }
}

fn seconds_of(age: &Age) -> Option<u64> {
    match age {
        Age::Seconds(seconds) => Some(*seconds),
        _ => None,
    }
}

/// Checks the exit code of the last sync.
pub(super) fn last_run(facts: &MonitorFacts<'_>) -> StatusCheck<LastRun> {
    let health = facts.health;
    // The index also records the exit code, so a lost health.json does not hide it.
    let code = health.and_then(|health| health.last_exit_code).map(i64::from).or(facts.last_sync_code);
    let numbers = LastRun {
        last_attempt: health.and_then(|health| health.last_attempt.clone()),
        exit_code: code,
        items_failed: health.map(|health| health.items_failed),
        unfinished_since: facts.unfinished.as_ref().map(|run| run.started.clone()),
    };
    let pending = match &facts.unfinished {
        Some(run) => format!("; a run that started at {} has not ended or was killed", run.started),
        None => String::new(),
    };
    let (verdict, reason) = match code {
        None => (CheckVerdict::NotApplicable, "no sync has ended in this mirror".to_owned()),
        Some(0) => (CheckVerdict::Ok, "the last sync was complete".to_owned()),
        Some(13) => (CheckVerdict::Alarm, "the last sync stopped at its budget (exit code 13)".to_owned()),
        Some(code @ (130 | 143)) => {
            (CheckVerdict::Alarm, format!("the last sync was stopped (exit code {code})"))
        }
        Some(code) => (CheckVerdict::Alarm, format!("the last sync ended with exit code {code}")),
    };
    let next = match code {
        Some(13 | 130 | 143) => "run kbmirror sync again; it resumes",
        _ => "read its report under runs/, and run kbmirror sync again",
    };
    check("the result of the last sync", verdict, format!("{reason}{pending}"), Some(next), numbers)
}

/// Compares the age of the last complete sync, import, or fetch with the allowed age.
pub(super) fn update_age(facts: &MonitorFacts<'_>) -> StatusCheck<UpdateAge> {
    let now = facts.now;
    let success = facts.health.and_then(|health| health.last_success.as_deref());
    let imported = facts.media.iter().filter_map(|medium| medium.imported.as_deref()).max();
    let import = || age_of_text(imported, now);
    let (what, age, never) = match facts.filled {
        ContentRoute::ByImport => {
            ("the last import", import(), "the time of the last import is not recorded")
        }
        ContentRoute::BySync => {
            // The index also records the last complete run, so a lost health.json does not hide it.
            let sync = match (success, facts.last_sync) {
                (None, Some(time)) => age_of(time, now),
                (text, _) => age_of_text(text, now),
            };
            match (sync, import()) {
                (Age::Seconds(synced), age @ Age::Seconds(seconds)) if seconds < synced => {
                    ("the last import", age, "")
                }
                (Age::Never, age @ Age::Seconds(_)) => ("the last import", age, ""),
                (sync, _) => ("the last complete sync", sync, "no sync was ever complete"),
            }
        }
        ContentRoute::ByHand => {
            let age = facts.last_fetch.map_or(Age::Never, |time| age_of(time, now));
            ("the last complete fetch", age, "no sync, import, or fetch was ever complete")
        }
    };
    let (mut verdict, mut reason) = judge(what, &age, never, facts.max_age);
    if facts.filled == ContentRoute::ByImport && matches!(age, Age::Never) {
        verdict = CheckVerdict::Unknown;
    }
    if let Some(today) = facts.health.and_then(|health| health.last_today)
        && facts.filled == ContentRoute::BySync
        && let Some(Ok(time)) = success.map(str::parse::<Timestamp>)
        && today < jiff::tz::Offset::UTC.to_datetime(time).date()
    {
        reason = format!("{reason}; the sync used {today} as today");
    }
    let numbers = UpdateAge {
        filled: facts.filled,
        last_sync: success.map(str::to_owned).or_else(|| facts.last_sync.map(|time| time.to_string())),
        last_import: imported.map(str::to_owned),
        last_fetch: facts.last_fetch.map(|time| time.to_string()),
        age_seconds: seconds_of(&age),
        max_age_seconds: facts.max_age.as_secs(),
    };
    let next = match facts.filled {
        ContentRoute::ByImport => "import a newer medium: kbmirror import DIR",
        ContentRoute::BySync => "run kbmirror sync, and check its schedule",
        ContentRoute::ByHand => {
            "run kbmirror fetch, or set up a schedule with kbmirror init and kbmirror schedule"
        }
    };
    check(
        "age of the last complete sync, import, or fetch, compared with --max-age",
        verdict,
        reason,
        Some(next),
        numbers,
    )
}

/// Compares the age of the newest imported medium with the allowed age. The date of a medium is signed.
pub(super) fn medium_age(facts: &MonitorFacts<'_>) -> StatusCheck<MediumAge> {
    let compares = "age of the newest imported medium, from its creation, compared with --max-age";
    let Some(medium) = facts.newest_medium() else {
        let (verdict, reason) = match facts.filled {
            ContentRoute::ByImport => (CheckVerdict::Unknown, "no imported medium is recorded"),
            ContentRoute::BySync | ContentRoute::ByHand => {
                (CheckVerdict::NotApplicable, "nothing was imported")
            }
        };
        return check(
            compares,
            verdict,
            reason,
            Some("import a medium: kbmirror import DIR"),
            MediumAge::default(),
        );
    };
    let age = age_of_text(Some(&medium.created), facts.now);
    let what = format!("the newest medium, set {:04},", medium.number);
    let (mut verdict, mut reason) = judge(&what, &age, "", facts.max_age);
    if facts.filled == ContentRoute::BySync && verdict == CheckVerdict::Alarm {
        // A synced mirror has newer content than a medium that was imported earlier.
        (verdict, reason) = (
            CheckVerdict::NotApplicable,
            "the mirror is synced; its media are older than its content".to_owned(),
        );
    }
    // Another lineage may have ended, so its age is reported but raises no alarm.
    for other in facts.media.iter().filter(|other| *other != medium) {
        let age = age_of_text(Some(&other.created), facts.now);
        let what = format!("the newest medium of another lineage, set {:04},", other.number);
        let (is_wrong, sentence) = judge(&what, &age, "", facts.max_age);
        if is_wrong.is_wrong() {
            reason = format!("{reason}; {sentence}");
        }
    }
    let numbers = MediumNumbers {
        seq: medium.seq,
        number: medium.number,
        created: medium.created.clone(),
        imported: medium.imported.clone(),
        age_seconds: seconds_of(&age),
        max_age_seconds: facts.max_age.as_secs(),
    };
    let numbers = MediumAge { medium: Some(numbers) };
    let next = "import a newer medium, made with kbmirror export on the connected side";
    check(compares, verdict, reason, Some(next), numbers)
}

/// Compares recorded times with the clock. With a clock that is behind, ages are unknown.
pub(super) fn clock(facts: &MonitorFacts<'_>) -> StatusCheck<ClockTimes> {
    let health = facts.health;
    let mut times: Vec<(&str, Option<Timestamp>)> = Vec::new();
    let read = |text: Option<&String>| text.and_then(|text| text.parse().ok());
    times.push(("the last sync", read(health.and_then(|health| health.last_attempt.as_ref()))));
    times.push(("the last complete sync", read(health.and_then(|health| health.last_success.as_ref()))));
    let verify = health.and_then(|health| health.last_verify.as_ref());
    times.push(("the last verify", read(verify.map(|verify| &verify.time))));
    for medium in &facts.media {
        times.push(("the newest medium", read(Some(&medium.created))));
        times.push(("the last import", read(medium.imported.as_ref())));
    }
    times.push(("the last complete sync", facts.last_sync));
    times.push(("the last complete fetch", facts.last_fetch));
    times.push(("the last run", read(facts.unfinished.as_ref().map(|run| &run.started))));
    let newest = times.into_iter().filter_map(|(what, time)| Some((time?, what))).max();
    let numbers =
        ClockTimes { now: facts.now.to_string(), newest_recorded: newest.map(|(time, _)| time.to_string()) };
    let (verdict, reason) = match newest {
        None => (CheckVerdict::NotApplicable, "no time is recorded".to_owned()),
        Some((time, what)) if matches!(age_of(time, facts.now), Age::Future(_)) => (
            CheckVerdict::Alarm,
            format!("the clock is behind: {what} has the time {time}, but the clock shows {}", facts.now),
        ),
        Some(_) => (CheckVerdict::Ok, "no recorded time is in the future".to_owned()),
    };
    let next = "set the clock of this machine; ages are wrong until then";
    check("recorded times, compared with the clock", verdict, reason, Some(next), numbers)
}
