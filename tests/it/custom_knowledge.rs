//! `--knowledge DIR`: a correction by the administrator has the same effect on the plan, the published script and
//! page, the medium, and the isolated side.
#![expect(clippy::disallowed_methods, reason = "tables are written and mirrors are read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use kbmirror::servicing::Tables;
use serde_json::{Value, json};

use super::air_gap::{
    create_keys, export, fetch_from, import, isolated_mirror, mirror_digests, world_of_two_kbs,
};
use super::harness::{Bench, field_texts, items, read_tree, text_of};
use super::support::Loopback;

/// The update that the added row is about, its new prerequisite, and two KBs that are not in any mirror of these
/// tests. The built-in tables know the first of the two, and no table knows the second.
const KB: &str = "KB5041865";
const NEEDED: &str = "KB5040435";
const ABSENT: [&str; 2] = ["KB5043080", "KB5999999"];
const FOLDER: &str = "windows-11-24h2-arm64";
const VARIABLE: &str = "KBMIRROR_KNOWLEDGE";

fn built_in(name: &str) -> &'static str {
    Tables::built_in().iter().find(|(own, _)| *own == name).unwrap().1
}

/// Writes a folder with the prerequisites table and one added row: `KB` requires the update `needs`.
fn tables_with_row(bench: &Bench, folder: &str, needs: &str) -> Utf8PathBuf {
    let row = format!(
        "\n[[before]]\nkb = \"{KB}\"\nneeds = \"{needs}\"\nfamily = 26100\nrole = \"prerequisite\"\nsource = \"our own ticket 4711\"\n"
    );
    let folder = bench.path(folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("prerequisites.toml"), built_in("prerequisites.toml").to_owned() + &row).unwrap();
    folder
}

/// Makes the tables newer than all others: the version and date are in the families table.
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

/// Returns a connected mirror with both updates and its keys, fetched with the given tables, and its root key.
fn connected(tables: Option<&str>) -> (Bench, String) {
    let (mut bench, loopback) = (Bench::new(), Loopback::start(world_of_two_kbs()));
    if let Some(needs) = tables {
        let folder = tables_with_row(&bench, "tables", needs);
        bench.env.insert(VARIABLE.to_owned(), folder.into_string());
    }
    fetch_from(&bench, &loopback, &[KB, NEEDED]).exits(0);
    let root = create_keys(&bench);
    (bench, root)
}

/// Returns the text of a file beside the set folders of the update.
fn file_of_update(bench: &Bench, name: &str) -> String {
    fs::read_to_string(bench.mirror().join(format!("kb/{KB}/{name}"))).unwrap()
}

fn script_of(bench: &Bench) -> String {
    file_of_update(bench, &format!("{FOLDER}.cmd"))
}

fn on_medium(medium: &Utf8Path, name: &str) -> String {
    fs::read_to_string(medium.join(name)).unwrap()
}

/// Returns the KBs of a plan's steps, in order.
fn steps(bench: &Bench) -> Vec<String> {
    let answer = bench.json(&["resolve", KB, "--arch", "arm64"]).exits(0).json();
    field_texts(&answer["steps"], "kb")
}

fn mentions_prerequisite(text: &str) -> bool {
    text.contains(&format!(r"..\{NEEDED}\{FOLDER}"))
}

