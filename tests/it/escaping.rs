//! Untrusted text that could control a terminal, start a line of its own, or imitate other text. The program prints
//! it with control and hidden characters escaped.
#![expect(clippy::disallowed_methods, reason = "media are spoiled and pages are read as they lie")]

use std::fs;

use super::air_gap::{create_keys, fetch_from, isolated_mirror, package, small_medium};
use super::harness::{Bench, RunOutput};
use super::support::{Loopback, UpdateSpec, World, id};

/// The hidden characters: a direction override, a zero-width space, a line separator, direction marks, and a byte
/// order mark.
const HIDDEN: [char; 6] = ['\u{202e}', '\u{200b}', '\u{2028}', '\u{200f}', '\u{2066}', '\u{feff}'];

/// Asserts that the text has no invisible character except line ends.
#[track_caller]
fn expect_neutral(origin: &str, text: &str) {
    let hidden = |letter: &char| {
        (letter.is_control() && !['\n', '\r'].contains(letter))
            || HIDDEN.contains(letter)
            || ('\u{2029}'..='\u{202e}').contains(letter)
    };
    let found: Vec<char> = text.chars().filter(hidden).collect();
    assert!(found.is_empty(), "{origin}: {found:?} in\n{}", text.escape_debug());
}

#[track_caller]
fn expect_neutral_output(ran: &RunOutput, parts: &[&str]) {
    for (origin, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        expect_neutral(origin, text);
    }
    let all = format!("{}{}", ran.stdout, ran.stderr);
    for part in parts {
        assert!(all.contains(part), "{part} in\n{all}");
    }
    // A name must not start a line.
    assert!(!all.lines().any(|line| line.starts_with("ERROR")), "{all}");
}

#[test]
fn names_on_a_medium_do_not_control_the_terminal() {
    let isolated = isolated_mirror(&small_medium().root);
    let medium = isolated.path("medium");
    small_medium().copy_to(&medium);
    for name in ["a\n\u{1b}[31mERROR all is lost", "b\u{202e}gpj.exe", "c\u{200b}\u{2028}ERROR"] {
        fs::write(medium.join(name), b"x").unwrap();
    }
    for command in ["check-medium", "import"] {
        let ran = isolated.run(&[command, medium.as_str()]).exits(0);
        let names = ["a\\u{a}\\u{1b}[31mERROR all is lost", "b\\u{202e}gpj.exe", "c\\u{200b}\\u{2028}ERROR"];
        expect_neutral_output(&ran, if command == "import" { &[] } else { &names });
    }
    fs::write(medium.join("data").join("\u{1b}[2J\u{1b}[Hx"), b"x").unwrap();
    for command in ["check-medium", "import"] {
        let ran = isolated.run(&[command, medium.as_str()]).exits(11);
        expect_neutral_output(&ran, &["data/\\u{1b}[2J\\u{1b}[Hx"]);
    }
}

#[test]
fn hidden_characters_in_catalog_titles_are_escaped() {
    const KB: &str = "KB5041865";
    let (bench, loopback) =
        (Bench::new(), Loopback::start(World::new().update(update_with_hidden_characters(KB))));
    fetch_from(&bench, &loopback, &[KB]).exits(0);
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    for command in [&["list"][..], &["show", KB], &["show", &id(1)], &["graph", KB], &["verify"]] {
        expect_neutral_output(&bench.run(command), &[]);
    }
    for command in [&["search", KB][..], &["fetch", KB], &["-v", "crawl", KB]] {
        expect_neutral_output(&bench.run(&[&network, command].concat()).exits(0), &[]);
    }
    expect_neutral_output(&bench.run(&["show", KB]).exits(0), &["\\u{202e}", "\\u{200b}"]);
    expect_neutral_output(&bench.run(&["list"]).exits(0), &["\\u{200b}"]);

    create_keys(&bench);
    let medium = bench.path("medium");
    bench.run(&["export", KB, "--to", medium.as_str()]).exits(0);
    let readme = bench.mirror().join("kb").join(KB).join("README.txt");
    for path in [readme, medium.join("index.html"), medium.join("START-HERE.txt")] {
        expect_neutral(path.as_str(), &fs::read_to_string(&path).unwrap());
    }
    let page = fs::read_to_string(medium.join("index.html")).unwrap();
    assert!(page.contains("\\u{200b}"), "{page}");
    // JSON is data and keeps the text of the Catalog unchanged.
    let shown = bench.json(&["show", KB]).exits(0).json();
    assert!(shown.to_string().contains('\u{202e}'), "{shown:#}");
}

/// Returns an update whose title and product contain hidden characters.
fn update_with_hidden_characters(kb: &str) -> UpdateSpec {
    let title = format!(
        "2024-08 Cumulative\u{202e} Update for Windows 11\u{200b} Version 24H2 for arm64-based\u{2066} Systems\u{200f} ({kb}) (26100.1457)"
    );
    let products = "Windows\u{2028} 11\u{feff}".to_owned();
    UpdateSpec { files: vec![package(kb, "the first file")], products, ..UpdateSpec::new(&id(1), &title) }
}
