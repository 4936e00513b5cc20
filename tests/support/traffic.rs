//! Counters of the package file bytes sent: by file, and the repeated bytes among them. Also an optional rate limit.
//! Its pauses are in real time, because the program is a real process.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::loopback::lock;

/// The bytes sent of some files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sent {
    /// The number of all bytes.
    pub(crate) served: u64,
    /// The number of bytes sent again, which are below the furthest position reached.
    pub(crate) repeated: u64,
    furthest: u64,
}

/// The counters of a CDN.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// The bytes sent, by path.
    sent: Mutex<BTreeMap<String, Sent>>,
    changed: Condvar,
    /// The rate in bytes per second and connection; 0 means unlimited.
    rate: AtomicU64,
}

impl Traffic {
    /// Returns the sum over the files whose path contains the text.
    pub(crate) fn of(&self, path_contains: &str) -> Sent {
        let sent = lock(&self.sent);
        let matching = sent.iter().filter(|(path, _)| path.contains(path_contains));
        matching.fold(Sent::default(), |all, (_, sent)| Sent {
            served: all.served + sent.served,
            repeated: all.repeated + sent.repeated,
            furthest: all.furthest + sent.furthest,
        })
    }

    /// Limits the rate of each connection from now on.
    pub(crate) fn limit_rate(&self, bytes_a_second: u64) {
        self.rate.store(bytes_a_second, Ordering::SeqCst);
    }

    /// Waits briefly until this number of bytes was sent. Returns `true` if it was reached.
    pub(crate) fn wait_for_bytes(&self, bytes: u64) -> bool {
        /// The wait is short, because the caller checks other conditions in between.
        const MOMENT: Duration = Duration::from_millis(20);
        let all = |sent: &BTreeMap<String, Sent>| sent.values().map(|sent| sent.served).sum::<u64>();
        let waited = self.changed.wait_timeout_while(lock(&self.sent), MOMENT, |sent| all(sent) < bytes);
        let (sent, _) = waited.unwrap_or_else(PoisonError::into_inner);
        all(&sent) >= bytes
    }

    /// Records that a part of a file is about to be sent.
    pub(super) fn record_sent(&self, path: &str, part: Range<u64>) {
        let bytes = part.end - part.start;
        let rate = self.rate.load(Ordering::SeqCst);
        if let Some(micros) = (bytes * 1_000_000).checked_div(rate) {
            pause(Duration::from_micros(micros));
        }
        let mut sent = lock(&self.sent);
        let sent = sent.entry(path.to_owned()).or_default();
        sent.served += bytes;
        sent.repeated += part.end.min(sent.furthest).saturating_sub(part.start);
        sent.furthest = sent.furthest.max(part.end);
        self.changed.notify_all();
    }
}

#[expect(clippy::disallowed_methods, reason = "a slow server is slow in real time")]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
