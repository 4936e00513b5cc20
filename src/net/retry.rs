//! The time of the next try: a pure function of the failure, the number of failures, and the time since the first try.
//!
//! The Catalog has spells of half a minute to half an hour in which it answers with its error page, resets
//! connections, or stalls; most pass soon. So the first waits are short and each is longer than the one before, up to a
//! quarter of an hour. The waits of several machines that a timer started together drift apart by jitter.
//!
//! A server that says when to come back is never asked earlier. When that is later than the patience allows, waiting
//! for less would be useless, so it is given up at once. The last wait is cut to the rest of the patience, so that ten
//! minutes are used as ten minutes. The waits together never exceed the patience, which is the operator's.

use std::time::Duration;

use crate::error::{Error, Retry};

/// The default patience when a person waits for the answer: longer than the bursts of error pages, shorter than a person
/// stays.
pub const INTERACTIVE_PATIENCE: Duration = Duration::from_mins(10);

/// The same for a scheduled run: the longest stall that was seen lasted "over 25 minutes", and the wait that is under way
/// when it ends may be the longest, 15 minutes more.
pub const UNATTENDED_PATIENCE: Duration = Duration::from_mins(45);

/// The longest time of one page, headers included. The Catalog was seen to answer after 100 s in a bad spell; a page has
/// 2 MiB at most, which a line of 100 kbit/s brings in 170 s.
const LONGEST_PAGE: Duration = Duration::from_mins(5);

/// The shortest time that one page has, however short the patience is: 0.7 s is usual, and a new connection through a
/// proxy takes some seconds. With `--patience 3s`, the last try ends within 8 s.
const SHORTEST_PAGE: Duration = Duration::from_secs(5);

/// Returns the time limit of one page for a patience. Nobody waits longer for one answer than for all tries together.
pub fn page_limit(patience: Duration) -> Duration {
    patience.clamp(SHORTEST_PAGE, LONGEST_PAGE)
}

/// The waits before the second try, the third, and so on, in seconds; the last one repeats. The shape is that of the
/// practice collected in the Catalog's protocol notes: seconds for a burst of error pages, minutes for a stall.
const WAITS: [u64; 9] = [1, 2, 4, 8, 15, 60, 120, 300, 900];

/// A stall takes half a minute at least, and each question makes it worse: the client that was made for the stall of
/// 25 minutes began with 15 s.
const FIRST_WAIT_OF_A_STALL: u32 = 4;

/// No wait is longer unless the server asks for it.
const LONGEST: Duration = Duration::from_mins(15);

/// A shorter rest of the patience is not worth another request.
const SHORTEST: Duration = Duration::from_secs(1);

/// A number without meaning that moves a wait by up to a quarter, down at 0 and up at its greatest. A quarter is the
/// greatest round part under which each of the waits stays longer than the one before, whatever the numbers: the nearest
/// two of them are 8 and 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jitter(pub u32);

/// A failure with its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed {
    /// Its retry class.
    pub retry: Retry,
    /// The number of tries in a row that have failed; 1 is the first.
    pub times: u32,
    /// The time after which the server wants to be asked again.
    pub retry_after: Option<Duration>,
    /// The time since the first try began.
    pub elapsed: Duration,
    /// The time that it may take in all.
    pub patience: Duration,
}

/// The step after a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again after a while.
    After {
        /// The length of the wait.
        wait: Duration,
        /// The patience that is left then.
        left: Duration,
    },
    /// Not again.
    GiveUp(GiveUp),
}

/// The reason for which it is not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// The same request fails again.
    CannotPass,
    /// The patience is over.
    PatienceIsOver,
    /// The server wants to be left alone for longer than the patience allows.
    AskedToComeBackLater {
        /// The time after which the server wants to be asked again.
        wish: Duration,
        /// The patience that is left.
        left: Duration,
        /// The whole patience.
        patience: Duration,
    },
}

/// Returns the step after a failure.
pub fn next_try(failed: &Failed, jitter: Jitter) -> Next {
    if failed.retry == Retry::Never {
        return Next::GiveUp(GiveUp::CannotPass);
    }
    let left = failed.patience.saturating_sub(failed.elapsed);
    if let Some(wish) = failed.retry_after.filter(|&wish| wish > left) {
        return Next::GiveUp(GiveUp::AskedToComeBackLater { wish, left, patience: failed.patience });
    }
    if left < SHORTEST {
        return Next::GiveUp(GiveUp::PatienceIsOver);
    }
    let wait = wait_after(failed.retry, failed.times, jitter);
    let wait = wait.max(failed.retry_after.unwrap_or_default()).min(left);
    Next::After { wait, left: left.saturating_sub(wait) }
}