#[test]
fn an_added_row_changes_the_plan_script_readme_and_medium() {
    let (plain, _) = connected(None);
    assert_eq!(steps(&plain), [KB]);
    assert!(
        !mentions_prerequisite(&script_of(&plain))
            && !mentions_prerequisite(&file_of_update(&plain, "README.txt"))
    );

    let (bench, root) = connected(Some(NEEDED));
    assert_eq!(steps(&bench), [NEEDED, KB]);
    assert!(mentions_prerequisite(&script_of(&bench)), "{}", script_of(&bench));
    let readme = file_of_update(&bench, "README.txt");
    assert!(
        readme.contains(&format!("before  {NEEDED} (prerequisite)")) && mentions_prerequisite(&readme),
        "{readme}"
    );

    let medium = bench.path("medium");
    let exported = export(&bench, &[KB], &medium).exits(0).json();
    assert_eq!(field_texts(&exported["plan"]["sets"], "kb"), [NEEDED, KB]);
    let path = format!("data/{KB}/{FOLDER}.cmd");
    assert_eq!(on_medium(&medium, &path), script_of(&bench));
    let page = on_medium(&medium, "index.html");
    let own = page.split(&format!("id=\"{KB}")).nth(1).unwrap_or(&page);
    assert!(own.contains(NEEDED) && own.contains("without it"), "{page}");
    assert_eq!(on_medium(&medium, "knowledge/prerequisites.toml"), {
        fs::read_to_string(bench.path("tables").join("prerequisites.toml")).unwrap()
    });

    let isolated = isolated_mirror(&root);
    let imported = import(&isolated, &medium).exits(0).json();
    assert_eq!(imported["imported"]["knowledge_adopted"], true, "{imported:#}");
    assert_eq!(read_tree(&isolated.mirror().join("kb")), read_tree(&bench.mirror().join("kb")));
    assert_eq!(steps(&isolated), [NEEDED, KB]);
    for side in [&bench, &isolated] {
        side.json(&["verify"]).exits(0);
    }
}

#[test]
fn the_option_and_its_variable_have_the_same_effect() {
    let (mut bench, _) = connected(Some(NEEDED));
    let before = script_of(&bench);
    let tables = bench.env.remove(VARIABLE).unwrap();
    let medium = bench.path("medium");
    let with = ["--knowledge", &tables];
    bench.json(&[&with[..], &["export", KB, "--to", medium.as_str()]].concat()).exits(0);
    assert_eq!(script_of(&bench), before);
    assert_eq!(on_medium(&medium, &format!("data/{KB}/{FOLDER}.cmd")), before);

    // The next writing run uses the knowledge that it is given, here the built-in tables.
    export(&bench, &[KB], &bench.path("other")).exits(0);
    assert!(
        !mentions_prerequisite(&script_of(&bench))
            && !mentions_prerequisite(&file_of_update(&bench, "README.txt"))
    );
    bench.json(&["verify"]).exits(0);
}

#[test]
fn a_prerequisite_not_in_the_mirror_is_reported_missing() {
    let (mut bench, _) = connected(None);
    for absent in ABSENT {
        let tables = tables_with_row(&bench, absent, absent);
        bench.env.insert(VARIABLE.to_owned(), tables.into_string());
        let medium = bench.path(&format!("medium-{absent}"));
        for dry in [&["--dry-run"][..], &[]] {
            let exported = export(&bench, &[&[KB], dry].concat(), &medium).json();
            let plan = &exported["plan"];
            let lists = [field_texts(&plan["missing"], "kb"), field_texts(&plan["left_out"], "kb")].concat();
            assert!(lists.iter().any(|kb| kb == absent), "{plan:#}");
        }
        let page = on_medium(&medium, "index.html");
        assert!(page.contains(absent), "{page}");
        let readme = file_of_update(&bench, "README.txt");
        assert!(readme.contains(&format!("before  {absent} (prerequisite), ")), "{readme}");
        // A script that cannot install the update is not written on either side.
        let path = format!("{KB}/{FOLDER}.cmd");
        assert!(!bench.mirror().join("kb").join(&path).exists() && !medium.join("data").join(&path).exists());
    }
}

#[test]
fn verify_distinguishes_other_tables_from_damage() {
    let (mut bench, _) = connected(Some(NEEDED));
    let tables = bench.env.remove(VARIABLE).unwrap();
    let report = bench.json(&["verify"]).exits(0).json();
    let warnings: Vec<String> = items(&report["warnings"]).iter().map(text_of).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let expected =
        format!("kb/{KB}/{FOLDER}.cmd was made with other knowledge tables than those of this run");
    assert!(warnings[0].starts_with(&expected), "{warnings:?}");
    assert_eq!(bench.json(&["--knowledge", &tables, "verify"]).exits(0).json()["warnings"], json!([]));

    // A changed byte is damage, no matter which tables are used.
    let path = bench.mirror().join(format!("kb/{KB}/{FOLDER}.cmd"));
    let original = fs::read_to_string(&path).unwrap();
    for damaged in [original.replacen("KB", "KC", 1), String::new()] {
        fs::write(&path, damaged).unwrap();
        for with in [&[][..], &["--knowledge", &tables]] {
            let report = bench.json(&[with, &["verify"]].concat()).exits(5).json();
            assert_eq!(field_texts(&report["findings"], "path"), [format!("kb/{KB}/{FOLDER}.cmd")]);
        }
    }
    fs::remove_file(&path).unwrap();
    bench.json(&["verify"]).exits(5);
    // The script made with the built-in tables differs from the script that was written.
    let (plain, _) = connected(None);
    fs::write(&path, script_of(&plain)).unwrap();
    bench.json(&["--knowledge", &tables, "verify"]).exits(5);
}

