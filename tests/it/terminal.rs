//! The terminal: colour, tables at several widths, the overview of commands, completions, and manual pages.
#![expect(
    clippy::disallowed_methods,
    reason = "scripts for other programs are written and damage is made directly"
)]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Output;

use camino::Utf8Path;
use regex::Regex;

use super::air_gap::{connected_mirror, export};
use super::harness::{Bench, read_tree, recording, run_judge};

/// The widths of the terminals.
const WIDTHS: [u16; 3] = [60, 80, 120];

/// Returns a mirror with sets of the demo recording and a medium, all good.
fn filled() -> Bench {
    let bench = connected_mirror(&["KB5086672", "KB5030211"]);
    export(&bench, &["--all"], &bench.path("stick")).exits(0);
    bench
}

/// Damages a package file and removes another one.
fn damage(bench: &Bench) {
    let pool = bench.mirror().join("pool");
    let files: Vec<_> = read_tree(&pool).into_keys().map(|name| pool.join(name)).collect();
    let mut bytes = fs::read(&files[0]).unwrap();
    bytes[100] ^= 1;
    fs::remove_file(&files[0]).unwrap();
    fs::write(&files[0], bytes).unwrap();
    fs::remove_file(&files[1]).unwrap();
}

/// Removes the escape sequences of colour.
fn plain(text: &str) -> String {
    Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(text, "").into_owned()
}

/// Returns `true` if a text has an escape sequence.
fn has_color(text: &str) -> bool {
    text.contains('\u{1b}')
}

#[test]
fn color_follows_the_option_the_variables_and_the_stream() {
    let mut bench = Bench::new();
    bench.json(&["init"]).exits(0);
    let alarm = "\u{1b}[31mALARM\u{1b}[0m";
    for (variables, option, on_terminal, on_pipe) in [
        (&[][..], "auto", true, false),
        (&[("CLICOLOR_FORCE", "1")], "auto", true, true),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], "auto", false, false),
        (&[("TERM", "dumb")], "auto", false, false),
        (&[("NO_COLOR", "1")], "always", true, true),
        (&[("CLICOLOR_FORCE", "1")], "never", false, false),
    ] {
        bench.env.clear();
        // The harness sets NO_COLOR; an empty variable is not set.
        bench.env.insert("NO_COLOR".to_owned(), String::new());
        bench.env.extend(variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let status = ["--color", option, "status"];
        let (terminal, pipe) = (bench.run_at_width(80, &status).stdout, bench.run(&status).stdout);
        assert_eq!(terminal.contains(alarm), on_terminal, "{option} {variables:?}: {terminal}");
        assert_eq!(pipe.contains(alarm), on_pipe, "{option} {variables:?}: {pipe}");
        assert_eq!(
            (has_color(&terminal), has_color(&pipe)),
            (on_terminal, on_pipe),
            "{option} {variables:?}"
        );
        // The text is the same in colour.
        let never = bench.run_at_width(80, &["--color", "never", "status"]).stdout;
        // Other processes change the free space between the runs.
        let without_space = |text: &str| -> Vec<String> {
            text.lines().filter(|line| !line.starts_with(" free ")).map(str::to_owned).collect()
        };
        assert_eq!(without_space(&plain(&terminal)), without_space(&never));
        let document = bench.run(&["--color", option, "--json", "status"]).stdout;
        assert!(!has_color(&document), "{document}");
    }
}

#[test]
fn labels_of_errors_and_hints_are_painted() {
    let bench = Bench::new();
    let always = ["--color", "always"];
    let run = |arguments: &[&str]| bench.run(&[&always[..], arguments].concat());
    let error = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m ";
    let refused = run(&["list"]).exits(3).stderr;
    let hint = "\u{1b}[1m\u{1b}[36mhint:\u{1b}[0m run kbmirror fetch or kbmirror crawl to create a mirror, \
         or pass --mirror DIR";
    assert_eq!(refused, format!("{error}no mirror exists at {}\n  {hint}\n", bench.mirror()));
    let usage = run(&["list", "--nothing"]).exits(2).stderr;
    assert!(usage.starts_with(error), "{usage}");
    let log = run(&["--log-format", "json", "list"]).exits(3).stderr;
    assert!(!has_color(&log), "{log}");
    // In a process whose stderr is a pipe.
    let piped = bench.run_program(&["--replay", "nothing", "search", "KB5086672"]);
    assert!(!has_color(&String::from_utf8(piped.stderr).unwrap()));
}

