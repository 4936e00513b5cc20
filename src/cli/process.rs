//! The environment of the process as one value, so that tests can run the command line in-process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Read, Write};
use std::sync::{Arc, Mutex};

use anstream::AutoStream;

use super::signals::Signals;
use crate::clock::{Clock, SystemClock};
use crate::net::redacted_arguments;
use crate::report::SharedWriter;

/// A function that prompts on a terminal and reads the answer without an echo.
pub type ReadHidden = Box<dyn FnMut(&str) -> std::io::Result<String>>;

/// The inputs and outputs of the program: arguments, environment, streams, signals, and time. Tests supply their own
/// and run the complete command line in-process.
pub struct Process {
    /// The arguments. The first one is the name of the program.
    pub args: Vec<OsString>,
    /// The environment variables that are valid Unicode.
    pub env: BTreeMap<String, String>,
    /// The source of data for an option whose value is `-`.
    pub stdin: Box<dyn Read>,
    /// `true` if stdin is a terminal, so that a person can answer.
    pub stdin_is_terminal: bool,
    /// Prompts on the terminal and reads the answer without an echo.
    pub read_hidden: ReadHidden,
    /// The stream for data.
    pub stdout: Box<dyn Write>,
    /// The stream for everything else.
    pub stderr: SharedWriter,
    /// The width of stdout if it is a terminal.
    pub stdout_width: Option<u16>,
    /// `true` if stderr is a terminal.
    pub stderr_is_terminal: bool,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The origin of stop requests.
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
    /// Returns the environment of this process.
    #[expect(clippy::disallowed_methods, reason = "the environment enters the program here only")]
    pub fn of_this_system() -> Self {
        let stdout = std::io::stdout();
        // Terminals understand escape sequences; on old Windows consoles the stream translates them. The program
        // decides elsewhere if it writes any.
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
