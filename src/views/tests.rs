use serde_json::json;

use super::*;
use crate::documents::KB_JSON_FORMAT;
use crate::update::{Architecture, human_size};

fn digest(letter: char) -> String {
    letter.to_string().repeat(64)
}

fn facts(origin: &str, against: &str) -> KbFacts {
    let file = |order: u32, role: &str, name: &str, letter: Option<char>| {
        json!({
            "order": order, "role": role, "name": name, "path": format!("windows-11-24h2-x64/{name}"),
            "sha1": null, "sha1_source": null, "sha256": letter.map(digest), "sha256_source": "dialog", "size": 2048,
            "urls": [], "checks": [{ "what": "sha1", "against": against }],
        })
    };
    let document = json!({
        "format": KB_JSON_FORMAT, "kb": "KB5086672", "origin": origin, "updates": [],
        "sets": [{
            "folder": "windows-11-24h2-x64", "family": "windows-11-24h2", "architecture": "x64",
            "products": ["Windows 11 Version 24H2, x64", "Windows 11 Version 25H2"], "is_dynamic": false, "needs": [],
            "files": [
                file(1, "checkpoint", "windows11.0-kb5043080-x64.msu", Some('a')),
                file(2, "target", "windows11.0-kb5086672-x64.msu", None),
            ],
        }],
    });
    let document: KbDocument = serde_json::from_value(document).unwrap();
    let builds = vec![
        (Some(Architecture::X64), "26100.8117".parse().unwrap()),
        (Some(Architecture::Arm64), "26100.9999".parse().unwrap()),
    ];
    KbFacts { document, builds, planned: vec![PlannedView::default()] }
}

#[test]
fn sums_list_each_file_with_a_known_digest() {
    let views = kb_views(facts("live", "dialog")).unwrap();
    let line = format!("{}  windows-11-24h2-x64/windows11.0-kb5043080-x64.msu\n", digest('a'));
    assert_eq!(views.sums, line);
}

#[test]
fn readme_lists_the_facts_of_each_set() {
    let views = kb_views(facts("live", "dialog")).unwrap();
    let lines: Vec<&str> = views.readme.split("\r\n").collect();
    assert!(lines.contains(&"  for     Windows 11 Version 24H2, x64; Windows 11 Version 25H2 (x64)"));
    assert!(lines.contains(&"          2. windows11.0-kb5086672-x64.msu"));
    let line = format!("             target, {}", human_size(2048));
    assert!(lines.contains(&line.as_str()), "{lines:?}");
    // The build of another architecture does not belong to this set.
    assert!(lines.contains(&"  result  build 26100.8117"));
    assert!(!views.readme.contains("DEMO") && !views.readme.contains(".cmd"));
    assert!(!views.readme.replace("\r\n", "").contains('\n'));
}

#[test]
fn readme_marks_demo_content_and_knowledge_checks() {
    let views = kb_views(facts(crate::documents::REPLAY, "knowledge")).unwrap();
    assert!(views.readme.contains("DEMO"));
    assert!(views.readme.contains(", checked by sha1 (knowledge), not by the Catalog\r\n"));
}

#[test]
fn script_has_the_name_of_its_set_folder() {
    let mut own = facts("live", "dialog");
    own.planned[0].script = Some("@echo off\r\n".to_owned());
    let views = kb_views(own).unwrap();
    let [(folder, script)] = &views.scripts[..] else { panic!("{:?}", views.scripts) };
    assert_eq!((folder.to_string().as_str(), script.as_str()), ("windows-11-24h2-x64", "@echo off\r\n"));
    assert!(views.readme.contains("  script  windows-11-24h2-x64.cmd installs the set"));
    let again: KbDocument = serde_json::from_str(&views.json).unwrap();
    assert_eq!(again.kb, "KB5086672".parse().unwrap());
}
