//! The rows of the live display, as a pure function of progress and time: one row for the phase, one for all bytes,
//! and one for each of the largest files. Waits count down.

use std::time::Duration;

use super::progress::{ActiveWait, FileProgress, Progress, ReadProgress, Transfers, percent};
use super::words::{short_name, speed, waiting};
use crate::net::span;
use crate::update::{human_size, plural};

/// The number of files with a row: the default of `--parallel`.
const FILES: usize = 4;
/// The time after which the row of a phase shows how long it has lasted.
const LONG: Duration = Duration::from_secs(5);

/// A row of the display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DisplayRow {
    /// The present phase, with a spinner.
    Status(String),
    /// A bar with its numbers.
    Bar {
        /// The share that is done, in percent, or `None` while the total is unknown.
        percent: Option<u64>,
        /// The text behind the bar.
        text: String,
    },
    /// A text that belongs to the row above.
    Note(String),
}

/// Returns the rows for a time.
pub(super) fn rows(progress: &Progress, at: Duration) -> Vec<DisplayRow> {
    let mut rows = status(progress, at);
    if let Some(reading) = &progress.reading {
        rows.push(row_of_reading(reading, at));
    }
    if let Some(transfers) = &progress.transfers {
        rows.push(row_of_all(transfers, at));
        let largest = transfers.largest();
        rows.extend(largest.iter().take(FILES).flat_map(|file| rows_of_file(file, at)));
        if let Some(more) = largest.get(FILES..).filter(|more| !more.is_empty()) {
            rows.push(DisplayRow::Note(more_files(more, at)));
        }
    }
    rows
}

/// Returns the present phase and its duration. While the run waits, returns the reason.
fn status(progress: &Progress, at: Duration) -> Vec<DisplayRow> {
    if let Some(wait) = progress.wait.as_ref().filter(|wait| !wait.rest(at).is_zero()) {
        return vec![
            DisplayRow::Status(waiting(wait.rest(at), wait.left)),
            DisplayRow::Note(format!("  {}", wait.why)),
        ];
    }
    let (what, since) = &progress.status;
    let what = if progress.is_stopping { "stopping" } else { what };
    let long = at.saturating_sub(*since);
    if long < LONG || progress.transfers.is_some() || progress.is_stopping {
        return vec![DisplayRow::Status(what.to_owned())];
    }
    vec![DisplayRow::Status(format!("{} {what}", span(long)))]
}

fn row_of_reading(reading: &ReadProgress, at: Duration) -> DisplayRow {
    let numbers = numbers(reading.bytes, Some(reading.of), reading.speed(at), reading.rest(at));
    let share = percent(reading.bytes, reading.of);
    DisplayRow::Bar { percent: Some(share), text: format!("{numbers}  {share}%") }
}

fn row_of_all(transfers: &Transfers, at: Duration) -> DisplayRow {
    let (bytes, of) = (transfers.bytes(), transfers.of);
    let percent = of.map(|of| percent(bytes, of));
    let share = percent.map(|percent| format!(" {percent}%,")).unwrap_or_default();
    let failed = if transfers.failed > 0 { format!(", {} failed", transfers.failed) } else { String::new() };
    let numbers = numbers(bytes, of, transfers.speed(at), transfers.rest(at));
    DisplayRow::Bar {
        percent,
        text: format!("{numbers}  all:{share} {} of {}{failed}", transfers.arrived, transfers.files),
    }
}

fn rows_of_file(file: &FileProgress, at: Duration) -> Vec<DisplayRow> {
    let percent = file.size.map(|of| percent(file.bytes, of));
    let name = short_name(&file.name);
    if let Some(wait) = file.active_wait(at) {
        let text = format!("{name} {}", file_waits(wait, file.waits, at));
        return vec![DisplayRow::Bar { percent, text }, DisplayRow::Note(format!("      {}", wait.why))];
    }
    let numbers = numbers(file.bytes, file.size, file.speed(at), file.rest(at));
    vec![DisplayRow::Bar { percent, text: format!("{numbers}  {name}") }]
}

/// "and 3 more files, 1 of them waiting"
fn more_files(more: &[&FileProgress], at: Duration) -> String {
    let waiting = more.iter().filter(|file| file.active_wait(at).is_some()).count();
    let waits = if waiting > 0 { format!(", {waiting} of them waiting") } else { String::new() };
    format!("  and {} more {}{waits}", more.len(), plural(more.len(), "file"))
}

/// "waits 12s (retry 2, retry budget 9m)"
fn file_waits(wait: &ActiveWait, times: u32, at: Duration) -> String {
    let rest = span(wait.rest(at).max(Duration::from_secs(1)));
    let left = wait.left.map(|left| format!(", retry budget {}", span(left))).unwrap_or_default();
    format!("waits {rest} (retry {times}{left})")
}

