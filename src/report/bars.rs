//! What a terminal shows while a run goes on: a line that says what goes on, one for all bytes, and one for each of the
//! largest files under way. What waits counts down. The lines are a pure function of the progress, the time, and the
//! width.

use std::time::Duration;

use console::Term;

use super::lines::finished;
use super::progress::{File, Progress, Reading, Transfers, Wait, percent};
use super::words::{STOPPING, planned, short_name, speed, waiting};
use crate::event::{Event, Told};
use crate::net::span;
use crate::update::{human_size, plural};

/// So many files have a line of their own: as many as are fetched at a time when nobody says otherwise.
const FILES: usize = 4;
/// What goes on for longer says for how long.
const LONG: Duration = Duration::from_secs(5);
/// Names and reasons are worth more than a longer bar.
const WIDEST_BAR: usize = 30;
/// Between two turns of the mark that shows that the program is alive.
const TURN: u128 = 120;

/// The lines as they stand on the terminal.
#[derive(Debug)]
pub(super) struct Bars {
    progress: Progress,
    terminal: Term,
    shown: Vec<String>,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { progress: Progress::default(), terminal: Term::buffered_stderr(), shown: Vec::new() }
    }

    /// Takes an event; what is done for good scrolls up over the bars.
    pub(super) fn take(&mut self, Told { at, event, .. }: &Told) {
        let line = match event {
            Event::Warning(message) => Some(format!("warning: {message}")),
            Event::TransfersPlanned { doing, files, bytes } => Some(planned(*doing, *files, *bytes)),
            Event::TransferFinished { id, bytes, failure } => self.progress.name_of(*id).map(|name| {
                finished(self.progress.doing.done(), short_name(name), *bytes, failure.as_deref())
            }),
            Event::Stopping => Some(STOPPING.to_owned()),
            _ => None,
        };
        self.progress.take(*at, event);
        if let Some(line) = line {
            let shown = self.shown.clone();
            self.show(Some(&line), shown);
        }
    }

    /// Shows how it is now.
    pub(super) fn draw(&mut self, at: Duration) {
        let (_, width) = self.terminal.size();
        let lines = drawn(&self.progress, at, usize::from(width));
        if lines != self.shown {
            self.show(None, lines);
        }
    }

    /// Takes them away.
    pub(super) fn end(mut self) {
        self.show(None, Vec::new());
    }

    /// Puts lines in the place of those that stand there, and one above them for good. The cursor is left on a line of its
    /// own, so that what the terminal echoes (`^C`) moves nothing.
    fn show(&mut self, above: Option<&str>, lines: Vec<String>) {
        let draw = || {
            self.terminal.move_cursor_up(self.shown.len())?;
            self.terminal.write_str("\r")?;
            self.terminal.clear_to_end_of_screen()?;
            above
                .into_iter()
                .chain(lines.iter().map(String::as_str))
                .try_for_each(|line| self.terminal.write_line(line))?;
            self.terminal.flush()
        };
        // A terminal that is gone stops nothing.
        let _undrawn = draw();
        self.shown = lines;
    }
}

/// The lines for a terminal of this width.
fn drawn(progress: &Progress, at: Duration, width: usize) -> Vec<String> {
    // A line that fills the last column makes some terminals begin another one.
    let width = width.saturating_sub(1);
    let mut lines = status(progress, at);
    if let Some(reading) = &progress.reading {
        lines.push(line_of_reading(reading, at, width));
    }
    if let Some(transfers) = &progress.transfers {
        lines.push(line_of_all(transfers, at, width));
        let largest = transfers.largest();
        lines.extend(largest.iter().take(FILES).flat_map(|file| lines_of_file(file, at, width)));
        if let Some(more) = largest.get(FILES..).filter(|more| !more.is_empty()) {
            lines.push(more_files(more, at));
        }
    }
    lines.into_iter().map(|line| cut(line, width)).collect()
}

