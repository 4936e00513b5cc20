//! The one consumer of events. It runs on a thread of its own until it is told that the run is over.
//!
//! It acts upon events, by the times that they carry. Between them it looks at the clock a few times a second: what waits
//! counts down, and that nothing comes is told as well.

use std::io::Write;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::bars::Bars;
use super::json::Log;
use super::lines::{Lines, Verbosity};
use super::palette::Palette;
use crate::clock::Clock;
use crate::event::{Event, Events, Told};
use crate::update::neutral;

/// Stderr, shared with whoever prints errors at the end.
pub type SharedWriter = Arc<Mutex<Box<dyn Write + Send>>>;

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Bars that move, for a terminal.
    Bars,
    /// A line for what is done.
    Lines {
        /// Also a line for every request.
        verbose: bool,
    },
    /// Warnings only.
    Quiet,
    /// One JSON object a line.
    Json {
        /// Warnings only.
        quiet: bool,
    },
}

/// Between two looks at the clock, and between two drawings: faster than that no eye reads.
const LOOK: Duration = Duration::from_millis(100);

/// The running consumer.
#[derive(Debug)]
pub struct Watcher {
    events: Events,
    thread: JoinHandle<()>,
}

impl Watcher {
    /// Starts showing; the events returned are the way in.
    pub fn start(
        watch: Watch,
        palette: Palette,
        stderr: SharedWriter,
        clock: Arc<dyn Clock>,
    ) -> (Events, Self) {
        let (sender, receiver) = mpsc::channel();
        let events = Events::to(sender, Arc::clone(&clock));
        let mut shown = Shown::new(watch, palette, stderr);
        let thread = std::thread::spawn(move || {
            show(&mut shown, &receiver, clock.as_ref());
            shown.end();
        });
        (events.clone(), Self { events, thread })
    }

    /// Waits until all that was told so far is shown.
    pub fn finish(self) {
        self.events.send(Event::End);
        // A consumer that panicked has nothing more to show.
        let _ended = self.thread.join();
    }
}

fn show(shown: &mut Shown, events: &Receiver<Told>, clock: &dyn Clock) {
    let mut looked = Duration::ZERO;
    loop {
        let now = match events.recv_timeout(LOOK) {
            Ok(Told { event: Event::End, .. }) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(told) => {
                shown.take(&told);
                told.at
            }
            // All that was told is shown.
            Err(RecvTimeoutError::Timeout) => clock.elapsed(),
        };
        if now.saturating_sub(looked) >= LOOK {
            looked = now;
            shown.pass(now);
        }
    }
}

/// One of the ways to show a run.
enum Shown {
    Bars(Bars),
    Lines(Lines, Palette, SharedWriter),
    Log(Log, SharedWriter),
}

impl Shown {
    fn new(watch: Watch, palette: Palette, stderr: SharedWriter) -> Self {
        let verbosity = match watch {
            Watch::Bars => return Self::Bars(Bars::new(palette)),
            Watch::Json { quiet } => return Self::Log(Log::new(quiet), stderr),
            Watch::Lines { verbose: true } => Verbosity::Verbose,
            Watch::Lines { verbose: false } => Verbosity::Usual,
            Watch::Quiet => Verbosity::Quiet,
        };
        Self::Lines(Lines::new(verbosity), palette, stderr)
    }

    fn take(&mut self, told: &Told) {
        match self {
            Self::Bars(bars) => bars.take(told),
            Self::Lines(lines, palette, stderr) => say(stderr, *palette, lines.take(told)),
            Self::Log(log, stderr) => log.take(told).into_iter().for_each(|line| write(stderr, &line)),
        }
    }

    fn pass(&mut self, now: Duration) {
        match self {
            Self::Bars(bars) => bars.draw(now),
            Self::Lines(lines, palette, stderr) => say(stderr, *palette, lines.pass(now)),
            Self::Log(..) => {}
        }
    }

    fn end(self) {
        if let Self::Bars(bars) = self {
            bars.end();
        }
    }
}

/// Writes lines for people: each is one line, whatever a server or a medium put into it.
fn say(stderr: &SharedWriter, palette: Palette, lines: impl IntoIterator<Item = String>) {
    lines.into_iter().for_each(|line| write(stderr, &palette.label(&neutral(&line))));
}

fn write(stderr: &SharedWriter, line: &str) {
    let mut stderr = stderr.lock().unwrap_or_else(PoisonError::into_inner);
    // Nobody reads stderr any more: the work goes on.
    let _unread = writeln!(stderr, "{line}");
}
