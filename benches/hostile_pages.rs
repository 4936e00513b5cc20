//! Time and peak memory of the real program on each hostile page, as a table. `cargo bench --bench hostile-pages`
//! Each page comes over a socket from a loopback Catalog, to a process of its own. The memory is what `/usr/bin/time`
//! says; without it the column stays empty.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock and starts the program")]
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

#[expect(dead_code, unused_imports, reason = "the tests use the rest of it")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{HOSTILE_KB, Loopback, Rule, hostile_pages, hostile_world};

/// From the design: bounded memory and time.
const MEMORY: u64 = 128 * 1024;
const TIME: Duration = Duration::from_secs(1);
const JUDGE: &str = "/usr/bin/time";

struct Ran {
    code: Option<i32>,
    took: Duration,
    /// In KiB.
    peak: Option<u64>,
}

fn run(rule: Option<Rule>) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let loopback = Loopback::start(hostile_world());
    if let Some(rule) = rule {
        loopback.rule(rule);
    }
    let report = folder.path().join("peak");
    let judged = std::path::Path::new(JUDGE).exists();
    let program = env!("CARGO_BIN_EXE_kbmirror");
    let mut command = if judged {
        let mut command = Command::new(JUDGE);
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
    let took = start.elapsed();
    let peak = std::fs::read_to_string(report).ok().and_then(|text| text.lines().last()?.trim().parse().ok());
    Ran { code: status.code(), took, peak }
}

fn main() {
    println!("{:<45} {:<8} {:>4} {:>9} {:>9}", "page", "in place", "exit", "seconds", "peak MiB");
    let mut worst = (Duration::ZERO, 0);
    let row = |name: &str, place: &str, ran: &Ran| {
        let code = ran.code.map_or_else(String::new, |code| code.to_string());
        let peak =
            ran.peak.map_or_else(String::new, |peak| format!("{}.{}", peak / 1024, peak % 1024 * 10 / 1024));
        println!("{name:<45} {place:<8} {code:>4} {:>9.3} {peak:>9}", ran.took.as_secs_f64());
    };
    row("(sound pages, the package included)", "", &run(None));
    for hostile in hostile_pages() {
        let place = format!("{:?}", hostile.place).to_lowercase();
        let ran = run(Some(Rule::always(hostile.place.path(), hostile.action)));
        row(hostile.name, &place, &ran);
        assert_eq!(ran.code, Some(7), "{}", hostile.name);
        worst = (worst.0.max(ran.took), worst.1.max(ran.peak.unwrap_or(0)));
    }
    println!(
        "worst: {:.3} s (under {} s), {} MiB (under {} MiB)",
        worst.0.as_secs_f64(),
        TIME.as_secs(),
        worst.1.div_ceil(1024),
        MEMORY / 1024
    );
}
