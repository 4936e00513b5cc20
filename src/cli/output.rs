//! The output of a command, collected during the run and written at its end: data to stdout, everything else to stderr.

use std::io::{self, Write};
use std::sync::{Arc, PoisonError};

use serde::Serialize;

use super::process::Process;
use crate::clock::Clock;
use crate::crawl::Failure;
use crate::documents::{ErrorDocument, LogEvent, line_of};
use crate::error::{Error, ErrorKind, Result};
use crate::event::LogFormat;
use crate::exit_code::ExitCode;
use crate::options::ColorChoice;
use crate::report::{Column, Palette, SharedWriter, Table, Tone, log_line, without_digits, wrapped};
use crate::update::escape_hidden;

/// The output of a command. It is written at the end, so that stdout has exactly one JSON document.
#[derive(Debug)]
pub(super) struct Output {
    json: bool,
    quiet: bool,
    log: LogFormat,
    clock: Arc<dyn Clock>,
    width: Option<u16>,
    /// The colours of stdout.
    palette: Palette,
    stdout: String,
    stderr: StderrText,
}

struct StderrText {
    text: String,
    palette: Palette,
    /// The width of the terminal, or `None` if stderr or stdout is not a terminal.
    width: Option<u16>,
    to: SharedWriter,
}

impl std::fmt::Debug for StderrText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text.fmt(formatter)
    }
}

impl Output {
    pub(super) fn new(
        json: bool,
        quiet: bool,
        log: LogFormat,
        color: ColorChoice,
        process: &Process,
    ) -> Self {
        let palette = Palette::new(!json && stdout_has_color(process, color));
        let stderr = StderrText {
            text: String::new(),
            palette: stderr_palette(process, color, log),
            width: process.stdout_width.filter(|_| process.stderr_is_terminal),
            to: process.stderr.clone(),
        };
        let clock = Arc::clone(&process.clock);
        let width = process.stdout_width;
        Self { json, quiet, log, clock, width, palette, stdout: String::new(), stderr }
    }

    /// Returns `true` if a program reads the output.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Makes a table for the terminal, or for a pipe.
    pub(super) fn table(&self, columns: impl IntoIterator<Item = Column>) -> Table {
        Table::new(columns, self.width, self.palette)
    }

    /// Returns the name of a file for a sentence. On a narrow terminal, the 40 digits in Microsoft's names are cut to
    /// eight. Folders, JSON, and pipes have the complete name.
    pub(super) fn file_name(&self, name: &str) -> String {
        /// The width of a terminal that has room for a sentence with a complete name.
        const WIDE: u16 = 140;
        if self.width.is_some_and(|width| width < WIDE) {
            without_digits(name).into_owned()
        } else {
            name.to_owned()
        }
    }

    /// Sets the JSON document of the command.
    pub(super) fn document(&mut self, document: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(document).map_err(Error::cannot_write_json)?;
        self.stdout = text;
        self.stdout.push('\n');
        Ok(())
    }

    /// Adds a JSON document as a line of its own.
    pub(super) fn json_line(&mut self, document: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(document).map_err(Error::cannot_write_json)?;
        self.stdout.push_str(&text);
        self.stdout.push('\n');
        Ok(())
    }

    /// Adds text to stdout: lines whose hidden characters are already written out, or the content of a file.
    pub(super) fn text(&mut self, text: impl AsRef<str>) {
        self.stdout.push_str(text.as_ref());
    }

    /// Adds a line to stdout. Hidden characters are written out, and the label is painted.
    pub(super) fn line(&mut self, line: impl AsRef<str>) {
        self.stdout.push_str(&self.palette.label(&escape_hidden(line.as_ref().trim_end())));
        self.stdout.push('\n');
    }

    /// Adds a line to stdout that ends with a painted status.
    pub(super) fn status_line(&mut self, before: &str, tone: Option<Tone>, status: &str) {
        let status = escape_hidden(status);
        self.stdout.push_str(&escape_hidden(before));
        self.stdout.push_str(&tone.map_or_else(|| status.clone(), |tone| self.palette.paint(tone, &status)));
        self.stdout.push('\n');
    }

    /// Adds a sentence to stdout after a mark. Further lines are indented by the width of the mark. Digests in names
    /// of package files are cut as in tables.
    pub(super) fn sentence(&mut self, mark: &str, sentence: &str) {
        let words: Vec<String> = sentence.split(' ').map(|word| self.word(word)).collect();
        self.wrapped_line(mark, &words.join(" "));
    }

    /// Adds a text to stdout after a mark, wrapped at blanks. Further lines are indented by the width of the mark.
    pub(super) fn wrapped_line(&mut self, mark: &str, text: &str) {
        self.stdout.push_str(&wrapped(text, mark, self.width));
    }

    /// Returns a word of a sentence. A file name may end with punctuation.
    fn word(&self, word: &str) -> String {
        let name = word.trim_end_matches([',', ':', ';']);
        format!("{}{}", self.file_name(name), &word[name.len()..])
    }

    /// Adds a line to stderr. A JSON log omits it under `--quiet`.
    pub(super) fn note(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if self.log == LogFormat::Text {
            self.stderr_text_line(line);
        } else if !self.quiet {
            let event = LogEvent::Note { message: line.to_owned() };
            self.stderr_line(&log_line(self.clock.now(), event));
        }
    }

