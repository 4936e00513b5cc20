//! Detects stalled transfers by their speed over a window, never by their total time. Pure.
//!
//! A package of 5 GB may take a day over a slow line. A connection that delivers almost nothing is worse than a new
//! one.

use std::collections::VecDeque;
use std::time::Duration;

/// The lowest speed of a live transfer: about a line of 9,600 baud.
const MIN_BYTES_PER_SECOND: u64 = 1024;

/// The default window: longer than any reported pause of a healthy line, shorter than an operator waits in front of a
/// bar that does not move.
pub const STALL_WINDOW: Duration = Duration::from_mins(1);

/// The bytes received within the window.
#[derive(Debug, Clone)]
pub struct StallDetector {
    window: Duration,
    min_rate: u64,
    began: Duration,
    /// The times and sizes of the pieces within the window.
    pieces: VecDeque<(Duration, u64)>,
    bytes: u64,
}

impl StallDetector {
    /// Starts the measurement at the beginning of a transfer. With a rate limit, the lowest speed is at most half of
    /// it.
    pub fn new(now: Duration, window: Duration, limit: Option<u64>) -> Self {
        let min_rate = MIN_BYTES_PER_SECOND.min(limit.map_or(u64::MAX, |limit| limit / 2));
        Self { window, min_rate, began: now, pieces: VecDeque::new(), bytes: 0 }
    }

    /// Counts bytes that arrived. Returns `true` if the transfer is not stalled.
    pub fn record(&mut self, now: Duration, bytes: u64) -> bool {
        match self.pieces.back_mut() {
            // A window has about a hundred steps, for any number of pieces.
            Some((at, sum)) if now.saturating_sub(*at) < self.window / 128 => *sum += bytes,
            _ => self.pieces.push_back((now, bytes)),
        }
        self.bytes += bytes;
        while let Some(&(at, old)) = self.pieces.front()
            && now.saturating_sub(at) > self.window
        {
            self.pieces.pop_front();
            self.bytes -= old;
        }
        let is_young = now.saturating_sub(self.began) < self.window;
        is_young || self.bytes >= self.min_rate * self.window.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_drip_is_a_stall_and_a_slow_line_is_not() {
        let mut drip = StallDetector::new(Duration::ZERO, STALL_WINDOW, None);
        let dead = (1..1000).find(|&second| !drip.record(SECOND * second, 100));
        assert_eq!(dead, Some(60));
        let mut thin = StallDetector::new(Duration::ZERO, STALL_WINDOW, None);
        assert!((1..1000).all(|second| thin.record(SECOND * second, 1200)));
        assert!(thin.pieces.len() <= 130);
    }

    #[test]
    fn a_pause_is_tolerated_until_the_window_is_empty() {
        let mut detector = StallDetector::new(Duration::ZERO, STALL_WINDOW, None);
        assert!((1..100).all(|second| detector.record(SECOND * second, 1 << 20)));
        assert!(detector.record(SECOND * 158, 1), "one fast second is within the window");
        assert!(!detector.record(SECOND * 161, 1));
    }

    #[test]
    fn a_low_rate_limit_is_not_a_stall() {
        let mut detector = StallDetector::new(Duration::ZERO, STALL_WINDOW, Some(100));
        assert!((1..1000).all(|second| detector.record(SECOND * second, 60)));
    }
}
