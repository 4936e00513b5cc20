//! When to try again: a pure function of how often and how long it was tried.
//!
//! The Catalog has spells of half a minute to half an hour in which it answers with its error page, resets
//! connections, or stalls; most pass soon. So the first waits are short and each is longer than the one before.
//! A server that says when to come back is obeyed within the budget. The budget is the operator's (`--patience`).

use std::time::Duration;

/// How long an ill Catalog is asked again when the operator says nothing: somebody is waiting at a terminal.
pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(30);

/// The waits before the second try, the third, and so on; the last one repeats. The shape is that of the
/// practice collected in the Catalog's protocol notes: seconds for a burst of error pages, minutes for a stall.
const WAITS: [u64; 9] = [1, 2, 4, 8, 15, 60, 120, 300, 900];

/// What comes after a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again after this time.
    After(Duration),
    /// The budget does not cover another wait.
    GiveUp,
}

/// What comes after the `failed`th failure in a row (1 is the first), `elapsed` after the first try began.
pub fn next_try(failed: u32, elapsed: Duration, retry_after: Option<Duration>, patience: Duration) -> Next {
    let index = (failed.max(1) as usize - 1).min(WAITS.len() - 1);
    let wait = Duration::from_secs(WAITS[index]).max(retry_after.unwrap_or_default());
    if elapsed.saturating_add(wait) > patience { Next::GiveUp } else { Next::After(wait) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_with_the_budget() {
        let mut elapsed = Duration::ZERO;
        let mut failed = 1;
        let mut waits = Vec::new();
        while let Next::After(wait) = next_try(failed, elapsed, None, DEFAULT_PATIENCE) {
            waits.push(wait.as_secs());
            elapsed += wait;
            failed += 1;
        }
        assert_eq!(waits, [1, 2, 4, 8, 15]);
        assert_eq!(next_try(1, Duration::ZERO, None, Duration::ZERO), Next::GiveUp);
    }

    #[test]
    fn a_server_that_says_when_is_obeyed_within_the_budget() {
        let asked = Some(Duration::from_secs(20));
        assert_eq!(
            next_try(1, Duration::ZERO, asked, DEFAULT_PATIENCE),
            Next::After(Duration::from_secs(20))
        );
        let asked = Some(Duration::from_secs(4000));
        assert_eq!(next_try(1, Duration::ZERO, asked, DEFAULT_PATIENCE), Next::GiveUp);
    }

    #[test]
    fn no_input_overflows() {
        assert_eq!(
            next_try(u32::MAX, Duration::MAX, Some(Duration::MAX), Duration::from_secs(1)),
            Next::GiveUp
        );
        assert_eq!(next_try(0, Duration::ZERO, None, Duration::MAX), Next::After(Duration::from_secs(1)));
    }
}
