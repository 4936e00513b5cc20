//! The one consumer of events. It runs on a thread of its own until it is told that the run is over.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::event::{Doing, Event, Events};
use crate::net::span;
use crate::update::human_size;

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
}

/// The running consumer.
#[derive(Debug)]
pub struct Watcher {
    events: Events,
    thread: JoinHandle<()>,
}

impl Watcher {
    /// Starts showing; the events returned are the way in.
    pub fn start(watch: Watch, stderr: SharedWriter) -> (Events, Self) {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || match watch {
            Watch::Bars => Bars::new().show(&receiver),
            Watch::Lines { verbose } => show_lines(&receiver, &stderr, Some(verbose)),
            Watch::Quiet => show_lines(&receiver, &stderr, None),
        });
        let events = Events::to(sender);
        (events.clone(), Self { events, thread })
    }

    /// Waits until all that was told so far is shown.
    pub fn finish(self) {
        self.events.send(Event::End);
        // A consumer that panicked has nothing more to show.
        let _ended = self.thread.join();
    }
}

/// Plain lines; with `None` only warnings.
fn show_lines(events: &Receiver<Event>, stderr: &SharedWriter, verbosity: Option<bool>) {
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    let mut doing = Doing::default();
    for event in events {
        let line = match (event, verbosity) {
            (Event::End, _) => break,
            (Event::Warning(message), _) => format!("warning: {message}"),
            (_, None) => continue,
            (Event::Phase(what), _) => what,
            (Event::CatalogRequest { number, what }, Some(true)) => format!("request {number}: {what}"),
            (Event::Waiting { duration, left, why }, _) => waiting(duration, left, &why),
            (Event::TransfersPlanned { doing: now, files, bytes }, _) => {
                doing = now;
                planned(doing, files, bytes)
            }
            (Event::TransferProgress { .. } | Event::CatalogRequest { .. } | Event::Checked { .. }, _) => {
                continue;
            }
            (Event::TransferStarted { id, name, .. }, _) => {
                names.insert(id, name);
                continue;
            }
            (Event::TransferFinished { id, bytes, failure: None }, _) => {
                format!("{} {} ({})", doing.done(), name_of(&names, id), human_size(bytes))
            }
            // The reason is told at the end, with what to do about it.
            (Event::TransferFinished { id, failure: Some(_), .. }, _) => {
                format!("failed {}", name_of(&names, id))
            }
        };
        let mut stderr = stderr.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody reads stderr any more: the work goes on.
        let _unread = writeln!(stderr, "{line}");
    }
}

fn name_of(names: &BTreeMap<u64, String>, id: u64) -> &str {
    names.get(&id).map_or("a file", String::as_str)
}

fn planned(doing: Doing, files: usize, bytes: Option<u64>) -> String {
    let size = bytes.map(|bytes| format!(", {}", human_size(bytes))).unwrap_or_default();
    format!("{} {files} {}{size}", doing.now(), if files == 1 { "file" } else { "files" })
}

fn waiting(duration: Duration, left: Option<Duration>, why: &str) -> String {
    let second = Duration::from_secs(1);
    let left = match left {
        None => String::new(),
        Some(left) if left < second => ", the patience ends then".to_owned(),
        Some(left) => format!(", then {} of the patience are left", span(left)),
    };
    format!("waiting {}{left}: {why}", span(duration.max(second)))
}

