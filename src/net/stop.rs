//! The stop request: given once, by a signal, and seen wherever the run waits.
//!
//! Work that can be left in its middle awaits [`Stop::requested`]; code between two steps looks at [`Stop::asked`]. Nothing
//! is cut off: work under way ends in a state from which the next run continues. The error of a stopped run carries the
//! signal in its kind.

use tokio::sync::watch;

use crate::error::{Error, ErrorKind};

/// The origin of a stop request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Somebody at the terminal, with Ctrl-C.
    Interrupt,
    /// The system, or a service manager.
    Terminate,
}

impl Signal {
    /// The kind of the errors of a run that it ended. Its exit code is 128 and the number of the signal, as in shells.
    pub fn kind(self) -> ErrorKind {
        match self {
            Self::Interrupt => ErrorKind::Interrupted,
            Self::Terminate => ErrorKind::Terminated,
        }
    }
}

/// Sees the stop request. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<Option<Signal>>);

/// Makes the stop request.
#[derive(Debug)]
pub struct Stopper(watch::Sender<Option<Signal>>);

impl Stop {
    /// A request that may be made, and its receiver.
    pub fn pair() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(None);
        (Stopper(sender), Self(receiver))
    }

    /// A request that is never made.
    pub fn never() -> Self {
        Self::pair().1
    }

    /// The request, if it was made.
    pub fn asked(&self) -> Option<Signal> {
        *self.0.borrow()
    }

    /// Waits until it is made.
    pub async fn requested(&self) -> Signal {
        let mut receiver = self.0.clone();
        let given = receiver.wait_for(Option::is_some).await.map(|signal| *signal);
        match given {
            Ok(signal) => signal.unwrap_or(Signal::Interrupt),
            // The sender is gone: it is never made.
            Err(_) => std::future::pending().await,
        }
    }

    /// The error with which a run ends that was stopped.
    pub fn error(&self) -> Error {
        let signal = self.asked().unwrap_or(Signal::Interrupt);
        Error::new(signal.kind(), "stopped").hint("run the same command again: it goes on where it was")
    }
}

impl Stopper {
    /// Makes the request; a second one changes nothing.
    pub fn stop(&self, signal: Signal) {
        self.0.send_if_modified(|wish| wish.is_none() && wish.replace(signal).is_none());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wish_is_heard_by_all_clones() {
        let (stopper, stop) = Stop::pair();
        let other = stop.clone();
        assert_eq!(stop.asked(), None);
        stopper.stop(Signal::Terminate);
        stopper.stop(Signal::Interrupt);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(other.requested()), Signal::Terminate);
        assert_eq!(stop.asked(), Some(Signal::Terminate));
        assert_eq!(stop.error().code().number(), 143);
        assert_eq!(Stop::never().error().code().number(), 130);
    }
}
