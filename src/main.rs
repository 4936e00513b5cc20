//! The program: a [`Process`] holds all input, and the exit code is the result.

use std::process::ExitCode;

use kbmirror::cli::{self, Process};

fn main() -> ExitCode {
    cli::run(Process::of_this_system()).into()
}
