//! The rate limit of all transfers together (`--limit-rate`). The arithmetic is pure; the caller passes the time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The amount that may arrive at once before a transfer waits. 10 ms would add a wait to every piece; 10 s would cause
/// bursts that other users of the line notice.
const BURST: Duration = Duration::from_millis(250);

/// A rate limit that several transfers share.
#[derive(Debug)]
pub struct RateLimit {
    bytes_per_second: u64,
    /// The time until which the line is fully used.
    busy_until: Mutex<Option<Duration>>,
}

impl RateLimit {
    /// Creates a limit of `bytes_per_second`.
    pub fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: bytes_per_second.max(1), busy_until: Mutex::new(None) }
    }

    /// Returns the limit in bytes per second.
    pub fn bytes_per_second(&self) -> u64 {
        self.bytes_per_second
    }

    /// Counts bytes that arrived, and returns the wait before more is read.
    pub fn count(&self, now: Duration, bytes: u64) -> Duration {
        let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_second);
        let cost = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        let mut busy_until = self.busy_until.lock().unwrap_or_else(PoisonError::into_inner);
        // Unused capacity before `now` is not saved up.
        let until = busy_until.map_or(now, |busy_until| busy_until.max(now)) + cost;
        *busy_until = Some(until);
        until.saturating_sub(now).checked_sub(BURST).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_limit_holds_for_any_size_of_pieces() {
        for piece in [1000_u64, 64 * 1024, 1 << 20] {
            let limit = RateLimit::new(1 << 20);
            let mut now = Duration::ZERO;
            let mut bytes = 0;
            while bytes < 100 << 20 {
                bytes += piece;
                now += limit.count(now, piece);
            }
            let seconds = now.as_secs_f64();
            assert!((99.0..=101.5).contains(&seconds), "{piece}: {seconds}");
        }
    }

    #[test]
    fn unused_capacity_is_not_saved_up() {
        let limit = RateLimit::new(1000);
        assert_eq!(limit.count(Duration::ZERO, 100), Duration::ZERO);
        let later = Duration::from_secs(1000);
        assert_eq!(limit.count(later, 1000), Duration::from_millis(750));
    }
}