/// " 512.0 MB of   2.1 GB   20.1 MB/s   1m 20s", in columns
fn numbers(bytes: u64, of: Option<u64>, per_second: Option<u64>, rest: Option<Duration>) -> String {
    let of = of.map_or_else(|| " ".repeat(12), |of| format!("of {:>9}", human_size(of)));
    let per_second = per_second.map(speed).unwrap_or_default();
    let rest = rest.map(span).unwrap_or_default();
    format!("{:>9} {of}  {per_second:>11} {rest:>7}", human_size(bytes))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::event::{Event, TransferDirection};

    const MB: u64 = 1024 * 1024;

    fn take(progress: &mut Progress, seconds: u64, event: &Event) {
        progress.take(Duration::from_secs(seconds), event);
    }

    fn name(kb: u64) -> String {
        format!("windows11.0-kb{kb}-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu")
    }

    /// Six files, the fifth the largest, the fourth and the second one waiting.
    pub(in crate::report) fn in_progress() -> Progress {
        let mut progress = Progress::default();
        let doing = TransferDirection::Downloading;
        take(&mut progress, 0, &Event::TransfersPlanned { doing, files: 8, bytes: Some(9000 * MB) });
        for id in 1..=6 {
            let size = Some(if id == 5 { 5000 * MB } else { (100 + id) * MB });
            take(&mut progress, 0, &Event::TransferStarted { id, name: name(5_000_000 + id), size });
        }
        for id in [6, 5] {
            take(&mut progress, 0, &Event::TransferAnswered { id, from: 50 * MB, size: None });
            take(&mut progress, 10, &Event::TransferProgress { id, bytes: 100 * MB });
        }
        for id in [4, 2] {
            let why = "cdn.example closed the connection before its end".to_owned();
            let (duration, left) = (Duration::from_secs(15), Some(Duration::from_secs(570)));
            take(&mut progress, 10, &Event::Waiting { of: Some(id), duration, left, why });
        }
        progress
    }

    fn texts(rows: &[DisplayRow]) -> Vec<String> {
        rows.iter()
            .map(|row| match row {
                DisplayRow::Status(text) | DisplayRow::Note(text) => text.clone(),
                DisplayRow::Bar { percent, text } => {
                    format!(
                        "[{}] {text}",
                        percent.map_or_else(|| "?".to_owned(), |percent| percent.to_string())
                    )
                }
            })
            .collect()
    }

    #[test]
    fn each_of_the_four_largest_files_has_a_row() {
        assert_eq!(
            texts(&rows(&in_progress(), Duration::from_secs(13))),
            [
                "downloading",
                "[2]  200.0 MB of    8.8 GB     7.7 MB/s  19m 4s  all: 2%, 0 of 8",
                "[2]  100.0 MB of    4.9 GB     3.8 MB/s 21m 14s  kb5000005-arm64",
                "[94]  100.0 MB of  106.0 MB     3.8 MB/s      1s  kb5000006-arm64",
                "[0] kb5000004-arm64 waits 12s (retry 1, retry budget 9m 30s)",
                "      cdn.example closed the connection before its end",
                "[0]       0 B of  103.0 MB        0 B/s          kb5000003-arm64",
                "  and 2 more files, 1 of them waiting",
            ]
        );
    }

    #[test]
    fn a_wait_counts_down_with_its_reason() {
        let mut progress = Progress::default();
        let at = |seconds| Duration::from_secs(seconds);
        take(&mut progress, 0, &Event::Phase("querying the Catalog for KB5086672".to_owned()));
        assert_eq!(texts(&rows(&progress, at(3))), ["querying the Catalog for KB5086672"]);
        assert_eq!(texts(&rows(&progress, at(75))), ["1m 15s querying the Catalog for KB5086672"]);
        let why = format!("details of x: {}", "so it is, ".repeat(20));
        let (duration, left) = (Duration::from_mins(2), Some(Duration::from_mins(7)));
        take(&mut progress, 75, &Event::Waiting { of: None, duration, left, why: why.clone() });
        for (second, rest) in [(75, "2m"), (76, "1m 59s"), (194, "1s")] {
            let expected = format!("waiting {rest}, then 7m of the retry budget are left");
            assert_eq!(texts(&rows(&progress, at(second))), [expected, format!("  {why}")]);
        }
        // The wait is over, and the response has not arrived yet.
        assert_eq!(rows(&progress, at(195)).len(), 1);
        take(&mut progress, 196, &Event::Stopping);
        assert_eq!(texts(&rows(&progress, at(196))), ["stopping"]);
    }
}
