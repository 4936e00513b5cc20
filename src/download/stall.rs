//! Is a transfer alive? Judged by its speed over a window, never by how long it takes in all. Pure.
//!
//! A package of 5 GB over a thin line may take a day and is fine; a connection over which hardly anything comes is worse
//! than a new one.

use std::collections::VecDeque;
use std::time::Duration;

/// Slower than this is no transfer: a line of 9,600 baud.
const LEAST_BYTES_A_SECOND: u64 = 1024;

/// The window, where nobody says otherwise: longer than any pause of a sound line that was heard of, shorter than the
/// patience of who looks at a bar that stands still.
pub const STALL_WINDOW: Duration = Duration::from_mins(1);

/// What arrived lately.
#[derive(Debug, Clone)]
pub struct Pulse {
    window: Duration,
    least: u64,
    began: Duration,
    /// When how much arrived, within the window.
    beats: VecDeque<(Duration, u64)>,
    bytes: u64,
}

impl Pulse {
    /// A transfer that begins now. With a limit on the rate, less than the limit cannot be asked of it.
    pub fn new(now: Duration, window: Duration, limit: Option<u64>) -> Self {
        let least = LEAST_BYTES_A_SECOND.min(limit.map_or(u64::MAX, |limit| limit / 2));
        Self { window, least, began: now, beats: VecDeque::new(), bytes: 0 }
    }

    /// That so much arrived. Whether the transfer is alive.
    pub fn beat(&mut self, now: Duration, bytes: u64) -> bool {
        match self.beats.back_mut() {
            // A window has some hundred steps, however many pieces arrive.
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
    fn a_drip_is_no_transfer_and_a_thin_line_is() {
        let mut drip = Pulse::new(Duration::ZERO, STALL_WINDOW, None);
        let dead = (1..1000).find(|&second| !drip.beat(SECOND * second, 100));
        assert_eq!(dead, Some(60));
        let mut thin = Pulse::new(Duration::ZERO, STALL_WINDOW, None);
        assert!((1..1000).all(|second| thin.beat(SECOND * second, 1200)));
        assert!(thin.beats.len() <= 130);
    }

    #[test]
    fn a_pause_in_a_fast_transfer_is_forgiven_until_the_window_is_empty() {
        let mut pulse = Pulse::new(Duration::ZERO, STALL_WINDOW, None);
        assert!((1..100).all(|second| pulse.beat(SECOND * second, 1 << 20)));
        assert!(pulse.beat(SECOND * 158, 1), "one second of it was fast");
        assert!(!pulse.beat(SECOND * 161, 1));
    }

    #[test]
    fn a_limit_of_ones_own_is_no_stall() {
        let mut pulse = Pulse::new(Duration::ZERO, STALL_WINDOW, Some(100));
        assert!((1..1000).all(|second| pulse.beat(SECOND * second, 60)));
    }
}