#[test]
fn help_obeys_the_color_option() {
    let bench = Bench::new();
    for help in [&["--help"][..], &["help", "fetch"], &["fetch", "-h"]] {
        let painted = bench.run(&[&["--color", "always"], help].concat()).exits(0).stdout;
        let bare = bench.run(help).exits(0).stdout;
        assert!(has_color(&painted) && !has_color(&bare), "{help:?}");
        assert_eq!(plain(&painted), bare, "{help:?}");
    }
}

#[test]
fn untrusted_text_cannot_add_escape_sequences_to_colored_output() {
    let bench = Bench::new();
    let folder = bench.path("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a\u{1b}[2J\u{1b}[31m.msu"), b"x").unwrap();
    let linted = bench.run(&["--color", "always", "lint", folder.as_str()]).exits(10).stdout;
    assert!(has_color(&linted) && linted.contains("a\\u{1b}[2J\\u{1b}[31m.msu"), "{linted}");
    assert!(!has_color(&plain(&linted)), "{linted}");
    let unknown = bench.run(&["--color", "always", "list", "--a\u{1b}[2J"]).exits(2).stderr;
    assert!(!has_color(&plain(&unknown)), "{unknown}");
}

/// Checks the output of a command at every width against its output on a pipe.
#[track_caller]
fn expect_unbroken(bench: &Bench, arguments: &[&str]) {
    let piped = bench.run(arguments).stdout;
    let words: BTreeSet<&str> = piped.split_whitespace().collect();
    let kb = Regex::new(r"\bKB\d{6,7}\b").unwrap();
    let file = Regex::new(r"[\w.-]+_[0-9a-f]{40}[\w-]*\.(?:msu|cab|exe)").unwrap();
    for width in WIDTHS {
        let shown = bench.run_at_width(width, arguments).stdout;
        let is_whole = |word: &&str| {
            // Digests in names of package files are cut, and marked. Numbers, such as the free space, can change between runs.
            words.contains(word)
                || word.parse::<f64>().is_ok()
                || word.split_once('\u{2026}').is_some_and(|(begin, end)| {
                    words.iter().any(|whole| whole.starts_with(begin) && whole.ends_with(end))
                })
        };
        let broken: Vec<&str> = shown.split_whitespace().filter(|word| !is_whole(word)).collect();
        assert!(broken.is_empty(), "{arguments:?} at {width}: {broken:?} in\n{shown}");
        // Lines of tables fit, or have one word that cannot fit.
        for line in shown.lines().filter(|line| line.starts_with(' ')) {
            let is_alone = line.split_whitespace().count() == 1;
            assert!(
                line.chars().count() <= usize::from(width) || is_alone,
                "{arguments:?} at {width}: {line}"
            );
        }
        for essential in kb.find_iter(&piped) {
            assert!(
                shown.contains(essential.as_str()),
                "{arguments:?} at {width}: {essential:?} in\n{shown}"
            );
        }
        for name in file.find_iter(&piped).map(|found| found.as_str()) {
            let (begin, _) = name.split_at(name.rfind('_').unwrap() + 9);
            assert!(shown.contains(begin), "{arguments:?} at {width}: {name} in\n{shown}");
        }
    }
}