/// A line that says what goes on, a bar for all bytes, and a bar for each file under way.
struct Bars {
    all: MultiProgress,
    status: ProgressBar,
    total: Option<ProgressBar>,
    files: BTreeMap<u64, ProgressBar>,
    finished: u64,
    doing: Doing,
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let status = all.add(ProgressBar::new_spinner().with_style(style("{spinner} {wide_msg}")));
        status.enable_steady_tick(Duration::from_millis(120));
        Self { all, status, total: None, files: BTreeMap::new(), finished: 0, doing: Doing::default() }
    }

    fn show(mut self, events: &Receiver<Event>) {
        for event in events.iter().take_while(|event| *event != Event::End) {
            self.take(event);
        }
        for bar in self.files.values() {
            bar.finish_and_clear();
        }
        if let Some(total) = &self.total {
            total.finish_and_clear();
        }
        self.status.finish_and_clear();
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Phase(what) => self.status.set_message(what),
            Event::CatalogRequest { number, what } => {
                self.status.set_message(format!("request {number}: {what}"));
            }
            Event::Waiting { duration, left, why } => {
                self.status.set_message(waiting(duration, left, &why));
            }
            Event::End => {}
            Event::Warning(message) => self.line(&format!("warning: {message}")),
            Event::TransfersPlanned { doing, files, bytes } => {
                self.doing = doing;
                self.line(&planned(doing, files, bytes));
                self.status.set_message(doing.now());
                // A scheduled run plans one KB after the other.
                if let Some(before) = self.total.take() {
                    before.finish_and_clear();
                }
                self.finished = 0;
                let bar = match bytes {
                    Some(bytes) => ProgressBar::new(bytes)
                        .with_style(style("  all  {bar:30} {done} of {all}  {speed}  {eta} left")),
                    None => ProgressBar::new_spinner().with_style(style("  all  {done}  {speed}")),
                };
                self.total = Some(self.all.add(bar));
            }
            Event::Checked { bytes, of } => {
                // What was written is read back in the same run.
                if let Some(before) = self.total.take_if(|bar| bar.length() != Some(of)) {
                    before.finish_and_clear();
                }
                let bar = self.total.get_or_insert_with(|| {
                    let look = style("  read {bar:30} {done} of {all}  {speed}  {eta} left");
                    self.all.add(ProgressBar::new(of).with_style(look))
                });
                bar.set_position(bytes);
            }
            Event::TransferStarted { id, name, size } => {
                let bar = match size {
                    Some(size) => ProgressBar::new(size)
                        .with_style(style("       {bar:30} {done} of {all}  {eta} left  {wide_msg}")),
                    None => {
                        ProgressBar::new_spinner().with_style(style("       {done}  {speed}  {wide_msg}"))
                    }
                };
                let bar = self.all.add(bar.with_message(name));
                self.files.insert(id, bar);
            }
            Event::TransferProgress { id, bytes } => {
                if let Some(bar) = self.files.get(&id) {
                    bar.set_position(bytes);
                }
                self.show_total();
            }
            Event::TransferFinished { id, bytes, failure } => {
                let Some(bar) = self.files.remove(&id) else { return };
                self.finished += bytes;
                let name = bar.message();
                bar.finish_and_clear();
                match failure {
                    None => self.line(&format!("{} {name} ({})", self.doing.done(), human_size(bytes))),
                    Some(_) => self.line(&format!("failed {name}")),
                }
                self.show_total();
            }
        }
    }

    fn show_total(&self) {
        if let Some(total) = &self.total {
            let under_way: u64 = self.files.values().map(ProgressBar::position).sum();
            total.set_position(self.finished + under_way);
        }
    }

    fn line(&self, line: &str) {
        // A terminal that is gone stops nothing.
        let _unread = self.all.println(line);
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are literals of this file; a faulty one falls back to indicatif's own bar.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("done", |state: &ProgressState, to: &mut dyn fmt::Write| show(to, &human_size(state.pos())))
        .with_key("all", |state: &ProgressState, to: &mut dyn fmt::Write| {
            show(to, &human_size(state.len().unwrap_or_default()));
        })
        .with_key("speed", |state: &ProgressState, to: &mut dyn fmt::Write| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a speed for people")]
            let speed = state.per_sec() as u64;
            show(to, &format!("{}/s", human_size(speed)));
        })
        .progress_chars("=> ")
        .tick_chars("|/-\\ ")
}

fn show(to: &mut dyn fmt::Write, text: &str) {
    // A line that cannot be drawn is drawn again in a moment.
    let _undrawn = to.write_str(text);
}
