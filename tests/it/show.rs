//! Tests of `show` when the Catalog and the knowledge differ, and when only one of the two knows a KB.
#![expect(clippy::disallowed_methods, reason = "tables are mended as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;

use kbmirror::servicing::Tables;
use serde_json::{Value, json};

use super::harness::{Bench, field_texts, items, recording};

/// Returns a mirror that has crawled KBs of a recording.
fn crawled(name: &str, kbs: &[&str]) -> Bench {
    let bench = Bench::new();
    bench.replay(&recording(name), &[&["crawl"], kbs].concat()).exits(0);
    bench
}

/// Writes a folder with one changed knowledge table and returns its path.
fn tables(bench: &Bench, name: &str, change: impl Fn(&str) -> String) -> String {
    let folder = bench.path("tables");
    let _absent = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let text = Tables::built_in().iter().find(|(own, _)| *own == name).unwrap().1;
    let changed = change(text);
    assert_ne!(changed, text);
    fs::write(folder.join(name), changed).unwrap();
    folder.into_string()
}

fn differences(shown: &Value, what: &str) -> Vec<Value> {
    items(&shown["differences"]).iter().filter(|own| own["what"] == what).cloned().collect()
}

#[test]
fn equal_facts_are_not_differences() {
    let bench = crawled("catalog", &["KB5086672", "KB5129195", "KB5046617"]);
    bench
        .replay(&recording("catalog"), &["crawl", "KB5050182", "KB5049615", "KB5094141", "KB5094122"])
        .exits(0);
    for kb in ["KB5086672", "KB5043080", "KB5129195", "KB5046617", "KB5050182", "KB5049615", "KB5094122"] {
        let shown = bench.json(&["show", kb]).exits(0).json();
        assert!(!items(&shown["updates"]).is_empty());
        assert_eq!(shown["differences"], json!([]), "{kb}");
        assert_eq!(shown["knowledge"]["date"], "2026-10-05");
    }
}

#[test]
fn each_kind_of_difference_is_reported() {
    let bench = crawled("catalog", &["KB5086672"]);
    let line = "05086672 26100 008117 2026-03-31 r o c h";
    let show = |folder: &str| bench.json(&["--knowledge", folder, "show", "KB5086672"]).exits(0).json();
    let show_with_release =
        |to: &str| show(&tables(&bench, "releases.txt", |text| text.replacen(line, to, 1)));

    let shown = show_with_release("05086672 26100 008118 2026-03-31 r o c h");
    assert_eq!(
        differences(&shown, "build"),
        [json!({
            "what": "build", "subject": "KB5086672", "catalog": "26100.8117", "knowledge": "26100.8118",
            "source": "releases.txt (h)",
        })]
    );
    let folder = bench.path("tables");
    let stdout = bench.run(&["--knowledge", folder.as_str(), "show", "KB5086672"]).exits(0).stdout;
    assert!(
        stdout.contains(
            "\ndiffers: the Catalog's titles of KB5086672 state build 26100.8117; the release history (h) has 26100.8118\n"
        ),
        "{stdout}"
    );

    let shown = show_with_release("05086672 26100 008117 2026-04-14 r o c h");
    assert_eq!(differences(&shown, "date")[0]["knowledge"], "2026-04-14");
    assert_eq!(differences(&shown, "build").len(), 0);

    let shown = show_with_release("05086672 26100 008117 2026-03-31 r o s h");
    let installation = &differences(&shown, "installation")[0];
    assert_eq!((&installation["catalog"], &installation["knowledge"]), (&json!("client"), &json!("server")));

    let shown = show_with_release("05086672 26100 008117 2026-03-31 r p c h");
    let kind = &differences(&shown, "kind")[0];
    assert_eq!((&kind["catalog"], &kind["knowledge"]), (&json!("lcu"), &json!("lcu_preview")));

    let shown = show(&tables(&bench, "parents.toml", |text| {
        format!("{text}\n[[kind]]\nkb = \"KB5086672\"\nkind = \"update_other\"\nsource = \"x\"\n")
    }));
    assert_eq!(shown["differences"], json!([]), "the release history and the titles must agree");

    let shown = show(&tables(&bench, "checkpoints.toml", |text| {
        format!(
            "{text}\n[[checkpoint]]\nkb = \"KB5079473\"\nfamily = 26100\ninstallation = [\"client\"]\nbuild = \"26100.8037\"\nsource = \"x\"\n"
        )
    }));
    let left_out = differences(&shown, "checkpoint");
    assert!(!left_out.is_empty());
    assert_eq!(
        (&left_out[0]["catalog"], &left_out[0]["knowledge"]),
        (&Value::Null, &json!("KB5079473 (26100.8037)"))
    );
}

#[test]
fn a_file_that_differs_from_the_tables_is_reported() {
    let bench = crawled("demo", &["KB5086672", "KB5031539"]);
    let shown = bench.json(&["show", "KB5086672"]).exits(0).json();
    assert_eq!(
        field_texts(&shown["differences"], "what"),
        ["file", "file"],
        "the demo's files are replacements"
    );
    let arm64 = &shown["differences"][0];
    assert_eq!((&arm64["subject"], &arm64["source"]), (&json!("KB5086672 (arm64)"), &json!("files.txt")));
    let name = "windows11.0-kb5086672-arm64";
    assert_eq!(arm64["catalog"], format!("{name}_1095dd7b2d5593b955bd7bd0059c8af7e8ba593a.msu"));
    assert_eq!(arm64["knowledge"], format!("{name}_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu"));
    let stack = bench.json(&["show", "KB5031539"]).exits(0).json();
    assert_eq!(field_texts(&stack["differences"], "what"), ["file"], "a name without a KB");
}

#[test]
fn kbs_known_only_to_the_knowledge_are_shown() {
    let (without_mirror, bench) = (Bench::new(), crawled("demo", &["KB5086672"]));
    for bench in [&without_mirror, &bench] {
        let shown = bench.json(&["show", "KB5079391"]).exits(0).json();
        assert_eq!((&shown["kb"], &shown["updates"]), (&json!("KB5079391"), &json!([])));
        assert_eq!((&shown["sets"], &shown["differences"]), (&json!([]), &json!([])));
        let tables = field_texts(&shown["knowledge"]["rows"], "table");
        assert_eq!(tables, ["releases.txt", "files.txt", "files.txt", "withdrawn.toml"]);
        let stdout = bench.run_at_width(200, &["show", "KB5079391"]).exits(0).stdout;
        let absent = if bench.mirror().exists() {
            "the index has no entry for KB5079391".to_owned()
        } else {
            format!("no mirror exists at {}", bench.mirror())
        };
        assert!(stdout.starts_with(&format!("{absent}; knowledge of 2026-10-05:\n")), "{stdout}");
        let stdout = bench.run_at_width(80, &["show", "KB5079391"]).exits(0).stdout;
        let rows: Vec<&str> = stdout.lines().skip(1).collect();
        assert!(rows.iter().all(|line| line.chars().count() <= 80), "{stdout}");
    }
    assert!(!without_mirror.mirror().exists());
    without_mirror.json(&["show", "KB1234567"]).exits(3);
    let (_, message) = bench.json(&["show", "KB1234567"]).exits(3).error();
    assert_eq!(message, "neither the index nor the knowledge has an entry for KB1234567");
    let none = bench.json(&["show", "KB5086672"]).exits(0).json();
    assert_eq!(none["knowledge"]["rows"][0]["source"], "h");
}
