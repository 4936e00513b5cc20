//! The live display of a terminal. `indicatif` draws it and handles widths, resizing, and Windows consoles. The rows
//! come from the progress ([`super::rows`]). Results of single files scroll up above them.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::finished;
use super::palette::Palette;
use super::progress::Progress;
use super::rows::{DisplayRow, rows};
use super::words::{STOPPING, planned, short_name};
use crate::event::{Event, TimedEvent};
use crate::update::escape_hidden;

/// The templates of the rows. `wide_msg` cuts a text at the width of the terminal.
const STATUS: &str = "{spinner} {wide_msg}";
const BAR: &str = "  [{bar:12}]  {wide_msg}";
const NOTE: &str = "{wide_msg}";

/// The shape of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Status,
    Bar,
    Note,
}

/// The rows on the terminal.
#[derive(Debug)]
pub(super) struct Bars {
    progress: Progress,
    palette: Palette,
    screen: MultiProgress,
    rows: Vec<(Shape, ProgressBar)>,
    /// An empty row at the end. It keeps the cursor on a separate line, so that an echoed `^C` does not move the rows.
    cursor: ProgressBar,
}

impl Bars {
    /// Starts a display on standard error.
    pub(super) fn new(palette: Palette) -> Self {
        Self { palette, ..Self::on(ProgressDrawTarget::stderr()) }
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let screen = MultiProgress::with_draw_target(target);
        let cursor = screen.add(bar_of(Shape::Note));
        Self { progress: Progress::default(), palette: Palette::default(), screen, rows: Vec::new(), cursor }
    }

    /// Handles an event. Finished work scrolls up above the rows.
    pub(super) fn take(&mut self, TimedEvent { at, event, .. }: &TimedEvent) {
        let line = match event {
            Event::Warning(message) => Some(format!("warning: {message}")),
            Event::TransfersPlanned { doing, files, bytes } => Some(planned(*doing, *files, *bytes)),
            Event::TransferFinished { id, bytes, outcome } => self
                .progress
                .name_of(*id)
                .map(|name| finished(self.progress.doing.done_verb(), short_name(name), *bytes, outcome)),
            Event::Stopping => Some(STOPPING.to_owned()),
            _ => None,
        };
        self.progress.take(*at, event);
        if let Some(line) = line {
            // A closed terminal does not stop the run.
            let _undrawn = self.screen.println(self.palette.label(&escape_hidden(&line)));
        }
    }

    /// Draws the rows for a time.
    pub(super) fn draw(&mut self, at: Duration) {
        let wanted = rows(&self.progress, at);
        while self.rows.len() > wanted.len() {
            if let Some((_, row)) = self.rows.pop() {
                self.screen.remove(&row);
            }
        }
        for (place, row) in wanted.into_iter().enumerate() {
            let shape = shape_of(&row);
            let bar = if let Some((known, bar)) = self.rows.get_mut(place) {
                if *known != shape {
                    *known = shape;
                    bar.set_style(style_of(shape));
                }
                bar.clone()
            } else {
                let bar = self.screen.insert_before(&self.cursor, bar_of(shape));
                self.rows.push((shape, bar.clone()));
                bar
            };
            match row {
                DisplayRow::Status(text) => {
                    bar.set_message(escape_hidden(&text).into_owned());
                    bar.tick();
                }
                DisplayRow::Bar { percent, text } => {
                    bar.set_position(percent.unwrap_or(0));
                    bar.set_message(escape_hidden(&text).into_owned());
                }
                DisplayRow::Note(text) => bar.set_message(escape_hidden(&text).into_owned()),
            }
        }
        self.cursor.force_draw();
    }

    /// Removes the rows.
    pub(super) fn end(self) {
        for (_, row) in &self.rows {
            row.finish_and_clear();
        }
        self.cursor.finish_and_clear();
        let _undrawn = self.screen.clear();
    }
}

fn shape_of(row: &DisplayRow) -> Shape {
    match row {
        DisplayRow::Status(_) => Shape::Status,
        DisplayRow::Bar { .. } => Shape::Bar,
        DisplayRow::Note(_) => Shape::Note,
    }
}

/// Creates a row. Its length is 100, so that positions are percentages.
fn bar_of(shape: Shape) -> ProgressBar {
    let bar = ProgressBar::new(100);
    bar.set_style(style_of(shape));
    bar
}

fn style_of(shape: Shape) -> ProgressStyle {
    let template = match shape {
        Shape::Status => STATUS,
        Shape::Bar => BAR,
        Shape::Note => NOTE,
    };
    // The templates are constants, and tests draw them. An invalid one would give a plain bar.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ").tick_chars("|/-\\ ")
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;
    use crate::report::rows::tests::in_progress;

    fn on(columns: u16) -> (InMemoryTerm, Bars) {
        let terminal = InMemoryTerm::new(20, columns);
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 255);
        (terminal, Bars { progress: in_progress(), ..Bars::on(target) })
    }

    #[test]
    fn rows_stand_below_finished_work() {
        let (terminal, mut bars) = on(80);
        bars.draw(Duration::from_secs(13));
        let warning = Event::Warning("the disk is nearly full".to_owned());
        bars.take(&TimedEvent {
            at: Duration::from_secs(13),
            time: jiff::Timestamp::UNIX_EPOCH,
            event: warning,
        });
        bars.draw(Duration::from_secs(13));
        assert_eq!(
            terminal.contents().lines().collect::<Vec<_>>(),
            [
                "warning: the disk is nearly full",
                "- downloading",
                "  [>           ]   200.0 MB of    8.8 GB     7.7 MB/s  19m 4s  all: 2%, 0 of 8",
                "  [>           ]   100.0 MB of    4.9 GB     3.8 MB/s 21m 14s  kb5000005-arm64",
                "  [===========>]   100.0 MB of  106.0 MB     3.8 MB/s      1s  kb5000006-arm64",
                "  [            ]  kb5000004-arm64 waits 12s (retry 1, retry budget 9m 30s)",
                "      cdn.example closed the connection before its end",
                "  [            ]        0 B of  103.0 MB        0 B/s          kb5000003-arm64",
                "  and 2 more files, 1 of them waiting",
            ]
        );
        bars.end();
        assert_eq!(terminal.contents(), "warning: the disk is nearly full");
    }

    #[test]
    fn each_row_takes_one_line_at_every_width() {
        for columns in [20, 41, 60, 80, 120, 200] {
            let (terminal, mut bars) = on(columns);
            bars.draw(Duration::from_secs(13));
            bars.draw(Duration::from_secs(14));
            assert_eq!(terminal.contents().lines().count(), 8, "{columns}:\n{}", terminal.contents());
            bars.end();
            assert_eq!(terminal.contents(), "", "{columns}");
        }
    }

    #[test]
    fn removed_rows_leave_no_text() {
        let (terminal, mut bars) = on(80);
        bars.draw(Duration::from_secs(13));
        bars.progress = Progress::default();
        let phase = Event::Phase("checking".to_owned());
        bars.take(&TimedEvent {
            at: Duration::from_secs(14),
            time: jiff::Timestamp::UNIX_EPOCH,
            event: phase,
        });
        bars.draw(Duration::from_secs(14));
        assert_eq!(terminal.contents().trim_end().get(2..), Some("checking"), "{}", terminal.contents());
    }
}
