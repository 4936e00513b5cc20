//! The outside world as one value, so that the command line can run in-process in a test.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Read, Write};
use std::sync::{Arc, Mutex};

use anstream::AutoStream;

use super::signals::Signals;
use crate::clock::{Clock, SystemClock};
use crate::net::redacted_arguments;
use crate::report::SharedWriter;

/// A reader of a secret from a terminal: takes the question, returns the answer.
pub type ReadHidden = Box<dyn FnMut(&str) -> std::io::Result<String>>;

/// Everything that comes from outside: arguments, environment, streams, signals, and time. A test makes its own and runs the
/// whole command line in-process.
pub struct Process {
    /// The arguments, the program's name first.
    pub args: Vec<OsString>,
    /// The environment variables that are valid Unicode.
    pub env: BTreeMap<String, String>,
    /// The source of data for an option whose value is `-`.
    pub stdin: Box<dyn Read>,
    /// A person can answer on stdin.
    pub stdin_is_terminal: bool,
    /// Asks the person a question and reads the answer without showing it.
    pub read_hidden: ReadHidden,
    /// Where data goes.
    pub stdout: Box<dyn Write>,
    /// Where everything else goes.
    pub stderr: SharedWriter,
    /// The width of the terminal that stdout is, if it is one.
    pub stdout_width: Option<u16>,
    /// Whether somebody watches stderr.
    pub stderr_is_terminal: bool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who may stop the run.
    pub signals: Signals,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let arguments = self.args.iter().map(|argument| argument.to_string_lossy().into_owned());
        let arguments = redacted_arguments(arguments);
        formatter.debug_struct("Process").field("args", &arguments).finish_non_exhaustive()
    }
}

impl Process {
    /// The process that this is.
    #[expect(clippy::disallowed_methods, reason = "this is the one place where they come in")]
    pub fn of_this_system() -> Self {
        let stdout = std::io::stdout();
        // On a terminal, escape sequences are understood, or translated for consoles of older Windows versions. The program
        // itself decides if it writes any.
        let stderr = std::io::stderr();
        let stderr: Box<dyn Write + Send> =
            if stderr.is_terminal() { Box::new(AutoStream::always(stderr)) } else { Box::new(stderr) };
        let env = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let width = stdout.is_terminal().then(|| terminal_size::terminal_size_of(&stdout)).flatten();
        let width = width.map(|(width, _)| width.0);
        Self {
            args: std::env::args_os().collect(),
            env: env.collect(),
            stdin: Box::new(std::io::stdin()),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            read_hidden: Box::new(|question| rpassword::prompt_password(question)),
            stdout: if stdout.is_terminal() {
                Box::new(AutoStream::always(stdout))
            } else {
                Box::new(stdout)
            },
            stderr: Arc::new(Mutex::new(stderr)),
            stdout_width: width,
            stderr_is_terminal: std::io::stderr().is_terminal(),
            clock: Arc::new(SystemClock::start()),
            signals: Signals::OfThisProcess,
        }
    }
}
