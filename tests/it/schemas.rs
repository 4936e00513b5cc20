//! Documents against their schemas. Real outputs of the commands are validated, each kind of document at least once, and no
//! field may be missing from its schema. Golden lists show that fields are only added.
//!
//! A golden list is `tests/fixtures/documents/<name>.txt`: a line for each field with its path and whether it is required. A new
//! field makes the test fail until the list has it: add the lines that the failure prints. Lines are never changed or removed.
#![expect(clippy::disallowed_methods, reason = "reports and golden lists are read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use jsonschema::Validator;
use kbmirror::documents::{DOCUMENTS, DocumentKind};
use serde_json::{Value, json};

use crate::carry::{connected, isolated, root_of};
use crate::harness::{Bench, recording};

/// Refuses what a schema does not name, so that a field without a description is found.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            let is_object = fields.contains_key("properties") && !fields.contains_key("additionalProperties");
            if is_object && !fields.contains_key("unevaluatedProperties") {
                fields.insert("unevaluatedProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn schema_of(name: &str) -> Value {
    DocumentKind::named(name).unwrap_or_else(|| panic!("no document {name}")).schema().into()
}

/// The validated outputs by document.
#[derive(Default)]
struct Judge {
    validators: BTreeMap<String, Validator>,
    counts: BTreeMap<String, usize>,
    errors: Vec<String>,
}

impl Judge {
    #[track_caller]
    fn take(&mut self, name: &str, document: &Value) {
        let validator = self.validators.entry(name.to_owned()).or_insert_with(|| {
            let mut schema = schema_of(name);
            if !flattens(&schema) {
                close(&mut schema);
            }
            jsonschema::validator_for(&schema).unwrap()
        });
        let errors: Vec<String> = validator
            .iter_errors(document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        if !errors.is_empty() {
            self.errors.push(format!("{name}: {errors:#?}\n{document:#}"));
        }
        *self.counts.entry(name.to_owned()).or_default() += 1;
    }

    /// Runs a command and validates what it prints.
    #[track_caller]
    fn runs(&mut self, bench: &Bench, name: &str, arguments: &[&str]) {
        let document = bench.json(arguments).json();
        self.take(name, &document);
    }

    /// Validates the lines of a text.
    #[track_caller]
    fn lines(&mut self, name: &str, text: &str) {
        for line in text.lines() {
            self.take(name, &serde_json::from_str(line).unwrap());
        }
    }
}

fn read_json(path: &Utf8Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Validates the files that runs leave in a mirror.
fn judge_reports(judge: &mut Judge, bench: &Bench) {
    /// The endings of the reports with their documents.
    const KINDS: [(&str, &str); 6] = [
        ("-sync.json", "sync"),
        ("-news.json", "news"),
        ("-verify.json", "verify"),
        ("-export.json", "export-report"),
        ("-check-medium.json", "check-medium-report"),
        ("-import.json", "import-report"),
    ];
    for entry in bench.mirror().join("runs").read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        let Some((_, kind)) = KINDS.iter().find(|(end, _)| path.as_str().ends_with(end)) else { continue };
        let document = read_json(&path);
        let is_failed_sync = *kind == "sync" && document["error"].is_object();
        judge.take(if is_failed_sync { "sync-error" } else { kind }, &document);
    }
}

/// Validates the documents of media, the JSON files on a medium, and the reports of both sides.
fn judge_media(judge: &mut Judge) {
    let here = connected(&["KB5086672", "KB5085516"]);
    let there = isolated(&root_of(&here));
    let stick = here.path("stick");
    let to = ["--to", stick.as_str()];
    let arm = ["export", "KB5086672", "--arch", "arm64"];
    judge.runs(&here, "export-dry-run", &[&arm[..], &to, &["--dry-run"]].concat());
    judge.runs(&here, "export", &[&arm[..], &to].concat());
    judge.take("medium-set", &read_json(&stick.join("set.json")));
    judge.runs(&there, "check-medium", &["check-medium", stick.as_str()]);
    judge.runs(&there, "import", &["import", stick.as_str()]);
    judge.runs(&there, "import", &["import", stick.as_str()]);
    // A second export keeps, replaces nothing, and is not complete.
    judge.runs(
        &here,
        "export-dry-run",
        &[&["export", "KB5085516"], &to[..], &["--prune", "--dry-run"]].concat(),
    );
    judge.runs(&here, "export", &[&["export", "KB5085516"], &to[..]].concat());
    judge.take("medium-set", &read_json(&stick.join("set.json")));
    judge.runs(&there, "check-medium", &["check-medium", stick.as_str()]);
    std::fs::remove_file(stick.join("set.json.minisig")).unwrap();
    judge.runs(&there, "error", &["check-medium", stick.as_str()]);
    judge.runs(&there, "error", &["import", stick.as_str()]);
    // A page of the medium cannot be replaced, so that the export ends behind its mark.
    let page = stick.join("knowledge/families.toml");
    std::fs::remove_file(&page).unwrap();
    std::fs::create_dir_all(page.join("inside")).unwrap();
    judge.runs(&here, "error", &[&["export", "KB5085516"], &to[..]].concat());
    let mark = read_json(&stick.join("unfinished/export.json"));
    judge.take("medium-unfinished", &mark);
    judge.lines("medium-unfinished-body", mark["body"].as_str().unwrap());
    judge_reports(judge, &here);
    judge_reports(judge, &there);
}

/// Validates the report of a sync that ends with an error after it opened the mirror: no window ends on that day.
fn judge_failed_sync(judge: &mut Judge) {
    let bench = Bench::new();
    bench.json(&["init", "--product", "windows-11-24h2"]).exits(0);
    let demo = recording("demo");
    judge.runs(&bench, "error", &["--replay", demo.as_str(), "sync", "--as-of", "1999-12-31"]);
    judge_reports(judge, &bench);
}

/// Returns `true` if parts of an object stand in an alternative beside its own fields.
fn flattens(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            let has_parts = ["oneOf", "anyOf", "allOf"].iter().any(|word| fields.contains_key(*word));
            (fields.contains_key("properties") && has_parts) || fields.values().any(flattens)
        }
        Value::Array(items) => items.iter().any(flattens),
        _ => false,
    }
}

