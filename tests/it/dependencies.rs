//! The allowed dependencies between the rooms, and the rooms that are pure. The tests read every `crate::` and
//! `super::` path of the sources, and name the file of each violation.
#![expect(clippy::disallowed_methods, reason = "tests read the sources directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

mod circles;
mod media;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Each room with the other rooms that it may use. Every room may use itself and the floor.
const ROOMS: [(&str, &[&str]); 21] = [
    ("update", &[]),
    ("servicing", &["update"]),
    ("facts", &["servicing", "update"]),
    ("package", &["update"]),
    ("resolve", &["facts", "servicing", "update"]),
    ("lint", &["resolve", "facts", "servicing", "update"]),
    ("script", &["resolve", "facts", "servicing", "update"]),
    ("documents", &["lint", "resolve", "package", "facts", "servicing", "update"]),
    ("views", &["documents", "script", "resolve", "facts", "servicing", "update"]),
    ("net", &["update"]),
    ("options", &["net", "update"]),
    ("catalog", &["documents", "net", "servicing", "update"]),
    ("mirror", &["views", "documents", "lint", "resolve", "net", "facts", "servicing", "update"]),
    ("download", &["mirror", "resolve", "net", "facts", "servicing", "update"]),
    ("carrier", &["mirror", "documents", "lint", "script", "resolve", "net", "facts", "servicing", "update"]),
    (
        "crawl",
        &["catalog", "download", "mirror", "documents", "resolve", "net", "facts", "servicing", "update"],
    ),
    (
        "fetch",
        &[
            "crawl",
            "download",
            "catalog",
            "mirror",
            "documents",
            "lint",
            "script",
            "resolve",
            "net",
            "facts",
            "servicing",
            "update",
        ],
    ),
    ("repair", &["fetch", "crawl", "carrier", "mirror", "documents", "facts", "servicing", "update"]),
    (
        "sync",
        &[
            "fetch",
            "crawl",
            "download",
            "catalog",
            "mirror",
            "documents",
            "lint",
            "script",
            "resolve",
            "options",
            "net",
            "facts",
            "servicing",
            "update",
        ],
    ),
    (
        "report",
        &[
            "sync",
            "fetch",
            "crawl",
            "carrier",
            "download",
            "catalog",
            "mirror",
            "documents",
            "lint",
            "script",
            "resolve",
            "net",
            "facts",
            "servicing",
            "update",
        ],
    ),
    (
        "cli",
        &[
            "report",
            "repair",
            "sync",
            "fetch",
            "crawl",
            "carrier",
            "download",
            "catalog",
            "mirror",
            "documents",
            "lint",
            "script",
            "resolve",
            "options",
            "package",
            "net",
            "facts",
            "servicing",
            "update",
        ],
    ),
];

/// The floor: every room may use it. A part of the floor may use only the parts before it.
const FLOOR: [&str; 6] = ["exit_code", "error", "clock", "event", "read_at", "disk"];

/// Rooms and files whose results depend only on their input.
const PURE: [&str; 38] = [
    "read_at.rs",
    "update/",
    "servicing/",
    "facts/",
    "package/",
    "resolve/",
    "lint/",
    "script/",
    "documents/",
    "views/",
    "catalog/bounded_tree.rs",
    "catalog/choice.rs",
    "catalog/details_page.rs",
    "catalog/dialog_line.rs",
    "catalog/download_dialog.rs",
    "catalog/fault.rs",
    "catalog/html.rs",
    "catalog/page_kind.rs",
    "catalog/proxy_page.rs",
    "catalog/search_page.rs",
    "crawl/crawled.rs",
    "crawl/listed.rs",
    "crawl/revised.rs",
    "net/foreign_page.rs",
    "net/proxy.rs",
    "net/redact.rs",
    "net/retry.rs",
    "options/",
    "report/json.rs",
    "report/lines.rs",
    "report/progress.rs",
    "report/words.rs",
    "sync/config.rs",
    "sync/monitor/",
    "sync/schedule.rs",
    "sync/select.rs",
    "sync/template.rs",
    "sync/window.rs",
];