#[test]
fn a_withdrawn_correction_is_withdrawn_on_the_isolated_side() {
    let (mut bench, root) = connected(Some(NEEDED));
    let (medium, isolated) = (bench.path("medium"), isolated_mirror(&root));
    export(&bench, &[KB], &medium).exits(0);
    import(&isolated, &medium).exits(0);
    assert!(mentions_prerequisite(&script_of(&isolated)));
    bench.env.clear();
    export(&bench, &[KB], &medium).exits(0);
    let imported = import(&isolated, &medium).exits(0).json();
    assert_eq!(imported["imported"]["knowledge_adopted"], true);
    assert!(!mentions_prerequisite(&script_of(&isolated)));
    assert_eq!(read_tree(&isolated.mirror().join("kb")), read_tree(&bench.mirror().join("kb")));
    // The import does not adopt the same tables again.
    export(&bench, &[KB], &medium).exits(0);
    let imported = import(&isolated, &medium).exits(0).json();
    assert_eq!(imported["imported"]["knowledge_adopted"], false);
}

#[test]
fn an_older_set_does_not_undo_a_correction() {
    let (mut bench, root) = connected(None);
    let (old, new, isolated) = (bench.path("old"), bench.path("new"), isolated_mirror(&root));
    export(&bench, &[KB], &old).exits(0);
    let tables = tables_with_row(&bench, "tables", NEEDED);
    bench.env.insert(VARIABLE.to_owned(), tables.into_string());
    export(&bench, &[KB], &new).exits(0);
    import(&isolated, &new).exits(0);
    let before = mirror_digests(&isolated.mirror().join("kb"));
    import(&isolated, &old).exits(0);
    assert_eq!(mirror_digests(&isolated.mirror().join("kb")), before);
}

#[test]
fn newer_tables_on_a_medium_are_used_for_its_scripts() {
    let (mut bench, root) = connected(Some(NEEDED));
    make_newer(&bench.path("tables"));
    let (medium, isolated) = (bench.path("medium"), isolated_mirror(&root));
    export(&bench, &[KB], &medium).exits(0);
    bench.env.clear();
    let exported = export(&bench, &[KB], &medium).exits(0).json();
    let warning = "kept the knowledge tables of 2026-11-01 on the medium: they are newer than this mirror's";
    assert_eq!(exported["plan"]["warnings"], json!([warning]));
    let script = on_medium(&medium, &format!("data/{KB}/{FOLDER}.cmd"));
    assert!(mentions_prerequisite(&script), "the tables on the medium have the row");
    import(&isolated, &medium).exits(0);
    assert_eq!(script_of(&isolated), script);
}

#[test]
fn an_import_uses_the_tables_given_by_the_operator() {
    let (bench, root) = connected(None);
    let medium = bench.path("medium");
    export(&bench, &[KB, NEEDED], &medium).exits(0);
    let mut isolated = isolated_mirror(&root);
    let tables = tables_with_row(&isolated, "tables", NEEDED);
    isolated.env.insert(VARIABLE.to_owned(), tables.into_string());
    let imported = import(&isolated, &medium).exits(0).json();
    assert_eq!(imported["imported"]["knowledge_adopted"], Value::from(false));
    assert!(
        mentions_prerequisite(&script_of(&isolated))
            && mentions_prerequisite(&file_of_update(&isolated, "README.txt"))
    );
    assert_eq!(isolated.json(&["verify"]).exits(0).json()["findings"], json!([]));
}
