//! The check of the dates of a set against the clock of this machine and the memory of earlier sets.
//!
//! A signature states who made a set, but not that the set is the newest one. The dates detect an expired medium, a
//! number that would make every later set look older, and a mirror that lost its memory. If the clock is behind the
//! last import, the dates are not judged, and a warning is given.

use jiff::{SignedDuration, Timestamp};

use super::memory::last_import;
use super::signed::SignedSet;
use crate::carrier::medium::refused;
use crate::documents::{LastImport, StateDocument};
use crate::error::{Error, ErrorKind, Result};

/// The maximum time that a set may be ahead of the local clock. Clocks that are not synchronised drift by minutes a
/// month; a clock that lost its battery is off by years.
const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The maximum time that a clock may go back between two runs, as time services correct it.
const JITTER: SignedDuration = SignedDuration::from_mins(5);

/// The maximum step between the numbers of two consecutive sets. A larger step is refused, unless the number is a
/// time in seconds, with which a mirror that lost its count continues.
const JUMP: u64 = 1000;

/// The maximum number of seconds that such a number may exceed the date of its set: a day, for corrected clocks.
const SECONDS_AHEAD: u64 = 86_400;

/// The dates of a set, judged by the clock of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetDates {
    /// The end of the set's validity as RFC 3339, or `None` if the set does not expire.
    pub expires: Option<String>,
    /// `true` if the end has passed, by a clock that is plausible.
    pub is_expired: bool,
    /// The time of the last import or export, if the clock is behind it.
    pub clock_behind: Option<String>,
}

impl SetDates {
    /// Judges the dates of a set. Refuses dates that no honest set has.
    pub(in crate::carrier) fn judge(
        signed: &SignedSet,
        state: &StateDocument,
        now: Timestamp,
        accepts_lineage: bool,
    ) -> Result<Self> {
        let set = &signed.set;
        let read = |what: &str, text: &str| {
            text.parse::<Timestamp>().map_err(|error| {
                refused(format!("set {} has an invalid {what}: {text:?} is not a time", set.label()))
                    .caused_by(error)
            })
        };
        let created = read("export time", &set.created)?;
        let expires = set.expires.as_deref().map(|text| read("end of validity", text)).transpose()?;
        if created.duration_since(now) > AHEAD {
            return Err(refused(format!(
                "set {} was exported on {created}, but the clock of this machine shows {now}",
                set.label()
            ))
            .hint("set the clock of this machine if it is wrong; otherwise ask who made the medium"));
        }
        let last = last_import(state, signed);
        if last.is_some() || !accepts_lineage {
            refuse_jump(signed, last.as_ref(), created)?;
        }
        let times = state.imports.values().filter_map(|last| last.imported.as_deref());
        let clock_behind = time_ahead_of_clock(times.chain(state.last_export.as_deref()), now);
        let is_expired = clock_behind.is_none() && expires.is_some_and(|end| now > end);
        Ok(Self { expires: set.expires.clone(), is_expired, clock_behind })
    }

    /// Refuses an expired set.
    pub(in crate::carrier) fn expect_current(&self, signed: &SignedSet) -> Result<()> {
        let Some(end) = self.expires.as_ref().filter(|_| self.is_expired) else { return Ok(()) };
        Err(Error::new(
            ErrorKind::Unresolved,
            format!("set {}, exported on {}, expired on {end}", signed.set.label(), signed.set.created),
        )
        .hint("bring a newer medium: newer media may have been held back")
        .hint("or import the expired set with --accept-expired"))
    }

    /// Returns warnings about the dates for the operator.
    pub fn warnings(&self) -> Vec<String> {
        let clock = self.clock_behind.as_ref().map(|time| {
            let unjudged =
                if self.expires.is_some() { "; did not check the end of validity of the set" } else { "" };
            format!("the clock of this machine went backwards: its last run was at {time}{unjudged}")
        });
        let end = match (&self.expires, self.is_expired) {
            (None, _) => {
                Some("the set does not expire: cannot detect whether newer sets were held back".to_owned())
            }
            (Some(end), true) => Some(format!("the set expired on {end}")),
            (Some(_), false) => None,
        };
        clock.into_iter().chain(end).collect()
    }
}

/// Returns the latest of some times if the clock is behind it, otherwise `None`.
pub(in crate::carrier) fn time_ahead_of_clock<'a>(
    times: impl Iterator<Item = &'a str>,
    now: Timestamp,
) -> Option<String> {
    let latest = times.filter_map(|time| time.parse::<Timestamp>().ok()).max()?;
    (latest.duration_since(now) > JITTER).then(|| latest.to_string())
}

/// Refuses a number that would leave no room for later sets of the lineage.
fn refuse_jump(signed: &SignedSet, last: Option<&LastImport>, created: Timestamp) -> Result<()> {
    let set = &signed.set;
    let (last, seconds) =
        (last.map_or(0, |last| last.seq), u64::try_from(created.as_second()).unwrap_or_default());
    if set.seq <= last.saturating_add(JUMP) || set.seq <= seconds.saturating_add(SECONDS_AHEAD) {
        return Ok(());
    }
    Err(refused(format!(
        "set {} has a number that is too high: the last imported set had {last}",
        set.seq
    ))
    .hint("ask who made the medium: after this set every later set would count as older, and other people may have the export key")
    .hint("or use --accept-lineage if the clock of the connected side was once ahead and no set of it was imported yet"))
}

/// Refuses a set with an older number and a newer date: one of the two is wrong.
pub(in crate::carrier) fn refuse_contradiction(signed: &SignedSet, last: &LastImport) -> Result<()> {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let is_newer = time(&signed.set.created) > time(&last.created);
    if signed.set.seq >= last.seq || !is_newer {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unresolved,
        format!(
            "set {} was exported on {}, after the last imported set ({}), but has a lower number ({} after {})",
            signed.set.label(),
            signed.set.created,
            last.created,
            signed.set.seq,
            last.seq
        ),
    )
    .hint("check the connected side: its mirror lost its count (as after a restore from a backup), or its clock is wrong; nothing was changed")
    .hint("export again on the connected side, with the newest state.json that it has"))
}
