//! The origin of stop requests: Ctrl-C and SIGTERM of this process, or the caller that runs the command line
//! in-process.
//!
//! Signals are received from the first query of the Catalog until the process ends. The first signal requests a stop,
//! and the run ends in order. The second signal ends the process at once. For a command without the network, the
//! system ends the process.

use std::io;
use std::thread;

use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::net::{Signal, StopRequest, StopSender};

/// The origin of stop requests.
#[derive(Debug, Clone)]
pub enum Signals {
    /// The signals of this process.
    OfThisProcess,
    /// The stop handle of the caller.
    Given(StopRequest),
}

impl Signals {
    /// Starts to listen and returns the stop handle.
    pub(super) fn listen(&self) -> Result<StopRequest> {
        match self {
            Self::OfThisProcess => {
                let doing = "cannot listen to signals";
                listen().map_err(|error| Error::new(ErrorKind::Internal, doing).caused_by(error))
            }
            Self::Given(stop) => Ok(stop.clone()),
        }
    }
}

fn listen() -> io::Result<StopRequest> {
    // A separate runtime: that of the run ends before the last view is written, and later signals would be lost. The
    // thread lasts until the process ends.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let mut streams = {
        let _context = runtime.enter();
        system::SignalStreams::begin()?
    };
    let (stopper, stop) = StopRequest::pair();
    let handle_signals = move || runtime.block_on(handle_signals(&mut streams, &stopper));
    thread::Builder::new().name("signals".to_owned()).spawn(handle_signals)?;
    Ok(stop)
}

async fn handle_signals(streams: &mut system::SignalStreams, stopper: &StopSender) {
    stopper.stop(streams.next().await);
    let second = streams.next().await;
    end_at_once(second);
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a disk or a pipe may block the run; the files on disk are safe against a kill at any moment"
)]
fn end_at_once(signal: Signal) -> ! {
    std::process::exit(i32::from(ExitCode::of(signal.kind()).number()))
}

#[cfg(unix)]
mod system {
    use std::io;
    use std::pin::pin;

    use futures_util::future::{Either, select};
    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

    use crate::net::Signal;

    /// The signals of the system.
    pub(super) struct SignalStreams {
        interrupt: Stream,
        terminate: Stream,
    }

    impl SignalStreams {
        pub(super) fn begin() -> io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }

        pub(super) async fn next(&mut self) -> Signal {
            match select(pin!(self.interrupt.recv()), pin!(self.terminate.recv())).await {
                Either::Left(_) => Signal::Interrupt,
                Either::Right(_) => Signal::Terminate,
            }
        }
    }
}

#[cfg(windows)]
mod system {
    use std::io;
    use std::pin::pin;

    use futures_util::future::select;
    use tokio::signal::windows::{CtrlBreak, CtrlC, ctrl_break, ctrl_c};

    use crate::net::Signal;

    /// The signals of the system.
    pub(super) struct SignalStreams {
        ctrl_c: CtrlC,
        ctrl_break: CtrlBreak,
    }

    impl SignalStreams {
        pub(super) fn begin() -> io::Result<Self> {
            Ok(Self { ctrl_c: ctrl_c()?, ctrl_break: ctrl_break()? })
        }

        pub(super) async fn next(&mut self) -> Signal {
            select(pin!(self.ctrl_c.recv()), pin!(self.ctrl_break.recv())).await;
            Signal::Interrupt
        }
    }
}
