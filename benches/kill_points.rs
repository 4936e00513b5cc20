//! Kills the program at exact system calls during a fetch, two kinds of export, and an import. No wrong file may be
//! left, and the next run must complete the job. The tests in `tests/it/killed_jobs.rs` do the same with fewer
//! kills.
//!
//! `cargo bench --bench kill_points [-- FOLDER [KILLS]]`. KILLS (200) is the total over all jobs. The benchmark needs
//! strace.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads its arguments")]

#[cfg(target_os = "linux")]
#[path = "../tests/support/mod.rs"]
#[expect(dead_code, reason = "only the tests use the other items")]
#[expect(unused_imports, reason = "only the tests use the other items")]
mod support;

use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("strace runs only on Linux");
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use camino::Utf8Path;
    use support::kill_points::Kill;
    use support::{Job, can_trace};

    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let folder = words.next().unwrap_or_else(|| ".".to_owned());
    let kills: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(200);
    let Ok(folder) = tempfile::tempdir_in(&folder) else {
        println!("cannot write in {folder}");
        return ExitCode::FAILURE;
    };
    if !can_trace() {
        println!("strace is missing or not allowed to trace");
        return ExitCode::FAILURE;
    }
    let root = Utf8Path::from_path(folder.path()).unwrap_or(Utf8Path::new("."));
    println!("job     kills  running  first, last     interruption seen  called complete  wrong");
    let (mut all_running, mut all_wrong) = (0, 0);
    // A third each for fetch, export (half new, half over another set), and import.
    for (job, share) in [(Job::Fetch, 6), (Job::Export, 3), (Job::Update, 3), (Job::Import, 6)] {
        let results = job.kill((kills * share).div_ceil(18), &root.join(format!("{job:?}")));
        let count = |matches: fn(&Kill) -> bool| results.iter().filter(|kill| matches(kill)).count();
        let place = |kill: Option<&Kill>| kill.map_or(0, |kill| kill.percent);
        println!(
            "{:<7} {:>5}  {:>7}  {:>4} %, {:>2} %  {:>19}  {:>15}  {:>5}",
            format!("{job:?}"),
            results.len(),
            count(|kill| kill.was_running),
            place(results.first()),
            place(results.last()),
            count(|kill| kill.is_reported),
            count(|kill| kill.is_complete),
            count(|kill| !kill.wrong.is_empty()),
        );
        for kill in results.iter().filter(|kill| !kill.wrong.is_empty()) {
            println!("  at {} {} ({} %): {}", kill.call, kill.number, kill.percent, kill.wrong.join("; "));
        }
        all_running += count(|kill| kill.was_running);
        all_wrong += count(|kill| !kill.wrong.is_empty());
    }
    println!("kills of the running program        {all_running} (at least {kills})");
    println!("kills that left wrong files         {all_wrong} (must be 0)");
    if all_wrong == 0 && all_running >= kills { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
