//! The program is killed at exact system calls all over a fetch, two kinds of export, and an import. Nothing wrong is left each
//! time, and the next run completes it. The same as the tests in `tests/it/killed_anywhere.rs`, with more kills.
//! `cargo bench --bench kill_points [-- FOLDER [KILLS]]`; KILLS (200) are those of all works together. It needs strace.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench takes arguments")]

#[cfg(target_os = "linux")]
#[path = "../tests/support/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
#[expect(unused_imports, reason = "the tests use the rest of it")]
mod support;

use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("strace is a program of Linux");
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
        println!("strace is not here, or may not trace");
        return ExitCode::FAILURE;
    }
    let root = Utf8Path::from_path(folder.path()).unwrap_or(Utf8Path::new("."));
    println!("work    kills  at work  first, last     interruption seen  called complete  wrong");
    let (mut all_at_work, mut all_wrong) = (0, 0);
    // A third for each of fetch, export (new, and in the place of another set), and import.
    for (job, share) in [(Job::Fetch, 6), (Job::Export, 3), (Job::Update, 3), (Job::Import, 6)] {
        let found = job.kill((kills * share).div_ceil(18), &root.join(format!("{job:?}")));
        let count = |is_so: fn(&Kill) -> bool| found.iter().filter(|kill| is_so(kill)).count();
        let place = |kill: Option<&Kill>| kill.map_or(0, |kill| kill.percent);
        println!(
            "{:<7} {:>5}  {:>7}  {:>4} %, {:>2} %  {:>19}  {:>15}  {:>5}",
            format!("{job:?}"),
            found.len(),
            count(|kill| kill.was_at_work),
            place(found.first()),
            place(found.last()),
            count(|kill| kill.is_noted),
            count(|kill| kill.is_complete),
            count(|kill| !kill.wrong.is_empty()),
        );
        for kill in found.iter().filter(|kill| !kill.wrong.is_empty()) {
            println!("  at {} {} ({} %): {}", kill.call, kill.number, kill.percent, kill.wrong.join("; "));
        }
        all_at_work += count(|kill| kill.was_at_work);
        all_wrong += count(|kill| !kill.wrong.is_empty());
    }
    println!("kills while it was at work          {all_at_work} (at least {kills})");
    println!("kills that left something wrong     {all_wrong} (must be 0)");
    if all_wrong == 0 && all_at_work >= kills { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