#[test]
fn tables_break_no_word_and_lose_no_kb_or_file() {
    let bench = filled();
    let (demo, stick) = (recording("demo"), bench.path("stick"));
    let replay = ["--replay", demo.as_str()];
    let arm = ["KB5086672", "--arch", "arm64", "--baseline", "26100.863"];
    let staged = bench.path("staged");
    bench.run(&[&["stage"], &arm[..], &["--to", staged.as_str()]].concat()).exits(0);
    fs::write(staged.join("letter.txt"), "to the operator").unwrap();
    for arguments in [
        &[&replay[..], &["search", "KB5086672"]].concat()[..],
        &[&replay[..], &["crawl", "KB5086672"]].concat(),
        &[&replay[..], &["fetch", "KB5086672", "--dry-run"]].concat(),
        &[&replay[..], &["fetch", "KB5086672"]].concat(),
        &[&["resolve"], &arm[..]].concat(),
        &["lint", staged.as_str()],
        &["list"],
        &["show", "KB5086672"],
        &["status"],
        &["keys", "list"],
        &["knowledge", "show"],
        &["schema"],
        &["forget", "KB5086672", "--dry-run"],
        &["export", "--all", "--to", stick.as_str(), "--dry-run"],
        &["check-medium", stick.as_str()],
    ] {
        expect_unbroken(&bench, arguments);
    }
    damage(&bench);
    for arguments in [&["verify"][..], &["list"], &["--offline", "repair", "--dry-run"]] {
        expect_unbroken(&bench, arguments);
    }
}

#[test]
fn a_wider_terminal_shows_more_columns() {
    let bench = filled();
    let headings = |width, arguments: &[&str]| -> Vec<String> {
        let shown = bench.run_at_width(width, arguments).exits(0).stdout;
        let line = shown.lines().find(|line| line.starts_with(" KB") || line.starts_with(" #")).unwrap();
        line.split("  ").map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
    };
    assert_eq!(headings(120, &["list"]), ["KB", "ARCH", "FILES", "SIZE", "FOLDER", "PRODUCTS"]);
    let narrow = headings(56, &["list"]);
    assert!(narrow.contains(&"FOLDER".to_owned()) && narrow.len() < 6, "{narrow:?}");
    let resolve = ["resolve", "KB5086672", "--arch", "arm64"];
    assert_eq!(headings(120, &resolve)[..2], ["#", "ROLE"]);
    // Narrower than the essential columns, each record is a block.
    let blocks = bench.run_at_width(44, &resolve).exits(0).stdout;
    assert!(blocks.contains("\n #        1\n ROLE     "), "{blocks}");
}

