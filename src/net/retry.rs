//! The time of the next retry: a pure function of the failure, the number of failures, and the time since the first
//! try.
//!
//! The Catalog has outages of half a minute to half an hour in which it returns its error page, resets connections, or
//! stalls. Most of them end soon. The first waits are therefore short, and each wait is longer than the one before, up
//! to 15 minutes. Jitter separates the waits of several machines that a timer started together.
//!
//! A server that sends `Retry-After` is never contacted earlier. If that wait exceeds the retry budget, the request
//! fails at once, because a shorter wait would be useless. The last wait is cut to the rest of the budget, so that a
//! budget of ten minutes is used completely. All waits together never exceed the retry budget, which the operator sets.

use std::time::Duration;

use crate::error::{Error, Retry};

/// The default retry budget for interactive use: longer than the bursts of error pages, shorter than a person waits.
pub const INTERACTIVE_RETRY_BUDGET: Duration = Duration::from_mins(10);

/// The default retry budget of a scheduled run: the longest observed stall lasted "over 25 minutes". The wait in
/// progress at its end may be the longest one, 15 minutes more.
pub const UNATTENDED_RETRY_BUDGET: Duration = Duration::from_mins(45);

/// The longest time of one page, headers included. The Catalog was observed to answer after 100 s while it was
/// overloaded. A page has at most 2 MiB, which a line of 100 kbit/s transfers in 170 s.
const LONGEST_PAGE: Duration = Duration::from_mins(5);

/// The shortest time limit of one page, also with a smaller retry budget. A page usually takes 0.7 s, and a new
/// connection through a proxy takes some seconds. With `--patience 3s`, the last try ends within 8 s.
const SHORTEST_PAGE: Duration = Duration::from_secs(5);

/// Returns the time limit of one page for a retry budget. One response may not take longer than all tries together.
pub fn page_limit(retry_budget: Duration) -> Duration {
    retry_budget.clamp(SHORTEST_PAGE, LONGEST_PAGE)
}

/// The waits before the second try, the third, and so on, in seconds; the last one repeats. Error pages observed on the
/// live Catalog come in bursts of seconds, and stalls take minutes.
const WAITS: [u64; 9] = [1, 2, 4, 8, 15, 60, 120, 300, 900];

/// The table index of the first wait of a stall. A stall takes at least half a minute, and each query makes it worse.
/// The client that was written for the stall of 25 minutes began with 15 s.
const FIRST_WAIT_OF_A_STALL: u32 = 4;

/// The longest wait, unless the server requests a longer one.
const LONGEST: Duration = Duration::from_mins(15);

/// The shortest rest of the retry budget that is worth another request.
const SHORTEST: Duration = Duration::from_secs(1);

/// A random number that moves a wait by up to a quarter: down at 0, up at its maximum. A quarter is the greatest round
/// part that keeps each wait longer than the one before, for all random numbers. The closest two waits are 8 and 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jitter(pub u32);

/// A failure with its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedTry {
    /// The retry class of the failure.
    pub retry: Retry,
    /// The number of consecutive failed tries, starting at 1.
    pub times: u32,
    /// The wait that the server requests.
    pub retry_after: Option<Duration>,
    /// The time since the first try began.
    pub elapsed: Duration,
    /// The retry budget.
    pub retry_budget: Duration,
}

/// The step after a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDecision {
    /// A retry after a wait.
    After {
        /// The length of the wait.
        wait: Duration,
        /// The retry budget left after this wait.
        left: Duration,
    },
    /// The end of the request, without a retry.
    GiveUp(GiveUpReason),
}

/// The reason why a request is not retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUpReason {
    /// A permanent failure: the same request would fail again.
    Permanent,
    /// A retry budget that is used up.
    BudgetExhausted,
    /// A server that requests a longer wait than the retry budget allows.
    RetryAfterTooLong {
        /// The wait that the server requests.
        requested: Duration,
        /// The retry budget that is left.
        left: Duration,
        /// The complete retry budget.
        retry_budget: Duration,
    },
}

/// Returns the step after a failure.
pub fn decide_retry(failed: &FailedTry, jitter: Jitter) -> RetryDecision {
    if failed.retry == Retry::Never {
        return RetryDecision::GiveUp(GiveUpReason::Permanent);
    }
    let left = failed.retry_budget.saturating_sub(failed.elapsed);
    if let Some(requested) = failed.retry_after.filter(|&requested| requested > left) {
        return RetryDecision::GiveUp(GiveUpReason::RetryAfterTooLong {
            requested,
            left,
            retry_budget: failed.retry_budget,
        });
    }
    if left < SHORTEST {
        return RetryDecision::GiveUp(GiveUpReason::BudgetExhausted);
    }
    let wait = wait_after(failed.retry, failed.times, jitter);
    let wait = wait.max(failed.retry_after.unwrap_or_default()).min(left);
    RetryDecision::After { wait, left: left.saturating_sub(wait) }
}

