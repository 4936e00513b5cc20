//! How fast all transfers together may be (`--limit-rate`). The arithmetic is pure; the clock is handed in.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So much may come at once before anybody waits: a hundredth of a second would make a wait of every piece, ten seconds
/// would make bursts that a shared line feels.
const BURST: Duration = Duration::from_millis(250);

/// A limit that several transfers share.
#[derive(Debug)]
pub struct RateLimit {
    bytes_a_second: u64,
    /// Until when the line is paid for.
    paid: Mutex<Option<Duration>>,
}

impl RateLimit {
    /// So many bytes a second.
    pub fn new(bytes_a_second: u64) -> Self {
        Self { bytes_a_second: bytes_a_second.max(1), paid: Mutex::new(None) }
    }

    /// The limit.
    pub fn bytes_a_second(&self) -> u64 {
        self.bytes_a_second
    }

    /// That so much arrived: how long to wait before more is read.
    pub fn take(&self, now: Duration, bytes: u64) -> Duration {
        let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_a_second);
        let cost = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        // What was not used before now is not saved up.
        let until = paid.map_or(now, |paid| paid.max(now)) + cost;
        *paid = Some(until);
        until.saturating_sub(now).checked_sub(BURST).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_over_time_whatever_the_pieces() {
        for piece in [1000_u64, 64 * 1024, 1 << 20] {
            let limit = RateLimit::new(1 << 20);
            let mut now = Duration::ZERO;
            let mut bytes = 0;
            while bytes < 100 << 20 {
                bytes += piece;
                now += limit.take(now, piece);
            }
            let seconds = now.as_secs_f64();
            assert!((99.0..=101.5).contains(&seconds), "{piece}: {seconds}");
        }
    }

    #[test]
    fn a_pause_is_not_saved_up() {
        let limit = RateLimit::new(1000);
        assert_eq!(limit.take(Duration::ZERO, 100), Duration::ZERO);
        let later = Duration::from_secs(1000);
        assert_eq!(limit.take(later, 1000), Duration::from_millis(750));
    }
}
