//! `completions`: the completions of a shell, from the definition of the command line. Reads no mirror and writes no
//! file.

use super::args::CompletionsArgs;
use super::flags::definition;
use super::output::Output;
use crate::documents::{GeneratedDocument, TextFile};
use crate::error::Result;
use crate::exit_code::ExitCode;

/// Runs `completions`: prints the script that the shell loads.
pub(super) fn run(arguments: &CompletionsArgs, output: &mut Output) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut definition(), "kbmirror", &mut script);
    let script = String::from_utf8_lossy(&script);
    if output.is_json() {
        let name = arguments.shell.to_string();
        let files = vec![TextFile { name: &name, text: &script }];
        output.document(&GeneratedDocument { kind: "completions", files, written: Vec::new() })?;
    } else {
        output.text(script);
    }
    Ok(ExitCode::OK)
}
