//! A fetch from a slow CDN that is killed again and again: what has a final name is right each time, and what was here is
//! not fetched again. The same as the test of that name, as large as a night's work: 8 files of 32 MiB, 200 kills.
//! `cargo bench --bench kill_and_resume [-- FOLDER [KILLS]]`; FOLDER, best on tmpfs, takes 600 MiB.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench takes arguments")]

#[path = "../tests/support/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
#[expect(unused_imports, reason = "the tests use the rest of it")]
mod support;

use std::process::ExitCode;

use camino::Utf8Path;

use support::{Killing, Restart};

const MIB: u64 = 1024 * 1024;
/// What may be sent again of a file that was not finished: what was on its way when the program was killed.
const MOST_AGAIN: u64 = MIB;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let folder = words.next().unwrap_or_else(|| ".".to_owned());
    let kills = words.next().and_then(|word| word.parse().ok()).unwrap_or(200);
    let Ok(folder) = tempfile::tempdir_in(&folder) else {
        println!("cannot write in {folder}");
        return ExitCode::FAILURE;
    };
    let root = Utf8Path::from_path(folder.path()).unwrap_or(Utf8Path::new("."));
    // Slow enough that the program keeps up: what it has not taken yet when it is killed is little.
    let killing = Killing { files: 8, bytes: 32 << 20, kills, bytes_a_second: 8 * MIB, seed: 6 };
    let found = killing.run(&root.join("mirror"));

    println!("kill  sent when killed  finished  wrong  sent of finished  again, most of a file  again, all");
    for (number, restart) in found.restarts.iter().enumerate() {
        println!(
            "{:>4}  {:>16}  {:>8}  {:>5}  {:>16}  {:>21}  {:>10}",
            number + 1,
            restart.killed_at,
            restart.finished,
            restart.wrong.len(),
            restart.finished_served,
            restart.most_again,
            restart.again
        );
    }
    let whole = u64::from(killing.files) * killing.bytes as u64;
    let most = |of: fn(&Restart) -> u64| found.restarts.iter().map(of).max().unwrap_or_default();
    let wrong: usize = found.restarts.iter().map(|restart| restart.wrong.len()).sum();
    println!();
    println!("kills while it was at work          {} of {kills}", found.killed_at_work);
    println!("wrong files under a final name      {wrong} (must be 0)");
    println!("bytes sent of finished files        {} (must be 0)", most(|restart| restart.finished_served));
    println!(
        "sent again of one unfinished file   {} at the most (at most {MOST_AGAIN})",
        most(|restart| restart.most_again)
    );
    println!("sent again after one kill, together {} at the most", most(|restart| restart.again));
    println!("sent in all                         {} of {whole}", found.served);
    println!(
        "published in the end                {}",
        if found.all_published { "all, right" } else { "NOT ALL" }
    );
    let kept = wrong == 0
        && most(|restart| restart.finished_served) == 0
        && most(|restart| restart.most_again) <= MOST_AGAIN
        && found.all_published;
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
