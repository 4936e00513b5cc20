//! `man`: the manual pages, from the definition of the command line. Reads no mirror.
//!
//! Each command has a page of its own, `kbmirror-keys-init.1`; `kbmirror.1` lists the commands and the exit codes.
//! The same program writes the same bytes on every run.

use camino::Utf8PathBuf;
use clap::Command;
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, bold, roman};

use super::args::ManArgs;
use super::details::details_for;
use super::examples::examples_for;
use super::flags::definition;
use super::help::GROUPS;
use super::output::Output;
use crate::disk;
use crate::documents::{GeneratedDocument, TextFile};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;

/// Runs `man`: prints the page of a command, or writes all pages.
pub(super) fn run(arguments: &ManArgs, output: &mut Output) -> Result<ExitCode> {
    let pages = if arguments.to.is_some() { all_pages()? } else { vec![page_of(&arguments.command)?] };
    let mut written: Vec<Utf8PathBuf> = Vec::new();
    if let Some(folder) = &arguments.to {
        for (name, text) in &pages {
            let path = folder.join(name);
            disk::write_named(&path, text.as_bytes())?;
            written.push(path);
        }
    }
    if output.is_json() {
        let files = pages.iter().map(|(name, text)| TextFile { name, text }).collect();
        output.document(&GeneratedDocument { kind: "man", files, written })?;
        return Ok(ExitCode::OK);
    }
    for path in &written {
        output.line(format!("wrote {path}"));
    }
    if written.is_empty() {
        for (_, text) in &pages {
            output.text(text);
        }
    }
    Ok(ExitCode::OK)
}

/// Returns the definition without the commands that clap adds: `help` has no page.
fn commands() -> Command {
    let mut commands = definition().disable_help_subcommand(true);
    commands.build();
    commands
}

/// Returns the name and the text of the page of a command.
fn page_of(words: &[String]) -> Result<(String, String)> {
    let commands = commands();
    let mut command = &commands;
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| {
            Error::usage(format!("kbmirror has no command {:?}", words.join(" ")))
                .hint("run kbmirror --help for a list of the commands")
        })?;
    }
    page(command)
}

/// Returns the name and the text of every page.
fn all_pages() -> Result<Vec<(String, String)>> {
    fn collect(command: &Command, pages: &mut Vec<(String, String)>) -> Result<()> {
        pages.push(page(command)?);
        command.get_subcommands().try_for_each(|sub| collect(sub, pages))
    }
    let mut pages = Vec::new();
    collect(&commands(), &mut pages)?;
    pages.sort();
    Ok(pages)
}

/// Writes a page: the sections of `clap_mangen`, and details, examples, and exit codes in place of its EXTRA section.
fn page(command: &Command) -> Result<(String, String)> {
    let version = env!("CARGO_PKG_VERSION");
    let page = Page::new(command.clone()).source(format!("kbmirror {version}")).manual("kbmirror manual");
    let mut bytes = Vec::new();
    let is_root = command.get_name() == "kbmirror";
    let mut write = || -> std::io::Result<()> {
        page.render_title(&mut bytes)?;
        page.render_name_section(&mut bytes)?;
        page.render_synopsis_section(&mut bytes)?;
        page.render_description_section(&mut bytes)?;
        page.render_options_section(&mut bytes)?;
        if is_root {
            groups(command).to_writer(&mut bytes)?;
        } else if command.has_subcommands() {
            page.render_subcommands_section(&mut bytes)?;
        }
        end(command, is_root).to_writer(&mut bytes)
    };
    write().map_err(|error| {
        Error::new(crate::error::ErrorKind::Internal, "cannot make the manual page").caused_by(error)
    })?;
    Ok((page.get_filename(), String::from_utf8_lossy(&bytes).into_owned()))
}

/// Returns the section of the commands, by task.
fn groups(command: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for (heading, names) in GROUPS {
        roff.control("SS", [heading]);
        for sub in names.iter().filter_map(|name| command.find_subcommand(name)) {
            roff.control("TP", []);
            roff.text([bold(format!("kbmirror-{}(1)", sub.get_name()))]);
            roff.text([roman(sub.get_about().map(ToString::to_string).unwrap_or_default())]);
        }
    }
    roff
}

/// Returns the last sections: the details and examples of a command, the exit codes, and the other pages.
fn end(command: &Command, is_root: bool) -> Roff {
    let mut roff = Roff::new();
    // A subcommand such as `keys show` has neither the details nor the examples of the command `show`.
    let name = command.get_display_name().unwrap_or(command.get_name());
    let name = name.strip_prefix("kbmirror-").unwrap_or(name);
    if let Some(rules) = details_for(name) {
        roff.control("SH", ["DETAILS"]);
        for rule in rules {
            roff.control("PP", []);
            roff.text([roman(*rule)]);
        }
    }
    if let Some(examples) = examples_for(name) {
        roff.control("SH", ["EXAMPLES"]);
        roff.control("nf", []);
        for example in examples {
            roff.text([roman(format!("kbmirror {example}"))]);
        }
        roff.control("fi", []);
    }
    roff.control("SH", ["EXIT STATUS"]);
    if is_root {
        for (code, name, meaning) in ExitCode::TABLE {
            roff.control("TP", []);
            roff.text([bold(format!("{} ({name})", code.number()))]);
            roff.text([roman(meaning)]);
        }
    } else {
        roff.text([roman("See kbmirror(1).")]);
        roff.control("SH", ["SEE ALSO"]);
        roff.text([roman("kbmirror(1)")]);
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_name() {
        let pages = all_pages().unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["kbmirror.1", "kbmirror-fetch.1", "kbmirror-keys.1", "kbmirror-keys-move-root.1"] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        assert!(!names.contains(&"kbmirror-help.1"), "{names:?}");
        assert_eq!(pages, all_pages().unwrap());
        let (_, fetch) = page_of(&["fetch".to_owned()]).unwrap();
        assert!(fetch.contains("kbmirror fetch KB5086672 \\-\\-arch x64"), "{fetch}");
        let (_, root) = page_of(&[]).unwrap();
        let (_, below) = page_of(&["keys".to_owned(), "show".to_owned()]).unwrap();
        assert!(fetch.contains("DETAILS") && !below.contains("EXAMPLES"), "{below}");
        assert!(root.contains("130 (interrupted)") && root.contains("kbmirror\\-fetch(1)"), "{root}");
        assert!(page_of(&["nothing".to_owned()]).is_err());
    }
}
