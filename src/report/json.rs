//! `--log-format json`: every event as one JSON object on a line of stderr, and nothing else there. The fields are listed in
//! mirror-layout.md; they are a promise: added to, never changed. What is not known is null.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::progress::Progress;
use crate::error::{Error, ErrorKind};
use crate::event::{Doing, Event, Told};

/// A file tells of its bytes this often at the most.
const PROGRESS: Duration = Duration::from_secs(1);

/// One line of the log: the time, what it is, and its fields.
pub fn log_line(time: Timestamp, event: &str, fields: Value) -> String {
    let mut line = Map::new();
    line.insert("time".to_owned(), json!(format!("{time:.3}")));
    line.insert("event".to_owned(), json!(event));
    if let Value::Object(fields) = fields {
        line.extend(fields);
    }
    Value::Object(line).to_string()
}

/// The line of an error that ended a command.
pub fn log_error(time: Timestamp, error: &Error) -> String {
    log_line(time, "error", json!(error))
}

/// The line of something that failed while the rest went on.
pub fn log_failure(time: Timestamp, what: &str, kind: ErrorKind, message: &str, hints: &[String]) -> String {
    log_line(time, "failure", json!({ "what": what, "kind": kind, "message": message, "hints": hints }))
}

/// Makes lines of events.
#[derive(Debug)]
pub(super) struct Log {
    is_quiet: bool,
    progress: Progress,
    /// When each file was last told of.
    told: BTreeMap<u64, Duration>,
    read: Option<Duration>,
}

impl Log {
    pub(super) fn new(is_quiet: bool) -> Self {
        Self { is_quiet, progress: Progress::default(), told: BTreeMap::new(), read: None }
    }

    /// The line of an event; none for one that comes too soon.
    pub(super) fn take(&mut self, Told { at, time, event }: &Told) -> Option<String> {
        let name = match event {
            Event::TransferFinished { id, .. } => self.progress.name_of(*id).map(str::to_owned),
            _ => None,
        };
        self.progress.take(*at, event);
        if self.is_quiet && !matches!(event, Event::Warning(_)) {
            return None;
        }
        let (word, fields) = self.fields(*at, event, name.as_deref())?;
        Some(log_line(*time, word, fields))
    }

    fn fields(
        &mut self,
        at: Duration,
        event: &Event,
        finished: Option<&str>,
    ) -> Option<(&'static str, Value)> {
        let file = |id: &u64| self.progress.transfers.as_ref().and_then(|all| all.under_way.get(id));
        let name = |id: &u64| file(id).map(|file| file.name.clone());
        Some(match event {
            Event::Phase(what) => ("phase", json!({ "what": what })),
            Event::CatalogRequest { number, what } => {
                ("catalog_request", json!({ "number": number, "what": what }))
            }
            Event::Waiting { duration, left, why } => {
                let left = left.map(|left| left.as_secs());
                ("waiting", json!({ "seconds": duration.as_secs_f64(), "patience_left": left, "why": why }))
            }
            Event::TransfersPlanned { doing, files, bytes } => {
                self.told.clear();
                let doing = match doing {
                    Doing::Downloading => "downloading",
                    Doing::Writing => "writing",
                    Doing::Reading => "reading",
                };
                ("transfers_planned", json!({ "doing": doing, "files": files, "bytes": bytes }))
            }
            Event::TransferStarted { id, name, size } => {
                ("transfer_started", json!({ "id": id, "file": name, "size": size }))
            }
            Event::TransferAnswered { id, from, size } => {
                let fields = json!({ "id": id, "file": name(id), "from": from, "size": size });
                ("transfer_answered", fields)
            }
            Event::TransferProgress { id, bytes } => {
                let (name, size) = file(id).map(|file| (file.name.clone(), file.size)).unzip();
                let speed = file(id).and_then(|file| file.speed(at));
                let all = self.progress.transfers.as_ref().map(super::progress::Transfers::bytes);
                let is_due = |last: &Duration| at.saturating_sub(*last) >= PROGRESS;
                if !self.told.get(id).is_none_or(is_due) {
                    return None;
                }
                self.told.insert(*id, at);
                let fields = json!({
                    "id": id,
                    "file": name,
                    "bytes": bytes,
                    "size": size.flatten(),
                    "bytes_per_second": speed,
                    "bytes_of_all": all,
                });
                ("transfer_progress", fields)
            }
            Event::TransferFinished { id, bytes, failure } => {
                self.told.remove(id);
                let fields = json!({ "id": id, "file": finished, "bytes": bytes, "failure": failure });
                ("transfer_finished", fields)
            }
            Event::Checked { bytes, of } => {
                if self.read.is_some_and(|last| at.saturating_sub(last) < PROGRESS) && bytes < of {
                    return None;
                }
                self.read = Some(at);
                ("checked", json!({ "bytes": bytes, "of": of }))
            }
            Event::Warning(message) => ("warning", json!({ "message": message })),
            Event::Stopping => ("stopping", json!({})),
            Event::End => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(millis: u64, event: Event) -> Told {
        let time: Timestamp = "2026-11-23T08:00:00.25Z".parse().unwrap();
        Told { at: Duration::from_millis(millis), time, event }
    }

    #[test]
    fn a_line_has_its_time_its_word_and_its_fields() {
        let mut log = Log::new(false);
        let lines: Vec<String> = [
            Event::Phase("asking".to_owned()),
            Event::Waiting { duration: Duration::from_millis(1500), left: None, why: "503".to_owned() },
            Event::TransferStarted { id: 7, name: "a.msu".to_owned(), size: None },
            Event::TransferAnswered { id: 7, from: 5, size: Some(9) },
            Event::TransferFinished { id: 7, bytes: 9, failure: None },
            Event::Stopping,
        ]
        .into_iter()
        .filter_map(|event| log.take(&told(0, event)))
        .collect();
        assert_eq!(
            lines,
            [
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"phase","what":"asking"}"#,
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"waiting","seconds":1.5,"patience_left":null,"why":"503"}"#,
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"transfer_started","id":7,"file":"a.msu","size":null}"#,
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"transfer_answered","id":7,"file":"a.msu","from":5,"size":9}"#,
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"transfer_finished","id":7,"file":"a.msu","bytes":9,"failure":null}"#,
                r#"{"time":"2026-11-23T08:00:00.250Z","event":"stopping"}"#,
            ]
        );
    }

    #[test]
    fn a_file_tells_of_its_bytes_once_a_second_at_the_most() {
        let mut log = Log::new(false);
        for id in [1, 2] {
            log.take(&told(0, Event::TransferStarted { id, name: id.to_string(), size: Some(1 << 30) }));
        }
        let mut seen = BTreeMap::new();
        for step in 0..100 {
            for id in [1, 2] {
                let bytes = step << 20;
                if let Some(line) = log.take(&told(100 * step, Event::TransferProgress { id, bytes })) {
                    let line: Value = serde_json::from_str(&line).unwrap();
                    assert_eq!((&line["bytes"], &line["size"]), (&json!(bytes), &json!(1 << 30)));
                    *seen.entry(id).or_insert(0) += 1;
                }
            }
        }
        assert_eq!(seen, BTreeMap::from([(1, 10), (2, 10)]));
    }
}
