//! The pace of requests to a host: one request at a time, with an interval between two requests to the same host.
//!
//! Only the hosts of the Catalog are paced. Package hosts serve many clients and are not paced.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::lock::{Mutex, OwnedMutexGuard};

use crate::clock::Clock;
use crate::error::{Error, Result};

/// The pace of requests to the Catalog.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    interval: Duration,
    real_waits: bool,
}

impl Pace {
    /// Creates a pace of at most `rate` requests per second to one host.
    pub fn per_second(rate: f64) -> Result<Self> {
        let interval = Duration::try_from_secs_f64(1.0 / rate);
        match interval {
            Ok(interval) if rate > 0.0 => Ok(Self { interval, real_waits: true }),
            _ => Err(Error::usage(format!("--catalog-rate {rate} must be a number above 0"))),
        }
    }

    /// Creates a pace without waits, for a recording: no server needs protection.
    pub fn replay() -> Self {
        Self { interval: Duration::ZERO, real_waits: false }
    }

    /// Returns `true` if requests go to a real server, so that waits are real.
    pub(super) fn waits(self) -> bool {
        self.real_waits
    }
}

/// The time of the last request to each host.
#[derive(Debug, Default)]
pub(super) struct HostTurns {
    hosts: std::sync::Mutex<BTreeMap<String, Arc<Mutex<LastRequest>>>>,
}

type LastRequest = Option<Duration>;

/// The right to send a request to a host. One holder has it at a time.
#[derive(Debug)]
pub(super) struct HostTurn {
    _held: OwnedMutexGuard<LastRequest>,
}

impl HostTurns {
    /// Waits for the host's turn. The interval counts from one turn to the next.
    pub(super) async fn take(&self, host: &str, pace: Pace, clock: &dyn Clock) -> HostTurn {
        let of_host = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(hosts.entry(host.to_owned()).or_default())
        };
        let mut last = of_host.lock_owned().await;
        if let Some(before) = *last {
            let next = before + pace.interval;
            if let Some(wait) = next.checked_sub(clock.elapsed()).filter(|wait| !wait.is_zero()) {
                clock.wait(wait).await;
            }
        }
        *last = Some(clock.elapsed());
        HostTurn { _held: last }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;

    use jiff::Timestamp;

    use super::*;

    /// A clock that advances by waiting only.
    #[derive(Debug, Default)]
    struct SteppingClock(std::sync::Mutex<Duration>);

    impl Clock for SteppingClock {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn elapsed(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        fn wait(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            *self.0.lock().unwrap() += duration;
            Box::pin(std::future::ready(()))
        }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn each_host_has_its_own_turns() {
        let (turns, clock, pace) =
            (HostTurns::default(), SteppingClock::default(), Pace::per_second(0.5).unwrap());
        run(async {
            for (host, at) in [("one", 0), ("two", 0), ("one", 2), ("two", 2), ("two", 4), ("one", 4)] {
                drop(turns.take(host, pace, &clock).await);
                assert_eq!(clock.elapsed(), Duration::from_secs(at), "{host}");
            }
        });
    }

    #[test]
    fn a_host_has_one_turn_at_a_time() {
        let (turns, clock, pace) = (HostTurns::default(), SteppingClock::default(), Pace::replay());
        run(async {
            let held = turns.take("one", pace, &clock).await;
            let other = std::pin::pin!(turns.take("one", pace, &clock));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let mut other = other;
            assert!(other.as_mut().poll(&mut context).is_pending());
            drop(turns.take("two", pace, &clock).await);
            drop(held);
            assert!(other.as_mut().poll(&mut context).is_ready());
        });
        assert!(!pace.waits());
    }

    #[test]
    fn a_rate_must_be_a_number_above_zero() {
        for rate in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY, 1e-300] {
            assert!(Pace::per_second(rate).is_err(), "{rate}");
        }
        assert_eq!(Pace::per_second(4.0).unwrap().interval, Duration::from_millis(250));
    }
}