/// The keys that `collect.cmd` writes, as the object that the schema describes.
fn keys_of_collect_script() -> Value {
    let key = regex::Regex::new(r"(?:call :(?:value|number) |echo )([a-z_]+)(?:=| )").unwrap();
    let script = kbmirror::script::collect_script();
    let lists = ["package", "dism_package", "qfe"];
    let value = |key: &str| if lists.contains(&key) { json!(["value"]) } else { json!("value") };
    let keys = key.captures_iter(&script).map(|found| (found[1].to_owned(), value(&found[1])));
    let keys: serde_json::Map<String, Value> = keys.collect();
    assert!(keys.len() > 15, "{keys:?}");
    keys.into()
}

#[test]
#[expect(clippy::print_stdout, reason = "the table of documents belongs to the evidence")]
fn every_document_is_valid_by_its_schema() {
    let mut judge = Judge::default();
    let bench = Bench::new();
    let demo = recording("demo");
    let replay = |rest: &[&'static str]| -> Vec<String> {
        ["--replay", demo.as_str()].iter().chain(rest).map(|word| (*word).to_owned()).collect()
    };
    let online = |judge: &mut Judge, name: &str, rest: &[&'static str]| {
        let words = replay(rest);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        judge.runs(&bench, name, &words);
    };
    judge.runs(&bench, "error", &["list", "--nothing"]);
    judge.runs(&bench, "error", &["schema", "nothing"]);
    judge.runs(&bench, "schema", &["schema"]);
    judge.runs(&bench, "init", &["init", "--product", "windows-11-24h2"]);
    judge.runs(&bench, "list", &["list"]);
    online(&mut judge, "search", &["search", "KB5086672"]);
    online(&mut judge, "search", &["search", "KB5086672", "--arch", "arm64"]);
    online(&mut judge, "crawl", &["crawl", "KB5086672"]);
    online(&mut judge, "crawl", &["crawl", "KB5999999"]);
    online(&mut judge, "fetch", &["fetch", "KB5086672", "--dry-run"]);
    online(&mut judge, "fetch", &["fetch", "KB5086672", "KB5030211"]);
    online(&mut judge, "show", &["show", "KB5086672", "--catalog"]);
    judge.runs(&bench, "show", &["show", "KB5086672"]);
    judge.runs(&bench, "show", &["show", "KB5031539"]);
    judge.runs(&bench, "list", &["list"]);
    online(&mut judge, "sync", &["sync", "--as-of", "2026-03-31", "--dry-run"]);
    online(&mut judge, "sync", &["sync", "--as-of", "2026-03-31"]);
    judge.runs(&bench, "status", &["status"]);
    judge.runs(&bench, "news", &["status", "--news"]);
    judge.runs(&bench, "verify", &["verify"]);
    judge.runs(&bench, "keys-show", &["keys", "show"]);
    judge.runs(&bench, "keys-init", &["keys", "init"]);
    let root = bench.json(&["keys", "show"]).json()["root"].as_str().unwrap().to_owned();
    judge.runs(&bench, "keys-show", &["keys", "show"]);
    judge.runs(&bench, "keys-trust", &["keys", "trust", &root]);
    let rotated = bench.json(&["keys", "rotate", "--valid-for", "365d"]).exits(0).json();
    judge.take("keys-rotate", &rotated);
    judge.runs(&bench, "keys-revoke", &["keys", "revoke", rotated["retired_id"].as_str().unwrap()]);
    judge.runs(&bench, "keys-distrust", &["keys", "distrust", "0123456789ABCDEF"]);
    judge.runs(&bench, "keys-list", &["keys", "list"]);
    let offline = bench.path("offline");
    std::fs::create_dir(&offline).unwrap();
    judge.runs(&bench, "keys-move-root", &["keys", "move-root", "--to", offline.as_str()]);
    judge.runs(&bench, "knowledge", &["knowledge", "show"]);
    judge.runs(&bench, "knowledge-table", &["knowledge", "show", "families"]);
    judge.runs(&bench, "knowledge-check", &["knowledge", "check"]);
    judge.runs(&bench, "schedule", &["schedule"]);
    judge.runs(&bench, "schedule", &["schedule", "--cron"]);
    let arm = ["KB5086672", "--arch", "arm64"];
    judge.runs(&bench, "resolve", &[&["resolve"], &arm[..]].concat());
    judge.runs(&bench, "resolve", &[&["resolve"], &arm[..], &["--baseline", "26100.863"]].concat());
    judge.runs(&bench, "resolve", &["resolve", "KB5086672"]);
    judge.runs(&bench, "why", &[&["why"], &arm[..]].concat());
    judge.runs(&bench, "graph", &["graph", "KB5086672"]);
    judge.runs(&bench, "script", &[&["script"], &arm[..]].concat());
    judge.runs(&bench, "script", &["script", "--collect"]);
    judge.take("host", &keys_of_collect_script());
    let folder = bench.path("staged");
    judge.runs(&bench, "stage", &[&["stage"], &arm[..], &["--to", folder.as_str()]].concat());
    judge.runs(&bench, "lint", &["lint", folder.as_str()]);
    // One line a request, and one that is not a request.
    let batch = bench.path("batch.jsonl");
    std::fs::write(&batch, "{\"id\":1,\"request\":{\"kb\":\"KB5086672\"}}\n{\"id\":2}\n").unwrap();
    let answers = bench.json(&["resolve", "--batch", batch.as_str()]).stdout;
    let (plan, error) = answers.trim_end().split_once('\n').unwrap();
    judge.lines("resolve", plan);
    judge.lines("batch", std::fs::read_to_string(&batch).unwrap().lines().next().unwrap());
    judge.lines("batch-error", error);
    // Damage, and the log of a command.
    let path = bench
        .mirror()
        .join(&*bench.json(&["list"]).json()["sets"][0]["files"][0]["path"].as_str().unwrap().to_owned());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, bytes).unwrap();
    judge.runs(&bench, "verify", &["verify"]);
    judge.runs(&bench, "list", &["list"]);
    judge.runs(&bench, "status", &["status"]);
    let words = replay(&["--log-format", "json", "fetch", "KB5086672", "KB5999999", "--refresh"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    judge.lines("log", &bench.run(&words).stderr);
    judge.lines("log", &bench.run(&["--log-format", "json", "list", "--nothing"]).stderr);
    judge_reports(&mut judge, &bench);
    judge.runs(&bench, "repair", &["repair", "--dry-run"]);
    judge.runs(&bench, "repair", &["--offline", "repair"]);
    judge_media(&mut judge);
    judge_failed_sync(&mut judge);
    for kb in ["KB5086672", "KB5030211"] {
        let text = std::fs::read_to_string(bench.mirror().join(format!("kb/{kb}/{kb}.json"))).unwrap();
        judge.take("kb", &serde_json::from_str(&text).unwrap());
    }
    judge.runs(&bench, "forget", &["forget", "KB5086672", "--dry-run"]);
    judge.runs(&bench, "forget", &["forget", "KB5086672"]);
    let health = std::fs::read_to_string(bench.mirror().join("health.json")).unwrap();
    judge.take("health", &serde_json::from_str(&health).unwrap());
    let state = std::fs::read_to_string(bench.mirror().join("state.json")).unwrap();
    judge.take("state", &serde_json::from_str(&state).unwrap());
    assert!(judge.errors.is_empty(), "{}", judge.errors.join("\n"));
    for kind in DOCUMENTS {
        println!("{:<16} {:>3}", kind.name, judge.counts.get(kind.name).copied().unwrap_or(0));
    }
    let untested = |name: &&str| !judge.counts.contains_key(*name);
    let untested: Vec<&str> = DOCUMENTS.iter().map(|kind| kind.name).filter(untested).collect();
    assert!(untested.is_empty(), "no output was validated of {untested:?}");
}

/// Collects the fields of a schema: path, type, and `required`.
fn fields(schema: &Value, root: &Value, path: &str, seen: &mut Vec<String>, found: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"))
        && !seen.iter().any(|one| one == name)
    {
        seen.push(name.to_owned());
        fields(&root["$defs"][name], root, path, seen, found);
        seen.pop();
    }
    for word in ["oneOf", "anyOf", "allOf"] {
        for part in schema[word].as_array().into_iter().flatten() {
            fields(part, root, path, seen, found);
        }
    }
    if schema["items"].is_object() {
        fields(&schema["items"], root, &format!("{path}[]"), seen, found);
    }
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let is_required = if required.contains(&json!(name)) { "required" } else { "optional" };
        let path = format!("{path}.{name}");
        found.insert(format!("{path} {} {is_required}", types(field, root)));
        fields(field, root, &path, seen, found);
    }
}

