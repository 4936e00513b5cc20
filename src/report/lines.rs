//! Plain lines for a pipe, a journal, or `--no-progress`: finished work, and the progress every 30 seconds.

use std::time::Duration;

use super::progress::{Progress, ReadProgress, Transfers, percent};
use super::words::{STOPPING, planned, reason, short_name, speed, waiting};
use crate::event::{Event, TimedEvent, TransferOutcome};
use crate::net::span;
use crate::update::human_size;

/// The time between two progress lines. A journal of a night stays readable, and a reader does not wait long for news.
const EVERY: Duration = Duration::from_secs(30);
/// The number of files in a progress line. A longer line would be hard to read.
const NAMED: usize = 4;

/// The amount of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    /// Warnings only.
    Quiet,
    /// Also finished work.
    Usual,
    /// Also every request.
    Verbose,
}

/// The converter of events into plain lines.
#[derive(Debug)]
pub(super) struct Lines {
    verbosity: Verbosity,
    progress: Progress,
    /// The time of the last line about progress or finished work.
    last_line: Option<Duration>,
}

impl Lines {
    pub(super) fn new(verbosity: Verbosity) -> Self {
        Self { verbosity, progress: Progress::default(), last_line: None }
    }

    /// Returns the line of an event, and the progress line if it is due.
    pub(super) fn take(&mut self, TimedEvent { at, event, .. }: &TimedEvent) -> Vec<String> {
        let about = self.line(event);
        self.progress.take(*at, event);
        // A line of an event restarts the 30 seconds, unless bytes are being counted.
        let says_enough = about.is_some() && !self.counts_bytes();
        if says_enough || self.last_line.is_none() || matches!(event, Event::TransfersPlanned { .. }) {
            self.last_line = Some(*at);
        }
        about.into_iter().chain(self.pass(*at)).collect()
    }

    /// Returns the progress line, or `None` if it is not due.
    pub(super) fn pass(&mut self, at: Duration) -> Option<String> {
        let passed = at.saturating_sub(self.last_line?);
        if self.verbosity == Verbosity::Quiet || passed < EVERY {
            return None;
        }
        self.last_line = Some(at);
        Some(progress_line(&self.progress, at)).filter(|line| !line.is_empty())
    }

    fn counts_bytes(&self) -> bool {
        self.progress.reading.is_some()
            || self.progress.transfers.as_ref().is_some_and(|transfers| !transfers.in_progress.is_empty())
    }

    fn line(&self, event: &Event) -> Option<String> {
        if let Event::Warning(message) = event {
            return Some(format!("warning: {message}"));
        }
        if self.verbosity == Verbosity::Quiet {
            return None;
        }
        match event {
            Event::Phase(what) => Some(what.clone()),
            Event::CatalogRequest { number, what } if self.verbosity == Verbosity::Verbose => {
                Some(format!("request {number}: {what}"))
            }
            Event::Waiting { of, duration, left, why } => {
                let why = reason(of.and_then(|id| self.progress.name_of(id)), why);
                Some(format!("{}: {why}", waiting(*duration, *left)))
            }
            Event::TransfersPlanned { doing, files, bytes } => Some(planned(*doing, *files, *bytes)),
            Event::TransferAnswered { id, from, .. } if *from > 0 => {
                Some(format!("{} resumes at {}", self.name_of(*id), human_size(*from)))
            }
            Event::TransferFinished { id, bytes, outcome } => {
                Some(finished(self.progress.doing.done_verb(), self.name_of(*id), *bytes, outcome))
            }
            Event::Stopping => Some(STOPPING.to_owned()),
            _ => None,
        }
    }

    fn name_of(&self, id: u64) -> &str {
        self.progress.name_of(id).unwrap_or("a file")
    }
}

/// Returns the line of a finished transfer. The reason of a failure follows at the end of the run, with its hints.
pub(super) fn finished(done: &str, name: &str, bytes: u64, outcome: &TransferOutcome) -> String {
    match outcome {
        TransferOutcome::Complete => format!("{done} {name} ({})", human_size(bytes)),
        TransferOutcome::Stopped => format!("stopped {name}"),
        TransferOutcome::Failed(_) => format!("failed {name}"),
    }
}

/// Returns the progress of everything in one line.
fn progress_line(progress: &Progress, at: Duration) -> String {
    if let Some(reading) = &progress.reading {
        return reading_text(reading, at);
    }
    if let Some(transfers) = progress.transfers.as_ref().filter(|transfers| !transfers.in_progress.is_empty())
    {
        return transfers_text(progress, transfers, at);
    }
    match &progress.wait {
        Some(wait) if !wait.rest(at).is_zero() => {
            format!("still {}: {}", waiting(wait.rest(at), wait.left), wait.why)
        }
        _ if progress.status.0.is_empty() => String::new(),
        _ => format!("still in progress: {}", progress.status.0),
    }
}

fn reading_text(reading: &ReadProgress, at: Duration) -> String {
    let share = amount_text(reading.bytes, Some(reading.of));
    format!("read {share}{}", pace_text(reading.speed(at), reading.rest(at)))
}

