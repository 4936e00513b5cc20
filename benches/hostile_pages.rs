//! Prints a table with time and peak memory of the program on each hostile page. Each page comes from a loopback
//! Catalog to a new process. `/usr/bin/time` measures the memory. Without this program the column stays empty.
//!
//! `cargo bench --bench hostile-pages`
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and starts the program")]
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[expect(dead_code, unused_imports, reason = "only the tests use the other items")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{HOSTILE_KB, Loopback, Rule, hostile_pages, hostile_world};

/// The memory limit in KiB. Hostile pages must not exceed it.
const MEMORY: u64 = 128 * 1024;
const TIME: Duration = Duration::from_secs(1);
const TIME_PROGRAM: &str = "/usr/bin/time";

struct Measured {
    code: Option<i32>,
    duration: Duration,
    /// The peak memory in KiB.
    peak: Option<u64>,
}

fn run(rule: Option<Rule>) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    let loopback = Loopback::start(hostile_world());
    if let Some(rule) = rule {
        loopback.rule(rule);
    }
    let report = folder.path().join("peak");
    let can_measure = std::path::Path::new(TIME_PROGRAM).exists();
    let program = env!("CARGO_BIN_EXE_kbmirror");
    let mut command = if can_measure {
        let mut command = Command::new(TIME_PROGRAM);
        command.args(["--quiet", "--format", "%M", "--output"]).arg(&report).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.arg("--mirror").arg(folder.path().join("mirror"));
    command.args(["--catalog-url", &loopback.catalog_url(), "--allow-host", &loopback.file_host()]);
    command.args(["--catalog-rate", "1000", "--patience", "0", "--json", "fetch", HOSTILE_KB]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let duration = start.elapsed();
    let peak = std::fs::read_to_string(report).ok().and_then(|text| text.lines().last()?.trim().parse().ok());
    Measured { code: status.code(), duration, peak }
}

fn main() {
    println!("{:<45} {:<8} {:>4} {:>9} {:>9}", "page", "in place", "exit", "seconds", "peak MiB");
    let mut worst = (Duration::ZERO, 0);
    let row = |name: &str, place: &str, ran: &Measured| {
        let code = ran.code.map_or_else(String::new, |code| code.to_string());
        let peak =
            ran.peak.map_or_else(String::new, |peak| format!("{}.{}", peak / 1024, peak % 1024 * 10 / 1024));
        println!("{name:<45} {place:<8} {code:>4} {:>9.3} {peak:>9}", ran.duration.as_secs_f64());
    };
    row("(valid pages and the package)", "", &run(None));
    for hostile in hostile_pages() {
        let place = format!("{:?}", hostile.place).to_lowercase();
        let ran = run(Some(Rule::always(hostile.place.path(), hostile.action)));
        row(hostile.name, &place, &ran);
        assert_eq!(ran.code, Some(7), "{}", hostile.name);
        worst = (worst.0.max(ran.duration), worst.1.max(ran.peak.unwrap_or(0)));
    }
    println!(
        "worst: {:.3} s (under {} s), {} MiB (under {} MiB)",
        worst.0.as_secs_f64(),
        TIME.as_secs(),
        worst.1.div_ceil(1024),
        MEMORY / 1024
    );
}
