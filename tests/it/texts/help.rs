//! The help of each command.

use super::super::harness::Bench;
use super::{run, snap};

/// The commands that the help lists.
fn commands(bench: &Bench, of: &[&str]) -> Vec<String> {
    let help = run(bench, None, &[of, &["--help"]].concat()).exits(0).stdout;
    let listed = help.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = listed.filter_map(|line| line.split_whitespace().next());
    let is_name = |name: &&str| name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
    names
        .filter(is_name)
        .filter(|name| !name.starts_with('-') && *name != "kbmirror")
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_of_each_command() {
    let bench = Bench::in_short_folder();
    snap("help", &bench, &["--help"]);
    snap("help-short", &bench, &["-h"]);
    let names = commands(&bench, &[]);
    assert!(names.len() >= 24 && names.contains(&"check-medium".to_owned()), "{names:?}");
    for name in &names {
        snap(&format!("help-{name}"), &bench, &[name, "--help"]);
    }
    for family in ["keys", "knowledge"] {
        let below = commands(&bench, &[family]);
        assert!(below.len() >= 2, "{below:?}");
        for name in below.iter().filter(|name| *name != "help") {
            snap(&format!("help-{family}-{name}"), &bench, &[family, name, "--help"]);
        }
    }
}
