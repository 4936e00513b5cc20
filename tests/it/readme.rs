//! Runs README.md as a new user would: each command block as it stands, in order, in one empty folder. Compares the
//! shown outputs and the exit codes, and holds the text to the language rules of CONTRIBUTING.md.
#![expect(clippy::disallowed_methods, reason = "documents and folders are read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use camino::Utf8Path;
use kbmirror::exit_code::ExitCode;

use super::harness::{copy_folder, read_tree, recording, skip};
use super::support::Loopback;

/// The most words of a sentence.
const LONGEST_SENTENCE: usize = 25;
/// The most columns of a line outside of tables and command blocks.
const LONGEST_LINE: usize = 100;
/// Commands that build or test the program. The tests run under one of them, so they cannot run here.
const OF_CARGO: [&str; 4] = [
    "cargo test",
    "cargo install --path . --locked",
    "cargo run --example resolve -- KB5086672 arm64 26100.863",
    "cargo run --example read_mirror -- demo-mirror",
];

fn project(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn document(name: &str) -> String {
    fs::read_to_string(project(name)).unwrap()
}

/// A command of a block, and the output that the block shows for it.
#[derive(Debug)]
struct Shown {
    command: String,
    output: String,
}

/// Returns the command blocks of a document.
fn blocks(text: &str) -> Vec<Vec<Shown>> {
    let blocks = text.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks
        .map(|block| {
            let mut commands: Vec<Shown> = Vec::new();
            for line in block.lines() {
                if let Some(command) = line.strip_prefix("$ ") {
                    commands.push(Shown { command: command.to_owned(), output: String::new() });
                } else {
                    let output = &mut commands.last_mut().unwrap().output;
                    output.push_str(line);
                    output.push('\n');
                }
            }
            commands
        })
        .collect()
}

/// The folder in which the commands run, with a Catalog on the loopback interface for those that use the real one.
struct Visitor {
    folder: tempfile::TempDir,
    catalog: Loopback,
}

impl Visitor {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        copy_folder(&recording("demo"), &root.join("recorded-responses/demo"));
        fs::create_dir(root.join("bin")).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kbmirror"), root.join("bin/kbmirror")).unwrap();
        Self { folder, catalog: Loopback::from_recording(recording("demo").as_std_path()) }
    }

    /// Runs a command line in a shell. A command that names no recording reaches the loopback Catalog.
    fn run(&self, command: &str) -> Output {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = [self.folder.path().join("bin")];
        let path = std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path))).unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(self.folder.path()).env("PATH", path);
        if !command.contains("recorded-responses") {
            shell
                .env("KBMIRROR_CATALOG_URL", self.catalog.catalog_url())
                .env("KBMIRROR_ALLOW_HOST", self.catalog.file_host())
                .env("KBMIRROR_CATALOG_RATE", "1000");
        }
        shell.output().unwrap()
    }

    /// Returns the files below a folder of one side.
    fn kb_tree(&self, side: &str) -> std::collections::BTreeMap<String, Vec<u8>> {
        read_tree(&Utf8Path::from_path(self.folder.path()).unwrap().join(side).join("kb"))
    }
}

#[test]
fn each_command_block_runs_as_it_stands() {
    let visitor = Visitor::new();
    let mut ran = BTreeSet::new();
    let mut number = String::new();
    for Shown { command, output } in blocks(&document("README.md")).into_iter().flatten() {
        if OF_CARGO.contains(&command.as_str()) {
            ran.insert(command);
            continue;
        }
        if command.starts_with("sqlite3 ") && Command::new("sqlite3").arg("--version").output().is_err() {
            let _skipped: Option<()> = skip("sqlite3 is not available");
            continue;
        }
        let runnable = command.replace("cargo run --release --", "kbmirror").replace("NUMBER", &number);
        assert!(!runnable.contains("cargo"), "{command}");
        let outcome = visitor.run(&runnable);
        let (stdout, stderr) =
            (String::from_utf8(outcome.stdout).unwrap(), String::from_utf8_lossy(&outcome.stderr));
        assert_eq!(outcome.status.code(), Some(0), "{command}\n{stdout}\n{stderr}");
        if !output.is_empty() {
            assert_eq!(stdout, output, "{command}");
        }
        if command.ends_with("--mirror isolated import stick") {
            // Each side writes the files beside the set folders from its own index.
            assert_eq!(visitor.kb_tree("connected"), visitor.kb_tree("isolated"));
        }
        if command.ends_with("--mirror connected keys init") {
            let list = visitor.run("kbmirror --mirror connected --json keys list");
            let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
            number = list["keys"][1]["id"].as_str().unwrap().to_owned();
        }
        ran.insert(command);
    }
    assert!(ran.len() > 30 && OF_CARGO.iter().all(|command| ran.contains(*command)), "{ran:?}");
}

