//! The command line: parses the arguments, calls the job, and renders the result. Each command has a file of its own.
//!
//! Data goes to stdout, everything else to stderr. With `--json`, exactly one JSON document goes to stdout, also for an
//! error. A reader that closes the pipe ends the program quietly.

mod args;
mod completions;
mod crawl;
mod damage;
mod details;
mod examples;
mod export;
mod fetch;
mod flags;
mod forget;
mod graph;
mod help;
mod init;
mod inspect;
mod kb_view;
mod keys;
mod knowledge;
mod lint;
mod list;
mod machine_args;
mod man;
mod media_args;
mod medium;
mod output;
mod passphrases;
mod plan_sources;
mod process;
mod repair;
mod resolve;
mod schedule;
mod schema;
mod script;
mod search;
mod search_args;
mod search_table;
mod settings;
mod setup;
mod show;
mod show_catalog;
mod signals;
mod stage;
mod status;
mod sync;
mod verify;
mod why;

use clap::FromArgMatches as _;
use clap::error::ErrorKind as ClapKind;
pub use process::{Process, ReadHidden};
pub use signals::Signals;

use self::args::{Cli, Command};
use self::output::Output;
use crate::documents::{ErrorDocument, LogEvent, line_of};
use crate::error::Error;
use crate::event::LogFormat;
use crate::exit_code::ExitCode;
use crate::net::redacted_text;
use crate::options::{ColorChoice, OptionTexts, option_row};
use crate::report::log_line;

/// Runs the command of the process and returns its exit code.
pub fn run(process: Process) -> ExitCode {
    let (cli, recorded, given) = match parse(&process) {
        Ok(parsed) => parsed,
        Err(error) => return print_parse_result(process, &error),
    };
    let reads_config = !matches!(cli.command, Command::Init(_) | Command::Completions(_) | Command::Man(_));
    let settings = match settings::Settings::gather(&given, &process, reads_config) {
        Ok(settings) => settings,
        Err(error) => {
            let is_given = |id| given.contains_key(id);
            let log = log_format_of(&process);
            let color = color_of(&process);
            let mut output = Output::new(is_given("json"), is_given("quiet"), log, color, &process);
            output.error(&error);
            return output.flush(process.stdout, error.code());
        }
    };
    let options = &settings.options;
    let mut output = Output::new(options.json, options.quiet, options.log_format, options.color, &process);
    let setup = setup::Setup::new(settings, process, cli.command.patience(), recorded);
    let outcome = match &cli.command {
        Command::Search(arguments) => search::run(&setup, arguments, &mut output),
        Command::Crawl(arguments) => crawl::run(&setup, arguments, &mut output),
        Command::Fetch(arguments) => fetch::run(&setup, arguments, &mut output),
        Command::Show(arguments) => show::run(&setup, arguments, &mut output),
        Command::List => list::run(&setup, &mut output),
        Command::Resolve(arguments) => resolve::run(&setup, arguments, &mut output),
        Command::Keys(arguments) => keys::run(&setup, arguments, &mut output),
        Command::Export(arguments) => export::run(&setup, arguments, &mut output),
        Command::CheckMedium(arguments) => medium::check(&setup, arguments, &mut output),
        Command::Import(arguments) => medium::import(&setup, arguments, &mut output),
        Command::Script(arguments) => script::run(&setup, arguments, &mut output),
        Command::Stage(arguments) => stage::run(&setup, arguments, &mut output),
        Command::Inspect(arguments) => inspect::run(arguments, &mut output),
        Command::Lint(arguments) => lint::run(&setup, arguments, &mut output),
        Command::Graph(arguments) => graph::run(&setup, arguments, &mut output),
        Command::Knowledge(arguments) => knowledge::run(&setup, arguments, &mut output),
        Command::Why(arguments) => why::run(&setup, arguments, &mut output),
        Command::Init(arguments) => init::run(&setup, arguments, &mut output),
        Command::Sync(arguments) => sync::run(&setup, arguments, &mut output),
        Command::Status(arguments) => status::run(&setup, arguments, &mut output),
        Command::Verify(arguments) => verify::run(&setup, arguments, &mut output),
        Command::Repair(arguments) => repair::run(&setup, arguments, &mut output),
        Command::Forget(arguments) => forget::run(&setup, arguments, &mut output),
        Command::Schedule(arguments) => schedule::run(&setup, arguments, &mut output),
        Command::Schema(arguments) => schema::run(arguments, &mut output),
        Command::Completions(arguments) => completions::run(arguments, &mut output),
        Command::Man(arguments) => man::run(arguments, &mut output),
    };
    let code = match outcome {
        Ok(code) => code,
        Err(error) => {
            output.error(&error);
            error.code()
        }
    };
    output.flush(setup.stdout(), code)
}

