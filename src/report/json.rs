//! `--log-format json`: each event is one JSON object on a line of stderr, which has no other text. mirror-layout.md
//! lists the fields. Fields are added but never changed. An unknown value is null.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::progress::Progress;
use super::words::reason;
use crate::documents::{LogEvent, LogLine, line_of};
use crate::event::{Event, TimedEvent, TransferDirection};

/// The least time between two lines about the bytes of a file.
const PROGRESS: Duration = Duration::from_secs(1);

/// Returns one line of the log: the time, the event, and its fields.
pub fn log_line(time: Timestamp, event: LogEvent) -> String {
    line_of(&LogLine { time: format!("{time:.3}"), event })
}

/// The converter of events into JSON lines.
#[derive(Debug)]
pub(super) struct Log {
    is_quiet: bool,
    progress: Progress,
    /// The time of the last progress line of each file.
    last_lines: BTreeMap<u64, Duration>,
    read: Option<Duration>,
}

impl Log {
    pub(super) fn new(is_quiet: bool) -> Self {
        Self { is_quiet, progress: Progress::default(), last_lines: BTreeMap::new(), read: None }
    }

    /// Returns the line of an event, or `None` if it follows the last one too soon.
    pub(super) fn take(&mut self, TimedEvent { at, time, event }: &TimedEvent) -> Option<String> {
        let name = match event {
            Event::TransferFinished { id, .. } => self.progress.name_of(*id).map(str::to_owned),
            _ => None,
        };
        self.progress.take(*at, event);
        if self.is_quiet && !matches!(event, Event::Warning(_)) {
            return None;
        }
        let event = self.line(*at, event, name)?;
        Some(log_line(*time, event))
    }

    /// Returns the line of an event. `finished` is the file of a transfer that just ended.
    fn line(&mut self, at: Duration, event: &Event, finished: Option<String>) -> Option<LogEvent> {
        let file = |id: &u64| self.progress.transfers.as_ref().and_then(|all| all.in_progress.get(id));
        let name = |id: &u64| file(id).map(|file| file.name.clone());
        Some(match event {
            Event::Phase(what) => LogEvent::Phase { what: what.clone() },
            Event::CatalogRequest { number, what } => {
                LogEvent::CatalogRequest { number: *number, what: what.clone() }
            }
            Event::Waiting { of, duration, left, why } => LogEvent::Waiting {
                seconds: duration.as_secs_f64(),
                patience_left: left.map(|left| left.as_secs()),
                why: reason(of.and_then(|id| self.progress.name_of(id)), why),
            },
            Event::TransfersPlanned { doing, files, bytes } => {
                self.last_lines.clear();
                let doing = match doing {
                    TransferDirection::Downloading => "downloading",
                    TransferDirection::Writing => "writing",
                    TransferDirection::Reading => "reading",
                };
                LogEvent::TransfersPlanned { doing, files: *files, file_count: *files, bytes: *bytes }
            }
            Event::TransferStarted { id, name, size } => {
                LogEvent::TransferStarted { id: *id, file: name.clone(), size: *size }
            }
            Event::TransferAnswered { id, from, size } => {
                LogEvent::TransferAnswered { id: *id, file: name(id), from: *from, size: *size }
            }
            Event::TransferProgress { id, bytes } => return self.progress_line(at, *id, *bytes),
            Event::TransferFinished { id, bytes, outcome } => {
                self.last_lines.remove(id);
                let failure = outcome.failure().map(str::to_owned);
                LogEvent::TransferFinished { id: *id, file: finished, bytes: *bytes, failure }
            }
            Event::Checked { bytes, of } => {
                if self.read.is_some_and(|last| at.saturating_sub(last) < PROGRESS) && bytes < of {
                    return None;
                }
                self.read = Some(at);
                LogEvent::Checked { bytes: *bytes, of: *of }
            }
            Event::Warning(message) => LogEvent::Warning { message: message.clone() },
            Event::Stopping => LogEvent::Stopping,
            Event::End => return None,
        })
    }

    /// Returns the progress line of a transfer, or `None` if it follows the last one too soon.
    fn progress_line(&mut self, at: Duration, id: u64, bytes: u64) -> Option<LogEvent> {
        let is_due = |last: &Duration| at.saturating_sub(*last) >= PROGRESS;
        if !self.last_lines.get(&id).is_none_or(is_due) {
            return None;
        }
        self.last_lines.insert(id, at);
        let all = self.progress.transfers.as_ref();
        let file = all.and_then(|all| all.in_progress.get(&id));
        Some(LogEvent::TransferProgress {
            id,
            file: file.map(|file| file.name.clone()),
            bytes,
            size: file.and_then(|file| file.size),
            bytes_per_second: file.and_then(|file| file.speed(at)),
            bytes_of_all: all.map(super::progress::Transfers::bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::event::TransferOutcome;

    fn timed(millis: u64, event: Event) -> TimedEvent {
        let time: Timestamp = "2026-11-23T08:00:00.25Z".parse().unwrap();
        TimedEvent { at: Duration::from_millis(millis), time, event }
    }

    #[test]
    fn a_line_has_time_event_and_fields() {
        let mut log = Log::new(false);
        let lines: Vec<String> = [
            Event::Phase("asking".to_owned()),
            Event::Waiting {
                of: None,
                duration: Duration::from_millis(1500),
                left: None,
                why: "503".to_owned(),
            },
            Event::TransferStarted { id: 7, name: "a.msu".to_owned(), size: None },
            Event::Waiting { of: Some(7), duration: Duration::ZERO, left: None, why: "503".to_owned() },
            Event::TransferAnswered { id: 7, from: 5, size: Some(9) },
            Event::TransferFinished { id: 7, bytes: 9, outcome: TransferOutcome::Stopped },
            Event::Stopping,
        ]
        .into_iter()
        .filter_map(|event| log.take(&timed(0, event)))
        .collect();
        assert_eq!(
            lines,
            [
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"phase","what":"asking"}"#,
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"waiting","seconds":1.5,"patience_left":null,"why":"503"}"#,
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"transfer_started","id":7,"file":"a.msu","size":null}"#,
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"waiting","seconds":0.0,"patience_left":null,"why":"a.msu: 503"}"#,
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"transfer_answered","id":7,"file":"a.msu","from":5,"size":9}"#,
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"transfer_finished","id":7,"file":"a.msu","bytes":9,"failure":"stopped"}"#,
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"stopping"}"#,
            ]
        );
    }

    #[test]
    fn progress_of_a_file_is_logged_once_per_second_at_most() {
        let mut log = Log::new(false);
        for id in [1, 2] {
            log.take(&timed(0, Event::TransferStarted { id, name: id.to_string(), size: Some(1 << 30) }));
        }
        let mut seen = BTreeMap::new();
        for step in 0..100 {
            for id in [1, 2] {
                let bytes = step << 20;
                if let Some(line) = log.take(&timed(100 * step, Event::TransferProgress { id, bytes })) {
                    let line: Value = serde_json::from_str(&line).unwrap();
                    assert_eq!((&line["bytes"], &line["size"]), (&json!(bytes), &json!(1 << 30)));
                    *seen.entry(id).or_insert(0) += 1;
                }
            }
        }
        assert_eq!(seen, BTreeMap::from([(1, 10), (2, 10)]));
    }
}
