//! Text from outside that would steer a terminal, begin a line of its own, or look like something else: it is shown, and what is
//! hidden in it is written out.
#![expect(clippy::disallowed_methods, reason = "media are spoiled and pages are read as they lie")]

use std::fs;

use super::carry::{fetch_from, isolated, keys, package, small};
use super::harness::{Bench, Ran};
use super::support::{Loopback, UpdateSpec, World, id};

/// An override of direction, a zero-width space, a line separator, a mark of direction, and a byte order mark.
const HIDDEN: [char; 6] = ['\u{202e}', '\u{200b}', '\u{2028}', '\u{200f}', '\u{2066}', '\u{feff}'];

/// Fails if a text has a character that is not seen, beside the ends of its lines.
#[track_caller]
fn is_neutral(what: &str, text: &str) {
    let hidden = |letter: &char| {
        (letter.is_control() && !['\n', '\r'].contains(letter))
            || HIDDEN.contains(letter)
            || ('\u{2029}'..='\u{202e}').contains(letter)
    };
    let found: Vec<char> = text.chars().filter(hidden).collect();
    assert!(found.is_empty(), "{what}: {found:?} in\n{}", text.escape_debug());
}

#[track_caller]
fn says_neutrally(ran: &Ran, parts: &[&str]) {
    for (what, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        is_neutral(what, text);
    }
    let all = format!("{}{}", ran.stdout, ran.stderr);
    for part in parts {
        assert!(all.contains(part), "{part} in\n{all}");
    }
    // No name begins a line.
    assert!(!all.lines().any(|line| line.starts_with("ERROR")), "{all}");
}

#[test]
fn names_on_a_medium_do_not_steer_the_terminal() {
    let there = isolated(&small().root);
    let medium = there.path("medium");
    small().copy_to(&medium);
    for name in ["a\n\u{1b}[31mERROR all is lost", "b\u{202e}gpj.exe", "c\u{200b}\u{2028}ERROR"] {
        fs::write(medium.join(name), b"x").unwrap();
    }
    for command in ["check-medium", "import"] {
        let ran = there.run(&[command, medium.as_str()]).exits(0);
        let names = ["a\\u{a}\\u{1b}[31mERROR all is lost", "b\\u{202e}gpj.exe", "c\\u{200b}\\u{2028}ERROR"];
        says_neutrally(&ran, if command == "import" { &[] } else { &names });
    }
    fs::write(medium.join("data").join("\u{1b}[2J\u{1b}[Hx"), b"x").unwrap();
    for command in ["check-medium", "import"] {
        let ran = there.run(&[command, medium.as_str()]).exits(11);
        says_neutrally(&ran, &["data/\\u{1b}[2J\\u{1b}[Hx"]);
    }
}

#[test]
fn titles_of_the_catalog_do_not_hide_anything() {
    const KB: &str = "KB5041865";
    let (bench, loopback) = (Bench::new(), Loopback::start(World::new().update(titled(KB))));
    fetch_from(&bench, &loopback, &[KB]).exits(0);
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"];
    for command in [&["list"][..], &["show", KB], &["show", &id(1)], &["graph", KB], &["verify"]] {
        says_neutrally(&bench.run(command), &[]);
    }
    for command in [&["search", KB][..], &["fetch", KB], &["-v", "crawl", KB]] {
        says_neutrally(&bench.run(&[&network, command].concat()).exits(0), &[]);
    }
    says_neutrally(&bench.run(&["show", KB]).exits(0), &["\\u{202e}", "\\u{200b}"]);
    says_neutrally(&bench.run(&["list"]).exits(0), &["\\u{200b}"]);

    keys(&bench);
    let medium = bench.path("medium");
    bench.run(&["export", KB, "--to", medium.as_str()]).exits(0);
    let readme = bench.mirror().join("kb").join(KB).join("README.txt");
    for path in [readme, medium.join("index.html"), medium.join("START-HERE.txt")] {
        is_neutral(path.as_str(), &fs::read_to_string(&path).unwrap());
    }
    let page = fs::read_to_string(medium.join("index.html")).unwrap();
    assert!(page.contains("\\u{200b}"), "{page}");
    // JSON is data: it keeps what the Catalog says.
    let shown = bench.json(&["show", KB]).exits(0).json();
    assert!(shown.to_string().contains('\u{202e}'), "{shown:#}");
}

/// An update whose title and product hold hidden characters.
fn titled(kb: &str) -> UpdateSpec {
    let title = format!(
        "2024-08 Cumulative\u{202e} Update for Windows 11\u{200b} Version 24H2 for arm64-based\u{2066} Systems\u{200f} ({kb}) (26100.1457)"
    );
    let products = "Windows\u{2028} 11\u{feff}".to_owned();
    UpdateSpec { files: vec![package(kb, "the first file")], products, ..UpdateSpec::new(&id(1), &title) }
}
