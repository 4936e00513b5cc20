//! The complete definition of the command line: the commands, and the shared options from the option table.
//!
//! Global options and network options have separate headings in the help. Commands that do not use the network accept
//! its options, and their help omits them. Each help ends with two examples. The long help has details before them.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _, ValueHint};

use super::args::Cli;
use super::details::{PROGRAM, details_of};
use super::examples::examples_of;
use super::help::with_overview;
use crate::options::{OptionRow, OptionScope, OptionTexts, TABLE};

/// The commands that can use the network.
const OF_NETWORK: [&str; 6] = ["search", "crawl", "fetch", "show", "sync", "repair"];

/// The options that describe the request and nothing about the operator's machine or network.
const RECORDED: [&str; 12] = [
    "accept_unverified",
    "arch",
    "as_of",
    "classification",
    "dry_run",
    "kind",
    "limit",
    "max_bytes",
    "no_closure",
    "product",
    "refresh",
    "since",
];

/// Returns the definition.
pub(super) fn definition() -> Command {
    let global = |row: &OptionRow| !matches!(row.scope, OptionScope::Command(_));
    let hidden =
        |row: &OptionRow, name: &str| row.scope == OptionScope::Network && !OF_NETWORK.contains(&name);
    let add = |command: Command| {
        let name = command.get_name().to_owned();
        let rows = TABLE.iter().filter(|row| global(row));
        command.args(rows.map(|row| argument(row).global(true).hide(hidden(row, &name))))
    };
    let mut command = add(Cli::command());
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        let own = TABLE.iter().filter(|row| matches!(row.scope, OptionScope::Command(only) if only == name));
        let own: Vec<Arg> = own.map(argument).collect();
        command = command.mut_subcommand(&name, |sub| {
            // `kbmirror help keys init` shows the help of a command below another.
            let sub = add(sub.args(own).disable_help_subcommand(true)).mut_args(with_hint);
            let examples = examples_of(&name);
            let sub = match details_of(&name) {
                Some(text) => {
                    let sections = [Some(text), examples.clone()];
                    sub.after_long_help(sections.into_iter().flatten().collect::<Vec<_>>().join("\n\n"))
                }
                None => sub,
            };
            match examples {
                Some(text) => sub.after_help(text),
                None => sub,
            }
        });
    }
    let command = command.mut_args(with_hint);
    with_overview(match details_of(PROGRAM) {
        Some(text) => command.after_long_help(text),
        None => command,
    })
}

/// Lets shells complete the value of an argument as a folder or a file, by the name of the value.
fn with_hint(argument: Arg) -> Arg {
    let hint = match argument.get_value_names() {
        Some([name]) if name == "DIR" => ValueHint::DirPath,
        Some([name]) if name == "FILE" || name == "PATH" => ValueHint::FilePath,
        _ => return argument,
    };
    argument.value_hint(hint)
}

/// Returns the argument of a row.
fn argument(row: &'static OptionRow) -> Arg {
    let argument = Arg::new(row.id).long(row.flag).help(row.full_help());
    let argument = match row.short {
        Some(letter) => argument.short(letter),
        None => argument,
    };
    let argument = match row.scope {
        OptionScope::Global => argument.help_heading("Global options"),
        OptionScope::Network => argument.help_heading("Network options"),
        OptionScope::Command(_) => argument,
    };
    let argument = match row.conflict {
        Some(other) => argument.conflicts_with(other),
        None => argument,
    };
    let Some(value) = row.value else { return argument.action(ArgAction::SetTrue) };
    let action = if row.is_list { ArgAction::Append } else { ArgAction::Set };
    let argument = argument.value_name(value).action(action);
    if row.is_secret {
        return argument;
    }
    if !row.values.is_empty() {
        return argument.value_parser(PossibleValuesParser::new(row.values)).hide_possible_values(true);
    }
    argument.value_parser(|text: &str| (row.check)(text).map(|()| text.to_owned()))
}

