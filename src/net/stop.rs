//! The wish to stop: given once, by a signal, and heard wherever something is waited for.
//!
//! Whoever is in the middle of a thing that can be left is told by [`Stop::requested`]; whoever is between two things asks
//! [`Stop::asked`]. Nothing is cut off: what is under way brings itself to an end that can be gone on from.

use tokio::sync::watch;

use crate::error::{Error, ErrorKind};
use crate::exit_code::ExitCode;

/// Who wants the run to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Somebody at the terminal, with Ctrl-C.
    Interrupt,
    /// The system, or a service manager.
    Terminate,
}

impl Signal {
    /// What a run that it ended returns: 128 and the number of the signal, as shells have it.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Interrupt => ExitCode::INTERRUPTED,
            Self::Terminate => ExitCode::TERMINATED,
        }
    }
}

/// Hears the wish. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<Option<Signal>>);

/// Gives the wish.
#[derive(Debug)]
pub struct Stopper(watch::Sender<Option<Signal>>);

impl Stop {
    /// A wish that may be given, and who hears it.
    pub fn pair() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(None);
        (Stopper(sender), Self(receiver))
    }

    /// A wish that nobody gives.
    pub fn never() -> Self {
        Self::pair().1
    }

    /// Whether it was given.
    pub fn asked(&self) -> Option<Signal> {
        *self.0.borrow()
    }

    /// Waits until it is given.
    pub async fn requested(&self) -> Signal {
        let mut receiver = self.0.clone();
        let given = receiver.wait_for(Option::is_some).await.map(|signal| *signal);
        match given {
            Ok(signal) => signal.unwrap_or(Signal::Interrupt),
            // Nobody is left who could give it.
            Err(_) => std::future::pending().await,
        }
    }

    /// The exit code of a run: that of an interrupted one tells by whom.
    pub fn exit_code(&self, code: ExitCode) -> ExitCode {
        match self.asked() {
            Some(signal) if code == ExitCode::INTERRUPTED => signal.exit_code(),
            _ => code,
        }
    }

    /// An error with the exit code of whoever stopped the run.
    pub fn of(&self, error: Error) -> Error {
        let code = self.exit_code(error.code());
        if code == error.code() { error } else { error.exits(code) }
    }

    /// The error with which a run ends that was stopped.
    pub fn error() -> Error {
        Error::new(ErrorKind::Interrupted, "stopped")
            .hint("run the same command again: it goes on where it was")
    }
}

impl Stopper {
    /// Gives the wish; a second one changes nothing.
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
        assert_eq!(stop.of(Stop::error()).code().number(), 143);
        assert_eq!(stop.exit_code(ExitCode::INCOMPLETE), ExitCode::INCOMPLETE);
        assert_eq!(Stop::never().of(Stop::error()).code().number(), 130);
    }
}
