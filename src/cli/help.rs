//! The overview of all commands: `kbmirror --help` and `kbmirror help`. Commands stand in groups by task, with one
//! line each.
//!
//! The lines come from the definitions of the commands and options. Tests check that each command stands in one group
//! and that every line fits a terminal of 80 columns.

use clap::Command;

use crate::options::option_row;

/// The groups of the overview: a heading and its commands.
pub(super) const GROUPS: [(&str, &[&str]); 5] = [
    ("Ask what a KB needs", &["search", "show", "resolve", "why", "graph"]),
    ("Keep a mirror", &["crawl", "fetch", "sync", "list", "forget"]),
    ("Carry and install", &["export", "check-medium", "import", "stage", "script"]),
    ("Check", &["status", "verify", "repair", "lint", "inspect"]),
    ("Set up", &["init", "keys", "schedule", "knowledge", "schema", "completions", "man", "help"]),
];

/// The line of the command that clap adds.
pub(super) const HELP_ABOUT: &str = "Show the help of a command";

/// The shared options of the overview. The help of each command has all of them.
const OPTIONS: [&str; 4] = ["mirror", "json", "quiet", "offline"];

/// The options that clap adds.
const ADDED: [(&str, &str); 2] = [("-h, --help", "Print help"), ("-V, --version", "Print version")];

/// The last lines.
const END: &str = "\
All options of a command: kbmirror help COMMAND
Exit codes: 0 is success; kbmirror man lists all of them under EXIT STATUS";

/// Makes the overview the help of the program.
pub(super) fn with_overview(command: Command) -> Command {
    let template = template(&command);
    command.help_template(template)
}

/// Returns the description and the usage, as clap writes them, and the lines of the overview.
fn template(command: &Command) -> String {
    let styles = command.get_styles();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let heading = |words: &str| format!("\n{header}{words}:{header:#}\n");
    let line = |room: usize, name: &str, about: &str| {
        let fill = " ".repeat(room.saturating_sub(name.len()));
        format!("  {literal}{name}{literal:#}{fill}  {about}\n")
    };
    let mut text = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (words, names) in GROUPS {
        text += &heading(words);
        text.extend(names.iter().map(|name| line(12, name, &about(command, name))));
    }
    text += &heading("Options");
    for row in OPTIONS.iter().filter_map(|id| option_row(id)) {
        let short = row.short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        let value = row.value.map(|value| format!(" <{value}>")).unwrap_or_default();
        let default = row.default.map(|text| format!(" [default: {text}]")).unwrap_or_default();
        text += &line(18, &format!("{short}--{}{value}", row.flag), &format!("{}{default}", row.help));
    }
    text.extend(ADDED.iter().map(|(name, about)| line(18, name, about)));
    // The long help has the details after the last lines.
    text + "\n" + END + "{after-help}"
}

/// Returns the line of a command.
fn about(command: &Command, name: &str) -> String {
    let found = command.find_subcommand(name).and_then(Command::get_about);
    found.map_or_else(|| HELP_ABOUT.to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cli::flags::definition;

    #[test]
    fn every_command_stands_in_one_group() {
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let mut definition = definition();
        definition.build();
        let commands: BTreeSet<&str> = definition.get_subcommands().map(Command::get_name).collect();
        assert_eq!(grouped.iter().copied().collect::<BTreeSet<_>>(), commands);
        assert_eq!(grouped.len(), commands.len(), "a command stands in two groups");
    }

    #[test]
    fn overview_fits_a_screen_of_80_columns() {
        let text = definition().term_width(80).render_help().to_string();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.lines().count() <= 54, "{}", text.lines().count());
        for words in ["Set up:", "  fetch         Download", "--mirror <DIR>", "EXIT STATUS"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }

    #[test]
    fn every_command_is_one_line_of_the_overview() {
        let definition = definition();
        for command in definition.get_subcommands() {
            let about = command.get_about().unwrap().to_string();
            assert!(about.lines().count() == 1 && about.len() <= 64, "{about}");
        }
    }
}