/// Returns the texts of the shared options that were given on the command line.
pub(super) fn given_flags(matches: &ArgMatches) -> OptionTexts {
    let texts = |row: &OptionRow| {
        let matches = match row.scope {
            OptionScope::Command(name) => matches.subcommand_matches(name)?,
            OptionScope::Global | OptionScope::Network => matches,
        };
        if row.value.is_none() {
            return matches.get_flag(row.id).then(|| (row.id, Vec::new()));
        }
        Some((row.id, matches.get_many::<String>(row.id)?.cloned().collect()))
    };
    TABLE.iter().filter_map(texts).collect()
}

/// Returns the command as a recording names it: its name, its arguments, and the options in [`RECORDED`]. Shared
/// options are omitted, because they contain folders, proxies, and hosts of this machine and its network.
pub(super) fn recorded_command(definition: &Command, matches: &ArgMatches) -> String {
    let Some((name, given)) = matches.subcommand() else { return String::new() };
    let Some(command) = definition.find_subcommand(name) else { return String::new() };
    let mut words = vec![name.to_owned()];
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        let is_recorded = argument.is_positional() || RECORDED.contains(&id);
        if !is_recorded || given.value_source(id) != Some(clap::parser::ValueSource::CommandLine) {
            continue;
        }
        let option = argument.get_long().map(|long| format!("--{long}"));
        let values = given.get_raw(id).into_iter().flatten();
        let values = values.map(|value| value.to_string_lossy().into_owned());
        match option {
            None => words.extend(values),
            Some(option) if argument.get_action().takes_values() => {
                words.extend(values.flat_map(|value| [option.clone(), value]));
            }
            Some(option) => words.push(option),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::examples::EXAMPLES;

    fn recorded(line: &str) -> String {
        let mut definition = definition();
        let matches = definition.try_get_matches_from_mut(line.split(' ')).unwrap();
        recorded_command(&definition, &matches)
    }

    fn help_of(name: &str) -> String {
        let mut definition = definition();
        definition.build();
        definition.find_subcommand_mut(name).unwrap().render_help().to_string()
    }

    #[test]
    fn the_definition_is_consistent() {
        definition().debug_assert();
    }

    #[test]
    fn recorded_command_omits_local_paths_and_hosts() {
        let fetch = "kbmirror --mirror /home/jo/kb fetch KB5086672 5043080 --catalog-url http://u:p@h/ --arch arm64 \
                     --record /tmp/x --arch x64 --dry-run --config /etc/c --max-bytes 20G -v";
        assert_eq!(
            recorded(fetch),
            "fetch KB5086672 5043080 --arch arm64 --arch x64 --max-bytes 20G --dry-run"
        );
        assert_eq!(
            recorded("kbmirror --json search cumulative update --limit 3"),
            "search cumulative update --limit 3"
        );
        assert_eq!(recorded("kbmirror sync"), "sync");
    }

    #[test]
    fn help_shows_the_variable_of_every_option() {
        for row in TABLE {
            let shown = match row.scope {
                OptionScope::Command(name) => help_of(name),
                OptionScope::Global | OptionScope::Network => help_of("fetch"),
            };
            let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(shown.contains(&format!("--{}", row.flag)), "{}", row.id);
            if let Some(variable) = row.variable {
                assert!(shown.contains(&format!("[env: {variable}]")), "{variable}: {shown}");
            }
        }
    }

    #[test]
    fn help_shows_network_options_of_network_commands_only() {
        for sub in definition().get_subcommands() {
            let name = sub.get_name();
            let help = help_of(name);
            assert_eq!(help.contains("Network options:"), OF_NETWORK.contains(&name), "{name}");
            assert!(help.contains("Global options:") && help.contains("Examples:"), "{name}: {help}");
        }
    }

    #[test]
    fn every_example_can_be_parsed() {
        for (name, examples) in EXAMPLES {
            for example in examples {
                let mut words = vec!["kbmirror".to_owned()];
                for (place, part) in example.split('"').enumerate() {
                    match place % 2 {
                        1 => words.push(part.to_owned()),
                        _ => words.extend(part.split_whitespace().map(str::to_owned)),
                    }
                }
                let matches = definition().try_get_matches_from(&words).unwrap();
                assert_eq!(matches.subcommand_name(), Some(name));
            }
        }
    }
}