fn transfers_text(progress: &Progress, transfers: &Transfers, at: Duration) -> String {
    let (doing, share) = (progress.doing.progress_verb(), amount_text(transfers.bytes(), transfers.of));
    let pace = pace_text(transfers.speed(at), transfers.rest(at));
    let done = transfers.arrived;
    let failed = if transfers.failed > 0 { format!(", {} failed", transfers.failed) } else { String::new() };
    let largest = transfers.largest();
    let named = largest.iter().take(NAMED).map(|file| {
        let name = short_name(&file.name);
        match file.active_wait(at) {
            Some(wait) => {
                format!("{name} waits {} ({})", span(wait.rest(at)), wait.why)
            }
            None => format!("{name} {}", amount_text(file.bytes, file.size)),
        }
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let more = match largest.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", {more} more"),
    };
    format!(
        "{doing} {share}{pace}; {done} of {} files done{failed}; in progress: {named}{more}",
        transfers.files
    )
}

/// "1.2 GB of 5.6 GB (21%)"
fn amount_text(bytes: u64, of: Option<u64>) -> String {
    match of {
        Some(of) => format!("{} of {} ({}%)", human_size(bytes), human_size(of), percent(bytes, of)),
        None => human_size(bytes),
    }
}

/// ", 20.1 MB/s, 3m left"
fn pace_text(per_second: Option<u64>, rest: Option<Duration>) -> String {
    let per_second = per_second.map(|bytes| format!(", {}", speed(bytes))).unwrap_or_default();
    let rest = rest.map(|rest| format!(", {} left", span(rest))).unwrap_or_default();
    per_second + &rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::TransferDirection;

    const MB: u64 = 1024 * 1024;
    const NAME: &str = "windows11.0-kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu";

    fn timed(seconds: u64, event: Event) -> TimedEvent {
        TimedEvent { at: Duration::from_secs(seconds), time: jiff::Timestamp::UNIX_EPOCH, event }
    }

    fn started(lines: &mut Lines) {
        let doing = TransferDirection::Downloading;
        let printed =
            lines.take(&timed(0, Event::TransfersPlanned { doing, files: 2, bytes: Some(1000 * MB) }));
        assert_eq!(printed, ["downloading 2 files, 1000.0 MB"]);
        for id in [1, 2] {
            let (name, size) = (NAME.replace("arm64", ["arm64", "x64"][id - 1]), Some(500 * MB));
            let id = u64::try_from(id).unwrap();
            assert!(lines.take(&timed(0, Event::TransferStarted { id, name, size })).is_empty());
        }
    }

    #[test]
    fn progress_is_printed_every_30_seconds() {
        let mut lines = Lines::new(Verbosity::Usual);
        started(&mut lines);
        let answered = timed(0, Event::TransferAnswered { id: 2, from: 200 * MB, size: Some(500 * MB) });
        assert_eq!(lines.take(&answered), [format!("{} resumes at 200.0 MB", NAME.replace("arm64", "x64"))]);
        let mut printed = Vec::new();
        for second in 1..=65 {
            printed.extend(lines.take(&timed(second, Event::TransferProgress { id: 1, bytes: second * MB })));
            if second == 40 {
                let why = "status 503".to_owned();
                let (duration, left) = (Duration::from_mins(1), Some(Duration::from_mins(9)));
                printed.extend(lines.take(&timed(40, Event::Waiting { of: Some(2), duration, left, why })));
            }
        }
        assert_eq!(
            printed,
            [
                "downloading 230.0 MB of 1000.0 MB (23%), 1.0 MB/s, 12m 50s left; 0 of 2 files done; in progress: kb5086672-arm64 30.0 MB of 500.0 MB (6%), kb5086672-x64 200.0 MB of 500.0 MB (40%)".to_owned(),
                format!("waiting 1m, then 9m of the retry budget are left: {}: status 503", NAME.replace("arm64", "x64")),
                "downloading 260.0 MB of 1000.0 MB (26%), 1.0 MB/s, 12m 20s left; 0 of 2 files done; in progress: kb5086672-arm64 60.0 MB of 500.0 MB (12%), kb5086672-x64 waits 40s (status 503)".to_owned(),
            ]
        );
        // A stalled transfer has a progress line too.
        assert_eq!(lines.pass(Duration::from_secs(80)), None);
        let still = lines.pass(Duration::from_secs(95)).unwrap();
        assert!(still.contains("265.0 MB of 1000.0 MB (26%), 0 B/s; "), "{still}");
    }

    #[test]
    fn long_queries_have_progress_lines() {
        let mut lines = Lines::new(Verbosity::Usual);
        let mut printed =
            lines.take(&timed(5, Event::Phase("querying the Catalog for KB5086672".to_owned())));
        for number in 1..=40 {
            let what = format!("details of {number}");
            printed.extend(lines.take(&timed(5 + number, Event::CatalogRequest { number, what })));
        }
        assert_eq!(
            printed,
            ["querying the Catalog for KB5086672", "still in progress: request 30: details of 30"]
        );
        let (duration, left) = (Duration::from_mins(1), Some(Duration::from_mins(9)));
        lines.take(&timed(45, Event::Waiting { of: None, duration, left, why: "details: 503".to_owned() }));
        assert_eq!(
            lines.pass(Duration::from_secs(75)).unwrap(),
            "still waiting 30s, then 9m of the retry budget are left: details: 503"
        );
    }

    #[test]
    fn quiet_prints_warnings_only() {
        let mut lines = Lines::new(Verbosity::Quiet);
        for event in [
            Event::Phase("x".to_owned()),
            Event::Stopping,
            Event::TransfersPlanned { doing: TransferDirection::Reading, files: 1, bytes: None },
        ] {
            assert!(lines.take(&timed(99, event)).is_empty());
        }
        assert_eq!(lines.take(&timed(999, Event::Warning("odd".to_owned()))), ["warning: odd"]);
    }
}