/// What goes on, and for how long; while the run waits, why.
fn status(progress: &Progress, at: Duration) -> Vec<String> {
    let mark = match at.as_millis() / TURN % 4 {
        0 => '|',
        1 => '/',
        2 => '-',
        _ => '\\',
    };
    if let Some(wait) = progress.wait.as_ref().filter(|wait| !wait.rest(at).is_zero()) {
        return vec![format!("{mark} {}", waiting(wait.rest(at), wait.left)), format!("  {}", wait.why)];
    }
    let (what, since) = &progress.status;
    let what = if progress.is_stopping { "stopping" } else { what };
    let long = at.saturating_sub(*since);
    if long < LONG || progress.transfers.is_some() || progress.is_stopping {
        return vec![format!("{mark} {what}")];
    }
    vec![format!("{mark} {} {what}", span(long))]
}

fn line_of_reading(reading: &Reading, at: Duration, width: usize) -> String {
    let numbers = numbers(reading.bytes, Some(reading.of), reading.speed(at), reading.rest(at));
    format!(
        "{}  {numbers}  {}%",
        bar(reading.bytes, Some(reading.of), width),
        percent(reading.bytes, reading.of)
    )
}

fn line_of_all(transfers: &Transfers, at: Duration, width: usize) -> String {
    let (bytes, of) = (transfers.bytes(), transfers.of);
    let share = of.map(|of| format!(" {}%,", percent(bytes, of))).unwrap_or_default();
    let failed = if transfers.failed > 0 { format!(", {} failed", transfers.failed) } else { String::new() };
    format!(
        "{}  {}  all:{share} {} of {}{failed}",
        bar(bytes, of, width),
        numbers(bytes, of, transfers.speed(at), transfers.rest(at)),
        transfers.arrived,
        transfers.files
    )
}

fn lines_of_file(file: &File, at: Duration, width: usize) -> Vec<String> {
    let (bar, name) = (bar(file.bytes, file.size, width), short_name(&file.name));
    if let Some(wait) = file.waits_at(at) {
        return vec![
            format!("{bar}  {name} {}", file_waits(wait, file.waits, at)),
            format!("      {}", wait.why),
        ];
    }
    vec![format!("{bar}  {}  {name}", numbers(file.bytes, file.size, file.speed(at), file.rest(at)))]
}

/// "and 3 more files, 1 of them waiting"
fn more_files(more: &[&File], at: Duration) -> String {
    let waiting = more.iter().filter(|file| file.waits_at(at).is_some()).count();
    let waits = if waiting > 0 { format!(", {waiting} of them waiting") } else { String::new() };
    format!("  and {} more {}{waits}", more.len(), plural(more.len(), "file"))
}

/// "waits 12s (retry 2, 9m of patience left)"
fn file_waits(wait: &Wait, times: u32, at: Duration) -> String {
    let rest = span(wait.rest(at).max(Duration::from_secs(1)));
    let left = wait.left.map(|left| format!(", {} of patience left", span(left))).unwrap_or_default();
    format!("waits {rest} (retry {times}{left})")
}

/// "  [====>     ]", as long as the width allows
fn bar(bytes: u64, of: Option<u64>, width: usize) -> String {
    // Numbers take 44 columns, and what stands behind them 24.
    let room = width.saturating_sub(44 + 24).clamp(8, WIDEST_BAR);
    let filled = of.map_or(0, |of| usize::try_from(percent(bytes, of)).unwrap_or_default() * room / 100);
    let tip = if of.is_some() && filled > 0 && filled < room { ">" } else { "" };
    let full = "=".repeat(filled - tip.len());
    format!("  [{full}{tip}{}]", " ".repeat(room - filled))
}

/// " 512.0 MB of   2.1 GB   20.1 MB/s   1m 20s", in columns
fn numbers(bytes: u64, of: Option<u64>, a_second: Option<u64>, rest: Option<Duration>) -> String {
    let of = of.map_or_else(|| " ".repeat(12), |of| format!("of {:>9}", human_size(of)));
    let a_second = a_second.map(speed).unwrap_or_default();
    let rest = rest.map(span).unwrap_or_default();
    format!("{:>9} {of}  {a_second:>11} {rest:>7}", human_size(bytes))
}