/// The types of a field, sorted.
fn types(field: &Value, root: &Value) -> String {
    fn collect(field: &Value, root: &Value, found: &mut BTreeSet<String>) {
        match &field["type"] {
            Value::String(one) => drop(found.insert(one.clone())),
            Value::Array(all) => found.extend(all.iter().filter_map(Value::as_str).map(str::to_owned)),
            _ => {}
        }
        if let Some(name) = field["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
            collect(&root["$defs"][name], root, found);
        }
        for word in ["oneOf", "anyOf"] {
            field[word].as_array().into_iter().flatten().for_each(|part| collect(part, root, found));
        }
    }
    let mut found = BTreeSet::new();
    collect(field, root, &mut found);
    if found.is_empty() { "any".to_owned() } else { found.into_iter().collect::<Vec<_>>().join("|") }
}

#[test]
fn fields_are_only_added_to_documents() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/documents");
    let mut wrong = Vec::new();
    for kind in DOCUMENTS {
        let schema = schema_of(kind.name);
        let mut found = BTreeSet::new();
        fields(&schema, &schema, "", &mut Vec::new(), &mut found);
        let golden = std::fs::read_to_string(folder.join(format!("{}.txt", kind.name))).unwrap_or_default();
        let golden: BTreeSet<String> = golden.lines().map(str::to_owned).collect();
        wrong.extend(golden.difference(&found).map(|line| format!("{}: - {line}", kind.name)));
        wrong.extend(found.difference(&golden).map(|line| format!("{}: + {line}", kind.name)));
    }
    assert!(wrong.is_empty(), "lists to mend (only + may be added):\n{}", wrong.join("\n"));
}

#[test]
fn names_that_are_not_deprecated_have_one_type() {
    fn walk(schema: &Value, root: &Value, of_name: &mut BTreeMap<String, BTreeSet<String>>) {
        match schema {
            Value::Object(all) => {
                for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                    let is_watched = [
                        "products",
                        "product_list",
                        "files",
                        "file_list",
                        "file_count",
                        "folder",
                        "failures",
                        "failure_list",
                        "reason",
                        "why",
                    ]
                    .contains(&name.as_str());
                    if is_watched && field["deprecated"] != true {
                        let found = types(field, root).replace("|null", "").replace("null|", "");
                        of_name.entry(name.clone()).or_default().insert(found);
                    }
                }
                all.values().for_each(|part| walk(part, root, of_name));
            }
            Value::Array(all) => all.iter().for_each(|part| walk(part, root, of_name)),
            _ => {}
        }
    }
    let mut of_name: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for kind in DOCUMENTS {
        let schema = schema_of(kind.name);
        walk(&schema, &schema, &mut of_name);
    }
    assert!(of_name.values().all(|types| types.len() == 1), "{of_name:?}");
}
