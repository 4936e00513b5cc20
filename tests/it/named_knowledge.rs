//! `--knowledge DIR`: a correction of an administrator reaches the plan, the published script and page, the medium, and the
//! receiving side in the same way.
#![expect(clippy::disallowed_methods, reason = "tables are written and mirrors are read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use kbmirror::servicing::Tables;
use serde_json::{Value, json};

use super::carry::{content, export, fetch_from, import, isolated, keys, two_kbs};
use super::harness::{Bench, each, items, text_of, tree};
use super::support::Loopback;

/// The update that the added row is about, the one that the row puts before it, and two that no mirror here has: one
/// that the tables know, and one that nothing knows.
const KB: &str = "KB5041865";
const NEEDED: &str = "KB5040435";
const ABSENT: [&str; 2] = ["KB5043080", "KB5999999"];
const FOLDER: &str = "windows-11-24h2-arm64";
const VARIABLE: &str = "KBMIRROR_KNOWLEDGE";

fn built_in(name: &str) -> &'static str {
    Tables::built_in().iter().find(|(own, _)| *own == name).unwrap().1
}

/// Writes a folder with the table of prerequisites and one row more: an update needs another one first.
fn tables_with_row(bench: &Bench, folder: &str, needs: &str) -> Utf8PathBuf {
    let row = format!(
        "\n[[before]]\nkb = \"{KB}\"\nneeds = \"{needs}\"\nfamily = 26100\nrole = \"prerequisite\"\nsource = \"our own ticket 4711\"\n"
    );
    let folder = bench.path(folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("prerequisites.toml"), built_in("prerequisites.toml").to_owned() + &row).unwrap();
    folder
}