#[test]
fn the_exit_codes_are_those_of_the_program() {
    let text = document("README.md");
    let section = text.split("## When something fails").nth(1).unwrap().split("\n## ").next().unwrap();
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| code");
    let documented: Vec<&str> = section.lines().filter(is_row).collect();
    let built = ExitCode::TABLE
        .iter()
        .map(|(code, name, meaning)| format!("| {} | {name} | {meaning} |", code.number()));
    assert_eq!(documented, built.collect::<Vec<_>>());
}

/// Returns the prose of a document: no command blocks, no tables, no headings.
fn prose(text: &str) -> String {
    let outside: String = text.split("```").step_by(2).collect();
    let lines = outside.lines().filter(|line| !line.starts_with('|') && !line.starts_with('#'));
    // A list item and a paragraph are sentences of their own.
    lines
        .map(|line| line.strip_prefix("- ").map_or_else(|| line.to_owned(), |item| format!("\n\n{item}")))
        .fold(String::new(), |text, line| if line.is_empty() { text + "\n\n" } else { text + &line + "\n" })
}

#[test]
fn sentences_and_lines_are_short() {
    for name in ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"] {
        let text = document(name);
        for paragraph in prose(&text).split("\n\n") {
            let words: Vec<&str> = paragraph.split_whitespace().collect();
            let ends = |word: &&str| word.trim_end_matches(['*', ')', '`']).ends_with(['.', '?', '!']);
            for sentence in words.split_inclusive(ends) {
                assert!(sentence.len() <= LONGEST_SENTENCE, "{name}: {} words: {sentence:?}", sentence.len());
            }
        }
        let is_prose = |line: &&str| !line.starts_with('|') && !line.contains("](");
        for line in text.split("```").step_by(2).flat_map(str::lines).filter(is_prose) {
            assert!(line.chars().count() <= LONGEST_LINE, "{name}: {line}");
        }
    }
}

/// Returns the rows of the first table after a heading, each as cells.
fn table(text: &str, heading: &str) -> Vec<Vec<String>> {
    let section = text.split(heading).nth(1).unwrap();
    let lines =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    lines
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

#[test]
fn each_claim_names_tests_that_exist() {
    let long = document("tests/CLAIMS.md");
    let claims = table(&long, "## Claims");
    let short = table(&document("README.md"), "## What was tried on what");
    let heads = |rows: &[Vec<String>]| -> Vec<(String, String)> {
        rows.iter().map(|row| (row[0].clone(), row[1].clone())).collect()
    };
    assert_eq!(heads(&claims), heads(&short), "README.md has the same claims with the same status");

    let sources = ["tests/it", "tests/support", "src"];
    let code: String = sources
        .iter()
        .flat_map(|folder| read_tree(Utf8Path::from_path(&project(folder)).unwrap()))
        .filter(|(name, _)| Path::new(name).extension().is_some_and(|extension| extension == "rs"))
        .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
        .collect();
    let benches: Vec<String> =
        read_tree(Utf8Path::from_path(&project("benches")).unwrap()).into_keys().collect();
    let name = regex::Regex::new(r"`([a-z_]+(?:::[a-z_0-9]+)+)`").unwrap();
    let bench = regex::Regex::new(r"`benches/([a-z_]+\.rs)`").unwrap();
    for row in &claims {
        let [claim, status, evidence, limits] = row.as_slice() else { panic!("{row:?}") };
        let tests: Vec<&str> =
            name.captures_iter(evidence).map(|found| found.get(1).unwrap().as_str()).collect();
        for test in &tests {
            let (_, function) = test.rsplit_once("::").unwrap();
            assert!(code.contains(&format!("fn {function}(")), "{claim}: no test {test}");
        }
        for found in bench.captures_iter(evidence) {
            assert!(benches.contains(&found[1].to_owned()), "{claim}: {}", &found[1]);
        }
        match status.as_str() {
            "shown" => assert!(!tests.is_empty(), "{claim}"),
            "partly shown" => assert!(!tests.is_empty() && !limits.is_empty(), "{claim}"),
            "not tried" => assert!(tests.is_empty() && !limits.is_empty(), "{claim}"),
            other => panic!("{claim}: {other}"),
        }
    }
}
