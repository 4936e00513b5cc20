//! The program: everything comes in through one [`Process`], and the exit code goes out.

use std::process::ExitCode;

use kbmirror::cli::{self, Process};

fn main() -> ExitCode {
    cli::run(Process::of_this_system()).into()
}
