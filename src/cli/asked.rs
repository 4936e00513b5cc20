//! The command as a recording names it: what was asked for, in words that may be given away.
//!
//! The global options are left out, whatever they are: they tell of folders, proxies, and hosts of this machine and its
//! network. Of a command's own options those of a list are named.

use std::ffi::OsString;

use clap::CommandFactory as _;

use super::args::Cli;

/// Options that say what is asked for and nothing of who asks.
const TOLD: [&str; 12] = [
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

/// The name of the command, what it was asked for, and the options that may be told.
pub(super) fn asked_for(arguments: &[OsString]) -> String {
    let mut cli = Cli::command();
    // They were parsed before; where that fails there is no command to name.
    let Ok(matches) = cli.try_get_matches_from_mut(arguments) else { return String::new() };
    let Some((name, given)) = matches.subcommand() else { return String::new() };
    let Some(command) = cli.find_subcommand(name) else { return String::new() };
    let mut words = vec![name.to_owned()];
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        let was_given = given.value_source(id) == Some(clap::parser::ValueSource::CommandLine);
        if !was_given || !(argument.is_positional() || TOLD.contains(&id)) {
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

    fn asked(line: &str) -> String {
        asked_for(&line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_asked_for_is_told_and_where_from_is_not() {
        let fetch = "kbmirror --mirror /home/jo/kb fetch KB5086672 5043080 --catalog-url http://u:p@h/ --arch arm64 \
                     --record /tmp/x --arch x64 --dry-run --config /etc/c --max-bytes 20G -v";
        assert_eq!(asked(fetch), "fetch KB5086672 5043080 --arch arm64 --arch x64 --max-bytes 20G --dry-run");
        assert_eq!(
            asked("kbmirror --json search cumulative update --limit 3"),
            "search cumulative update --limit 3"
        );
        assert_eq!(asked("kbmirror sync"), "sync");
        assert_eq!(asked("kbmirror frobnicate"), "");
    }
}