    /// Adds a warning to stderr.
    pub(super) fn warn(&mut self, message: impl AsRef<str>) {
        let message = message.as_ref();
        if self.log == LogFormat::Text {
            self.stderr_sentence("warning: ", message);
        } else {
            let event = LogEvent::Warning { message: message.to_owned() };
            self.stderr_line(&log_line(self.clock.now(), event));
        }
    }

    /// Adds a line of text to stderr. Hidden characters are written out, and the label is painted.
    fn stderr_text_line(&mut self, line: &str) {
        let palette = self.stderr.palette;
        self.stderr_line(&palette.label(&escape_hidden(line)));
    }

    /// Adds a sentence of text to stderr after a label, wrapped at blanks. Hints are not wrapped, because people copy
    /// their commands.
    fn stderr_sentence(&mut self, label: &str, sentence: &str) {
        let lines = wrapped(sentence, label, self.stderr.width);
        let palette = self.stderr.palette;
        self.stderr_line(&palette.label(lines.trim_end()));
    }

    fn stderr_line(&mut self, line: &str) {
        self.stderr.text.push_str(line);
        self.stderr.text.push('\n');
    }

    /// Adds the error that ends the command, to stdout with `--json`, else to stderr.
    pub(super) fn error(&mut self, error: &Error) {
        if self.json {
            self.stdout = format!("{}\n", line_of(&ErrorDocument::of(error)));
        }
        if self.log == LogFormat::Json {
            self.stderr_line(&log_line(self.clock.now(), LogEvent::Error(error.into())));
        }
        if !self.json && self.log == LogFormat::Text {
            self.stderr_error(error);
        }
    }

    /// Adds an error to stderr in the format of the log.
    fn stderr_error(&mut self, error: &Error) {
        if self.log == LogFormat::Json {
            let line = log_line(self.clock.now(), LogEvent::Error(error.into()));
            return self.stderr_line(&line);
        }
        self.stderr_sentence("error: ", &error.full_message());
        for hint in error.hints() {
            self.note(format!("  hint: {hint}"));
        }
    }

    /// Adds the failures of single items to stderr. A JSON document contains them already; a JSON log always gets them.
    pub(super) fn failures(&mut self, failures: &[Failure]) {
        if self.log == LogFormat::Json {
            let now = self.clock.now();
            for failure in failures {
                self.stderr_line(&log_line(now, failure.event()));
            }
        }
        if self.json || self.log == LogFormat::Json {
            return;
        }
        // Grouped by cause: the hints of a cause are the same, and are printed once.
        let mut groups: Vec<Vec<&Failure>> = Vec::new();
        for failure in failures {
            match groups.iter_mut().find(|group| group[0].kind == failure.kind) {
                Some(group) => group.push(failure),
                None => groups.push(vec![failure]),
            }
        }
        for group in groups {
            if let [failure] = group.as_slice() {
                self.stderr_sentence("error: ", &failure.line());
            } else {
                self.note(format!(
                    "error: {} items failed for the same reason ({}):",
                    group.len(),
                    group[0].kind
                ));
                for failure in &group {
                    self.note(format!("  {}", failure.line()));
                }
            }
            let mut hints: Vec<&String> = Vec::new();
            for hint in group.iter().flat_map(|failure| &failure.hints) {
                if !hints.contains(&hint) {
                    hints.push(hint);
                    self.note(format!("  hint: {hint}"));
                }
            }
        }
    }

    /// Writes the collected output and returns the exit code.
    pub(super) fn flush(mut self, mut stdout: Box<dyn Write>, code: ExitCode) -> ExitCode {
        let written = write_stdout(stdout.as_mut(), &self.stdout);
        let code = match &written {
            Ok(()) => code,
            Err(error) => {
                // The document, and any error in it, was not delivered: report this error on stderr.
                self.stderr_error(error);
                if code == ExitCode::OK { error.code() } else { code }
            }
        };
        // Stderr follows stdout: people read the last line of a terminal first.
        let mut stderr = self.stderr.to.lock().unwrap_or_else(PoisonError::into_inner);
        // No other stream is left for an error.
        let _unread = stderr.write_all(self.stderr.text.as_bytes()).and_then(|()| stderr.flush());
        code
    }
}

/// Returns `true` if text on stdout has colour.
pub(super) fn stdout_has_color(process: &Process, color: ColorChoice) -> bool {
    color.is_used(&process.env, process.stdout_width.is_some())
}

/// Returns the colours of stderr. A log of JSON objects has none.
pub(super) fn stderr_palette(process: &Process, color: ColorChoice, log: LogFormat) -> Palette {
    Palette::new(log == LogFormat::Text && color.is_used(&process.env, process.stderr_is_terminal))
}

/// Writes data to stdout. A reader that closed the pipe (`kbmirror list | head -1`) is not an error.
pub(super) fn write_stdout(stdout: &mut dyn Write, text: &str) -> Result<()> {
    let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) else { return Ok(()) };
    let kind = match error.kind() {
        io::ErrorKind::BrokenPipe => return Ok(()),
        io::ErrorKind::StorageFull => ErrorKind::NoSpace,
        _ => ErrorKind::Internal,
    };
    let message = "cannot write to standard output";
    Err(Error::new(kind, message)
        .caused_by(error)
        .hint("redirect the output to another place and run the command again"))
}
