//! Snapshots of everything that people read: help, results, failures, and the texts on a medium.
//!
//! A snapshot shows the command line, the exit code, both streams, and the layout at 80 and at 120 columns. A change of any text
//! shows up as a difference; `cargo insta review` (or `INSTA_UPDATE=always cargo test texts`) accepts it. Values that
//! differ between runs (keys, identities, folders, ports) are replaced by words of the same length.
#![expect(clippy::disallowed_methods, reason = "mirrors and media are read and damaged as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

mod failures;
mod help;
mod media;
mod results;
mod runs;

use std::fmt::Write as _;
use std::fs;

use super::harness::{Bench, RunOutput, copy_folder, recording};

/// The widths of a terminal that a snapshot shows.
const WIDTHS: [u16; 2] = [80, 120];

/// Values that differ between runs, and their replacements. The lengths are the same where a table may hold the value.
const VOLATILE: [(&str, &str); 11] = [
    (r"/tmp/kb-[A-Za-z0-9]{6}", "/tmp/kb-folder"),
    (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:PORT"),
    (r"\bRW[A-Za-z0-9+/]{54}", "RW-PUBLIC-KEY-PUBLIC-KEY-PUBLIC-KEY-PUBLIC-KEY-PUBLIC-KE"),
    (r"\b[0-9A-F]{16}\b", "0123456789ABCDEF"),
    (r"\bRW[A-Za-z0-9+/]{10}…", "RW-PUBLIC-KE…"),
    // The identity of a mirror is random, that of an update is not.
    (
        r"(?i)(mirror:? +)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "${1}12345678-1234-4234-8234-123456789abc",
    ),
    (r"(digest is|, and) [0-9a-f]{64}", "$1 (SHA-256 of a page with a random key)"),
    (r"(free +)[\d.]+ [MGT]B", "${1}50.0 GB"),
    (r"[\d.]+ [MGT]B free", "50.0 GB free"),
    (r"\bprocess \d+\b", "process 4711"),
    (r"tmp/kb-[A-Za-z0-9]{6}", "tmp/kb-folder"),
];

/// A bench with the demo recording beside its mirror.
fn bench() -> Bench {
    let bench = Bench::in_short_folder();
    copy_folder(&recording("demo"), &bench.path("demo"));
    bench
}

/// A mirror that has fetched KBs of the demo.
fn fetched(arguments: &[&str]) -> Bench {
    let bench = bench();
    run(&bench, None, &[&["--replay", "@/demo", "fetch"], arguments].concat()).exits(0);
    bench
}

/// Runs a command; `@` in an argument stands for the folder of the bench.
fn run(bench: &Bench, width: Option<u16>, arguments: &[&str]) -> RunOutput {
    let folder = bench.path("");
    let folder = folder.as_str().trim_end_matches('/');
    let arguments: Vec<String> = arguments.iter().map(|text| text.replace('@', folder)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match width {
        Some(width) => bench.run_at_width(width, &arguments),
        None => bench.run(&arguments),
    }
}

/// The layout of one run in a snapshot.
fn section(text: &mut String, title: &str, ran: &RunOutput) {
    writeln!(text, "---- {title}: exit code {}", ran.code).unwrap();
    text.push_str(&ran.stdout);
    if !ran.stderr.is_empty() {
        // Files of one run arrive, or stop, in any order.
        let has_no_order = |line: &str| {
            ["fetched ", "failed ", "stopped ", "stopping: "].iter().any(|word| line.starts_with(word))
        };
        let mut lines: Vec<&str> = ran.stderr.trim_end().lines().collect();
        lines
            .chunk_by_mut(|before, after| has_no_order(before) && has_no_order(after))
            .for_each(<[_]>::sort_unstable);
        writeln!(text, "---- stderr\n{}", lines.join("\n")).unwrap();
    }
}

/// The command lines of a snapshot, as a person would type them.
fn command_line(arguments: &[&str]) -> String {
    let quoted = arguments.iter().map(|argument| {
        let argument = argument.replace('@', "/tmp/kb-folder");
        if argument.is_empty() || argument.contains(' ') { format!("\"{argument}\"") } else { argument }
    });
    format!("$ kbmirror {}\n", quoted.collect::<Vec<_>>().join(" "))
}

/// Compares the text of a command that changes nothing.
#[track_caller]
fn snap(name: &str, bench: &Bench, arguments: &[&str]) {
    let mut text = command_line(arguments);
    for width in WIDTHS {
        section(&mut text, &format!("{width} columns"), &run(bench, Some(width), arguments));
    }
    compare(name, &text);
}

/// Compares the texts of commands that change something: each width begins with a bench of its own.
#[track_caller]
fn snap_steps(name: &str, prepare: impl Fn() -> Bench, steps: &[&[&str]]) {
    let mut text = String::new();
    for width in WIDTHS {
        let bench = prepare();
        for step in steps {
            text.push_str(&command_line(step));
            section(&mut text, &format!("{width} columns"), &run(&bench, Some(width), step));
        }
    }
    compare(name, &text);
}

/// Compares the text of a failure. Its lines do not depend on the width.
#[track_caller]
fn snap_failure(name: &str, bench: &Bench, arguments: &[&str], code: u8) {
    let ran = run(bench, Some(WIDTHS[0]), arguments).exits(code);
    let mut text = command_line(arguments);
    section(&mut text, "80 columns", &ran);
    compare(name, &text);
}

/// Compares a text with the snapshot of that name.
#[track_caller]
fn compare(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/texts");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (volatile, replacement) in VOLATILE {
        settings.add_filter(volatile, replacement);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}