#[test]
fn overview_shows_every_group_and_help_a_command() {
    let bench = Bench::new();
    let overview = bench.run_at_width(80, &["--help"]).exits(0).stdout;
    assert_eq!(overview, bench.run_at_width(80, &["help"]).exits(0).stdout);
    assert!(overview.lines().all(|line| line.chars().count() <= 80), "{overview}");
    for line in ["Ask what a KB needs:", "Keep a mirror:", "Carry and install:", "Check:", "Set up:"] {
        assert!(overview.lines().any(|own| own == line), "{line}: {overview}");
    }
    let fetch = bench.run_at_width(80, &["help", "fetch"]).exits(0).stdout;
    assert_eq!(fetch, bench.run_at_width(80, &["fetch", "--help"]).exits(0).stdout);
    assert!(fetch.contains("Examples:") && fetch.lines().all(|line| line.chars().count() <= 80), "{fetch}");
    let below = bench.run(&["help", "keys", "init"]).exits(0).stdout;
    assert!(below.contains("kbmirror keys init"), "{below}");
    insta::assert_snapshot!(bench.run(&["help", "nothing"]).exits(2).stderr, @r"
    error: unrecognized subcommand 'nothing'

    Usage: kbmirror [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

/// Writes the completions of a shell into a file.
fn completions(bench: &Bench, shell: &str) -> camino::Utf8PathBuf {
    let script = bench.run(&["completions", shell]).exits(0).stdout;
    let path = bench.path(&format!("completions.{shell}"));
    fs::write(&path, script).unwrap();
    path
}

/// Runs a shell, and returns what it printed.
fn ask(shell: &str, arguments: &[&str], folder: &Utf8Path) -> Option<String> {
    let Output { status, stdout, stderr } = run_judge(shell, arguments, folder.as_std_path())?;
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(status.success() && stderr.is_empty(), "{shell}: {status} {stdout} {stderr}");
    Some(stdout)
}

#[test]
fn bash_completes_commands_and_values() {
    let bench = Bench::new();
    let path = completions(&bench, "bash");
    let complete = |words: &str, place: usize, current: &str, previous: &str| {
        let script = format!(
            "source {path}; COMP_WORDS=({words}); COMP_CWORD={place}; \
             _kbmirror kbmirror '{current}' '{previous}'; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        ask("bash", &["--noprofile", "--norc", "-c", &script], &bench.path(""))
    };
    let Some(commands) = complete("kbmirror fe", 1, "fe", "kbmirror") else { return };
    assert_eq!(commands, "fetch\n");
    assert_eq!(complete("kbmirror fetch --dry", 2, "--dry", "fetch").unwrap(), "--dry-run\n");
    assert_eq!(complete("kbmirror fetch --color a", 3, "a", "--color").unwrap(), "auto\nalways\n");
    let shells = complete("kbmirror completions ''", 2, "", "completions").unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(shells.lines().any(|line| line == shell), "{shells}");
    }
}

#[test]
fn zsh_loads_the_completions() {
    let bench = Bench::new();
    let path = completions(&bench, "zsh");
    let script = format!(
        "autoload -Uz compinit; compinit -u -d zcompdump; source {path}; print -r -- $_comps[kbmirror]"
    );
    if let Some(found) = ask("zsh", &["-f", "-c", &script], &bench.path("")) {
        assert_eq!(found, "_kbmirror\n");
        assert_eq!(ask("zsh", &["-f", "-n", path.as_str()], &bench.path("")).unwrap(), "");
    }
}

#[test]
fn fish_completes_commands_with_their_descriptions() {
    let bench = Bench::new();
    let path = completions(&bench, "fish");
    let script = format!("source {path}; complete -C 'kbmirror fet'; complete -C 'kbmirror fetch --color n'");
    let home = format!("--init-command=set -gx HOME {}", bench.path(""));
    if let Some(found) = ask("fish", &["--no-config", &home, "-c", &script], &bench.path("")) {
        assert!(found.starts_with("fetch\tDownload") && found.contains("never\n"), "{found}");
    }
}

#[test]
fn powershell_and_elvish_have_completions() {
    let bench = Bench::new();
    for (shell, word) in [("powershell", "Register-ArgumentCompleter"), ("elvish", "edit:completion")] {
        let script = fs::read_to_string(completions(&bench, shell)).unwrap();
        assert!(script.contains(word) && script.contains("check-medium"), "{shell}");
    }
    insta::assert_snapshot!(bench.run(&["completions", "tcsh"]).exits(2).stderr, @r"
    error: invalid value 'tcsh' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

      tip: a similar value exists: 'zsh'

    For more information, try '--help'.
    ");
}

#[test]
fn manual_pages_render_without_warnings() {
    let bench = Bench::new();
    let folder = bench.path("man");
    let written = bench.run(&["man", "--to", folder.as_str()]).exits(0).stdout;
    let pages: Vec<String> = read_tree(&folder).into_keys().collect();
    assert_eq!(written.lines().count(), pages.len());
    assert!(pages.len() > 30, "{pages:?}");
    assert_eq!(
        fs::read_to_string(folder.join("kbmirror-fetch.1")).unwrap(),
        bench.run(&["man", "fetch"]).stdout
    );
    assert_eq!(fs::read_to_string(folder.join("kbmirror.1")).unwrap(), bench.run(&["man"]).stdout);
    let formatting = Regex::new("\u{1b}\\[[0-9;]*m|.\u{8}").unwrap();
    for page in &pages {
        // groff reports on stderr; col is not needed for the comparison.
        let Some(text) = ask("groff", &["-man", "-Tutf8", "-rLL=78n", "-ww", page], &folder) else { return };
        let text = formatting.replace_all(&text, "").into_owned();
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS"] {
            assert!(text.lines().any(|line| line == section), "{page}: {section} in\n{text}");
        }
        let page = folder.join(page);
        if let Some(shown) = ask("man", &["--warnings", "-P", "cat", "-l", page.as_str()], &folder) {
            assert!(shown.contains("kbmirror"), "{shown}");
        }
    }
    let root = ask("groff", &["-man", "-Tascii", "-P-cbou", "kbmirror.1"], &folder).unwrap();
    assert!(root.contains("10 (unresolved)") && root.contains("Keep a mirror"), "{root}");
}