/// Names that a pure file must not contain.
const IMPURE: [&str; 8] = [
    "tokio",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "crate::disk",
    "crate::clock::SystemClock",
    "SystemTime",
];

fn source_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            source_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Returns the text of every source file without its comments, by its path under `src/`.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&root, &mut files);
    let comment = Regex::new(r"(?m)//.*$").unwrap();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        (name, comment.replace_all(&std::fs::read_to_string(path).unwrap(), "").into_owned())
    };
    files.iter().map(read).collect()
}

/// Returns the rooms that a file uses: through `crate::room`, `crate::{room, …}`, and `super::` paths that leave the
/// room.
fn rooms_used(name: &str, text: &str) -> Vec<String> {
    let mut used = Vec::new();
    for found in Regex::new(r"crate::(\w+)").unwrap().captures_iter(text) {
        used.push(found[1].to_owned());
    }
    for found in Regex::new(r"crate::\{([^;]*?)\}\s*;").unwrap().captures_iter(text) {
        let mut depth = 0;
        let mut word = String::new();
        for letter in found[1].chars().chain([',']) {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    used.extend(
                        word.trim().split("::").next().map(str::to_owned).filter(|room| !room.is_empty()),
                    );
                    word.clear();
                }
                letter if depth == 0 => word.push(letter),
                _ => {}
            }
        }
    }
    // A file at depth n (update/kb.rs is 2, update/mod.rs is 1) leaves its room with n `super::`.
    let parts: Vec<&str> = name.split('/').collect();
    let depth = if name.ends_with("mod.rs") { parts.len() - 1 } else { parts.len() };
    let leaving_path = format!(r"(?:^|[^:\w])(?:super::){{{depth},}}(\w+)");
    for found in Regex::new(&leaving_path).unwrap().captures_iter(text) {
        used.push(found[1].to_owned());
    }
    used
}

#[test]
fn rooms_use_only_the_rooms_below_them() {
    let mut violations = Vec::new();
    let mut seen = 0;
    for (name, text) in sources() {
        let room = name.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        if room == "main" || room == "lib" {
            continue;
        }
        let allowed: Vec<&str> = match FLOOR.iter().position(|floor| *floor == room) {
            Some(place) => FLOOR[..place].to_vec(),
            None => match ROOMS.iter().find(|(own, _)| *own == room) {
                Some((_, below)) => below.iter().copied().chain(FLOOR).chain([room.as_str()]).collect(),
                None => panic!("src/{name} is in a room that is missing in ROOMS"),
            },
        };
        for used in rooms_used(&name, &text) {
            seen += 1;
            if !allowed.contains(&used.as_str()) && used != room {
                violations.push(format!("src/{name} uses {used}"));
            }
        }
    }
    assert!(seen > 100, "too few paths were found: {seen}");
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn pure_rooms_name_nothing_impure() {
    let mut violations = Vec::new();
    for (name, text) in sources() {
        if !PURE.iter().any(|pure| name.starts_with(pure)) {
            continue;
        }
        for word in IMPURE {
            if text.contains(word) {
                violations.push(format!("src/{name} names {word}"));
            }
        }
    }
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn a_forbidden_use_is_found() {
    assert_eq!(rooms_used("update/kb.rs", "use crate::mirror::Index;"), ["mirror"]);
    assert_eq!(
        rooms_used("update/kb.rs", "use crate::{error::Error, net::{Client, Page}, sync};"),
        ["error", "net", "sync"]
    );
    assert_eq!(rooms_used("update/kb.rs", "use super::super::cli::run;"), ["cli"]);
    assert_eq!(rooms_used("update/kb.rs", "use super::ParseError;"), Vec::<String>::new());
    assert_eq!(rooms_used("mirror/index/mod.rs", "use super::super::sync::Session;"), ["sync"]);
}

#[test]
fn only_the_command_line_and_reports_print() {
    for (name, text) in sources() {
        let prints =
            ["print!(", "println!(", "eprint!(", "eprintln!("].iter().any(|word| text.contains(word));
        assert!(!prints || name.starts_with("cli/") || name.starts_with("report/"), "src/{name} prints");
    }
}
