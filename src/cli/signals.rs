//! The origin of a stop request: Ctrl-C and SIGTERM of this process, or the caller that runs the command line in-process.
//!
//! The signals are received while a command queries the Catalog, and from then on until the process ends. The first one asks
//! the run to stop; it brings itself to an end. The second one ends the process at once. A command without the network leaves
//! signals to the system, which ends it.

use std::io;
use std::thread;

use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::net::{Signal, Stop, Stopper};

/// The origin of stop requests.
#[derive(Debug, Clone)]
pub enum Signals {
    /// The signals of this process.
    OfThisProcess,
    /// The holder of the other half of this.
    Given(Stop),
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen(&self) -> Result<Stop> {
        match self {
            Self::OfThisProcess => {
                let doing = "cannot listen to signals";
                listen().map_err(|error| Error::new(ErrorKind::Internal, doing).caused_by(error))
            }
            Self::Given(stop) => Ok(stop.clone()),
        }
    }
}

fn listen() -> io::Result<Stop> {
    // A runtime of its own: the one of the run ends before the last view is written, and a signal that came in between
    // would be lost. The thread lasts as long as the process.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let mut heard = {
        let _context = runtime.enter();
        system::Heard::begin()?
    };
    let (stopper, stop) = Stop::pair();
    let obey = move || runtime.block_on(obey(&mut heard, &stopper));
    thread::Builder::new().name("signals".to_owned()).spawn(obey)?;
    Ok(stop)
}

async fn obey(heard: &mut system::Heard, stopper: &Stopper) {
    stopper.stop(heard.next().await);
    let second = heard.next().await;
    end_at_once(second);
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "the run may be held up by a disk or a pipe and return nothing; everything on disk stands a kill at any moment"
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

    /// The signals as they come.
    pub(super) struct Heard {
        interrupt: Stream,
        terminate: Stream,
    }

    impl Heard {
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

    /// The signals as they come.
    pub(super) struct Heard {
        ctrl_c: CtrlC,
        ctrl_break: CtrlBreak,
    }

    impl Heard {
        pub(super) fn begin() -> io::Result<Self> {
            Ok(Self { ctrl_c: ctrl_c()?, ctrl_break: ctrl_break()? })
        }

        pub(super) async fn next(&mut self) -> Signal {
            select(pin!(self.ctrl_c.recv()), pin!(self.ctrl_break.recv())).await;
            Signal::Interrupt
        }
    }
}