/// Returns the wait after `times` failures, regardless of the retry budget and `Retry-After`.
fn wait_after(retry: Retry, times: u32, Jitter(jitter): Jitter) -> Duration {
    let skipped = if retry == Retry::AfterStall { FIRST_WAIT_OF_A_STALL } else { 0 };
    let index = times.max(1).saturating_sub(1).saturating_add(skipped) as usize;
    let base = WAITS[index.min(WAITS.len() - 1)] * 1000;
    let moved = base * 3 / 4 + ((base / 2 * u64::from(jitter)) >> u32::BITS);
    Duration::from_millis(moved).min(LONGEST)
}

impl GiveUpReason {
    /// Adds the reason to the error as a hint, if it adds information.
    #[must_use]
    pub fn explain(self, error: Error) -> Error {
        match self {
            Self::Permanent | Self::BudgetExhausted => error,
            Self::RetryAfterTooLong { requested, left, retry_budget } => {
                let of =
                    if left == retry_budget { String::new() } else { format!("the {} left of ", span(left)) };
                error.hint(format!(
                    "raise --patience: the server requests a retry after {}, longer than {of}the retry budget of {}",
                    seconds(requested),
                    span(retry_budget)
                ))
            }
        }
    }
}

/// Formats a duration in seconds, as servers state it: `4000 s`. A part of a second counts as one.
pub fn seconds(duration: Duration) -> String {
    let part = u64::from(duration.subsec_nanos() > 0);
    format!("{} s", duration.as_secs().saturating_add(part))
}

