//! The start of a command: from the shared options to a session, or to a mirror that is only read.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::future::Future;
use std::io::{Read as _, Write};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::output::stderr_palette;
use super::process::Process;
use super::settings::Settings;
use crate::catalog::recording::{RecordingTransport, ReplayTransport};
use crate::catalog::{Catalog, PAGE_CAP, SavePage};
use crate::clock::Clock;
use crate::crawl::{ConcludedRun, RunJob, RunOptions, Session, TransferOptions};
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events, LogFormat};
use crate::mirror::{
    Layout, Mirror, REPLAY, WriteAccess, effective_knowledge, read_knowledge, read_operator_tables,
};
use crate::net::{
    Client, ExtraRoots, HttpTransport, Pace, Proxies, StopRequest, Transport, UrlPolicy, redacted_arguments,
};
use crate::report::{Watch, Watcher};
use crate::resolve::Side;
use crate::servicing::{Knowledge, Tables};
use crate::update::human_size;

/// The time limit for background work at the end of a run, such as a name lookup or a file that is being closed. Both
/// are fast, or not worth a longer wait of the operator.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// The common inputs of all commands.
pub(super) struct Setup {
    settings: Settings,
    process: RefCell<Process>,
    /// The command as a recording names it.
    recorded: String,
    /// The retry budget if no option sets it.
    default_patience: Duration,
    /// The knowledge of the run, after its first use.
    knowledge: OnceCell<Arc<Knowledge>>,
}

impl Setup {
    pub(super) fn new(
        settings: Settings,
        process: Process,
        default_patience: Duration,
        recorded: String,
    ) -> Self {
        Self {
            settings,
            process: RefCell::new(process),
            recorded,
            default_patience,
            knowledge: OnceCell::new(),
        }
    }

    /// Returns the settings.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the time.
    pub(super) fn now(&self) -> jiff::Timestamp {
        self.clock().now()
    }

    /// Returns the day of the clock, UTC.
    pub(super) fn today(&self) -> jiff::civil::Date {
        jiff::tz::Offset::UTC.to_datetime(self.now()).date()
    }

    /// Returns the first argument and the variable `PATH`.
    pub(super) fn program(&self) -> (String, Option<String>) {
        let process = self.process.borrow();
        let name = process.args.first().map(|name| name.to_string_lossy().into_owned());
        (name.unwrap_or_default(), process.env.get("PATH").cloned())
    }

    /// Takes stdout out of the process, for the output at the end.
    pub(super) fn stdout(&self) -> Box<dyn Write> {
        std::mem::replace(&mut self.process.borrow_mut().stdout, Box::new(std::io::sink()))
    }

    /// Reads a text from standard input, at most `cap` bytes.
    pub(super) fn read_stdin(&self, cap: u64) -> Result<String> {
        let mut text = String::new();
        let unread = |error: std::io::Error| Error::usage("cannot read standard input").caused_by(error);
        let mut process = self.process.borrow_mut();
        process.stdin.by_ref().take(cap + 1).read_to_string(&mut text).map_err(unread)?;
        if text.len() as u64 > cap {
            return Err(Error::usage(format!("standard input has more than {}", human_size(cap))));
        }
        Ok(text)
    }

