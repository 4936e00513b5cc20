//! The consumer of all events. It runs on a separate thread until the run ends.
//!
//! It handles events by their times. Between events it reads the clock every 100 ms, so that waits count
//! down and a stalled run has progress lines too.

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
use crate::event::{Event, Events, TimedEvent};
use crate::update::escape_hidden;

/// Stderr, shared with the output of errors at the end.
pub type SharedWriter = Arc<Mutex<Box<dyn Write + Send>>>;

/// The form and the amount of the progress output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Live bars, for a terminal.
    Bars,
    /// A line for each finished piece of work.
    Lines {
        /// Also a line for every request.
        verbose: bool,
    },
    /// Warnings only.
    Quiet,
    /// A JSON object per line.
    Json {
        /// Warnings only.
        quiet: bool,
    },
}

/// The time between two reads of the clock, and between two drawings. Faster changes cannot be read.
const INTERVAL: Duration = Duration::from_millis(100);

/// The running consumer.
#[derive(Debug)]
pub struct Watcher {
    events: Events,
    thread: JoinHandle<()>,
}

impl Watcher {
    /// Starts the consumer and returns the sender of events.
    pub fn start(
        watch: Watch,
        palette: Palette,
        stderr: SharedWriter,
        clock: Arc<dyn Clock>,
    ) -> (Events, Self) {
        let (sender, receiver) = mpsc::channel();
        let events = Events::to(sender, Arc::clone(&clock));
        let mut shown = ProgressOutput::new(watch, palette, stderr);
        let thread = std::thread::spawn(move || {
            consume(&mut shown, &receiver, clock.as_ref());
            shown.end();
        });
        (events.clone(), Self { events, thread })
    }

    /// Waits until all events are shown.
    pub fn finish(self) {
        self.events.send(Event::End);
        // A consumer that panicked cannot show more.
        let _ended = self.thread.join();
    }
}

fn consume(shown: &mut ProgressOutput, events: &Receiver<TimedEvent>, clock: &dyn Clock) {
    let mut last_pass = Duration::ZERO;
    loop {
        let now = match events.recv_timeout(INTERVAL) {
            Ok(TimedEvent { event: Event::End, .. }) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(event) => {
                shown.take(&event);
                event.at
            }
            // All events are shown.
            Err(RecvTimeoutError::Timeout) => clock.elapsed(),
        };
        if now.saturating_sub(last_pass) >= INTERVAL {
            last_pass = now;
            shown.pass(now);
        }
    }
}

/// The output of one form.
enum ProgressOutput {
    Bars(Bars),
    Lines(Lines, Palette, SharedWriter),
    Log(Log, SharedWriter),
}

impl ProgressOutput {
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

    fn take(&mut self, event: &TimedEvent) {
        match self {
            Self::Bars(bars) => bars.take(event),
            Self::Lines(lines, palette, stderr) => write_lines(stderr, *palette, lines.take(event)),
            Self::Log(log, stderr) => log.take(event).into_iter().for_each(|line| write(stderr, &line)),
        }
    }

    fn pass(&mut self, now: Duration) {
        match self {
            Self::Bars(bars) => bars.draw(now),
            Self::Lines(lines, palette, stderr) => write_lines(stderr, *palette, lines.pass(now)),
            Self::Log(..) => {}
        }
    }

    fn end(self) {
        if let Self::Bars(bars) = self {
            bars.end();
        }
    }
}

/// Writes lines for people. Each stays one line, because hidden characters of servers and media are written out.
fn write_lines(stderr: &SharedWriter, palette: Palette, lines: impl IntoIterator<Item = String>) {
    lines.into_iter().for_each(|line| write(stderr, &palette.label(&escape_hidden(&line))));
}

fn write(stderr: &SharedWriter, line: &str) {
    let mut stderr = stderr.lock().unwrap_or_else(PoisonError::into_inner);
    // A closed stderr does not stop the run.
    let _unread = writeln!(stderr, "{line}");
}
