//! Kills a fetch from a slow CDN many times. After each kill, every file with a final name must have the right bytes,
//! and the next run must not download existing bytes again. The test `transfers::killed` does the same on a smaller
//! scale. This benchmark uses 8 files of 32 MiB and 200 kills.
//!
//! `cargo bench --bench kill_and_resume [-- FOLDER [KILLS]]`. FOLDER should be on tmpfs and needs 600 MiB.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads its arguments")]

#[path = "../tests/support/mod.rs"]
#[expect(dead_code, reason = "only the tests use the other items")]
#[expect(unused_imports, reason = "only the tests use the other items")]
mod support;

use std::process::ExitCode;

use camino::Utf8Path;

use support::{KillTest, Restart};

const MIB: u64 = 1024 * 1024;
/// The limit of bytes that may be sent again for an unfinished file: the bytes in transit at the kill.
const RESEND_LIMIT: u64 = MIB;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let folder = words.next().unwrap_or_else(|| ".".to_owned());
    let kills = words.next().and_then(|word| word.parse().ok()).unwrap_or(200);
    let Ok(folder) = tempfile::tempdir_in(&folder) else {
        println!("cannot write in {folder}");
        return ExitCode::FAILURE;
    };
    let root = Utf8Path::from_path(folder.path()).unwrap_or(Utf8Path::new("."));
    // The server is slow enough for the program, so few bytes are in transit at each kill.
    let killing = KillTest { files: 8, bytes: 32 << 20, kills, bytes_a_second: 8 * MIB, seed: 6 };
    let results = killing.run(&root.join("mirror"));

    println!("kill  sent when killed  finished  wrong  sent of finished  again, most of a file  again, all");
    for (number, restart) in results.restarts.iter().enumerate() {
        println!(
            "{:>4}  {:>16}  {:>8}  {:>5}  {:>16}  {:>21}  {:>10}",
            number + 1,
            restart.killed_at,
            restart.finished,
            restart.wrong.len(),
            restart.finished_served,
            restart.most_repeated,
            restart.repeated
        );
    }
    let total = u64::from(killing.files) * killing.bytes as u64;
    let most = |of: fn(&Restart) -> u64| results.restarts.iter().map(of).max().unwrap_or_default();
    let wrong: usize = results.restarts.iter().map(|restart| restart.wrong.len()).sum();
    println!();
    println!("kills of the running program        {} of {kills}", results.kills_while_running);
    println!("wrong files under a final name      {wrong} (must be 0)");
    println!("bytes sent of finished files        {} (must be 0)", most(|restart| restart.finished_served));
    println!(
        "sent again for one unfinished file  at most {} (limit {RESEND_LIMIT})",
        most(|restart| restart.most_repeated)
    );
    println!("sent again after one kill, in total at most {}", most(|restart| restart.repeated));
    println!("sent in total                       {} of {total}", results.served);
    println!(
        "published at the end                {}",
        if results.all_published { "all files, correct" } else { "INCOMPLETE" }
    );
    let is_ok = wrong == 0
        && most(|restart| restart.finished_served) == 0
        && most(|restart| restart.most_repeated) <= RESEND_LIMIT
        && results.all_published;
    if is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