    /// Prompts for a confirmation. Returns `None` if standard input is not a terminal.
    pub(super) fn confirm(&self, question: &str) -> Result<Option<bool>> {
        /// The size limit of an answer.
        const CAP: usize = 64;
        let mut process = self.process.borrow_mut();
        if !process.stdin_is_terminal {
            return Ok(None);
        }
        let unanswered =
            |error: std::io::Error| Error::usage("cannot prompt on the terminal").caused_by(error);
        {
            let mut stderr = process.stderr.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).map_err(unanswered)?;
        }
        let mut answer = Vec::new();
        let mut letter = [0];
        while answer.len() < CAP
            && process.stdin.read(&mut letter).map_err(unanswered)? == 1
            && letter != *b"\n"
        {
            answer.extend(letter);
        }
        let answer = String::from_utf8_lossy(&answer).trim().to_ascii_lowercase();
        Ok(Some(answer == "y" || answer == "yes"))
    }

    /// Prompts for a secret without an echo. Returns `None` if standard input is not a terminal.
    pub(super) fn prompt_hidden(&self, question: &str) -> Result<Option<String>> {
        let mut process = self.process.borrow_mut();
        if !process.stdin_is_terminal {
            return Ok(None);
        }
        let answer = (process.read_hidden)(question);
        answer.map(Some).map_err(|error| Error::usage("cannot prompt on the terminal").caused_by(error))
    }

    /// Returns the layout of the mirror.
    pub(super) fn layout(&self) -> Layout {
        self.settings.layout()
    }

    /// Returns the knowledge of the run, which is read once: the tables of the named folder, else those of the
    /// mirror, else the built-in ones.
    pub(super) fn knowledge(&self) -> Result<Arc<Knowledge>> {
        if let Some(knowledge) = self.knowledge.get() {
            return Ok(Arc::clone(knowledge));
        }
        let knowledge = match &self.settings.options.knowledge {
            Some(folder) => read_knowledge(folder)?,
            None => effective_knowledge(&self.layout())?.0,
        };
        Ok(Arc::clone(self.knowledge.get_or_init(|| Arc::new(knowledge))))
    }

    /// Returns the knowledge of the folder that the operator names, or `None` if the run uses that of the mirror.
    pub(super) fn named_knowledge(&self) -> Result<Option<Arc<Knowledge>>> {
        self.settings.options.knowledge.as_ref().map(|_| self.knowledge()).transpose()
    }

    /// Runs work on the unchanged texts of the tables.
    pub(super) fn with_tables<T>(&self, work: impl FnOnce(Tables<'_>) -> Result<T>) -> Result<T> {
        let texts = match &self.settings.options.knowledge {
            Some(folder) => read_operator_tables(folder)?,
            None => effective_knowledge(&self.layout())?.1,
        };
        let mut tables = Tables::built_in();
        for (name, text) in &texts {
            tables.replace(name, text);
        }
        work(tables)
    }

    /// Opens the mirror for reading. It must exist.
    pub(super) fn mirror(&self) -> Result<Mirror> {
        Mirror::open(self.layout())
    }

    /// Opens the mirror for reading, or returns `None` if it does not exist.
    pub(super) fn mirror_if_there(&self) -> Result<Option<Mirror>> {
        Mirror::open_if_exists(self.layout())
    }

    /// Opens the mirror for reading, or returns `None` if it has a configuration or keys but no content yet.
    pub(super) fn mirror_unless_empty(&self) -> Result<Option<Mirror>> {
        let mirror = self.mirror_if_there()?;
        if mirror.is_some() {
            return Ok(mirror);
        }
        if self.layout().has_content()? {
            return self.mirror().map(Some).map_err(|absent| {
                absent.hint("run a command that writes to the mirror: it rebuilds the missing index from kb/ and pool/")
            });
        }
        if self.layout().is_prepared() { Ok(None) } else { self.mirror().map(Some) }
    }

    /// Opens the mirror for writing. It must exist.
    pub(super) fn mirror_to_write(&self) -> Result<Mirror<WriteAccess>> {
        let origin = self.mirror()?.origin()?;
        Mirror::open_for_writing(self.layout(), &origin, &*self.knowledge()?, self.now())
    }

    /// Returns the folder of the knowledge tables, or `None` if the run uses the built-in ones.
    pub(super) fn knowledge_folder(&self) -> Option<Utf8PathBuf> {
        let adopted = || {
            let (_, texts) = effective_knowledge(&self.layout()).ok()?;
            (!texts.is_empty()).then(|| self.layout().knowledge())
        };
        self.settings.options.knowledge.clone().or_else(adopted)
    }

    /// Runs work without the Catalog and shows its progress.
    pub(super) fn with_progress<T>(&self, work: impl FnOnce(&Events) -> Result<T>) -> Result<T> {
        let (events, watcher) = self.start_watcher();
        let outcome = work(&events);
        drop(events);
        watcher.finish();
        outcome
    }

    fn start_watcher(&self) -> (Events, Watcher) {
        let process = self.process.borrow();
        let (color, log) = (self.settings.options.color, self.settings.options.log_format);
        let palette = stderr_palette(&process, color, log);
        Watcher::start(self.watch(), palette, process.stderr.clone(), Arc::clone(&process.clock))
    }

    /// Runs work that queries the Catalog, shows its progress, and passes stop requests to it.
    pub(super) fn with_catalog<T, F>(&self, work: impl FnOnce(Catalog) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let stop = self.process.borrow().signals.listen()?;
        let (events, watcher) = self.start_watcher();
        let outcome = self.catalog(events.clone(), stop.clone()).and_then(|catalog| {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(
                    |error| Error::new(ErrorKind::Internal, "cannot start the runtime").caused_by(error),
                )?;
            // A separate task, because the work may be busy for a moment.
            let stop_handle = stop.clone();
            let reporter = runtime.spawn(async move {
                stop_handle.requested().await;
                events.send(Event::Stopping);
            });
            let outcome = runtime.block_on(work(catalog));
            if stop.signal().is_some() {
                // The task reports the stop before the end of the run is reported.
                let _reported = runtime.block_on(reporter);
            }
            runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
            outcome
        });
        watcher.finish();
        outcome
    }

    /// Runs a job of the mirror that queries the Catalog, and records the end of the run.
    pub(super) fn run<J: RunJob>(&self, job: &J, options: RunOptions) -> Result<ConcludedRun<J::Outcome>> {
        let (layout, origin, command) = (self.layout(), self.origin()?, self.command_line());
        let (patience, clock, knowledge) = (self.patience(), self.clock(), self.knowledge()?);
        self.with_catalog(|catalog| {
            let session = Session::new(catalog, layout, origin, command, patience, clock, knowledge);
            async move {
                let mut session = session?;
                session.set_transfers(&self.transfer_options());
                session.run(job, options).await
            }
        })
    }

    fn transfer_options(&self) -> TransferOptions {
        let options = &self.settings.options;
        TransferOptions {
            parallel: Some(options.parallel),
            limit_rate: options.limit_rate,
            stall_after: Some(options.stall_after),
        }
    }

    /// Returns the side of the air gap: isolated with `--offline`, else that of the mirror, else that of its keys.
    pub(super) fn side(&self, mirror: Option<&Mirror>) -> Result<Side> {
        match mirror {
            _ if self.is_offline() => Ok(Side::Isolated),
            Some(mirror) => mirror.side(),
            None => Ok(self.layout().side()),
        }
    }

    /// Returns `true` if the operator chose `--offline`.
    pub(super) fn is_offline(&self) -> bool {
        self.settings.options.offline
    }

    fn catalog(&self, events: Events, stop: StopRequest) -> Result<Catalog> {
        if self.settings.options.offline && self.settings.options.replay.is_none() {
            return Err(Error::usage("this command needs the Catalog and cannot run with --offline")
                .hint("run it without --offline, or use a recording with --replay DIR"));
        }
        let policy = self.policy()?;
        let network = || -> Result<Box<dyn Transport>> {
            let roots = ExtraRoots::read(&self.settings.options.ca_cert)?;
            let silence = self.settings.options.stall_after;
            Ok(Box::new(HttpTransport::new(self.proxies()?, roots, silence)))
        };
        let rate = Pace::per_second(self.settings.options.catalog_rate)?;
        let (transport, pace): (Box<dyn Transport>, Pace) =
            match (&self.settings.options.replay, &self.settings.options.record) {
                (Some(folder), _) => (Box::new(ReplayTransport::open(folder)?), Pace::replay()),
                (None, Some(folder)) => {
                    (Box::new(RecordingTransport::begin(folder, network()?, &self.recorded)?), rate)
                }
                (None, None) => (network()?, rate),
            };
        let client = Client::new(transport, policy, pace, self.clock(), events, stop);
        Ok(Catalog::new(client, self.patience(), self.save_page()))
    }

    fn policy(&self) -> Result<UrlPolicy> {
        UrlPolicy::new(self.settings.options.catalog_url.as_deref(), self.settings.options.allow_host.clone())
    }

    /// Returns the origin of the content of this run.
    pub(super) fn origin(&self) -> Result<String> {
        if self.settings.options.replay.is_some() {
            Ok(REPLAY.to_owned())
        } else {
            Ok(self.policy()?.origin())
        }
    }

    /// Returns the proxy of the option, else those of the environment.
    fn proxies(&self) -> Result<Proxies> {
        if let Some(proxy) = &self.settings.options.proxy {
            return Ok(Proxies::Named(proxy.clone()));
        }
        let process = self.process.borrow();
        Proxies::from_environment(|name| process.env.get(name).map(String::as_str))
    }

    fn patience(&self) -> Duration {
        self.settings.options.patience.unwrap_or(self.default_patience)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.process.borrow().clock)
    }

    /// Returns the command line without credentials, for the index and for recordings.
    fn command_line(&self) -> String {
        let process = self.process.borrow();
        let arguments = process.args.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned());
        redacted_arguments(arguments).join(" ")
    }

    fn watch(&self) -> Watch {
        if self.settings.options.log_format == LogFormat::Json {
            Watch::Json { quiet: self.settings.options.quiet }
        } else if self.settings.options.quiet {
            Watch::Quiet
        } else if self.process.borrow().stderr_is_terminal
            && !self.settings.options.no_progress
            && !self.settings.options.verbose
        {
            Watch::Bars
        } else {
            Watch::Lines { verbose: self.settings.options.verbose }
        }
    }

    /// Returns the function that saves pages that the parsers do not understand, in `runs/` of the mirror. The names
    /// have the time and the query.
    fn save_page(&self) -> SavePage {
        let (runs, clock) = (self.layout().runs(), self.clock());
        Arc::new(move |what, text| {
            let time: String = clock.now().strftime("%Y-%m-%dT%H%M%SZ").to_string();
            let words = what.replace(|letter: char| !letter.is_ascii_alphanumeric(), " ");
            let mut slug = words.split_whitespace().collect::<Vec<_>>().join("-");
            slug.truncate(80);
            let path = runs.join(format!("{time}-{slug}.html"));
            disk::write_atomic(&path, cut_at_limit(text).as_bytes())?;
            Ok(path)
        })
    }
}

/// Returns a page for saving, cut at the size limit of pages with a note at the cut. A text can be larger than the
/// received bytes: each invalid UTF-8 byte becomes a character of three bytes.
fn cut_at_limit(text: &str) -> Cow<'_, str> {
    const NOTE: &str = "\n<!-- cut here by kbmirror: a page of the Catalog has at most 2 MiB -->\n";
    let cap = usize::try_from(PAGE_CAP).unwrap_or(usize::MAX);
    if text.len() <= cap {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(cap - NOTE.len());
    Cow::Owned(text.get(..end).unwrap_or_default().to_owned() + NOTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_page_is_complete_or_marks_the_cut() {
        let cap = usize::try_from(PAGE_CAP).unwrap();
        let whole = "x".repeat(cap);
        assert_eq!(cut_at_limit(&whole), whole);
        let long = "\u{fffd}".repeat(cap);
        let cut = cut_at_limit(&long);
        assert!(cut.len() <= cap && cut.len() > cap - 3, "{}", cut.len());
        assert!(cut.ends_with("at most 2 MiB -->\n"));
    }
}
