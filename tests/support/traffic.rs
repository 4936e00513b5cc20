//! The bytes of package files on their way out: how many of which file, which of them not for the first time, and how
//! fast. A pause between pieces is real time, since it is a real program that is kept waiting.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::loopback::lock;

/// What has gone out of some files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sent {
    /// All bytes.
    pub(crate) served: u64,
    /// Those of them that had gone out before: below the furthest that was reached.
    pub(crate) again: u64,
    furthest: u64,
}

/// The counters of a CDN.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// By path.
    sent: Mutex<BTreeMap<String, Sent>>,
    moved: Condvar,
    /// Bytes a second and connection; 0 is as fast as it goes.
    pace: AtomicU64,
}

impl Traffic {
    /// What has gone out of the files whose path has this part, together.
    pub(crate) fn of(&self, path_contains: &str) -> Sent {
        let sent = lock(&self.sent);
        let those = sent.iter().filter(|(path, _)| path.contains(path_contains));
        those.fold(Sent::default(), |all, (_, sent)| Sent {
            served: all.served + sent.served,
            again: all.again + sent.again,
            furthest: all.furthest + sent.furthest,
        })
    }

    /// From now on a connection gets so many bytes a second.
    pub(crate) fn slow_down(&self, bytes_a_second: u64) {
        self.pace.store(bytes_a_second, Ordering::SeqCst);
    }

    /// Waits a moment for so many bytes to have gone out; whether they have.
    pub(crate) fn reaches(&self, bytes: u64) -> bool {
        /// Short: whoever waits has something else to look at in between.
        const MOMENT: Duration = Duration::from_millis(20);
        let all = |sent: &BTreeMap<String, Sent>| sent.values().map(|sent| sent.served).sum::<u64>();
        let waited = self.moved.wait_timeout_while(lock(&self.sent), MOMENT, |sent| all(sent) < bytes);
        let (sent, _) = waited.unwrap_or_else(PoisonError::into_inner);
        all(&sent) >= bytes
    }

    /// These bytes of a file are about to go out.
    pub(super) fn sending(&self, path: &str, part: Range<u64>) {
        let bytes = part.end - part.start;
        let pace = self.pace.load(Ordering::SeqCst);
        if let Some(micros) = (bytes * 1_000_000).checked_div(pace) {
            pause(Duration::from_micros(micros));
        }
        let mut sent = lock(&self.sent);
        let sent = sent.entry(path.to_owned()).or_default();
        sent.served += bytes;
        sent.again += part.end.min(sent.furthest).saturating_sub(part.start);
        sent.furthest = sent.furthest.max(part.end);
        self.moved.notify_all();
    }
}

#[expect(clippy::disallowed_methods, reason = "a slow server is slow in real time")]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