/// The greatest width of a help text.
const MOST_HELP: u16 = 100;

/// Parses the arguments into the command, its description for recordings, and the shared options. The definition of all
/// commands is large, and is dropped before the command runs.
fn parse(process: &Process) -> Result<(Cli, String, OptionTexts), clap::Error> {
    let mut definition = flags::definition();
    if let Some(width) = process.stdout_width {
        definition = definition.term_width(usize::from(width.min(MOST_HELP)));
    }
    let matches = definition.try_get_matches_from_mut(&process.args)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))?;
    Ok((cli, flags::recorded_command(&definition, &matches), flags::given_flags(&matches)))
}

/// Prints help and version to stdout as data, and everything else to stderr as a usage error.
fn print_parse_result(mut process: Process, error: &clap::Error) -> ExitCode {
    use std::io::Write as _;
    if matches!(error.kind(), ClapKind::DisplayHelp | ClapKind::DisplayVersion) {
        let has_color = output::stdout_has_color(&process, color_of(&process));
        let text = error.render();
        let text = if has_color { text.ansi().to_string() } else { text.to_string() };
        let written = output::write_stdout(process.stdout.as_mut(), &text);
        return match written {
            Ok(()) => ExitCode::OK,
            Err(error) => {
                let mut stderr = process.stderr.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let _unread = writeln!(stderr, "error: {}", error.full_message());
                error.code()
            }
        };
    }
    // Clap quotes invalid arguments, which may contain credentials. Help for a missing command quotes nothing.
    let is_help = error.kind() == ClapKind::DisplayHelpOnMissingArgumentOrSubcommand;
    let text = if is_help { error.to_string() } else { redacted_text(&error.to_string()) };
    let error = || {
        // Clap lists missing arguments on separate lines, up to the first empty line.
        let lines = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim);
        let message = lines.collect::<Vec<_>>().join(" ");
        let message = message.trim_start_matches("error: ").to_owned();
        Error::usage(message).hint("run kbmirror --help for the commands and options")
    };
    let palette = output::stderr_palette(&process, color_of(&process), log_format_of(&process));
    let is_log = log_format_of(&process) == LogFormat::Json;
    let is_json = process.args.iter().any(|argument| argument == "--json");
    let mut stderr = process.stderr.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if is_json {
        let _unread = writeln!(process.stdout, "{}", line_of(&ErrorDocument::of(&error())));
    } else if !is_log {
        let _unread = write!(stderr, "{}", palette.label(&text));
    }
    if is_log {
        let _unread =
            writeln!(stderr, "{}", log_line(process.clock.now(), LogEvent::Error((&error()).into())));
    }
    ExitCode::USAGE
}

/// Returns the form of the log, where only the words of the command line and the environment are available.
fn log_format_of(process: &Process) -> LogFormat {
    let text = option_word(process, "--log-format").or_else(|| {
        let row = option_row("log_format");
        row.and_then(|row| process.env.get(row.variable?)).cloned()
    });
    text.and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// Returns the use of colour, by the words of the command line.
fn color_of(process: &Process) -> ColorChoice {
    option_word(process, "--color").and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// Returns the value of an option among the words of the command line, or `None` if it is not there.
fn option_word(process: &Process, flag: &str) -> Option<String> {
    let mut words = process.args.iter().skip(1).filter_map(|word| word.to_str());
    let rest = words
        .find_map(|word| word.strip_prefix(flag).filter(|rest| rest.is_empty() || rest.starts_with('=')))?;
    match rest.strip_prefix('=') {
        Some(value) => Some(value.to_owned()),
        None => words.next().map(str::to_owned),
    }
}
