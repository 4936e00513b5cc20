//! Detects stalled transfers by their speed over a window, never by their total time. Pure.
//!
//! A package of 5 GB may take a day over a slow line. A connection that delivers almost nothing is worse than a new
//! one.

use std::collections::VecDeque;
use std::time::Duration;

/// The lowest speed of a live transfer: about a line of 9,600 baud.
const LEAST_BYTES_A_SECOND: u64 = 1024;

/// The default window: longer than any reported pause of a healthy line, shorter than an operator waits in front of a
/// bar that does not move.
pub const STALL_WINDOW: Duration = Duration::from_mins(1);

/// The bytes received within the window.
#[derive(Debug, Clone)]
pub struct Pulse {
    window: Duration,
    least: u64,
    began: Duration,
    /// The times and sizes of the pieces within the window.
    beats: VecDeque<(Duration, u64)>,
    bytes: u64,
}

impl Pulse {
    /// Starts the measurement at the beginning of a transfer. With a rate limit, the lowest speed is at most half of
    /// it.
    pub fn new(now: Duration, window: Duration, limit: Option<u64>) -> Self {
        let least = LEAST_BYTES_A_SECOND.min(limit.map_or(u64::MAX, |limit| limit / 2));
        Self { window, least, began: now, beats: VecDeque::new(), bytes: 0 }
    }

    /// Counts bytes that arrived. Returns `true` if the transfer is not stalled.
    pub fn beat(&mut self, now: Duration, bytes: u64) -> bool {
        match self.beats.back_mut() {
            // A window has about a hundred steps, for any number of pieces.
            Some((at, sum)) if now.saturating_sub(*at) < self.window / 128 => *sum += bytes,
            _ => self.beats.push_back((now, bytes)),
        }
        self.bytes += bytes;
        while let Some(&(at, old)) = self.beats.front()
            && now.saturating_sub(at) > self.window
        {
            self.beats.pop_front();
            self.bytes -= old;
        }
        let is_young = now.saturating_sub(self.began) < self.window;
        is_young || self.bytes >= self.least * self.window.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_drip_is_a_stall_and_a_slow_line_is_not() {
        let mut drip = Pulse::new(Duration::ZERO, STALL_WINDOW, None);
        let dead = (1..1000).find(|&second| !drip.beat(SECOND * second, 100));
        assert_eq!(dead, Some(60));
        let mut thin = Pulse::new(Duration::ZERO, STALL_WINDOW, None);
        assert!((1..1000).all(|second| thin.beat(SECOND * second, 1200)));
        assert!(thin.beats.len() <= 130);
    }

    #[test]
    fn a_pause_is_tolerated_until_the_window_is_empty() {
        let mut pulse = Pulse::new(Duration::ZERO, STALL_WINDOW, None);
        assert!((1..100).all(|second| pulse.beat(SECOND * second, 1 << 20)));
        assert!(pulse.beat(SECOND * 158, 1), "one fast second is within the window");
        assert!(!pulse.beat(SECOND * 161, 1));
    }

    #[test]
    fn a_low_rate_limit_is_not_a_stall() {
        let mut pulse = Pulse::new(Duration::ZERO, STALL_WINDOW, Some(100));
        assert!((1..1000).all(|second| pulse.beat(SECOND * second, 60)));
    }
}