/// Makes tables newer than every other: their version and date stand in the table of families.
fn make_newer(tables: &Utf8Path) {
    let families = built_in("families.toml");
    let newer: Vec<String> = families
        .lines()
        .map(|line| match line.split(' ').next() {
            Some("version") => "version = \"2026.11.1\"".to_owned(),
            Some("date") => "date = \"2026-11-01\"".to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    fs::write(tables.join("families.toml"), newer.join("\n") + "\n").unwrap();
}

/// A connected mirror with both updates and keys, fetched with these tables; gives its root key too.
fn connected(tables: Option<&str>) -> (Bench, String) {
    let (mut bench, loopback) = (Bench::new(), Loopback::start(two_kbs()));
    if let Some(needs) = tables {
        let folder = tables_with_row(&bench, "tables", needs);
        bench.env.insert(VARIABLE.to_owned(), folder.into_string());
    }
    fetch_from(&bench, &loopback, &[KB, NEEDED]).exits(0);
    let root = keys(&bench);
    (bench, root)
}

/// A text beside the set folders of the update.
fn beside(bench: &Bench, name: &str) -> String {
    fs::read_to_string(bench.mirror().join(format!("kb/{KB}/{name}"))).unwrap()
}

fn script_of(bench: &Bench) -> String {
    beside(bench, &format!("{FOLDER}.cmd"))
}

fn on_medium(medium: &Utf8Path, name: &str) -> String {
    fs::read_to_string(medium.join(name)).unwrap()
}

/// The KBs of a plan's steps, in order.
fn steps(bench: &Bench) -> Vec<String> {
    let answer = bench.json(&["resolve", KB, "--arch", "arm64"]).exits(0).json();
    each(&answer["steps"], "kb")
}

fn names_needed(text: &str) -> bool {
    text.contains(&format!(r"..\{NEEDED}\{FOLDER}"))
}

#[test]
fn an_added_row_changes_plan_script_readme_and_medium() {
    let (plain, _) = connected(None);
    assert_eq!(steps(&plain), [KB]);
    assert!(!names_needed(&script_of(&plain)) && !names_needed(&beside(&plain, "README.txt")));

    let (bench, root) = connected(Some(NEEDED));
    assert_eq!(steps(&bench), [NEEDED, KB]);
    assert!(names_needed(&script_of(&bench)), "{}", script_of(&bench));
    let readme = beside(&bench, "README.txt");
    assert!(
        readme.contains(&format!("before  {NEEDED} (prerequisite)")) && names_needed(&readme),
        "{readme}"
    );

    let medium = bench.path("medium");
    let exported = export(&bench, &[KB], &medium).exits(0).json();
    assert_eq!(each(&exported["plan"]["sets"], "kb"), [NEEDED, KB]);
    let path = format!("data/{KB}/{FOLDER}.cmd");
    assert_eq!(on_medium(&medium, &path), script_of(&bench));
    let page = on_medium(&medium, "index.html");
    let own = page.split(&format!("id=\"{KB}")).nth(1).unwrap_or(&page);
    assert!(own.contains(NEEDED) && own.contains("without it"), "{page}");
    assert_eq!(on_medium(&medium, "knowledge/prerequisites.toml"), {
        fs::read_to_string(bench.path("tables").join("prerequisites.toml")).unwrap()
    });

    let there = isolated(&root);
    let imported = import(&there, &medium).exits(0).json();
    assert_eq!(imported["imported"]["knowledge_adopted"], true, "{imported:#}");
    assert_eq!(tree(&there.mirror().join("kb")), tree(&bench.mirror().join("kb")));
    assert_eq!(steps(&there), [NEEDED, KB]);
    for side in [&bench, &there] {
        side.json(&["verify"]).exits(0);
    }
}

#[test]
fn the_option_acts_as_its_variable_does() {
    let (mut bench, _) = connected(Some(NEEDED));
    let before = script_of(&bench);
    let tables = bench.env.remove(VARIABLE).unwrap();
    let medium = bench.path("medium");
    let with = ["--knowledge", &tables];
    bench.json(&[&with[..], &["export", KB, "--to", medium.as_str()]].concat()).exits(0);
    assert_eq!(script_of(&bench), before);
    assert_eq!(on_medium(&medium, &format!("data/{KB}/{FOLDER}.cmd")), before);

    // The next run that writes goes by the knowledge that it is given: here the built-in one.
    export(&bench, &[KB], &bench.path("other")).exits(0);
    assert!(!names_needed(&script_of(&bench)) && !names_needed(&beside(&bench, "README.txt")));
    bench.json(&["verify"]).exits(0);
}

#[test]
fn a_row_about_an_absent_kb_is_missing_on_the_medium() {
    let (mut bench, _) = connected(None);
    for absent in ABSENT {
        let tables = tables_with_row(&bench, absent, absent);
        bench.env.insert(VARIABLE.to_owned(), tables.into_string());
        let medium = bench.path(&format!("medium-{absent}"));
        for dry in [&["--dry-run"][..], &[]] {
            let exported = export(&bench, &[&[KB], dry].concat(), &medium).json();
            let plan = &exported["plan"];
            let lists = [each(&plan["missing"], "kb"), each(&plan["left_out"], "kb")].concat();
            assert!(lists.iter().any(|kb| kb == absent), "{plan:#}");
        }
        let page = on_medium(&medium, "index.html");
        assert!(page.contains(absent), "{page}");
        let readme = beside(&bench, "README.txt");
        assert!(readme.contains(&format!("before  {absent} (prerequisite), ")), "{readme}");
        // A script that cannot install the update exists on neither side.
        let path = format!("{KB}/{FOLDER}.cmd");
        assert!(!bench.mirror().join("kb").join(&path).exists() && !medium.join("data").join(&path).exists());
    }
}

#[test]
fn verify_tells_other_tables_from_damage() {
    let (mut bench, _) = connected(Some(NEEDED));
    let tables = bench.env.remove(VARIABLE).unwrap();
    let report = bench.json(&["verify"]).exits(0).json();
    let warnings: Vec<String> = items(&report["warnings"]).iter().map(text_of).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let expected =
        format!("kb/{KB}/{FOLDER}.cmd was made with other knowledge tables than those of this run");
    assert!(warnings[0].starts_with(&expected), "{warnings:?}");
    assert_eq!(bench.json(&["--knowledge", &tables, "verify"]).exits(0).json()["warnings"], json!([]));

    // A changed byte is damage, by whichever tables.
    let path = bench.mirror().join(format!("kb/{KB}/{FOLDER}.cmd"));
    let whole = fs::read_to_string(&path).unwrap();
    for spoiled in [whole.replacen("KB", "KC", 1), String::new()] {
        fs::write(&path, spoiled).unwrap();
        for with in [&[][..], &["--knowledge", &tables]] {
            let report = bench.json(&[with, &["verify"]].concat()).exits(5).json();
            assert_eq!(each(&report["findings"], "path"), [format!("kb/{KB}/{FOLDER}.cmd")]);
        }
    }
    fs::remove_file(&path).unwrap();
    bench.json(&["verify"]).exits(5);
    // The script that the built-in tables give is not the one that was written.
    let (plain, _) = connected(None);
    fs::write(&path, script_of(&plain)).unwrap();
    bench.json(&["--knowledge", &tables, "verify"]).exits(5);
}

#[test]
fn a_correction_taken_back_is_taken_back_on_the_other_side() {
    let (mut bench, root) = connected(Some(NEEDED));
    let (medium, there) = (bench.path("medium"), isolated(&root));
    export(&bench, &[KB], &medium).exits(0);
    import(&there, &medium).exits(0);
    assert!(names_needed(&script_of(&there)));
    bench.env.clear();
    export(&bench, &[KB], &medium).exits(0);
    let imported = import(&there, &medium).exits(0).json();
    assert_eq!(imported["imported"]["knowledge_adopted"], true);
    assert!(!names_needed(&script_of(&there)));
    assert_eq!(tree(&there.mirror().join("kb")), tree(&bench.mirror().join("kb")));
    // The same tables again are no news.
    export(&bench, &[KB], &medium).exits(0);
    let imported = import(&there, &medium).exits(0).json();
    assert_eq!(imported["imported"]["knowledge_adopted"], false);
}

#[test]
fn an_older_set_moves_no_correction_back() {
    let (mut bench, root) = connected(None);
    let (old, new, there) = (bench.path("old"), bench.path("new"), isolated(&root));
    export(&bench, &[KB], &old).exits(0);
    let tables = tables_with_row(&bench, "tables", NEEDED);
    bench.env.insert(VARIABLE.to_owned(), tables.into_string());
    export(&bench, &[KB], &new).exits(0);
    import(&there, &new).exits(0);
    let before = content(&there.mirror().join("kb"));
    import(&there, &old).exits(0);
    assert_eq!(content(&there.mirror().join("kb")), before);
}

#[test]
fn newer_tables_on_a_medium_make_its_scripts_too() {
    let (mut bench, root) = connected(Some(NEEDED));
    make_newer(&bench.path("tables"));
    let (medium, there) = (bench.path("medium"), isolated(&root));
    export(&bench, &[KB], &medium).exits(0);
    bench.env.clear();
    let exported = export(&bench, &[KB], &medium).exits(0).json();
    let warnings: Vec<String> = items(&exported["plan"]["warnings"]).iter().map(text_of).collect();
    assert!(
        warnings.iter().any(|text| text.contains("kept the knowledge tables of 2026-11-01")),
        "{warnings:?}"
    );
    let script = on_medium(&medium, &format!("data/{KB}/{FOLDER}.cmd"));
    assert!(names_needed(&script), "the tables on the medium have the row");
    import(&there, &medium).exits(0);
    assert_eq!(script_of(&there), script);
}

#[test]
fn an_import_goes_by_the_tables_that_it_is_given() {
    let (bench, root) = connected(None);
    let medium = bench.path("medium");
    export(&bench, &[KB, NEEDED], &medium).exits(0);
    let mut there = isolated(&root);
    let tables = tables_with_row(&there, "tables", NEEDED);
    there.env.insert(VARIABLE.to_owned(), tables.into_string());
    let imported = import(&there, &medium).exits(0).json();
    assert_eq!(imported["imported"]["knowledge_adopted"], Value::from(false));
    assert!(names_needed(&script_of(&there)) && names_needed(&beside(&there, "README.txt")));
    assert_eq!(there.json(&["verify"]).exits(0).json()["findings"], json!([]));
}