/// The wait after so many failures, without regard to the patience and the server's wish.
fn wait_after(retry: Retry, times: u32, Jitter(jitter): Jitter) -> Duration {
    let skipped = if retry == Retry::AfterStall { FIRST_WAIT_OF_A_STALL } else { 0 };
    let index = times.max(1).saturating_sub(1).saturating_add(skipped) as usize;
    let base = WAITS[index.min(WAITS.len() - 1)] * 1000;
    let moved = base * 3 / 4 + ((base / 2 * u64::from(jitter)) >> u32::BITS);
    Duration::from_millis(moved).min(LONGEST)
}

impl GiveUp {
    /// Puts the reason to the error, where it says more than the error does.
    #[must_use]
    pub fn explain(self, error: Error) -> Error {
        match self {
            Self::CannotPass | Self::PatienceIsOver => error,
            Self::AskedToComeBackLater { wish, left, patience } => {
                let of =
                    if left == patience { String::new() } else { format!("the {} left of ", span(left)) };
                error.hint(format!(
                    "the server asks to come back in {}, longer than {of}the patience of {}",
                    seconds(wish),
                    span(patience)
                ))
            }
        }
    }
}

/// A duration in seconds, as servers state it: `4000 s`. A part of a second counts as one.
pub fn seconds(duration: Duration) -> String {
    let part = u64::from(duration.subsec_nanos() > 0);
    format!("{} s", duration.as_secs().saturating_add(part))
}

