//! Time, as a value that is handed in: what the date is, how long something took, and how to wait.
//!
//! Nothing else in the crate asks the system for the time or sleeps, so a test can hand in a clock that steps
//! and prove an hour of waiting in a millisecond. Only what comes over a socket takes its real time ([`moment`]).

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Where the crate gets time from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The time of day, UTC.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, unaffected by changes to the time of day.
    fn elapsed(&self) -> Duration;

    /// Lets this much time go by.
    fn wait(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The clock of this machine.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that counts from now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn wait(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A quarter of a second of real time, on every clock: so often something is looked after that may never come. How long it
/// has been waited for is the clock's to say.
pub async fn moment() {
    tokio::time::sleep(Duration::from_millis(250)).await;
}

/// Whole seconds since 1970, as the index keeps times.
pub fn unix_seconds(time: Timestamp) -> i64 {
    time.as_second()
}

/// RFC 3339 with whole seconds, as JSON shows times.
pub fn rfc3339(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// The UTC date of a time, `2026-11-23`.
pub fn date_of(seconds: i64) -> String {
    rfc3339(seconds).chars().take(10).collect()
}