/// Cut to a width, where it is longer.
fn cut(line: String, width: usize) -> String {
    match line.char_indices().nth(width) {
        Some((end, _)) => line.get(..end).unwrap_or_default().to_owned(),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Doing;

    const MB: u64 = 1024 * 1024;

    fn take(progress: &mut Progress, seconds: u64, event: &Event) {
        progress.take(Duration::from_secs(seconds), event);
    }

    fn name(kb: u64) -> String {
        format!("windows11.0-kb{kb}-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu")
    }

    /// Six files, the fifth the largest, the fourth and the second one waiting.
    fn under_way() -> Progress {
        let mut progress = Progress::default();
        let doing = Doing::Downloading;
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
            let why = format!("{}: cdn.example closed the connection before its end", name(5_000_000 + id));
            let (duration, left) = (Duration::from_secs(15), Some(Duration::from_secs(570)));
            take(&mut progress, 10, &Event::Waiting { duration, left, why });
        }
        progress
    }

    #[test]
    fn the_four_largest_files_have_a_line_each() {
        assert_eq!(
            drawn(&under_way(), Duration::from_secs(13), 80),
            [
                "| downloading",
                "  [           ]   200.0 MB of    8.8 GB     7.7 MB/s  19m 4s  all: 2%, 0 of 8",
                "  [           ]   100.0 MB of    4.9 GB     3.8 MB/s 21m 14s  kb5000005-arm64",
                "  [=========> ]   100.0 MB of  106.0 MB     3.8 MB/s      1s  kb5000006-arm64",
                "  [           ]  kb5000004-arm64 waits 12s (retry 1, 9m 30s of patience left)",
                "      cdn.example closed the connection before its end",
                "  [           ]        0 B of  103.0 MB        0 B/s          kb5000003-arm64",
                "  and 2 more files, 1 of them waiting",
            ]
        );
    }

    #[test]
    fn what_holds_up_everything_counts_down_with_its_reason() {
        let mut progress = Progress::default();
        take(&mut progress, 0, &Event::Phase("asking the Catalog for KB5086672".to_owned()));
        assert_eq!(drawn(&progress, Duration::from_secs(3), 80), ["/ asking the Catalog for KB5086672"]);
        assert_eq!(
            drawn(&progress, Duration::from_secs(75), 80),
            ["/ 1m 15s asking the Catalog for KB5086672"]
        );
        let why = format!("details of x: {}", "so it is, ".repeat(20));
        let (duration, left) = (Duration::from_mins(2), Some(Duration::from_mins(7)));
        take(&mut progress, 75, &Event::Waiting { duration, left, why });
        for (second, rest) in [(75, "2m"), (76, "1m 59s"), (194, "1s")] {
            let lines = drawn(&progress, Duration::from_secs(second), 80);
            let expected = format!("waiting {rest}, then 7m of the patience are left");
            assert!(lines[0].ends_with(&expected), "{lines:?}");
            assert!(lines[1].starts_with("  details of x: so it is") && lines[1].len() == 79, "{lines:?}");
        }
        // It is over, and nothing has come yet.
        assert_eq!(drawn(&progress, Duration::from_secs(195), 80).len(), 1);
        take(&mut progress, 196, &Event::Stopping);
        assert!(drawn(&progress, Duration::from_secs(196), 80)[0].ends_with(" stopping"));
    }

    #[test]
    fn no_line_is_wider_than_its_terminal() {
        let progress = under_way();
        for width in [10, 41, 60, 80, 120, 200] {
            for line in drawn(&progress, Duration::from_secs(13), width) {
                assert!(line.chars().count() < width, "{width}: {line}");
            }
        }
    }
}