/// Formats a duration for people: `45m`, `9m 30s`, `1h 5m`.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let words: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        // Seconds are irrelevant next to hours.
        .take(2)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if words.is_empty() { "0s".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The middle of the jitter: the waits exactly as in the table.
    const NONE: Jitter = Jitter(1 << 31);

    fn failed(retry_budget: Duration) -> FailedTry {
        FailedTry { retry: Retry::Soon, times: 1, retry_after: None, elapsed: Duration::ZERO, retry_budget }
    }

    /// Returns all waits until the request is given up, in seconds.
    fn waits(mut failed: FailedTry, jitter: Jitter) -> Vec<u64> {
        let mut waits = Vec::new();
        while let RetryDecision::After { wait, left } = decide_retry(&failed, jitter) {
            waits.push(wait.as_secs());
            failed.elapsed += wait;
            failed.times += 1;
            assert_eq!(failed.elapsed + left, failed.retry_budget);
        }
        waits
    }

    #[test]
    fn waits_grow_and_end_with_the_budget() {
        assert_eq!(waits(failed(Duration::from_secs(30)), NONE), [1, 2, 4, 8, 15]);
        assert_eq!(waits(failed(INTERACTIVE_RETRY_BUDGET), NONE), [1, 2, 4, 8, 15, 60, 120, 300, 90]);
        let unattended = [1, 2, 4, 8, 15, 60, 120, 300, 900, 900, 390];
        assert_eq!(waits(failed(UNATTENDED_RETRY_BUDGET), NONE), unattended);
        assert_eq!(waits(failed(Duration::ZERO), NONE), [0; 0]);
        let stall = FailedTry { retry: Retry::AfterStall, ..failed(INTERACTIVE_RETRY_BUDGET) };
        assert_eq!(waits(stall, NONE), [15, 60, 120, 300, 105]);
    }

    #[test]
    fn retry_after_is_honored_within_the_budget() {
        let decision = |requested, elapsed| {
            let failed = FailedTry {
                retry_after: Some(Duration::from_secs(requested)),
                elapsed: Duration::from_secs(elapsed),
                ..failed(INTERACTIVE_RETRY_BUDGET)
            };
            decide_retry(&failed, NONE)
        };
        let after = |wait, left| RetryDecision::After {
            wait: Duration::from_secs(wait),
            left: Duration::from_secs(left),
        };
        assert_eq!(decision(20, 0), after(20, 580));
        assert_eq!(decision(600, 0), after(600, 0));
        assert_eq!(decision(0, 0), after(1, 599), "a requested wait of zero does not shorten the wait");
        let later = |requested, elapsed| match decision(requested, elapsed) {
            RetryDecision::GiveUp(why) => {
                let error = Error::new(crate::error::ErrorKind::Unreachable, "x");
                why.explain(error).hints().concat()
            }
            next @ RetryDecision::After { .. } => panic!("{next:?}"),
        };
        assert_eq!(
            later(4000, 0),
            "raise --patience: the server requests a retry after 4000 s, longer than the retry budget of 10m"
        );
        assert_eq!(
            later(120, 550),
            "raise --patience: the server requests a retry after 120 s, longer than the 50s left of the retry budget of 10m"
        );
    }

    #[test]
    fn permanent_failures_are_not_retried() {
        let failed = FailedTry { retry: Retry::Never, ..failed(UNATTENDED_RETRY_BUDGET) };
        assert_eq!(decide_retry(&failed, NONE), RetryDecision::GiveUp(GiveUpReason::Permanent));
    }

    #[test]
    fn no_input_overflows() {
        let extreme = FailedTry {
            times: u32::MAX,
            elapsed: Duration::MAX,
            retry_after: Some(Duration::MAX),
            ..failed(Duration::MAX)
        };
        assert!(matches!(decide_retry(&extreme, Jitter(u32::MAX)), RetryDecision::GiveUp(_)));
        let endless = FailedTry { times: 0, retry: Retry::AfterStall, ..failed(Duration::MAX) };
        assert!(matches!(decide_retry(&endless, Jitter(0)), RetryDecision::After { .. }));
    }

    #[test]
    fn durations_are_formatted_for_people() {
        let texts = [0, 59, 60, 570, 2700, 3600, 3900, 86_399].map(|secs| span(Duration::from_secs(secs)));
        assert_eq!(texts, ["0s", "59s", "1m", "9m 30s", "45m", "1h", "1h 5m", "23h 59m"]);
        assert_eq!(seconds(Duration::from_millis(1500)), "2 s");
    }

    fn any_retry() -> impl Strategy<Value = Retry> {
        prop_oneof![8 => Just(Retry::Soon), 4 => Just(Retry::AfterStall), 1 => Just(Retry::Never)]
    }

    proptest! {
        #[test]
        fn all_waits_together_never_exceed_the_retry_budget(
            retry_budget in 0_u64..10_000,
            tries in prop::collection::vec((any_retry(), any::<u32>(), prop::option::of(0_u64..2000), 0_u64..200), 0..60),
        ) {
            let retry_budget = Duration::from_secs(retry_budget);
            let (mut waited, mut elapsed) = (Duration::ZERO, Duration::ZERO);
            for (index, (retry, jitter, requested, took)) in tries.into_iter().enumerate() {
                elapsed += Duration::from_secs(took);
                let retry_after = requested.map(Duration::from_secs);
                let times = u32::try_from(index).unwrap() + 1;
                let failed = FailedTry { retry, times, retry_after, elapsed, retry_budget };
                match decide_retry(&failed, Jitter(jitter)) {
                    RetryDecision::After { wait, left } => {
                        prop_assert!(retry != Retry::Never);
                        prop_assert!(wait <= LONGEST.max(retry_after.unwrap_or_default()));
                        prop_assert!(wait >= retry_after.unwrap_or_default(), "a requested wait is never shortened");
                        prop_assert_eq!(elapsed + wait + left, retry_budget);
                        waited += wait;
                        elapsed += wait;
                    }
                    RetryDecision::GiveUp(_) => break,
                }
                prop_assert!(waited <= retry_budget && elapsed <= retry_budget);
            }
        }

        #[test]
        fn waits_grow_with_the_failures_for_any_jitter(
            stall: bool, times in 0_u32..20, one: u32, other: u32,
        ) {
            let retry = if stall { Retry::AfterStall } else { Retry::Soon };
            let before = wait_after(retry, times, Jitter(one));
            let after = wait_after(retry, times + 1, Jitter(other));
            // At the end of the table the waits differ by the jitter only.
            let at_the_end = before >= Duration::from_mins(15) * 3 / 4;
            prop_assert!(times == 0 || before < after || at_the_end, "{before:?} {after:?}");
            prop_assert!(wait_after(Retry::AfterStall, times, Jitter(one)) >= wait_after(Retry::Soon, times, Jitter(one)));
            prop_assert!(before <= LONGEST);
        }

        #[test]
        fn more_jitter_makes_a_longer_wait(times in 1_u32..20, one: u32, other: u32) {
            let (low, high) = (one.min(other), one.max(other));
            let wait = |jitter| wait_after(Retry::Soon, times, Jitter(jitter));
            prop_assert!(wait(low) <= wait(high));
            prop_assert!(wait(high) <= wait(0) * 5 / 3 + Duration::from_millis(1));
        }
    }
}
