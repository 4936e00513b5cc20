//! Time as an injected value: the date, the duration of a step, and waiting.
//!
//! Nothing else in the crate reads the system time or sleeps. A test can therefore inject a stepping clock and prove an
//! hour of waiting in a millisecond. Only waiting for a socket takes real time ([`sleep_poll_interval`]).
//!
//! A [`Clock`] gives the exact time; records and documents keep a [`Time`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// The crate's source of time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the time of day in UTC.
    fn now(&self) -> Timestamp;

    /// Returns the time since a fixed start, unaffected by changes to the time of day.
    fn elapsed(&self) -> Duration;

    /// Waits for this duration.
    fn wait(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The system clock of this machine.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Starts a clock that counts from now.
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

/// Sleeps 250 ms of real time, also under a test clock. It is the interval of polling for an event that may never
/// occur. Elapsed time is measured with [`Clock::elapsed`].
pub async fn sleep_poll_interval() {
    tokio::time::sleep(Duration::from_millis(250)).await;
}

/// A time of day in UTC, in whole seconds: the precision of the index and of every document.
///
/// Two times from the index compare as their texts do. A new time compares with a stored time as if the new time had
/// been stored, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Timestamp);

impl Time {
    /// The beginning of 1970.
    pub const UNIX_EPOCH: Self = Self(Timestamp::UNIX_EPOCH);

    /// Returns the time this many seconds after 1970, or `None` outside the years of the calendar.
    pub fn from_second(seconds: i64) -> Option<Self> {
        Timestamp::from_second(seconds).ok().map(Self)
    }

    /// Returns the whole seconds since 1970, as the index keeps times.
    pub fn as_second(self) -> i64 {
        self.0.as_second()
    }

    /// Returns the day in UTC.
    pub fn date(self) -> Date {
        Offset::UTC.to_datetime(self.0).date()
    }

    /// Returns the duration since an earlier time; the duration is negative if `earlier` is later.
    pub fn since(self, earlier: Self) -> SignedDuration {
        self.0.duration_since(earlier.0)
    }

    /// Returns this time shifted by seconds; a negative number gives an earlier time.
    #[must_use]
    pub fn shifted_by(self, seconds: i64) -> Self {
        Self::from_second(self.as_second().saturating_add(seconds)).unwrap_or(self)
    }

    /// Returns a time for a test constant.
    #[cfg(test)]
    pub(crate) const fn constant(seconds: i64) -> Self {
        Self(Timestamp::constant(seconds, 0))
    }

    /// Returns hour and minute in UTC: `08:00`.
    pub fn hour_and_minute(self) -> String {
        self.0.strftime("%H:%M").to_string()
    }
}

impl From<Timestamp> for Time {
    /// Drops the fraction of a second.
    fn from(time: Timestamp) -> Self {
        Self::from_second(time.as_second()).unwrap_or(Self(time))
    }
}

impl From<Time> for Timestamp {
    fn from(time: Time) -> Self {
        time.0
    }
}

/// RFC 3339, the form of times in documents: `2026-11-23T08:00:00Z`.
impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Time {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse::<Timestamp>().map(Self::from)
    }
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_has_whole_seconds_and_one_spelling() {
        let time: Time = "2026-11-23T08:00:00.75Z".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-23T08:00:00Z");
        assert_eq!(Time::from_second(time.as_second()), Some(time));
        assert_eq!((time.date().to_string(), time.hour_and_minute()), ("2026-11-23".into(), "08:00".into()));
        assert_eq!(time.since(time.shifted_by(-90)), SignedDuration::from_secs(90));
        assert_eq!(Time::from_second(i64::MAX), None);
    }
}
