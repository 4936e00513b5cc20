//! The title grammar against collected real titles.
#![expect(clippy::print_stdout, reason = "the disagreements are for people to judge")]

use std::path::Path;

use kbmirror::update::classify;

/// Rows of the collection that we consider wrong: (title, field, reason).
const KNOWN_ERRORS: &[(&str, &str, &str)] = &[
    (
        "2026-09 Dynamic Update for Windows 10 Version 21H2 for x64-based Systems (KB5126029)",
        "kind",
        "its products hold only \"Windows 10 and later Dynamic Update\", which is the Setup update's mark; ten \
         rows of WSUS with the same products say setup_du, and so does the knowledge row of this KB",
    ),
    (
        "2026-09 Dynamic Update for Microsoft server operating system version 21H2 for x64-based Systems (KB5126031)",
        "kind",
        "as KB5126029",
    ),
];

#[test]
fn at_least_300_of_310_real_titles_are_classified() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/facts/titles.jsonl");
    #[expect(clippy::disallowed_methods, reason = "the facts are read in place, outside of the project")]
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: ../shared/facts/titles.jsonl is missing");
        return;
    };
    let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut agreements = 0;
    for row in &rows {
        let field = |name: &str| row[name].as_str();
        let title = field("title").unwrap();
        let class = classify(title, field("products").unwrap_or(""), field("legacy_name"));
        let found = [
            ("kind", class.kind.map(|value| value.to_string())),
            ("arch", class.architecture.map(|value| value.to_string())),
            ("kb", class.kb.map(|value| value.to_string())),
            ("build", class.build.map(|value| value.to_string())),
        ];
        let mut agrees = true;
        for (name, value) in found {
            let Some(expected) = field(name) else { continue };
            if value.as_deref() != Some(expected) {
                agrees = false;
                let wrong = KNOWN_ERRORS.iter().find(|(row, key, _)| *row == title && *key == name);
                let note = wrong.map_or_else(String::new, |(_, _, why)| format!(" (held wrong: {why})"));
                println!("{name}: {expected} expected, {value:?} found: {title}{note}");
                assert!(wrong.is_some(), "an unexpected difference");
            }
        }
        agreements += usize::from(agrees);
    }
    println!("titles: {agreements} agreements of {}", rows.len());
    assert!(agreements >= 300, "{agreements} of {}", rows.len());
}