/// A duration as people write it: `45m`, `9m 30s`, `1h 5m`.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let words: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        // Nobody counts the seconds of hours.
        .take(2)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if words.is_empty() { "0s".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// In the middle: the waits as they stand in the table.
    const NONE: Jitter = Jitter(1 << 31);

    fn failed(patience: Duration) -> Failed {
        Failed { retry: Retry::Soon, times: 1, retry_after: None, elapsed: Duration::ZERO, patience }
    }

    /// All waits until it is given up, in seconds.
    fn waits(mut failed: Failed, jitter: Jitter) -> Vec<u64> {
        let mut waits = Vec::new();
        while let Next::After { wait, left } = next_try(&failed, jitter) {
            waits.push(wait.as_secs());
            failed.elapsed += wait;
            failed.times += 1;
            assert_eq!(failed.elapsed + left, failed.patience);
        }
        waits
    }

    #[test]
    fn waits_grow_and_end_with_the_budget() {
        assert_eq!(waits(failed(Duration::from_secs(30)), NONE), [1, 2, 4, 8, 15]);
        assert_eq!(waits(failed(INTERACTIVE_PATIENCE), NONE), [1, 2, 4, 8, 15, 60, 120, 300, 90]);
        let unattended = [1, 2, 4, 8, 15, 60, 120, 300, 900, 900, 390];
        assert_eq!(waits(failed(UNATTENDED_PATIENCE), NONE), unattended);
        assert_eq!(waits(failed(Duration::ZERO), NONE), [0; 0]);
        let stall = Failed { retry: Retry::AfterStall, ..failed(INTERACTIVE_PATIENCE) };
        assert_eq!(waits(stall, NONE), [15, 60, 120, 300, 105]);
    }

    #[test]
    fn a_server_that_says_when_is_obeyed_within_the_budget() {
        let asked = |wish, elapsed| {
            let failed = Failed {
                retry_after: Some(Duration::from_secs(wish)),
                elapsed: Duration::from_secs(elapsed),
                ..failed(INTERACTIVE_PATIENCE)
            };
            next_try(&failed, NONE)
        };
        let after =
            |wait, left| Next::After { wait: Duration::from_secs(wait), left: Duration::from_secs(left) };
        assert_eq!(asked(20, 0), after(20, 580));
        assert_eq!(asked(600, 0), after(600, 0));
        assert_eq!(asked(0, 0), after(1, 599), "a server that is in a hurry is no reason for haste");
        let later = |wish, elapsed| match asked(wish, elapsed) {
            Next::GiveUp(why) => {
                let error = Error::new(crate::error::ErrorKind::Unreachable, "x");
                why.explain(error).hints().concat()
            }
            next @ Next::After { .. } => panic!("{next:?}"),
        };
        assert_eq!(later(4000, 0), "the server asks to come back in 4000 s, longer than the patience of 10m");
        assert_eq!(
            later(120, 550),
            "the server asks to come back in 120 s, longer than the 50s left of the patience of 10m"
        );
    }

    #[test]
    fn what_cannot_pass_is_given_up_at_once() {
        let failed = Failed { retry: Retry::Never, ..failed(UNATTENDED_PATIENCE) };
        assert_eq!(next_try(&failed, NONE), Next::GiveUp(GiveUp::CannotPass));
    }

    #[test]
    fn no_input_overflows() {
        let extreme = Failed {
            times: u32::MAX,
            elapsed: Duration::MAX,
            retry_after: Some(Duration::MAX),
            ..failed(Duration::MAX)
        };
        assert!(matches!(next_try(&extreme, Jitter(u32::MAX)), Next::GiveUp(_)));
        let endless = Failed { times: 0, retry: Retry::AfterStall, ..failed(Duration::MAX) };
        assert!(matches!(next_try(&endless, Jitter(0)), Next::After { .. }));
    }

    #[test]
    fn durations_for_people() {
        let texts = [0, 59, 60, 570, 2700, 3600, 3900, 86_399].map(|secs| span(Duration::from_secs(secs)));
        assert_eq!(texts, ["0s", "59s", "1m", "9m 30s", "45m", "1h", "1h 5m", "23h 59m"]);
        assert_eq!(seconds(Duration::from_millis(1500)), "2 s");
    }

    fn any_retry() -> impl Strategy<Value = Retry> {
        prop_oneof![8 => Just(Retry::Soon), 4 => Just(Retry::AfterStall), 1 => Just(Retry::Never)]
    }

    proptest! {
        #[test]
        fn the_waits_together_never_exceed_the_patience(
            patience in 0_u64..10_000,
            tries in prop::collection::vec((any_retry(), any::<u32>(), prop::option::of(0_u64..2000), 0_u64..200), 0..60),
        ) {
            let patience = Duration::from_secs(patience);
            let (mut waited, mut elapsed) = (Duration::ZERO, Duration::ZERO);
            for (index, (retry, jitter, wish, took)) in tries.into_iter().enumerate() {
                elapsed += Duration::from_secs(took);
                let retry_after = wish.map(Duration::from_secs);
                let times = u32::try_from(index).unwrap() + 1;
                let failed = Failed { retry, times, retry_after, elapsed, patience };
                match next_try(&failed, Jitter(jitter)) {
                    Next::After { wait, left } => {
                        prop_assert!(retry != Retry::Never);
                        prop_assert!(wait <= LONGEST.max(retry_after.unwrap_or_default()));
                        prop_assert!(wait >= retry_after.unwrap_or_default(), "a server's wish is never undercut");
                        prop_assert_eq!(elapsed + wait + left, patience);
                        waited += wait;
                        elapsed += wait;
                    }
                    Next::GiveUp(_) => break,
                }
                prop_assert!(waited <= patience && elapsed <= patience);
            }
        }

        #[test]
        fn waits_grow_with_the_failures_whatever_the_jitter(
            stall: bool, times in 0_u32..20, one: u32, other: u32,
        ) {
            let retry = if stall { Retry::AfterStall } else { Retry::Soon };
            let before = wait_after(retry, times, Jitter(one));
            let after = wait_after(retry, times + 1, Jitter(other));
            // At the end of the table the waits are alike but for the jitter.
            let at_the_end = before >= Duration::from_mins(15) * 3 / 4;
            prop_assert!(times == 0 || before < after || at_the_end, "{before:?} {after:?}");
            prop_assert!(wait_after(Retry::AfterStall, times, Jitter(one)) >= wait_after(Retry::Soon, times, Jitter(one)));
            prop_assert!(before <= LONGEST);
        }

        #[test]
        fn more_jitter_is_a_longer_wait(times in 1_u32..20, one: u32, other: u32) {
            let (low, high) = (one.min(other), one.max(other));
            let wait = |jitter| wait_after(Retry::Soon, times, Jitter(jitter));
            prop_assert!(wait(low) <= wait(high));
            prop_assert!(wait(high) <= wait(0) * 5 / 3 + Duration::from_millis(1));
        }
    }
}
