//! The stop request: made once, by a signal, and visible wherever the run waits.
//!
//! Interruptible work awaits [`StopRequest::requested`]; code between two steps checks [`StopRequest::signal`]. No step
//! is cut off: work in progress ends in a state from which the next run resumes. The error of a stopped run carries the
//! signal in its kind.

use tokio::sync::watch;

use crate::error::{Error, ErrorKind};

/// The origin of a stop request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The operator at the terminal, with Ctrl-C.
    Interrupt,
    /// The system or a service manager.
    Terminate,
}

impl Signal {
    /// Returns the error kind of a run that this signal ended. Its exit code is 128 plus the signal number, as in
    /// shells.
    pub fn kind(self) -> ErrorKind {
        match self {
            Self::Interrupt => ErrorKind::Interrupted,
            Self::Terminate => ErrorKind::Terminated,
        }
    }
}

/// The receiver of the stop request. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct StopRequest(watch::Receiver<Option<Signal>>);

/// The sender of the stop request.
#[derive(Debug)]
pub struct StopSender(watch::Sender<Option<Signal>>);

impl StopRequest {
    /// Returns the sender and the receiver of a stop request.
    pub fn pair() -> (StopSender, Self) {
        let (sender, receiver) = watch::channel(None);
        (StopSender(sender), Self(receiver))
    }

    /// Returns the receiver of a stop request that is never made.
    pub fn never() -> Self {
        Self::pair().1
    }

    /// Returns the signal if the stop request was made.
    pub fn signal(&self) -> Option<Signal> {
        *self.0.borrow()
    }

    /// Waits until the stop request is made.
    pub async fn requested(&self) -> Signal {
        let mut receiver = self.0.clone();
        let given = receiver.wait_for(Option::is_some).await.map(|signal| *signal);
        match given {
            Ok(signal) => signal.unwrap_or(Signal::Interrupt),
            // The sender was dropped: the request is never made.
            Err(_) => std::future::pending().await,
        }
    }

    /// Returns the error of a stopped run.
    pub fn error(&self) -> Error {
        let signal = self.signal().unwrap_or(Signal::Interrupt);
        Error::new(signal.kind(), "stopped").hint("run the same command again to resume")
    }
}

impl StopSender {
    /// Makes the stop request; a second request changes nothing.
    pub fn stop(&self, signal: Signal) {
        self.0.send_if_modified(|request| request.is_none() && request.replace(signal).is_none());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stop_request_reaches_all_clones() {
        let (stopper, stop) = StopRequest::pair();
        let other = stop.clone();
        assert_eq!(stop.signal(), None);
        stopper.stop(Signal::Terminate);
        stopper.stop(Signal::Interrupt);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(other.requested()), Signal::Terminate);
        assert_eq!(stop.signal(), Some(Signal::Terminate));
        assert_eq!(stop.error().code().number(), 143);
        assert_eq!(StopRequest::never().error().code().number(), 130);
    }
}
